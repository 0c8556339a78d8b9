/* Values that are to be destroyed: one version of a key, or all that were replaced by a revision.
 * Of schemas: rules_purge_schema.c. */
#include <inttypes.h>
#include <string.h>

#include "store/db/keys.h"
#include "store/error.h"
#include "store/log/erasure.h"
#include "store/model/rules_internal.h"

/* What one value that goes costs until the next transactions: the page that it stands in is written
 * anew. */
#define ROOM_AN_ERASURE 128u
#define ROOM_A_PAGE 2048u

static int refuse_without_reason(struct judge *judge)
{
    return judge_refuse(judge, ERR_INVALID,
                        "what is destroyed cannot be had back: say why (-m WHY)");
}

static bool has_reason(const struct judge *judge)
{
    return judge->terms->reason && judge->terms->reason[0];
}

static int refuse_no_revision(struct judge *judge, uint64_t rev)
{
    return judge_refuse(judge, ERR_NOT_FOUND, "no revision %" PRIu64 ": the newest is %" PRIu64,
                        rev, judge->index->rev - 1);
}

static int refuse_no_value(struct judge *judge, const struct wish *wish)
{
    return judge_refuse(judge, ERR_NOT_FOUND,
                        "'%s/%s/%s' had no value in revision %" PRIu64 " (emsa log %s/%s/%s)",
                        wish->environment, wish->service, wish->key, wish->rev, wish->environment,
                        wish->service, wish->key);
}

/* What showed there was defined in another place: that is where it can be destroyed. */
static int refuse_elsewhere(struct judge *judge, const struct wish *wish, const struct spot *spot)
{
    uint32_t base = 0, before;
    char layer[ENVIRONMENT_NAME_MAX + 1] = ALL;
    if (spot->kind == SPOT_IN_BASE || spot->kind == SPOT_IN_BASE_SCHEMA) {
        int found = state_environment_base(judge->index->txn, &base, spot->environment);
        if (!found && base)
            found = state_environment_name(judge->index->txn, layer, &before, base);
        if (found < 0)
            return found;
    }
    return judge_refuse(judge, ERR_REFUSED,
                        "'%s/%s/%s' was that of '%s' in revision %" PRIu64
                        ": it is purged there (emsa purge %s/%s/%s@%" PRIu64 ")",
                        wish->environment, wish->service, wish->key, layer, wish->rev, layer,
                        wish->service, wish->key, wish->rev);
}

/* What there was of the key in one environment: its record, or, where that is none of its own, the
 * default of the environment's own schema. */
static int find_in(struct txn *txn, struct spot *out, uint32_t environment, uint64_t name_id,
                   uint64_t rev)
{
    struct spot own = {0};
    const int found = state_moment(txn, &own, environment, name_id, rev);
    if (found < 0 || (!found && own.kind != SPOT_NONE && own.kind != SPOT_IN_SCHEMA)) {
        *out = own;
        return found;
    }
    return state_moment(txn, out, environment | LAYER_OF_DEFAULTS, name_id, rev);
}

/* The record of the key as of the revision, in the newest environment of that name that had one
 * then. NOT_THERE: refused. */
static int find_version(struct judge *judge, struct spot *out, const struct wish *wish)
{
    struct txn *txn = judge->index->txn;
    struct environment_state state;
    uint64_t name_id = 0;
    uint32_t service = 0;
    char name[ENVIRONMENT_NAME_MAX + 1];
    int found = state_environment(txn, &state, wish->environment);
    if (!found)
        found = state_service_id(txn, &service, wish->service);
    if (!found)
        found = state_name_id(txn, &name_id, service, wish->key);
    for (uint32_t id = state.is.id; !found;) {
        found = find_in(txn, out, id, name_id, wish->rev);
        if (!found && out->kind != SPOT_NONE)
            break;
        if (found >= 0)
            found = state_environment_name(txn, name, &id, id);
        if (!found && !id)
            found = NOT_THERE;
    }
    if (found) {
        const int error = found < 0 ? found : refuse_no_value(judge, wish);
        return error ? error : NOT_THERE;
    }
    out->service = service;
    memcpy(out->key, wish->key, strlen(wish->key) + 1);
    return 0;
}

/* A link is a name, which history is told with; what it led to has a value of its own. */
static int refuse_link(struct judge *judge, const struct wish *wish)
{
    return judge_refuse(judge, ERR_REFUSED,
                        "'%s/%s/%s' was a link in revision %" PRIu64
                        ", which holds a name and no value: purge what it led to",
                        wish->environment, wish->service, wish->key, wish->rev);
}

int judge_is_current(struct judge *judge, const struct spot *spot)
{
    struct spot now;
    const int found =
        state_moment(judge->index->txn, &now, spot->environment, spot->name_id, UINT64_MAX);
    if (found)
        return found < 0 ? found : 0;
    return spot_is_own(&now) && now.since == spot->since && now.op == spot->op;
}

static int refuse_current(struct judge *judge, const struct wish *wish, const struct spot *spot)
{
    if (spot->environment & LAYER_OF_DEFAULTS)
        return judge_refuse(judge, ERR_REFUSED,
                            "'%s/%s/%s' is what the schema has as its default since revision "
                            "%" PRIu64 ": set another schema, then purge '%s/%s/%s@%" PRIu64 "'",
                            wish->environment, wish->service, wish->key, spot->since,
                            wish->environment, wish->service, wish->key, spot->since);
    return judge_refuse(judge, ERR_REFUSED,
                        "'%s/%s/%s' is what revision %" PRIu64
                        " set still: set another value or remove it, then purge '%s/%s/%s@%" PRIu64
                        "'",
                        wish->environment, wish->service, wish->key, spot->since, wish->environment,
                        wish->service, wish->key, spot->since);
}

