#include "store/log/erasure.h"

#include <stdlib.h>
#include <string.h>

#include "store/db/keys.h"
#include "store/error.h"
#include "store/limits.h"
#include "store/log/remains.h"
#include "store/log/schema_past.h"
#include "store/log/state.h"
#include "store/log/state_relation.h"

int erasure_keep(struct erasure *erasure, uint64_t rev)
{
    if (erasure->kept_count == erasure->kept_capacity) {
        const size_t capacity = erasure->kept_capacity ? erasure->kept_capacity * 2 : 16;
        uint64_t *kept = realloc(erasure->kept, capacity * sizeof *kept);
        if (!kept)
            return error_set(ERR_NOMEM, "no memory for %zu tags", capacity);
        erasure->kept = kept;
        erasure->kept_capacity = capacity;
    }
    erasure->kept[erasure->kept_count++] = rev;
    return 0;
}

int erasure_keep_tags(struct erasure *erasure, struct txn *txn)
{
    struct state_tag tag = {0};
    int found;
    while (!(found = state_next_tag(txn, &tag))) {
        const int error = erasure_keep(erasure, tag.rev);
        if (error)
            return error;
    }
    erasure_sort(erasure);
    return found < 0 ? found : 0;
}

static int by_revision(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

void erasure_sort(struct erasure *erasure)
{
    if (erasure->kept_count)
        qsort(erasure->kept, erasure->kept_count, sizeof *erasure->kept, by_revision);
}

void erasure_release(struct erasure *erasure)
{
    free(erasure->kept);
    *erasure = (struct erasure){0};
}

bool erasure_may(enum operation_kind kind)
{
    return kind == OPERATION_SET_PLAIN || kind == OPERATION_SET_SECRET ||
           kind == OPERATION_SET_TEMPLATE || kind == OPERATION_SCHEMA_SET ||
           kind == OPERATION_DEFAULT_SET;
}

/* The first revision with a name that is not before rev; 0: none is. */
static uint64_t next_kept(const struct erasure *erasure, uint64_t rev)
{
    size_t low = 0, high = erasure->kept_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (erasure->kept[middle] < rev)
            low = middle + 1;
        else
            high = middle;
    }
    return low < erasure->kept_count ? erasure->kept[low] : 0;
}

/* Whether that very set is what is defined at its place as of a revision. */
static int stands(struct txn *txn, const struct operation *operation, uint64_t rev, uint32_t op,
                  uint64_t as_of)
{
    struct spot spot;
    const int found =
        state_moment(txn, &spot, operation_layer(operation), operation->name_id, as_of);
    if (found)
        return found < 0 ? found : 0;
    return spot_is_own(&spot) && spot.since == rev && spot.op == op;
}

/* The revision in which another schema, or none, took its place. */
static int schema_until(struct txn *txn, uint64_t *until, const struct operation *operation,
                        uint64_t rev, uint32_t op)
{
    struct schema_past at = {
        .environment = operation->environment, .service = operation->service, .rev = rev, .op = op};
    const int found = schema_past_next(txn, &at);
    *until = found ? UINT64_MAX : at.rev;
    return found < 0 ? found : 0;
}

int erasure_takes(const struct erasure *erasure, struct txn *txn, const struct operation *operation,
                  uint64_t rev, uint32_t op, uint64_t *until)
{
    if (!erasure_may(operation->kind) || rev > erasure->until ||
        (erasure->environment && operation->environment != erasure->environment) ||
        (erasure->service && operation->service != erasure->service))
        return 0;
    const uint64_t kept = next_kept(erasure, rev);
    if (operation->kind == OPERATION_SCHEMA_SET) {
        const int error = *until ? 0 : schema_until(txn, until, operation, rev, op);
        return error ? error : *until <= erasure->until && (!kept || kept >= *until);
    }
    int is_there = stands(txn, operation, rev, op, erasure->until);
    /* What the first of them does not show, those after it do not show either. */
    if (!is_there && kept && kept < erasure->until)
        is_there = stands(txn, operation, rev, op, kept);
    return is_there < 0 ? is_there : !is_there;
}

static int value_of(struct txn *txn, struct slice *body, uint64_t set_rev, uint32_t set_op)
{
    struct key key;
    const int found = txn_get(txn, body, DB_VALUE, key_operation(&key, set_rev, set_op));
    return found > 0 ? error_set(ERR_CORRUPT, "the value of revision %llu, operation %u is gone",
                                 (unsigned long long)set_rev, set_op)
                     : found;
}

int erased_by(struct txn *txn, uint64_t *rev, uint32_t *op, uint64_t set_rev, uint32_t set_op)
{
    struct slice body;
    const int error = value_of(txn, &body, set_rev, set_op);
    return error ? error : value_purged(rev, op, body);
}

int erase_value(struct txn *txn, uint64_t set_rev, uint32_t set_op, uint64_t rev, uint32_t op)
{
    BYTES_CLEANUP struct bytes body = BYTES_INIT(VALUE_PURGED_SIZE + VALUE_MAX);
    struct slice value;
    struct key key;
    int error = value_of(txn, &value, set_rev, set_op);
    if (error)
        return error;
    value_purged_encode(&body, rev, op);
    remains_make(&body, value);
    if (body.error)
        return body.error;
    txn_put(txn, DB_VALUE, key_operation(&key, set_rev, set_op),
            (struct slice){body.data, body.size});
    return txn_error(txn);
}

int erasure_sum(struct txn *txn, uint8_t sum[static HASH_SIZE], uint64_t set_rev, uint32_t set_op)
{
    BYTES_CLEANUP struct bytes remains = BYTES_INIT(VALUE_MAX);
    struct slice value;
    const int error = value_of(txn, &value, set_rev, set_op);
    if (error || value.size < 2 || value.data[1] != OPERATION_SET_TEMPLATE)
        return error;
    remains_make(&remains, value);
    if (!remains.error)
        remains_add(sum, set_rev, set_op, (struct slice){remains.data, remains.size});
    return remains.error;
}

static int take(const struct erasure *erasure, struct txn *txn, bool erases, struct erased *out,
                struct slice body, uint64_t rev, uint32_t op)
{
    struct operation operation;
    uint64_t by_rev;
    uint32_t by_op;
    uint64_t until = 0;
    int taken = operation_decode(&operation, body);
    if (taken)
        return taken;
    taken = erasure_takes(erasure, txn, &operation, rev, op, &until);
    const uint32_t size = operation.stored_size;
    const bool is_text = operation.kind == OPERATION_SET_TEMPLATE;
    if (taken > 0) {
        const int gone = erased_by(txn, &by_rev, &by_op, rev, op);
        taken = gone < 0 ? gone : !gone;
    }
    if (taken <= 0)
        return taken;
    out->values++;
    out->bytes += size;
    int error = is_text ? erasure_sum(txn, out->remains, rev, op) : 0;
    if (!error && erases)
        error = erase_value(txn, rev, op, erasure->rev, erasure->op);
    return error;
}

int erasure_walk(const struct erasure *erasure, struct txn *txn, bool erases, struct erased *out)
{
    struct slice found, body;
    struct key at;
    uint64_t rev = 0;
    uint32_t op = 0;
    *out = (struct erased){0};
    for (;;) {
        int error = txn_seek(txn, &found, &body, DB_LOG, key_operation(&at, rev, op), rev > 0);
        if (!error)
            error = key_operation_parse(found, &rev, &op);
        if (error || rev > erasure->until)
            return error < 0 ? error : 0;
        error = take(erasure, txn, erases, out, body, rev, op);
        if (error)
            return error;
    }
}
