/*
 * The index of what expires against what is there, both ways: a definition or an environment that
 * has an end stands in the index at that moment, and what stands in the index is such a one. One
 * that was missing there would never go; one too many would stop whatever else is due.
 */
#include <inttypes.h>
#include <string.h>

#include "store/error.h"
#include "store/log/state.h"
#include "store/log/verify_internal.h"

int verify_expiry_of(struct verify *verify, const struct expiry *expected)
{
    struct expiry expiry = *expected;
    if (!expected->moment)
        return 0;
    verify->report->derived++;
    const int found = verify_read(verify, state_expiry(verify->txn, &expiry), "what expires");
    if (found == TXN_NOT_FOUND ||
        (!found && (expiry.rev != expected->rev ||
                    (expiry.op != expected->op && expected->op != VERIFY_ANY_OP))))
        verify_fault(verify,
                     "key %" PRIu64 " of environment %u (0: all of it) expires, and the index by "
                     "moment has it wrongly",
                     expected->name_id, expected->environment);
    return found < 0 ? found : 0;
}

/* Whether that is the operation that added the environment with that end. */
static int added_it(struct verify *verify, const struct expiry *expiry)
{
    struct operation operation;
    int found = operation_get(verify->txn, &operation, expiry->rev, expiry->op);
    if (found)
        return found;
    return operation.kind == OPERATION_ENVIRONMENT_ADD &&
                   operation.environment == expiry->environment &&
                   operation.expires == expiry->moment
               ? 0
               : TXN_NOT_FOUND;
}

static int find_environment(struct verify *verify, const struct expiry *expiry)
{
    struct environment_state state;
    char name[ENVIRONMENT_NAME_MAX + 1];
    uint32_t before;
    int found = state_environment_name(verify->txn, name, &before, expiry->environment);
    if (!found)
        found = state_environment(verify->txn, &state, name);
    if (!found &&
        (state.is.id != expiry->environment || !state.alive || state.is.expires != expiry->moment))
        found = TXN_NOT_FOUND;
    return found ? found : added_it(verify, expiry);
}

static int find_key(struct verify *verify, const struct expiry *expiry)
{
    char key[KEY_NAME_MAX + 1];
    struct spot spot;
    uint32_t service;
    int found = state_name(verify->txn, &service, key, expiry->name_id);
    if (!found)
        found = state_current(verify->txn, &spot, expiry->environment, service, key);
    if (!found &&
        (!spot_is_own(&spot) || spot.name_id != expiry->name_id || spot.expires != expiry->moment ||
         spot.since != expiry->rev || spot.op != expiry->op))
        found = TXN_NOT_FOUND;
    return found;
}

int verify_next_expiry(struct verify *verify)
{
    struct expiry expiry;
    int found = verify_step(verify, &verify->last_expiry, DB_EXPIRY);
    if (found)
        return found == VERIFY_DAMAGED ? 0 : found;
    verify->report->derived++;
    found = key_expiry_parse((struct slice){verify->last_expiry.data, verify->last_expiry.size},
                             &expiry.moment, &expiry.environment, &expiry.name_id);
    if (!found)
        found = state_expiry(verify->txn, &expiry);
    if (!found)
        found = expiry.name_id ? find_key(verify, &expiry) : find_environment(verify, &expiry);
    found = verify_read(verify, found, "what expires");
    if (found == TXN_NOT_FOUND)
        verify_fault(verify,
                     "the index by moment names key %" PRIu64 " of environment %u (0: all of it), "
                     "which does not expire then",
                     expiry.name_id, expiry.environment);
    return found < 0 ? found : 0;
}
