/*
 * Reading files: one revision from the start of a read to its end.
 *
 * READs come in two kinds. One with a lock owner is a direct read of one handle: from offset 0 it
 * takes the current revision and pins the handle to it, further on it continues what is pinned,
 * until it finds the end a second time: who asks again there waits for what is added. One
 * without comes from the page cache (mmap, sendfile, splice, readahead, or a view with `cache`),
 * which belongs to the inode and not to a handle: it always takes the current revision, and of a
 * secret it leaves a page that must go.
 *
 * What was removed after it was opened goes on to show what it was last, as an unlinked file does
 * on any other file system.
 *
 * A small value is answered from what this thread remembers (recent.h), without a look into the
 * store; a secret is opened anew for each READ, and wiped when that is answered. What is put
 * together from others' values (a template's) is a secret where it touches one, and is put together
 * anew as long as it is: it has no sealed form that could be remembered.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "fs/pin.h"
#include "fs/server.h"
#include "fs/text.h"
#include "store/error.h"
#include "store/limits.h"

/* Larger answers let others go ahead meanwhile. */
#define LONG_VALUE (64u * 1024u)
#define LONG_TEXT 4096u

/* A thread keeps room for secrets of this size. */
#define SCRATCH_KEPT (64u * 1024u)

/* Milliseconds to wait for locked memory. */
#define TURNS 1000u

/* One READ. */
struct reading {
    uint64_t id; /* of the node */
    struct node node;
    struct pin pin;
    bool direct; /* through a handle, and not for the page cache */
    bool more;   /* it found the end, and not for the first time */
    size_t size;
    size_t offset;
    struct entry entry;        /* what it shows */
    size_t expected;           /* about as long; 0: not known */
    bool is_current;           /* that is the newest */
    uint64_t repin;            /* what the handle is to be pinned to; 0: it stays */
    const unsigned char *data; /* the answer: just written, or locked (fs/loop.c says why) */
    size_t got;
};

static bool is_secret(const struct entry *entry)
{
    return entry->kind == ENTRY_SECRET;
}

/* How much of a value of a size is asked for. */
static size_t part(const struct reading *reading, size_t size)
{
    if (reading->offset >= size)
        return 0;
    size_t left = size - reading->offset;
    return left < reading->size ? left : reading->size;
}

/* Whether it takes the newest revision, whatever the handle is pinned to. */
static bool takes_newest(const struct reading *reading)
{
    const struct pin *pin = &reading->pin;
    return !reading->direct || reading->more || pin->rev == 0 ||
           (reading->offset == 0 && pin->moves);
}

/* What is past is what it is, whatever the handle says. */
static int choose_past(struct worker *worker, struct reading *reading, const struct recent *recent)
{
    struct place place;
    reading->is_current = true;
    if (recent) {
        reading->entry = recent->entry;
        return 0;
    }
    int found = tree_find(worker->snapshot, &place, reading->id);
    if (found == 0)
        reading->entry = place.entry;
    return found;
}

/* The entry that this read is to show. One that takes the newest takes what was there last if it
 * was removed: what fstat shows the size of, as of an unlinked file elsewhere. In a view that is
 * held at a revision, and was moved to where it is not there, that is what the handle has. */
static int choose(struct worker *worker, struct reading *reading)
{
    struct snapshot *snapshot = worker->snapshot;
    const struct node *node = &reading->node;
    const struct recent *recent =
        recent_find(worker->recents, reading->id, snapshot_stamp(snapshot));
    uint64_t shown = scope_revision(&worker->view->scope, snapshot);
    int found = 0;
    reading->expected = recent ? recent->size : 0;
    if (node->kind == NODE_IS_PAST_KEY)
        return choose_past(worker, reading, recent);
    if (recent)
        reading->entry = recent->entry;
    else
        found = snapshot_entry_by_name(snapshot, &reading->entry, node->environment, node->name_id);
    bool newest = takes_newest(reading), there = found == 0;
    if (found == NOT_THERE && newest && !snapshot_as_of(snapshot)) {
        found = snapshot_entry_last(snapshot, &reading->entry, node->environment, node->name_id);
        shown = reading->entry.rev;
    }
    if (found < 0)
        return found;
    /* a view that was moved back shows what is older than what a handle continues */
    bool good = found == 0 &&
                (newest || (reading->entry.rev <= reading->pin.rev && reading->pin.rev <= shown));
    reading->repin = good && reading->direct && newest ? shown : 0;
    reading->is_current = good && there;
    if (good)
        return 0;
    return snapshot_entry_at(snapshot, &reading->entry, node->environment, node->name_id,
                             reading->pin.rev);
}

