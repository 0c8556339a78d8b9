/*
 * The fingerprints of secrets, as far as they can be judged without the store's key: the two
 * records of each say the same, and it is of a secret that is set now. A secret may have none (who
 * set it had not the key), so that one is missing can't be told from the files.
 */
#include <inttypes.h>
#include <string.h>

#include "store/error.h"
#include "store/log/record.h"
#include "store/log/state.h"
#include "store/log/verify_internal.h"

/* The record by fingerprint, which says nothing beside its key. */
static int find_value(struct verify *verify, const struct state_leak *leak)
{
    struct key key;
    struct decoder in;
    const int found = record_get(
        verify->txn, &in, DB_LEAK,
        key_leak_value(&key, leak->fingerprint, leak->environment, leak->name_id), "fingerprint");
    return found ? found : decoder_end(&in, "fingerprint record");
}

static int find_secret(struct verify *verify, const struct state_leak *leak)
{
    struct spot spot;
    const int found =
        state_moment(verify->txn, &spot, leak->environment, leak->name_id, UINT64_MAX);
    return !found && spot.kind != ENTRY_SECRET ? TXN_NOT_FOUND : found;
}

/* Either record leads to the other. */
static int parse(struct verify *verify, struct state_leak *leak)
{
    const struct slice key = {verify->last_leak.data, verify->last_leak.size};
    struct state_leak other;
    if (key.data[0] == 'P') {
        const int error = key_leak_place_parse(key, &leak->environment, &leak->name_id);
        return error ? error : state_leak(verify->txn, leak);
    }
    int found = key_leak_value_parse(key, leak->fingerprint, &leak->environment, &leak->name_id);
    if (found)
        return found;
    other = *leak;
    found = state_leak(verify->txn, &other);
    if (!found && memcmp(other.fingerprint, leak->fingerprint, FINGERPRINT_SIZE) != 0)
        found = TXN_NOT_FOUND;
    return found;
}

int verify_next_leak(struct verify *verify)
{
    struct state_leak leak = {.environment = 0};
    int found = verify_step(verify, &verify->last_leak, DB_LEAK);
    if (found)
        return found == VERIFY_DAMAGED ? 0 : found;
    verify->report->derived++;
    found = parse(verify, &leak);
    if (!found)
        found = find_value(verify, &leak);
    if (!found)
        found = find_secret(verify, &leak);
    found = verify_read(verify, found, "fingerprints");
    if (found == TXN_NOT_FOUND)
        verify_fault(verify,
                     "the fingerprint of key %" PRIu64
                     " of environment %u is recorded wrongly, or of no secret",
                     leak.name_id, leak.environment);
    return found < 0 ? found : 0;
}
