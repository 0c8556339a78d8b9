#include "store/grant.h"

#include <string.h>

#include "store/db/keys.h"
#include "store/error.h"
#include "store/log/operation.h"
#include "store/log/state.h"
#include "store/log/state_relation.h"
#include "store/model/core.h"
#include "store/sealed.h"

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

static void fill_identity(struct known_identity *out, const struct identity_state *identity)
{
    memcpy(out->name, identity->name, sizeof out->name);
    identity_public_text(out->text, identity->public_key, identity->signing_key);
    out->rev = identity->rev;
}

int grant_identity(struct snapshot *snapshot, struct known_identity *out, const char *name)
{
    struct identity_state identity;
    if (strlen(name) > PRINCIPAL_NAME_MAX)
        return NOT_THERE;
    const int found = state_identity_named(snapshot_txn(snapshot), &identity, name);
    if (!found)
        fill_identity(out, &identity);
    return snapshot_answer(snapshot, found);
}

int grant_signer(struct snapshot *snapshot, struct known_identity *out,
                 const unsigned char key[static 32])
{
    struct identity_state identity;
    const int found = state_signer(snapshot_txn(snapshot), &identity, key, UINT64_MAX);
    if (!found)
        fill_identity(out, &identity);
    return snapshot_answer(snapshot, found);
}

int sealed_for(struct snapshot *snapshot, struct sealed_for *out, uint32_t environment,
               uint32_t service)
{
    struct recipient pair;
    const int found = state_public_key(snapshot_txn(snapshot), &pair, environment, service);
    if (!found) {
        *out = (struct sealed_for){.environment = pair.environment,
                                   .service = pair.service,
                                   .generation = pair.generation};
        memcpy(out->public_key, pair.public_key, SEALED_KEY_SIZE);
        memcpy(out->store_id, snapshot_store(snapshot)->id, STORE_ID_SIZE);
    }
    return snapshot_answer(snapshot, found);
}
