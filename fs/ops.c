/* The small handlers, and what all share. Which there are is said in gate.c. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "fs/attr.h"
#include "fs/edited.h"
#include "fs/errno.h"
#include "fs/gate.h"
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
    if (!error)
        out->st_ino = gate_out(worker, place->id);
    return error || !node_is_text(place->kind) ? error : text_attr(worker, out, place);
}

/* A text, or a secret, that can't be made now (no key is at hand) shows no size, and may be there
 * the next time: when somebody has opened the identity. */
static double attr_keep(const struct place *place, const struct stat *st)
{
    const bool may_be_closed = node_is_text(place->kind) ||
                               (node_is_file(place->kind) && place->entry.kind == ENTRY_SECRET);
    return may_be_closed && st->st_size == 0 ? 0 : KEEP_SECONDS;
}

int ops_entry(struct worker *worker, struct fuse_entry_param *out, const struct place *place)
{
    const struct scope *scope = &worker->view->scope;
    memset(out, 0, sizeof(*out));
    out->entry_timeout = scope_stays(scope, place) ? KEEP_SECONDS : 0;
    int error = ops_attr(worker, &out->attr, place);
    out->ino = out->attr.st_ino;
    out->generation = scope->generation;
    out->attr_timeout = attr_keep(place, &out->attr);
    return error;
}

void ops_lookup(fuse_req_t request, fuse_ino_t parent, const char *name)
{
    struct worker *worker = loop_worker();
    const struct scope *scope = &worker->view->scope;
    struct fuse_entry_param entry;
    struct place place;
    struct step step;
    bool ahead = false;
    int found = snapshot_begin(worker->snapshot);
    if (found == 0) {
        ahead = edited_step(worker, &step);
        found = scope_lookup(scope, worker->snapshot, &place, parent, name);
        if (found == 0 && ahead)
            found = scope_shown(scope, worker->snapshot, &place, &step);
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
        entry.entry_timeout = ahead || !scope_stays_away(scope, parent, name) ? 0 : KEEP_SECONDS;
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
    int found = tree_find_removed(worker->snapshot, &place, node, scope_left(&worker->view->scope));
    if (found == 0)
        found = attr_fill(worker->snapshot, st, &worker->view->options, &place);
    if (found == 0) {
        st->st_ino = gate_out(worker, node);
        st->st_nlink = 0;
    }
    return found;
}

static int node_attr(struct worker *worker, struct stat *st, double *keep, fuse_ino_t node)
{
    struct place place;
    int found = scope_find(&worker->view->scope, worker->snapshot, &place, node);
    if (found == NOT_THERE)
        return removed_attr(worker, st, node);
    if (found == 0)
        found = ops_attr(worker, st, &place);
    if (found == 0)
        *keep = attr_keep(&place, st);
    return found;
}

void ops_getattr(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info)
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

void ops_readlink(fuse_req_t request, fuse_ino_t node)
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

void ops_getxattr(fuse_req_t request, fuse_ino_t node, const char *name, size_t size)
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
        const struct scope *scope = &worker->view->scope;
        found = scope_find(scope, worker->snapshot, &place, node);
        there = found == 0;
        if (there)
            found = xattr_get(worker->snapshot, value, &length, scope, &place, name);
        snapshot_end(worker->snapshot);
    }
    if (found == 0)
        reply_xattr(request, value, length, size);
    else if (there && found == NOT_THERE)
        fuse_reply_err(request, ENODATA);
    else
        ops_fail(worker, request, found);
}

void ops_listxattr(fuse_req_t request, fuse_ino_t node, size_t size)
{
    struct worker *worker = loop_worker();
    struct place place;
    const char *names = "";
    size_t length = 0;
    int found = snapshot_begin(worker->snapshot);
    if (found == 0) {
        const struct scope *scope = &worker->view->scope;
        found = scope_find(scope, worker->snapshot, &place, node);
        if (found == 0)
            length = xattr_list(scope, &place, &names);
        snapshot_end(worker->snapshot);
    }
    if (found == 0)
        reply_xattr(request, names, length, size);
    else
        ops_fail(worker, request, found);
}
