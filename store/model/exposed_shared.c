#include "store/model/exposed.h"

#include <stdlib.h>
#include <string.h>

#include "store/db/keys.h"
#include "store/error.h"
#include "store/history.h"
#include "store/log/operation.h"
#include "store/log/state.h"
#include "store/log/state_relation.h"
#include "store/model/consumers.h"
#include "store/model/core.h"
#include "store/model/reach.h"
#include "store/model/resolve.h"

struct knowing { /* who knows one secret after the other */
    struct snapshot *snapshot;
    struct txn *txn;
    uint32_t environment, service; /* whose it is */
    struct spot spot;
    struct exposed exposed;
    struct reach reach;               /* who was granted what */
    struct reach_consumers consumers; /* owned: who may open it now beside its owner, */
    bool has_consumers;               /* once it was looked up */
    char (*told)[PRINCIPAL_MAX + 1];  /* owned: of this secret */
    size_t told_count, told_capacity;
    int (*take)(void *arg, const struct exposed *);
    void *arg;
};

/* --- who may read it now --- */

static int has_grant(struct knowing *knowing, uint32_t environment, uint32_t service,
                     const char *principal)
{
    struct state_grant grant = {.environment = environment, .service = service};
    memcpy(grant.principal, principal, strlen(principal) + 1);
    const int found = state_grant(knowing->txn, &grant);
    return found < 0 ? found : !found && (grant.rights & GRANT_READ) != 0;
}

static int may_read(struct knowing *knowing, const char *principal)
{
    int may = state_grant_reads(knowing->txn, 0, 0, principal);
    if (!may)
        may = has_grant(knowing, knowing->environment, 0, principal);
    if (!may)
        may = has_grant(knowing, knowing->environment, knowing->service, principal);
    if (!may && !knowing->has_consumers) {
        may = reach_consumers(&knowing->reach, &knowing->consumers, knowing->environment,
                              knowing->service, knowing->spot.key);
        knowing->has_consumers = !may;
    }
    for (size_t i = 0; i < knowing->consumers.count && !may; i++) {
        const struct reach_consumer *consumer = &knowing->consumers.list[i];
        may = has_grant(knowing, consumer->environment, consumer->service, principal);
        if (!may)
            may = has_grant(knowing, consumer->environment, 0, principal);
    }
    return may;
}

/* --- since when not --- */

/* The newest commit that took reading there from the principal; 0: none did. */
static int find_revoked(struct knowing *knowing, uint64_t *rev, const struct recipient *owner,
                        uint32_t service, const char *principal)
{
    struct exposure exposure = {.environment = owner->environment, .service = service};
    for (;;) {
        const int found = state_next_exposure(knowing->txn, &exposure);
        if (found || exposure.environment != owner->environment || exposure.service != service)
            return found < 0 ? found : 0;
        if (strcmp(exposure.principal, principal) == 0 && exposure.rev > *rev)
            *rev = exposure.rev;
    }
}

static int unshares(struct knowing *knowing, uint64_t rev)
{
    struct operation_info info;
    for (uint32_t op = 0;; op++) {
        const int found = history_operation(knowing->snapshot, &info, rev, op);
        if (found)
            return found < 0 ? found : 0;
        if (info.kind == OPERATION_UNSHARE && info.name_id == knowing->spot.name_id)
            return 1;
    }
}

/* The newest commit after the value was set that took back a share of it in a layer. */
static int find_unshared(struct knowing *knowing, uint64_t *rev, const char *environment)
{
    struct path path = knowing->exposed.path;
    uint64_t at, before = snapshot_revision(knowing->snapshot);
    memcpy(path.environment, environment, strlen(environment) + 1);
    path.key[0] = '\0'; /* what is said of a name is no moment of the key */
    while (before > *rev && before > knowing->spot.since) {
        int found = history_touched(knowing->snapshot, &at, &path, before);
        if (found == LOOK_ON) {
            before = at;
            continue;
        }
        if (found)
            return found < 0 ? found : 0;
        if (at <= *rev || at <= knowing->spot.since)
            return 0;
        found = unshares(knowing, at);
        if (found > 0)
            *rev = at;
        if (found)
            return found < 0 ? found : 0;
        before = at - 1;
    }
    return 0;
}

