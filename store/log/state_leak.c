/* Fingerprints, both ways: by value, to find who has an equal one, and by place, to find what goes
 * when the place's value does. */
#include <string.h>

#include "store/db/keys.h"
#include "store/error.h"
#include "store/log/record.h"
#include "store/log/state_relation.h"

int state_leak(struct txn *txn, struct state_leak *leak)
{
    struct key key;
    struct decoder in;
    uint8_t fingerprint[FINGERPRINT_SIZE];
    int error = record_get(txn, &in, DB_LEAK,
                           key_leak_place(&key, leak->environment, leak->name_id), "fingerprint");
    if (error)
        return error;
    take_copy(&in, fingerprint, sizeof fingerprint);
    error = decoder_end(&in, "fingerprint record");
    if (!error)
        memcpy(leak->fingerprint, fingerprint, sizeof fingerprint);
    return error;
}

int state_next_leak(struct txn *txn, struct state_leak *at)
{
    struct key from;
    struct slice found, body;
    struct decoder in;
    struct state_leak next;
    int error =
        txn_seek(txn, &found, &body, DB_LEAK,
                 key_leak_value(&from, at->fingerprint, at->environment, at->name_id), true);
    if (error)
        return error;
    /* After the last of a fingerprint comes the first of another, or of the places. */
    if (found.size < 1 || found.data[0] != from.data[0])
        return TXN_NOT_FOUND;
    error = key_leak_value_parse(found, next.fingerprint, &next.environment, &next.name_id);
    if (error)
        return error;
    if (memcmp(next.fingerprint, at->fingerprint, FINGERPRINT_SIZE) != 0)
        return TXN_NOT_FOUND;
    error = record_open(&in, body, "fingerprint");
    if (!error)
        error = decoder_end(&in, "fingerprint record");
    if (!error)
        *at = next;
    return error;
}

void state_put_leak(struct txn *txn, const struct state_leak *leak)
{
    struct key key;
    struct record record;
    record_begin(&record);
    txn_put(txn, DB_LEAK, key_leak_value(&key, leak->fingerprint, leak->environment, leak->name_id),
            record_body(&record));
    bytes_append(record_begin(&record), leak->fingerprint, FINGERPRINT_SIZE);
    txn_put(txn, DB_LEAK, key_leak_place(&key, leak->environment, leak->name_id),
            record_body(&record));
}

void state_delete_leak(struct txn *txn, const struct state_leak *leak)
{
    struct key key;
    txn_delete(txn, DB_LEAK,
               key_leak_value(&key, leak->fingerprint, leak->environment, leak->name_id));
    txn_delete(txn, DB_LEAK, key_leak_place(&key, leak->environment, leak->name_id));
}
