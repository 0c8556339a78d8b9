/* What could be read by who may read it no more: at the places that were taken from somebody
 * (store/grant.h), and, in exposed_shared.c, of other services. */
#include "store/model/exposed.h"

#include <string.h>

#include "store/error.h"
#include "store/log/operation.h"
#include "store/log/state.h"
#include "store/log/state_relation.h"
#include "store/model/core.h"

struct looking { /* for what was exposed and is as it was */
    struct txn *txn;
    struct exposure exposure;
    struct exposed exposed;
    int (*take)(void *arg, const struct exposed *);
    void *arg;
};

/* Whether the value that is set now was set before it might not be read any more: 1, 0, or a
 * failure. A copy of such a value is one. */
static int is_known_value(struct looking *looking, const struct spot *spot)
{
    struct operation operation;
    if (spot->rev < looking->exposure.rev)
        return 1;
    int found = operation_get(looking->txn, &operation, spot->since, spot->op);
    if (found)
        return found < 0 ? found : error_set(ERR_CORRUPT, "an operation is gone");
    const uint32_t exposed = looking->exposure.environment;
    return operation.from.rev && operation.from.rev < looking->exposure.rev &&
           (!exposed || operation.from.environment == exposed);
}

static int look_at_service(struct looking *looking, const struct service *service)
{
    struct spot spot = {0};
    for (;;) {
        int found =
            state_next_current(looking->txn, &spot, service->environment, service->id, spot.key);
        if (found)
            return found < 0 ? found : 0;
        if (spot.kind != ENTRY_SECRET)
            continue;
        found = is_known_value(looking, &spot);
        if (found <= 0) {
            if (found)
                return found;
            continue;
        }
        struct path *path = &looking->exposed.path;
        memcpy(path->service, service->name, sizeof path->service);
        memcpy(path->key, spot.key, sizeof path->key);
        looking->exposed.rev = spot.rev;
        found = looking->take(looking->arg, &looking->exposed);
        if (found)
            return found;
    }
}

/* Whoever may read there again is no stranger to it. 1, 0, or a failure. */
static int may_read(struct looking *looking, uint32_t environment, uint32_t service)
{
    return state_grant_reads(looking->txn, environment, service, looking->exposure.principal);
}

/* What was exposed in one environment that is there. */
static int look_at_environment(struct looking *looking, const struct environment *environment)
{
    struct place_state place = {0};
    const struct exposure *exposure = &looking->exposure;
    int found = may_read(looking, environment->id, 0);
    if (found)
        return found < 0 ? found : 0;
    memcpy(looking->exposed.path.environment, environment->name,
           sizeof looking->exposed.path.environment);
    for (;;) {
        found = state_next_place(looking->txn, &place, environment->id, place.is.name);
        if (found)
            return found < 0 ? found : 0;
        if (!place.alive || (exposure->service && place.is.id != exposure->service))
            continue;
        found = may_read(looking, environment->id, place.is.id);
        if (!found)
            found = look_at_service(looking, &place.is);
        else if (found > 0)
            found = 0;
        if (found)
            return found;
    }
}

/* All of them, where everything could be read. */
static int look_at(struct looking *looking)
{
    struct environment_state state = {0};
    int found = may_read(looking, 0, 0);
    if (found)
        return found < 0 ? found : 0;
    memcpy(looking->exposed.principal, looking->exposure.principal,
           sizeof looking->exposed.principal);
    looking->exposed.since = looking->exposure.rev;
    while (!(found = state_next_environment(looking->txn, &state, state.is.name))) {
        const uint32_t id = looking->exposure.environment;
        if (!state.alive || (id && id != state.is.id))
            continue;
        found = look_at_environment(looking, &state.is);
        if (found)
            return found;
    }
    return found < 0 ? found : 0;
}

int grant_each_exposed(struct snapshot *snapshot, int (*take)(void *arg, const struct exposed *),
                       void *arg)
{
    struct looking looking = {.txn = snapshot_txn(snapshot), .take = take, .arg = arg};
    int found;
    while (!(found = state_next_exposure(looking.txn, &looking.exposure))) {
        memset(&looking.exposed, 0, sizeof looking.exposed);
        found = look_at(&looking);
        if (found)
            return found < 0 ? snapshot_answer(snapshot, found) : 0;
    }
    if (found == NOT_THERE)
        found = exposed_shared(snapshot, take, arg);
    return found < 0 ? snapshot_answer(snapshot, found) : 0;
}
