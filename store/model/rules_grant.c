/* Who may do what at a place. Whether the caller may say so is judged before anything comes here.
 */
#include <string.h>

#include "store/error.h"
#include "store/grant.h"
#include "store/log/state_relation.h"
#include "store/model/rules_internal.h"

int judge_find_place(struct judge *judge, struct operation *operation, const char **name,
                     const struct wish *wish)
{
    struct environment environment;
    struct service service;
    bool refused;
    *name = wish->environment;
    if (!wish->environment[0])
        return 0;
    if (!wish->service[0]) {
        const int found = judge_find_environment(judge, &environment, wish->environment);
        operation->environment = found ? 0 : environment.id;
        return found;
    }
    int found = judge_find_service(judge, &environment, &service, wish, &refused);
    if (found > 0) {
        found = refused ? 0 : judge_no_service(judge, wish, environment.id);
        return found ? found : NOT_THERE;
    }
    if (found)
        return found;
    *name = wish->service;
    operation->environment = environment.id;
    operation->service = service.id;
    operation->turn = service.incarnation;
    return 0;
}

static int line_of(struct judge *judge, char mark, const struct wish *wish, uint64_t was,
                   unsigned rights)
{
    const int error =
        plan_line(judge->plan, mark, false, was, wish->environment, wish->service, "");
    return error ? error : plan_line_rights(judge->plan, wish->with, rights);
}

static int no_grant(struct judge *judge, const struct wish *wish, unsigned held)
{
    char text[PATH_TEXT_MAX];
    struct path path = {0};
    path_make(&path, wish->environment, wish->service, NULL);
    const bool is_root = path_depth(&path) == PATH_ROOT;
    path_text(&path, text);
    return judge_refuse(judge, ERR_NOT_FOUND,
                        "'%s' was not granted %s at %s%s%s (emsa grants lists what was)",
                        wish->with, held ? "all of that" : "that", is_root ? "the root" : "'", text,
                        is_root ? "" : "'");
}

/* The identity that a wish is about. Positive NOT_THERE: refused. */
static int judge_known(struct judge *judge, struct identity_state *out, const struct wish *wish)
{
    const char *name = wish->with + strlen(PRINCIPAL_IDENTITY);
    const int found = state_identity_named(judge->index->txn, out, name);
    if (found > 0) {
        judge_refuse(judge, ERR_NOT_FOUND,
                     "no identity '%s' is known here (emsa grant PLACE --to id:%s --key "
                     "PUBLIC makes it known)",
                     name, name);
        return NOT_THERE;
    }
    return found;
}

/* Somebody reads everything at any time: what nobody does is lost. NOT_THERE: refused. */
static int keep_reader(struct judge *judge, const struct wish *wish)
{
    struct state_grant grant = {0};
    for (;;) {
        const int found = state_next_grant(judge->index->txn, &grant);
        if (found < 0)
            return found;
        if (found || grant.environment)
            break;
        if (grant.rights & GRANT_READ && principal_is_identity(grant.principal) &&
            strcmp(grant.principal, wish->with) != 0)
            return 0;
    }
    judge_refuse(judge, ERR_REFUSED,
                 "'%s' is the last identity that opens everything: grant that to another first "
                 "(emsa grant / --to id:NAME --key PUBLIC --read)",
                 wish->with);
    return NOT_THERE;
}

/* Whether the identity has the newest key of the place, and will after this change: it is wrapped
 * once. */
static int has_key(struct judge *judge, uint32_t environment, uint32_t service,
                   const struct identity_state *identity)
{
    struct wrapped_key key;
    const struct plan *plan = judge->plan;
    for (size_t i = 0; i < plan->count; i++) {
        const struct operation *step = &plan->steps[i].operation;
        if (step->kind == OPERATION_SERVICE_KEY && step->service == service &&
            step->environment == environment)
            return 0;
    }
    int found = state_public_key(judge->index->txn, &key.owner, environment, service);
    if (found)
        return found < 0 ? found : 0;
    memcpy(key.for_public_key, identity->public_key, CRYPTO_KEY_SIZE);
    found = state_wrapped_key(judge->index->txn, &key);
    return found < 0 ? found : !found;
}

/* Whether reading all of the environment, or everything, covers the place. */
static int reads_above(struct judge *judge, uint32_t environment, uint32_t service,
                       const struct wish *wish)
{
    int reads = 0;
    if (service)
        reads = state_grant_reads(judge->index->txn, environment, 0, wish->with);
    if (!reads && environment)
        reads = state_grant_reads(judge->index->txn, 0, 0, wish->with);
    return reads;
}

/* The key of one place for who reads there from now on. */
static int give_key(struct judge *judge, uint32_t environment, uint32_t service,
                    const struct identity_state *identity)
{
    const int has = has_key(judge, environment, service, identity);
    if (has)
        return has < 0 ? has : 0;
    const char *key = gather_copy(judge->gather, identity->public_key, CRYPTO_KEY_SIZE);
    int error =
        key ? judge_step_of_grant(judge, environment, service, (const uint8_t *)key) : -ERR_NOMEM;
    if (!error && service)
        error = judge_wrap_shared(judge, environment, service, false);
    return error;
}

