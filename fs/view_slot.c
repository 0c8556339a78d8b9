#include "fs/view_slot.h"

#include <stddef.h>
#include <time.h>

static uint32_t high(const struct state *state)
{
    uint32_t high = atomic_load(&state->view_high);
    return high < VIEW_SLOTS ? high : VIEW_SLOTS;
}

void view_slots_begin(struct state *state)
{
    for (uint32_t i = 0; i < high(state); i++)
        state->views[i].held = 0;
}

struct view_slot *view_slot_find(struct state *state, uint32_t view)
{
    /* ids count up, so a view is nearly always where its id says */
    struct view_slot *home = &state->views[view % VIEW_SLOTS];
    if (atomic_load(&home->view) == view)
        return home;
    for (uint32_t i = 0; i < high(state); i++)
        if (atomic_load(&state->views[i].view) == view)
            return &state->views[i];
    return NULL;
}

static void raise_high(struct state *state, uint32_t index)
{
    uint32_t now = atomic_load(&state->view_high);
    while (now <= index && !atomic_compare_exchange_weak(&state->view_high, &now, index + 1))
        ;
}

static struct view_slot *find_free(struct state *state, uint32_t view)
{
    for (uint32_t i = 0; i < VIEW_SLOTS; i++) {
        uint32_t index = (view + i) % VIEW_SLOTS, none = 0;
        /* before it is taken: a slot above the mark would never be looked at again */
        if (atomic_load(&state->views[index].view) != 0)
            continue;
        raise_high(state, index);
        if (atomic_compare_exchange_strong(&state->views[index].view, &none, view))
            return &state->views[index];
    }
    return NULL;
}

struct view_slot *view_slot_take(struct state *state, uint32_t view)
{
    struct view_slot *slot = view_slot_find(state, view);
    if (!slot)
        slot = find_free(state, view);
    if (slot)
        slot->held = 1;
    return slot;
}

void view_slot_drop(struct view_slot *slot)
{
    if (!slot)
        return;
    slot->held = 0;
    atomic_store(&slot->taken, 0);
    atomic_store(&slot->told, 0);
    atomic_store(&slot->upto, 0);
    atomic_store(&slot->done, 0);
    atomic_store(&slot->heard, 0);
    atomic_store(&slot->move_from, 0);
    atomic_store(&slot->move_upto, 0);
    atomic_store(&slot->move_pin, 0);
    atomic_store(&slot->pin, 0);
    atomic_store(&slot->moves, 0);
    atomic_store(&slot->left, 0);
    atomic_store(&slot->moved_time, 0);
    atomic_store(&slot->pins, 0);
    slot->polls = 0;
    atomic_store(&slot->reader, 0);
    atomic_store(&slot->read_rev, 0);
    atomic_store(&slot->read_time, 0);
    atomic_store(&slot->view, 0); /* last: should we die before, it is swept by the next server */
}

void view_slot_read(struct view_slot *slot, uint32_t uid, uint32_t pid, uint64_t rev)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now); /* no system call */
    atomic_store_explicit(&slot->reader, (uint64_t)uid << 32 | pid, memory_order_relaxed);
    atomic_store_explicit(&slot->read_rev, rev, memory_order_relaxed);
    atomic_store_explicit(&slot->read_time, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec,
                          memory_order_relaxed);
}

void view_slots_sweep(struct state *state)
{
    for (uint32_t i = 0; i < high(state); i++)
        if (!state->views[i].held && atomic_load(&state->views[i].view) != 0)
            view_slot_drop(&state->views[i]);
}
