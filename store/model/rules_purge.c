/* Values that are to be destroyed: one version of a key, or all that were replaced by a revision.
 */
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
    if (spot_is_default(spot->kind))
        return judge_refuse(judge, ERR_REFUSED,
                            "'%s/%s/%s' was a default of the schema in revision %" PRIu64
                            ": schemas are not purged",
                            wish->environment, wish->service, wish->key, wish->rev);
    if (spot->kind == SPOT_IN_BASE) {
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
        found = state_moment(txn, out, id, name_id, wish->rev);
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

/* Links and templates are what history is told with; what they lead to has a value of its own. */
static int refuse_text(struct judge *judge, const struct wish *wish, const struct spot *spot)
{
    return judge_refuse(judge, ERR_REFUSED,
                        "'%s/%s/%s' was a %s in revision %" PRIu64
                        ", whose text says what there was: purge the values that it names",
                        wish->environment, wish->service, wish->key,
                        spot->kind == ENTRY_LINK ? "link" : "template", wish->rev);
}

/* Whether that set is what is defined there still. */
static int is_current(struct judge *judge, const struct spot *spot)
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
    return judge_refuse(judge, ERR_REFUSED,
                        "'%s/%s/%s' is what revision %" PRIu64
                        " set still: set another value or remove it, then purge '%s/%s/%s@%" PRIu64
                        "'",
                        wish->environment, wish->service, wish->key, spot->since, wish->environment,
                        wish->service, wish->key, spot->since);
}

static int line_of(struct judge *judge, char mark, const struct wish *wish, const struct spot *spot)
{
    const int error = plan_line(judge->plan, mark, spot->kind == ENTRY_SECRET, spot->since,
                                wish->environment, wish->service, wish->key);
    return error ? error : plan_line_subject(judge->plan, CHANGE_PURGE, "");
}

/* The operation is of the place that the set was of, as the log has it. */
static int step_of(struct judge *judge, const struct wish *wish, const struct spot *spot)
{
    struct slice body;
    struct operation set;
    struct key key;
    int found =
        txn_get(judge->index->txn, &body, DB_LOG, key_operation(&key, spot->since, spot->op));
    if (!found)
        found = operation_decode(&set, body);
    if (found)
        return found < 0 ? found : error_set(ERR_CORRUPT, "a value was set by no operation");
    struct operation operation = {.kind = OPERATION_PURGE,
                                  .environment = set.environment,
                                  .service = set.service,
                                  .turn = set.turn,
                                  .name_id = set.name_id,
                                  .entry_id = set.entry_id,
                                  .purged_rev = spot->since,
                                  .purged_op = spot->op};
    return judge_step(judge, &operation, wish->key, NULL);
}

int judge_purge(struct judge *judge, const struct wish *wish)
{
    struct spot spot;
    uint64_t rev;
    uint32_t op;
    if (!has_reason(judge))
        return refuse_without_reason(judge);
    if (wish->rev >= judge->index->rev)
        return refuse_no_revision(judge, wish->rev);
    int found = find_version(judge, &spot, wish);
    if (found)
        return found < 0 ? found : 0;
    if (!spot_is_own(&spot))
        return refuse_elsewhere(judge, wish, &spot);
    if (!erasure_may((enum operation_kind)spot.kind))
        return refuse_text(judge, wish, &spot);
    found = is_current(judge, &spot);
    if (found)
        return found < 0 ? found : refuse_current(judge, wish, &spot);
    found = erased_by(judge->index->txn, &rev, &op, spot.since, spot.op);
    if (found)
        return found < 0 ? found : line_of(judge, '=', wish, &spot);
    for (size_t i = 0; i < judge->plan->count; i++) /* named twice */
        if (judge->plan->steps[i].operation.purged_rev == spot.since &&
            judge->plan->steps[i].operation.purged_op == spot.op)
            return 0;
    judge->copied += ROOM_AN_ERASURE + ROOM_A_PAGE;
    found = step_of(judge, wish, &spot);
    return found ? found : line_of(judge, '-', wish, &spot);
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
        found = judge_step(judge, &operation, name, NULL);
    }
    if (found)
        return found;
    found = plan_line(judge->plan, erased.values ? '-' : '=', false, wish->rev, wish->environment,
                      wish->service, "");
    return found ? found : plan_line_erased(judge->plan, &erased);
}