/* Where one may read everything, or no more: each environment that is there, and the store's own
 * pair, which is made once. */
static int change_everything(struct judge *judge, bool is_grant,
                             const struct identity_state *identity, const struct wish *wish)
{
    struct environment_state state = {0};
    int error = is_grant ? give_key(judge, 0, 0, identity) : 0;
    while (!error) {
        error = judge_next_environment(judge, &state);
        if (error)
            return error < 0 ? error : 0;
        if (is_grant) {
            error = give_key(judge, state.is.id, 0, identity);
            continue;
        }
        error = state_grant_reads(judge->index->txn, state.is.id, 0, wish->with);
        if (error >= 0)
            error = error ? 0 : judge_want_rotation(judge, state.is.id, 0);
    }
    return error;
}

/* What follows from a change of who may read, once it was taken. */
static int change_reading(struct judge *judge, const struct operation *operation,
                          const struct identity_state *identity, const struct wish *wish)
{
    const bool is_grant = operation->kind == OPERATION_RIGHTS_GRANT;
    if (!operation->environment)
        return change_everything(judge, is_grant, identity, wish);
    if (is_grant)
        return give_key(judge, operation->environment, operation->service, identity);
    const int reads = reads_above(judge, operation->environment, operation->service, wish);
    return reads ? (reads < 0 ? reads : 0)
                 : judge_want_rotation(judge, operation->environment, operation->service);
}

static int line_of_identity(struct judge *judge, char mark, const struct wish *wish)
{
    const int error = plan_line(judge->plan, mark, false, 0, "", "", "");
    return error ? error : plan_line_subject(judge->plan, CHANGE_IDENTITY, wish->with);
}

int judge_identity(struct judge *judge, const struct wish *wish)
{
    struct identity_state known;
    uint8_t keys[2][CRYPTO_KEY_SIZE];
    int found = identity_public_parse(keys[0], keys[1], (const char *)wish->value, wish->size);
    if (found)
        return found;
    found = state_identity_named(judge->index->txn, &known, wish->with);
    if (found > 0)
        found = state_identity(judge->index->txn, &known, keys[0]);
    if (found > 0) /* whose signatures would be taken for another's */
        found = state_signer(judge->index->txn, &known, keys[1], UINT64_MAX);
    if (found < 0)
        return found;
    if (!found && strcmp(known.name, wish->with) != 0)
        return judge_refuse(judge, ERR_REFUSED, "this identity is known as 'id:%s' already",
                            known.name);
    if (!found && (memcmp(known.public_key, keys[0], CRYPTO_KEY_SIZE) != 0 ||
                   memcmp(known.signing_key, keys[1], CRYPTO_KEY_SIZE) != 0))
        return judge_refuse(judge, ERR_REFUSED,
                            "'id:%s' is another identity: a new one takes a new name", wish->with);
    if (!found)
        return line_of_identity(judge, '=', wish);
    const char *kept = gather_copy(judge->gather, keys, sizeof keys);
    if (!kept)
        return -ERR_NOMEM;
    struct operation operation = {.kind = OPERATION_IDENTITY,
                                  .first = true,
                                  .public_key = (const uint8_t *)kept,
                                  .signing_key = (const uint8_t *)kept + CRYPTO_KEY_SIZE};
    found = judge_step(judge, &operation, wish->with, NULL);
    return found ? found : line_of_identity(judge, '+', wish);
}

int judge_rights(struct judge *judge, const struct wish *wish)
{
    const bool is_grant = wish->kind == OPERATION_RIGHTS_GRANT;
    struct operation operation = {
        .kind = wish->kind, .principal = wish->with, .principal_size = strlen(wish->with)};
    struct state_grant grant = {0};
    struct identity_state identity;
    const bool is_identity = principal_is_identity(wish->with);
    const char *name;
    int found = is_identity ? judge_known(judge, &identity, wish) : 0;
    if (!found)
        found = judge_find_place(judge, &operation, &name, wish);
    if (found)
        return found < 0 ? found : 0;
    grant.environment = operation.environment;
    grant.service = operation.service;
    memcpy(grant.principal, wish->with, operation.principal_size + 1);
    found = state_grant(judge->index->txn, &grant);
    if (found < 0)
        return found;
    const unsigned held = found ? 0 : grant.rights;
    if (!is_grant && (!held || (held & wish->rights) != wish->rights))
        return no_grant(judge, wish, held & wish->rights);
    operation.rights = is_grant ? wish->rights & ~held : wish->rights ? wish->rights : held;
    if (!operation.rights)
        return line_of(judge, '=', wish, grant.rev, wish->rights);
    if (!is_grant && is_identity && !operation.environment && operation.rights & GRANT_READ) {
        found = keep_reader(judge, wish);
        if (found)
            return found < 0 ? found : 0;
    }
    found = judge_step(judge, &operation, name, NULL);
    if (!found && is_identity && operation.rights & GRANT_READ)
        found = change_reading(judge, &operation, &identity, wish);
    const uint64_t was = held ? grant.rev : 0;
    return found ? found : line_of(judge, is_grant ? '+' : '-', wish, was, operation.rights);
}
