#include "tools/common/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"

int process_find(struct process *out, pid_t pid)
{
    char path[32];
    (void)snprintf(path, sizeof path, "/proc/%d", (int)pid);
    int fd = pid <= 0 ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && (pid <= 0 || errno == ENOENT))
        return error_set(ERR_NOT_FOUND, "there is no process %d", (int)pid);
    if (fd < 0)
        return error_system(errno, "cannot look at process %d", (int)pid);
    *out = (struct process){.pid = pid, .folder = fd};
    return 0;
}

void process_release(struct process *process)
{
    descriptor_close(&process->folder);
}

int process_open(int *out, const struct process *process, const char *name, int flags)
{
    int fd = openat(process->folder, name, flags | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ESRCH))
        return error_set(ERR_NOT_FOUND, "process %d has ended", (int)process->pid);
    if (fd < 0 && (errno == EACCES || errno == EPERM))
        return error_set(ERR_DENIED,
                         "cannot look at %s of process %d: it is not yours; whose it is, and root, "
                         "may",
                         name, (int)process->pid);
    if (fd < 0)
        return error_system(errno, "cannot look at %s of process %d", name, (int)process->pid);
    *out = fd;
    return 0;
}

int process_has_users(const struct process *process)
{
    struct stat theirs, ours;
    int space DESCRIPTOR_CLEANUP = -1;
    int error = process_open(&space, process, "ns/user", O_RDONLY);
    if (error < 0)
        return error;
    if (fstat(space, &theirs) < 0 || stat("/proc/self/ns/user", &ours) < 0)
        return error_system(errno, "cannot compare user namespaces");
    return theirs.st_ino != ours.st_ino || theirs.st_dev != ours.st_dev;
}

/* EPERM: the view was made above this user namespace, where this caller may map nothing. */
int process_idmap(int mount_fd, const struct process *process)
{
    int space DESCRIPTOR_CLEANUP = -1;
    int error = process_open(&space, process, "ns/user", O_RDONLY);
    if (error < 0)
        return error;
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)space};
    if (mount_setattr(mount_fd, "", AT_EMPTY_PATH, &attributes, sizeof attributes) == 0)
        return 0;
    if (errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP || errno == EPERM)
        return 1;
    return error_system(errno, "cannot map owners to those of process %d", (int)process->pid);
}

/* "inside outside count" a line. */
static int map_id(const struct process *process, const char *name, uint32_t *id)
{
    int fd = -1;
    int error = process_open(&fd, process, name, O_RDONLY);
    if (error < 0)
        return error;
    FILE *file = fdopen(fd, "re");
    if (file == NULL) {
        descriptor_close(&fd);
        return error_system(errno, "cannot read %s of process %d", name, (int)process->pid);
    }
    unsigned long inside, outside, count;
    bool is_found = false;
    while (!is_found && fscanf(file, "%lu %lu %lu", &inside, &outside, &count) == 3)
        is_found = *id >= inside && *id - inside < count;
    (void)fclose(file);
    if (!is_found)
        return error_set(ERR_INVALID, "process %d has no %s %u in its namespace: its %s says which",
                         (int)process->pid, name[0] == 'u' ? "user" : "group", (unsigned)*id, name);
    *id = (uint32_t)(outside + (*id - inside));
    return 0;
}

int process_owner(const struct process *process, uid_t *uid, gid_t *gid)
{
    uint32_t user = *uid, group = *gid;
    int error = map_id(process, "uid_map", &user);
    if (error == 0)
        error = map_id(process, "gid_map", &group);
    if (error < 0)
        return error;
    *uid = user;
    *gid = group;
    return 0;
}
