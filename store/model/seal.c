#include "store/model/seal.h"

#include <string.h>

#include "store/crypto/envelope.h"
#include "store/error.h"
#include "store/log/state.h"
#include "store/model/pairs.h"

#define SALTS 64u /* drawn at a time: each draw is a call of the kernel's */

struct sealing {
    struct store *store;
    struct index *index;
    const struct plan *plan;
    struct sealer *sealer;      /* made when the first secret comes */
    struct bytes value;         /* scratch: one DB_VALUE body */
    struct wrapped_key key;     /* the pair made last */
    struct pairs pairs;         /* of services, made meanwhile */
    struct digests *digests;    /* made ahead */
    struct recipient recipient; /* the service whose public key was looked up last */
    bool has_recipient;
    uint8_t salts[SALTS][SALT_SIZE];
    size_t salts_left;
    size_t steps_left; /* of the plan, with the one in hand */
};

static int administrator(struct sealing *sealing, struct identity_state *out)
{
    const int found = state_next_identity(sealing->index->txn, out, NULL);
    return found > 0 ? error_set(ERR_CORRUPT, "the store has no administrator's identity") : found;
}

/* A pair for an environment; its private half goes to the administrator, by the grant that follows.
 */
static int make_environment_pair(struct sealing *sealing, struct operation *operation)
{
    struct identity_state identity;
    struct recipient owner = {.environment = operation->environment, .generation = operation->turn};
    int error = administrator(sealing, &identity);
    if (!error)
        error = keyring_make(sealing->store->id, &owner, &sealing->key, identity.public_key);
    operation->public_key = sealing->key.owner.public_key;
    return error;
}

static void grant_pair(struct sealing *sealing, struct operation *operation)
{
    operation->for_key = sealing->key.for_public_key;
    operation->wrapped = sealing->key.data;
}

static int begin_pairs(struct sealing *sealing, const struct operation *operation, uint32_t op)
{
    struct recipient environment;
    int error = state_public_key(sealing->index->txn, &environment, operation->environment, 0);
    if (error > 0)
        error = error_set(ERR_CORRUPT, "environment %u has no key pair", operation->environment);
    return error ? error
                 : pairs_begin(&sealing->pairs, sealing->plan, op, sealing->store->id,
                               environment.public_key);
}

/* A pair for a service; its private half goes to its environment. Those that follow it are begun
 * with the first. */
static int make_service_pair(struct sealing *sealing, struct operation *operation, uint32_t op)
{
    struct pairs *pairs = &sealing->pairs;
    int error = pairs_left(pairs) ? 0 : begin_pairs(sealing, operation, op);
    if (!error)
        error = pairs_next(pairs, &sealing->key);
    if (error)
        return error;
    operation->public_key = sealing->key.owner.public_key;
    grant_pair(sealing, operation);
    return 0;
}

static int find_recipient(struct sealing *sealing, const struct operation *operation)
{
    struct recipient *recipient = &sealing->recipient;
    if (sealing->has_recipient && recipient->environment == operation->environment &&
        recipient->service == operation->service)
        return 0;
    sealing->has_recipient = false;
    const int error = state_public_key(sealing->index->txn, recipient, operation->environment,
                                       operation->service);
    sealing->has_recipient = !error;
    return error > 0 ? error_set(ERR_CORRUPT, "service %u has no key pair", operation->service)
                     : error;
}

static int seal_secret(struct sealing *sealing, const struct operation *operation, uint32_t op,
                       const struct secret *value)
{
    struct place place = {.environment = operation->environment,
                          .service = operation->service,
                          .name_id = operation->name_id,
                          .entry_id = operation->entry_id,
                          .rev = sealing->index->rev,
                          .op = op,
                          .kind = ENTRY_SECRET};
    memcpy(place.store_id, sealing->store->id, STORE_ID_SIZE);
    int error = find_recipient(sealing, operation);
    if (!error && !sealing->sealer)
        error = sealer_new(&sealing->sealer);
    return error ? error
                 : envelope_seal(sealing->sealer, &sealing->value, &place, value,
                                 &sealing->recipient, 1);
}

static const uint8_t *next_salt(struct sealing *sealing)
{
    if (!sealing->salts_left) {
        const size_t wanted = sealing->steps_left < SALTS ? sealing->steps_left : SALTS;
        random_bytes(sealing->salts, wanted * SALT_SIZE);
        sealing->salts_left = wanted;
    }
    return sealing->salts[--sealing->salts_left];
}

/* The DB_VALUE body of a set, in scratch, and its digest. */
static int make_value(struct sealing *sealing, struct operation *operation, uint32_t op,
                      const struct wish *wish)
{
    int error = 0;
    const enum operation_kind kind = operation_value_kind(operation->kind);
    const struct digest *made = digests_take(sealing->digests, wish, kind);
    bytes_reset(&sealing->value);
    value_head_encode(&sealing->value, kind, made ? made->salt : next_salt(sealing));
    if (operation->kind == OPERATION_SET_SECRET)
        error = seal_secret(sealing, operation, op, &wish->secret);
    else
        bytes_append(&sealing->value, wish->value, wish->size);
    if (!error)
        error = sealing->value.error;
    if (!error && made)
        memcpy(operation->digest, made->hash, HASH_SIZE);
    else if (!error)
        value_digest(operation->digest, (struct slice){sealing->value.data, sealing->value.size});
    return error;
}

static int seal_step(struct sealing *sealing, struct draft *draft, struct planned *step,
                     uint32_t op)
{
    struct operation *operation = &step->operation;
    struct slice value = {0};
    int error = 0;
    if (operation_has_value(operation->kind)) {
        error = make_value(sealing, operation, op, step->wish);
        value = (struct slice){sealing->value.data, sealing->value.size};
    } else {
        /* So that nobody who has a scope's hash only can guess what was done in it. */
        random_bytes(operation->digest, sizeof operation->digest);
    }
    if (error)
        return error;
    const bool is_environment = operation->kind == OPERATION_ENVIRONMENT_KEY;
    const bool is_service = operation->kind == OPERATION_SERVICE_KEY;
    if (is_environment)
        error = make_environment_pair(sealing, operation);
    else if (is_service)
        error = make_service_pair(sealing, operation, op);
    else if (operation->kind == OPERATION_GRANT)
        grant_pair(sealing, operation);
    if (!error && (is_environment || is_service || operation->kind == OPERATION_GRANT))
        error = index_apply(sealing->index, operation, op);
    return error ? error : draft_add(draft, operation, value);
}

int seal_plan(struct store *store, struct index *index, struct draft *draft, struct plan *plan,
              struct digests *digests)
{
    struct sealing sealing = {.store = store,
                              .index = index,
                              .plan = plan,
                              .digests = digests,
                              .value = BYTES_INIT((size_t)4 * VALUE_MAX)};
    int error = 0;
    for (size_t i = 0; i < plan->count && !error; i++) {
        sealing.steps_left = plan->count - i;
        error = seal_step(&sealing, draft, &plan->steps[i], (uint32_t)i);
    }
    sealer_free(sealing.sealer);
    pairs_release(&sealing.pairs);
    bytes_release(&sealing.value);
    return error;
}
