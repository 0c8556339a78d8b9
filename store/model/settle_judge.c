/* What a commit is refused for once it is known what it comes to, in words: one line for each place
 * that would have a fault, each lock, each protected environment. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "store/log/commit.h"
#include "store/log/history.h"
#include "store/model/settle_internal.h"

#define CHAIN_MAX 1024

int settle_path(struct settling *settling, char out[static PATH_TEXT_MAX], uint32_t environment,
                uint32_t service, const char *key)
{
    struct path path = {0};
    uint32_t before;
    int found = state_environment_name(settling->txn, path.environment, &before, environment);
    if (!found && service)
        found = state_service_name(settling->txn, path.service, service);
    if (found)
        return found < 0 ? found : error_set(ERR_CORRUPT, "a place has no name");
    memcpy(path.key, key, strlen(key) + 1);
    path_text(&path, out);
    return 0;
}

/* --- faults --- */

/* "a/X -> b/Y -> c/Z" */
static void chain_text(char out[static CHAIN_MAX], const struct resolver *resolver)
{
    size_t size = 0;
    out[0] = '\0';
    for (unsigned i = 0; i <= resolver->depth && size < CHAIN_MAX; i++)
        size += (size_t)snprintf(out + size, CHAIN_MAX - size, "%s%s/%s", i ? " -> " : "",
                                 resolver->path[i].name, resolver->path[i].key);
    if (size < CHAIN_MAX)
        snprintf(out + size, CHAIN_MAX - size, " -> %s/%s", resolver->target.name,
                 resolver->target.key);
}

/* " by way of b/Y", where it is not the place itself that refers. */
static const char *way_text(char out[static CHAIN_MAX], const struct resolver *resolver,
                            unsigned referrer)
{
    out[0] = '\0';
    if (referrer)
        snprintf(out, CHAIN_MAX, " by way of '%s/%s'", resolver->path[referrer].name,
                 resolver->path[referrer].key);
    return out;
}

struct words { /* what a line is made of */
    char place[PATH_TEXT_MAX];
    char chain[CHAIN_MAX];
    char way[CHAIN_MAX];
    const char *environment;
    char target[SERVICE_NAME_MAX + KEY_NAME_MAX + 2];
};

static int refuse_reference(struct judge *judge, const struct resolver *resolver,
                            const struct words *words)
{
    const struct hop *target = &resolver->target;
    switch (resolver->fault) {
    case FAULT_DANGLING:
        return judge_object(judge, ERR_REFUSED,
                            "'%s' refers%s to '%s', which is not there in '%s' (emsa set "
                            "%s/%s; or in what it stands on, or in 'all')",
                            words->place, words->way, words->target, words->environment,
                            words->environment, words->target);
    case FAULT_NOT_SHARED:
        return judge_object(judge, ERR_REFUSED,
                            "'%s' refers%s to '%s', which is not shared with '%s' (emsa share "
                            "%s/%s --with %s)",
                            words->place, words->way, words->target,
                            resolver->path[resolver->depth - 1].name, words->environment,
                            words->target, resolver->path[resolver->depth - 1].name);
    case FAULT_ENDS:
        return judge_object(judge, ERR_REFUSED,
                            "'%s' refers%s to '%s', which ends by itself and has nothing beneath "
                            "it that stays (set '%s/%s' without --ttl)",
                            words->place, words->way, words->target, words->environment,
                            words->target);
    case FAULT_CIRCLE:
        return judge_object(judge, ERR_REFUSED, "'%s' goes round in a circle: %s", words->place,
                            words->chain);
    case FAULT_DEPTH:
        return judge_object(judge, ERR_REFUSED, "'%s' goes over more than %u references: %s",
                            words->place, RESOLVE_DEPTH_MAX, words->chain);
    default:
        return judge_object(judge, ERR_REFUSED,
                            "'%s' needs more than %u look-ups: refer to less, or to what is "
                            "nearer ('%s/%s' was the last)",
                            words->place, RESOLVE_LOOKUPS_MAX, target->name, target->key);
    }
}

