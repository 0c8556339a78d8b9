/* Opening and closing; what comes between is in read.c. */
#include <errno.h>
#include <fcntl.h>

#include "fs/pin.h"
#include "fs/server.h"
#include "store/error.h"

/* A view with `cache` lets the kernel keep plain values of up to a page: one page can't be half of
 * one revision and half of another. */
#define CACHE_MAX 4096u

int file_refuse_masked(const struct worker *worker, const struct entry *entry)
{
    if (worker->view->options.masked && entry->kind == ENTRY_SECRET)
        return error_set(ERR_DENIED, "secrets are masked in this view");
    return 0;
}

static int look_up(struct worker *worker, const struct recent **out, uint64_t node)
{
    struct snapshot *snapshot = worker->snapshot;
    struct place place;
    size_t size;
    int found = tree_find(snapshot, &place, node);
    if (found)
        return found;
    if (place.kind != NODE_IS_KEY)
        return NOT_THERE;
    found = file_refuse_masked(worker, &place.entry);
    if (!found)
        found = snapshot_size(snapshot, &size, &place.entry); /* ERR_NO_KEY: better now than at
                                                                 the READ */
    if (!found)
        *out = recent_note(worker->recents, node, snapshot, &place.entry, size);
    return found;
}

/* A file that may be opened; good until the thread looks for another. */
static int find_file(struct worker *worker, const struct recent **out, uint64_t node)
{
    struct snapshot *snapshot = worker->snapshot;
    const struct recent *recent = recent_find(worker->recents, node, snapshot_newest(snapshot));
    if (recent) {
        *out = recent;
        return file_refuse_masked(worker, &recent->entry);
    }
    int found = snapshot_begin(snapshot);
    if (found)
        return found;
    found = look_up(worker, out, node);
    snapshot_end(snapshot);
    return found;
}

void file_open(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info)
{
    struct worker *worker = loop_worker();
    const struct recent *file;
    if ((info->flags & O_ACCMODE) != O_RDONLY || info->flags & O_TRUNC) {
        ops_errno(request, EROFS);
        return;
    }
    int found = find_file(worker, &file, node);
    if (found) {
        ops_fail(worker, request, found);
        return;
    }
    const struct view_options *view = &worker->view->options;
    bool keep = view->cache && file->entry.kind == ENTRY_PLAIN && file->size <= CACHE_MAX;
    info->keep_cache = keep;
    info->direct_io = !keep;
    info->fh = keep ? pin_fixed(file->rev)
                    : pin_take(worker->fs->state, view->id, file->rev, &worker->pin_hint);
    fuse_reply_open(request, info);
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
