/*
 * Files: one revision from the start of a read to its end.
 *
 * READs come in two kinds. One with a lock owner is a direct read of one handle: from offset 0 it
 * takes the current revision and pins the handle to it, further on it continues what is pinned. One
 * without comes from the page cache (mmap, sendfile, splice, readahead, or a view with `cache`),
 * which belongs to the inode and not to a handle: it always takes the current revision, and of a
 * secret it leaves a page that must go.
 *
 * What was removed after it was opened goes on to show what the handle is pinned to, as an unlinked
 * file does on any other file system.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "fs/pin.h"
#include "fs/server.h"
#include "store/error.h"

/* Larger answers let others go ahead meanwhile. */
#define LONG_VALUE (64u * 1024u)

/* A view with `cache` lets the kernel keep plain values of up to a page: one page can't be half of
 * one revision and half of another. */
#define CACHE_MAX 4096u

static bool is_secret(const struct entry *entry)
{
    return entry->kind == ENTRY_SECRET;
}

static int open_check(struct worker *worker, const struct entry *entry, size_t *size)
{
    if (worker->view->options.masked && is_secret(entry))
        return error_set(ERR_DENIED, "secrets are masked in this view");
    return snapshot_size(worker->snapshot, size,
                         entry); /* ERR_NO_KEY: better now than at the READ */
}

void file_open(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info)
{
    struct worker *worker = loop_worker();
    struct place place;
    size_t size = 0;
    uint64_t rev = 0;
    if ((info->flags & O_ACCMODE) != O_RDONLY || info->flags & O_TRUNC) {
        ops_errno(request, EROFS);
        return;
    }
    int found = snapshot_begin(worker->snapshot);
    if (found == 0) {
        found = tree_find(worker->snapshot, &place, node);
        if (found == 0)
            found = place.kind == NODE_IS_KEY ? open_check(worker, &place.entry, &size) : NOT_THERE;
        rev = snapshot_revision(worker->snapshot);
        snapshot_end(worker->snapshot);
    }
    if (found) {
        ops_fail(worker, request, found);
        return;
    }
    const struct view_options *view = &worker->view->options;
    bool keep = view->cache && place.entry.kind == ENTRY_PLAIN && size <= CACHE_MAX;
    info->keep_cache = keep;
    info->direct_io = !keep;
    info->fh =
        keep ? pin_fixed(rev) : pin_take(worker->fs->state, view->id, rev, &worker->pin_hint);
    fuse_reply_open(request, info);
}

/* The entry that this read is to show, and to what the handle is to be pinned (0: it stays). */
static int choose(struct worker *worker, struct entry *out, uint64_t *repin,
                  const struct node *node, const struct pin *pin, bool direct, off_t offset)
{
    struct snapshot *snapshot = worker->snapshot;
    int found = snapshot_entry_by_name(snapshot, out, node->environment, node->name_id);
    if (found < 0)
        return found;
    bool current = !direct || pin->rev == 0 || (offset == 0 && pin->moves);
    *repin = found == 0 && direct && current ? snapshot_revision(snapshot) : 0;
    if (found == 0 && (current || out->rev <= pin->rev))
        return 0;
    return snapshot_entry_at(snapshot, out, node->environment, node->name_id, pin->rev);
}

static bool same_version(const struct entry *a, const struct entry *b)
{
    return a->environment == b->environment && a->name_id == b->name_id && a->rev == b->rev &&
           a->op == b->op && a->kind == b->kind;
}

void file_forget(struct worker *worker)
{
    worker->kept.size = 0;
    secret_clear(&worker->scratch);
}

/* The whole value into worker->kept: out of the store, checked and opened. */
static int fetch(struct worker *worker, const struct entry *entry)
{
    struct kept *kept = &worker->kept;
    file_forget(worker);
    if (entry->stored_size >= LONG_VALUE)
        loop_invite(worker);
    if (is_secret(entry))
        worker->counters.decryptions++;
    int error = snapshot_value(worker->snapshot, &kept->data, &kept->size, entry, &worker->scratch);
    if (error) {
        file_forget(worker);
        return error;
    }
    kept->entry = *entry;
    if (!is_secret(entry)) {
        /* out of the map: what is handed to the kernel must be sure to be present (fs/loop.c), and
         * what is kept must outlive the snapshot */
        if (kept->size)
            memcpy(worker->copy, kept->data, kept->size);
        kept->data = worker->copy;
    }
    return 0;
}

/* The part that was asked for. A value that is not at its end yet is kept for the next piece, so
 * that reading it in small pieces does not check and open all of it for each. */
static int read_part(struct worker *worker, const unsigned char **data, size_t *size,
                     const struct entry *entry, size_t want, off_t offset)
{
    struct kept *kept = &worker->kept;
    size_t at = (size_t)offset;
    if (kept->size == 0 || !same_version(&kept->entry, entry)) {
        int error = fetch(worker, entry);
        if (error)
            return error;
    }
    *size = at >= kept->size ? 0 : kept->size - at < want ? kept->size - at : want;
    *data = *size ? kept->data + at : worker->reply;
    return 0;
}

/* A page of a secret is about to reach a page cache. */
static void mark(struct worker *worker, uint64_t node)
{
    worker->sweep_turn = marks_add(&worker->fs->marks, worker->view->options.id, node);
    worker->sweep_node = node;
}

static int read_entry(struct worker *worker, const unsigned char **data, size_t *size,
                      const struct entry *entry, size_t want, off_t offset)
{
    if (is_secret(entry) && worker->view->options.masked)
        return error_set(ERR_DENIED, "secrets are masked in this view");
    worker->counters.reads++;
    return read_part(worker, data, size, entry, want, offset);
}

void file_read(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset,
               struct fuse_file_info *info)
{
    struct worker *worker = loop_worker();
    struct state *state = worker->fs->state;
    const unsigned char *data = NULL;
    size_t got = 0;
    struct entry entry;
    struct node place;
    uint64_t repin = 0;
    bool direct = info->lock_owner != 0;
    struct pin pin = pin_get(state, info->fh);
    if (!node_parse(&place, node) || place.kind != NODE_IS_KEY || offset < 0) {
        ops_errno(request, EINVAL);
        return;
    }
    if (size > VIEW_MAX_READ_LIMIT)
        size = VIEW_MAX_READ_LIMIT;
    int found = snapshot_begin(worker->snapshot);
    if (found == 0) {
        found = choose(worker, &entry, &repin, &place, &pin, direct, offset);
        if (found == 0)
            found = read_entry(worker, &data, &got, &entry, size, offset);
        snapshot_end(worker->snapshot);
    }
    if (found == 0) {
        if (repin)
            pin_set(state, info->fh, repin);
        if (!direct && is_secret(&entry))
            mark(worker, node);
        fuse_reply_buf(request, (const char *)data, got);
    } else if (found == NOT_THERE) {
        ops_errno(request, ENODATA); /* what it was pinned to is not kept any more */
    } else {
        ops_fail(worker, request, found);
    }
    if ((size_t)offset + got >= worker->kept.size)
        file_forget(worker);
}

void file_release(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info)
{
    struct worker *worker = loop_worker();
    pin_drop(worker->fs->state, info->fh, &worker->pin_hint);
    uint32_t turn = marks_turn(&worker->fs->marks, worker->view->options.id, node);
    if (turn) {
        worker->sweep_node = node;
        worker->sweep_turn = turn;
    }
    ops_errno(request, 0);
}
