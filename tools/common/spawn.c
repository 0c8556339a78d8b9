#include "tools/common/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/ready.h"

#define LOG_MAX (1024 * 1024) /* a log that has grown past it starts anew with the daemon */

static int is_program(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

static int beside(char out[static PATH_MAX], const char *relative)
{
    char self[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    if (size <= 0)
        return 0;
    self[size] = '\0';
    char *slash = strrchr(self, '/');
    if (slash == NULL)
        return 0;
    int length = snprintf(out, PATH_MAX, "%.*s/%s", (int)(slash - self), self, relative);
    return length > 0 && length < PATH_MAX && is_program(out);
}

static int in_path(char out[static PATH_MAX])
{
    const char *path = getenv("PATH");
    if (path == NULL)
        path = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin";
    while (*path != '\0') {
        int length = (int)strcspn(path, ":");
        int size = snprintf(out, PATH_MAX, "%.*s/emsad", length, path);
        if (length > 0 && path[0] == '/' && size > 0 && size < PATH_MAX && is_program(out))
            return 1;
        path += length;
        if (*path == ':')
            path++;
    }
    return 0;
}

int spawn_find(char out[static PATH_MAX])
{
    if (beside(out, "emsad") || beside(out, "../sbin/emsad") || in_path(out))
        return 0;
    return error_set(
        ERR_NOT_FOUND,
        "cannot find the program 'emsad': install it beside 'emsa', or add its folder to PATH");
}

/* DIR/emsad.log; the folder may belong to another user, so nothing but a plain file of one name is
 * taken. */
static int open_log(const char *store)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/emsad.log", store);
    int fd = -1;
    if (length > 0 && length < PATH_MAX)
        fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    struct stat status;
    if (fd >= 0 && (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || status.st_nlink != 1))
        descriptor_close(&fd);
    if (fd >= 0 && status.st_size > LOG_MAX && ftruncate(fd, 0) < 0)
        descriptor_close(&fd);
    return fd >= 0 ? fd : open("/dev/null", O_WRONLY | O_CLOEXEC);
}

/* In the forked child: leaves the terminal, and becomes the daemon in a grandchild that init
 * adopts. Only calls that are safe after a fork of a threaded program. */
static void become_daemon(const char *program, const char *store, int log, int ready)
{
    char number[16];
    (void)snprintf(number, sizeof number, "%d", ready);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    sigset_t none;
    (void)sigemptyset(&none);
    if (setsid() < 0 || null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 ||
        dup2(log, STDERR_FILENO) < 0 || fcntl(ready, F_SETFD, 0) < 0)
        _exit(1);
    if (sigprocmask(SIG_SETMASK, &none, NULL) < 0 || chdir("/") < 0)
        _exit(1);
    pid_t pid = fork();
    if (pid != 0)
        _exit(pid < 0);
    execl(program, "emsad", "--store", store, "--on-demand", "--ready-fd", number, (char *)NULL);
    (void)dprintf(ready, "error 1 io cannot run '%s': %s\n", program, strerror(errno));
    _exit(1);
}

static int start(const char *program, const char *store, int log, int ready)
{
    pid_t pid = fork();
    if (pid < 0)
        return error_system(errno, "cannot start '%s'", program);
    if (pid == 0)
        become_daemon(program, store, log, ready);
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return error_system(errno, "cannot wait for '%s'", program);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return error_set(ERR_IO, "cannot start '%s' apart from this session", program);
    return 0;
}

int spawn_daemon(const struct place_of_store *place, int deadline)
{
    char program[PATH_MAX];
    int error = spawn_find(program);
    if (error < 0)
        return error;
    int ready[2];
    if (pipe2(ready, O_CLOEXEC) < 0)
        return error_system(errno, "cannot make a pipe");
    int log = open_log(place->store);
    error = log < 0 ? error_system(errno, "cannot open '/dev/null'")
                    : start(program, place->store, log, ready[1]);
    descriptor_close(&log);
    descriptor_close(&ready[1]);
    if (error == 0)
        error = ready_wait(ready[0], deadline);
    descriptor_close(&ready[0]);
    return error;
}
