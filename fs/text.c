#include "fs/text.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "fs/attr.h"
#include "fs/pin.h"
#include "store/error.h"
#include "store/history.h"
#include "store/limits.h"
#include "store/render.h"

/* Beside 0, NOT_THERE and failures. */
#define TOO_LARGE 2

/* Making so much lets others go ahead meanwhile. */
#define LONG_TEXT (64u * 1024u)

/* Milliseconds to wait for locked memory. */
#define TURNS 1000u

/* A text in the making. */
struct making {
    struct worker *worker;
    const struct node *node;
    struct render render;
    size_t enough; /* what is behind it is of no use */
    bool has_secret;
    uint32_t keys;
};

static struct text_note *note_of(struct worker *worker, uint64_t id)
{
    return &worker->notes[(id ^ id >> 50) % TEXT_NOTES];
}

static int add_entry(struct making *making, const struct entry *entry)
{
    struct worker *worker = making->worker;
    const unsigned char *data;
    size_t size;
    int error = file_refuse_masked(worker, entry);
    making->has_secret |= entry->kind == ENTRY_SECRET;
    if (error)
        return error;
    worker->counters.decryptions += entry->kind == ENTRY_SECRET;
    error = snapshot_value(worker->snapshot, &data, &size, entry, &worker->scratch);
    if (error)
        return error;
    if (making->node->kind == NODE_IS_JSON)
        render_member(&making->render, entry->key, data, size, making->keys == 0);
    else
        (void)render_env(&making->render, entry->key, data, size);
    if (making->render.error)
        return making->render.error;
    return ++making->keys > RENDER_KEYS_MAX || making->render.total > RENDER_TEXT_MAX ? TOO_LARGE
                                                                                      : 0;
}

static int make_values(struct making *making)
{
    const struct node *node = making->node;
    char after[KEY_NAME_MAX + 1] = "";
    struct entry entry;
    int found;
    do {
        found = history_next_entry(making->worker->snapshot, &entry, node->environment,
                                   node->service, after, node->rev);
        if (found)
            break;
        (void)snprintf(after, sizeof(after), "%s", entry.key);
        found = add_entry(making, &entry);
    } while (!found && making->render.total < making->enough);
    if (found == NOT_THERE && node->kind == NODE_IS_JSON)
        render_object_end(&making->render, making->keys == 0);
    return found == NOT_THERE ? making->render.error : found;
}

static int make(struct making *making)
{
    char number[32];
    struct worker *worker = making->worker;
    if (making->node->kind == NODE_IS_REV) {
        (void)snprintf(number, sizeof(number), "%" PRIu64 "\n", making->node->rev);
        render_text(&making->render, number);
        return making->render.error;
    }
    worker->kept.size = 0;
    worker->has_opened = true; /* so that scratch is wiped */
    return make_values(making);
}

/* Where locked memory is short others give theirs back soon: fs/read.c. */
static int make_patiently(struct making *making)
{
    const struct making from_here = *making;
    int found = make(making);
    for (unsigned turn = 0; found == -ERR_NOMEM && turn < TURNS; turn++) {
        file_forget(making->worker);
        secret_release(&making->worker->window);
        (void)poll(NULL, 0, 1);
        *making = from_here;
        found = make(making);
    }
    return found;
}

/* How long it is, by making it, unless this thread did so before. */
static int measure(struct worker *worker, const struct text_note **out, uint64_t id,
                   const struct node *node)
{
    struct text_note *note = note_of(worker, id);
    bool refuses = note->id == id && note->has_secret && worker->view->options.masked;
    *out = note;
    if (note->id == id && !refuses)
        return note->is_too_large ? TOO_LARGE : 0;
    struct making making = {.worker = worker, .node = node, .enough = SIZE_MAX};
    if (node->kind != NODE_IS_REV)
        loop_invite(worker);
    int found = make_patiently(&making);
    file_forget(worker);
    if (found && found != TOO_LARGE)
        return found;
    *note = (struct text_note){.id = id,
                               .size = making.render.total,
                               .has_secret = making.has_secret,
                               .is_too_large = found == TOO_LARGE};
    return found;
}

int text_attr(struct worker *worker, struct stat *st, const struct place *place)
{
    const struct text_note *note;
    int found = measure(worker, &note, place->id, &place->corner.node);
    if (found == TOO_LARGE || found == -ERR_NO_KEY || found == -ERR_DENIED || found == -ERR_PURGED)
        return 0;
    if (found == 0)
        attr_size(st, note->size);
    return found;
}

static void refuse(struct worker *worker, fuse_req_t request, const struct node *node, int found)
{
    if (found == -ERR_DENIED)
        audited_denied(worker, request, node);
    if (found == TOO_LARGE)
        ops_errno(request, EFBIG);
    else
        ops_fail(worker, request, found);
}

void text_open(fuse_req_t request, fuse_ino_t id, const struct node *node,
               struct fuse_file_info *info)
{
    struct worker *worker = loop_worker();
    const struct text_note *note;
    struct place place;
    int found = snapshot_begin(worker->snapshot);
    if (found == 0) {
        found = tree_find(worker->snapshot, &place, id);
        if (found == 0)
            found = measure(worker, &note, id, node);
        snapshot_end(worker->snapshot);
    }
    if (found) {
        refuse(worker, request, node, found);
        return;
    }
    info->direct_io = 1;
    info->fh = pin_fixed(node->rev);
    fuse_reply_open(request, info);
}

static int make_piece(struct worker *worker, struct making *making)
{
    int found = snapshot_begin(worker->snapshot);
    if (found)
        return found;
    if (making->enough > LONG_TEXT)
        loop_invite(worker);
    found = make_patiently(making);
    snapshot_end(worker->snapshot);
    return found;
}

void text_read(fuse_req_t request, fuse_ino_t id, const struct node *node, size_t size,
               size_t offset, const struct fuse_file_info *info)
{
    struct worker *worker = loop_worker();
    const struct text_note *note = note_of(worker, id);
    struct making making = {.worker = worker,
                            .node = node,
                            .render = render_window(&worker->window, offset, size),
                            .enough = offset + size};
    int found = 0;
    worker->counters.reads++;
    secret_clear(&worker->window);
    /* the end is asked for after every read, and there is nothing to be made for it */
    if (note->id != id || offset < note->size)
        found = make_piece(worker, &making);
    if (found) {
        refuse(worker, request, node, found);
    } else if (making.has_secret && worker->window.size > 0 &&
               !audited_text(worker, request, node)) {
        ops_errno(request, EIO);
    } else {
        if (making.has_secret && info->lock_owner == 0)
            file_mark(worker);
        file_note_reader(worker, request, node->rev);
        fuse_reply_buf(request, (const char *)worker->window.data, worker->window.size);
    }
    file_forget(worker);
}
