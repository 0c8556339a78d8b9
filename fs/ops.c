/* The table of handlers, and the small ones. What is not here is ENOSYS by libfuse, after which the
 * kernel stops asking: FLUSH, FSYNC, ACCESS, LSEEK, STATX; IOCTL is ENOTTY. */
#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#include "fs/attr.h"
#include "fs/edited.h"
#include "fs/errno.h"
#include "fs/hidden.h"
#include "fs/server.h"
#include "fs/text.h"
#include "fs/xattr.h"
#include "store/error.h"

void ops_errno(fuse_req_t request, int errno_value)
{
    fuse_reply_err(request, errno_value);
}

void ops_alarm(struct worker *worker, const char *text)
{
    struct fs *fs = worker->fs;
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    uint64_t second = (uint64_t)time.tv_sec + 1, last = atomic_load(&fs->last_alarm);
    if (fs->alarm && last != second &&
        atomic_compare_exchange_strong(&fs->last_alarm, &last, second))
        fs->alarm(fs->arg, text);
}

void ops_fail(struct worker *worker, fuse_req_t request, int found)
{
    if (found == NOT_THERE) {
        fuse_reply_err(request, ENOENT);
        return;
    }
    worker->counters.errors++;
    int errno_value = errno_from_error(found);
    if (errno_value == EIO || errno_value == ENOMEM)
        ops_alarm(worker, error_text());
    fuse_reply_err(request, errno_value);
}

static int ops_attr(struct worker *worker, struct stat *out, const struct place *place)
{
    int error = attr_fill(worker->snapshot, out, &worker->view->options, place);
    return error || !node_is_text(place->kind) ? error : text_attr(worker, out, place);
}

/* A text that can't be made now (no key is at hand) shows no size, and may be there the next time.
 */
static double attr_keep(const struct place *place, const struct stat *st)
{
    return node_is_text(place->kind) && st->st_size == 0 ? 0 : KEEP_SECONDS;
}

int ops_entry(struct worker *worker, struct fuse_entry_param *out, const struct place *place)
{
    memset(out, 0, sizeof(*out));
    out->ino = place->id;
    out->entry_timeout = place_stays(place) ? KEEP_SECONDS : 0;
    int error = ops_attr(worker, &out->attr, place);
    out->attr_timeout = attr_keep(place, &out->attr);
    return error;
}

/* Whether what is not in a directory will not be there until its name is made: not so in at/, where
 * revisions come by themselves. */
static bool is_kept(fuse_ino_t directory)
{
    struct node node;
    return node_parse(&node, directory) && node.kind != NODE_IS_AT;
}

static void lookup(fuse_req_t request, fuse_ino_t parent, const char *name)
{
    struct worker *worker = loop_worker();
    struct fuse_entry_param entry;
    struct place place;
    struct step step;
    bool ahead = false;
    int found = snapshot_begin(worker->snapshot);
    if (found == 0) {
        ahead = edited_step(worker, &step);
        found = tree_lookup(worker->snapshot, &place, parent, name);
        if (found == 0 && ahead)
            found = tree_shown(worker->snapshot, &place, &step);
        if (found == 0)
            found = ops_entry(worker, &entry, &place);
        else if (found == NOT_THERE && ahead &&
                 edited_lookup(worker, request, &entry, parent, &step))
            found = 0;
        snapshot_end(worker->snapshot);
    }
    if (found == NOT_THERE) {
        /* Kept too: when the name appears it is made in the kernel. Not while names are on their
         * way: the notifier could not remove one that the kernel takes for gone. */
        memset(&entry, 0, sizeof(entry));
        entry.entry_timeout = ahead || !is_kept(parent) ? 0 : KEEP_SECONDS;
        found = 0;
    }
    if (found == 0)
        fuse_reply_entry(request, &entry);
    else
        ops_fail(worker, request, found);
}

/* A file that was removed while somebody holds it is what it was, with no link left, as on any
 * other file system: a program that opened it may ask for its size before it reads. */
static int removed_attr(struct worker *worker, struct stat *st, fuse_ino_t node)
{
    struct place place;
    int found = tree_find_removed(worker->snapshot, &place, node);
    if (found == 0)
        found = attr_fill(worker->snapshot, st, &worker->view->options, &place);
    if (found == 0)
        st->st_nlink = 0;
    return found;
}

