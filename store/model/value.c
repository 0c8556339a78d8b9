#include "store/model/value.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/db/keys.h"
#include "store/error.h"
#include "store/log/history.h"
#include "store/log/operation.h"
#include "store/log/remains.h"
#include "store/model/lost.h"

struct place value_place(const struct store *store, const struct definition *definition)
{
    struct place place = {.environment = definition->environment,
                          .service = definition->service,
                          .name_id = definition->name_id,
                          .entry_id = definition->entry_id,
                          .rev = definition->rev,
                          .op = definition->op,
                          .kind = (uint8_t)definition->kind};
    memcpy(place.store_id, store->id, STORE_ID_SIZE);
    return place;
}

/* Why a value is gone, for people. A record that says so of a set which its operation did not mean
 * is damage. */
static int tell_purged(struct txn *txn, const struct definition *definition, uint64_t rev,
                       uint32_t op)
{
    struct slice body;
    struct operation operation;
    struct commit_info *commit = NULL;
    struct key key;
    char time[32] = "";
    int found = txn_get(txn, &body, DB_LOG, key_operation(&key, rev, op));
    if (!found)
        found = operation_decode(&operation, body);
    if (!found &&
        !(operation.purged_rev == definition->rev && operation.purged_op == definition->op) &&
        !(operation.kind == OPERATION_COMPACT && operation.until >= definition->rev))
        found = NOT_THERE;
    if (!found && !(commit = malloc(sizeof *commit)))
        return error_set(ERR_NOMEM, "no memory to tell what destroyed a value");
    if (!found)
        found = past_commit(txn, commit, rev);
    if (!found) {
        const time_t seconds = (time_t)(commit->time / 1000000000);
        struct tm parts;
        if (gmtime_r(&seconds, &parts))
            strftime(time, sizeof time, "%Y-%m-%d %H:%M:%SZ", &parts);
        error_set(ERR_PURGED,
                  "the value that revision %llu set was destroyed by revision %llu, %s, %s: %.512s",
                  (unsigned long long)definition->rev, (unsigned long long)rev, time,
                  commit->author.name, commit->reason);
    } else if (found > 0) {
        error_set(ERR_CORRUPT, "the value of revision %llu, operation %u is gone",
                  (unsigned long long)definition->rev, definition->op);
    }
    free(commit);
    return found < 0 ? found : found ? -ERR_CORRUPT : -ERR_PURGED;
}

/* What follows the head of the value's record. */
int value_sealed(struct txn *txn, const unsigned char **data, size_t *size,
                 const struct definition *definition)
{
    struct slice body;
    struct key key;
    uint64_t rev;
    uint32_t op;
    const int error =
        txn_get(txn, &body, DB_VALUE, key_operation(&key, definition->rev, definition->op));
    if (error == TXN_NOT_FOUND)
        return error_set(ERR_CORRUPT, "the value of revision %llu, operation %u is gone",
                         (unsigned long long)definition->rev, definition->op);
    if (error)
        return error;
    const int purged = value_purged(&rev, &op, body);
    if (purged)
        return purged < 0 ? purged : tell_purged(txn, definition, rev, op);
    return value_decode(data, size, (enum operation_kind)definition->kind, body);
}

int value_size(struct store *store, struct txn *txn, size_t *size,
               const struct definition *definition)
{
    const unsigned char *envelope;
    size_t envelope_size;
    if (definition->kind != ENTRY_SECRET) {
        *size = definition->stored_size;
        return 0;
    }
    /* Known sizes are told only by a process that could open the value itself. */
    if (lengths_find(&store->lengths, size, definition->rev, definition->op))
        return 0;
    int error = value_sealed(txn, &envelope, &envelope_size, definition);
    if (error)
        return error;
    const struct place place = value_place(store, definition);
    error = envelope_length(store->keyring, txn, size, &place, envelope, envelope_size);
    error = lost_key(store, txn, definition->environment, definition->service, error);
    if (!error)
        lengths_note(&store->lengths, *size, definition->rev, definition->op);
    return error;
}

int value_bytes(struct store *store, struct txn *txn, const unsigned char **data, size_t *size,
                const struct definition *definition, struct secret *scratch)
{
    const unsigned char *found;
    size_t found_size;
    int error = value_sealed(txn, &found, &found_size, definition);
    if (error)
        return error;
    if (definition->kind != ENTRY_SECRET) {
        if (found_size != definition->stored_size)
            return error_set(ERR_CORRUPT,
                             "the value of revision %llu, operation %u is not of its recorded size",
                             (unsigned long long)definition->rev, definition->op);
        *data = found;
        *size = found_size;
        return 0;
    }
    /* What this process opened before takes one step. */
    error = value_reopen(store, scratch, definition, found, found_size);
    if (error <= 0) {
        if (error)
            return error;
        *data = scratch->data;
        *size = scratch->size;
        return 0;
    }
    const struct place place = value_place(store, definition);
    error = envelope_open(store->keyring, txn, scratch, &place, found, found_size);
    error = lost_key(store, txn, definition->environment, definition->service, error);
    if (error)
        return error;
    lengths_note(&store->lengths, scratch->size, definition->rev, definition->op);
    *data = scratch->data;
    *size = scratch->size;
    return 0;
}

int value_references(struct store *store, struct txn *txn, const unsigned char **data, size_t *size,
                     const struct definition *definition)
{
    struct slice body;
    struct key key;
    uint64_t rev;
    uint32_t op;
    int found = txn_get(txn, &body, DB_VALUE, key_operation(&key, definition->rev, definition->op));
    if (!found)
        found = value_purged(&rev, &op, body);
    if (found != 1 || definition->kind != ENTRY_TEMPLATE)
        return value_bytes(store, txn, data, size, definition, NULL);
    const struct slice remains = remains_in(body);
    *data = remains.data;
    *size = remains.size;
    return 0;
}

int value_reopen(struct store *store, struct secret *out, const struct definition *definition,
                 const unsigned char *sealed, size_t sealed_size)
{
    size_t length;
    if (!lengths_find(&store->lengths, &length, definition->rev, definition->op))
        return NOT_THERE;
    const struct place place = value_place(store, definition);
    return envelope_reopen(store->keyring, out, &place, length, sealed, sealed_size);
}
