/* New generations of key pairs: whose private halves are wrapped for whom, and what is wrapped for
 * them anew. Pairs are made when nothing was refused (seal.c): which generation that is is told
 * apart then. */
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/grant.h"
#include "store/log/state_relation.h"
#include "store/model/rules_internal.h"

int judge_step_of_grant(struct judge *judge, uint32_t environment, uint32_t service,
                        const uint8_t *for_key)
{
    const struct operation operation = {.kind = OPERATION_GRANT,
                                        .environment = environment,
                                        .service = service,
                                        .for_key = for_key,
                                        .name = ""};
    return plan_add(judge->plan, &operation, NULL);
}

int judge_step_of_generation(struct judge *judge, uint32_t environment, uint32_t service)
{
    const struct operation operation = {.kind = service ? OPERATION_SERVICE_KEY
                                                        : OPERATION_ENVIRONMENT_KEY,
                                        .environment = environment,
                                        .service = service,
                                        .first = true,
                                        .name = ""};
    return plan_add(judge->plan, &operation, NULL);
}

int judge_is_granted(struct judge *judge, uint32_t environment, uint32_t service)
{
    struct txn *txn = judge->index->txn;
    struct identity_state identity;
    struct wrapped_key key = {0};
    int found = state_public_key(txn, &key.owner, environment, service);
    while (!found) {
        found = state_next_wrapped_key(txn, &key);
        if (!found && !state_identity(txn, &identity, key.for_public_key))
            return 1;
    }
    return found < 0 ? found : 0;
}

static bool covers(const struct rotation *rotation, uint32_t environment, uint32_t service)
{
    return rotation->environment == environment &&
           (!rotation->service || rotation->service == service);
}

int judge_want_rotation(struct judge *judge, uint32_t environment, uint32_t service)
{
    const struct rotation wanted = {environment, service};
    size_t kept = 0;
    for (size_t i = 0; i < judge->rotation_count; i++)
        if (covers(&judge->rotations[i], environment, service))
            return 0;
    struct rotation *grown = realloc(judge->rotations, (judge->rotation_count + 1) * sizeof *grown);
    if (!grown)
        return error_set(ERR_NOMEM, "no memory to judge a change");
    judge->rotations = grown;
    for (size_t i = 0; i < judge->rotation_count; i++)
        if (!covers(&wanted, grown[i].environment, grown[i].service))
            grown[kept++] = grown[i];
    grown[kept] = wanted;
    judge->rotation_count = kept + 1;
    return 0;
}

static int want_reseal(struct judge *judge, uint32_t environment, uint32_t service)
{
    struct rotation *grown = realloc(judge->resealed, (judge->resealed_count + 1) * sizeof *grown);
    if (!grown)
        return error_set(ERR_NOMEM, "no memory to judge a change");
    judge->resealed = grown;
    for (size_t i = 0; i < judge->resealed_count; i++)
        if (covers(&grown[i], environment, service))
            return 0;
    size_t kept = 0;
    const struct rotation wanted = {environment, service};
    for (size_t i = 0; i < judge->resealed_count; i++)
        if (!covers(&wanted, grown[i].environment, grown[i].service))
            grown[kept++] = grown[i];
    grown[kept] = wanted;
    judge->resealed_count = kept + 1;
    return 0;
}

bool judge_reseals(const struct judge *judge, uint32_t environment, uint32_t service)
{
    for (size_t i = 0; i < judge->resealed_count; i++)
        if (covers(&judge->resealed[i], environment, service))
            return true;
    return false;
}

int judge_rotate(struct judge *judge, const struct wish *wish)
{
    struct operation operation = {0};
    const char *name;
    int found = judge_find_place(judge, &operation, &name, wish);
    if (found)
        return found < 0 ? found : 0;
    found = plan_line(judge->plan, '~', false, 0, wish->environment, wish->service, "");
    if (!found)
        found = plan_line_subject(judge->plan, CHANGE_KEYS, wish->reencrypts ? REENCRYPTED : "");
    if (!found && wish->reencrypts)
        found = want_reseal(judge, operation.environment, operation.service);
    return found ? found : judge_want_rotation(judge, operation.environment, operation.service);
}