static int node_attr(struct worker *worker, struct stat *st, double *keep, fuse_ino_t node)
{
    struct place place;
    int found = tree_find(worker->snapshot, &place, node);
    if (found == NOT_THERE)
        return removed_attr(worker, st, node);
    if (found == 0)
        found = ops_attr(worker, st, &place);
    if (found == 0)
        *keep = attr_keep(&place, st);
    return found;
}

static void getattr(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info)
{
    (void)info;
    struct worker *worker = loop_worker();
    struct stat st;
    double keep = KEEP_SECONDS;
    int found = snapshot_begin(worker->snapshot);
    if (found == 0) {
        found = node_attr(worker, &st, &keep, node);
        if (found == NOT_THERE && edited_getattr(worker, request, &st, node))
            found = 0;
        snapshot_end(worker->snapshot);
    }
    if (found == 0)
        fuse_reply_attr(request, &st, keep);
    else
        ops_fail(worker, request, found);
}

static void readlink(fuse_req_t request, fuse_ino_t node)
{
    char target[HIDDEN_LINK_MAX];
    struct node parsed;
    if (!node_parse(&parsed, node) || !node_is_link(parsed.kind)) {
        ops_errno(request, EINVAL);
        return;
    }
    (void)hidden_target(target, &parsed);
    fuse_reply_readlink(request, target);
}

static void statfs(fuse_req_t request, fuse_ino_t node)
{
    (void)node;
    struct statvfs st = {.f_bsize = 4096, .f_frsize = 4096, .f_namemax = KEY_NAME_MAX};
    fuse_reply_statfs(request, &st);
}

/* Either the length alone (size 0) or the value. */
static void reply_xattr(fuse_req_t request, const char *value, size_t length, size_t size)
{
    if (size == 0)
        fuse_reply_xattr(request, length);
    else if (length > size)
        fuse_reply_err(request, ERANGE);
    else
        fuse_reply_buf(request, value, length);
}

static void getxattr(fuse_req_t request, fuse_ino_t node, const char *name, size_t size)
{
    struct worker *worker = loop_worker();
    char value[XATTR_VALUE_MAX];
    struct place place;
    size_t length = 0;
    if (xattr_foreign(name)) {
        fuse_reply_err(request, EOPNOTSUPP);
        return;
    }
    bool there = false;
    int found = snapshot_begin(worker->snapshot);
    if (found == 0) {
        found = tree_find(worker->snapshot, &place, node);
        there = found == 0;
        if (there)
            found = xattr_get(worker->snapshot, value, &length, &place, name);
        snapshot_end(worker->snapshot);
    }
    if (found == 0)
        reply_xattr(request, value, length, size);
    else if (there && found == NOT_THERE)
        fuse_reply_err(request, ENODATA);
    else
        ops_fail(worker, request, found);
}

static void listxattr(fuse_req_t request, fuse_ino_t node, size_t size)
{
    struct worker *worker = loop_worker();
    struct place place;
    const char *names = "";
    size_t length = 0;
    int found = snapshot_begin(worker->snapshot);
    if (found == 0) {
        found = tree_find(worker->snapshot, &place, node);
        if (found == 0)
            length = xattr_list(&place, &names);
        snapshot_end(worker->snapshot);
    }
    if (found == 0)
        reply_xattr(request, names, length, size);
    else
        ops_fail(worker, request, found);
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

const struct fuse_lowlevel_ops ops_table = {
    .lookup = lookup,
    .getattr = getattr,
    .readlink = readlink,
    .statfs = statfs,
    .getxattr = getxattr,
    .listxattr = listxattr,

    .opendir = dir_open,
    .readdir = dir_read,
    .readdirplus = dir_read_plus,
    .releasedir = dir_release,

    .open = file_open,
    .read = file_read,
    .poll = file_poll,
    .release = file_release,

    .setattr = edited_setattr,
    .mknod = edited_mknod,
    .mkdir = edited_mkdir,
    .unlink = edited_unlink,
    .rmdir = edited_rmdir,

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
