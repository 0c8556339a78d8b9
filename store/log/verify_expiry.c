/*
 * The index of what expires against the current entries, both ways: an entry that has an end stands
 * in the index at that moment, and what stands in the index is such an entry. An entry that was
 * missing there would never go; one too many would stop whatever else is due.
 */
#include <inttypes.h>
#include <string.h>

#include "store/error.h"
#include "store/log/state.h"
#include "store/log/verify_internal.h"

int verify_expiry_of(struct verify *verify, const struct entry *entry)
{
    struct expiry expiry;
    if (!entry->expires)
        return 0;
    verify->report->derived++;
    const int found =
        verify_read(verify, state_expiry(verify->txn, &expiry, entry), "what expires");
    if (found == TXN_NOT_FOUND || (!found && (expiry.rev != entry->rev || expiry.op != entry->op)))
        verify_fault(verify, "entry '%s' of %u/%u expires, and the index by moment has it wrongly",
                     entry->key, entry->environment, entry->service);
    return found < 0 ? found : 0;
}

static int check_expiry(struct verify *verify, const struct expiry *expiry)
{
    char key[KEY_NAME_MAX + 1];
    struct entry entry = {0};
    uint32_t service;
    int found = state_name(verify->txn, &service, key, expiry->name_id);
    if (!found)
        found = state_current(verify->txn, &entry, expiry->environment, service, key);
    found = verify_read(verify, found, "what expires");
    if (found == TXN_NOT_FOUND ||
        (!found && (entry.name_id != expiry->name_id || entry.expires != expiry->moment ||
                    entry.rev != expiry->rev || entry.op != expiry->op)))
        verify_fault(verify,
                     "the index by moment names key %" PRIu64 " of environment %u, which does not "
                     "expire then",
                     expiry->name_id, expiry->environment);
    return found < 0 ? found : 0;
}

int verify_next_expiry(struct verify *verify)
{
    struct slice found_key = {0}, body;
    struct entry at = {0};
    struct expiry expiry;
    const struct slice last = {verify->last_expiry.data, verify->last_expiry.size};
    int found = txn_seek(verify->txn, &found_key, &body, DB_EXPIRY, last, last.size > 0);
    found = verify_read(verify, found, "what expires");
    if (found == TXN_NOT_FOUND || found < 0)
        return found;
    /* A damaged record is passed over by its key; over a damaged tree there is no way on. */
    if (!found_key.size || found_key.size > sizeof verify->last_expiry.data) {
        verify_fault(verify, "what expires: the rest cannot be walked");
        return TXN_NOT_FOUND;
    }
    memcpy(verify->last_expiry.data, found_key.data, found_key.size);
    verify->last_expiry.size = found_key.size;
    if (found)
        return 0;
    verify->report->derived++;
    found = key_expiry_parse((struct slice){verify->last_expiry.data, verify->last_expiry.size},
                             &at.expires, &at.environment, &at.name_id);
    if (!found)
        found = state_expiry(verify->txn, &expiry, &at);
    found = verify_read(verify, found, "what expires");
    return found ? (found < 0 ? found : 0) : check_expiry(verify, &expiry);
}