static int find_since(struct knowing *knowing, const struct recipient *owner, const char *principal)
{
    uint32_t layers[3], before;
    char name[ENVIRONMENT_NAME_MAX + 1];
    uint64_t *since = &knowing->exposed.since;
    *since = 0;
    int error = find_revoked(knowing, since, owner, owner->service, principal);
    if (!error)
        error = find_revoked(knowing, since, owner, 0, principal);
    if (error || *since)
        return error;
    error = consumers_layers(knowing->txn, layers, knowing->environment);
    for (unsigned i = 0; i < 3 && !error; i++) {
        error = layers[i] ? state_environment_name(knowing->txn, name, &before, layers[i]) : 0;
        if (!error && layers[i])
            error = find_unshared(knowing, since, name);
    }
    if (!error && !*since) /* a link went, or a service: whoever had it has had it since this */
        *since = knowing->spot.since;
    return error < 0 ? error : 0;
}

/* --- who can open it --- */

static int is_told(struct knowing *knowing, const char *principal)
{
    for (size_t i = 0; i < knowing->told_count; i++)
        if (strcmp(knowing->told[i], principal) == 0)
            return 1;
    if (knowing->told_count == knowing->told_capacity) {
        const size_t capacity = knowing->told_capacity ? knowing->told_capacity * 2 : 16;
        char(*grown)[PRINCIPAL_MAX + 1] = realloc(knowing->told, capacity * sizeof *grown);
        if (!grown)
            return error_set(ERR_NOMEM, "no memory for who knows a secret");
        knowing->told = grown;
        knowing->told_capacity = capacity;
    }
    memcpy(knowing->told[knowing->told_count++], principal, strlen(principal) + 1);
    return 0;
}

static int tell_holder(struct knowing *knowing, const struct recipient *owner,
                       const uint8_t key[static CRYPTO_KEY_SIZE]);

/* Those who hold the key of an environment that stands on the secret's own: by it they open what is
 * there, and nothing else of the secret's. */
static int tell_holders_of(struct knowing *knowing, const struct recipient *owner,
                           const uint8_t key[static CRYPTO_KEY_SIZE])
{
    struct wrapped_key held = {.owner = {.environment = owner->environment, .generation = 1}};
    int found = owner->environment != knowing->environment && owner->service ? 0 : NOT_THERE;
    while (!found && !(found = state_pair(knowing->txn, &held.owner)) &&
           memcmp(held.owner.public_key, key, CRYPTO_KEY_SIZE) != 0)
        held.owner.generation++;
    while (!found) {
        found = state_next_wrapped_key(knowing->txn, &held);
        if (found)
            break;
        const int told = tell_holder(knowing, &held.owner, held.for_public_key);
        if (told)
            return told;
    }
    return found < 0 ? found : 0;
}

static int tell_holder(struct knowing *knowing, const struct recipient *owner,
                       const uint8_t key[static CRYPTO_KEY_SIZE])
{
    struct identity_state identity;
    char *principal = knowing->exposed.principal;
    int found = state_identity(knowing->txn, &identity, key);
    if (found) /* the environment holds it too */
        return found < 0 ? found : tell_holders_of(knowing, owner, key);
    if (identity.rev == 1) /* the administrator's, which may read everything */
        return 0;
    memcpy(principal, PRINCIPAL_IDENTITY, strlen(PRINCIPAL_IDENTITY));
    memcpy(principal + strlen(PRINCIPAL_IDENTITY), identity.name, strlen(identity.name) + 1);
    found = is_told(knowing, principal);
    if (!found)
        found = may_read(knowing, principal);
    if (found)
        return found < 0 ? found : 0;
    found = find_since(knowing, owner, principal);
    return found ? found : knowing->take(knowing->arg, &knowing->exposed);
}

/* Everybody who holds the private half of that pair. */
static int tell_holders(struct knowing *knowing, const struct recipient *owner)
{
    struct wrapped_key key = {.owner = *owner};
    if (owner->environment == knowing->environment && owner->service == knowing->service)
        return 0; /* its owner's are told of by what was taken from them */
    for (;;) {
        int found = state_next_wrapped_key(knowing->txn, &key);
        if (found)
            return found < 0 ? found : 0;
        found = tell_holder(knowing, owner, key.for_public_key);
        if (found)
            return found;
    }
}

