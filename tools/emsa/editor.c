#include "tools/emsa/editor.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "store/error.h"

#define COMMAND_MAX 4096
#define NOT_FOUND 127 /* what a shell ends with then */

extern char **environ;

static const int left_to_it[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};
#define LEFT_TO_IT (sizeof left_to_it / sizeof left_to_it[0])

static const char *wanted(void)
{
    static const char *const names[] = {"VISUAL", "EDITOR"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *said = getenv(names[i]);
        if (said != NULL && said[strspn(said, " \t")] != '\0')
            return said;
    }
    return "vi";
}

static int spawn(pid_t *process, const char *editor, const char *file)
{
    char shell[] = "sh", option[] = "-c", command[COMMAND_MAX], name[COMMAND_MAX],
         path[COMMAND_MAX];
    char *words[] = {shell, option, command, name, path, NULL};
    posix_spawnattr_t attributes;
    sigset_t usual, none;
    if (snprintf(command, sizeof command, "%s \"$@\"", editor) >= (int)sizeof command)
        return E2BIG;
    snprintf(name, sizeof name, "%s", editor);
    snprintf(path, sizeof path, "%s", file);
    sigemptyset(&usual);
    sigemptyset(&none);
    for (size_t i = 0; i < LEFT_TO_IT; i++)
        sigaddset(&usual, left_to_it[i]);
    int failed = posix_spawnattr_init(&attributes);
    if (failed != 0)
        return failed;
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    failed = posix_spawn(process, "/bin/sh", NULL, &attributes, words, environ);
    posix_spawnattr_destroy(&attributes);
    return failed;
}

static int judge(const char *editor, int status)
{
    if (WIFSIGNALED(status))
        return error_set(ERR_IO, "the editor '%s' was ended by signal %d", editor,
                         WTERMSIG(status));
    if (WEXITSTATUS(status) == NOT_FOUND)
        return error_set(ERR_IO, "there is no editor '%s': name one in $VISUAL or $EDITOR", editor);
    if (WEXITSTATUS(status) != 0)
        return error_set(ERR_IO, "the editor '%s' ended with %d", editor, WEXITSTATUS(status));
    return 0;
}

int editor_run(const char *file)
{
    const char *editor = wanted();
    struct sigaction before[LEFT_TO_IT], ignore = {.sa_handler = SIG_IGN};
    pid_t process;
    int status = 0;
    for (size_t i = 0; i < LEFT_TO_IT; i++)
        sigaction(left_to_it[i], &ignore, &before[i]);
    int failed = spawn(&process, editor, file);
    while (failed == 0 && waitpid(process, &status, 0) < 0)
        if (errno != EINTR)
            failed = errno;
    for (size_t i = 0; i < LEFT_TO_IT; i++)
        sigaction(left_to_it[i], &before[i], NULL);
    if (failed != 0)
        return error_system(failed, "cannot start the editor '%s'", editor);
    return judge(editor, status);
}
