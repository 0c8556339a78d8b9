/* What may be done to environments and services, and what comes with it. */
#include <string.h>

#include "store/error.h"
#include "store/model/rules_internal.h"

/* --- environments --- */

/* The next living service of an environment after *out. */
static int next_service(struct judge *judge, struct place_state *out, uint32_t environment)
{
    int found;
    do
        found = state_next_place(judge->index->txn, out, environment, out->is.name);
    while (!found && !out->alive);
    return found;
}

int judge_next_environment(struct judge *judge, struct environment_state *out)
{
    int found;
    do
        found = state_next_environment(judge->index->txn, out, out->is.name);
    while (!found && !out->alive);
    return found;
}

static int64_t end_after(const struct judge *judge, uint64_t ttl)
{
    const int64_t from = judge->now > 0 ? judge->now : 0;
    return ttl ? from + (int64_t)ttl * 1000000000 : 0;
}

/* Whether the wish's base may be one. NOT_THERE: refused. */
static int find_base(struct judge *judge, struct environment *out, const struct wish *wish)
{
    const char *why = NULL;
    const int found = judge_find_environment(judge, out, wish->with);
    if (found)
        return found;
    if (strcmp(wish->with, ALL) == 0)
        why = "'all' lies beneath every environment already";
    else if (out->is_protected)
        why = "it is protected";
    else if (out->base)
        why = "it stands on another itself, and there is one level";
    else if (out->expires)
        why = "it ends by itself";
    else if (wish->is_protected)
        why = "what is protected stands on nothing";
    if (!why)
        return 0;
    judge_refuse(judge, ERR_REFUSED, "'%s' cannot stand on '%s': %s", wish->environment, wish->with,
                 why);
    return NOT_THERE;
}

/* What is there already and is asked for again on the same terms is as it was. */
static int add_again(struct judge *judge, const struct wish *wish, const struct environment *is)
{
    struct environment base = {0};
    if (wish->with && judge_find_environment(judge, &base, wish->with))
        return 0;
    if (base.id == is->base && wish->is_protected == is->is_protected &&
        wish->is_signed == is->is_signed && !wish->ttl && !is->expires)
        return plan_line(judge->plan, '=', false, is->changed_rev, wish->environment, "", "");
    return judge_refuse(judge, ERR_REFUSED,
                        "environment '%s' is there already, on other terms; remove it first "
                        "(emsa env rm %s), or give the new one another name",
                        wish->environment, wish->environment);
}

/* Whether a service stands in an environment: 1, 0, or a failure. */
static int stands(struct judge *judge, uint32_t environment, const char *service)
{
    const struct place_state *state;
    const int found = index_place(judge->index, &state, environment, service);
    return found < 0 ? found : !found && state->alive;
}

static int place_all(struct judge *judge, const struct environment *environment,
                     const struct environment *base, const struct wish *wish)
{
    struct place_state place = {0};
    struct service service;
    int found;
    while (!(found = next_service(judge, &place, base->id))) {
        found = stands(judge, environment->id, place.is.name); /* `shared` came with the first */
        if (found < 0)
            return found;
        if (found)
            continue;
        const char *name = gather_copy(judge->gather, place.is.name, strlen(place.is.name));
        if (!name)
            return -ERR_NOMEM;
        const struct wish one = {.environment = wish->environment, .service = name, .key = ""};
        /* `shared` may have come by itself, with the first */
        const int there = stands(judge, environment->id, name);
        if (there)
            found = there < 0 ? there : 0;
        else
            found = judge_make_service(judge, &service, environment, &one);
        if (found)
            return found < 0 ? found : 0;
    }
    return found < 0 ? found : 0;
}

