/* What follows from one operation about identities and keys: their records, and that a key which
 * was wrapped is one of a secret. */
#include <inttypes.h>
#include <string.h>

#include "store/db/keys.h"
#include "store/error.h"
#include "store/grant.h"
#include "store/log/record.h"
#include "store/log/verify_internal.h"

static int check_identity(struct verify *verify, const struct operation *operation,
                          const char *what)
{
    struct identity_state identity = {0}, named = {0};
    char name[KEY_NAME_MAX + 1] = "";
    verify->report->derived += 2;
    memcpy(name, operation->name, operation->name_size);
    int found = state_identity(verify->txn, &identity, operation->public_key);
    if (!found)
        found = state_identity_named(verify->txn, &named, name);
    found = verify_read(verify, found, what);
    if (found == TXN_NOT_FOUND ||
        (!found && (identity.rev != verify->rev ||
                    memcmp(identity.signing_key, operation->signing_key, CRYPTO_KEY_SIZE) != 0 ||
                    memcmp(named.public_key, operation->public_key, CRYPTO_KEY_SIZE) != 0 ||
                    strcmp(identity.name, name) != 0)))
        verify_fault(verify, "%s: the identity's record does not match the log", what);
    return found < 0 ? found : 0;
}

/* That a public key's record says where the log says so. */
static int check_origin(struct verify *verify, const struct recipient *owner, uint32_t op)
{
    struct key key;
    struct decoder in;
    const int found = record_get(
        verify->txn, &in, DB_KEY,
        key_pair(&key, owner->environment, owner->service, owner->generation), "public key");
    if (found)
        return found;
    const uint64_t rev = take_u64(&in);
    return rev == verify->rev && take_u32(&in) == op ? 0 : TXN_NOT_FOUND;
}

static int check_pair(struct verify *verify, const struct operation *operation, uint32_t op,
                      const char *what)
{
    struct wrapped_key key = {.owner = {.environment = operation->environment,
                                        .service = operation->service,
                                        .generation = operation->turn}};
    int found = 0;
    verify->report->derived++;
    if (operation->public_key) {
        found = state_pair(verify->txn, &key.owner);
        if (!found && memcmp(key.owner.public_key, operation->public_key, CRYPTO_KEY_SIZE) != 0)
            found = TXN_NOT_FOUND;
        if (!found)
            found = check_origin(verify, &key.owner, op);
    }
    if (!found && operation->wrapped) {
        memcpy(key.for_public_key, operation->for_key, CRYPTO_KEY_SIZE);
        found = state_wrapped_key(verify->txn, &key);
        if (!found && memcmp(key.data, operation->wrapped, WRAPPED_KEY_SIZE) != 0)
            found = TXN_NOT_FOUND;
    }
    found = verify_read(verify, found, what);
    if (found == TXN_NOT_FOUND)
        verify_fault(verify, "%s: the key's record does not match the log", what);
    return found < 0 ? found : 0;
}

/* The key is a secret's, which is of that revision. Whether it opens it is known only to who can.
 */
static int check_sealed(struct verify *verify, const struct operation *operation, const char *what)
{
    struct operation set = {0};
    int found = operation_get(verify->txn, &set, operation->sealed_rev, operation->sealed_op);
    found = verify_read(verify, found, what);
    if (found == TXN_NOT_FOUND || (!found && set.kind != OPERATION_SET_SECRET))
        verify_fault(verify, "%s: it wraps the key of what is no secret", what);
    return found < 0 ? found : 0;
}

static int check_value_key(struct verify *verify, const struct operation *operation,
                           const char *what)
{
    struct value_wrap wrap = {.rev = operation->sealed_rev,
                              .op = operation->sealed_op,
                              .owner = {.environment = operation->environment,
                                        .service = operation->service,
                                        .generation = operation->turn}};
    verify->report->derived++;
    const int found = verify_read(verify, state_value_wrap(verify->txn, &wrap), what);
    if (found == TXN_NOT_FOUND ||
        (!found && memcmp(wrap.data, operation->value_key, VALUE_WRAP_SIZE) != 0))
        verify_fault(verify, "%s: the record of a secret's key does not match the log", what);
    return found < 0 ? found : check_sealed(verify, operation, what);
}

