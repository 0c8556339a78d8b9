/*
 * What the derived state must be, worked out from the log in memory while it is verified. It holds
 * places, not keys: a few hundred bytes for each environment and each service in one, so that a
 * store with millions of keys is verified in bounded memory. What is said of keys is checked record
 * by record against the history (verify_operation.c).
 */
#ifndef EMSA_STORE_LOG_EXPECTED_H
#define EMSA_STORE_LOG_EXPECTED_H

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
    struct counters counters;
    uint64_t names_of_environments;                       /* that were ever used */
    uint64_t keys, requests, operations, values, moments; /* records there must be */
};

void expected_release(struct expected *expected);

/* Takes an operation. 0; positive 1: it does not fit what came before, and *why says how (static);
 * ERR_NOMEM. */
int expected_apply(struct expected *expected, const char **why, const struct operation *operation,
                   uint64_t rev, int64_t time);

/* NULL: there is none. */
const struct environment_state *expected_environment(const struct expected *expected, uint32_t id);
const struct place_state *expected_place(const struct expected *expected, uint32_t environment,
                                         uint32_t service);

#endif
