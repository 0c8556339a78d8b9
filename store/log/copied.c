#include "store/log/copied.h"

#include "store/db/keys.h"
#include "store/log/state.h"

static int moment(struct txn *txn, struct spot *out, const struct operation *copy, uint64_t as_of)
{
    const int found = state_moment(txn, out, copy->from.environment, copy->from.name_id, as_of);
    return !found && (!spot_is_own(out) || out->since != copy->from.rev) ? TXN_NOT_FOUND : found;
}

int copied_stood(struct txn *txn, const struct operation *copy, uint64_t as_of)
{
    struct spot spot;
    return moment(txn, &spot, copy, as_of);
}

/* In the commit of the copy itself, the last set before it. */
static int find_before(struct txn *txn, uint32_t *source, const struct operation *copy,
                       uint64_t rev, uint32_t op)
{
    while (op-- > 0) {
        struct operation set;
        struct slice body;
        struct key key;
        int found = txn_get(txn, &body, DB_LOG, key_operation(&key, rev, op));
        if (!found)
            found = operation_decode(&set, body);
        if (found)
            return found;
        if (operation_is_set(set.kind) && set.environment == copy->from.environment &&
            set.name_id == copy->from.name_id) {
            *source = op;
            return 0;
        }
    }
    return TXN_NOT_FOUND;
}

int copied_source(struct txn *txn, uint32_t *source, const struct operation *copy, uint64_t rev,
                  uint32_t op)
{
    struct spot spot;
    const int found = moment(txn, &spot, copy, copy->from.rev);
    if (copy->from.rev == rev && (found == TXN_NOT_FOUND || (!found && spot.op >= op)))
        return find_before(txn, source, copy, rev, op); /* it did not stay */
    if (!found)
        *source = spot.op;
    return found;
}
