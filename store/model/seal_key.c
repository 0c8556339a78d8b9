#include "store/model/seal_key.h"

#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/log/operation.h"
#include "store/log/state.h"
#include "store/model/value.h"

static int newest(struct seal_keys *keys, struct recipient *out, uint32_t environment,
                  uint32_t service)
{
    const int found = state_public_key(keys->txn, out, environment, service);
    return found > 0 ? error_set(ERR_CORRUPT, "environment %u, service %u has no key pair",
                                 environment, service)
                     : found;
}

/* The grants that follow a pair are of its private half, which nobody has afterwards. */
static size_t grants_behind(const struct plan *plan, const struct operation *pair, uint32_t op)
{
    size_t count = 0;
    for (size_t i = (size_t)op + 1; i < plan->count; i++, count++) {
        const struct operation *step = &plan->steps[i].operation;
        if (step->kind != OPERATION_GRANT || step->environment != pair->environment ||
            step->service != pair->service)
            break;
    }
    return count;
}

/* A pair with all its holders: a service's environment first, then those of the grants. */
static int make_pair(struct seal_keys *keys, struct operation *operation, uint32_t op)
{
    struct recipient owner = {.environment = operation->environment,
                              .service = operation->service,
                              .generation = operation->turn};
    struct recipient environment;
    const size_t grants = grants_behind(keys->plan, operation, op);
    const size_t own = operation->service != 0;
    int error = own ? newest(keys, &environment, operation->environment, 0) : 0;
    struct wrapped_key *made =
        error ? NULL : realloc(keys->made, (own + grants + 1) * sizeof *made);
    if (!made)
        return error ? error : error_set(ERR_NOMEM, "no memory for keys");
    keys->made = made;
    keys->count = own + grants;
    keys->next = own;
    if (own)
        memcpy(made[0].for_public_key, environment.public_key, CRYPTO_KEY_SIZE);
    for (size_t i = 0; i < grants && !error; i++)
        memcpy(made[own + i].for_public_key, keys->plan->steps[op + 1 + i].operation.for_key,
               CRYPTO_KEY_SIZE);
    if (!error)
        error = keyring_make_for(keys->store->id, &owner, made, own + grants);
    return error;
}

static void fill_pair(struct seal_keys *keys, struct operation *operation)
{
    operation->public_key = keys->made[0].owner.public_key;
    if (!operation->service)
        return;
    operation->for_key = keys->made[0].for_public_key;
    operation->wrapped = keys->made[0].data;
}

/* Those of services that are placed first are made ahead. */
static int next_of_pairs(struct seal_keys *keys, const struct operation *operation, uint32_t op)
{
    struct recipient environment;
    int error = 0;
    struct wrapped_key *made = realloc(keys->made, sizeof *made);
    if (!made)
        return error_set(ERR_NOMEM, "no memory for keys");
    keys->made = made;
    keys->count = keys->next = 1;
    if (!pairs_left(&keys->pairs)) {
        error = newest(keys, &environment, operation->environment, 0);
        if (!error)
            error =
                pairs_begin(&keys->pairs, keys->plan, op, keys->store->id, environment.public_key);
    }
    return error ? error : pairs_next(&keys->pairs, made);
}

static int seal_pair(struct seal_keys *keys, struct operation *operation, uint32_t op)
{
    struct recipient last = {0};
    int error = 0;
    const bool is_next = !operation->turn;
    if (is_next) {
        error = newest(keys, &last, operation->environment, operation->service);
        operation->turn = last.generation + 1;
    }
    if (!error)
        error = is_next || !operation->service ? make_pair(keys, operation, op)
                                               : next_of_pairs(keys, operation, op);
    if (!error)
        fill_pair(keys, operation);
    return error;
}

/* Of the pair that was made just before, or of one that is in the log. */
static int seal_grant(struct seal_keys *keys, struct operation *operation)
{
    const struct wrapped_key *made = keys->next < keys->count ? &keys->made[keys->next] : NULL;
    struct wrapped_key key = {0};
    if (!made || made->owner.environment != operation->environment ||
        made->owner.service != operation->service) {
        int error = newest(keys, &key.owner, operation->environment, operation->service);
        memcpy(key.for_public_key, operation->for_key, CRYPTO_KEY_SIZE);
        if (!error)
            error = keyring_grant(keys->store->keyring, keys->txn, &key);
        struct wrapped_key *room = error ? NULL : realloc(keys->made, sizeof *room);
        if (!room)
            return error ? error : error_set(ERR_NOMEM, "no memory for keys");
        keys->made = room;
        keys->count = keys->next = 1;
        room[0] = key;
        made = room;
    } else {
        keys->next++;
    }
    operation->turn = made->owner.generation;
    operation->for_key = made->for_public_key;
    operation->wrapped = made->data;
    return 0;
}

