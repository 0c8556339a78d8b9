/*
 * Whether a store is what the reference says: everything that can be read of it after each commit,
 * and at the end everything that it was. Ids and times, which the reference can't foretell, are
 * learned when they are first seen and may not change then.
 */
#ifndef EMSA_TESTS_LIKENESS_H
#define EMSA_TESTS_LIKENESS_H

#include "tests/support/store/dice.h"
#include "tests/support/store/reference.h"
#include "tests/support/store/sample.h"

struct likeness_moment { /* what a key became in a revision */
    unsigned life, service, key;
    struct reference_key is;
};

struct likeness {
    struct store *store; /* borrowed */
    struct snapshot *snapshot;
    struct reference reference;
    int64_t *times;     /* of revisions */
    uint32_t *life_ids; /* environment ids */
    uint32_t service_ids[REFERENCE_SERVICES];
    uint64_t name_ids[REFERENCE_SERVICES][REFERENCE_KEYS];
    uint64_t newest_entry_id,
        greatest_entry_id; /* before, and with, the commit that is looked at */
    uint32_t newest_environment_id, greatest_environment_id; /* the same */
    struct likeness_moment *moments;
    size_t moment_count;
    struct reference_operation *operations; /* of all revisions, one after another */
    size_t operation_count, operations_max;
    size_t *first_operation; /* of a revision */
};

/* For at most that many revisions with that many operations in all. The store is a new one, at
 * revision 1. */
void likeness_init(struct likeness *likeness, size_t revisions, size_t operations);
void likeness_release(struct likeness *likeness);

/* The store was opened (again). */
void likeness_attach(struct likeness *likeness, struct store *store);
void likeness_detach(struct likeness *likeness);

/* The store has a new revision, and likeness->reference is what it should be now; the outcome says
 * how it came to be. Ends the test where anything differs. */
void likeness_compare(struct likeness *likeness, const struct reference_outcome *outcome);

/* The past: keys as of their revisions and as of random ones, every operation, what was touched
 * when. */
void likeness_compare_past(struct likeness *likeness, struct dice *dice);

#endif
