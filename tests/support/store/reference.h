/*
 * What a store should be, kept in plain arrays: a few environments, services and keys whose names
 * are chosen to sort badly. reference_apply says what a change should come to, one wish after
 * another; nothing here is shared with the store.
 */
#ifndef EMSA_TESTS_REFERENCE_H
#define EMSA_TESTS_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/change.h"
#include "store/history.h"

#define REFERENCE_ENVIRONMENTS 5u
#define REFERENCE_SERVICES 6u
#define REFERENCE_KEYS 8u

/* In byte order. */
extern const char *const reference_environments[REFERENCE_ENVIRONMENTS];
extern const char *const reference_services[REFERENCE_SERVICES];
extern const char *const reference_keys[REFERENCE_KEYS];

struct reference_key {
    bool alive, secret;
    uint64_t number; /* of the value, see dice.h */
    uint64_t rev, first_rev;
    uint64_t since;    /* the last commit that set or removed it */
    uint64_t entry_id; /* learned when first seen; 0: not yet */
};

struct reference_service {
    bool alive, known; /* known: was placed here at some time */
    unsigned incarnation;
    uint64_t made_rev, changed_rev, listed_rev;
    struct reference_key keys[REFERENCE_KEYS];
};

struct reference_environment {
    bool alive;
    unsigned life; /* a number of each `env add` in the store, from 1; 0: never made */
    bool again;    /* there was one of this name before */
    uint64_t made_rev, changed_rev, listed_rev;
    struct reference_service services[REFERENCE_SERVICES];
};

struct reference {
    uint64_t rev;
    unsigned lives;
    struct reference_environment environments[REFERENCE_ENVIRONMENTS];
};

enum reference_verb {
    WISH_ENVIRONMENT_ADD,
    WISH_ENVIRONMENT_REMOVE,
    WISH_SERVICE_ADD,
    WISH_SERVICE_REMOVE,
    WISH_SET_PLAIN,
    WISH_SET_SECRET,
    WISH_REMOVE,
    WISH_CLEAR_SERVICE, /* change_remove_all */
    WISH_CLEAR_ENVIRONMENT,
};

struct reference_wish {
    enum reference_verb verb;
    unsigned environment, service, key; /* indices into the names */
    uint64_t number;
};

/* One operation that the log should have (key pairs and grants left out). */
struct reference_operation {
    enum operation_kind kind;
    bool first;
    bool is_undone; /* of a key that was there neither before the commit nor after it */
    unsigned life, environment, service, key; /* indices; as deep as the kind is */
};

struct reference_line { /* one line that the change should tell */
    struct path path;
    char mark;
    bool secret;
    uint64_t was_rev;
};

#define REFERENCE_OPERATIONS_MAX 256u
struct reference_outcome {
    int error; /* of the first wish that is refused, negative */
    size_t line_count, operation_count;
    struct reference_line lines[REFERENCE_OPERATIONS_MAX];
    struct reference_operation operations[REFERENCE_OPERATIONS_MAX];
};

/* Applies the wishes as revision reference->rev + 1. Only where the outcome has no error and
 * operations is the reference then to be taken for the new one (and rev raised, by the caller). */
void reference_apply(struct reference *reference, struct reference_outcome *outcome,
                     const struct reference_wish wishes[], size_t count);

/* The newest revision that changed anything under path, as --if-rev asks for it; 0: none did. */
uint64_t reference_changed(const struct reference *reference, unsigned depth,
                           const struct reference_wish *place);

/* The path of a wish, as deep as depth says. */
struct path reference_path(const struct reference_wish *wish, enum path_depth depth);
enum path_depth reference_depth(enum reference_verb verb);

#endif