int judge_environment_add(struct judge *judge, const struct wish *wish)
{
    const struct environment_state *state;
    struct environment base = {0};
    const char *name = wish->environment;
    struct operation operation = {.kind = OPERATION_ENVIRONMENT_ADD,
                                  .first = true,
                                  .is_protected = wish->is_protected,
                                  .is_signed = wish->is_signed,
                                  .expires = end_after(judge, wish->ttl)};
    if (strcmp(name, ALL) == 0 && (wish->with || wish->is_protected || wish->ttl))
        return judge_refuse(judge, ERR_REFUSED,
                            "environment 'all' stands on nothing, ends never and is not protected");
    judge_may_make(judge, true);
    int error = index_environment(judge->index, &state, name);
    if (error < 0)
        return error;
    if (!error && state->alive) {
        const struct environment is = state->is;
        return add_again(judge, wish, &is);
    }
    if (wish->is_protected && wish->ttl)
        return judge_refuse(judge, ERR_REFUSED, "'%s' cannot be protected and end by itself", name);
    if (wish->with) {
        error = find_base(judge, &base, wish);
        if (error)
            return error < 0 ? error : 0;
    }
    operation.base = base.id;
    error = index_new_environment(judge->index, &operation.environment);
    if (!error)
        error = judge_step(judge, &operation, name, NULL);
    if (!error)
        error = judge_step_of_key_pair(judge, OPERATION_ENVIRONMENT_KEY, operation.environment, 0);
    if (!error)
        error = judge_grant_to_readers(judge, operation.environment, 0);
    if (!error)
        error = plan_line(judge->plan, '+', false, 0, name, "", "");
    if (error)
        return error;
    plan_line_expires(judge->plan, operation.expires);
    if (!wish->with)
        return 0;
    const struct environment made = {.id = operation.environment};
    return place_all(judge, &made, &base, wish);
}

/* As it stands now: what was removed from it by this change has changed it. */
static int drop_environment(struct judge *judge, const char *name, int64_t expired)
{
    const struct environment_state *state;
    int error = index_environment(judge->index, &state, name);
    if (error)
        return error;
    struct operation operation = {
        .kind = OPERATION_ENVIRONMENT_REMOVE, .environment = state->is.id, .expires = expired};
    const uint64_t was = expired ? state->is.made_rev : state->is.changed_rev;
    error = judge_step(judge, &operation, name, NULL);
    if (!error)
        error = plan_line(judge->plan, '-', false, was, name, "", "");
    if (!error)
        plan_line_expires(judge->plan, expired);
    return error;
}

/* Whether an environment may go: 0, NOT_THERE: refused. */
static int may_go(struct judge *judge, const struct environment *is)
{
    struct environment_state other = {0};
    int found;
    if (strcmp(is->name, ALL) == 0) {
        judge_refuse(judge, ERR_REFUSED,
                     "environment 'all' stays; remove what is in it (emsa rm, emsa service rm)");
        return NOT_THERE;
    }
    if (is->is_protected) {
        judge_refuse(judge, ERR_REFUSED, "'%s' is protected: it is removed by nobody", is->name);
        return NOT_THERE;
    }
    while (!(found = judge_next_environment(judge, &other)))
        if (other.is.base == is->id) {
            judge_refuse(judge, ERR_REFUSED,
                         "environment '%s' is what '%s' stands on; remove that first (emsa env rm "
                         "%s --all)",
                         is->name, other.is.name, other.is.name);
            return NOT_THERE;
        }
    return found < 0 ? found : 0;
}

int judge_environment_remove(struct judge *judge, const struct wish *wish)
{
    struct environment environment;
    struct place_state place = {0};
    int found = judge_find_environment(judge, &environment, wish->environment);
    if (!found)
        found = may_go(judge, &environment);
    if (found)
        return found < 0 ? found : 0;
    found = next_service(judge, &place, environment.id);
    if (found < 0)
        return found;
    if (!found)
        return judge_refuse(judge, ERR_REFUSED,
                            "environment '%s' is not empty: it has service '%s'; remove its "
                            "services first, or all of it with --all",
                            wish->environment, place.is.name);
    return drop_environment(judge, wish->environment, 0);
}

/* --- services --- */

static int check_misspelt(struct judge *judge, const struct environment *environment,
                          const struct wish *wish)
{
    char near[SERVICE_NAME_MAX + 1];
    const int found = judge->terms->allow_new || strcmp(wish->service, SHARED) == 0
                          ? NOT_THERE
                          : nearest_misspelt(&judge->near, judge->index->txn, near, environment->id,
                                             wish->service);
    if (found)
        return found < 0 ? found : 0;
    judge->refused_environment = wish->environment;
    judge->refused_service = wish->service;
    judge->refused_is_absent = false;
    judge->is_partial = true;
    judge_refuse(judge, ERR_REFUSED,
                 "'%s/%s' would be a new service and looks like a misspelling of '%s/%s'; --new "
                 "makes it all the same",
                 wish->environment, wish->service, wish->environment, near);
    return NOT_THERE;
}

