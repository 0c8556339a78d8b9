#include "fs/poll.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs/kernel.h"
#include "fs/node.h"
#include "fs/pin.h"
#include "fs/view_slot.h"
#include "store/error.h"

/* Slots by view. A thousand views with a few polls each make chains of a few. */
#define BUCKETS 1024u

#define NONE UINT16_MAX
_Static_assert(POLL_SLOTS < NONE, "a slot's number fits");

struct polls {
    struct state *state;
    struct views *views;
    struct snapshot *snapshot; /* of the thread that judges */
    uint16_t *judged;          /* POLL_SLOTS; of that thread */

    /* Over the slots and all below; held for some loads and stores only. */
    pthread_mutex_t lock;
    _Atomic uint32_t used; /* slots taken; read without the lock */
    uint16_t *by_pin;      /* PIN_SLOTS: which slot the handle with that pin has, plus 1; 0: none */
    uint16_t free;         /* the first free slot below poll_high, chained by next */
    uint16_t next[POLL_SLOTS];
    uint16_t before[POLL_SLOTS];
    uint16_t heads[BUCKETS];
};

static uint32_t pin_index(uint64_t handle)
{
    return (uint32_t)(handle % PIN_SLOTS);
}

/* All with the lock from here */

/* How many slots a view has, and one more or less. 0 of a view that is gone. */
static uint32_t held_by(struct polls *polls, uint32_t view, int32_t more)
{
    struct view_slot *slot = view_slot_find(polls->state, view);
    return slot ? slot->polls += (uint32_t)more : 0;
}

static void link_slot(struct polls *polls, uint16_t index, uint32_t view)
{
    uint16_t *head = &polls->heads[view % BUCKETS];
    polls->before[index] = NONE;
    polls->next[index] = *head;
    if (*head != NONE)
        polls->before[*head] = index;
    *head = index;
    polls->by_pin[pin_index(polls->state->polls[index].handle)] = (uint16_t)(index + 1);
    (void)held_by(polls, view, 1);
    atomic_fetch_add(&polls->used, 1);
}

static void unlink_slot(struct polls *polls, uint16_t index)
{
    struct poll_slot *slot = &polls->state->polls[index];
    uint16_t next = polls->next[index], before = polls->before[index];
    if (before != NONE)
        polls->next[before] = next;
    else
        polls->heads[slot->view % BUCKETS] = next;
    if (next != NONE)
        polls->before[next] = before;
    polls->by_pin[pin_index(slot->handle)] = 0;
    (void)held_by(polls, slot->view, -1);
    slot->view = 0;
    polls->next[index] = polls->free;
    polls->free = index;
    atomic_fetch_sub(&polls->used, 1);
}

/* The slot of whoever has that pin, which may be an older handle than this one; or NONE. */
static uint16_t slot_at(const struct polls *polls, uint64_t handle)
{
    uint16_t found = polls->by_pin[pin_index(handle)];
    return found ? (uint16_t)(found - 1) : NONE;
}

/* No view has more than are left for all others (fs/pin.h says why). */
static uint16_t slot_take(struct polls *polls, uint32_t view)
{
    uint16_t index = polls->free;
    if (held_by(polls, view, 0) >= POLL_SLOTS - atomic_load(&polls->used))
        return NONE;
    if (index != NONE)
        polls->free = polls->next[index];
    else if (polls->state->poll_high < POLL_SLOTS)
        index = (uint16_t)polls->state->poll_high++;
    return index;
}

/* Life */

static void take_over(struct polls *polls)
{
    struct state *state = polls->state;
    for (uint32_t i = 0; i < VIEW_SLOTS && i < atomic_load(&state->view_high); i++)
        state->views[i].polls = 0;
    if (state->poll_high > POLL_SLOTS)
        state->poll_high = POLL_SLOTS;
    for (uint32_t i = 0; i < state->poll_high; i++) {
        const struct poll_slot *slot = &state->polls[i];
        if (slot->view != 0 && slot_at(polls, slot->handle) == NONE) {
            link_slot(polls, (uint16_t)i, slot->view);
            continue;
        }
        state->polls[i].view = 0;
        polls->next[i] = polls->free;
        polls->free = (uint16_t)i;
    }
}