/* Where the secret stands, which is what it was sealed with. */
static int find_sealed(struct seal_keys *keys, struct definition *out,
                       const struct operation *operation)
{
    struct operation set;
    int found = operation_get(keys->txn, &set, operation->sealed_rev, operation->sealed_op);
    if (found)
        return found < 0 ? found : error_set(ERR_CORRUPT, "the set of a secret is not there");
    *out = (struct definition){.kind = ENTRY_SECRET,
                               .environment = set.environment,
                               .service = set.service,
                               .name_id = set.name_id,
                               .entry_id = set.entry_id,
                               .rev = operation->sealed_rev,
                               .op = operation->sealed_op};
    return 0;
}

static int seal_value_key(struct seal_keys *keys, struct sealer *sealer,
                          struct operation *operation)
{
    struct definition definition;
    const unsigned char *envelope;
    size_t size;
    int error = find_sealed(keys, &definition, operation);
    if (!error)
        error = newest(keys, &keys->wrap.owner, operation->environment, operation->service);
    if (!error)
        error = value_sealed(keys->txn, &envelope, &size, &definition);
    if (error)
        return error;
    const struct place place = value_place(keys->store, &definition);
    error =
        envelope_wrap(sealer, keys->store->keyring, keys->txn, &keys->wrap, &place, envelope, size);
    operation->turn = keys->wrap.owner.generation;
    operation->value_key = keys->wrap.data;
    return error;
}

int seal_key(struct seal_keys *keys, struct sealer *sealer, struct operation *operation,
             uint32_t op)
{
    if (operation->kind == OPERATION_GRANT)
        return seal_grant(keys, operation);
    if (operation->kind == OPERATION_VALUE_KEY)
        return seal_value_key(keys, sealer, operation);
    return seal_pair(keys, operation, op);
}

int seal_key_try(struct store *store, struct txn *txn, const struct operation *value_key)
{
    struct seal_keys keys = {.store = store, .txn = txn};
    struct operation operation = *value_key;
    struct sealer *sealer;
    int error = sealer_new(&sealer);
    if (error)
        return error;
    error = seal_value_key(&keys, sealer, &operation);
    sealer_free(sealer);
    return error;
}

/* --- ahead --- */

struct kept_key {
    uint8_t public_key[CRYPTO_KEY_SIZE], for_key[CRYPTO_KEY_SIZE], wrapped[WRAPPED_KEY_SIZE];
};

static bool is_made_ahead(enum operation_kind kind)
{
    return operation_makes_keys(kind) && kind != OPERATION_VALUE_KEY;
}

bool seal_key_is_made(const struct seal_keys *keys, enum operation_kind kind)
{
    return keys->kept && is_made_ahead(kind);
}

static const uint8_t *keep(uint8_t *room, const uint8_t *made, size_t size)
{
    if (!made)
        return NULL;
    memcpy(room, made, size);
    return room;
}

int seal_keys_ahead(struct seal_keys *keys, struct index *index, struct plan *plan)
{
    size_t count = 0, next = 0;
    int error = 0;
    for (size_t i = 0; i < plan->count; i++)
        count += is_made_ahead(plan->steps[i].operation.kind);
    keys->kept = calloc(count ? count : 1, sizeof *keys->kept);
    if (!keys->kept)
        return error_set(ERR_NOMEM, "no memory for keys");
    for (size_t i = 0; i < plan->count && !error; i++) {
        struct operation *operation = &plan->steps[i].operation;
        if (!is_made_ahead(operation->kind))
            continue;
        struct kept_key *kept = &keys->kept[next++];
        error = seal_key(keys, NULL, operation, (uint32_t)i);
        if (error)
            break;
        operation->public_key = keep(kept->public_key, operation->public_key, CRYPTO_KEY_SIZE);
        operation->for_key = keep(kept->for_key, operation->for_key, CRYPTO_KEY_SIZE);
        operation->wrapped = keep(kept->wrapped, operation->wrapped, WRAPPED_KEY_SIZE);
        error = index_apply(index, operation, (uint32_t)i);
    }
    return error;
}

void seal_keys_release(struct seal_keys *keys)
{
    free(keys->made);
    free(keys->kept);
    pairs_release(&keys->pairs);
    *keys = (struct seal_keys){0};
}
