/*
 * A commit: the header that binds its operations, and the chain of headers. The layout is in
 * store/FORMAT.md, "Commit". A commit's hash is the hash of its whole header; the header names the
 * hash of the one before, so the newest hash stands for everything that ever happened.
 */
#ifndef EMSA_STORE_LOG_COMMIT_H
#define EMSA_STORE_LOG_COMMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/bytes.h"
#include "store/change.h"
#include "store/db/txn.h"
#include "store/log/operation.h"
#include "store/log/state.h"

/* The operations of one (environment, service) in a commit, summed up: what a host that receives
 * only its own services can check. */
struct scope_sum {
    uint32_t environment;
    uint32_t service;
    uint32_t count;
    uint8_t hash[HASH_SIZE];
};

struct header { /* a decoded header; what is borrowed lives as long as the body */
    uint8_t store_id[STORE_ID_SIZE];
    uint64_t rev;
    uint8_t parent[HASH_SIZE];
    int64_t time;
    uint32_t operations;
    uint8_t request_id[REQUEST_ID_SIZE];
    const char *author; /* borrowed, not ended */
    size_t author_size;
    const char *reason; /* borrowed, not ended */
    size_t reason_size;
    uint32_t scope_count;
    const unsigned char *scopes; /* borrowed; header_scope reads them */
    bool is_signed;
    struct signature signature; /* where it is */
};

/* ERR_FORMAT, ERR_CORRUPT; *out untouched then. */
int header_decode(struct header *out, struct slice body);
void header_hash(uint8_t out[static HASH_SIZE], struct slice body);
/* The index-th sum; they stand in the order of (environment, service). */
struct scope_sum header_scope(const struct header *header, uint32_t index);
/* Whether a scope is among them; service COMMIT_ANY_SERVICE: any of that environment. */
#define COMMIT_ANY_SERVICE UINT32_MAX
bool header_touches(const struct header *header, uint32_t environment, uint32_t service);

/* The leaves of one commit, gathered in the order of its operations and summed up by scope: used by
 * who writes a commit and by who checks one. */
struct leaf {
    uint32_t environment;
    uint32_t service;
    uint32_t op;
    uint8_t hash[HASH_SIZE];
};
struct leaves {
    struct leaf *items; /* owned */
    size_t count;
    size_t capacity;
};
void leaves_release(struct leaves *leaves);
int leaves_add(struct leaves *leaves, const struct leaf *leaf);
/* Sorts them and calls sum for each scope in order until it returns nonzero, which is returned.
 * ERR_NOMEM. */
int leaves_sum(struct leaves *leaves, int (*sum)(void *arg, const struct scope_sum *), void *arg);

/* A commit in the making, inside a write transaction. */
struct draft {
    struct txn *txn; /* borrowed */
    uint8_t store_id[STORE_ID_SIZE];
    struct head
        head; /* of this commit: rev and time are set by draft_begin, the hash by draft_finish */
    uint8_t parent[HASH_SIZE];
    struct leaves leaves;
    /* The request that this is and its signature, borrowed; NULL: it is not signed. Set between
     * draft_begin and draft_finish. */
    const struct signature *signature;
    struct slice request;
    struct bytes record; /* scratch */
};

/* The clock's: nanoseconds since 1970. */
int64_t time_now(void);

/* Takes the next revision and the time now, or one after the newest commit's, never before,
 * whatever the clock says. */
int draft_begin(struct draft *draft, struct txn *txn, int64_t now);
/* Appends the next operation, and its DB_VALUE body (value.data NULL: none). */
int draft_add(struct draft *draft, const struct operation *operation, struct slice value);
/* Writes the header, the new head and the request id; draft->head is complete then. The transaction
 * is still to be committed. ERR_INVALID: a reason or author over its limit. */
int draft_finish(struct draft *draft, const struct author *author, const char *reason,
                 const uint8_t request_id[static REQUEST_ID_SIZE]);
/* Frees what it gathered, in any case. */
void draft_release(struct draft *draft);

#endif
