#include "store/change.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/log/commit.h"
#include "store/log/index.h"
#include "store/model/core.h"
#include "store/model/due.h"
#include "store/model/gather.h"
#include "store/model/rules.h"
#include "store/model/seal.h"

/* What one commit adds to the file besides its values: records of the log and of derived state, and
 * pages that are copied on the way down to them. */
#define ROOM_A_COMMIT ((size_t)256 * 1024)
#define ROOM_AN_OPERATION ((size_t)1024)

struct change {
    struct store *store;
    struct gather gather;
};

int change_new(struct change **out, struct store *store)
{
    struct change *change = calloc(1, sizeof *change);
    if (!change)
        return error_set(ERR_NOMEM, "no memory for a change");
    change->store = store;
    *out = change;
    return 0;
}

void change_free(struct change *change)
{
    if (!change)
        return;
    gather_release(&change->gather);
    free(change);
}

static int check_path(const struct path *path, enum path_depth depth)
{
    static const char *const words[] = {"the root", "an environment", "a service", "a key"};
    char text[PATH_TEXT_MAX];
    int error = 0;
    if (path_depth(path) != depth)
        return error_set(ERR_INVALID, "'%s' is not the path of %s", path_text(path, text),
                         words[depth]);
    if (depth >= PATH_ENVIRONMENT)
        error = name_check(NAME_ENVIRONMENT, path->environment, strlen(path->environment));
    if (!error && depth >= PATH_SERVICE)
        error = name_check(NAME_SERVICE, path->service, strlen(path->service));
    if (!error && depth >= PATH_KEY)
        error = name_check(NAME_KEY, path->key, strlen(path->key));
    return error;
}

static int check_size(const struct path *key, size_t size)
{
    char text[PATH_TEXT_MAX];
    if (size <= VALUE_MAX)
        return 0;
    return error_set(ERR_INVALID, "the value of '%s' has %zu bytes; a value holds up to %u",
                     path_text(key, text), size, VALUE_MAX);
}

static int add_environment(struct change *change, enum operation_kind kind, const char *name)
{
    struct path path;
    const int error = path_make(&path, name, NULL, NULL);
    if (error)
        return error;
    if (path_depth(&path) != PATH_ENVIRONMENT)
        return error_set(ERR_INVALID, "an environment needs a name");
    return gather_add(&change->gather, kind, &path, NULL, 0, NULL);
}

int change_environment_add(struct change *change, const char *name)
{
    return add_environment(change, OPERATION_ENVIRONMENT_ADD, name);
}

int change_environment_remove(struct change *change, const char *name)
{
    return add_environment(change, OPERATION_ENVIRONMENT_REMOVE, name);
}

int change_service_add(struct change *change, const struct path *service)
{
    const int error = check_path(service, PATH_SERVICE);
    return error ? error
                 : gather_add(&change->gather, OPERATION_SERVICE_ADD, service, NULL, 0, NULL);
}

int change_service_remove(struct change *change, const struct path *service)
{
    const int error = check_path(service, PATH_SERVICE);
    return error ? error
                 : gather_add(&change->gather, OPERATION_SERVICE_REMOVE, service, NULL, 0, NULL);
}

int change_set_plain(struct change *change, const struct path *key, const void *value, size_t size)
{
    int error = check_path(key, PATH_KEY);
    if (!error)
        error = check_size(key, size);
    return error ? error : gather_add(&change->gather, OPERATION_SET_PLAIN, key, value, size, NULL);
}

int change_set_secret(struct change *change, const struct path *key, struct secret *value)
{
    int error = check_path(key, PATH_KEY);
    if (!error)
        error = check_size(key, value->size);
    return error ? error
                 : gather_add(&change->gather, OPERATION_SET_SECRET, key, NULL, value->size, value);
}

int change_ttl(struct change *change, uint64_t seconds)
{
    struct gather *gather = &change->gather;
    struct wish *wish = gather->count ? &gather->wishes[gather->count - 1] : NULL;
    if (!wish || (wish->kind != OPERATION_SET_PLAIN && wish->kind != OPERATION_SET_SECRET))
        return error_set(ERR_INVALID, "only a key that is set can have a time to live");
    if (!seconds || seconds > TTL_MAX)
        return error_set(ERR_INVALID,
                         "a time to live of %" PRIu64 " seconds: it may be from one second to ten "
                         "years (%u)",
                         seconds, TTL_MAX);
    wish->ttl = seconds;
    return 0;
}

int change_remove_due(struct change *change)
{
    return gather_add(&change->gather, GATHER_REMOVE_DUE, &(struct path){0}, NULL, 0, NULL);
}