/* A service that stood here before has its pair; perhaps from this very change, not yet applied. */
static int step_of_pair(struct judge *judge, const struct operation *operation)
{
    struct recipient pair;
    const int found =
        state_public_key(judge->index->txn, &pair, operation->environment, operation->service);
    if (found < 0)
        return found;
    if (!found) { /* whoever was granted the service that went must not open the next one */
        const int granted = judge_is_granted(judge, operation->environment, operation->service);
        return granted > 0
                   ? judge_step_of_generation(judge, operation->environment, operation->service)
                   : granted;
    }
    if (operation->turn)
        return 0;
    return judge_step_of_key_pair(judge, OPERATION_SERVICE_KEY, operation->environment,
                                  operation->service);
}

static int place(struct judge *judge, struct service *out, const struct environment *environment,
                 const struct wish *wish)
{
    const struct place_state *state;
    struct operation operation = {
        .kind = OPERATION_SERVICE_ADD, .first = true, .environment = environment->id};
    int found = index_place(judge->index, &state, environment->id, wish->service);
    if (found < 0)
        return found;
    if (!found)
        operation.turn = (uint16_t)(state->is.incarnation + 1u);
    found = state_service_id(judge->index->txn, &operation.service, wish->service);
    if (found > 0)
        found = index_new_service(judge->index, &operation.service);
    if (!found)
        found = judge_step(judge, &operation, wish->service, NULL);
    if (!found)
        found = step_of_pair(judge, &operation);
    if (!found)
        found = plan_line(judge->plan, '+', false, 0, wish->environment, wish->service, "");
    if (!found)
        found = index_place(judge->index, &state, environment->id, wish->service);
    if (!found && out)
        *out = state->is;
    return found;
}

/* 1, 0, or a failure. */
static int has_services(struct judge *judge, uint32_t environment)
{
    struct place_state place = {0};
    const int found = next_service(judge, &place, environment);
    return found < 0 ? found : !found;
}

static int place_shared(struct judge *judge, const struct environment *environment,
                        const char *name)
{
    const struct wish wish = {.environment = name, .service = SHARED, .key = ""};
    const int there = stands(judge, environment->id, SHARED);
    return there ? (there < 0 ? there : 0) : place(judge, NULL, environment, &wish);
}

/* What all services use is there as soon as one of them is: `shared` of `all` is placed with the
 * first service of an environment. (Not with the environment: it may need keys of it.) */
static int bring_shared(struct judge *judge, const struct environment *environment,
                        const struct wish *wish, bool is_first)
{
    struct environment_state all, other = {0};
    const bool is_all = strcmp(wish->environment, ALL) == 0;
    const bool is_shared = strcmp(wish->service, SHARED) == 0;
    if (is_all && !is_shared)
        return 0;
    if (!is_all) {
        if (!is_first || is_shared)
            return 0;
        int found = state_environment(judge->index->txn, &all, ALL);
        if (!found)
            found = stands(judge, all.is.id, SHARED) > 0 ? 0 : NOT_THERE;
        return found ? (found < 0 ? found : 0)
                     : place_shared(judge, environment, wish->environment);
    }
    int found;
    while (!(found = judge_next_environment(judge, &other))) {
        if (strcmp(other.is.name, ALL) == 0)
            continue;
        const int has = has_services(judge, other.is.id);
        const char *name = gather_copy(judge->gather, other.is.name, strlen(other.is.name));
        if (has < 0 || !name)
            return has < 0 ? has : -ERR_NOMEM;
        found = has ? place_shared(judge, &other.is, name) : 0;
        if (found)
            return found;
    }
    return found < 0 ? found : 0;
}

int judge_make_service(struct judge *judge, struct service *out,
                       const struct environment *environment, const struct wish *wish)
{
    int found = check_misspelt(judge, environment, wish);
    if (found)
        return found;
    const int has = has_services(judge, environment->id);
    if (has < 0)
        return has;
    found = place(judge, out, environment, wish);
    return found ? found : bring_shared(judge, environment, wish, !has);
}

