/* What may be done to keys: their definitions set, removed, copied and moved. */
#include <inttypes.h>
#include <string.h>

#include "store/crypto/envelope.h"
#include "store/error.h"
#include "store/model/leak.h"
#include "store/model/resolve.h"
#include "store/model/rules_internal.h"
#include "store/model/value.h"

/* A definition's bytes, also of what this very change set and has not stored yet. */
static int bytes_of(struct judge *judge, const unsigned char **data, size_t *size,
                    const struct spot *spot, struct secret *scratch)
{
    const struct definition definition = spot_definition(spot);
    struct resolver resolver;
    resolver_begin(&resolver, judge->store, judge->index->txn, spot->environment, UINT64_MAX);
    resolver.plan = judge->plan;
    resolver.plan_rev = judge->index->rev;
    return resolve_text(&resolver, data, size, &definition, scratch);
}

static const void *wanted_bytes(const struct wish *wish)
{
    return wish->kind == OPERATION_SET_SECRET ? (const void *)wish->secret.data : wish->value;
}

/* Whether the definition is what the wish would set it to: 1, 0, or a failure. Without a key at
 * hand a secret is never known to be equal. */
static int is_equal(struct judge *judge, const struct spot *spot, const struct wish *wish)
{
    SECRET_CLEANUP struct secret scratch = {0};
    const unsigned char *data;
    size_t size;
    const bool is_secret = wish->kind == OPERATION_SET_SECRET;
    if (spot->kind != (unsigned)wish->kind ||
        spot->stored_size != (is_secret ? envelope_padded(wish->size) : wish->size))
        return 0;
    const int error = bytes_of(judge, &data, &size, spot, &scratch);
    if (error)
        return error == -ERR_NO_KEY ? 0 : error;
    return size == wish->size && (!size || equal_constant_time(data, wanted_bytes(wish), size));
}

/* --- the leak guard --- */

static int refuse_leak(struct judge *judge, const struct wish *wish,
                       const struct leak_verdict *verdict)
{
    struct path path = {0};
    char text[PATH_TEXT_MAX];
    uint32_t before, service;
    struct txn *txn = judge->index->txn;
    int found = state_environment_name(txn, path.environment, &before, verdict->environment);
    if (!found)
        found = state_name(txn, &service, path.key, verdict->name_id);
    if (!found)
        found = state_service_name(txn, path.service, service);
    if (found)
        return found < 0 ? found : error_set(ERR_CORRUPT, "a fingerprint is nobody's");
    path_text(&path, text);
    if (verdict->which == LEAK_PLAIN)
        return judge_object(judge, ERR_REFUSED,
                            "'%s/%s/%s' would be plain and is equal to the secret '%s': link to "
                            "it, or set it with --secret (--allow-equal -m WHY sets it all the "
                            "same)",
                            wish->environment, wish->service, wish->key, text);
    return judge_object(judge, ERR_REFUSED,
                        "'%s/%s/%s' would be equal to a secret of another environment ('%s'): "
                        "give it a value of its own (--allow-equal -m WHY sets it all the same)",
                        wish->environment, wish->service, wish->key, text);
}

/* Literal text only is looked at: what a template refers to was looked at where it is set. */
static bool is_looked_at(const struct wish *wish)
{
    struct reference_walk walk;
    struct reference reference;
    if (wish->kind == OPERATION_SET_PLAIN || wish->kind == OPERATION_SET_SECRET)
        return true;
    if (wish->kind != OPERATION_SET_TEMPLATE)
        return false;
    reference_walk_begin(&walk, ENTRY_TEMPLATE, wish->value, wish->size);
    return reference_walk_next(&walk, &reference) == TEMPLATE_END;
}

/* was_secret: so that there may be a fingerprint to forget. */
static int guard_value(struct judge *judge, struct operation *operation, const struct wish *wish,
                       bool was_secret)
{
    struct txn *txn = judge->index->txn;
    const struct leak_value value = {.data = wanted_bytes(wish),
                                     .size = wish->size,
                                     .is_secret = wish->kind == OPERATION_SET_SECRET};
    struct leak_verdict verdict = {0};
    int error = 0;
    if (is_looked_at(wish))
        error = leak_judge(judge->store, txn, &verdict, operation->environment, operation->name_id,
                           &value);
    if (error && error != -ERR_NO_KEY)
        return error;
    if (verdict.which != LEAK_NONE) {
        if (judge->terms->allow_equal) {
            operation->is_allowed_equal = true; /* said in the log for ever, so no guess */
        } else {
            judge->equal++;
            judge_tell(judge->terms->told ? &judge->terms->told->equal : NULL, wish->environment,
                       wish->service, wish->key);
            error = refuse_leak(judge, wish, &verdict);
        }
        if (error < 0 && error != -ERR_NO_KEY)
            return error;
    }
    if (value.is_secret && verdict.has_fingerprint)
        return leak_note(txn, operation->environment, operation->name_id, verdict.fingerprint);
    return was_secret ? leak_forget(txn, operation->environment, operation->name_id) : 0;
}

