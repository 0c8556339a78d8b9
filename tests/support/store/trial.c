#include "tests/support/store/trial.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/error.h"

void trial_failed(const char *file, int line, const char *condition, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    fprintf(stderr, "%s:%d: %s%s%s [%s]\n", file, line, condition ? condition : "",
            condition ? ": " : "", text, error_text());
    fflush(NULL);
    exit(1);
}

unsigned trial_scaled(unsigned count)
{
    const char *text = getenv("EMSA_TEST_SCALE");
    unsigned long scale = text ? strtoul(text, NULL, 10) : 1;
    unsigned scaled = scale > 1 ? (unsigned)(count / scale) : count;
    return scaled > 0 ? scaled : 1;
}

/* As many as one program asks for; each keeps its place, since callers keep its text. */
static char folders[32][TRIAL_PATH_MAX];
static size_t folder_count;
static pid_t folder_owner;

static void remove_folders(void)
{
    if (getpid() != folder_owner)
        return;
    for (size_t i = 0; i < folder_count; i++)
        trial_remove(folders[i]);
}

const char *trial_folder(void)
{
    const char *base = getenv("TMPDIR");
    MUST(folder_count < sizeof(folders) / sizeof(folders[0]), "too many folders");
    char *folder = folders[folder_count];
    snprintf(folder, sizeof(folders[0]), "%s/emsa-trial-XXXXXX", base && *base ? base : "/tmp");
    MUST(mkdtemp(folder), "cannot make '%s': %s", folder, strerror(errno));
    if (folder_count++ == 0) {
        folder_owner = getpid();
        MUST(atexit(remove_folders) == 0, "cannot register");
    }
    return folder;
}

const char *trial_path(char out[static TRIAL_PATH_MAX], const char *in, const char *name)
{
    int length = snprintf(out, TRIAL_PATH_MAX, "%s/%s", in, name);
    MUST(length > 0 && length < TRIAL_PATH_MAX, "'%s/%s' is too long", in, name);
    return out;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

void trial_remove(const char *path)
{
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0)
        MUST(errno == ENOENT, "cannot remove '%s': %s", path, strerror(errno));
}

static void copy_file(const char *to, const char *from)
{
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    MUST(in >= 0 && out >= 0, "cannot copy '%s' to '%s': %s", from, to, strerror(errno));
    static char block[1 << 16];
    for (ssize_t got; (got = read(in, block, sizeof(block))) != 0;) {
        MUST(got > 0, "cannot read '%s': %s", from, strerror(errno));
        MUST(write(out, block, (size_t)got) == got, "cannot write '%s': %s", to, strerror(errno));
    }
    close(in);
    close(out);
}

void trial_copy_folder(const char *to, const char *from)
{
    trial_remove(to);
    MUST(mkdir(to, 0700) == 0, "cannot make '%s': %s", to, strerror(errno));
    DIR *directory = opendir(from);
    MUST(directory, "cannot read '%s': %s", from, strerror(errno));
    for (struct dirent *found; (found = readdir(directory));) {
        if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0)
            continue;
        char source[TRIAL_PATH_MAX], target[TRIAL_PATH_MAX];
        copy_file(trial_path(target, to, found->d_name), trial_path(source, from, found->d_name));
    }
    closedir(directory);
}

int trial_child(int (*body)(void *arg), void *arg, unsigned seconds)
{
    fflush(NULL);
    pid_t child = fork();
    MUST(child >= 0, "cannot fork: %s", strerror(errno));
    if (child == 0) {
        /* cmocka catches what kills a test; here the end itself is the finding. */
        int deadly[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM};
        struct sigaction as_usual = {.sa_handler = SIG_DFL};
        for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
            sigaction(deadly[i], &as_usual, NULL);
        alarm(seconds);
        exit(body(arg));
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        MUST(errno == EINTR, "cannot wait: %s", strerror(errno));
    return status;
}

const char *trial_end(int status)
{
    static char text[64];
    if (WIFEXITED(status))
        snprintf(text, sizeof(text), "exit status %d", WEXITSTATUS(status));
    else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(text, sizeof(text), "a hang");
    else
        snprintf(text, sizeof(text), "signal %d", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    return text;
}

void trial_child_well(int (*body)(void *arg), void *arg, unsigned seconds)
{
    int status = trial_child(body, arg, seconds);
    MUST(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %s",
         trial_end(status));
}
