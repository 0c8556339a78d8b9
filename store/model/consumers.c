#include "store/model/consumers.h"

#include <string.h>

#include "store/error.h"
#include "store/grant.h"
#include "store/log/state.h"
#include "store/log/state_relation.h"

#define ALL "all"

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