/* What stands at its own key in that environment counts as well: a default is no value of it. */
int judge_guard_default(struct judge *judge, struct operation *operation, const struct wish *wish)
{
    struct operation probe = *operation;
    probe.name_id = 0;
    const int error = guard_value(judge, &probe, wish, false);
    operation->is_allowed_equal = probe.is_allowed_equal;
    return error;
}

/* --- setting --- */

static int line_of(struct judge *judge, char mark, const struct wish *wish, uint64_t was,
                   int64_t expires)
{
    const int error = plan_line(judge->plan, mark, wish->kind == OPERATION_SET_SECRET, was,
                                wish->environment, wish->service, wish->key);
    if (!error && mark != '=')
        plan_line_expires(judge->plan, expires);
    return error;
}

static int set_existing(struct judge *judge, struct operation *operation, const struct spot *spot,
                        const struct wish *wish)
{
    if (spot->kind == ENTRY_SECRET && wish->kind == OPERATION_SET_PLAIN)
        return judge_refuse(
            judge, ERR_REFUSED,
            "'%s/%s/%s' is a secret and would become plain; set it as a secret, or remove "
            "it first",
            wish->environment, wish->service, wish->key);
    int equal = judge->terms->blind ? judge_is_of_text(judge, spot, wish) : 1;
    if (equal > 0)
        equal = is_equal(judge, spot, wish);
    if (equal < 0)
        return equal;
    operation->name_id = spot->name_id;
    if (equal && spot->expires == operation->expires)
        return line_of(judge, '=', wish, spot->rev, 0);
    operation->entry_id = spot->entry_id;
    int error = guard_value(judge, operation, wish, spot->kind == ENTRY_SECRET);
    if (!error)
        error = judge_step(judge, operation, wish->key, wish);
    return error ? error : line_of(judge, '~', wish, spot->rev, operation->expires);
}

static int set_new(struct judge *judge, struct operation *operation, const struct wish *wish)
{
    int found = index_name_id(judge->index, &operation->name_id, operation->service, wish->key);
    if (found > 0)
        found = index_new_name(judge->index, &operation->name_id);
    operation->first = true;
    operation->entry_id = index_new_entry(judge->index);
    if (!found)
        found = guard_value(judge, operation, wish, false);
    if (!found)
        found = judge_step(judge, operation, wish->key, wish);
    return found ? found : line_of(judge, '+', wish, 0, operation->expires);
}

/* When what the wish sets ends. A clock before 1970 counts as 1970. */
static int64_t end_of(const struct judge *judge, const struct wish *wish)
{
    const int64_t from = judge->now > 0 ? judge->now : 0;
    if (wish->ends)
        return wish->ends;
    return wish->ttl ? from + (int64_t)wish->ttl * 1000000000 : 0;
}

/* The definition that stands at exactly this place. NOT_THERE. */
static int find_own(struct judge *judge, struct spot *out, const struct service *service,
                    const char *key)
{
    struct spot spot;
    const int found = index_current(judge->index, &spot, service->environment, service->id, key);
    if (found || !spot_is_own(&spot))
        return found < 0 ? found : NOT_THERE;
    *out = spot;
    return 0;
}

int judge_set(struct judge *judge, const struct wish *wish)
{
    struct environment environment;
    struct service service;
    struct spot spot;
    bool refused;
    const bool is_secret = wish->kind == OPERATION_SET_SECRET;
    judge_may_make(judge, false);
    int found = judge_find_service(judge, &environment, &service, wish, &refused);
    if (found > 0 && !refused)
        found = judge_make_service(judge, &service, &environment, wish);
    if (found)
        return found < 0 ? found : 0;
    if (is_secret && strcmp(wish->environment, ALL) == 0)
        judge_object(judge, ERR_REFUSED,
                     "'%s/%s/%s': a secret cannot stand in 'all': set it in the environments that "
                     "need it",
                     wish->environment, wish->service, wish->key);
    struct operation operation = {.kind = wish->kind,
                                  .environment = environment.id,
                                  .service = service.id,
                                  .turn = service.incarnation,
                                  .expires = end_of(judge, wish),
                                  .from = wish->copied};
    operation.stored_size = (uint32_t)(is_secret ? envelope_padded(wish->size) : wish->size);
    found = find_own(judge, &spot, &service, wish->key);
    if (found < 0)
        return found;
    return found ? set_new(judge, &operation, wish) : set_existing(judge, &operation, &spot, wish);
}

