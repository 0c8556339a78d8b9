/*
 * Whether what a commit did follows from the request that its author signed (store/FORMAT.md,
 * "Request"): asked when it is committed, so that a server which does anything else cannot, and
 * again of every commit by who verifies.
 */
#ifndef EMSA_STORE_LOG_FOLLOW_H
#define EMSA_STORE_LOG_FOLLOW_H

#include "store/bytes.h"
#include "store/log/operation.h"
#include "store/name.h"

struct asked;  /* one thing that was asked for */
struct method; /* what requests of one name ask for */

struct follow {        /* a request, read */
    struct bytes text; /* owned, as is all below */
    uint8_t store_id[STORE_ID_SIZE];
    uint8_t request_id[REQUEST_ID_SIZE];
    const char *reason; /* in text, not ended */
    size_t reason_size;
    bool is_dry_run, is_override, is_allowed_equal;
    bool is_protected, is_signed; /* of environments that are made */
    struct slice base;            /* the same; of size 0: on nothing */
    uint64_t ttl;                 /* the same: seconds; 0: for ever */
    uint64_t rev;                 /* of what is destroyed: as of which it stood, or was replaced */
    struct path from;             /* what is copied */
    uint64_t to_rev;     /* the revision that is named, or gone back to; 0: not by number */
    struct slice to_tag; /* but by this tag */
    int64_t time;        /* of the commit; whoever begins sets it */
    const struct method *method;
    struct asked *asked;
    size_t count, capacity;
    size_t at;             /* what was asked for that the last operation came of */
    struct path *services; /* of which many keys were set */
    size_t service_count;
    /* What the commit made so far, and the names of the ids of the last operation. */
    uint32_t made_environment, schema_environment, schema_service;
    uint32_t named_environment, named_service;
    struct path names;
    struct path source;                   /* of a copy */
    char under[ENVIRONMENT_NAME_MAX + 1]; /* what an environment that is made stands on */
};

/* Reads a copy of the text. ERR_FORMAT: of a method or form that is not known; ERR_CORRUPT;
 * ERR_NOMEM; *out is zeros then, and may be released. */
int follow_begin(struct follow *out, struct slice text);
void follow_release(struct follow *follow);

/* What the commit and its request must have in common. 0; positive 1, with *why: they have not. */
int follow_commit(const struct follow *follow, const uint8_t store_id[static STORE_ID_SIZE],
                  const uint8_t request_id[static REQUEST_ID_SIZE], const char *reason,
                  size_t reason_size, const char **why);

/* The next operation of the commit, in their order; txn knows the names of its ids. 0; positive 1:
 * nobody asked for it; or a failure. */
int follow_operation(struct follow *follow, struct txn *txn, const struct operation *operation);

/* As of which revision what it copies stood, by a commit that made rev; 0: as of what to_tag named
 * then. */
uint64_t follow_copied_at(const struct follow *follow, uint64_t rev);

/* Whether it asks for what stands elsewhere, and signs none of it. */
bool follow_copies(const struct follow *follow);

/* After it: what was signed in place of the secret that this operation set; NULL: it set none, or a
 * copy. Valid as long as the follow. */
const uint8_t *follow_secret(const struct follow *follow, const struct operation *operation);

#endif
