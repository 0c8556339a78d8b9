#include "store/model/lost.h"

#include <string.h>

#include "store/error.h"
#include "store/log/operation.h"
#include "store/log/state.h"
#include "store/log/state_relation.h"
#include "store/name.h"

/* Whether the newest key of a place is wrapped for that holder: 1, 0, or a failure. */
static int has_key(struct txn *txn, uint32_t environment, uint32_t service,
                   const uint8_t public_key[static CRYPTO_KEY_SIZE])
{
    struct wrapped_key key = {.owner = {.environment = environment}};
    int found = state_public_key(txn, &key.owner, environment, service);
    if (found)
        return found < 0 ? found : 0;
    memcpy(key.for_public_key, public_key, CRYPTO_KEY_SIZE);
    found = state_wrapped_key(txn, &key);
    return found < 0 ? found : !found;
}

/* Whether a service's newest key is wrapped for its environment, in whichever generation. */
static int has_service_key(struct txn *txn, uint32_t environment, uint32_t service)
{
    struct recipient newest = {.environment = environment};
    const int none = state_public_key(txn, &newest, environment, 0);
    if (none)
        return none < 0 ? none : 0;
    for (uint32_t generation = newest.generation; generation > 0; generation--) {
        struct recipient holder = {.environment = environment, .generation = generation};
        const int found = state_pair(txn, &holder);
        const int has = found ? found : has_key(txn, environment, service, holder.public_key);
        if (has < 0 || (!found && has))
            return has;
    }
    return 0;
}

/* Whether an identity may read the place and has not what opens it: 1, 0, or a failure. */
static int lacks(struct txn *txn, uint32_t environment, uint32_t service,
                 const uint8_t public_key[static CRYPTO_KEY_SIZE])
{
    struct identity_state identity;
    char principal[PRINCIPAL_MAX + 1] = PRINCIPAL_IDENTITY;
    const int known = state_identity(txn, &identity, public_key);
    if (known)
        return known < 0 ? known : 1; /* it was known when it was given to the store */
    memcpy(principal + strlen(PRINCIPAL_IDENTITY), identity.name, strlen(identity.name) + 1);
    int reads = state_grant_reads(txn, 0, 0, principal);
    if (!reads)
        reads = state_grant_reads(txn, environment, 0, principal);
    if (reads < 0)
        return reads;
    int has = 1;
    if (reads) {
        has = has_key(txn, environment, 0, public_key);
        if (has > 0)
            has = has_service_key(txn, environment, service);
    } else {
        reads = state_grant_reads(txn, environment, service, principal);
        if (reads > 0)
            has = has_key(txn, environment, service, public_key);
    }
    return has < 0 || reads < 0 ? (has < 0 ? has : reads) : !has;
}

/* What went before one was granted reading it never had. */
static int is_living(struct txn *txn, uint32_t environment)
{
    struct environment_state state;
    uint32_t before;
    char name[ENVIRONMENT_NAME_MAX + 1];
    int found = state_environment_name(txn, name, &before, environment);
    if (!found)
        found = state_environment(txn, &state, name);
    return found < 0 ? found : !found && state.alive && state.is.id == environment;
}

int lost_key(struct store *store, struct txn *txn, uint32_t environment, uint32_t service,
             int error)
{
    uint8_t public_key[CRYPTO_KEY_SIZE];
    if (error != -ERR_NO_KEY || !keyring_has_identity(store->keyring))
        return error;
    const int living = is_living(txn, environment);
    if (living <= 0)
        return living < 0 ? living : error;
    for (unsigned i = 0; keyring_identity(store->keyring, public_key, i); i++) {
        const int lost = lacks(txn, environment, service, public_key);
        if (lost < 0)
            return lost;
        if (lost)
            return error_set(ERR_CORRUPT,
                             "the key of environment %u, service %u is gone: 'emsa verify' tells "
                             "more",
                             (unsigned)environment, (unsigned)service);
    }
    return error;
}

int lost_founder(struct txn *txn, const uint8_t public_key[static CRYPTO_KEY_SIZE])
{
    for (uint32_t op = 0;; op++) {
        struct operation operation;
        int found = operation_get(txn, &operation, 1, op);
        if (found)
            return found < 0 ? found : 0;
        if (operation.kind == OPERATION_IDENTITY &&
            memcmp(operation.public_key, public_key, CRYPTO_KEY_SIZE) == 0)
            return 1;
    }
}
