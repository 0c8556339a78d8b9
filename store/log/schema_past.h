/*
 * The schemas that a service had in one environment (a layer), as the log has them: what is derived
 * tells of the one that is there only. Walks through commits, of which it reads those that touch
 * the service.
 */
#ifndef EMSA_STORE_LOG_SCHEMA_PAST_H
#define EMSA_STORE_LOG_SCHEMA_PAST_H

#include "store/db/txn.h"

struct schema_past {
    uint32_t environment, service;
    uint64_t rev; /* the operation that set or removed it */
    uint32_t op;
    bool is_set;
};

/* The next one of the same service after (rev, op): 0, TXN_NOT_FOUND past the last, or a failure.
 */
int schema_past_next(struct txn *, struct schema_past *at);

/* The last one of the service at or before a revision, which may be a removal. TXN_NOT_FOUND. */
int schema_past_find(struct txn *, struct schema_past *out, uint64_t as_of);

#endif
