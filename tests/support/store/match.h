/*
 * Whether a store is what the naive model says: everything in effect after each commit, what the
 * commit said of itself, and, of any past revision, what was in effect then. Ids and times, which
 * the model can't foretell, are learned when they are first seen and may not change then.
 */
#ifndef EMSA_TESTS_MATCH_H
#define EMSA_TESTS_MATCH_H

#include "store/history.h"
#include "store/store.h"
#include "tests/support/store/dice.h"
#include "tests/support/store/naive.h"

struct match_memory { /* what a spot was, from a revision on */
    uint64_t rev;
    struct naive_seen seen;
};

struct match_life { /* of an environment */
    unsigned environment;
    uint32_t id; /* 0: not yet learned */
    struct match_spot {
        size_t count, capacity;
        struct match_memory *memory;
    } spots[NAIVE_SERVICES][NAIVE_KEYS];
};

struct match {
    struct store *store; /* borrowed */
    struct snapshot *snapshot;
    struct match_life *lives; /* by number */
    unsigned life_count;
    uint32_t service_ids[NAIVE_SERVICES];
    uint64_t name_ids[NAIVE_SERVICES][NAIVE_KEYS];
    int64_t *times; /* of revisions */
    size_t time_count;
    uint64_t rev; /* the newest that is known */
};

void match_init(struct match *match, struct store *store);
void match_release(struct match *match);
void match_attach(struct match *match, struct store *store);
void match_detach(struct match *match);

/* The store has just come to this state, and these are the outcomes of its newest commit. Ends the
 * test where anything differs. */
void match_commit(struct match *match, const struct naive *state,
                  const struct naive_result *result);

/* The schema that a service has in an environment, and that which is in force. */
void match_schemas(struct match *match, const struct naive *state, unsigned e, unsigned s,
                   uint32_t environment, uint32_t service);

/* All grants there are (match_schema.c). */
void match_grants(struct match *match, const struct naive *state);

/* The notes of a change, against those of the model. */
void match_notes(const struct change_result *is, const struct naive_result *should);
/* What a note is about. */
enum naive_reason_kind match_note_kind(const char *text);

/* A random spot of a random environment as of a random revision. */
void match_past(struct match *match, struct dice *dice);

/* The lines of a refusal (error_text) against the reasons of the model: each line is one that is
 * true, and those that must be told are told. Adds up what was told. */
void match_reasons(const char *text, const struct naive_result *result,
                   unsigned counts[static REASON_COUNT]);

#endif
