#include "tools/common/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"

#define TYPE "fuse.emsa"
#define TYPE_MAX 32
#define MADE_MODE 0755
#define MADE_MAX 64u /* directories, one in the other */
#define DEAD_MAX 64u /* mounts, one on the other */

static int open_below(int root, const char *path)
{
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

/* The first bytes of path, up to a slash at length, opened, and made where it is missing. */
static int open_making(int root, const char *path, size_t length)
{
    char part[PATH_MAX];
    (void)snprintf(part, sizeof part, "%.*s", (int)length, path);
    int fd = open_below(root, part[0] == '\0' ? "/" : part);
    if (fd >= 0 || errno != ENOENT)
        return fd;
    size_t start = length;
    while (start > 0 && path[start - 1] != '/')
        start--;
    size_t above = start;
    while (above > 0 && path[above - 1] == '/')
        above--;
    int folder = above == length ? -1 : open_making(root, path, above);
    if (folder < 0)
        return -1;
    /* One that somebody made meanwhile will do; a link that leads to nothing will not. */
    if (mkdirat(folder, part + start, MADE_MODE) == 0 || errno == EEXIST)
        fd = open_below(root, part);
    descriptor_close(&folder);
    return fd;
}

/* Nobody means a path that would be made of so many. */
static bool is_deep(const char *path)
{
    unsigned slashes = 0;
    for (; *path != '\0'; path++)
        slashes += *path == '/';
    return slashes > MADE_MAX;
}

static int open_place(int root, const struct namespace_place *place)
{
    size_t length = strlen(place->path);
    while (length > 1 && place->path[length - 1] == '/')
        length--;
    if (length >= PATH_MAX || (place->make && is_deep(place->path))) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return place->make ? open_making(root, place->path, length) : open_below(root, place->path);
}

static bool is_mount_root(int fd)
{
    struct statx status;
    return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &status) == 0 &&
           (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

/* The id of the mount that a descriptor is in. self is this process's folder of /proc. */
static long mount_id(int self, int fd)
{
    char name[32], text[512];
    (void)snprintf(name, sizeof name, "fdinfo/%d", fd);
    int info DESCRIPTOR_CLEANUP = openat(self, name, O_RDONLY | O_CLOEXEC);
    ssize_t size = info < 0 ? -1 : read(info, text, sizeof text - 1);
    if (size < 0)
        return -1;
    text[size] = '\0';
    const char *found = strstr(text, "mnt_id:");
    return found != NULL ? strtol(found + strlen("mnt_id:"), NULL, 10) : -1;
}

/* The type of the mount of that id, in the namespace that this process is in; "": it is not to be
 * found. */
static void find_type(char type[static TYPE_MAX], int self, long id)
{
    int fd = openat(self, "mountinfo", O_RDONLY | O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "re");
    char *line = NULL;
    size_t capacity = 0;
    type[0] = '\0';
    if (file == NULL) {
        descriptor_close(&fd);
        return;
    }
    while (type[0] == '\0' && getline(&line, &capacity, file) > 0) {
        const char *found = strtol(line, NULL, 10) == id ? strstr(line, " - ") : NULL;
        if (found != NULL)
            (void)snprintf(type, TYPE_MAX, "%.*s", (int)strcspn(found + 3, " "), found + 3);
    }
    free(line);
    (void)fclose(file);
}

static int say(struct inside_verdict *verdict, const char *what)
{
    verdict->errno_value = errno != 0 ? errno : EIO;
    (void)snprintf(verdict->text, sizeof verdict->text, "%s", what);
    return -1;
}

static int say_what(struct inside_verdict *verdict, enum error_code code, const char *what)
{
    verdict->code = (int)code;
    verdict->errno_value = EINVAL;
    (void)snprintf(verdict->text, sizeof verdict->text, "%s", what);
    return -1;
}

static int open_target(int *target, struct inside_verdict *verdict, int root,
                       const struct namespace_place *place)
{
    *target = open_place(root, place);
    if (*target >= 0)
        return 0;
    switch (errno) {
    case ENOTDIR:
        return say_what(verdict, ERR_INVALID, "that is no directory");
    case ELOOP:
        return say_what(verdict, ERR_INVALID, "its path leads over a link that is not followed");
    case ENOENT:
        return say_what(verdict, ERR_NOT_FOUND,
                        place->make ? "its path leads over a link to nothing"
                                    : "there is no such directory: make it there first");
    case EROFS:
        return say_what(verdict, ERR_REFUSED,
                        "there is no such directory, and none can be made in a read-only one: make "
                        "it in the image");
    default:
        return say(verdict, "cannot open the directory");
    }
}

/* 1: a dead mount of emsa's stood there, and is gone. */
static int clear_one(struct inside_verdict *verdict, int target, int self)
{
    char type[TYPE_MAX], through[32];
    struct statfs status;
    if (!is_mount_root(target))
        return 0;
    find_type(type, self, mount_id(self, target));
    if (strcmp(type, TYPE) == 0 && fstatfs(target, &status) < 0 &&
        (errno == ENOTCONN || errno == ECONNABORTED)) {
        (void)snprintf(through, sizeof through, "fd/%d", target);
        if (fchdir(self) == 0 && umount2(through, MNT_DETACH) == 0)
            return 1;
        return say(verdict, "cannot take away the dead mount that is there");
    }
    (void)snprintf(verdict->text, sizeof verdict->text, "a mount %s%sis there already",
                   strcmp(type, TYPE) == 0 ? "of emsa's" : "of type ",
                   strcmp(type, TYPE) == 0 ? " " : type);
    verdict->code = ERR_REFUSED;
    verdict->errno_value = EBUSY;
    return -1;
}

static int find_target(int *target, struct inside_verdict *verdict, int root,
                       const struct namespace_place *place, int self)
{
    int below DESCRIPTOR_CLEANUP = place->root != NULL ? open_below(root, place->root) : -1;
    if (place->root != NULL && below < 0)
        return say(verdict, "cannot open the root below which it is to be mounted");
    int outcome = 1;
    for (unsigned i = 0; outcome == 1 && i < DEAD_MAX; i++) {
        descriptor_close(target);
        outcome = open_target(target, verdict, place->root != NULL ? below : root, place);
        if (outcome == 0)
            outcome = clear_one(verdict, *target, self);
    }
    return outcome == 1 ? say_what(verdict, ERR_REFUSED, "dead mounts stand there") : outcome;
}

static int compare(const void *one, const void *other)
{
    return *(const int *)one - *(const int *)other;
}

/* A child that hangs in somebody's file system until that pleases holds nothing else meanwhile. */
static void close_others(int channel, const struct namespace *space)
{
    int kept[] = {channel, space->root, space->mounts};
    unsigned next = 0;
    qsort(kept, sizeof kept / sizeof kept[0], sizeof kept[0], compare);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        if ((unsigned)kept[i] > next)
            (void)close_range(next, (unsigned)kept[i] - 1, 0);
        next = (unsigned)kept[i] + 1;
    }
    (void)close_range(next, ~0u, 0);
}

static int take_mount(int channel)
{
    char byte;
    int fd = -1, is_cut;
    size_t count = 0;
    struct pollfd entry = {.fd = channel, .events = POLLIN};
    while (poll(&entry, 1, -1) < 0 && errno == EINTR)
        ;
    ssize_t size = descriptor_receive(channel, &byte, sizeof byte, &fd, 1, &count, &is_cut);
    return size == sizeof byte && count == 1 ? fd : -1;
}

static void tell(int channel, const struct inside_verdict *verdict)
{
    (void)descriptor_send(channel, verdict, sizeof *verdict, NULL, 0);
}

/* What is opened before the step over keeps its meaning behind it. */
_Noreturn void inside_run(int channel, const struct namespace *space,
                          const struct namespace_place *place)
{
    struct inside_verdict verdict = {0};
    int target = -1;
    close_others(channel, space);
    int self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (self < 0)
        (void)say(&verdict, "cannot look at '/proc/self'");
    else if (setns(space->mounts, CLONE_NEWNS) < 0)
        (void)say(&verdict, "cannot enter the mount namespace");
    else
        (void)find_target(&target, &verdict, space->root, place, self);
    tell(channel, &verdict);
    if (verdict.errno_value != 0)
        _exit(0);
    int mount_fd = take_mount(channel);
    if (mount_fd < 0 ||
        move_mount(mount_fd, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
        (void)say(&verdict, "cannot mount there");
    tell(channel, &verdict);
    _exit(0);
}
