#include "store/model/consumers.h"

#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/grant.h"
#include "store/log/state.h"
#include "store/log/state_relation.h"

#define ALL "all"
#define EVERY "*"

int consumers_layers(struct txn *txn, uint32_t out[static 3], uint32_t environment)
{
    struct environment_state all = {0};
    uint32_t base = 0;
    int found = state_environment_base(txn, &base, environment);
    if (!found)
        found = state_environment(txn, &all, ALL);
    if (found < 0)
        return found;
    out[0] = environment;
    out[1] = base;
    out[2] = !found && all.alive && all.is.id != environment ? all.is.id : 0;
    return 0;
}

static bool is_reader(const struct state_grant *grant)
{
    return grant->service && principal_is_identity(grant->principal) && grant->rights & GRANT_READ;
}

int consumers_is_read(struct txn *txn, uint32_t environment, uint32_t service)
{
    struct state_grant grant = {.environment = environment, .service = service};
    for (;;) {
        const int found = state_next_grant(txn, &grant);
        if (found || grant.environment != environment || grant.service != service)
            return found < 0 ? found : 0;
        if (is_reader(&grant))
            return 1;
    }
}

int consumers_next_read(struct txn *txn, uint32_t *environment, uint32_t *service)
{
    struct state_grant grant = {.environment = *environment, .service = *service + 1};
    for (;;) {
        const int found = state_next_grant(txn, &grant);
        if (found)
            return found;
        if (!is_reader(&grant))
            continue;
        *environment = grant.environment;
        *service = grant.service;
        return 0;
    }
}

struct gathering {
    struct txn *txn;
    uint32_t environment, owner;
    uint32_t *services; /* the caller's */
    size_t count;
};

static int add(struct gathering *gathering, uint32_t service)
{
    if (service == gathering->owner)
        return 0;
    for (size_t i = 0; i < gathering->count; i++)
        if (gathering->services[i] == service)
            return 0;
    uint32_t *grown =
        realloc(gathering->services, (gathering->count + 1) * sizeof *gathering->services);
    if (!grown)
        return error_set(ERR_NOMEM, "no memory for who may read a secret");
    gathering->services = grown;
    grown[gathering->count++] = service;
    return 0;
}

static int add_every(struct gathering *gathering)
{
    uint32_t environment = gathering->environment, service = 0;
    for (;;) {
        int found = consumers_next_read(gathering->txn, &environment, &service);
        if (found || environment != gathering->environment)
            return found < 0 ? found : 0;
        found = add(gathering, service);
        if (found)
            return found;
    }
}

static int add_named(struct gathering *gathering, const char *name)
{
    uint32_t service;
    int found = state_service_id(gathering->txn, &service, name);
    if (found)
        return found < 0 ? found : 0;
    found = consumers_is_read(gathering->txn, gathering->environment, service);
    return found > 0 ? add(gathering, service) : found;
}

static int add_layer(struct gathering *gathering, uint32_t layer, const char *owner,
                     const char *key)
{
    struct state_share share = {.layer = layer};
    memcpy(share.service, owner, strlen(owner) + 1);
    memcpy(share.key, key, strlen(key) + 1);
    for (;;) {
        int found = state_next_share(gathering->txn, &share);
        if (found || share.layer != layer || strcmp(share.service, owner) != 0 ||
            strcmp(share.key, key) != 0)
            return found < 0 ? found : 0;
        found = strcmp(share.consumer, EVERY) == 0 ? add_every(gathering)
                                                   : add_named(gathering, share.consumer);
        if (found)
            return found;
    }
}

int consumers_of(struct txn *txn, uint32_t **services, size_t *count, uint32_t environment,
                 uint32_t owner, const char *key)
{
    struct gathering gathering = {
        .txn = txn, .environment = environment, .owner = owner, .services = *services};
    char name[SERVICE_NAME_MAX + 1];
    uint32_t layers[3];
    int error = state_service_name(txn, name, owner);
    if (!error)
        error = consumers_layers(txn, layers, environment);
    if (error > 0)
        error = error_set(ERR_CORRUPT, "a service has no name");
    for (unsigned i = 0; i < 3 && !error; i++)
        if (layers[i])
            error = add_layer(&gathering, layers[i], name, key);
    *services = gathering.services;
    *count = gathering.count;
    return error;
}