static bool same_definition(const struct definition *a, const struct definition *b)
{
    return a->environment == b->environment && a->name_id == b->name_id && a->rev == b->rev &&
           a->op == b->op;
}

/* Of one place and revision; that alone does it, as long as the store says rightly what changed. */
static bool same_version(const struct entry *a, const struct entry *b)
{
    return a->environment == b->environment && a->name_id == b->name_id && a->rev == b->rev &&
           a->kind == b->kind && same_definition(&a->defined, &b->defined) &&
           same_definition(&a->value, &b->value);
}

/* Room for a large value is given back: locked memory may be short, and where many threads have
 * been at work each would keep as much as its largest took. */
static void clear_scratch(struct worker *worker)
{
    if (worker->scratch.capacity > SCRATCH_KEPT)
        secret_release(&worker->scratch);
    else
        secret_clear(&worker->scratch);
    worker->has_opened = false;
}

/* A plain value stays: what was checked and copied is good for whoever reads the same version. */
void file_forget(struct worker *worker)
{
    if (worker->window.size)
        secret_clear(&worker->window);
    if (worker->window.capacity > SCRATCH_KEPT)
        secret_release(&worker->window);
    if (!worker->has_opened)
        return;
    worker->kept.size = 0;
    clear_scratch(worker);
}

/* What was read and is the newest will do for the next reader too, if it is small. */
static void remember(struct worker *worker, const struct reading *reading,
                     const unsigned char *bytes, size_t size)
{
    if (!reading->is_current || size > RECENT_BYTES)
        return;
    struct recent *recent =
        recent_find(worker->recents, reading->id, snapshot_stamp(worker->snapshot));
    if (!recent)
        recent = recent_note(worker->recents, reading->id, worker->snapshot, &reading->entry,
                             worker->kept.size);
    recent_hold(recent, bytes, size);
}

/* By its sealed form, which is remembered. */
static int fetch_sealed(struct worker *worker, const struct reading *reading)
{
    struct snapshot *snapshot = worker->snapshot;
    struct kept *kept = &worker->kept;
    const unsigned char *sealed;
    size_t sealed_size;
    int found = snapshot_sealed(snapshot, &sealed, &sealed_size, &reading->entry);
    if (found == 0)
        found = snapshot_reopen(snapshot, &reading->entry, sealed, sealed_size, &worker->scratch);
    if (found < 0)
        return found;
    kept->data = worker->scratch.data;
    kept->size = worker->scratch.size;
    if (found == NOT_THERE)
        found =
            snapshot_value(snapshot, &kept->data, &kept->size, &reading->entry, &worker->scratch);
    if (found == 0)
        remember(worker, reading, sealed, sealed_size);
    return found;
}

static int fetch_secret(struct worker *worker, const struct reading *reading)
{
    struct kept *kept = &worker->kept;
    worker->has_opened = true;
    worker->counters.decryptions++;
    if (!entry_is_composed(&reading->entry))
        return fetch_sealed(worker, reading);
    return snapshot_value(worker->snapshot, &kept->data, &kept->size, &reading->entry,
                          &worker->scratch);
}

static int fetch_plain(struct worker *worker, const struct reading *reading)
{
    struct kept *kept = &worker->kept;
    worker->has_opened = entry_is_composed(&reading->entry);
    int error = snapshot_value(worker->snapshot, &kept->data, &kept->size, &reading->entry,
                               &worker->scratch);
    if (!error && kept->size > VALUE_MAX)
        error = error_set(ERR_CORRUPT, "a value of %zu bytes", kept->size);
    if (error)
        return error;
    /* out of the map, or of locked memory: what is kept must outlive the snapshot */
    if (kept->size)
        memcpy(worker->copy, kept->data, kept->size);
    kept->data = worker->copy;
    if (worker->has_opened)
        clear_scratch(worker);
    remember(worker, reading, kept->data, kept->size);
    return 0;
}