/* --- removing --- */

int judge_next_own(struct judge *judge, struct spot *out, const struct service *service)
{
    int found;
    do
        found =
            state_next_current(judge->index->txn, out, service->environment, service->id, out->key);
    while (!found && !spot_is_own(out));
    return found;
}

int judge_drop_entry(struct judge *judge, const struct service *service, const struct spot *spot,
                     const char *environment, const char *key, int64_t expired)
{
    struct operation operation = {.kind = OPERATION_REMOVE,
                                  .environment = service->environment,
                                  .service = service->id,
                                  .turn = service->incarnation,
                                  .name_id = spot->name_id,
                                  .entry_id = spot->entry_id,
                                  .expires = expired};
    int error = spot->kind == ENTRY_SECRET
                    ? leak_forget(judge->index->txn, spot->environment, spot->name_id)
                    : 0;
    if (!error)
        error = judge_step(judge, &operation, key, NULL);
    if (!error)
        error = plan_line(judge->plan, '-', spot->kind == ENTRY_SECRET, spot->rev, environment,
                          service->name, key);
    if (!error)
        plan_line_expires(judge->plan, expired);
    return error;
}

/* Where what shows is defined, for who wants to remove it here. */
static const char *where_text(const struct spot *spot)
{
    if (spot_is_default(spot->kind))
        return "the service's schema, as a default";
    return spot->kind == SPOT_IN_BASE ? "what the environment stands on" : "'all'";
}

int judge_remove(struct judge *judge, const struct wish *wish)
{
    struct environment environment;
    struct service service;
    struct spot spot;
    bool refused;
    int found = judge_find_service(judge, &environment, &service, wish, &refused);
    if (found > 0)
        return refused ? 0 : judge_no_service(judge, wish, environment.id);
    if (!found)
        found = state_current(judge->index->txn, &spot, environment.id, service.id, wish->key);
    if (!found && !spot_is_own(&spot))
        return judge_refuse(judge, ERR_NOT_FOUND,
                            "'%s/%s/%s' is not set there but in %s: remove it there, or set it "
                            "here to something else",
                            wish->environment, wish->service, wish->key, where_text(&spot));
    if (found)
        return found < 0 ? found : judge_no_key(judge, wish, &service);
    return judge_drop_entry(judge, &service, &spot, wish->environment, wish->key, 0);
}

/* --- copies --- */

/* The definition that a copy begins from. NOT_THERE: refused. */
static int find_source(struct judge *judge, struct environment *environment,
                       struct service *service, struct spot *spot, const struct wish *wish)
{
    const struct wish from = {.kind = wish->kind,
                              .environment = wish->from->environment,
                              .service = wish->from->service,
                              .key = wish->from->key};
    bool refused;
    int found = judge_find_service(judge, environment, service, &from, &refused);
    if (found > 0)
        found = refused ? 0 : judge_no_service(judge, &from, environment->id);
    else if (!found && !(found = find_own(judge, spot, service, from.key)))
        return 0;
    else if (found > 0)
        found = judge_no_key(judge, &from, service);
    return found ? found : NOT_THERE;
}

static int refuse_not_then(struct judge *judge, const struct wish *wish)
{
    const int error =
        judge_refuse(judge, ERR_NOT_FOUND,
                     "'%s/%s/%s' was not set as of revision %" PRIu64 " (emsa log %s/%s/%s)",
                     wish->from->environment, wish->from->service, wish->from->key, wish->rev,
                     wish->from->environment, wish->from->service, wish->from->key);
    return error ? error : NOT_THERE;
}

/* The same as of a revision: in one of the environments that had the name, of which at most one
 * has something at a time. */
