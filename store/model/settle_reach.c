/* Who depends on what: from the operations of a commit to the spots that they bear on, and from a
 * spot to those that refer to it. */
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/model/settle_internal.h"

static bool stands_on(const struct known *environment, const struct known *layer)
{
    return !environment->is_all && (layer->is_all || environment->is.base == layer->is.id) &&
           environment != layer;
}

static bool is_present(struct settling *settling, const struct known *environment,
                       const char *service)
{
    struct place_state place;
    return !state_place(settling->txn, &place, environment->is.id, service) && place.alive;
}

static int look_anew(struct settling *settling, uint32_t environment, uint32_t service,
                     uint64_t name_id, const char *key)
{
    struct look *look;
    return settle_look(settling, &look, environment, service, name_id, key);
}

/* The spots that a definition of a layer lies beneath. */
static int look_above(struct settling *settling, const struct known *layer, uint32_t service,
                      uint64_t name_id, const char *key)
{
    char name[SERVICE_NAME_MAX + 1] = "";
    int error = 0;
    for (size_t i = 0; i < settling->environment_count && !error; i++) {
        const struct known *environment = &settling->environments[i];
        if (!stands_on(environment, layer))
            continue;
        if (!name[0])
            error = state_service_name(settling->txn, name, service);
        if (!error && is_present(settling, environment, name))
            error = look_anew(settling, environment->is.id, service, name_id, key);
    }
    return error;
}

static int collect_key(struct settling *settling, const struct operation *operation, uint32_t op)
{
    const struct known *layer = settle_environment(settling, operation->environment);
    char key[KEY_NAME_MAX + 1];
    struct look *look;
    memcpy(key, operation->name, operation->name_size);
    key[operation->name_size] = '\0';
    const int error = settle_look(settling, &look, operation_layer(operation), operation->service,
                                  operation->name_id, key);
    if (error)
        return error;
    look->step = op + 1;
    look->steps++;
    if (operation_is_of_default(operation->kind))
        return 0; /* what shows it is looked for with the schema */
    return layer ? look_above(settling, layer, operation->service, operation->name_id, key) : 0;
}

/* --- services that come and go --- */

/* Into its place in their order; mostly that is the end. NULL: no memory. */
static struct change_of_place *add_place(struct settling *settling, uint32_t environment,
                                         uint32_t service)
{
    const size_t at = settle_place_at(settling, environment, service);
    if (settling->place_count == settling->place_capacity) {
        const size_t capacity = settling->place_capacity ? settling->place_capacity * 2 : 8;
        struct change_of_place *grown =
            realloc(settling->places, capacity * sizeof *settling->places);
        if (!grown)
            return NULL;
        settling->places = grown;
        settling->place_capacity = capacity;
    }
    struct change_of_place *place = &settling->places[at];
    memmove(place + 1, place, (settling->place_count++ - at) * sizeof *place);
    *place = (struct change_of_place){.environment = environment, .service = service};
    return place;
}

static int note_place(struct settling *settling, const struct operation *operation)
{
    const bool is_come = operation->kind == OPERATION_SERVICE_ADD;
    struct change_of_place *place =
        settle_place(settling, operation->environment, operation->service);
    if (!place)
        place = add_place(settling, operation->environment, operation->service);
    if (!place)
        return error_set(ERR_NOMEM, "no memory to settle a change");
    if (is_come) {
        place->come = (uint16_t)operation->turn;
        place->is_come = true;
    } else if (place->is_come) {
        place->is_come = false; /* it came by this commit, and went again */
    } else {
        place->gone = (uint16_t)operation->turn;
        place->is_gone = true;
    }
    return 0;
}

/* What the layers beneath an environment define of a service that was placed there. */
static int look_beneath(struct settling *settling, uint32_t environment, uint32_t service)
{
    struct resolver *now = settle_now(settling, environment);
    int found = resolver_layers(now);
    if (found)
        return found < 0 ? found : 0;
    const uint32_t all = now->is_all ? 0 : now->all;
    const uint32_t layers[] = {now->base, all, now->base | LAYER_OF_DEFAULTS,
                               all | LAYER_OF_DEFAULTS};
    for (unsigned i = 0; i < (settling->has_schemas ? 4 : 2); i++) {
        struct spot spot = {0};
        if (!(layers[i] & ~LAYER_OF_DEFAULTS))
            continue;
        while (!(found = state_next_current(settling->txn, &spot, layers[i], service, spot.key))) {
            if (!spot_is_own(&spot))
                continue;
            found = look_anew(settling, environment, service, spot.name_id, spot.key);
            if (found)
                return found;
        }
        if (found < 0)
            return found;
    }
    return 0;
}

/* What is still in effect at a service that is gone: what lay beneath. */
static int look_left(struct settling *settling, uint32_t environment, uint32_t service)
{
    struct spot spot = {0};
    int found;
    while (!(found = state_next_current(settling->txn, &spot, environment, service, spot.key))) {
        found = look_anew(settling, environment, service, spot.name_id, spot.key);
        if (found)
            return found;
    }
    return found < 0 ? found : 0;
}

/* Where a service comes nothing is left: what it has by this commit is looked at by itself, and
 * what it had is left by a removal in this commit. */
static int collect_place(struct settling *settling, const struct operation *operation)
{
    const int error = note_place(settling, operation);
    if (error)
        return error;
    return operation->kind == OPERATION_SERVICE_REMOVE
               ? look_left(settling, operation->environment, operation->service)
               : look_beneath(settling, operation->environment, operation->service);
}

