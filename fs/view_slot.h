/*
 * What is known of each view, in the memory that outlives servers: how many requests were taken
 * from it, which step its names are in, and who read last (struct view_slot in fs/state.h).
 *
 * A server takes the slot of each view that it adopts and so finds what the server before left;
 * what nobody took by the time that it starts to answer is of a view that ended in between. Slots
 * are dropped when nobody uses the view any more, never at the orderly end of a server.
 */
#ifndef EMSA_FS_VIEW_SLOT_H
#define EMSA_FS_VIEW_SLOT_H

#include "fs/state.h"

/* A server begins: it holds no slot yet. Call before any other. */
void view_slots_begin(struct state *state);

/* The slot of a view: the one it has, or a free one, all of it zero. Points into state. NULL: all
 * VIEW_SLOTS are taken. */
struct view_slot *view_slot_take(struct state *state, uint32_t view);

/* The slot that a view has, also for who only looks (the supervisor). NULL: none. */
struct view_slot *view_slot_find(struct state *state, uint32_t view);

/* The view has ended; nobody may use the slot any more. NULL is nothing. */
void view_slot_drop(struct view_slot *slot);

/* Somebody was answered a READ from a revision. By any thread. */
void view_slot_read(struct view_slot *slot, uint32_t uid, uint32_t pid, uint64_t rev);

/* Drops those that this server did not take. */
void view_slots_sweep(struct state *state);

#endif