static int find_source_at(struct judge *judge, struct environment *environment, struct spot *spot,
                          const struct wish *wish)
{
    struct txn *txn = judge->index->txn;
    struct environment_state state = {.alive = false};
    uint64_t name_id = 0;
    uint32_t service = 0;
    char name[ENVIRONMENT_NAME_MAX + 1];
    if (wish->rev >= judge->index->rev) {
        const int error =
            judge_refuse(judge, ERR_NOT_FOUND, "no revision %" PRIu64 ": the newest is %" PRIu64,
                         wish->rev, judge->index->rev - 1);
        return error ? error : NOT_THERE;
    }
    int found = state_environment(txn, &state, wish->from->environment);
    if (!found)
        found = state_service_id(txn, &service, wish->from->service);
    if (!found)
        found = state_name_id(txn, &name_id, service, wish->from->key);
    for (uint32_t id = state.is.id; !found && id;) {
        found = state_moment(txn, spot, id, name_id, wish->rev);
        if (!found && spot_is_own(spot))
            break;
        if (found >= 0)
            found = state_environment_name(txn, name, &id, id);
        if (!found && !id)
            found = NOT_THERE;
    }
    if (found)
        return found < 0 ? found : refuse_not_then(judge, wish);
    spot->service = service;
    memcpy(spot->key, wish->from->key, strlen(wish->from->key) + 1);
    *environment = state.is;
    /* What is protected is never removed, so an earlier one of the name was not. */
    environment->is_protected &= spot->environment == state.is.id;
    return 0;
}

/* A wish as if the value had been given. What it holds is the gather's. NOT_THERE: refused. */
static int make_wish(struct judge *judge, struct wish **out, const struct spot *spot,
                     const struct wish *wish)
{
    SECRET_CLEANUP struct secret scratch = {0};
    const unsigned char *data;
    size_t size;
    int error = bytes_of(judge, &data, &size, spot, &scratch);
    if (error == -ERR_PURGED) {
        error = judge_refuse(judge, ERR_PURGED, "'%s/%s/%s': %.1024s", wish->from->environment,
                             wish->from->service, wish->from->key, error_text());
        return error ? error : NOT_THERE;
    }
    if (error)
        return error;
    judge->copied += size;
    if (judge->copied > COMMIT_BYTES_MAX - judge->gather->value_bytes)
        return error_set(ERR_INVALID, "more than %u bytes of values in one commit; split it",
                         COMMIT_BYTES_MAX);
    struct wish *made = gather_keep(judge->gather);
    if (!made)
        return -ERR_NOMEM;
    *made = (struct wish){.kind = (enum operation_kind)spot->kind,
                          .environment = wish->environment,
                          .service = wish->service,
                          .key = wish->key,
                          .size = size,
                          .copied = {spot->environment, spot->name_id, spot->since}};
    if (wish->rev || wish->kind == GATHER_MOVE)
        made->ends = spot->expires;
    if (spot->kind == ENTRY_SECRET)
        error = secret_copy(&made->secret, data, size);
    else if (!(made->value = (const unsigned char *)gather_copy(judge->gather, data, size)))
        error = -ERR_NOMEM;
    *out = made;
    return error;
}

static int refuse_protected_secret(struct judge *judge, const struct wish *wish)
{
    return judge_refuse(judge, ERR_REFUSED,
                        "'%s/%s/%s' is a secret of '%s', which is protected: it is copied to no "
                        "other environment",
                        wish->from->environment, wish->from->service, wish->from->key,
                        wish->from->environment);
}

int judge_copy(struct judge *judge, const struct wish *wish)
{
    struct environment environment;
    struct service service;
    struct spot spot;
    struct wish *made;
    const bool is_same_place = strcmp(wish->from->environment, wish->environment) == 0 &&
                               strcmp(wish->from->service, wish->service) == 0 &&
                               strcmp(wish->from->key, wish->key) == 0;
    int found = wish->rev ? find_source_at(judge, &environment, &spot, wish)
                          : find_source(judge, &environment, &service, &spot, wish);
    if (found)
        return found < 0 ? found : 0;
    if (is_same_place && !wish->rev)
        return plan_line(judge->plan, '=', spot.kind == ENTRY_SECRET, spot.rev, wish->environment,
                         wish->service, wish->key);
    if (spot.kind == ENTRY_SECRET && environment.is_protected &&
        strcmp(wish->from->environment, wish->environment) != 0)
        return refuse_protected_secret(judge, wish);
    found = make_wish(judge, &made, &spot, wish);
    if (found)
        return found < 0 ? found : 0;
    /* What moves is not equal to itself: it goes first. */
    if (wish->kind == GATHER_MOVE)
        found =
            judge_drop_entry(judge, &service, &spot, wish->from->environment, wish->from->key, 0);
    return found ? found : judge_set(judge, made);
}
