/*
 * Telling a view that is held at a revision, or is being moved (fs/move.h): what fs/target.h does
 * with the views that follow the newest. Nothing of a move is kept here either: what it is from and
 * to stands in the shared memory, and what differs is found again. No locks in here: the caller's.
 */
#ifndef EMSA_FS_TARGET_MOVE_H
#define EMSA_FS_TARGET_MOVE_H

#include "fs/target.h"

/* Whether commits say nothing to a view. */
bool target_is_held(const struct target *target);

/* Of all that are: moves them on to what every view is to be told, and sends what a move has to
 * say. *room: whether the socket takes more. 0, or a failure of the store. */
int targets_pump_held(struct targets *targets, bool *room);

/* A confirmation of a view that is held. */
void target_move_confirmed(struct target *target, const struct message *message);

/* There is another notifier. */
void target_move_restart(struct target *target);

enum targets_move_answer {
    MOVE_BEGUN,
    MOVE_NEEDLESS, /* it is there */
    MOVE_NOT_YET,  /* something is under way; ask again when something was confirmed */
};

/* Begins to move a view to a revision (0: the newest). An answer, or a failure: ERR_NOT_FOUND (no
 * such view, no such revision), ERR_INVALID (it has all of the tree), ERR_REFUSED (what it shows
 * was not there then), ERR_NOMEM, or one of the store. */
int targets_move(struct targets *targets, uint32_t view, uint64_t pin);

/* While somebody waits to move it, a view is told nothing new: count up, and down again. */
void targets_want_move(struct targets *targets, uint32_t view, int change);

/* Whether a view's kernel has forgotten what it showed, and its names are in step; so has one that
 * is gone. */
bool targets_moved(struct targets *targets, uint32_t view);

#endif