int settle_refuse(struct settling *settling, const struct look *look,
                  const struct resolver *resolver)
{
    const struct known *environment = settle_environment(settling, look->environment);
    struct words words = {.environment = environment ? environment->is.name : ""};
    int error = settle_path(settling, words.place, look->environment, look->service, look->key);
    if (error)
        return error;
    if (resolver->fault == FAULT_LARGE)
        return judge_object(settling->judge, ERR_REFUSED,
                            "'%s' comes to more than %u bytes, which is what a value holds",
                            words.place, VALUE_MAX);
    if (resolver->fault == FAULT_NOT_SHARED && settling->judge->terms->override & OVERRIDE_SHARE) {
        const int found = judge_want_share(settling->judge, words.environment, &resolver->target,
                                           resolver->path[resolver->depth - 1].name);
        if (found <= 0)
            return found;
    }
    snprintf(words.target, sizeof words.target, "%s/%s", resolver->target.name,
             resolver->target.key);
    /* Where a hop itself is judged, it is the last of the path; else the target is one further. */
    const bool is_judged = resolver->fault == FAULT_NOT_SHARED || resolver->fault == FAULT_ENDS;
    way_text(words.way, resolver, resolver->depth - (is_judged ? 1 : 0));
    chain_text(words.chain, resolver);
    return refuse_reference(settling->judge, resolver, &words);
}

/* --- locks --- */

/* The lock of exactly that place, said before this commit. NOT_THERE. */
static int lock_of(struct settling *settling, struct state_lock *lock, uint32_t environment,
                   const char *service, const char *key)
{
    *lock = (struct state_lock){.environment = environment};
    memcpy(lock->service, service, strlen(service) + 1);
    memcpy(lock->key, key, strlen(key) + 1);
    const int found = state_lock(settling->txn, lock);
    return !found && lock->rev == settling->rev ? NOT_THERE : found;
}

static int find_lock(struct settling *settling, struct state_lock *lock, uint32_t environment,
                     const struct path *path)
{
    int found = NOT_THERE;
    if (path->key[0])
        found = lock_of(settling, lock, environment, path->service, path->key);
    if (found > 0 && path->service[0])
        found = lock_of(settling, lock, environment, path->service, "");
    return found > 0 ? lock_of(settling, lock, environment, "", "") : found;
}

static int outcome_path(struct settling *settling, struct path *path, const struct outcome *outcome)
{
    uint32_t before, service;
    *path = (struct path){0};
    int found =
        state_environment_name(settling->txn, path->environment, &before, outcome->environment);
    if (!found && outcome->service)
        found = state_service_name(settling->txn, path->service, outcome->service);
    if (!found && outcome->name_id)
        found = state_name(settling->txn, &service, path->key, outcome->name_id);
    return found > 0 ? error_set(ERR_CORRUPT, "a place has no name") : found;
}

static int refuse_locked(struct settling *settling, const struct path *path,
                         const struct state_lock *lock)
{
    struct commit_info commit;
    struct path locked = {0};
    char place[PATH_TEXT_MAX], text[PATH_TEXT_MAX];
    const int found = past_commit(settling->txn, &commit, lock->rev);
    if (found)
        return found < 0 ? found : error_set(ERR_CORRUPT, "the commit of a lock is gone");
    memcpy(locked.environment, path->environment, sizeof locked.environment);
    memcpy(locked.service, lock->service, sizeof locked.service);
    memcpy(locked.key, lock->key, sizeof locked.key);
    path_text(path, place);
    path_text(&locked, text);
    return judge_object(settling->judge, ERR_REFUSED,
                        "'%s' is locked by '%s' since revision %" PRIu64 "%s%.200s (emsa unlock "
                        "%s)",
                        place, text, lock->rev, commit.reason[0] ? ": " : "", commit.reason, text);
}

