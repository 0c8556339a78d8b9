#include "tools/common/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/inside.h"

#define PATIENCE_MILLISECONDS 10000
#define END_MILLISECONDS 1000 /* for a process that was killed */

/* A namespace that cannot be looked at is not ours to compare. */
static bool is_same(const struct stat *one, const char *path)
{
    struct stat other;
    return stat(path, &other) == 0 && one->st_ino == other.st_ino && one->st_dev == other.st_dev;
}

static int check_other(const struct namespace *space)
{
    struct stat theirs;
    if (fstat(space->mounts, &theirs) < 0)
        return error_system(errno, "cannot look at the mount namespace of process %d",
                            (int)space->process.pid);
    if (!is_same(&theirs, "/proc/self/ns/mnt") && !is_same(&theirs, "/proc/1/ns/mnt"))
        return 0;
    return error_set(ERR_REFUSED,
                     "process %d has no mount namespace of its own: what is mounted for it stands "
                     "in the host's table, as 'emsa mount' does that",
                     (int)space->process.pid);
}

/* Tried by a child, so that nothing is made for who may not. */
static int check_entry(const struct namespace *space)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0)
        _exit(setns(space->mounts, CLONE_NEWNS) == 0 ? 0 : errno);
    if (child < 0)
        return error_system(errno, "cannot start a process");
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == EPERM)
        return error_set(
            ERR_DENIED,
            "cannot enter the mount namespace of process %d: that takes root in it; of "
            "your own containers you are that within 'podman unshare'",
            (int)space->process.pid);
    return error_set(ERR_IO, "cannot enter the mount namespace of process %d",
                     (int)space->process.pid);
}

int namespace_find(struct namespace *out, pid_t pid)
{
    struct namespace space NAMESPACE_CLEANUP = NAMESPACE_NONE;
    int error = process_find(&space.process, pid);
    if (error == 0)
        error = process_open(&space.mounts, &space.process, "ns/mnt", O_RDONLY);
    if (error == 0)
        error = process_open(&space.root, &space.process, "root", O_PATH | O_DIRECTORY);
    if (error == 0)
        error = check_other(&space);
    if (error == 0)
        error = check_entry(&space);
    if (error < 0)
        return error;
    *out = space;
    space = NAMESPACE_NONE;
    return 0;
}

void namespace_release(struct namespace *space)
{
    process_release(&space->process);
    descriptor_close(&space->root);
    descriptor_close(&space->mounts);
}

struct visit { /* of the child in there */
    pid_t child;
    int end;     /* pidfd */
    int channel; /* to it */
    int64_t deadline;
    const struct namespace *space;
    const char *path;
};

static int begin(struct visit *visit, const struct namespace_place *place)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return error_system(errno, "cannot make a socket");
    visit->child = fork();
    if (visit->child == 0)
        inside_run(ends[1], visit->space, place);
    int failure = errno;
    descriptor_close(&ends[1]);
    visit->channel = ends[0];
    if (visit->child < 0)
        return error_system(failure, "cannot start a process");
    visit->end = (int)syscall(SYS_pidfd_open, visit->child, 0);
    return 0;
}

/* One that hangs in a file system of somebody's in there may not end for SIGKILL either: it is left
 * behind, and has nothing in its hands. */
static void end(struct visit *visit)
{
    if (visit->child > 0) {
        (void)kill(visit->child, SIGKILL);
        bool has_ended = visit->end < 0 ||
                         descriptor_wait(visit->end, POLLIN, deadline_in(END_MILLISECONDS)) == 0;
        (void)waitpid(visit->child, NULL, has_ended ? 0 : WNOHANG);
    }
    descriptor_close(&visit->end);
    descriptor_close(&visit->channel);
}

static int hear(const struct visit *visit)
{
    struct inside_verdict verdict;
    int is_cut;
    size_t count;
    int pid = (int)visit->space->process.pid;
    int late = descriptor_wait(visit->channel, POLLIN, visit->deadline);
    if (late < 0)
        return late;
    if (late > 0)
        return error_set(ERR_IO, "cannot mount on '%s' for process %d: nothing answers there",
                         visit->path, pid);
    if (descriptor_receive(visit->channel, &verdict, sizeof verdict, NULL, 0, &count, &is_cut) !=
        (ssize_t)sizeof verdict)
        return error_set(ERR_IO, "cannot mount on '%s' for process %d: the attempt was ended",
                         visit->path, pid);
    verdict.text[sizeof verdict.text - 1] = '\0';
    if (verdict.code != 0)
        return error_set((enum error_code)verdict.code, "cannot mount on '%s' for process %d: %s",
                         visit->path, pid, verdict.text);
    if (verdict.errno_value != 0)
        return error_system(verdict.errno_value, "cannot mount on '%s' for process %d: %s",
                            visit->path, pid, verdict.text);
    return 0;
}

/* Nobody hears of a mount that went with its namespace. */
static int check_alive(const struct namespace *space)
{
    int mounts DESCRIPTOR_CLEANUP = -1;
    return process_open(&mounts, &space->process, "ns/mnt", O_RDONLY);
}

int namespace_attach(int mount_fd, const struct namespace *space,
                     const struct namespace_place *place)
{
    struct visit visit = {.child = -1,
                          .end = -1,
                          .channel = -1,
                          .deadline = deadline_in(PATIENCE_MILLISECONDS),
                          .space = space,
                          .path = place->path};
    int error = begin(&visit, place);
    if (error == 0)
        error = hear(&visit);
    if (error == 0 && descriptor_send(visit.channel, "", 1, &mount_fd, 1) != 1)
        error = error_system(errno, "cannot hand over a mount");
    if (error == 0)
        error = hear(&visit);
    end(&visit);
    return error == 0 ? check_alive(space) : error;
}