/* What is left of templates, for as long as the plan. */
static int keep_sum(struct judge *judge, struct operation *operation,
                    const uint8_t sum[static HASH_SIZE])
{
    operation->remains = (const uint8_t *)gather_copy(judge->gather, (const char *)sum, HASH_SIZE);
    return operation->remains ? 0 : -ERR_NOMEM;
}

static bool is_planned(const struct plan *plan, uint64_t rev, uint32_t op)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->steps[i].operation.purged_rev == rev && plan->steps[i].operation.purged_op == op)
            return true;
    return false;
}

static int find_set(struct judge *judge, struct operation *set, uint64_t rev, uint32_t op)
{
    struct slice body;
    struct key key;
    int found = txn_get(judge->index->txn, &body, DB_LOG, key_operation(&key, rev, op));
    if (!found)
        found = operation_decode(set, body);
    return found > 0 ? error_set(ERR_CORRUPT, "a value was set by no operation") : found;
}

/* The operation is of the place that the set was of, as the log has it. */
static int step_of(struct judge *judge, const struct operation *set, const char *name, uint64_t rev,
                   uint32_t op)
{
    struct operation operation = {.kind = OPERATION_PURGE,
                                  .environment = set->environment,
                                  .service = set->service,
                                  .turn = set->turn,
                                  .name_id = set->name_id,
                                  .entry_id = set->entry_id,
                                  .purged_rev = rev,
                                  .purged_op = op};
    uint8_t sum[HASH_SIZE] = {0};
    int error = 0;
    if (set->kind == OPERATION_SET_TEMPLATE) {
        error = erasure_sum(judge->index->txn, sum, rev, op);
        if (!error)
            error = keep_sum(judge, &operation, sum);
    }
    judge->copied += ROOM_AN_ERASURE + ROOM_A_PAGE;
    return error ? error : judge_step(judge, &operation, name, NULL);
}

int judge_destroy(struct judge *judge, const struct wish *wish, const char *key, uint64_t rev,
                  uint32_t op)
{
    struct operation set;
    uint64_t by_rev;
    uint32_t by_op;
    char mark = '-';
    int found = find_set(judge, &set, rev, op);
    if (!found)
        found = erased_by(judge->index->txn, &by_rev, &by_op, rev, op);
    if (found < 0 || is_planned(judge->plan, rev, op))
        return found < 0 ? found : 0;
    const bool is_secret = set.kind == OPERATION_SET_SECRET;
    if (found)
        mark = '=';
    else if ((found = step_of(judge, &set, key[0] ? key : wish->service, rev, op)))
        return found;
    found = plan_line(judge->plan, mark, is_secret, rev, wish->environment, wish->service, key);
    return found ? found : plan_line_subject(judge->plan, CHANGE_PURGE, "");
}

int judge_purge(struct judge *judge, const struct wish *wish)
{
    struct spot spot;
    if (!has_reason(judge))
        return refuse_without_reason(judge);
    if (wish->rev >= judge->index->rev)
        return refuse_no_revision(judge, wish->rev);
    if (!wish->key[0])
        return judge_purge_schema(judge, wish);
    int found = find_version(judge, &spot, wish);
    if (found)
        return found < 0 ? found : 0;
    if (!spot_is_own(&spot))
        return refuse_elsewhere(judge, wish, &spot);
    if (!erasure_may((enum operation_kind)spot.kind))
        return refuse_link(judge, wish);
    found = judge_is_current(judge, &spot);
    if (found)
        return found < 0 ? found : refuse_current(judge, wish, &spot);
    found = judge_destroy(judge, wish, wish->key, spot.since, spot.op);
    if (!found && (spot.environment & LAYER_OF_DEFAULTS))
        found = judge_destroy_schemas(judge, wish, &spot);
    return found;
}

/* `all` is made where it is named by others; here it would only be in the way. */
static int find_place(struct judge *judge, struct operation *operation, const char **name,
                      const struct wish *wish)
{
    const struct environment_state *state;
    *name = "";
    if (!wish->environment[0])
        return 0;
    int found = index_environment(judge->index, &state, wish->environment);
    if (found > 0 || (!found && !state->alive)) {
        found = judge_no_environment(judge, wish->environment);
        return found ? found : NOT_THERE;
    }
    return found ? found : judge_find_place(judge, operation, name, wish);
}

int judge_compact(struct judge *judge, const struct wish *wish)
{
    struct operation operation = {.kind = OPERATION_COMPACT, .until = wish->rev};
    struct erasure erasure = {.until = wish->rev};
    struct erased erased = {0};
    const char *name;
    if (!has_reason(judge))
        return refuse_without_reason(judge);
    if (wish->rev >= judge->index->rev)
        return refuse_no_revision(judge, wish->rev);
    int found = find_place(judge, &operation, &name, wish);
    if (found)
        return found < 0 ? found : 0;
    erasure.environment = operation.environment;
    erasure.service = operation.service;
    found = erasure_keep_tags(&erasure, judge->index->txn);
    if (!found)
        found = erasure_walk(&erasure, judge->index->txn, false, &erased);
    erasure_release(&erasure);
    if (!found && erased.values) {
        const uint64_t most = erased.values * ROOM_A_PAGE;
        judge->copied +=
            erased.values * ROOM_AN_ERASURE + (erased.bytes < most ? erased.bytes : most);
        operation.turn = 0;
        found = keep_sum(judge, &operation, erased.remains);
        if (!found)
            found = judge_step(judge, &operation, name, NULL);
    }
    if (found)
        return found;
    found = plan_line(judge->plan, erased.values ? '-' : '=', false, wish->rev, wish->environment,
                      wish->service, "");
    return found ? found : plan_line_erased(judge->plan, &erased);
}
