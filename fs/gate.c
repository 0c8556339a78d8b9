#include "fs/gate.h"

#include <errno.h>
#include <sys/statvfs.h>

#include "fs/edited.h"

/* What is known */

static struct known *known_at(struct worker *worker, uint64_t wire)
{
    return &worker->known[wire % KNOWN_SLOTS]; /* as good as random */
}

static void note(struct worker *worker, uint64_t wire, uint64_t node)
{
    *known_at(worker, wire) =
        (struct known){.view = worker->view->options.id, .wire = wire, .node = node};
}

uint64_t gate_out(struct worker *worker, uint64_t node)
{
    const struct scope *scope = &worker->view->scope;
    if (scope_is_all(scope))
        return node;
    const uint64_t wire = scope_wire(scope, node);
    note(worker, wire, scope_own(scope, node));
    return wire;
}

/* The node behind an id that nobody remembers. */
static int find(struct worker *worker, uint64_t *node, uint64_t wire)
{
    const struct scope *scope = &worker->view->scope;
    *node = scope_decipher(scope, wire);
    int error = snapshot_begin(worker->snapshot);
    if (error)
        return error;
    error = scope_admit(scope, worker->snapshot, node);
    snapshot_end(worker->snapshot);
    return error;
}

static int translate(struct worker *worker, fuse_ino_t *node)
{
    const uint64_t wire = *node;
    const struct known *known = known_at(worker, wire);
    uint64_t found;
    if (known->view == worker->view->options.id && known->wire == wire) {
        *node = known->node;
        return 0;
    }
    int error = find(worker, &found, wire);
    if (error)
        return error;
    if (found)
        note(worker, wire, found);
    *node = found;
    return 0;
}

/* False: the request was answered. */
static bool enter(fuse_req_t request, fuse_ino_t *node)
{
    struct worker *worker = loop_worker();
    worker->wire = *node;
    if (scope_is_all(&worker->view->scope))
        return true;
    int error = translate(worker, node);
    if (error)
        ops_fail(worker, request, error);
    return !error;
}

/* What is let go of is let go of, whatever the store says. */
static void leave(fuse_ino_t *node)
{
    struct worker *worker = loop_worker();
    worker->wire = *node;
    if (!scope_is_all(&worker->view->scope) && translate(worker, node))
        *node = 0;
}

/* Handlers with an id */

static void lookup(fuse_req_t request, fuse_ino_t parent, const char *name)
{
    if (enter(request, &parent))
        ops_lookup(request, parent, name);
}

static void getattr(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info)
{
    if (enter(request, &node))
        ops_getattr(request, node, info);
}

static void readlink(fuse_req_t request, fuse_ino_t node)
{
    if (enter(request, &node))
        ops_readlink(request, node);
}

static void getxattr(fuse_req_t request, fuse_ino_t node, const char *name, size_t size)
{
    if (enter(request, &node))
        ops_getxattr(request, node, name, size);
}

static void listxattr(fuse_req_t request, fuse_ino_t node, size_t size)
{
    if (enter(request, &node))
        ops_listxattr(request, node, size);
}

static void open_directory(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info)
{
    if (enter(request, &node))
        dir_open(request, node, info);
}

static void read_directory(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset,
                           struct fuse_file_info *info)
{
    if (enter(request, &node))
        dir_read(request, node, size, offset, info);
}

static void read_directory_plus(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset,
                                struct fuse_file_info *info)
{
    if (enter(request, &node))
        dir_read_plus(request, node, size, offset, info);
}

static void open_file(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info)
{
    if (enter(request, &node))
        file_open(request, node, info);
}

static void read_file(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset,
                      struct fuse_file_info *info)
{
    if (enter(request, &node))
        file_read(request, node, size, offset, info);
}

static void poll_file(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info,
                      struct fuse_pollhandle *sleeper)
{
    if (enter(request, &node))
        file_poll(request, node, info, sleeper);
}

static void setattr(fuse_req_t request, fuse_ino_t node, struct stat *attr, int which,
                    struct fuse_file_info *info)
{
    if (enter(request, &node))
        edited_setattr(request, node, attr, which, info);
}

static void make_node(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode,
                      dev_t device)
{
    if (enter(request, &parent))
        edited_mknod(request, parent, name, mode, device);
}

static void make_directory(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode)
{
    if (enter(request, &parent))
        edited_mkdir(request, parent, name, mode);
}