int polls_new(struct polls **out, struct state *state, struct store *store, struct views *views)
{
    struct polls *polls = calloc(1, sizeof(*polls));
    if (!polls)
        return error_set(ERR_NOMEM, "no memory for who polls");
    polls->state = state;
    polls->views = views;
    pthread_mutex_init(&polls->lock, NULL);
    polls->judged = calloc(POLL_SLOTS, sizeof(*polls->judged));
    polls->by_pin = calloc(PIN_SLOTS, sizeof(*polls->by_pin));
    int error = 0;
    if (!polls->judged || !polls->by_pin)
        error = error_set(ERR_NOMEM, "no memory for who polls");
    if (!error)
        error = snapshot_new(&polls->snapshot, store);
    if (error) {
        polls_free(polls);
        return error;
    }
    polls->free = NONE;
    for (uint32_t i = 0; i < BUCKETS; i++)
        polls->heads[i] = NONE;
    take_over(polls);
    *out = polls;
    return 0;
}

void polls_free(struct polls *polls)
{
    if (!polls)
        return;
    snapshot_free(polls->snapshot);
    free(polls->judged);
    free(polls->by_pin);
    pthread_mutex_destroy(&polls->lock);
    free(polls);
}

/* Coming and going */

bool polls_add(struct polls *polls, uint32_t view, uint64_t handle, uint64_t node, uint64_t kernel,
               uint64_t shown)
{
    /* What was told by now is seen by whoever judges this poll after it; what comes is to wake it.
     */
    uint64_t told = shown ? shown : atomic_load(&polls->state->published);
    pthread_mutex_lock(&polls->lock);
    uint16_t index = slot_at(polls, handle);
    if (index != NONE && polls->state->polls[index].handle != handle) {
        unlink_slot(polls, index); /* its RELEASE was overtaken by a new handle with its pin */
        index = NONE;
    }
    bool known = index != NONE;
    if (!known && (index = slot_take(polls, view)) != NONE) {
        struct poll_slot *slot = &polls->state->polls[index];
        slot->handle = handle;
        slot->kernel = kernel;
        slot->node = node;
        slot->rev = told;
        slot->gone = 0;
        /* last: it is what makes the slot taken, should we die here */
        atomic_signal_fence(memory_order_seq_cst);
        slot->view = view;
        link_slot(polls, index, view);
    }
    pthread_mutex_unlock(&polls->lock);
    return index != NONE;
}

void polls_drop(struct polls *polls, uint32_t view, uint64_t handle)
{
    if (atomic_load(&polls->used) == 0)
        return;
    pthread_mutex_lock(&polls->lock);
    uint16_t index = slot_at(polls, handle);
    if (index != NONE) {
        const struct poll_slot *slot = &polls->state->polls[index];
        if (slot->handle == handle && slot->view == view)
            unlink_slot(polls, index);
    }
    pthread_mutex_unlock(&polls->lock);
}

void polls_drop_view(struct polls *polls, uint32_t view)
{
    pthread_mutex_lock(&polls->lock);
    for (uint16_t next, i = polls->heads[view % BUCKETS]; i != NONE; i = next) {
        next = polls->next[i];
        if (polls->state->polls[i].view == view)
            unlink_slot(polls, i);
    }
    pthread_mutex_unlock(&polls->lock);
}

/* Judging */

/* Whether an entry that is shown is another version than there was at a revision, which may be
 * newer than what is shown: 1, 0 or a failure. */
static int differs(struct snapshot *snapshot, const struct entry *entry, uint64_t rev)
{
    struct entry then;
    if (entry->rev > rev || rev <= snapshot_shown(snapshot))
        return entry->rev > rev;
    int found = snapshot_entry_at(snapshot, &then, entry->environment, entry->name_id, rev);
    return found < 0 ? found : found == NOT_THERE || then.rev != entry->rev;
}

int poll_changed(struct snapshot *snapshot, bool *changed, uint64_t node, uint64_t rev)
{
    struct entry entry;
    struct node place;
    if (!node_parse(&place, node) || place.kind != NODE_IS_KEY)
        return error_set(ERR_INVALID, "no key is polled");
    int found = snapshot_entry_by_name(snapshot, &entry, place.environment, place.name_id);
    if (found < 0)
        return found;
    found = found == NOT_THERE ? 1 : differs(snapshot, &entry, rev);
    if (found < 0)
        return found;
    *changed = found;
    return 0;
}

