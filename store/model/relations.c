#include "store/relations.h"

#include <string.h>

#include "store/error.h"
#include "store/log/state_relation.h"
#include "store/model/core.h"
#include "store/model/resolve.h"

/* A resolver of an environment, as it is now. NOT_THERE: there was none. */
static int begin(struct snapshot *snapshot, struct resolver *resolver, uint32_t environment)
{
    resolver_begin(resolver, snapshot_store(snapshot), snapshot_txn(snapshot), environment,
                   UINT64_MAX);
    return resolver_layers(resolver);
}

int relation_layers(struct snapshot *snapshot, uint32_t layers[static LAYERS_MAX],
                    uint32_t environment)
{
    struct resolver resolver;
    int count = 0;
    const int found = begin(snapshot, &resolver, environment);
    if (found)
        return found < 0 ? snapshot_answer(snapshot, found) : 0;
    layers[count++] = environment;
    if (resolver.base)
        layers[count++] = resolver.base;
    if (resolver.all && !resolver.is_all)
        layers[count++] = resolver.all;
    return count;
}

static bool is_name(const char *service, const char *key, const char *wanted_service,
                    const char *wanted_key)
{
    return strcmp(service, wanted_service) == 0 && strcmp(key, wanted_key) == 0;
}

int relation_next_referrer(struct snapshot *snapshot, struct referrer *at, uint32_t layer,
                           const char *service, const char *key)
{
    struct txn *txn = snapshot_txn(snapshot);
    struct state_reference reference = {.layer = layer, .name_id = at->name_id};
    memcpy(reference.service, service, strlen(service) + 1);
    memcpy(reference.key, key, strlen(key) + 1);
    int found = state_next_reference(txn, &reference);
    if (!found &&
        (reference.layer != layer || !is_name(reference.service, reference.key, service, key)))
        found = NOT_THERE;
    if (found)
        return snapshot_answer(snapshot, found);
    at->name_id = reference.name_id;
    found = state_name(txn, &at->service, at->key, at->name_id);
    if (found > 0)
        found = error_set(ERR_CORRUPT, "a reference is nobody's");
    return snapshot_answer(snapshot, found);
}

/* The next share after *at. */
static int next_share(struct snapshot *snapshot, struct share *at, uint32_t layer)
{
    struct state_share share = {.layer = layer};
    memcpy(share.service, at->service, sizeof share.service);
    memcpy(share.key, at->key, sizeof share.key);
    memcpy(share.consumer, at->consumer, sizeof share.consumer);
    int found = state_next_share(snapshot_txn(snapshot), &share);
    if (!found && share.layer != layer)
        found = NOT_THERE;
    if (!found) {
        memcpy(at->service, share.service, sizeof at->service);
        memcpy(at->key, share.key, sizeof at->key);
        memcpy(at->consumer, share.consumer, sizeof at->consumer);
        at->rev = share.rev;
        at->op = share.op;
    }
    return snapshot_answer(snapshot, found);
}

int relation_next_share(struct snapshot *snapshot, struct share *at, uint32_t layer,
                        const char *service, const char *key)
{
    struct share next = *at;
    memcpy(next.service, service, strlen(service) + 1);
    memcpy(next.key, key, strlen(key) + 1);
    const int found = next_share(snapshot, &next, layer);
    if (found || !is_name(next.service, next.key, service, key))
        return found ? found : NOT_THERE;
    *at = next;
    return 0;
}

int relation_next_share_in(struct snapshot *snapshot, struct share *at, uint32_t layer,
                           const char *service)
{
    struct share next = *at;
    memcpy(next.service, service, strlen(service) + 1);
    const int found = next_share(snapshot, &next, layer);
    if (found || strcmp(next.service, service) != 0)
        return found ? found : NOT_THERE;
    *at = next;
    return 0;
}

int relation_next_share_of(struct snapshot *snapshot, struct share *at, uint32_t layer)
{
    return next_share(snapshot, at, layer);
}

/* Whether what is in effect at a name is a secret: 1, 0, or a failure; nothing there is none. */
static int is_secret(struct snapshot *snapshot, uint32_t environment, const char *service,
                     const char *key)
{
    struct entry entry;
    uint32_t id;
    int found = state_service_id(snapshot_txn(snapshot), &id, service);
    if (!found)
        found = snapshot_entry(snapshot, &entry, environment, id, key);
    return found < 0 ? found : !found && entry.kind == ENTRY_SECRET;
}

int relation_is_shared(struct snapshot *snapshot, uint32_t environment, const char *service,
                       const char *key, const char *consumer, uint64_t *rev, uint32_t *layer)
{
    struct resolver resolver;
    struct state_share share;
    const int secret = is_secret(snapshot, environment, service, key);
    if (secret < 0)
        return secret;
    int found = begin(snapshot, &resolver, environment);
    if (found)
        return found < 0 ? snapshot_answer(snapshot, found) : 0;
    found = resolve_is_shared(&resolver, &share, service, key, consumer, secret);
    if (found <= 0)
        return snapshot_answer(snapshot, found);
    *rev = share.rev;
    *layer = share.layer;
    return 1;
}

static void fill_lock(struct lock *out, const struct state_lock *lock)
{
    memcpy(out->service, lock->service, sizeof out->service);
    memcpy(out->key, lock->key, sizeof out->key);
    out->rev = lock->rev;
}

int relation_lock(struct snapshot *snapshot, struct lock *out, uint32_t environment,
                  const char *service, const char *key)
{
    const char *const places[][2] = {{service, key}, {service, ""}, {"", ""}};
    for (unsigned i = 0; i < 3; i++) {
        struct state_lock lock = {.environment = environment};
        memcpy(lock.service, places[i][0], strlen(places[i][0]) + 1);
        memcpy(lock.key, places[i][1], strlen(places[i][1]) + 1);
        const int found = state_lock(snapshot_txn(snapshot), &lock);
        if (found < 0)
            return snapshot_answer(snapshot, found);
        if (!found) {
            fill_lock(out, &lock);
            return 0;
        }
    }
    return NOT_THERE;
}

int relation_next_lock(struct snapshot *snapshot, struct lock *at, uint32_t environment)
{
    struct state_lock lock = {.environment = environment};
    struct txn *txn = snapshot_txn(snapshot);
    memcpy(lock.service, at->service, sizeof lock.service);
    memcpy(lock.key, at->key, sizeof lock.key);
    /* An environment's own lock is the first of all, and looked for where the walk begins. */
    int found = at->rev == 0 ? state_lock(txn, &lock) : NOT_THERE;
    if (found > 0)
        found = state_next_lock(txn, &lock);
    if (!found && lock.environment != environment)
        found = NOT_THERE;
    if (!found)
        fill_lock(at, &lock);
    return snapshot_answer(snapshot, found);
}