static int guard_outcome(struct settling *settling, const struct outcome *outcome)
{
    struct state_lock lock;
    struct path path;
    int found = outcome_path(settling, &path, outcome);
    if (!found)
        found = find_lock(settling, &lock, outcome->environment, &path);
    if (found)
        return found < 0 ? found : 0;
    if (settling->judge->terms->override & OVERRIDE_LOCK) {
        settling->judge->overrode = true;
        return 0;
    }
    return refuse_locked(settling, &path, &lock);
}

/* What is locked may not end by itself. */
static int guard_ending(struct settling *settling, uint32_t environment, uint32_t service,
                        const char *key)
{
    struct resolver *now = settle_now(settling, environment);
    char place[PATH_TEXT_MAX];
    struct spot spot;
    struct entry entry = {.rev = 0};
    int found = resolve_find(now, &spot, service, key);
    if (!found)
        found = resolve(now, &entry, &spot);
    if (found || !entry.expires)
        return found < 0 ? found : 0;
    found = settle_path(settling, place, environment, service, key);
    return found ? found
                 : judge_object(settling->judge, ERR_REFUSED,
                                "'%s' ends by itself and cannot be locked (set it without --ttl)",
                                place);
}

static int guard_service(struct settling *settling, uint32_t environment, uint32_t service)
{
    struct spot spot = {0};
    int found;
    while (!(found = state_next_current(settling->txn, &spot, environment, service, spot.key))) {
        found = guard_ending(settling, environment, service, spot.key);
        if (found)
            return found;
    }
    return found < 0 ? found : 0;
}

static int guard_lock(struct settling *settling, const struct operation *operation)
{
    struct place_state place = {0};
    char key[KEY_NAME_MAX + 1];
    int found;
    if (operation->name_id) {
        memcpy(key, operation->name, operation->name_size);
        key[operation->name_size] = '\0';
        return guard_ending(settling, operation->environment, operation->service, key);
    }
    if (operation->service)
        return guard_service(settling, operation->environment, operation->service);
    while (
        !(found = state_next_place(settling->txn, &place, operation->environment, place.is.name))) {
        found = place.alive ? guard_service(settling, operation->environment, place.is.id) : 0;
        if (found)
            return found;
    }
    return found < 0 ? found : 0;
}

/* --- protection --- */

/* A reason is asked for once for each environment. */
static int guard_protected(struct settling *settling, uint32_t environment, uint32_t *told)
{
    const struct known *known = settle_environment(settling, environment);
    if (*told == environment || !known || !known->is.is_protected ||
        known->is.made_rev == settling->rev)
        return 0;
    *told = environment;
    return judge_object(settling->judge, ERR_REFUSED,
                        "'%s' is protected: every change of it needs a reason (-m WHY)",
                        known->is.name);
}

static bool has_reason(const struct settling *settling)
{
    const char *reason = settling->judge->terms->reason;
    return reason && reason[0];
}

static int guard_all_protected(struct settling *settling)
{
    const struct plan *plan = settling->judge->plan;
    int error = 0;
    for (size_t i = 0; i < settling->environment_count && !error; i++) {
        const uint32_t id = settling->environments[i].is.id;
        uint32_t told = 0;
        if (!settling->environments[i].is.is_protected)
            continue;
        for (size_t n = 0; n < plan->count && !error && !told; n++)
            if (plan->steps[n].operation.environment == id)
                error = guard_protected(settling, id, &told);
        for (size_t n = 0; n < settling->outcome_count && !error && !told; n++)
            if (settling->outcomes[n].environment == id)
                error = guard_protected(settling, id, &told);
    }
    return error;
}

int settle_guard(struct settling *settling)
{
    const struct plan *plan = settling->judge->plan;
    int error = 0;
    if (settling->is_expiry)
        return 0;
    for (size_t i = 0; i < plan->count && !error; i++)
        if (plan->steps[i].operation.kind == OPERATION_LOCK)
            error = guard_lock(settling, &plan->steps[i].operation);
    for (size_t i = 0; settling->has_locks && i < settling->outcome_count && !error; i++)
        error = guard_outcome(settling, &settling->outcomes[i]);
    if (!error)
        error = settle_guard_signed(settling);
    return error || has_reason(settling) ? error : guard_all_protected(settling);
}
