/*
 * How far each view has been told, and what it is sent next. Nothing that is to be told is kept
 * here: for each view there are cursors into the log (what was sent) and revisions (what was
 * confirmed).
 *
 * Three things happen to a view after a commit, each behind the one before:
 *   changes   its kernel forgets what changed             confirmed up to `valid`
 *   names     what goes and comes, in a step (fs/step.h)  confirmed up to `told`
 *   events    files are touched for their watchers        confirmed up to `heard`
 * They may be sent in one go: the notifier keeps the order within a view. Names of a view begin
 * only when the kernels of all others have forgotten what changed, and events when the names of all
 * others are in step too, so that who hears of what was set finds it everywhere; a view that does
 * not come back is not waited for. (A CREATE can't wait for others' names: theirs would wait for
 * it.)
 *
 * A view that has a part of the tree is sent what is of that part, by ids of its own: what is
 * gathered for one is for no other. Where a commit says nothing to it, it is moved on as if it had
 * confirmed: no message, and no look into the store but the one that is made for all
 * (fs/outline.h).
 *
 * told, heard and what is known of the step under way stand in the shared memory, so that the next
 * server goes on behind them; the rest is done again, which harms nobody.
 *
 * No locks in here: the caller's.
 */
#ifndef EMSA_FS_TARGET_H
#define EMSA_FS_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "fs/effect.h"
#include "fs/post.h"
#include "fs/seat.h"
#include "fs/view_slot.h"

struct move; /* fs/move.h */

struct target { /* one view */
    uint32_t view;
    struct scope *scope;    /* the part of the tree that it has; NULL: all of it */
    struct view_slot *slot; /* told, upto, done, heard */
    bool late;              /* did not come back in time; not waited for */
    unsigned suspicion;     /* it was late: how often it must still come back in time */
    uint64_t moved;         /* when something was last confirmed, or sent to it idle */

    struct cursor changes; /* what is sent next */
    uint64_t valid;
    uint32_t changes_in_flight;

    bool stepping; /* a step to revision upto is under way */
    uint64_t upto;
    uint64_t last;    /* its last position; UINT64_MAX: not known yet */
    uint64_t reached; /* sent up to here */
    uint32_t names_in_flight;

    bool touching; /* a round of events up to revision events_upto is under way */
    struct cursor events;
    uint64_t events_upto;
    uint32_t events_in_flight;

    struct move *move; /* owned; that is under way; NULL: none (fs/target_move.h) */
    int wanted;        /* so many wait to move it: it begins nothing new */
};

struct front {         /* how far all views are that are waited for */
    uint64_t all;      /* UINT64_MAX: nobody is waited for */
    uint64_t others;   /* all but the hindmost */
    uint32_t hindmost; /* its place in items */
};

struct targets {
    struct target *items; /* owned */
    uint32_t count, capacity;
    struct seats seats; /* which of them a view is */
    uint64_t goal;      /* what every view is to be told up to */
    bool blocked;       /* something waits for another view, which may come to be passed over */
    struct front valid; /* how far the kernels of all have forgotten what changed, */
    struct front shown; /* and how far their names are in step */
    uint64_t sequence;
    struct post *post;
    struct snapshot *snapshot;
    struct effects effects;
    struct name_changes names; /* of the step that was looked at last */
    uint32_t names_view;       /* of the view whose part of the tree it is; 0: all of it */
    struct outlines outlines;
};

/* Adds a view. scope is borrowed until it is removed (NULL: it has all of the tree). told: what it
 * knows if no server served it before. ERR_NOMEM. */
int targets_add(struct targets *targets, uint32_t view, struct scope *scope, struct view_slot *slot,
                uint64_t told);
void targets_remove(struct targets *targets, uint32_t view);
void targets_release(struct targets *targets);

/* What was sent and not confirmed is void: there is another notifier. */
void targets_restart(struct targets *targets);

/* Sends all that may be sent, as far as there is room. 0, or a failure of the store. */
int targets_pump(struct targets *targets);

/* A confirmation. targets_pump should follow, once for all that came. False: it is of nothing that
 * was sent. */
bool targets_confirmed(struct targets *targets, const struct message *message);

/* What all views know; UINT64_MAX: there are none. without_late leaves those out. */
uint64_t targets_told(const struct targets *targets, bool without_late);
uint64_t targets_heard(const struct targets *targets, bool without_late);

/* Views that did not know rev at moment now, though they had their time since moment since, are
 * late from now on. Returns the moment at which to look again; 0: nobody is waited for. Moments are
 * monotonic nanoseconds. */
uint64_t targets_judge(struct targets *targets, uint64_t rev, uint64_t since, uint64_t now);

uint64_t target_now(void);

/* For target_move.c. */
struct target *targets_find(struct targets *targets, uint32_t view);
/* Sends a message with what was gathered; false: there is no room. */
bool targets_send(struct targets *targets, struct target *target, struct message message);
/* What is gathered now is for this view. */
void targets_gather_for(struct targets *targets, const struct target *target);

#endif
