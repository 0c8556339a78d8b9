#include "tools/common/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"

#define TYPE "fuse.emsa"
#define PATIENCE_MILLISECONDS 10000
#define MADE_MODE 0755
#define MADE_MAX 64u /* directories, one in the other */

/* What the child hands back. */
struct verdict {
    int code;        /* enum error_code, or 0: what errno_value makes of it */
    int errno_value; /* 0: it is done */
    char text[200];
};

static int process_folder(int *out, pid_t pid)
{
    char path[32];
    (void)snprintf(path, sizeof path, "/proc/%d", (int)pid);
    int fd = pid <= 0 ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && (pid <= 0 || errno == ENOENT))
        return error_set(ERR_NOT_FOUND, "there is no process %d", (int)pid);
    if (fd < 0)
        return error_system(errno, "cannot look at process %d", (int)pid);
    *out = fd;
    return 0;
}

/* Of a process that ends meanwhile there is nothing any more in its folder, which names no other.
 */
static int process_open(int *out, pid_t pid, const char *name, int flags)
{
    int folder DESCRIPTOR_CLEANUP = -1;
    int error = process_folder(&folder, pid);
    if (error < 0)
        return error;
    int fd = openat(folder, name, flags | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ESRCH))
        return error_set(ERR_NOT_FOUND, "process %d has ended", (int)pid);
    if (fd < 0)
        return error_system(errno, "cannot look at %s of process %d", name, (int)pid);
    *out = fd;
    return 0;
}

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

/* Whether the mount of that id is one of emsa's, in the namespace that this process is in. */
static bool is_ours(int self, long id)
{
    int fd = openat(self, "mountinfo", O_RDONLY | O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "re");
    char *line = NULL;
    size_t capacity = 0;
    bool is_found = false;
    if (file == NULL) {
        descriptor_close(&fd);
        return false;
    }
    while (!is_found && getline(&line, &capacity, file) > 0) {
        const char *type = strtol(line, NULL, 10) == id ? strstr(line, " - ") : NULL;
        is_found = type != NULL && strncmp(type + 3, TYPE " ", strlen(TYPE) + 1) == 0;
    }
    free(line);
    (void)fclose(file);
    return is_found;
}

static int say(struct verdict *verdict, const char *what)
{
    verdict->errno_value = errno != 0 ? errno : EIO;
    (void)snprintf(verdict->text, sizeof verdict->text, "%s", what);
    return -1;
}

static int say_what(struct verdict *verdict, enum error_code code, const char *what)
{
    verdict->code = (int)code;
    verdict->errno_value = EINVAL;
    (void)snprintf(verdict->text, sizeof verdict->text, "%s", what);
    return -1;
}

static int find_target(int *target, struct verdict *verdict, int root,
                       const struct namespace_place *place, int self)
{
    int below DESCRIPTOR_CLEANUP = place->root != NULL ? open_below(root, place->root) : -1;
    if (place->root != NULL && below < 0)
        return say(verdict, "cannot open the root below which it is to be mounted");
    *target = open_place(place->root != NULL ? below : root, place);
    if (*target < 0 && errno == ENOTDIR)
        return say_what(verdict, ERR_INVALID, "that is no directory");
    if (*target < 0 && errno == ELOOP)
        return say_what(verdict, ERR_INVALID, "its path leads over a link that is not followed");
    if (*target < 0 && errno == ENOENT)
        return say_what(verdict, ERR_NOT_FOUND,
                        place->make ? "its path leads over a link to nothing"
                                    : "there is no such directory: make it there first");
    if (*target < 0)
        return say(verdict, "cannot open the directory");
    if (is_mount_root(*target) && is_ours(self, mount_id(self, *target)))
        return say_what(verdict, ERR_REFUSED, "a mount of emsa's is there already");
    return 0;
}

