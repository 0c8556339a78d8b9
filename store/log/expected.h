/*
 * What the derived state must be, worked out from the log in memory while it is verified. It holds
 * places, not keys: a few hundred bytes for each environment and each service in one, and what was
 * said of names by people (expected_relation.h), so that a store with millions of keys is verified
 * in bounded memory. What is said of keys is checked record by record against the history
 * (verify_spot.c).
 */
#ifndef EMSA_STORE_LOG_EXPECTED_H
#define EMSA_STORE_LOG_EXPECTED_H

#include "store/history.h"
#include "store/log/expected_key.h"
#include "store/log/expected_relation.h"
#include "store/log/operation.h"
#include "store/log/state.h"

struct expected_service {
    char name[SERVICE_NAME_MAX + 1];
};

struct expected {
    struct environment_state *environments; /* owned; by id, 0 is unused */
    size_t environment_capacity;
    struct expected_service *services; /* owned; by id, 0 is unused */
    size_t service_capacity;
    struct place_state *places; /* owned; an open hash table, is.id 0: free */
    size_t place_capacity, place_count;
    struct relations relations;
    struct expected_keys pairs;
    struct counters counters;
    uint64_t names_of_environments;        /* that were ever used */
    uint64_t requests, operations, values; /* records there must be */
};

void expected_release(struct expected *expected);

/* Takes an operation. 0; positive 1: it does not fit what came before, and *why says how (static);
 * ERR_NOMEM. */
int expected_apply(struct expected *expected, const char **why, const struct operation *operation,
                   uint32_t op, uint64_t rev, int64_t time);

/* Takes an outcome of the newest commit: what it is about changed in that. Positive 1: it is not of
 * what the operations came to, and *why says how (static). */
int expected_take_outcome(struct expected *expected, const char **why,
                          const struct outcome *outcome, int64_t time);

/* Whether others stand on an environment: it is the base of a living one, or `all`. */
bool expected_is_beneath(const struct expected *expected, uint32_t environment);

/* The id of the living environment of a name; 0: there is none. */
uint32_t expected_living(const struct expected *expected, const char *name);

/* Whether that environment is `all`. */
bool expected_is_all(const struct expected *expected, uint32_t environment);

/* NULL: there is none. */
const struct environment_state *expected_environment(const struct expected *expected, uint32_t id);
const struct place_state *expected_place(const struct expected *expected, uint32_t environment,
                                         uint32_t service);

#endif
