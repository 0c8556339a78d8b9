/*
 * A row of random changes, told to the naive model and to a store of its own at once. What differs
 * ends the child that plays it; the row is then made shorter as long as something still differs,
 * and what is left is printed.
 */
#ifndef EMSA_TESTS_STORY_H
#define EMSA_TESTS_STORY_H

#include <stddef.h>
#include <stdint.h>

#include "store/store.h"
#include "tests/support/store/naive.h"

struct story_count {
    unsigned changes, commits, refused, idle, expiries;
    unsigned reasons[REASON_COUNT]; /* that were told */
    unsigned pasts;
};

/* Plays random changes until they have that many operations. Prints what they came to; ends the
 * process with a minimal row where the store is of another mind than the model. */
void story_play(uint64_t seed, size_t operations, struct story_count *count);

/* Who goes along with a story, in the process that plays it. */
struct story_hook {
    void (*opened)(void *arg, struct store *store); /* also each time it is opened again */
    void (*closing)(void *arg);
    /* The store agreed with this state. times: of its revisions, by number. */
    void (*committed)(void *arg, const struct naive *state, const int64_t times[]);
    void *arg;
};

/* The same with somebody who goes along, and may find that something else differs (and ends the
 * process). No row is made shorter then: whether the store itself is right is story_play's. */
void story_play_hooked(uint64_t seed, size_t operations, struct story_count *count,
                       const struct story_hook *hook);

/* Makes a store in path (and its identity beside it) with that many random commits. */
void story_write(const char *path, uint64_t seed, size_t commits);

#endif
