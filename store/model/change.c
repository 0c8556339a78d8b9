/* The second half of store/change.h: committing what was asked (asked.c gathers it). Judged, sealed
 * and written in one transaction of LMDB's, by one writer at a time. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "store/crypto/signature.h"
#include "store/error.h"
#include "store/log/commit.h"
#include "store/log/follow.h"
#include "store/log/index.h"
#include "store/model/asked.h"
#include "store/model/core.h"
#include "store/model/due.h"
#include "store/model/pin.h"
#include "store/model/resolve.h"
#include "store/model/rules.h"
#include "store/model/seal.h"

/* What one commit adds to the file besides its values: records of the log and of derived state, and
 * pages that are copied on the way down to them. */
#define ROOM_A_COMMIT ((size_t)256 * 1024)
#define ROOM_AN_OPERATION ((size_t)1024)

struct path *change_line_path(struct path *out, const struct change_line *line)
{
    *out = (struct path){0};
    /* They were names of their kinds when they were gathered: they fit. */
    memcpy(out->environment, line->environment, strlen(line->environment) + 1);
    memcpy(out->service, line->service, strlen(line->service) + 1);
    memcpy(out->key, line->key, strlen(line->key) + 1);
    return out;
}

const char *change_line_text(const struct change_line *line, char text[static PATH_TEXT_MAX])
{
    struct path path;
    return path_text(change_line_path(&path, line), text);
}

void change_result_release(struct change_result *result)
{
    free(result->lines);
    text_blocks_release(&result->texts);
    free(result->notes);
    *result = (struct change_result){0};
}

/* --- terms --- */

/* The same of the effective value of a key. */
static int newest_of_value(struct store *store, struct txn *txn, uint64_t *rev,
                           uint32_t environment, uint64_t name_id)
{
    struct resolver resolver;
    struct spot spot;
    struct entry entry = {.rev = 0};
    resolver_begin(&resolver, store, txn, environment, UINT64_MAX);
    int found = resolve_find_name(&resolver, &spot, name_id);
    if (!found)
        found = resolve(&resolver, &entry, &spot);
    if (!found && entry.rev > *rev)
        *rev = entry.rev;
    return found < 0 ? found : 0;
}

/* The newest revision that changed anything under an environment or a service of it, 0 if none did;
 * an environment that was made in the place of an earlier one changed everything that is asked for.
 */
static int newest_of_place(struct store *store, struct txn *txn, uint64_t *rev,
                           const struct path *path)
{
    struct environment_state environment;
    struct place_state place;
    uint32_t service;
    uint64_t name_id;
    struct spot spot;
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
        found = state_moment(txn, &spot, environment.is.id, name_id, UINT64_MAX);
    if (!found && spot.since > *rev)
        *rev = spot.since;
    if (found || spot.kind == SPOT_NONE)
        return found < 0 ? found : 0;
    return newest_of_value(store, txn, rev, environment.is.id, name_id);
}

static int check_unchanged(struct store *store, struct txn *txn, const struct head *head,
                           const struct change_terms *terms, const struct path *path)
{
    char text[PATH_TEXT_MAX];
    uint64_t newest = head->rev;
    if (path_depth(path) != PATH_ROOT) {
        const int error = newest_of_place(store, txn, &newest, path);
        if (error)
            return error;
    }
    if (newest <= terms->if_rev)
        return 0;
    path_text(path, text);
    return error_set(ERR_CONFLICT,
                     "'%s' changed in revision %" PRIu64 ", after revision %" PRIu64
                     "; look at it again (emsa show %" PRIu64 ")",
                     text[0] ? text : "/", newest, terms->if_rev, newest);
}