/* In the child. What is opened before the step over keeps its meaning behind it. */
static void enter_and_attach(struct verdict *verdict, int mount_fd, int root, int space,
                             const struct namespace_place *place)
{
    int target = -1;
    int self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (self < 0 || setns(space, CLONE_NEWNS) < 0) {
        (void)say(verdict,
                  self < 0 ? "cannot look at '/proc/self'" : "cannot enter the mount namespace");
        return;
    }
    if (find_target(&target, verdict, root, place, self) < 0)
        return;
    if (move_mount(mount_fd, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
        (void)say(verdict, "cannot mount there");
}

static int child_begin(pid_t *child, int mount_fd, int root, int space,
                       const struct namespace_place *place)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_system(errno, "cannot make a pipe");
    pid_t pid = fork();
    if (pid < 0) {
        int failure = errno;
        descriptor_close(&ends[0]);
        descriptor_close(&ends[1]);
        return error_system(failure, "cannot start a process");
    }
    if (pid == 0) {
        struct verdict verdict = {0};
        enter_and_attach(&verdict, mount_fd, root, space, place);
        _exit(write(ends[1], &verdict, sizeof verdict) != (ssize_t)sizeof verdict);
    }
    descriptor_close(&ends[1]);
    *child = pid;
    return ends[0];
}

static int child_end(pid_t child, int answer, const struct namespace_place *place)
{
    struct verdict verdict;
    const char *path = place->path;
    int late = descriptor_wait(answer, POLLIN, deadline_in(PATIENCE_MILLISECONDS));
    ssize_t size = late == 0 ? read(answer, &verdict, sizeof verdict) : -1;
    (void)kill(child, SIGKILL); /* also one that hangs in a file system of somebody in there */
    (void)waitpid(child, NULL, 0);
    if (late > 0)
        return error_set(ERR_IO, "cannot mount on '%s' for process %d: nothing answers there", path,
                         (int)place->pid);
    if (size != (ssize_t)sizeof verdict)
        return error_set(ERR_IO, "cannot mount on '%s' for process %d: the attempt was ended", path,
                         (int)place->pid);
    verdict.text[sizeof verdict.text - 1] = '\0';
    if (verdict.code != 0)
        return error_set((enum error_code)verdict.code, "cannot mount on '%s' for process %d: %s",
                         path, (int)place->pid, verdict.text);
    if (verdict.errno_value != 0)
        return error_system(verdict.errno_value, "cannot mount on '%s' for process %d: %s", path,
                            (int)place->pid, verdict.text);
    return 0;
}

int namespace_attach(int mount_fd, const struct namespace_place *place)
{
    pid_t child;
    int root DESCRIPTOR_CLEANUP = -1;
    int space DESCRIPTOR_CLEANUP = -1;
    int error = process_open(&root, place->pid, "root", O_PATH | O_DIRECTORY);
    if (error == 0)
        error = process_open(&space, place->pid, "ns/mnt", O_RDONLY);
    if (error < 0)
        return error;
    int answer DESCRIPTOR_CLEANUP = child_begin(&child, mount_fd, root, space, place);
    return answer < 0 ? answer : child_end(child, answer, place);
}

int namespace_differs(pid_t pid)
{
    struct stat theirs, ours;
    int space DESCRIPTOR_CLEANUP = -1;
    int error = process_open(&space, pid, "ns/user", O_RDONLY);
    if (error < 0)
        return error;
    if (fstat(space, &theirs) < 0 || stat("/proc/self/ns/user", &ours) < 0)
        return error_system(errno, "cannot compare user namespaces");
    return theirs.st_ino != ours.st_ino || theirs.st_dev != ours.st_dev;
}

int namespace_idmap(int mount_fd, pid_t pid)
{
    int space DESCRIPTOR_CLEANUP = -1;
    int error = process_open(&space, pid, "ns/user", O_RDONLY);
    if (error < 0)
        return error;
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)space};
    if (mount_setattr(mount_fd, "", AT_EMPTY_PATH, &attributes, sizeof attributes) == 0)
        return 0;
    if (errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)
        return 1;
    return error_system(errno, "cannot map owners to those of process %d", (int)pid);
}

/* "inside outside count" a line. */
static int map_id(pid_t pid, const char *name, uint32_t *id)
{
    int fd = -1;
    int error = process_open(&fd, pid, name, O_RDONLY);
    if (error < 0)
        return error;
    FILE *file = fdopen(fd, "re");
    if (file == NULL) {
        descriptor_close(&fd);
        return error_system(errno, "cannot read %s of process %d", name, (int)pid);
    }
    unsigned long inside, outside, count;
    bool is_found = false;
    while (!is_found && fscanf(file, "%lu %lu %lu", &inside, &outside, &count) == 3)
        is_found = *id >= inside && *id - inside < count;
    (void)fclose(file);
    if (!is_found)
        return error_set(ERR_INVALID, "process %d has no user or group %u in its namespace",
                         (int)pid, (unsigned)*id);
    *id = (uint32_t)(outside + (*id - inside));
    return 0;
}

int namespace_owner(pid_t pid, uid_t *uid, gid_t *gid)
{
    uint32_t user = *uid, group = *gid;
    int error = map_id(pid, "uid_map", &user);
    if (error == 0)
        error = map_id(pid, "gid_map", &group);
    if (error < 0)
        return error;
    *uid = user;
    *gid = group;
    return 0;
}
