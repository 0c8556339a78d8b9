/*
 * What an open handle is pinned to.
 *
 * A read that begins at offset 0 sees one revision; what follows on the same handle continues that
 * revision, until offset 0 is read again (as sysfs does it), or the end a second time: who asks
 * again behind the end waits for more (`tail -F`). The kernel gives a handle's fh back as
 * it was at OPEN, so fh can only name where the pin is kept: a slot in the memory that outlives
 * servers. A slot has a tag {view, generation, used}; fh is {generation, index}, so a RELEASE that
 * is sent twice, or a handle of a slot that was given to another, is seen as such.
 *
 * No view takes more slots than are left for all others: whoever opens as many files as he can (a
 * container may have a million descriptors) has half of them, the next one half of what is left,
 * and nobody who opens a few goes without.
 *
 * When there is no slot, or none is wanted, fh holds the revision itself: such a handle stays at
 * what it was opened at.
 *
 * A server that dies between taking a slot and its answer leaves the slot taken; it is given back
 * with its view. One server uses the memory at a time; its threads need no lock.
 */
#ifndef EMSA_FS_PIN_H
#define EMSA_FS_PIN_H

#include <stdbool.h>
#include <stdint.h>

#include "fs/state.h"

/* A server begins: how many slots each view has is counted, since a server may die between taking a
 * slot and counting it. Behind view_slots_begin, before any other. */
void pins_begin(struct state *state);

/* A handle at rev. hint is the thread's own: where to look for a free slot next. */
uint64_t pin_take(struct state *state, uint32_t view, uint64_t rev, uint32_t *hint);

/* A handle that stays at rev. */
uint64_t pin_fixed(uint64_t rev);

struct pin {
    uint64_t rev; /* 0: an unknown handle (the memory is another's) */
    bool moves;   /* a read from the start moves it */
    bool ended;   /* the last read found the end: the next that does moves it too */
};
struct pin pin_get(struct state *state, uint64_t handle);

/* Moves it; does nothing to a handle that stays. */
void pin_set(struct state *state, uint64_t handle, uint64_t rev);

/* The last read found the end, or didn't. Does nothing if the handle is no more as pin_get said: it
 * was moved meanwhile, and what another read found is nothing to this end. */
void pin_end(struct state *state, uint64_t handle, struct pin pin, bool ended);

/* Gives the slot back. The second time it does nothing. */
void pin_drop(struct state *state, uint64_t handle, uint32_t *hint);

/* Gives back all slots of a view that has ended. Returns how many there were. */
uint32_t pin_drop_view(struct state *state, uint32_t view);

/* How many slots are taken, and by how many views. For people: looks at all of them. */
uint32_t pin_count(struct state *state, uint32_t *views);

#endif
