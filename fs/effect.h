/*
 * What a range of revisions changes in the tree of a view, as effects for its kernel and its
 * watchers (fs/message.h). The one place that knows it: notify asks for ranges and sends what it
 * gets. What readers see otherwise stands in the store, in each commit's outcomes: what an
 * operation in one place means in others (links, templates, bases, `all`) was worked out there.
 *
 * There are three kinds of ranges, for the three things that happen to a view after a commit:
 *   - changes: what its kernel is to forget, in the log's order
 *   - names: what goes and what comes, in the order of a step (fs/step.h)
 *   - events: files to be touched for their watchers, in the order in which they changed last
 *
 * A view that has a part of the tree is told of that part, by its own ids and paths. Its own
 * directories neither go nor come (fs/scope.h): what is in them does, name by name.
 */
#ifndef EMSA_FS_EFFECT_H
#define EMSA_FS_EFFECT_H

#include <stdbool.h>
#include <stddef.h>

#include "fs/called.h"
#include "fs/message.h"
#include "fs/outline.h"
#include "store/history.h"

struct cursor { /* the next outcome to look at */
    uint64_t rev;
    uint32_t index;
};

struct effects { /* a run of effects, as it goes into a message */
    unsigned char data[MESSAGE_MAX - sizeof(struct message)];
    size_t size;
    uint64_t waited; /* the directory waited for last, which need not be said again */
    /* so the directory whose list changed, by what came or went there */
    uint64_t listed[OUTCOME_ENVIRONMENT + 1];
    struct called called;      /* kept from run to run */
    struct scope *scope;       /* whose effects they are; NULL: of who has all of it */
    struct outlines *outlines; /* borrowed; may be NULL where scope is */
};

/* What a kernel is to forget for one outcome, appended whole or not at all: false when there is no
 * room. */
bool effects_of(struct effects *out, const struct outcome *outcome);

/*
 * Fills out with changes from *cursor on, no further than revision upto, and moves *cursor behind
 * what is in it. Done when cursor->rev > upto. 0, or a failure of the store; what was gathered
 * until then stands. What changes again further on, up to upto, is left to that. Costs a look-up an
 * outcome; one more where that is of an older revision than upto.
 */
int effects_gather(struct snapshot *snapshot, struct effects *out, struct cursor *cursor,
                   uint64_t upto);

/* The same with events: of each file that is there and has another value, once. Costs its name's
 * look-up more. */
int effects_gather_events(struct snapshot *snapshot, struct effects *out, struct cursor *cursor,
                          uint64_t upto);

/* A name that goes or comes in a step. */
struct name_change {
    uint64_t node, parent;
    struct cursor at; /* the outcome that says so */
    bool made;
};

struct name_changes {
    struct name_change *items; /* owned; in the order of their positions */
    size_t count, capacity;
    uint64_t from, upto; /* of the step; 0, 0: of none */
    struct scope *scope; /* as above */
    struct outlines *outlines;
};

/* All of the step from revision from to revision upto. ERR_NOMEM, or a failure of the store: then
 * there are none. */
int name_changes_gather(struct snapshot *snapshot, struct name_changes *out, uint64_t from,
                        uint64_t upto);

/* The same in two parts, without a store: an outcome of the range is added, in the log's order;
 * then what was added is brought to what it comes to. */
int name_changes_add(struct name_changes *changes, const struct outcome *outcome);
void name_changes_settle(struct name_changes *changes);

/* Only puts them into the order of their positions: each name is there once, and counts. */
void name_changes_order(struct name_changes *changes);

/* Fills out with those behind position *reached, moving that along. 0, or a failure. */
int name_changes_effects(struct snapshot *snapshot, struct effects *out,
                         const struct name_changes *changes, uint64_t *reached);

/* The position of the last; 0: there are none. */
uint64_t name_changes_last(const struct name_changes *changes);

void name_changes_release(struct name_changes *changes);

/* The next effect of a run: false at its end, or where it is malformed. *at starts at 0. name is
 * not ended by NUL. */
bool effects_next(const unsigned char *data, size_t size, size_t *at, struct effect *out,
                  const char **name);

/* Appends one to a run, its ids and its path as the view has them; false when there is no room.
 * name may be NULL. For effect.c and names.c. */
bool effects_append(struct effects *out, const struct effect *effect, const char *name);

#endif