int change_remove(struct change *change, const struct path *key)
{
    const int error = check_path(key, PATH_KEY);
    return error ? error : gather_add(&change->gather, OPERATION_REMOVE, key, NULL, 0, NULL);
}

int change_remove_all(struct change *change, const struct path *path)
{
    const enum path_depth depth = path_depth(path);
    if (depth != PATH_ENVIRONMENT && depth != PATH_SERVICE)
        return error_set(ERR_INVALID, "only an environment or a service can be removed with all "
                                      "that is in it");
    const int error = check_path(path, depth);
    return error ? error : gather_add(&change->gather, GATHER_REMOVE_ALL, path, NULL, 0, NULL);
}

void change_result_release(struct change_result *result)
{
    free(result->lines);
    *result = (struct change_result){0};
}

/* --- terms --- */

/* The newest revision that changed anything under an environment or a service of it, 0 if none did;
 * an environment that was made in the place of an earlier one changed everything that is asked for.
 */
static int newest_of_place(struct txn *txn, uint64_t *rev, const struct path *path)
{
    struct environment_state environment;
    struct place_state place;
    uint32_t service;
    uint64_t name_id;
    struct moment moment;
    *rev = 0;
    int found = state_environment(txn, &environment, path->environment);
    if (found)
        return found < 0 ? found : 0;
    const enum path_depth depth = path_depth(path);
    if (depth == PATH_ENVIRONMENT || !environment.alive) {
        *rev = environment.is.changed_rev;
        return 0;
    }
    if (environment.before)
        *rev = environment.is.made_rev;
    if (depth == PATH_SERVICE) {
        found = state_place(txn, &place, environment.is.id, path->service);
        if (!found && place.is.changed_rev > *rev)
            *rev = place.is.changed_rev;
        return found < 0 ? found : 0;
    }
    found = state_service_id(txn, &service, path->service);
    if (!found)
        found = state_name_id(txn, &name_id, service, path->key);
    if (!found)
        found = state_moment(txn, &moment, environment.is.id, name_id, UINT64_MAX);
    if (!found && moment.entry.rev > *rev)
        *rev = moment.entry.rev;
    return found < 0 ? found : 0;
}

static int check_if_rev(struct txn *txn, const struct head *head, const struct change_terms *terms)
{
    char text[PATH_TEXT_MAX];
    uint64_t newest = head->rev;
    if (!terms->has_if_rev)
        return 0;
    if (terms->if_rev > head->rev)
        return error_set(ERR_CONFLICT,
                         "there is no revision %" PRIu64 " yet; the newest is %" PRIu64,
                         terms->if_rev, head->rev);
    if (path_depth(&terms->if_path) != PATH_ROOT) {
        const int error = newest_of_place(txn, &newest, &terms->if_path);
        if (error)
            return error;
    }
    if (newest <= terms->if_rev)
        return 0;
    path_text(&terms->if_path, text);
    return error_set(ERR_CONFLICT,
                     "'%s' changed in revision %" PRIu64 ", after revision %" PRIu64
                     "; look at it again (emsa show %" PRIu64 ")",
                     text[0] ? text : "/", newest, terms->if_rev, newest);
}

static bool has_request(const struct change_terms *terms)
{
    static const uint8_t none[REQUEST_ID_SIZE];
    return memcmp(terms->request_id, none, REQUEST_ID_SIZE) != 0;
}

/* --- committing --- */

struct committing {
    struct change *change;
    const struct change_terms *terms;
    struct txn *txn;  /* owned until it is committed or freed */
    struct head head; /* before */
    struct index index;
    struct plan plan;
    struct draft draft;
    int64_t now; /* the clock's */
    bool sealed; /* the transaction holds a whole commit */
};

/* Positive 1: this request was committed before, by revision *rev. */
static int find_request(struct committing *at, uint64_t *rev)
{
    if (!has_request(at->terms))
        return 0;
    const int found = state_request(at->txn, rev, at->terms->request_id);
    return found < 0 ? found : found ? 0 : 1;
}

static int judge(struct committing *at)
{
    struct judge judge = {.store = at->change->store,
                          .index = &at->index,
                          .gather = &at->change->gather,
                          .plan = &at->plan,
                          .terms = at->terms,
                          .now = at->now};
    int error = check_if_rev(at->txn, &at->head, at->terms);
    if (!error)
        error = index_begin(&at->index, at->txn, at->draft.head.rev, at->draft.head.time);
    if (!error)
        error = judge_change(&judge);
    judge_release(&judge);
    return error;
}

static bool is_expiry(const struct committing *at)
{
    const struct gather *gather = &at->change->gather;
    return gather->count && gather->wishes[0].kind == GATHER_REMOVE_DUE;
}