static int fetch_once(struct worker *worker, const struct reading *reading)
{
    return is_secret(&reading->entry) ? fetch_secret(worker, reading)
                                      : fetch_plain(worker, reading);
}

/* Where locked memory is short (an unprivileged process may lock 8 MiB), a few threads with large
 * secrets have all of it, until their answers are out. A second at most, and then an error. */
static int fetch_patiently(struct worker *worker, const struct reading *reading)
{
    int found = fetch_once(worker, reading);
    for (unsigned turn = 0; found == -ERR_NOMEM && turn < TURNS; turn++) {
        file_forget(worker);
        (void)poll(NULL, 0, 1);
        found = fetch_once(worker, reading);
    }
    return found;
}

/* Whether others should go ahead meanwhile. What is put together is as long as it was found to be
 * when it was opened; a long text of its own refers to much. */
static bool takes_long(const struct reading *reading)
{
    const struct entry *entry = &reading->entry;
    if (!entry_is_composed(entry))
        return entry->stored_size >= LONG_VALUE;
    return reading->expected >= LONG_VALUE || entry->value.stored_size >= LONG_TEXT;
}

/* The whole value into worker->kept: out of the store, checked and opened. */
static int fetch(struct worker *worker, const struct reading *reading)
{
    file_forget(worker);
    worker->kept.size = 0;
    if (takes_long(reading))
        loop_invite(worker);
    int error = fetch_patiently(worker, reading);
    if (error) {
        file_forget(worker);
        worker->kept.size = 0;
    }
    worker->kept.entry = reading->entry;
    return error;
}

/* The part that was asked for. A value is kept for the next piece, so that reading it in small
 * pieces does not check and open all of it for each. */
static int read_part(struct worker *worker, struct reading *reading)
{
    struct kept *kept = &worker->kept;
    if (kept->size == 0 || !same_version(&kept->entry, &reading->entry)) {
        int error = fetch(worker, reading);
        if (error)
            return error;
    }
    reading->got = part(reading, kept->size);
    reading->data = worker->reply;
    if (reading->got && is_secret(&kept->entry))
        reading->data = kept->data + reading->offset;
    else if (reading->got)
        memcpy(worker->reply, kept->data + reading->offset, reading->got);
    return 0;
}

void file_mark(struct worker *worker)
{
    worker->sweep_turn = marks_add(&worker->fs->marks, worker->view->options.id, worker->wire);
    worker->sweep_node = worker->wire;
}

static int read_store(struct worker *worker, struct reading *reading)
{
    int found = snapshot_begin(worker->snapshot);
    if (found)
        return found;
    found = choose(worker, reading);
    if (found == 0)
        found = file_refuse_masked(worker, &reading->entry);
    if (found == 0)
        found = read_part(worker, reading);
    snapshot_end(worker->snapshot);
    return found;
}

/* A small secret that is asked for whole. */
static bool reopen(struct worker *worker, const struct recent *recent, struct reading *reading)
{
    if (reading->got != recent->size || worker->view->options.masked)
        return false;
    file_forget(worker);
    worker->has_opened = true;
    worker->counters.decryptions++;
    if (snapshot_reopen(worker->snapshot, &recent->entry, recent->bytes, recent->held,
                        &worker->scratch))
        return false;
    reading->data = worker->scratch.data;
    return true;
}

