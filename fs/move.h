/*
 * Moving a view that is held at a revision (a pin) to another one, or to the newest.
 *
 * A view that is held shows its environment or service as of a revision, by the ids that things
 * have now: so a file is the same to the kernel at all revisions at which it is there, and watches,
 * open files and mounts of a single file stay over a move. What a thread reads is decided once a
 * request (worker_stand, fs/server.h): everything else asks a snapshot that stands at that
 * revision, and does not know of it. The pin stands in the memory that outlives servers (struct
 * view_slot).
 *
 * What differs between two revisions is found by comparing what stood at them, not by reading what
 * happened in between: a year of commits costs nothing, and what went and came back is no
 * difference. It takes a look-up or two for each name that the place ever had. It is told as a
 * change is: what the kernel is to forget, then names in a step (fs/step.h), then events. Values
 * are those of the new revision from one request to the next; a name comes and goes with its event.
 *
 * A service's directory that goes, in a view of an environment, is not removed in the kernel, which
 * would take it for dead for ever: and a move back brings the same one again. Its name is
 * forgotten, its keys are unlinked one by one; and when it comes it is made, and its keys in it one
 * by one.
 *
 * While a view is held, commits say nothing to it: it counts as told. A move begins when all that
 * was told before is done, and one follows the other.
 */
#ifndef EMSA_FS_MOVE_H
#define EMSA_FS_MOVE_H

#include "fs/effect.h"

struct move {
    uint64_t from, upto;   /* from what was shown to what is */
    struct outcome *items; /* owned: what differs, as if a commit had done it; and with the mark '='
                              what does not, but is to be forgotten too */
    uint32_t count, capacity;
    struct name_changes names;
    uint32_t
        changes_at;     /* what is sent next: 0 is the view's own directory, then items from 1 on */
    uint64_t reached;   /* positions of names that were sent */
    uint32_t events_at; /* what is sent next */
};

/*
 * What differs in a scope between two revisions. was_newest: the view was not held before, so that
 * the kernel may have values of commits that it was not told of, which are to be forgotten. 0,
 * ERR_NOMEM, or a failure of the store; *out is owned by the caller.
 */
int move_compare(struct move **out, struct snapshot *snapshot, struct scope *scope, uint64_t from,
                 uint64_t upto, bool was_newest);
void move_free(struct move *move);

/* Whether a view can be held at a revision: ERR_NOT_FOUND, there is none such; ERR_REFUSED, what it
 * shows was not there at it; or a failure of the store. */
int move_check(struct snapshot *snapshot, const struct scope *scope, uint64_t rev);

/* Fills out with changes from changes_at on, as far as there is room, and moves that along. 0 or a
 * failure of the store. */
int move_changes(struct move *move, struct snapshot *snapshot, struct effects *out);
bool move_has_changes(const struct move *move);

/* The same with events, from events_at on. There may be none in what is left. */
int move_events(struct move *move, struct snapshot *snapshot, struct effects *out);
bool move_has_events(const struct move *move);

#endif