/* The header of a commit that nobody asked for is the store's own. */
static int seal_header(struct committing *at)
{
    char reason[DUE_REASON_MAX];
    struct author author;
    if (!is_expiry(at))
        return draft_finish(&at->draft, &at->terms->author, at->terms->reason,
                            at->terms->request_id);
    due_author(&author, &at->plan);
    due_reason(reason, &at->plan);
    return draft_finish(&at->draft, &author, reason, at->terms->request_id);
}

static int seal(struct committing *at)
{
    int error = seal_plan(at->change->store, &at->index, &at->draft, &at->plan);
    if (!error)
        error = index_finish(&at->index);
    if (!error)
        error = seal_header(at);
    at->sealed = !error;
    return error;
}

/* Everything inside the transaction. 0 with sealed set: to be committed; 0 without: nothing to do.
 */
static int prepare(struct committing *at, struct change_result *result)
{
    uint64_t earlier;
    int error = state_head(at->txn, &at->head);
    if (error)
        return error;
    result->rev = at->head.rev;
    error = find_request(at, &earlier);
    if (error > 0) {
        *result = (struct change_result){.rev = earlier, .committed = true, .repeated = true};
        return 0;
    }
    if (!error)
        error = draft_begin(&at->draft, at->txn, at->now);
    if (!error)
        error = judge(at);
    if (!error && at->plan.count && !at->terms->dry_run)
        error = seal(at);
    return error ? error : txn_error(at->txn);
}

/*
 * A commit that failed may be there all the same: LMDB can fail in its last write, and then answers
 * nothing more. What happened is known when the store is opened anew (store_broken).
 */
static int ended_badly(const struct store *store, int error)
{
    if (env_broken(store->env) != -ERR_IO)
        return error;
    return error_set(ERR_IO,
                     "the disk failed while a commit was being finished: whether it is there "
                     "is known when the store is opened anew (emsa log)");
}

static int64_t first_end(const struct plan *plan)
{
    int64_t first = 0;
    for (size_t i = 0; i < plan->count; i++) {
        const struct operation *operation = &plan->steps[i].operation;
        if (operation_has_value(operation->kind) && operation->expires &&
            (!first || operation->expires < first))
            first = operation->expires;
    }
    return first;
}

static int finish(struct committing *at, struct change_result *result)
{
    struct store *store = at->change->store;
    if (!at->sealed) {
        txn_free(at->txn);
        at->txn = NULL;
        return 0;
    }
    int error = txn_commit(at->txn);
    at->txn = NULL;
    if (error)
        return ended_badly(store, error);
    atomic_store_explicit(&store->revision, at->draft.head.rev, memory_order_release);
    result->rev = at->draft.head.rev;
    result->committed = true;
    result->expires = first_end(&at->plan);
    return 0;
}

static size_t room_needed(const struct gather *gather)
{
    if (!gather->additions)
        return 0;
    return ROOM_A_COMMIT + gather->value_bytes + gather->additions * ROOM_AN_OPERATION;
}

static int commit_locked(struct committing *at, struct change_result *result)
{
    struct store *store = at->change->store;
    int error =
        at->terms->dry_run ? 0 : env_make_room(store->env, room_needed(&at->change->gather));
    if (!error)
        error = txn_write_begin(&at->txn, store->env);
    at->now = at->terms->now ? at->terms->now : time_now();
    if (!error)
        error = prepare(at, result);
    return error ? error : finish(at, result);
}

/* What needs no look at the store. */
static int check_terms(const struct change_terms *terms)
{
    if (terms->reason && strlen(terms->reason) > REASON_MAX)
        return error_set(ERR_INVALID, "the reason has %zu bytes; it may have %u",
                         strlen(terms->reason), REASON_MAX);
    return 0;
}

int change_commit(struct change *change, const struct change_terms *terms,
                  struct change_result *out)
{
    struct committing at = {.change = change, .terms = terms};
    struct change_result result = {0};
    struct store *store = change->store;
    const uint64_t alarms = env_alarms(store->env);
    int error = check_terms(terms);
    if (!error) {
        pthread_mutex_lock(&store->writer);
        error = commit_locked(&at, &result);
        txn_free(at.txn);
        pthread_mutex_unlock(&store->writer);
    }
    if (!error) {
        if (!result.repeated) {
            result.lines = at.plan.lines;
            result.count = at.plan.line_count;
            at.plan.lines = NULL;
        }
        *out = result;
    }
    draft_release(&at.draft);
    plan_release(&at.plan);
    gather_release(&change->gather);
    return error ? store_damage(store, alarms, error) : 0;
}