/* False: nothing is remembered that answers it. */
static bool read_recent(struct worker *worker, struct reading *reading)
{
    const struct recent *recent =
        recent_find(worker->recents, reading->id, snapshot_newest(worker->snapshot));
    bool newest = takes_newest(reading);
    if (!recent ||
        (!newest && (recent->entry.rev > reading->pin.rev || reading->pin.rev > recent->rev)))
        return false;
    reading->got = part(reading, recent->size);
    reading->data = worker->reply;
    if (reading->got && !recent->held)
        return false;
    if (reading->got && is_secret(&recent->entry) && !reopen(worker, recent, reading))
        return false;
    if (reading->got && !is_secret(&recent->entry))
        memcpy(worker->reply, recent->bytes + reading->offset, reading->got);
    if (is_secret(&recent->entry)) { /* what is audited of it */
        reading->entry.environment = recent->entry.environment;
        reading->entry.service = recent->entry.service;
        reading->entry.name_id = recent->entry.name_id;
        reading->entry.rev = recent->entry.rev;
    }
    reading->entry.kind = recent->entry.kind;
    reading->repin = reading->direct && newest ? recent->rev : 0;
    return true;
}

static int read_value(struct worker *worker, struct reading *reading)
{
    return read_recent(worker, reading) ? 0 : read_store(worker, reading);
}

/* Found nothing, at the end or behind it. From the start, it takes the newest anyway. */
static bool is_at_end(const struct reading *reading)
{
    return reading->got == 0 && reading->offset > 0 && reading->size > 0;
}

/* A loop over a value reads the end once, and must see the end of what it has read: what it pinned.
 * The next time somebody waits there for more (`tail -F`). A request that a server before had in
 * its hands may be the one that reached the end, so it is no second time. */
static int read_on(struct worker *worker, struct reading *reading)
{
    int found = read_value(worker, reading);
    if (found || !reading->direct || !reading->pin.ended || worker->again || !is_at_end(reading))
        return found;
    reading->more = true;
    return read_value(worker, reading);
}

static void move(struct worker *worker, uint64_t handle, struct reading *reading)
{
    struct state *state = worker->fs->state;
    bool ended = is_at_end(reading);
    if (reading->repin) {
        pin_set(state, handle, reading->repin);
        reading->pin = (struct pin){.rev = reading->repin, .moves = true};
    }
    if (reading->direct && reading->pin.moves && reading->pin.ended != ended)
        pin_end(state, handle, reading->pin, ended);
}

void file_note_reader(struct worker *worker, fuse_req_t request, uint64_t rev)
{
    const struct fuse_ctx *who = fuse_req_ctx(request);
    view_slot_read(worker->view->shared, who->uid, (uint32_t)who->pid, rev);
}

static void reply(struct worker *worker, fuse_req_t request, uint64_t handle,
                  struct reading *reading)
{
    move(worker, handle, reading);
    if (is_secret(&reading->entry) && reading->got > 0 &&
        !audited_read(worker, request, &reading->entry)) {
        ops_errno(request, EIO);
        return;
    }
    if (!reading->direct && is_secret(&reading->entry))
        file_mark(worker);
    file_note_reader(worker, request, reading->repin ? reading->repin : reading->pin.rev);
    fuse_reply_buf(request, (const char *)reading->data, reading->got);
}

void file_read(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset,
               struct fuse_file_info *info)
{
    struct worker *worker = loop_worker();
    struct reading reading = {.id = node,
                              .pin = pin_get(worker->fs->state, info->fh),
                              .direct = info->lock_owner != 0,
                              .size = size < VIEW_MAX_READ_LIMIT ? size : VIEW_MAX_READ_LIMIT,
                              .offset = (size_t)offset};
    bool known = node_parse(&reading.node, node) && offset >= 0;
    if (known && node_is_text(reading.node.kind)) {
        text_read(request, node, &reading.node, reading.size, reading.offset, info);
        return;
    }
    if (!known || !node_is_file(reading.node.kind)) {
        ops_errno(request, EINVAL);
        return;
    }
    worker->counters.reads++;
    int found = read_on(worker, &reading);
    if (found == 0)
        reply(worker, request, info->fh, &reading);
    else if (found == NOT_THERE)
        ops_errno(request, ENODATA); /* what it was pinned to is not kept any more */
    else
        ops_fail(worker, request, found);
    if (reading.offset + reading.got >= worker->kept.size)
        file_forget(worker);
}
