/* Load, and what hurts the own view: others must not notice. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "escape.h"

#define CHILDREN 72u

static pid_t children[CHILDREN];
static unsigned count;
static int begun[2]; /* each child says that it has begun */

/* A child that works until it is ended. */
static void child(void (*work)(unsigned), unsigned which)
{
    pid_t pid = count < CHILDREN ? fork() : -1;
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        work(which);
        _exit(0);
    }
    if (pid > 0)
        children[count++] = pid;
}

static void has_begun(void)
{
    if (write(begun[1], "b", 1) < 0)
        _exit(1);
}

/* Every kind of request, as fast as it goes. */
static void flood(unsigned which)
{
    char name[600], bytes[65536];
    struct stat status;
    has_begun();
    for (unsigned i = 0;; i++) {
        int fd = open(key, O_RDONLY | O_CLOEXEC | (which % 2 ? O_DIRECT : 0));
        for (unsigned j = 0; j < 4; j++)
            if (pread(fd, bytes, sizeof(bytes), j == 3 ? 1 << 30 : 0) < 0)
                continue;
        close(fd);
        snprintf(name, sizeof(name), "%s/NO%u", service, i);
        (void)stat(name, &status);
        if (unlink(name) == 0 || truncate(key, i) == 0)
            continue;
        snprintf(name, sizeof(name), "%s/.emsa/%s", service, i % 2 ? "json" : "at/1");
        fd = open(name, O_RDONLY | O_CLOEXEC);
        if (read(fd, bytes, sizeof(bytes)) < 0)
            (void)getxattr(key, "user.emsa.rev", bytes, sizeof(bytes));
        close(fd);
    }
}

/* As many descriptors as it can have, each of which sleeps in poll too. */
static void hold(unsigned which)
{
    enum { MOST = 4000 };
    static struct pollfd held[MOST];
    unsigned opened = 0;
    struct rlimit all;
    (void)which;
    if (getrlimit(RLIMIT_NOFILE, &all) == 0) {
        all.rlim_cur = all.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &all);
    }
    for (; opened < MOST; opened++) {
        int fd = open(key, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            break;
        held[opened] = (struct pollfd){.fd = fd, .events = POLLPRI};
    }
    poll(held, opened, 1); /* not 0: then nobody would be registered */
    has_begun();
    for (;;)
        poll(held, opened, -1);
}

/* Stopped with everything in its hands: locks, a mapping, a list half read. */
static void stopped(unsigned which)
{
    char records[64];
    int fd = open(key, O_RDONLY | O_CLOEXEC), directory = open(service, O_RDONLY | O_CLOEXEC);
    struct flock all = {.l_type = F_RDLCK};
    (void)which;
    (void)fcntl(fd, F_SETLK, &all);
    (void)fcntl(fd, F_SETLEASE, F_RDLCK);
    volatile char *mapped = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    if (mapped != MAP_FAILED)
        (void)*mapped;
    (void)syscall(SYS_getdents64, directory, records, sizeof(records));
    has_begun();
    raise(SIGSTOP);
}

/* Readers that are killed in the middle, again and again. */
static void killed(unsigned which)
{
    has_begun();
    for (;;) {
        pid_t pid = fork();
        if (pid == 0)
            flood(which);
        struct stat status;
        for (unsigned i = 0; i < 50; i++)
            (void)stat(service, &status); /* meanwhile it is in the middle of something */
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
}

/* Every open of the view must be allowed by us, and we never do. */
static void jealous(unsigned which)
{
    int fd = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY | O_CLOEXEC);
    (void)which;
    if (fd >= 0)
        (void)fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
                            FAN_OPEN_PERM | FAN_ACCESS_PERM | FAN_ONDIR | FAN_EVENT_ON_CHILD,
                            AT_FDCWD, view);
    has_begun();
    for (;;)
        pause();
}

void load_begin(const char *what)
{
    static const struct {
        const char *name;
        void (*work)(unsigned);
        unsigned children;
    } loads[] = {{"flood", flood, 16},    {"hold", hold, 8},     {"hold-all", hold, CHILDREN},
                 {"stopped", stopped, 8}, {"killed", killed, 4}, {"jealous", jealous, 1}};
    char byte;
    if (pipe2(begun, O_CLOEXEC) < 0)
        return;
    for (size_t i = 0; i < sizeof(loads) / sizeof(*loads); i++) {
        for (unsigned j = 0; strcmp(loads[i].name, what) == 0 && j < loads[i].children; j++)
            child(loads[i].work, j);
    }
    for (unsigned i = 0; i < count; i++)
        if (read(begun[0], &byte, 1) < 0)
            break;
    if (count == 0)
        hole(what, "did not begin");
}

void load_end(void)
{
    for (unsigned i = 0; i < count; i++)
        kill(children[i], SIGKILL);
    for (unsigned i = 0; i < count; i++)
        waitpid(children[i], NULL, 0);
    count = 0;
    close(begun[0]);
    close(begun[1]);
}

/* The number of the own connection. */
static long aborted(void)
{
    struct stat status;
    char path[64];
    if (stat(view, &status) < 0 || mount("fusectl", "/tmp", "fusectl", 0, NULL) < 0)
        return -1;
    snprintf(path, sizeof(path), "/tmp/%u/abort", (unsigned)(status.st_dev & 0xff));
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    long result = fd < 0 ? -1 : write(fd, "1", 1);
    int error = errno;
    if (fd >= 0)
        close(fd);
    umount2("/tmp", MNT_DETACH);
    errno = error;
    return result;
}

void harm(const char *what)
{
    long result = -1;
    errno = EINVAL;
    if (strcmp(what, "read-only superblock") == 0)
        result = mount(NULL, view, NULL, MS_REMOUNT | MS_RDONLY, NULL);
    else if (strcmp(what, "umount -f") == 0)
        result = umount2(view, MNT_FORCE);
    else if (strcmp(what, "umount -l") == 0)
        result = umount2(view, MNT_DETACH);
    else if (strcmp(what, "abort") == 0)
        result = aborted();
    int error = result < 0 ? errno : 0;
    char byte;
    int fd = open(key, O_RDONLY | O_CLOEXEC);
    long after = fd < 0 ? -1 : read(fd, &byte, 1);
    row(what, "%s, and then its own value: %s", error ? error_name(error) : "done",
        after < 0 ? error_name(errno) : "as ever");
    loot_text(what);
}
