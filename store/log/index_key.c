/* Identities, key pairs, who they are wrapped for, and keys of secrets. */
#include <string.h>

#include "store/error.h"
#include "store/log/index.h"
#include "store/name.h"

/* A name stands for one identity, and an identity has one name, for ever: so has each of its keys.
 */
static int take_identity(struct index *index, const struct operation *operation)
{
    struct identity_state state = {.rev = index->rev}, known;
    if (identity_name_check(operation->name, operation->name_size))
        return 1;
    int found = state_identity_named(index->txn, &known, index->name);
    if (found > 0)
        found = state_identity(index->txn, &known, operation->public_key);
    if (found > 0)
        found = state_signer(index->txn, &known, operation->signing_key, UINT64_MAX);
    if (found <= 0)
        return found < 0 ? found : 1;
    memcpy(state.name, index->name, operation->name_size + 1);
    memcpy(state.public_key, operation->public_key, CRYPTO_KEY_SIZE);
    memcpy(state.signing_key, operation->signing_key, CRYPTO_KEY_SIZE);
    state_put_identity(index->txn, &state);
    return 0;
}

static int take_pair(struct index *index, const struct operation *operation, uint32_t op)
{
    struct wrapped_key key = {.owner = {.environment = operation->environment,
                                        .service = operation->service,
                                        .generation = operation->turn}};
    if (operation->public_key) {
        memcpy(key.owner.public_key, operation->public_key, CRYPTO_KEY_SIZE);
        state_put_public_key(index->txn, &key.owner, index->rev, op);
    }
    if (operation->wrapped) {
        memcpy(key.for_public_key, operation->for_key, CRYPTO_KEY_SIZE);
        memcpy(key.data, operation->wrapped, WRAPPED_KEY_SIZE);
        state_put_wrapped_key(index->txn, &key);
    }
    return 0;
}

static int take_value_key(struct index *index, const struct operation *operation)
{
    struct value_wrap wrap = {.rev = operation->sealed_rev,
                              .op = operation->sealed_op,
                              .owner = {.environment = operation->environment,
                                        .service = operation->service,
                                        .generation = operation->turn}};
    memcpy(wrap.data, operation->value_key, VALUE_WRAP_SIZE);
    state_put_value_wrap(index->txn, &wrap);
    return 0;
}

int index_take_key(struct index *index, const struct operation *operation, uint32_t op)
{
    if (operation->kind == OPERATION_IDENTITY)
        return take_identity(index, operation);
    return operation->kind == OPERATION_VALUE_KEY ? take_value_key(index, operation)
                                                  : take_pair(index, operation, op);
}
