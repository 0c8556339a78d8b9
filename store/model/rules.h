/*
 * Every reason to refuse a change, in one list. The wishes are judged one after another against the
 * state of the write transaction, which each that passes is applied to; every reason is collected,
 * and the caller ends the transaction if there was one.
 */
#ifndef EMSA_STORE_MODEL_RULES_H
#define EMSA_STORE_MODEL_RULES_H

#include "store/error.h"
#include "store/log/index.h"
#include "store/log/state.h"
#include "store/log/state_relation.h"
#include "store/model/core.h"
#include "store/model/gather.h"
#include "store/model/nearest.h"
#include "store/model/plan.h"

struct rotation {
    uint32_t environment;
    uint32_t service; /* 0: and of all services in it */
};

struct judge {
    struct store *store; /* borrowed, as are the next four */
    struct index *index;
    struct gather *gather; /* where names that are told apart here are kept */
    struct plan *plan;
    const struct change_terms *terms;
    int64_t now; /* the clock's */
    /* What was refused: the first reason's code, and all their lines. */
    enum error_code code;
    struct bytes reasons;
    bool is_partial; /* something that was refused was not applied: what the rest comes to can't be
                        told */
    size_t equal;    /* values that are equal to a secret */
    size_t judged;   /* secrets of which something was told by what is judged */
    size_t seen;     /* outcomes that the change comes to */
    size_t copied;   /* bytes of values that it copies */
    bool overrode;   /* something passes that is refused without an override */
    /* The commit is in the log already, with its values, and is applied anew (replay.h): nothing is
     * refused, and what needed a key is as its operations say. */
    bool is_replay;
    bool is_due;  /* it removes what had ended: nothing is refused then either */
    bool is_bare; /* of such a one: no key is wrapped, for there is no room */
    /* What the schemas that it changes were before: rev 0: there was none. Owned. */
    struct state_schema *schemas;
    size_t schema_count;
    /* Shares without which it is refused, and which an override makes: owned, of the gather's. */
    struct wish **wanted;
    size_t wanted_count;
    /* Places that get new keys, when all else was judged. Owned. */
    struct rotation *rotations;
    size_t rotation_count;
    struct rotation *resealed; /* those of which what is set is encrypted anew, too; owned */
    size_t resealed_count;
    struct change_note *notes; /* owned */
    size_t note_count, note_capacity;
    unsigned searches; /* nearest names looked for so far */
    struct nearest near;
    /* The place of the last reason that is about a place and not about a key: told once, not for
     * each key. */
    const char *refused_environment;
    const char *refused_service;
    bool refused_is_absent; /* because it is not there: who makes it is not refused */
};

/* Judges everything, filling the plan. 0: all is well (the plan may be empty); otherwise a failure,
 * with every reason in the text where it is a refusal. Positive JUDGE_AGAIN: wishes were added to
 * the gather, and all of it is to be judged again, from the beginning of a transaction. */
#define JUDGE_AGAIN 1
int judge_change(struct judge *judge);

/* Notes a reason: 0. What is refused was not applied. */
int judge_refuse(struct judge *, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same of something that was applied all the same, so that more reasons may be found. */
int judge_object(struct judge *, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Something was told of a secret there: one of change_told's, which may be NULL. */
void judge_tell(struct change_places *places, const char *environment, const char *service,
                const char *key);

/* What is said of a change that is not refused; past a number of them, nothing. */
int judge_note(struct judge *, const struct change_note *note);

/* One key's removal, applied; expired is the moment that had come, 0: somebody asked for it. The
 * names are the key's, borrowed until the plan was sealed. For due.c, as is the next: an
 * environment with all that is in it, or, where that takes the plan over most operations, as much
 * of it. */
int judge_drop_entry(struct judge *judge, const struct service *service, const struct spot *spot,
                     const char *environment, const char *key, int64_t expired);
int judge_drop_environment(struct judge *judge, const struct environment *environment,
                           const char *name, int64_t expired, size_t most);

/* That a key of an environment be shared with a service, where the change is judged again for it.
 * NOT_THERE: it was wanted before, and is no remedy. */
struct hop;
int judge_want_share(struct judge *, const char *environment, const struct hop *target,
                     const char *consumer);

/* The key of a secret for a service that reaches it; is_rotated: whatever opens it by now, for its
 * next key. */
int judge_wrap(struct judge *, uint32_t environment, uint32_t service, const struct spot *secret,
               bool is_rotated);
/* The key of the secret that shows there, if one does, for those with whom the name is shared. */
int judge_wrap_shown(struct judge *, uint32_t environment, uint32_t service, const char *key);

void judge_release(struct judge *judge);

#endif