int judge_service_add(struct judge *judge, const struct wish *wish)
{
    struct environment environment;
    struct service service;
    bool refused;
    judge_may_make(judge, false);
    int found = judge_find_service(judge, &environment, &service, wish, &refused);
    if (!found)
        return plan_line(judge->plan, '=', false, service.changed_rev, wish->environment,
                         wish->service, "");
    if (found < 0 || refused)
        return found < 0 ? found : 0;
    found = judge_make_service(judge, &service, &environment, wish);
    return found < 0 ? found : 0;
}

/* As it stands now: what was removed from it by this change has changed it. */
static int drop_service(struct judge *judge, uint32_t environment_id, const char *environment,
                        const char *name)
{
    const struct place_state *state;
    int error = index_place(judge->index, &state, environment_id, name);
    if (error)
        return error;
    struct operation operation = {.kind = OPERATION_SERVICE_REMOVE,
                                  .environment = environment_id,
                                  .service = state->is.id,
                                  .turn = state->is.incarnation};
    const uint64_t was = state->is.changed_rev;
    const struct service service = state->is; /* the state is the index's, which goes on */
    error = judge_drop_schema(judge, &service, name, NULL);
    if (error >= 0)
        error = judge_step(judge, &operation, name, NULL);
    return error ? error : plan_line(judge->plan, '-', false, was, environment, name, "");
}

int judge_service_remove(struct judge *judge, const struct wish *wish)
{
    struct environment environment;
    struct service service;
    struct spot spot = {0};
    bool refused;
    int found = judge_find_service(judge, &environment, &service, wish, &refused);
    if (found > 0)
        return refused ? 0 : judge_no_service(judge, wish, environment.id);
    if (!found)
        found = judge_next_own(judge, &spot, &service);
    if (found < 0)
        return found;
    if (!found)
        return judge_refuse(judge, ERR_REFUSED,
                            "service '%s/%s' is not empty: it has key '%s'; remove its keys "
                            "first, or all of it with --all",
                            wish->environment, wish->service, spot.key);
    return drop_service(judge, environment.id, wish->environment, wish->service);
}

/* --- everything under a path --- */

/* Positive 1: the plan has as many operations as it may, and the service still has keys. */
static int clear_service(struct judge *judge, const struct service *service,
                         const char *environment, size_t most)
{
    struct spot spot = {0};
    int found;
    const char *name = gather_copy(judge->gather, service->name, strlen(service->name));
    if (!name)
        return -ERR_NOMEM;
    while (!(found = judge_next_own(judge, &spot, service))) {
        const char *key = gather_copy(judge->gather, spot.key, strlen(spot.key));
        if (!key)
            return -ERR_NOMEM;
        if (judge->plan->count >= most)
            return 1;
        found = judge_drop_entry(judge, service, &spot, environment, key, 0);
        if (found)
            return found;
    }
    return found < 0 ? found : drop_service(judge, service->environment, environment, name);
}

int judge_drop_environment(struct judge *judge, const struct environment *environment,
                           const char *name, int64_t expired, size_t most)
{
    struct place_state place = {0};
    int found;
    while (!(found = next_service(judge, &place, environment->id))) {
        found = clear_service(judge, &place.is, name, most);
        if (found)
            return found < 0 ? found : 0;
    }
    return found < 0 ? found : drop_environment(judge, name, expired);
}

int judge_remove_all(struct judge *judge, const struct wish *wish)
{
    struct environment environment;
    struct service service;
    bool refused;
    int found;
    if (wish->service[0]) {
        found = judge_find_service(judge, &environment, &service, wish, &refused);
        if (found > 0)
            return refused ? 0 : judge_no_service(judge, wish, environment.id);
        return found ? found : clear_service(judge, &service, wish->environment, SIZE_MAX);
    }
    found = judge_find_environment(judge, &environment, wish->environment);
    if (!found)
        found = may_go(judge, &environment);
    if (found)
        return found < 0 ? found : 0;
    return judge_drop_environment(judge, &environment, wish->environment, 0, SIZE_MAX);
}
