/* Who reaches a secret since this commit that its envelope was not sealed for: its key is wrapped
 * for them. Everything that may come to another secret was looked at, and a service that was
 * granted, or has new keys, is looked at whole. */
#include <string.h>

#include "store/error.h"
#include "store/grant.h"
#include "store/model/reach.h"
#include "store/model/settle_internal.h"

struct wrapping {
    struct settling *settling;
    struct reach reach;
    uint32_t environment, service; /* whose look it is */
    bool is_rotated;
};

/* Nothing but a commit's limit may keep from its end what has ended. */
#define ENOUGH 1
#define DUE_STEPS_MAX (COMMIT_OPERATIONS_MAX / 4)

static bool is_full(const struct wrapping *wrapping)
{
    const struct judge *judge = wrapping->settling->judge;
    return judge->is_due && judge->plan->count >= DUE_STEPS_MAX;
}

static int wrap(void *arg, const struct spot *secret)
{
    const struct wrapping *wrapping = arg;
    if (is_full(wrapping))
        return ENOUGH;
    return judge_wrap(wrapping->settling->judge, wrapping->environment, wrapping->service, secret,
                      wrapping->is_rotated);
}

static int wrap_spot(struct wrapping *wrapping, uint32_t environment, uint32_t service,
                     const char *key)
{
    if (!reach_reads(&wrapping->reach, environment, service))
        return 0;
    wrapping->environment = environment;
    wrapping->service = service;
    return reach_secrets(&wrapping->reach, environment, service, key, wrap, wrapping);
}

static int wrap_service(struct wrapping *wrapping, uint32_t environment, uint32_t service)
{
    struct spot spot = {0};
    while (reach_reads(&wrapping->reach, environment, service)) {
        int found =
            state_next_current(wrapping->settling->txn, &spot, environment, service, spot.key);
        if (found)
            return found < 0 ? found : 0;
        if (spot.kind == ENTRY_PLAIN || spot.kind == ENTRY_SECRET)
            continue;
        found = wrap_spot(wrapping, environment, service, spot.key);
        if (found)
            return found;
    }
    return 0;
}

static int wrap_environment(struct wrapping *wrapping, uint32_t environment)
{
    struct place_state place = {.alive = false};
    char name[ENVIRONMENT_NAME_MAX + 1];
    uint32_t before;
    int found = state_environment_name(wrapping->settling->txn, name, &before, environment);
    while (!found) {
        found = state_next_place(wrapping->settling->txn, &place, environment, place.is.name);
        if (!found && place.alive)
            found = wrap_service(wrapping, environment, place.is.id);
    }
    return found < 0 ? found : 0;
}

/* What one step of the plan gives to somebody as a whole. */
static int wrap_step(struct wrapping *wrapping, const struct operation *step)
{
    char principal[PRINCIPAL_MAX + 1] = "";
    wrapping->is_rotated = step->kind == OPERATION_SERVICE_KEY && !step->turn;
    if (wrapping->is_rotated)
        return wrap_service(wrapping, step->environment, step->service);
    if (step->kind != OPERATION_RIGHTS_GRANT || !step->environment || !(step->rights & GRANT_READ))
        return 0;
    memcpy(principal, step->principal, step->principal_size);
    if (!principal_is_identity(principal))
        return 0;
    return step->service ? wrap_service(wrapping, step->environment, step->service)
                         : wrap_environment(wrapping, step->environment);
}

static int wrap_all(struct wrapping *wrapping)
{
    struct settling *settling = wrapping->settling;
    const size_t steps = settling->judge->plan->count; /* it grows */
    int error = 0;
    for (size_t i = 0; i < settling->look_count && !error; i++) {
        const struct look *look = &settling->looks[i];
        if (look->environment & LAYER_OF_DEFAULTS || settle_is_fresh(settling, look))
            continue;
        error = wrap_spot(wrapping, look->environment, look->service, look->key);
        if (!error && !is_full(wrapping))
            error = judge_wrap_shown(settling->judge, look->environment, look->service, look->key);
    }
    for (size_t i = 0; i < steps && !error; i++) {
        const struct operation step = settling->judge->plan->steps[i].operation;
        error = wrap_step(wrapping, &step);
    }
    return error;
}

/* Whether anything may be reached that was not: most loads only bring what is new. */
static bool is_needed(const struct settling *settling)
{
    const struct plan *plan = settling->judge->plan;
    if (settling->judge->is_bare)
        return false;
    for (size_t i = 0; i < settling->look_count; i++)
        if (!settle_is_fresh(settling, &settling->looks[i]))
            return true;
    for (size_t i = 0; i < plan->count; i++)
        if (plan->steps[i].operation.kind == OPERATION_RIGHTS_GRANT ||
            plan->steps[i].operation.kind == OPERATION_SERVICE_KEY)
            return true;
    return false;
}

int settle_consumers(struct settling *settling)
{
    struct wrapping wrapping = {.settling = settling};
    if (!is_needed(settling))
        return 0;
    int error = reach_begin(&wrapping.reach, settling->judge->store, settling->txn);
    wrapping.reach.plan = settling->judge->plan;
    wrapping.reach.plan_rev = settling->rev;
    if (!error && wrapping.reach.count)
        error = wrap_all(&wrapping);
    reach_end(&wrapping.reach);
    return error == ENOUGH ? 0 : error;
}
