#include "store/grant.h"

#include <string.h>

#include "store/error.h"
#include "store/log/state_relation.h"
#include "store/model/core.h"

static void fill(struct grant *out, const struct state_grant *grant)
{
    out->environment = grant->environment;
    out->service = grant->service;
    out->rights = grant->rights;
    out->rev = grant->rev;
    out->op = grant->op;
    memcpy(out->principal, grant->principal, sizeof out->principal);
}

int grant_at(struct snapshot *snapshot, struct grant *out, uint32_t environment, uint32_t service,
             const char *principal)
{
    struct state_grant grant = {.environment = environment, .service = service};
    const size_t size = strlen(principal);
    if (size > PRINCIPAL_MAX)
        return NOT_THERE;
    memcpy(grant.principal, principal, size);
    const int found = state_grant(snapshot_txn(snapshot), &grant);
    if (!found)
        fill(out, &grant);
    return snapshot_answer(snapshot, found);
}

int grant_next(struct snapshot *snapshot, struct grant *at)
{
    struct state_grant grant = {.environment = at->environment, .service = at->service};
    memcpy(grant.principal, at->principal, sizeof grant.principal);
    const int found = state_next_grant(snapshot_txn(snapshot), &grant);
    if (!found)
        fill(at, &grant);
    return snapshot_answer(snapshot, found);
}
