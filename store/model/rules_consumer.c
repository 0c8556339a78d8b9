/* Secrets that are set already, for services with which they are shared and whose keys identities
 * hold: the key of each is wrapped for those who came to it by this change. */
#include <string.h>

#include "store/db/keys.h"
#include "store/error.h"
#include "store/log/operation.h"
#include "store/log/state_relation.h"
#include "store/model/consumers.h"
#include "store/model/rules_internal.h"
#include "store/model/seal_key.h"

struct consumer {
    struct judge *judge;
    uint32_t environment, service;
    char name[SERVICE_NAME_MAX + 1];
    size_t from; /* steps of the plan before this one are not looked at for the same key */
    bool is_rotated;
};

/* Whether this change does it already. */
static bool is_planned(const struct consumer *consumer, const struct spot *spot)
{
    const struct plan *plan = consumer->judge->plan;
    for (size_t i = consumer->from; i < plan->count; i++) {
        const struct operation *step = &plan->steps[i].operation;
        if (step->kind == OPERATION_VALUE_KEY && step->environment == consumer->environment &&
            step->service == consumer->service && step->sealed_rev == spot->since &&
            step->sealed_op == spot->op)
            return true;
    }
    return false;
}

/* Whether the newest key of the service opens it: 1, 0, or a failure. */
static int opens(const struct consumer *consumer, const struct spot *spot)
{
    struct txn *txn = consumer->judge->index->txn;
    struct value_wrap wrap = {.rev = spot->since, .op = spot->op};
    struct slice body;
    struct key key;
    const unsigned char *envelope;
    size_t size;
    int found = state_public_key(txn, &wrap.owner, consumer->environment, consumer->service);
    if (found)
        return found < 0 ? found : 0; /* a pair of this very change, which is made before */
    const struct recipient newest = wrap.owner;
    found = state_value_wrap(txn, &wrap);
    if (found <= 0)
        return found < 0 ? found : 1;
    found = txn_get(txn, &body, DB_VALUE, key_operation(&key, spot->since, spot->op));
    if (!found)
        found = value_decode(&envelope, &size, OPERATION_SET_SECRET, body);
    return found ? (found < 0 ? found : 1) : envelope_is_for(envelope, size, &newest);
}

/* What ends, ends without a key at hand, too: then it is not wrapped. 1, 0, or a failure. */
static int can_wrap(const struct consumer *consumer, const struct operation *operation)
{
    const int error = seal_key_try(consumer->judge->store, consumer->judge->index->txn, operation);
    if (error != -ERR_NO_KEY && error != -ERR_CORRUPT && error != -ERR_PURGED &&
        error != -ERR_INVALID)
        return error ? error : 1;
    error_clear();
    return 0;
}

/* What this change sets is sealed for its consumers. */
static int wrap_secret(struct consumer *consumer, const struct spot *secret)
{
    if (secret->since == consumer->judge->index->rev ||
        judge_reseals(consumer->judge, secret->environment, secret->service) ||
        is_planned(consumer, secret))
        return 0;
    const int found = consumer->is_rotated ? 0 : opens(consumer, secret);
    if (found)
        return found < 0 ? found : 0;
    const struct operation operation = {.kind = OPERATION_VALUE_KEY,
                                        .environment = consumer->environment,
                                        .service = consumer->service,
                                        .sealed_rev = secret->since,
                                        .sealed_op = secret->op,
                                        .name = ""};
    const int can = consumer->judge->is_due ? can_wrap(consumer, &operation) : 1;
    return can > 0 ? plan_add(consumer->judge->plan, &operation, NULL) : can;
}

static int find_in_base(struct spot *out, struct txn *txn, uint32_t environment, uint32_t service,
                        const char *key)
{
    uint32_t base;
    const int found = state_environment_base(txn, &base, environment);
    return found ? found : state_current(txn, out, base, service, key);
}

/* One key of another service, as the environment has it itself or shows it from its base. */
static int wrap_one(struct consumer *consumer, const char *owner, const char *key)
{
    struct txn *txn = consumer->judge->index->txn;
    struct spot spot = {0};
    uint32_t service;
    int found = state_service_id(txn, &service, owner);
    if (!found && service == consumer->service)
        return 0;
    if (!found)
        found = state_current(txn, &spot, consumer->environment, service, key);
    if (!found && spot.kind == SPOT_IN_BASE)
        found = find_in_base(&spot, txn, consumer->environment, service, key);
    if (found || spot.kind != ENTRY_SECRET)
        return found < 0 ? found : 0;
    return wrap_secret(consumer, &spot);
}

static bool is_with(const char *with, const struct consumer *consumer)
{
    return strcmp(with, "*") == 0 || strcmp(with, consumer->name) == 0;
}

static int wrap_layer(struct consumer *consumer, uint32_t layer)
{
    struct state_share share = {.layer = layer};
    for (;;) {
        int found = state_next_share(consumer->judge->index->txn, &share);
        if (found || share.layer != layer)
            return found < 0 ? found : 0;
        found =
            is_with(share.consumer, consumer) ? wrap_one(consumer, share.service, share.key) : 0;
        if (found)
            return found;
    }
}

static int begin(struct consumer *consumer)
{
    const int found =
        state_service_name(consumer->judge->index->txn, consumer->name, consumer->service);
    return found > 0 ? error_set(ERR_CORRUPT, "a service has no name") : found;
}