static int grant_to(struct judge *judge, uint32_t environment, uint32_t service,
                    const char *principal)
{
    struct identity_state identity;
    const int found =
        state_identity_named(judge->index->txn, &identity, principal + strlen(PRINCIPAL_IDENTITY));
    if (found)
        return found > 0 ? error_set(ERR_CORRUPT, "'%s' is not known", principal) : found;
    const char *key = gather_copy(judge->gather, identity.public_key, CRYPTO_KEY_SIZE);
    return key ? judge_step_of_grant(judge, environment, service, (const uint8_t *)key)
               : -ERR_NOMEM;
}

/* The environment's key for who may read at that place: everything (0, 0), or the place itself. Who
 * may both has it once. */
static int grant_to_readers_at(struct judge *judge, uint32_t environment, uint32_t service,
                               bool is_everything)
{
    struct state_grant grant = {.environment = is_everything ? 0 : environment,
                                .service = is_everything ? 0 : service};
    const uint32_t at = grant.environment;
    for (;;) {
        int found = state_next_grant(judge->index->txn, &grant);
        if (found || grant.environment != at || grant.service != (is_everything ? 0 : service))
            return found < 0 ? found : 0;
        if (!principal_is_identity(grant.principal) || !(grant.rights & GRANT_READ))
            continue;
        found = is_everything || service
                    ? 0
                    : state_grant_reads(judge->index->txn, 0, 0, grant.principal);
        if (!found)
            found = grant_to(judge, environment, service, grant.principal);
        if (found < 0)
            return found;
    }
}

int judge_grant_to_readers(struct judge *judge, uint32_t environment, uint32_t service)
{
    const int error = service ? 0 : grant_to_readers_at(judge, environment, 0, true);
    return error ? error : grant_to_readers_at(judge, environment, service, false);
}

/* What is set there, for the new key. */
static int wrap_secrets(struct judge *judge, uint32_t environment, uint32_t service)
{
    struct spot spot = {0};
    for (;;) {
        int found = state_next_current(judge->index->txn, &spot, environment, service, spot.key);
        if (found)
            return found < 0 ? found : 0;
        if (spot.kind != ENTRY_SECRET)
            continue;
        const struct operation operation = {.kind = OPERATION_VALUE_KEY,
                                            .environment = environment,
                                            .service = service,
                                            .sealed_rev = spot.since,
                                            .sealed_op = spot.op,
                                            .name = ""};
        found = plan_add(judge->plan, &operation, NULL);
        if (found)
            return found;
    }
}

static int rotate_service(struct judge *judge, uint32_t environment, uint32_t service)
{
    int error = judge_step_of_generation(judge, environment, service);
    if (!error)
        error = judge_grant_to_readers(judge, environment, service);
    if (!error && !judge_reseals(judge, environment, service))
        error = wrap_secrets(judge, environment, service);
    return error ? error : judge_wrap_shared(judge, environment, service, true);
}

/* Services that are not there any more too: they may come back. */
static int rotate_environment(struct judge *judge, uint32_t environment)
{
    struct recipient pair = {.environment = environment};
    int error = judge_step_of_generation(judge, environment, 0);
    if (!error)
        error = judge_grant_to_readers(judge, environment, 0);
    while (!error) {
        error = state_next_pair(judge->index->txn, &pair);
        if (error || pair.environment != environment)
            return error < 0 ? error : 0;
        if (pair.service)
            error = rotate_service(judge, environment, pair.service);
    }
    return error;
}

/* Whatever this change sealed before would be sealed for the old key. */
static bool is_alone(const struct judge *judge)
{
    for (size_t i = 0; i < judge->gather->count; i++) {
        const enum operation_kind kind = judge->gather->wishes[i].kind;
        if (!operation_is_of_rights(kind) && kind != OPERATION_IDENTITY && kind != GATHER_ROTATE)
            return false;
    }
    return true;
}

int judge_rotations(struct judge *judge)
{
    int error = 0;
    if (judge->rotation_count && !is_alone(judge))
        return judge_refuse(judge, ERR_REFUSED,
                            "taking reading from an identity makes new keys, and is a change of "
                            "its own: revoke first, and then change what is set");
    for (size_t i = 0; i < judge->rotation_count && !error; i++) {
        const struct rotation *rotation = &judge->rotations[i];
        error = rotation->service ? rotate_service(judge, rotation->environment, rotation->service)
                                  : rotate_environment(judge, rotation->environment);
    }
    /* For the new keys of all who may read it, which are made by then. */
    for (size_t i = 0; i < judge->resealed_count && !error; i++)
        error = judge_reseal(judge, judge->resealed[i].environment, judge->resealed[i].service);
    return error;
}