static int check_if_rev(struct store *store, struct txn *txn, const struct head *head,
                        const struct change_terms *terms)
{
    if (!terms->has_if_rev)
        return 0;
    if (terms->if_rev > head->rev)
        return error_set(ERR_CONFLICT,
                         "there is no revision %" PRIu64 " yet; the newest is %" PRIu64,
                         terms->if_rev, head->rev);
    if (!terms->if_paths)
        return check_unchanged(store, txn, head, terms, &terms->if_path);
    for (size_t i = 0; i < terms->if_path_count; i++) {
        const int error = check_unchanged(store, txn, head, terms, &terms->if_paths[i]);
        if (error)
            return error;
    }
    return 0;
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
    struct digests digests; /* made while it is judged, for the first attempt that is sealed */
    int64_t now;            /* the clock's */
    bool sealed;            /* the transaction holds a whole commit */
    size_t equal, judged;
    size_t seen;               /* outcomes that it came to */
    size_t copied;             /* bytes of values that it copied */
    size_t planned;            /* operations that it came to */
    bool overrode;             /* something passed for an override */
    bool has_room;             /* of what ends: room was made for the keys that it wraps */
    bool is_bare;              /* there was none, and it wraps none */
    struct follow follow;      /* what was signed */
    struct change_note *notes; /* owned */
    size_t note_count;
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
                          .now = at->now,
                          .is_bare = at->is_bare};
    int error = check_if_rev(at->change->store, at->txn, &at->head, at->terms);
    if (at->terms->told) /* of the attempt before */
        at->terms->told->equal.count = at->terms->told->judged.count = 0;
    if (!error)
        error = index_begin(&at->index, at->txn, at->draft.head.rev, at->draft.head.time);
    judge.overrode = at->overrode;
    if (!error)
        error = judge_change(&judge);
    at->overrode = judge.overrode || error == JUDGE_AGAIN;
    at->equal = judge.equal;
    at->judged = judge.judged;
    at->seen = judge.seen;
    at->copied = judge.copied;
    at->planned = at->plan.count;
    at->notes = judge.notes;
    at->note_count = judge.note_count;
    judge.notes = NULL;
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
    if (!is_expiry(at)) {
        at->draft.signature = at->terms->signature;
        at->draft.request = (struct slice){at->terms->request, at->terms->request_size};
        return draft_finish(&at->draft, &at->terms->author, at->terms->reason,
                            at->terms->request_id);
    }
    due_author(&author, &at->plan);
    due_reason(reason, &at->plan);
    return draft_finish(&at->draft, &author, reason, at->terms->request_id);
}

/* That all of it is what was signed: a commit that says so is a proof, or is not made. */
static int check_followed(struct committing *at)
{
    struct follow *follow = &at->follow;
    int missing = 0;
    follow->at = 0;
    follow->time = at->draft.head.time;
    for (size_t i = 0; i < at->plan.count && !missing; i++)
        missing = follow_operation(follow, at->txn, &at->plan.steps[i].operation);
    return missing > 0 ? error_set(ERR_REFUSED,
                                   "what this comes to does not follow from the request that was "
                                   "signed: please report it, and ask unsigned (--sign none)")
                       : missing;
}

static int seal(struct committing *at)
{
    int error = seal_plan(at->change->store, &at->index, &at->draft, &at->plan, &at->digests);
    if (!error)
        error = index_finish(&at->index);
    if (!error && at->terms->signature)
        error = check_followed(at);
    if (!error)
        error = seal_header(at);
    at->sealed = !error;
    return error;
}

/* What ends takes no room, and may use what is kept for that; not so the keys that are wrapped for
 * those who come to a secret by it. */
#define ROOM_FIRST 2
static bool wants_room(const struct committing *at)
{
    if (!is_expiry(at) || at->has_room)
        return false;
    for (size_t i = 0; i < at->plan.count; i++)
        if (at->plan.steps[i].operation.kind == OPERATION_VALUE_KEY)
            return true;
    return false;
}

/* Everything inside the transaction. Positive: it is to be done again, see commit_locked. 0 with
 * sealed set: to be committed; 0 without: nothing to do.
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
    if (!error && wants_room(at))
        return ROOM_FIRST;
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
        if (operation->kind != OPERATION_REMOVE &&
            operation->kind != OPERATION_ENVIRONMENT_REMOVE && operation->expires &&
            (!first || operation->expires < first))
            first = operation->expires;
    }
    return first;
}

/* What a reader kept from being scrubbed when it was destroyed. That it fails is no failure of this
 * commit, and is tried again with the next. */
static void scrub_rest(struct store *store)
{
    uint64_t left;
    if (atomic_load(&store->scrub_left) && !env_scrub(store->env, false, &left))
        atomic_store(&store->scrub_left, left > 0);
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
    pin_head(store, &at->draft.head);
    scrub_rest(store);
    result->rev = at->draft.head.rev;
    result->committed = true;
    result->expires = first_end(&at->plan);
    return 0;
}

static size_t room_needed(const struct committing *at)
{
    const struct gather *gather = &at->change->gather;
    if (!gather->additions)
        return 0;
    return ROOM_A_COMMIT + gather->value_bytes + 2 * at->terms->request_size +
           gather->additions * ROOM_AN_OPERATION + (at->seen + at->planned) * ROOM_AN_OPERATION;
}