int judge_wrap_shared(struct judge *judge, uint32_t environment, uint32_t service, bool is_rotated)
{
    struct consumer consumer = {.judge = judge,
                                .environment = environment,
                                .service = service,
                                .from = is_rotated ? judge->plan->count : 0,
                                .is_rotated = is_rotated};
    uint32_t layers[3];
    int found = consumers_is_read(judge->index->txn, environment, service);
    if (found <= 0)
        return found;
    found = begin(&consumer);
    if (!found)
        found = consumers_layers(judge->index->txn, layers, environment);
    for (unsigned i = 0; i < 3 && !found; i++)
        if (layers[i])
            found = wrap_layer(&consumer, layers[i]);
    return found < 0 ? found : 0;
}

/* --- what a commit let show otherwise --- */

static int wrap_for(struct consumer *consumer, uint32_t service, const char *owner, const char *key)
{
    consumer->service = service;
    const int found =
        consumers_is_read(consumer->judge->index->txn, consumer->environment, service);
    return found > 0 ? wrap_one(consumer, owner, key) : found;
}

static int wrap_for_all(struct consumer *consumer, const char *owner, const char *key)
{
    uint32_t environment = consumer->environment, service = 0;
    for (;;) {
        int found = consumers_next_read(consumer->judge->index->txn, &environment, &service);
        if (found || environment != consumer->environment)
            return found < 0 ? found : 0;
        found = wrap_for(consumer, service, owner, key);
        if (found)
            return found;
    }
}

static int wrap_shares(struct consumer *consumer, struct state_share *share, uint32_t layer)
{
    char owner[SERVICE_NAME_MAX + 1], key[KEY_NAME_MAX + 1];
    uint32_t service;
    memcpy(owner, share->service, sizeof owner);
    memcpy(key, share->key, sizeof key);
    for (;;) {
        int found = state_next_share(consumer->judge->index->txn, share);
        if (found || share->layer != layer || strcmp(share->service, owner) != 0 ||
            strcmp(share->key, key) != 0)
            return found < 0 ? found : 0;
        if (strcmp(share->consumer, "*") == 0)
            found = wrap_for_all(consumer, owner, key);
        else if (!(found =
                       state_service_id(consumer->judge->index->txn, &service, share->consumer)))
            found = wrap_for(consumer, service, owner, key);
        if (found < 0)
            return found;
    }
}

int judge_wrap_shown(struct judge *judge, uint32_t environment, uint32_t service, const char *key)
{
    struct consumer consumer = {.judge = judge, .environment = environment};
    char owner[SERVICE_NAME_MAX + 1];
    uint32_t layers[3];
    int found = state_service_name(judge->index->txn, owner, service);
    if (!found)
        found = consumers_layers(judge->index->txn, layers, environment);
    for (unsigned i = 0; i < 3 && !found; i++) {
        struct state_share share = {.layer = layers[i]};
        memcpy(share.service, owner, strlen(owner) + 1);
        memcpy(share.key, key, strlen(key) + 1);
        found = layers[i] ? wrap_shares(&consumer, &share, layers[i]) : 0;
    }
    return found < 0 ? found : 0;
}

/* --- what a change shares --- */

/* What one share of the plan means for one service that an identity reads. */
static int wrap_by(struct judge *judge, const struct operation *share, uint32_t environment,
                   uint32_t service)
{
    struct consumer consumer = {.judge = judge, .environment = environment, .service = service};
    char owner[SERVICE_NAME_MAX + 1], key[KEY_NAME_MAX + 1], with[SERVICE_NAME_MAX + 1];
    uint32_t layers[3], id;
    int found = consumers_layers(judge->index->txn, layers, environment);
    if (found)
        return found;
    if (layers[0] != share->environment && layers[1] != share->environment &&
        layers[2] != share->environment)
        return 0;
    found = begin(&consumer);
    if (!found)
        found = state_name(judge->index->txn, &id, key, share->name_id);
    if (!found)
        found = state_service_name(judge->index->txn, owner, share->service);
    if (found)
        return found < 0 ? found : error_set(ERR_CORRUPT, "a share has no name");
    memcpy(with, share->consumer, share->consumer_size);
    with[share->consumer_size] = '\0';
    return is_with(with, &consumer) ? wrap_one(&consumer, owner, key) : 0;
}

int judge_consumers(struct judge *judge)
{
    uint32_t environment = 0, service = 0;
    const size_t count = judge->plan->count; /* it grows */
    size_t shares = 0;
    for (size_t i = 0; i < count; i++)
        shares += judge->plan->steps[i].operation.kind == OPERATION_SHARE;
    while (shares) {
        int found = consumers_next_read(judge->index->txn, &environment, &service);
        for (size_t i = 0; i < count && !found; i++) {
            const struct operation step = judge->plan->steps[i].operation;
            if (step.kind == OPERATION_SHARE)
                found = wrap_by(judge, &step, environment, service);
        }
        if (found)
            return found < 0 ? found : 0;
    }
    return 0;
}

int judge_wrap(struct judge *judge, uint32_t environment, uint32_t service,
               const struct spot *secret, bool is_rotated)
{
    struct consumer consumer = {
        .judge = judge, .environment = environment, .service = service, .is_rotated = is_rotated};
    if (secret->environment == environment && secret->service == service)
        return 0;
    return wrap_secret(&consumer, secret);
}
