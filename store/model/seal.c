#include "store/model/seal.h"

#include <stdlib.h>
#include <string.h>

#include "store/crypto/envelope.h"
#include "store/crypto/signature.h"
#include "store/error.h"
#include "store/log/erasure.h"
#include "store/log/state.h"
#include "store/model/reach.h"
#include "store/model/seal_key.h"
#include "store/model/value.h"

#define SALTS 64u /* drawn at a time: each draw is a call of the kernel's */

struct sealing {
    struct store *store;
    struct index *index;
    struct sealer *sealer;      /* made when the first secret comes */
    struct bytes value;         /* scratch: one DB_VALUE body */
    struct secret opened;       /* scratch: what is encrypted anew */
    struct seal_keys keys;      /* of the pair made last */
    struct digests *digests;    /* made ahead */
    struct recipient recipient; /* the service whose public key was looked up last */
    bool has_recipient;
    struct reach reach; /* once has_reach: who was granted what */
    bool has_reach;
    struct reach_consumers consumers; /* owned scratch: of a secret */
    struct recipient *recipients;     /* owned scratch: the same, with the owner */
    uint8_t salts[SALTS][SALT_SIZE];
    size_t salts_left;
    size_t steps_left; /* of the plan, with the one in hand */
};

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

static int find_reach(struct sealing *sealing)
{
    const int error =
        sealing->has_reach ? 0 : reach_begin(&sealing->reach, sealing->store, sealing->index->txn);
    sealing->has_reach |= !error;
    return error;
}

/* The owner first, and then those who may read it as well. */
static int find_consumers(struct sealing *sealing, size_t *count, const struct operation *operation)
{
    char key[KEY_NAME_MAX + 1];
    struct reach_consumers *consumers = &sealing->consumers;
    memcpy(key, operation->name, operation->name_size);
    key[operation->name_size] = '\0';
    int error = find_reach(sealing);
    if (!error)
        error = reach_consumers(&sealing->reach, consumers, operation->environment,
                                operation->service, key);
    struct recipient *grown =
        error ? NULL : realloc(sealing->recipients, (consumers->count + 1) * sizeof *grown);
    if (!grown)
        return error ? error : error_set(ERR_NOMEM, "no memory for who may read a secret");
    sealing->recipients = grown;
    grown[0] = sealing->recipient;
    *count = 1;
    for (size_t i = 0; i < consumers->count; i++) {
        error = state_public_key(sealing->index->txn, &grown[*count],
                                 consumers->list[i].environment, consumers->list[i].service);
        if (error < 0)
            return error;
        *count += !error;
    }
    return 0;
}

/* What is encrypted anew is opened one at a time, so that never more than one lies open. */
static int open_again(struct sealing *sealing, const struct secret **out, const struct wish *wish)
{
    const unsigned char *data;
    size_t size;
    const int error = value_bytes(sealing->store, sealing->index->txn, &data, &size, wish->resealed,
                                  &sealing->opened);
    *out = &sealing->opened;
    return error;
}

