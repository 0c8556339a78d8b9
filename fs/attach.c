/* Putting a detached mount into a directory and taking it away again: the caller's half. What
 * stands in a directory is looked up in mountinfo, never by touching the tree, which may have no
 * server any more. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fs/mount.h"
#include "fs/mount_table.h"
#include "store/error.h"

#define TYPE "fuse.emsa"
#define MOMENT_MS 1000

/* What is mounted on top in a place, now. 1: nothing is. */
static int mounted(const char *path, struct standing *standing)
{
    struct mount_table table MOUNT_TABLE_CLEANUP = {0};
    int error = mount_table_read(&table);
    return error == 0 ? mount_table_top(&table, path, standing) : error;
}

/* The absolute path, without asking the last component anything: a mount whose server is gone for
 * good answers ENOTCONN. */
static int absolute(const char *path, char out[static PATH_MAX])
{
    char folder[PATH_MAX], resolved[PATH_MAX];
    if (realpath(path, out))
        return 0;
    if (errno != ENOTCONN && errno != ECONNABORTED && errno != EIO && errno != EACCES)
        return error_system(errno, "cannot find '%s'", path);
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    if (length >= sizeof(folder))
        return error_set(ERR_INVALID, "the path '%s' is too long", path);
    memcpy(folder, path, length);
    folder[length] = 0;
    char *slash = strrchr(folder, '/');
    const char *name = slash ? slash + 1 : folder;
    if (slash)
        *slash = 0;
    if (!realpath(!slash ? "." : *folder ? folder : "/", resolved))
        return error_system(errno, "cannot find the folder of '%s'", path);
    const char *join = strcmp(resolved, "/") == 0 ? "" : "/";
    if (snprintf(out, PATH_MAX, "%s%s%s", resolved, join, name) >= PATH_MAX)
        return error_set(ERR_INVALID, "the path '%s' is too long", path);
    return 0;
}

/* Nobody answers there, and nobody will: the last who held the connection is gone. */
static bool is_dead(int place)
{
    struct statfs status;
    return fstatfs(place, &status) < 0 && (errno == ENOTCONN || errno == ECONNABORTED);
}

/* The id of the mount that a descriptor is in, as mountinfo has it; -1: nobody says. */
static long mount_id(int fd)
{
    char path[64], line[128];
    long id = -1;
    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
    FILE *file = fopen(path, "re");
    if (!file)
        return -1;
    while (id < 0 && fgets(line, sizeof(line), file))
        if (strncmp(line, "mnt_id:", 7) == 0)
            id = strtol(line + 7, NULL, 10);
    fclose(file);
    return id;
}

/* One turn of mount_clear: 0, or 1 when no dead mount of ours stands there. All by one descriptor:
 * between two looks at a path, somebody who owns a folder above may lead it elsewhere. */
static int clear_one(struct mount_table *table, const char *path, unsigned number)
{
    char through[64];
    struct standing standing;
    int place = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (place < 0)
        return 1;
    long id = mount_id(place);
    int error = mount_table_top(table, path, &standing);
    if (error == 0 && (standing.id != id || strcmp(standing.type, TYPE) != 0 ||
                       (number && standing.number != number) || !is_dead(place)))
        error = 1;
    if (error == 0) {
        snprintf(through, sizeof(through), "/proc/self/fd/%d", place);
        if (umount2(through, MNT_DETACH) < 0)
            error = error_system(errno, "cannot take the dead mount away from '%s'", path);
        else
            mount_table_drop(table, path);
    }
    close(place);
    return error;
}

enum life { ALIVE, DEAD, SILENT };

/* Asked by a process of its own: who asks may wait for ever. */
static enum life ask(const char *path, int milliseconds)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct statfs status;
        _exit(statfs(path, &status) < 0);
    }
    struct pollfd end = {.fd = pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0),
                         .events = POLLIN};
    if (end.fd < 0) { /* what cannot be asked is left alone */
        if (pid > 0)
            kill(pid, SIGKILL);
        return DEAD;
    }
    bool answered = poll(&end, 1, milliseconds) != 0;
    int status = -1;
    close(end.fd);
    kill(pid, SIGKILL); /* ends the wait for what no server has read */
    if (answered)
        waitpid(pid, &status, 0);
    return !answered ? SILENT : status == 0 ? ALIVE : DEAD;
}

int mount_abort_silent(const struct mount_table *table, const char *directory, unsigned number,
                       int milliseconds)
{
    struct standing standing;
    if (mount_table_top(table, directory, &standing) != 0 || strcmp(standing.type, TYPE) != 0 ||
        number == 0 || standing.number != number || ask(directory, milliseconds) != SILENT)
        return 1;
    return mount_abort_number(standing.number);
}