/* --- what is said of names --- */

/* Who refers to a name that is shared with fewer. */
static int collect_unshare(struct settling *settling, const struct operation *operation)
{
    const struct known *layer = settle_environment(settling, operation->environment);
    char key[KEY_NAME_MAX + 1];
    int error = 0;
    memcpy(key, operation->name, operation->name_size);
    key[operation->name_size] = '\0';
    for (size_t i = 0; layer && i < settling->environment_count && !error; i++) {
        const struct known *environment = &settling->environments[i];
        if (environment == layer || stands_on(environment, layer))
            error = settle_referrers(settling, environment->is.id, operation->service, key);
    }
    return error;
}

static int collect_operation(struct settling *settling, uint32_t op)
{
    const struct operation *operation = &settling->judge->plan->steps[op].operation;
    if (operation_is_of_key(operation->kind) || operation_is_of_default(operation->kind))
        return collect_key(settling, operation, op);
    if (operation->kind == OPERATION_SERVICE_ADD || operation->kind == OPERATION_SERVICE_REMOVE)
        return collect_place(settling, operation);
    return 0;
}

int settle_collect(struct settling *settling)
{
    const struct plan *plan = settling->judge->plan;
    int error = 0;
    settling->cause = CAUSE_VALUE;
    for (size_t i = 0; i < plan->count && !error; i++)
        error = collect_operation(settling, (uint32_t)i);
    settling->cause = CAUSE_SCHEMA;
    for (size_t i = 0; i < plan->count && settling->judge->schema_count && !error; i++)
        error = settle_collect_schema(settling, (uint32_t)i);
    settling->cause = CAUSE_VALUE;
    return error;
}

int settle_next_above(struct settling *settling, const struct known **out, size_t *at,
                      uint32_t layer_id, uint32_t service)
{
    const struct known *layer = settle_environment(settling, layer_id);
    char name[SERVICE_NAME_MAX + 1] = "";
    while (layer && *at < settling->environment_count) {
        const struct known *environment = &settling->environments[(*at)++];
        if (environment->is_all || (environment != layer && !stands_on(environment, layer)))
            continue;
        if (!name[0]) {
            const int error = state_service_name(settling->txn, name, service);
            if (error)
                return error;
        }
        if (is_present(settling, environment, name)) {
            *out = environment;
            return 0;
        }
    }
    return NOT_THERE;
}

/* A service takes with it what it shared in its layer. */
static int collect_unshared_service(struct settling *settling, const struct operation *operation)
{
    const struct known *layer = settle_environment(settling, operation->environment);
    int error = 0;
    for (size_t i = 0; layer && i < settling->environment_count && !error; i++) {
        const struct known *environment = &settling->environments[i];
        if (environment == layer || stands_on(environment, layer))
            error = settle_referrers(settling, environment->is.id, operation->service, NULL);
    }
    return error;
}

int settle_collect_relations(struct settling *settling)
{
    const struct plan *plan = settling->judge->plan;
    int error = 0;
    for (size_t i = 0; i < plan->count && !error; i++) {
        const struct operation *operation = &plan->steps[i].operation;
        settling->cause = CAUSE_VALUE;
        if (operation->kind == OPERATION_UNSHARE)
            error = collect_unshare(settling, operation);
        settling->cause = 0; /* what went with the service was looked at, as what it is */
        if (operation->kind == OPERATION_SERVICE_REMOVE)
            error = collect_unshared_service(settling, operation);
    }
    settling->cause = CAUSE_VALUE;
    return error;
}

/* --- referrers --- */

/* A definition of a layer refers to the name: it counts where it is the one in effect. */
static int look_at_referrer(struct settling *settling, uint32_t environment, uint32_t layer,
                            const struct resolver *now, uint64_t name_id)
{
    struct spot spot;
    struct look *look;
    uint32_t service;
    char key[KEY_NAME_MAX + 1];
    int found = state_name(settling->txn, &service, key, name_id);
    if (!found)
        found = state_current(settling->txn, &spot, environment, service, key);
    if (found)
        return found < 0 ? found : 0;
    if (resolve_defined(now, &spot) != layer)
        return 0;
    return settle_look(settling, &look, environment, service, name_id, key);
}

int settle_referrers(struct settling *settling, uint32_t environment, uint32_t service,
                     const char *key)
{
    struct resolver *now = settle_now(settling, environment);
    char name[SERVICE_NAME_MAX + 1];
    if (!settling->has_references)
        return 0;
    int found = resolver_layers(now);
    if (found || now->is_all)
        return found < 0 ? found : 0;
    const uint32_t layers[] = {environment, now->base, now->all};
    found = state_service_name(settling->txn, name, service);
    for (unsigned i = 0; i < 3 && !found; i++) {
        struct state_reference at = {.layer = layers[i]};
        if (!layers[i])
            continue;
        memcpy(at.service, name, sizeof at.service);
        memcpy(at.key, key ? key : "", strlen(key ? key : "") + 1);
        while (!(found = state_next_reference(settling->txn, &at)) && at.layer == layers[i] &&
               strcmp(at.service, name) == 0 && (!key || strcmp(at.key, key) == 0)) {
            found = look_at_referrer(settling, environment, layers[i], now, at.name_id);
            if (found)
                return found;
        }
        found = found > 0 ? 0 : found;
    }
    return found < 0 ? found : 0;
}
