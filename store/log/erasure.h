/*
 * Values that were destroyed (store/FORMAT.md, "What is forgotten"). A purge names one; a
 * compaction names a revision, and takes the value of every set that was replaced by then, but what
 * a revision with a name shows. Which those are follows from the log alone, for who makes one and
 * for who verifies. What is left of them is in remains.h.
 */
#ifndef EMSA_STORE_LOG_ERASURE_H
#define EMSA_STORE_LOG_ERASURE_H

#include "store/log/operation.h"

struct erasure { /* one compaction */
    uint64_t rev;
    uint32_t op;
    uint32_t environment; /* 0: everywhere */
    uint32_t service;     /* 0: all of the environment */
    uint64_t until;
    uint64_t *kept; /* owned: the revisions that had names then, ascending */
    size_t kept_count, kept_capacity;
};

/* ERR_NOMEM. Any order, each as often as it is said. */
int erasure_keep(struct erasure *erasure, uint64_t rev);
/* The tags that the transaction sees, kept. */
int erasure_keep_tags(struct erasure *erasure, struct txn *txn);
/* After the last of them. */
void erasure_sort(struct erasure *erasure);
void erasure_release(struct erasure *erasure);

/* Whether values of this kind may be destroyed. A link is nothing but a name, which is needed to
 * tell what there was. */
bool erasure_may(enum operation_kind kind);

/* Whether it takes the value of an operation that stands there in the log: 1, 0 or a failure. What
 * took the place of a schema is looked for in the log, once for all who ask with the same *until
 * (0 to begin). */
int erasure_takes(const struct erasure *erasure, struct txn *txn, const struct operation *operation,
                  uint64_t rev, uint32_t op, uint64_t *until);

struct erased {
    uint64_t values;
    uint64_t bytes;             /* as they were stored */
    uint8_t remains[HASH_SIZE]; /* the sum of what is left (remains.h) */
};

/* Adds up what it takes and is there still; with erases it destroys that, in a write transaction.
 * Failures only. */
int erasure_walk(const struct erasure *erasure, struct txn *txn, bool erases, struct erased *out);

/* Destroys the value of one set, which is there, for the operation that stands there in the log.
 * ERR_NOMEM, ERR_CORRUPT, or the sticky error. */
int erase_value(struct txn *txn, uint64_t set_rev, uint32_t set_op, uint64_t rev, uint32_t op);

/* Takes what would be left of it into a sum, where it is a template's; failures only. */
int erasure_sum(struct txn *txn, uint8_t sum[static HASH_SIZE], uint64_t set_rev, uint32_t set_op);

/* What destroyed the value of a set: 1, with its place in the log; 0: it is there; TXN_NOT_FOUND
 * becomes ERR_CORRUPT. */
int erased_by(struct txn *txn, uint64_t *rev, uint32_t *op, uint64_t set_rev, uint32_t set_op);

#endif
