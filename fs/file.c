/* Opening, polling and closing; reading is in read.c. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>

#include "fs/edited.h"
#include "fs/kernel.h"
#include "fs/pin.h"
#include "fs/server.h"
#include "fs/text.h"
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

/* The size of a plain value of the past is known where the value is destroyed. */
static int refuse_purged(struct snapshot *snapshot, const struct entry *entry)
{
    const unsigned char *data;
    size_t size;
    if (entry->kind != ENTRY_PLAIN || entry_is_composed(entry))
        return 0;
    return snapshot_text(snapshot, &data, &size, &entry->value, NULL);
}

static int look_up(struct worker *worker, const struct recent **out, uint64_t node)
{
    struct snapshot *snapshot = worker->snapshot;
    struct place place;
    size_t size;
    int found = tree_find(snapshot, &place, node);
    if (found)
        return found;
    if (!node_is_file(place.kind))
        return NOT_THERE;
    found = file_refuse_masked(worker, &place.entry);
    if (!found && place.entry.as_of != UINT64_MAX)
        found = refuse_purged(snapshot, &place.entry);
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

/* Whether the handle reads the kernel's pages. Not while the kernel may still have others: who
 * opens because poll said that there is something new must find it. */
static bool may_keep(const struct worker *worker, const struct entry *entry, size_t size)
{
    return worker->view->options.cache && entry->kind != ENTRY_SECRET && size <= CACHE_MAX &&
           entry->rev <= atomic_load(&worker->fs->state->published) &&
           atomic_load(&worker->view->shared->move_from) == 0;
}

static void open_live(struct worker *worker, struct fuse_file_info *info, const struct recent *file)
{
    bool keep = may_keep(worker, &file->entry, file->size);
    info->keep_cache = keep;
    info->direct_io = !keep;
    info->fh = pin_take(worker->fs->state, worker->view->options.id, file->rev, &worker->pin_hint);
}

/* What is past never changes, so the kernel may keep all of it that is plain. */
static void open_past(struct fuse_file_info *info, const struct recent *file,
                      const struct node *node)
{
    info->keep_cache = file->entry.kind != ENTRY_SECRET;
    info->direct_io = !info->keep_cache;
    info->fh = pin_fixed(node->rev);
}

void file_open(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info)
{
    struct worker *worker = loop_worker();
    const struct recent *file;
    struct node parsed;
    if ((info->flags & O_ACCMODE) != O_RDONLY || info->flags & O_TRUNC) {
        if (!edited_open(request, info))
            ops_errno(request, EROFS);
        return;
    }
    bool known = node_parse(&parsed, node);
    if (known && node_is_text(parsed.kind)) {
        text_open(request, node, &parsed, info);
        return;
    }
    int found = find_file(worker, &file, node);
    if (found == -ERR_DENIED && known)
        audited_denied(worker, request, &parsed);
    if (found) {
        ops_fail(worker, request, found);
        return;
    }
    if (known && parsed.kind == NODE_IS_PAST_KEY)
        open_past(info, file, &parsed);
    else
        open_live(worker, info, file);
    fuse_reply_open(request, info);
}

/* As any regular file is, whether or not it changed. */
#define ALWAYS (POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM)

/* Who does not ask for changes is not to take POLLERR for a failure: less asks for nothing else
 * before it reads on, and leaves the file when it gets it. */
static unsigned poll_answer(unsigned asked, bool changed)
{
    return ALWAYS | (changed && asked & POLLPRI ? POLLPRI | POLLERR : 0);
}

void file_poll(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info,
               struct fuse_pollhandle *sleeper)
{
    struct worker *worker = loop_worker();
    struct fs *fs = worker->fs;
    const struct fuse_poll_in *asked =
        (const void *)(worker->request->data + sizeof(struct fuse_in_header));
    uint32_t view = worker->view->options.id;
    bool changed = false;
    int found = 0;
    /* first registered, then judged: a commit in between finds it */
    bool moves = pin_get(fs->state, info->fh).moves;
    if (moves && sleeper)
        polls_add(fs->polls, view, info->fh, node, asked->kh, snapshot_as_of(worker->snapshot));
    worker_stand(worker); /* so does a move of the view */
    struct pin pin = pin_get(fs->state, info->fh);
    if (moves && pin.rev != 0) {
        found = snapshot_begin(worker->snapshot);
        if (found == 0) {
            found = poll_changed(worker->snapshot, &changed, node, pin.rev);
            snapshot_end(worker->snapshot);
        }
    } else if (moves) {
        polls_drop(fs->polls, view, info->fh); /* released meanwhile: nobody else would */
    }
    fuse_pollhandle_destroy(sleeper);
    if (found)
        ops_fail(worker, request, found);
    else
        fuse_reply_poll(request, poll_answer(asked->events, changed));
}

void file_release(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info)
{
    struct worker *worker = loop_worker();
    pin_drop(worker->fs->state, info->fh, &worker->pin_hint);
    /* after the pin, so that a poll that was under way finds that it came too late */
    polls_drop(worker->fs->polls, worker->view->options.id, info->fh);
    (void)node;
    uint32_t turn = marks_turn(&worker->fs->marks, worker->view->options.id, worker->wire);
    if (turn) {
        worker->sweep_node = worker->wire;
        worker->sweep_turn = turn;
    }
    /* only the notifier may open for writing */
    worker->was_told = (info->flags & O_ACCMODE) == O_WRONLY;
    ops_errno(request, 0);
}
