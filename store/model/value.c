#include "store/model/value.h"

#include <string.h>

#include "store/db/keys.h"
#include "store/error.h"
#include "store/log/operation.h"
#include "store/log/state.h"

struct place value_place(const struct store *store, const struct entry *entry)
{
    struct place place = {.environment = entry->environment,
                          .service = entry->service,
                          .name_id = entry->name_id,
                          .entry_id = entry->entry_id,
                          .rev = entry->rev,
                          .op = entry->op,
                          .kind = (uint8_t)entry->kind};
    memcpy(place.store_id, store->id, STORE_ID_SIZE);
    return place;
}

/* What follows the head of the value's record. */
static int find_record(struct txn *txn, const unsigned char **data, size_t *size,
                       const struct entry *entry)
{
    struct slice body;
    struct key key;
    const int error = txn_get(txn, &body, DB_VALUE, key_operation(&key, entry->rev, entry->op));
    if (error == TXN_NOT_FOUND)
        return error_set(ERR_CORRUPT, "the value of '%s' of revision %llu is gone", entry->key,
                         (unsigned long long)entry->rev);
    if (error)
        return error;
    return value_decode(
        data, size, entry->kind == ENTRY_SECRET ? OPERATION_SET_SECRET : OPERATION_SET_PLAIN, body);
}

/*
 * An envelope is opened for the place where one looked. The key's text is part of that, and the
 * envelope knows it as an id: so the id must mean this text and this service, else a row that was
 * moved to another key would open.
 */
static int check_name(struct txn *txn, const struct entry *entry)
{
    char key[KEY_NAME_MAX + 1];
    uint32_t service;
    const int error = state_name(txn, &service, key, entry->name_id);
    if (error < 0)
        return error;
    if (error || service != entry->service || strcmp(key, entry->key) != 0)
        return error_set(ERR_CORRUPT, "the record of '%s' is another key's", entry->key);
    return 0;
}

int value_sealed(struct txn *txn, const unsigned char **data, size_t *size,
                 const struct entry *entry)
{
    const int error = check_name(txn, entry);
    return error ? error : find_record(txn, data, size, entry);
}

int value_size(struct store *store, struct txn *txn, size_t *size, const struct entry *entry)
{
    const unsigned char *envelope;
    size_t envelope_size;
    if (entry->kind != ENTRY_SECRET) {
        *size = entry->stored_size;
        return 0;
    }
    /* Known sizes are told only by a process that could open the value itself. */
    if (lengths_find(&store->lengths, size, entry->rev, entry->op))
        return 0;
    int error = value_sealed(txn, &envelope, &envelope_size, entry);
    if (error)
        return error;
    const struct place place = value_place(store, entry);
    error = envelope_length(store->keyring, txn, size, &place, envelope, envelope_size);
    if (!error)
        lengths_note(&store->lengths, *size, entry->rev, entry->op);
    return error;
}

int value_bytes(struct store *store, struct txn *txn, const unsigned char **data, size_t *size,
                const struct entry *entry, struct secret *scratch)
{
    const unsigned char *found;
    size_t found_size;
    if (entry->kind != ENTRY_SECRET) {
        int error = find_record(txn, &found, &found_size, entry);
        if (!error && found_size != entry->stored_size)
            error =
                error_set(ERR_CORRUPT, "the value of '%s' is not of its recorded size", entry->key);
        if (error)
            return error;
        *data = found;
        *size = found_size;
        return 0;
    }
    int error = value_sealed(txn, &found, &found_size, entry);
    if (error)
        return error;
    const struct place place = value_place(store, entry);
    error = envelope_open(store->keyring, txn, scratch, &place, found, found_size);
    if (error)
        return error;
    lengths_note(&store->lengths, scratch->size, entry->rev, entry->op);
    *data = scratch->data;
    *size = scratch->size;
    return 0;
}

int value_reopen(struct store *store, struct secret *out, const struct entry *entry,
                 const unsigned char *sealed, size_t sealed_size)
{
    size_t length;
    if (!lengths_find(&store->lengths, &length, entry->rev, entry->op))
        return NOT_THERE;
    const struct place place = value_place(store, entry);
    return envelope_reopen(store->keyring, out, &place, length, sealed, sealed_size);
}