static int seal_secret(struct sealing *sealing, const struct operation *operation, uint32_t op,
                       const struct wish *wish)
{
    const struct secret *value = &wish->secret;
    const struct gather *gather = sealing->digests->gather;
    struct place place = {.environment = operation->environment,
                          .service = operation->service,
                          .name_id = operation->name_id,
                          .entry_id = operation->entry_id,
                          .rev = sealing->index->rev,
                          .op = op,
                          .kind = ENTRY_SECRET};
    memcpy(place.store_id, sealing->store->id, STORE_ID_SIZE);
    size_t count = 0;
    int error = find_recipient(sealing, operation);
    if (!error && wish->resealed)
        error = open_again(sealing, &value, wish);
    if (!error)
        error = find_consumers(sealing, &count, operation);
    if (!error && !sealing->sealer)
        error = sealer_new(&sealing->sealer);
    if (!error && wish->data_key.size)
        return envelope_seal_with(sealing->sealer, &sealing->value, &place, value,
                                  sealing->recipients, count, wish->data_key.data);
    if (error || !wish->number)
        return error ? error
                     : envelope_seal(sealing->sealer, &sealing->value, &place, value,
                                     sealing->recipients, count);
    return request_seal(sealing->sealer, &sealing->value, &place, value, sealing->recipients, count,
                        gather->seed.data, wish->number);
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

/* What the request's seed gave of an open value; NULL: nothing. */
static const struct asked_value *value_asked(const struct sealing *sealing,
                                             const struct operation *operation,
                                             const struct wish *wish)
{
    if (!wish->number || operation->kind == OPERATION_SET_SECRET || operation->kind != wish->kind)
        return NULL;
    return &sealing->digests->gather->values[wish->number - 1];
}

/* The DB_VALUE body of a set, in scratch, and its digest. */
static int make_value(struct sealing *sealing, struct operation *operation, uint32_t op,
                      const struct wish *wish)
{
    int error = 0;
    const enum operation_kind kind = operation_value_kind(operation->kind);
    const struct digest *made = digests_take(sealing->digests, wish, kind);
    const struct asked_value *asked = value_asked(sealing, operation, wish);
    bytes_reset(&sealing->value);
    value_head_encode(&sealing->value, kind,
                      made    ? made->salt
                      : asked ? asked->salt
                              : next_salt(sealing));
    if (operation->kind == OPERATION_SET_SECRET)
        error = seal_secret(sealing, operation, op, wish);
    else
        bytes_append(&sealing->value, wish->value, wish->size);
    if (!error)
        error = sealing->value.error;
    if (!error && (made || asked))
        memcpy(operation->digest, made ? made->hash : asked->digest, HASH_SIZE);
    else if (!error)
        value_digest(operation->digest, (struct slice){sealing->value.data, sealing->value.size});
    return error;
}

/* They are applied as they are made, so that what follows finds them. */
static int make_keys(struct sealing *sealing, struct operation *operation, uint32_t op)
{
    int error = 0;
    if (operation->kind == OPERATION_VALUE_KEY && !sealing->sealer)
        error = sealer_new(&sealing->sealer);
    if (!error)
        error = seal_key(&sealing->keys, sealing->sealer, operation, op);
    sealing->has_recipient &= operation->kind != OPERATION_SERVICE_KEY;
    return error ? error : index_apply(sealing->index, operation, op);
}

/* The values go in the transaction that says so. */
static int erase(struct sealing *sealing, const struct operation *operation, uint64_t rev,
                 uint32_t op)
{
    struct txn *txn = sealing->index->txn;
    struct erasure erasure = {.rev = rev,
                              .op = op,
                              .environment = operation->environment,
                              .service = operation->service,
                              .until = operation->until};
    struct erased erased;
    if (operation->kind == OPERATION_PURGE)
        return erase_value(txn, operation->purged_rev, operation->purged_op, rev, op);
    int error = erasure_keep_tags(&erasure, txn);
    if (!error)
        error = erasure_walk(&erasure, txn, true, &erased);
    erasure_release(&erasure);
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
    if (!error && operation_makes_keys(operation->kind) &&
        !seal_key_is_made(&sealing->keys, operation->kind))
        error = make_keys(sealing, operation, op);
    if (!error && operation_destroys(operation->kind))
        error = erase(sealing, operation, draft->head.rev, op);
    return error ? error : draft_add(draft, operation, value);
}

/* A secret that is set before a service is placed may be for that one, too, whose key it must be
 * sealed for: then all pairs are made first. Where nobody was granted a place it is only for those
 * who have their keys. (What is set in one commit is not wrapped in it: that takes a key which who
 * sets need not have.) */
static int make_keys_ahead(struct sealing *sealing, struct plan *plan)
{
    size_t at = 0;
    while (at < plan->count && plan->steps[at].operation.kind != OPERATION_SET_SECRET)
        at++;
    while (at < plan->count && plan->steps[at].operation.kind != OPERATION_SERVICE_KEY)
        at++;
    if (at == plan->count)
        return 0;
    const int error = find_reach(sealing);
    return error || !sealing->reach.count ? error
                                          : seal_keys_ahead(&sealing->keys, sealing->index, plan);
}

int seal_plan(struct store *store, struct index *index, struct draft *draft, struct plan *plan,
              struct digests *digests)
{
    struct sealing sealing = {.store = store,
                              .index = index,
                              .keys = {.store = store, .txn = index->txn, .plan = plan},
                              .digests = digests,
                              .value = BYTES_INIT((size_t)4 * VALUE_MAX)};
    int error = make_keys_ahead(&sealing, plan);
    for (size_t i = 0; i < plan->count && !error; i++) {
        sealing.steps_left = plan->count - i;
        error = seal_step(&sealing, draft, &plan->steps[i], (uint32_t)i);
    }
    sealer_free(sealing.sealer);
    seal_keys_release(&sealing.keys);
    bytes_release(&sealing.value);
    secret_release(&sealing.opened);
    reach_end(&sealing.reach);
    free(sealing.consumers.list);
    free(sealing.recipients);
    return error;
}