/* All for whom a version was sealed, or wrapped later. One that was purged says only the latter. */
static int tell_version(struct knowing *knowing, uint64_t rev, uint32_t op)
{
    struct value_wrap wrap = {.rev = rev, .op = op};
    struct recipient owner;
    struct slice body;
    struct key key;
    const unsigned char *envelope;
    size_t size;
    int found = txn_get(knowing->txn, &body, DB_VALUE, key_operation(&key, rev, op));
    const bool is_there = !found && value_decode(&envelope, &size, OPERATION_SET_SECRET, body) == 0;
    if (found < 0)
        return found;
    for (size_t i = 0; is_there && envelope_recipient(&owner, envelope, size, i); i++) {
        found = tell_holders(knowing, &owner);
        if (found)
            return found;
    }
    while (!(found = state_next_value_wrap(knowing->txn, &wrap))) {
        found = tell_holders(knowing, &wrap.owner);
        if (found)
            return found;
    }
    return found < 0 ? found : 0;
}

/* What was encrypted anew is what it was before. Positive 1: this one is no such. */
static int find_same(struct knowing *knowing, uint64_t *rev, uint32_t *op)
{
    struct operation operation;
    struct spot before;
    int found = operation_get(knowing->txn, &operation, *rev, *op);
    if (found)
        return found < 0 ? found : error_set(ERR_CORRUPT, "an operation is gone");
    if (!operation.is_same || operation.from.environment != operation.environment ||
        operation.from.name_id != operation.name_id || operation.from.rev >= *rev)
        return 1;
    found = state_moment(knowing->txn, &before, operation.environment, operation.name_id,
                         operation.from.rev);
    if (found)
        return found;
    *rev = before.since;
    *op = before.op;
    return before.kind == ENTRY_SECRET ? 0 : 1;
}

static int tell_secret(struct knowing *knowing)
{
    uint64_t rev = knowing->spot.since;
    uint32_t op = knowing->spot.op;
    int found = 0;
    struct path *path = &knowing->exposed.path;
    memcpy(path->key, knowing->spot.key, sizeof path->key);
    knowing->exposed.rev = knowing->spot.rev;
    knowing->has_consumers = false;
    knowing->consumers.count = knowing->told_count = 0;
    while (!found) {
        found = tell_version(knowing, rev, op);
        if (found)
            return found;
        found = find_same(knowing, &rev, &op);
    }
    return found < 0 ? found : 0; /* not that of take */
}

/* --- all that is set --- */

static int tell_service(struct knowing *knowing, const struct service *service)
{
    knowing->service = service->id;
    knowing->spot = (struct spot){.kind = 0};
    memcpy(knowing->exposed.path.service, service->name, sizeof service->name);
    for (;;) {
        int found = state_next_current(knowing->txn, &knowing->spot, knowing->environment,
                                       service->id, knowing->spot.key);
        if (found)
            return found < 0 ? found : 0;
        if (knowing->spot.kind == ENTRY_SECRET)
            found = tell_secret(knowing);
        if (found)
            return found;
    }
}

static int tell_environment(struct knowing *knowing, const struct environment *environment)
{
    struct place_state place = {.alive = false};
    knowing->environment = environment->id;
    memcpy(knowing->exposed.path.environment, environment->name, sizeof environment->name);
    for (;;) {
        int found = state_next_place(knowing->txn, &place, environment->id, place.is.name);
        if (found)
            return found < 0 ? found : 0;
        if (place.alive)
            found = tell_service(knowing, &place.is);
        if (found)
            return found;
    }
}

/* Where there is one identity it may read all that there is. */
static int is_alone(struct knowing *knowing)
{
    struct identity_state identity;
    uint8_t after[CRYPTO_KEY_SIZE];
    int found = state_next_identity(knowing->txn, &identity, NULL);
    if (!found) {
        memcpy(after, identity.public_key, sizeof after);
        found = state_next_identity(knowing->txn, &identity, after);
    }
    return found < 0 ? found : found > 0;
}

static int tell_all(struct knowing *knowing)
{
    struct environment_state environment = {.alive = false};
    int found = is_alone(knowing);
    if (found)
        return found < 0 ? found : 0;
    for (;;) {
        found = state_next_environment(knowing->txn, &environment, environment.is.name);
        if (found)
            return found < 0 ? found : 0;
        if (environment.alive)
            found = tell_environment(knowing, &environment.is);
        if (found)
            return found;
    }
}

int exposed_shared(struct snapshot *snapshot, int (*take)(void *arg, const struct exposed *),
                   void *arg)
{
    struct knowing knowing = {
        .snapshot = snapshot, .txn = snapshot_txn(snapshot), .take = take, .arg = arg};
    int found = reach_begin(&knowing.reach, snapshot_store(snapshot), knowing.txn);
    if (!found)
        found = tell_all(&knowing);
    reach_end(&knowing.reach);
    free(knowing.consumers.list);
    free(knowing.told);
    return found;
}
