#include "fs/mark.h"

/* A probe chain ends at a slot that was never used or is free; removal therefore can't just free a
 * slot in the middle of a chain. With few marks at a time the simplest that is right will do: look
 * through all slots up to the highest ever taken. */

static struct mark_slot *find(struct marks *marks, uint32_t view, uint64_t node)
{
    for (uint32_t i = 0; marks->used && i < marks->state->mark_high; i++) {
        struct mark_slot *slot = &marks->state->marks[i];
        if (slot->node == node && slot->view == view)
            return slot;
    }
    return NULL;
}

static struct mark_slot *find_free(struct marks *marks)
{
    for (uint32_t i = 0; i < MARK_SLOTS; i++) {
        if (marks->state->marks[i].node != 0)
            continue;
        if (marks->state->mark_high <= i)
            marks->state->mark_high = i + 1;
        return &marks->state->marks[i];
    }
    return NULL;
}

static void clear(struct marks *marks, struct mark_slot *slot)
{
    slot->node = 0;
    slot->turn = 0;
    if (--marks->used == 0)
        marks->state->mark_high = 0;
}

void marks_init(struct marks *marks, struct state *state)
{
    *marks = (struct marks){.state = state};
    pthread_mutex_init(&marks->lock, NULL);
    if (state->mark_high > MARK_SLOTS)
        state->mark_high = MARK_SLOTS;
    for (uint32_t i = 0; i < state->mark_high; i++) {
        const struct mark_slot *slot = &state->marks[i];
        marks->used += slot->node != 0;
        if (slot->node != 0 && slot->turn > marks->turn)
            marks->turn = slot->turn;
    }
}

void marks_release(struct marks *marks)
{
    pthread_mutex_destroy(&marks->lock);
}

uint32_t marks_add(struct marks *marks, uint32_t view, uint64_t node)
{
    uint32_t turn = 0;
    pthread_mutex_lock(&marks->lock);
    struct mark_slot *slot = find(marks, view, node);
    if (!slot && (slot = find_free(marks))) {
        slot->view = view;
        slot->turn = 0;
        slot->node = node; /* last: it is what makes the slot taken, should we die here */
        marks->used++;
    }
    if (slot) {
        if (++marks->turn == 0)
            marks->turn = 1;
        turn = slot->turn = marks->turn;
    }
    pthread_mutex_unlock(&marks->lock);
    return turn;
}

uint32_t marks_turn(struct marks *marks, uint32_t view, uint64_t node)
{
    pthread_mutex_lock(&marks->lock);
    struct mark_slot *slot = find(marks, view, node);
    uint32_t turn = slot ? slot->turn : 0;
    pthread_mutex_unlock(&marks->lock);
    return turn;
}

void marks_swept(struct marks *marks, uint32_t view, uint64_t node, uint32_t turn)
{
    pthread_mutex_lock(&marks->lock);
    struct mark_slot *slot = find(marks, view, node);
    if (slot && slot->turn == turn)
        clear(marks, slot);
    pthread_mutex_unlock(&marks->lock);
}

void marks_drop_view(struct marks *marks, uint32_t view)
{
    pthread_mutex_lock(&marks->lock);
    uint32_t high = marks->state->mark_high;
    for (uint32_t i = 0; i < high; i++) {
        struct mark_slot *slot = &marks->state->marks[i];
        if (slot->node != 0 && slot->view == view)
            clear(marks, slot);
    }
    pthread_mutex_unlock(&marks->lock);
}

bool marks_next(struct marks *marks, uint32_t *at, struct mark_slot *out)
{
    bool found = false;
    pthread_mutex_lock(&marks->lock);
    while (!found && *at < marks->state->mark_high) {
        *out = marks->state->marks[(*at)++];
        found = out->node != 0;
    }
    pthread_mutex_unlock(&marks->lock);
    return found;
}
