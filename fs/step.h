/*
 * Names in step with their events.
 *
 * A watcher hears of a new name only if the name comes into being by an operation of the kernel's
 * own: if anybody has looked it up before, the operation fails and the event is lost. So the store
 * may have a name already, and yet the tree has it for nobody until the notifier's MKNOD or MKDIR
 * was handled. It is the other way round with one that goes: the store has it no more, and the
 * notifier alone still finds it until its UNLINK or RMDIR.
 *
 * The names of a view go forward in steps, from revision told to revision upto. A name that was
 * there at told and is not at upto, or the other way round, has a position in the step; names are
 * in step up to position done. Whether it changed between does not matter: a step is coalesced.
 * What goes comes before what is made, so that a name which another takes over is free.
 *
 * A view that is held at a revision goes from that one to another by a move, whose step is from
 * what it showed to what it shows now, which may be older; while it is held the store is not ahead
 * of it.
 *
 * The three numbers stand in the memory that outlives servers (struct view_slot), so a new server
 * says the same as the one before. One thread begins and ends steps; any handler reaches positions.
 */
#ifndef EMSA_FS_STEP_H
#define EMSA_FS_STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "fs/state.h"

struct step { /* one look at the three numbers */
    uint64_t told, upto, done;
    bool is_move;  /* of a view from one revision to another, be it older (fs/move.h) */
    uint64_t name; /* what the notifier calls it: upto, or one of its own for each move */
};

struct step step_of(const struct view_slot *slot);

/* The step of the move that is under way. False: there is none whose names are not all in step. */
bool step_of_move(const struct view_slot *slot, struct step *out);

/* What the notifier calls the step of a move. Never a revision. */
uint64_t step_move_name(uint64_t moves);

/* Where the change of a node's name stands in any step. Never 0, and never UINT64_MAX. */
uint64_t step_position(uint64_t node, bool made);

/* Whether a position is one of something made. */
bool step_makes(uint64_t position);

/* Whether the tree has a name: was it there at told, is it there at upto (which is what it was
 * where no step is under way)? What it shows then is what the store has now, if it has it now. */
bool step_shows(const struct step *step, uint64_t node, bool was, bool is);

/* Begins one: no position is reached yet. */
void step_begin(struct view_slot *slot, uint64_t upto);

/* Positions up to here are in step. Never goes back within a step. */
void step_reach(struct view_slot *slot, uint64_t position);

/* All of it is in step. */
void step_end(struct view_slot *slot);

#endif