static void wake(int fuse_fd, uint64_t kernel)
{
    struct {
        struct fuse_out_header header;
        struct fuse_notify_poll_wakeup_out body;
    } packet = {.header = {.len = sizeof(packet), .error = FUSE_NOTIFY_POLL}, .body.kh = kernel};
    ssize_t n = write(fuse_fd, &packet, sizeof(packet));
    (void)n; /* ENODEV: the view is gone, and with it who slept */
}

/* What the handle's own reader has read already wakes nobody: the poll that follows would say so.
 */
static bool due(struct polls *polls, const struct poll_slot *slot, bool *gone)
{
    struct entry entry;
    struct node place;
    struct pin pin = pin_get(polls->state, slot->handle);
    if (pin.rev == 0 || !node_parse(&place, slot->node))
        return false;
    int found = snapshot_entry_by_name(polls->snapshot, &entry, place.environment, place.name_id);
    *gone = found == NOT_THERE;
    if (found == 0)
        return differs(polls->snapshot, &entry, slot->rev) != 0 &&
               differs(polls->snapshot, &entry, pin.rev) != 0;
    return found < 0 || !slot->gone; /* what can't be judged is for the reader to see */
}

/* blind: the store can't be asked just now, so everybody is to look for himself. */
static void slot_judge(struct polls *polls, const struct view *view, uint16_t index, uint64_t told,
                       bool blind)
{
    struct poll_slot *slot = &polls->state->polls[index], copy;
    pthread_mutex_lock(&polls->lock);
    copy = *slot;
    pthread_mutex_unlock(&polls->lock);
    const bool is_held = snapshot_as_of(polls->snapshot) != 0;
    bool gone = copy.gone;
    if (is_held)
        told = snapshot_as_of(polls->snapshot);
    if (copy.view != view->options.id)
        return;
    if (blind || due(polls, &copy, &gone))
        wake(view->fuse_fd, copy.kernel);
    pthread_mutex_lock(&polls->lock);
    if (!blind && slot->view == copy.view && slot->handle == copy.handle) {
        slot->gone = gone;
        if (slot->rev < told || is_held)
            slot->rev = told;
    }
    pthread_mutex_unlock(&polls->lock);
}

/* False: there is no such view. */
static bool slots_judge(struct polls *polls, uint32_t view, const uint16_t *slots, uint32_t count,
                        uint64_t told)
{
    uint32_t slot;
    struct view *held = views_find(polls->views, &slot, view);
    if (!held)
        return false;
    bool blind = snapshot_begin(polls->snapshot) != 0;
    snapshot_stand(polls->snapshot, held->shared ? atomic_load(&held->shared->pin) : 0);
    for (uint32_t i = 0; i < count; i++)
        slot_judge(polls, held, slots[i], told, blind);
    if (!blind)
        snapshot_end(polls->snapshot);
    views_put(polls->views, held);
    return true;
}

/* A view's slots into judged. */
static uint32_t gather(struct polls *polls, uint32_t view)
{
    uint32_t count = 0;
    pthread_mutex_lock(&polls->lock);
    for (uint16_t i = polls->heads[view % BUCKETS]; i != NONE; i = polls->next[i]) {
        if (polls->state->polls[i].view == view)
            polls->judged[count++] = i;
    }
    pthread_mutex_unlock(&polls->lock);
    return count;
}

void polls_judge(struct polls *polls, uint32_t view, uint64_t told)
{
    uint32_t count = atomic_load(&polls->used) ? gather(polls, view) : 0;
    if (count)
        (void)slots_judge(polls, view, polls->judged, count, told);
}

/* One at a time: the views of the slots may come and go meanwhile. */
void polls_judge_all(struct polls *polls)
{
    for (uint32_t i = 0; atomic_load(&polls->used) && i < POLL_SLOTS; i++) {
        uint16_t index = (uint16_t)i;
        pthread_mutex_lock(&polls->lock);
        uint32_t view = i < polls->state->poll_high ? polls->state->polls[i].view : 0;
        pthread_mutex_unlock(&polls->lock);
        if (view && !slots_judge(polls, view, &index, 1, 0))
            polls_drop_view(polls, view); /* it ended while there was no server */
    }
}
