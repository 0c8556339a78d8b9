/* Schemas that are to be destroyed. The bytes of a default stand twice: as a definition of the
 * layer of defaults, and in every schema that was set while it stood. Whichever of them is named,
 * both go, or somebody would think that they went. A default that the schema of now has stays, and
 * is set in no other place than that. */
#include <inttypes.h>
#include <string.h>

#include "store/error.h"
#include "store/log/schema_past.h"
#include "store/log/state_relation.h"
#include "store/model/rules_internal.h"

static int refuse_no_schema(struct judge *judge, const struct wish *wish)
{
    return judge_refuse(judge, ERR_NOT_FOUND,
                        "'%s/%s' had no schema of its own in revision %" PRIu64
                        " (emsa log %s/%s); one of every environment is that of 'all/%s', a value "
                        "is named with its key",
                        wish->environment, wish->service, wish->rev, wish->environment,
                        wish->service, wish->service);
}

static int refuse_current(struct judge *judge, const struct wish *wish, uint64_t rev)
{
    return judge_refuse(judge, ERR_REFUSED,
                        "'%s/%s' has the schema of revision %" PRIu64
                        " still: set another one or remove it, then purge '%s/%s@%" PRIu64 "'",
                        wish->environment, wish->service, rev, wish->environment, wish->service,
                        rev);
}

/* Of the newest environment of that name whose service had one then. NOT_THERE: refused. */
static int find_schema(struct judge *judge, struct schema_past *out, const struct wish *wish)
{
    struct txn *txn = judge->index->txn;
    struct environment_state state;
    char name[ENVIRONMENT_NAME_MAX + 1];
    uint32_t id = 0;
    int found = state_environment(txn, &state, wish->environment);
    if (!found)
        found = state_service_id(txn, &out->service, wish->service);
    for (id = state.is.id; !found;) {
        out->environment = id;
        found = schema_past_find(txn, out, wish->rev);
        if (!found && out->is_set)
            return 0;
        if (found >= 0)
            found = state_environment_name(txn, name, &id, id);
        if (!found && !id)
            found = NOT_THERE;
    }
    if (found > 0)
        found = refuse_no_schema(judge, wish);
    return found ? found : NOT_THERE;
}

/* Whether the same commit sets or removes it once more: then nobody ever saw it. */
static int is_last(struct txn *txn, const struct schema_past *at)
{
    struct schema_past next = *at;
    const int found = schema_past_next(txn, &next);
    return found < 0 ? found : found || next.rev != at->rev;
}

int judge_destroy_schemas(struct judge *judge, const struct wish *wish, const struct spot *spot)
{
    struct txn *txn = judge->index->txn;
    struct schema_past at = {.environment = spot->environment & ~LAYER_OF_DEFAULTS,
                             .service = spot->service,
                             .rev = spot->since - 1,
                             .op = UINT32_MAX - 1};
    uint64_t until = UINT64_MAX;
    int found = state_moment_after(txn, &until, spot->environment, spot->name_id, spot->since);
    while (found >= 0 && !(found = schema_past_next(txn, &at)) && at.rev <= until) {
        const int shown = at.rev < until ? 0 : is_last(txn, &at);
        if (shown < 0)
            return shown;
        if (at.is_set && !shown)
            found = judge_destroy(judge, wish, "", at.rev, at.op);
    }
    return found < 0 ? found : 0;
}

static int destroy_default(struct judge *judge, const struct wish *wish, const struct spot *spot)
{
    const int current = judge_is_current(judge, spot);
    if (current)
        return current < 0 ? current : 0;
    const char *key = gather_copy(judge->gather, spot->key, strlen(spot->key));
    if (!key)
        return -ERR_NOMEM;
    const int error = judge_destroy(judge, wish, key, spot->since, spot->op);
    return error ? error : judge_destroy_schemas(judge, wish, spot);
}

/* What the schema had when its commit was done. */
static int destroy_defaults(struct judge *judge, const struct wish *wish,
                            const struct schema_past *schema)
{
    struct txn *txn = judge->index->txn;
    struct spot spot = {0};
    char key[KEY_NAME_MAX + 1] = "";
    uint64_t name_id;
    int found;
    while (!(found = state_next_name(txn, &name_id, key, schema->service))) {
        found =
            state_moment(txn, &spot, schema->environment | LAYER_OF_DEFAULTS, name_id, schema->rev);
        if (found < 0)
            return found;
        if (found || !spot_is_own(&spot))
            continue;
        spot.service = schema->service;
        memcpy(spot.key, key, sizeof key);
        found = destroy_default(judge, wish, &spot);
        if (found)
            return found;
    }
    return found < 0 ? found : 0;
}

int judge_purge_schema(struct judge *judge, const struct wish *wish)
{
    struct schema_past schema = {0};
    int found = find_schema(judge, &schema, wish);
    if (found)
        return found < 0 ? found : 0;
    struct state_schema now = {.layer = schema.environment, .service = schema.service};
    found = state_schema(judge->index->txn, &now);
    if (found < 0)
        return found;
    if (!found && now.rev == schema.rev && now.op == schema.op)
        return refuse_current(judge, wish, schema.rev);
    found = judge_destroy(judge, wish, "", schema.rev, schema.op);
    return found ? found : destroy_defaults(judge, wish, &schema);
}