static void unlink_name(fuse_req_t request, fuse_ino_t parent, const char *name)
{
    if (enter(request, &parent))
        edited_unlink(request, parent, name);
}

static void remove_directory(fuse_req_t request, fuse_ino_t parent, const char *name)
{
    if (enter(request, &parent))
        edited_rmdir(request, parent, name);
}

static void release_file(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info)
{
    leave(&node);
    file_release(request, node, info);
}

static void statfs(fuse_req_t request, fuse_ino_t node)
{
    (void)node;
    struct statvfs st = {.f_bsize = 4096, .f_frsize = 4096, .f_namemax = KEY_NAME_MAX};
    fuse_reply_statfs(request, &st);
}

/* Nothing is changed through the tree, whoever asks and however it is mounted; what only looks like
 * it is fs/edited.h. */

static void refuse_symlink(fuse_req_t request, const char *target, fuse_ino_t parent,
                           const char *name)
{
    (void)target, (void)parent, (void)name;
    fuse_reply_err(request, EROFS);
}

static void refuse_name(fuse_req_t request, fuse_ino_t parent, const char *name)
{
    (void)parent, (void)name;
    fuse_reply_err(request, EROFS);
}

static void refuse_rename(fuse_req_t request, fuse_ino_t parent, const char *name,
                          fuse_ino_t new_parent, const char *new_name, unsigned flags)
{
    (void)parent, (void)name, (void)new_parent, (void)new_name, (void)flags;
    fuse_reply_err(request, EROFS);
}

static void refuse_link(fuse_req_t request, fuse_ino_t node, fuse_ino_t parent, const char *name)
{
    (void)node, (void)parent, (void)name;
    fuse_reply_err(request, EROFS);
}

static void refuse_create(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode,
                          struct fuse_file_info *info)
{
    (void)parent, (void)name, (void)mode, (void)info;
    fuse_reply_err(request, EROFS);
}

static void refuse_write(fuse_req_t request, fuse_ino_t node, const char *data, size_t size,
                         off_t offset, struct fuse_file_info *info)
{
    (void)node, (void)data, (void)size, (void)offset, (void)info;
    fuse_reply_err(request, EROFS);
}

static void refuse_setxattr(fuse_req_t request, fuse_ino_t node, const char *name,
                            const char *value, size_t size, int flags)
{
    (void)node, (void)name, (void)value, (void)size, (void)flags;
    fuse_reply_err(request, EROFS);
}

static void refuse_fallocate(fuse_req_t request, fuse_ino_t node, int mode, off_t offset,
                             off_t length, struct fuse_file_info *info)
{
    (void)node, (void)mode, (void)offset, (void)length, (void)info;
    fuse_reply_err(request, EROFS);
}

static void refuse_copy(fuse_req_t request, fuse_ino_t from, off_t from_offset,
                        struct fuse_file_info *from_info, fuse_ino_t to, off_t to_offset,
                        struct fuse_file_info *to_info, size_t size, int flags)
{
    (void)from, (void)from_offset, (void)from_info, (void)to, (void)to_offset, (void)to_info;
    (void)size, (void)flags;
    fuse_reply_err(request, EROFS);
}

/* What is not here is ENOSYS by libfuse, after which the kernel stops asking: FLUSH, FSYNC, ACCESS,
 * LSEEK, STATX; IOCTL is ENOTTY. */
const struct fuse_lowlevel_ops gate_table = {
    .lookup = lookup,
    .getattr = getattr,
    .readlink = readlink,
    .statfs = statfs,
    .getxattr = getxattr,
    .listxattr = listxattr,

    .opendir = open_directory,
    .readdir = read_directory,
    .readdirplus = read_directory_plus,
    .releasedir = dir_release,

    .open = open_file,
    .read = read_file,
    .poll = poll_file,
    .release = release_file,

    .setattr = setattr,
    .mknod = make_node,
    .mkdir = make_directory,
    .unlink = unlink_name,
    .rmdir = remove_directory,

    .symlink = refuse_symlink,
    .removexattr = refuse_name,
    .rename = refuse_rename,
    .link = refuse_link,
    .create = refuse_create,
    .write = refuse_write,
    .setxattr = refuse_setxattr,
    .fallocate = refuse_fallocate,
    .copy_file_range = refuse_copy,
};