static int check_exposure(struct verify *verify, const struct operation *operation, uint32_t op,
                          const char *what)
{
    struct exposure exposure = {.environment = operation->environment,
                                .service = operation->service,
                                .rev = verify->rev,
                                .op = op};
    char principal[PRINCIPAL_MAX + 1] = "";
    memcpy(principal, operation->principal, operation->principal_size);
    if (!(operation->rights & GRANT_READ) || !principal_is_identity(principal) ||
        expected_reads_above(&verify->expected.relations, operation->environment,
                             operation->service, principal))
        return 0;
    verify->report->derived++;
    const int found = verify_read(verify, state_exposure(verify->txn, &exposure), what);
    if (found == TXN_NOT_FOUND || (!found && strcmp(exposure.principal, principal) != 0))
        verify_fault(verify, "%s: the record of what could be read does not match the log", what);
    return found < 0 ? found : 0;
}

int verify_key_of(struct verify *verify, const struct operation *operation, uint32_t op,
                  const char *what)
{
    switch ((unsigned)operation->kind) {
    case OPERATION_IDENTITY:
        return check_identity(verify, operation, what);
    case OPERATION_VALUE_KEY:
        return check_value_key(verify, operation, what);
    case OPERATION_RIGHTS_REVOKE:
        return check_exposure(verify, operation, op, what);
    default:
        return check_pair(verify, operation, op, what);
    }
}

/* That an identity has the newest key of one place. */
static int check_holder(struct verify *verify, const struct relation *relation,
                        const struct expected_identity *identity, uint32_t environment)
{
    struct wrapped_key key = {0};
    const struct expected_pair *pair =
        expected_pair(&verify->expected.pairs, environment, relation->service);
    int found = TXN_NOT_FOUND;
    if (identity && pair) {
        key.owner = pair->newest;
        memcpy(key.for_public_key, identity->public_key, CRYPTO_KEY_SIZE);
        found = verify_read(verify, state_wrapped_key(verify->txn, &key), "keys that were granted");
    }
    if (found == TXN_NOT_FOUND)
        verify_fault(verify,
                     "commit %" PRIu64 ": operation %u: '%s' may read, and has not the newest key",
                     relation->rev, relation->op, relation->with);
    return found < 0 ? found : 0;
}

int verify_holder(struct verify *verify, const struct relation *relation)
{
    const size_t prefix = strlen(PRINCIPAL_IDENTITY);
    if (!principal_is_identity(relation->with) || !(relation->rights & GRANT_READ))
        return 0;
    const struct expected_identity *identity = expected_identity(
        &verify->expected.pairs, relation->with + prefix, strlen(relation->with) - prefix);
    int error = check_holder(verify, relation, identity, relation->environment);
    /* Everything: the store's own pair, and each environment's. */
    for (uint32_t id = 1; !relation->environment && !error; id++) {
        const struct environment_state *state = expected_environment(&verify->expected, id);
        if (!state)
            break;
        if (state->alive)
            error = check_holder(verify, relation, identity, id);
    }
    return error;
}

static bool is_sealed_for(struct slice value, const struct recipient *owner)
{
    const unsigned char *envelope;
    size_t size;
    return !value_decode(&envelope, &size, OPERATION_SET_SECRET, value) &&
           envelope_is_for(envelope, size, owner);
}

int verify_recipient_of(struct verify *verify, const struct spot *spot)
{
    struct slice body;
    struct key key;
    const struct expected_pair *pair =
        expected_pair(&verify->expected.pairs, spot->environment, spot->service);
    struct value_wrap wrap = {.rev = spot->since, .op = spot->op};
    /* All is sealed for the first generation; what was set meanwhile is not in this log yet. */
    if (spot->kind != ENTRY_SECRET || !pair || pair->newest.generation == 1 ||
        spot->since >= verify->rev)
        return 0;
    int found = txn_get(verify->txn, &body, DB_VALUE, key_operation(&key, spot->since, spot->op));
    if (!found && is_sealed_for(body, &pair->newest))
        return 0;
    wrap.owner = pair->newest;
    if (!found)
        found = verify_read(verify, state_value_wrap(verify->txn, &wrap), "keys of secrets");
    if (found == TXN_NOT_FOUND)
        verify_fault(verify,
                     "commit %" PRIu64 ": operation %u: a secret that is set was not wrapped for "
                     "the newest key of its service",
                     spot->since, spot->op);
    return found < 0 && found != -ERR_CORRUPT ? found : 0;
}
