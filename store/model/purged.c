/* What became of one version of a key (store/history.h): what replaced it, what destroyed its
 * value, who has a copy of it. */
#include <stdlib.h>
#include <string.h>

#include "store/db/keys.h"
#include "store/error.h"
#include "store/history.h"
#include "store/log/erasure.h"
#include "store/log/history.h"
#include "store/log/state.h"
#include "store/model/core.h"

int history_purged(struct snapshot *snapshot, uint64_t *rev, uint32_t *op, uint64_t set_rev,
                   uint32_t set_op)
{
    const int found = erased_by(snapshot_txn(snapshot), rev, op, set_rev, set_op);
    return snapshot_answer(snapshot, found < 0 ? found : found ? 0 : NOT_THERE);
}

int history_replaced(struct snapshot *snapshot, uint64_t *rev, const struct definition *definition)
{
    const int found = state_moment_after(snapshot_txn(snapshot), rev, definition->environment,
                                         definition->name_id, definition->rev);
    return snapshot_answer(snapshot, found);
}

struct copies {
    struct copied_from *items; /* owned: the definition, and each copy that was found */
    size_t count, capacity;
};

static int add(struct copies *copies, uint32_t environment, uint64_t name_id, uint64_t rev)
{
    if (copies->count == copies->capacity) {
        const size_t capacity = copies->capacity ? copies->capacity * 2 : 8;
        struct copied_from *items = realloc(copies->items, capacity * sizeof *items);
        if (!items)
            return error_set(ERR_NOMEM, "no memory for a list of copies");
        copies->items = items;
        copies->capacity = capacity;
    }
    copies->items[copies->count++] = (struct copied_from){environment, name_id, rev};
    return 0;
}

static bool is_copy(const struct copies *copies, const struct operation *operation)
{
    const struct copied_from *from = &operation->from;
    if (!from->environment || !operation_is_set(operation->kind))
        return false;
    for (size_t i = 0; i < copies->count; i++)
        if (copies->items[i].environment == from->environment &&
            copies->items[i].name_id == from->name_id && copies->items[i].rev == from->rev)
            return true;
    return false;
}

/* Copies of copies come after what they were made from, so one walk finds all. */
static int walk(struct snapshot *snapshot, struct copies *copies, uint64_t rev,
                int (*tell)(void *, const struct operation_info *), void *arg)
{
    struct txn *txn = snapshot_txn(snapshot);
    struct slice found_key, body;
    struct operation operation;
    struct operation_info info;
    struct key key;
    uint32_t op = 0;
    for (;;) {
        int found = txn_seek(txn, &found_key, &body, DB_LOG, key_operation(&key, rev, op), true);
        if (!found)
            found = key_operation_parse(found_key, &rev, &op);
        if (!found)
            found = operation_decode(&operation, body);
        if (found)
            return found < 0 ? found : 0;
        if (!is_copy(copies, &operation))
            continue;
        found = add(copies, operation.environment, operation.name_id, rev);
        if (!found)
            found = past_operation(txn, &info, rev, op);
        if (!found)
            found = tell(arg, &info);
        if (found)
            return found;
    }
}

int history_copies(struct snapshot *snapshot, const struct definition *definition,
                   int (*tell)(void *arg, const struct operation_info *), void *arg)
{
    struct copies copies = {0};
    int error = add(&copies, definition->environment, definition->name_id, definition->rev);
    if (!error)
        error = walk(snapshot, &copies, definition->rev, tell, arg);
    free(copies.items);
    return snapshot_answer(snapshot, error);
}