static int attempt(struct committing *at, struct change_result *result)
{
    struct store *store = at->change->store;
    int error = at->terms->dry_run ? 0 : env_make_room(store->env, room_needed(at));
    if (!error)
        error = txn_write_begin(&at->txn, store->env);
    if (!error)
        error = prepare(at, result);
    return error;
}

static void take_back(struct committing *at)
{
    txn_free(at->txn);
    at->txn = NULL;
    draft_release(&at->draft);
    plan_release(&at->plan);
    index_release(&at->index);
    free(at->notes);
    at->notes = NULL;
    at->sealed = false;
}

static void make_room_first(struct committing *at)
{
    const size_t steps = at->seen + at->planned;
    take_back(at);
    at->has_room = true;
    at->is_bare =
        env_make_room(at->change->store->env, ROOM_A_COMMIT + steps * ROOM_AN_OPERATION) != 0;
}

/* How much a change needs that is seen in many places, or copies, is known when it was tried. */
static int commit_locked(struct committing *at, struct change_result *result)
{
    at->now = at->terms->now ? at->terms->now : time_now();
    int error = attempt(at, result);
    while (error == JUDGE_AGAIN || error == ROOM_FIRST) { /* each time with more shares */
        if (error == ROOM_FIRST)
            make_room_first(at);
        else
            take_back(at);
        error = attempt(at, result);
    }
    if (error == -ERR_FULL && at->has_room && !at->is_bare) {
        take_back(at);
        at->is_bare = true;
        error = attempt(at, result);
    }
    if (error == -ERR_FULL && at->change->gather.additions &&
        (at->seen || at->copied || at->planned)) {
        take_back(at);
        at->change->gather.value_bytes += at->copied;
        error = attempt(at, result);
    }
    return error ? error : finish(at, result);
}

/* What needs no look at the store. */
static int check_terms(const struct change_terms *terms)
{
    if (terms->allow_equal && !(terms->reason && terms->reason[0]))
        return error_set(ERR_INVALID, "--allow-equal needs a reason (-m WHY)");
    if (terms->override & ~(unsigned)OVERRIDE_ALL)
        return error_set(ERR_INVALID, "an override that is not known");
    if (terms->override && !(terms->reason && terms->reason[0]))
        return error_set(ERR_INVALID, "--override needs a reason (-m WHY)");
    if (terms->reason && strlen(terms->reason) > REASON_MAX)
        return error_set(ERR_INVALID, "the reason has %zu bytes; it may have %u",
                         strlen(terms->reason), REASON_MAX);
    return 0;
}

/* The request that was signed is this one, of this store. */
static int read_request(struct committing *at)
{
    const struct change_terms *terms = at->terms;
    const char *why, *reason = terms->reason ? terms->reason : "";
    if (!terms->signature)
        return 0;
    if (!request_is_signed(terms->signature, terms->request, terms->request_size))
        return error_set(ERR_DENIED,
                         "the signature is none of this request: somebody changed it on "
                         "its way, or the client is of another version");
    int error = follow_begin(&at->follow, (struct slice){terms->request, terms->request_size});
    if (!error && !terms->dry_run &&
        follow_commit(&at->follow, at->change->store->id, terms->request_id, reason, strlen(reason),
                      &why))
        error = error_set(ERR_DENIED, "%s", why);
    return error;
}

int change_commit(struct change *change, const struct change_terms *terms,
                  struct change_result *out)
{
    struct committing at = {.change = change, .terms = terms};
    struct change_result result = {0};
    struct store *store = change->store;
    const uint64_t alarms = env_alarms(store->env);
    int error = check_terms(terms);
    if (!error)
        error = read_request(&at);
    if (!error) {
        if (!terms->dry_run)
            digests_begin(&at.digests, &change->gather);
        pthread_mutex_lock(&store->writer);
        error = commit_locked(&at, &result);
        txn_free(at.txn);
        pthread_mutex_unlock(&store->writer);
    }
    if (!error) {
        if (!result.repeated) {
            result.lines = at.plan.lines;
            result.count = at.plan.line_count;
            result.texts = at.plan.texts;
            at.plan.lines = NULL;
            at.plan.texts = (struct text_blocks){0};
            result.notes = at.notes;
            result.note_count = at.note_count;
            at.notes = NULL;
        }
        *out = result;
    } else {
        *out = (struct change_result){0};
    }
    out->equal = at.equal;
    out->judged = at.judged;
    follow_release(&at.follow);
    digests_release(&at.digests);
    draft_release(&at.draft);
    plan_release(&at.plan);
    index_release(&at.index);
    free(at.notes);
    gather_release(&change->gather);
    return error ? store_damage(store, alarms, error) : 0;
}
