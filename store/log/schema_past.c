#include "store/log/schema_past.h"

#include "store/db/keys.h"
#include "store/error.h"
#include "store/log/commit.h"
#include "store/log/operation.h"

/* How many operations of the commit there are to look at: none where it does not touch the service.
 * TXN_NOT_FOUND: there is no such commit. */
static int operations_of(struct txn *txn, uint32_t *count, const struct schema_past *of,
                         uint64_t rev)
{
    struct header header;
    struct slice body;
    struct key key;
    int found = txn_get(txn, &body, DB_COMMIT, key_commit(&key, rev));
    if (!found)
        found = header_decode(&header, body);
    if (!found)
        *count = header_touches(&header, of->environment, of->service) ? header.operations : 0;
    return found;
}

/* From at->op on in the commit at->rev. TXN_NOT_FOUND. */
static int next_in(struct txn *txn, struct schema_past *at, uint32_t count)
{
    struct operation operation;
    struct slice body;
    struct key key;
    for (; at->op < count; at->op++) {
        int found = txn_get(txn, &body, DB_LOG, key_operation(&key, at->rev, at->op));
        if (!found)
            found = operation_decode(&operation, body);
        if (found)
            return found < 0 ? found
                             : error_set(ERR_CORRUPT, "operation %u of commit %llu is not there",
                                         at->op, (unsigned long long)at->rev);
        at->is_set = operation.kind == OPERATION_SCHEMA_SET;
        if (operation_is_of_schema(operation.kind) && operation.environment == at->environment &&
            operation.service == at->service)
            return 0;
    }
    return TXN_NOT_FOUND;
}

int schema_past_next(struct txn *txn, struct schema_past *at)
{
    struct schema_past next = *at;
    uint32_t count;
    int found;
    next.op++;
    while (!(found = operations_of(txn, &count, &next, next.rev))) {
        found = next_in(txn, &next, count);
        if (found <= 0)
            break;
        next.rev++;
        next.op = 0;
    }
    if (!found)
        *at = next;
    return found;
}

int schema_past_find(struct txn *txn, struct schema_past *out, uint64_t as_of)
{
    struct schema_past at = *out;
    uint32_t count;
    int found = TXN_NOT_FOUND;
    for (at.rev = as_of; at.rev && found == TXN_NOT_FOUND; at.rev--) {
        int here = operations_of(txn, &count, &at, at.rev);
        for (at.op = 0; !here; at.op++) {
            here = next_in(txn, &at, count);
            if (here)
                break;
            *out = at;
            found = 0;
        }
        if (here < 0)
            return here;
    }
    return found;
}