int mount_clear(struct mount_table *table, const char *directory, unsigned number)
{
    char path[PATH_MAX];
    int error = absolute(directory, path);
    if (error < 0)
        return error;
    int first = clear_one(table, path, number);
    for (error = first; error == 0;)
        error = clear_one(table, path, number);
    return error < 0 ? error : first;
}

int mount_clear_now(const char *directory)
{
    struct mount_table table MOUNT_TABLE_CLEANUP = {0};
    int error = mount_table_read(&table);
    return error == 0 ? mount_clear(&table, directory, 0) : error;
}

static int check_free(const char *directory)
{
    char path[PATH_MAX];
    struct standing standing;
    int error = mount_clear_now(directory);
    if (error >= 0)
        error = absolute(directory, path);
    if (error)
        return error;
    error = mounted(path, &standing);
    if (error < 0)
        return error;
    if (error == 0)
        return error_set(ERR_REFUSED,
                         "cannot mount on '%s': a mount of type %s is there already; "
                         "take that away first (%s '%s'), or name another directory",
                         directory, standing.type,
                         strcmp(standing.type, TYPE) == 0 ? "emsa umount" : "umount", directory);
    struct stat status;
    if (stat(path, &status) < 0)
        return error_system(errno, "cannot mount on '%s'", directory);
    if (!S_ISDIR(status.st_mode))
        return error_set(ERR_INVALID, "cannot mount on '%s': it is no directory", directory);
    return 0;
}

int mount_attach(int mount_fd, const char *directory)
{
    int error = check_free(directory);
    if (error)
        return error;
    if (move_mount(mount_fd, "", AT_FDCWD, directory,
                   MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS) == 0)
        return 0;
    if (errno == EPERM)
        return error_set(ERR_DENIED,
                         "cannot mount on '%s': mounting needs root (CAP_SYS_ADMIN) in the mount "
                         "namespace of that directory",
                         directory);
    return error_system(errno, "cannot mount on '%s'", directory);
}

int mount_attach_again(int mount_fd, int place, const char *directory)
{
    if (move_mount(mount_fd, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == 0)
        return 0;
    return error_system(errno, "cannot mount on '%s' again", directory);
}

int mount_detach(const char *directory, bool lazy)
{
    char path[PATH_MAX];
    struct standing standing;
    int error = absolute(directory, path);
    if (error)
        return error;
    error = mounted(path, &standing);
    if (error < 0)
        return error;
    if (error > 0)
        return error_set(ERR_NOT_FOUND, "nothing is mounted on '%s'", directory);
    if (strcmp(standing.type, TYPE) != 0)
        return error_set(ERR_REFUSED,
                         "the mount on '%s' is of type %s and not emsa's; umount it "
                         "with umount(8) if it is to go",
                         directory, standing.type);
    if (umount2(path, UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)) == 0)
        return 0;
    if (errno == EBUSY)
        return error_set(ERR_BUSY,
                         "cannot take the mount away from '%s': something in it is in use "
                         "(fuser -vm '%s' shows what; umount -l '%s' takes it away regardless)",
                         directory, directory, directory);
    return error_system(errno, "cannot take the mount away from '%s'", directory);
}

/* Milliseconds from now to a moment of the monotonic clock; -1: never. */
static int left_until(const struct timespec *end)
{
    struct timespec now;
    if (end->tv_sec < 0)
        return -1;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t left =
        (int64_t)(end->tv_sec - now.tv_sec) * 1000 + (end->tv_nsec - now.tv_nsec) / 1000000;
    return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

static struct timespec moment_in(int milliseconds)
{
    struct timespec end = {.tv_sec = -1};
    if (milliseconds < 0)
        return end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += milliseconds / 1000;
    end.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000;
    }
    return end;
}

/* What stands is given a moment to answer, also when the time is over: with 0 it is asked for once.
 */
static bool stands(const char *directory, int milliseconds)
{
    const int moment = milliseconds >= 0 && milliseconds < MOMENT_MS ? MOMENT_MS : milliseconds;
    char path[PATH_MAX];
    struct standing standing;
    return absolute(directory, path) == 0 && mounted(path, &standing) == 0 &&
           strcmp(standing.type, TYPE) == 0 && ask(path, moment) == ALIVE;
}

/* The kernel tells of every change of the table since it was opened, or waited for last. */
int mount_await(const char *directory, int milliseconds)
{
    struct timespec end = moment_in(milliseconds);
    struct pollfd table = {.fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC),
                           .events = POLLPRI};
    if (table.fd < 0)
        return error_system(errno, "cannot read '/proc/self/mountinfo'");
    int outcome = 1;
    while (outcome == 1) {
        if (stands(directory, left_until(&end)))
            outcome = 0;
        else if (poll(&table, 1, left_until(&end)) == 0)
            break;
    }
    close(table.fd);
    return outcome;
}
