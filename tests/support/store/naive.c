/* Wishes applied one after another to a state, with the reasons that need no look at the rest. */
#include "tests/support/store/naive.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/store/trial.h"

const char *const naive_environments[] = {"all", "ci", "dev", "dev-2", "pre", "prod"};
const char *const naive_services[] = {"api", "billing", "db", "shared", "web"};
const char *const naive_keys[] = {"A", "A.B", "B", "HOST", "PASSWORD", "URL"};

const char *const naive_reason_words[REASON_COUNT] = {
    [REASON_NO_ENVIRONMENT] = "no environment",
    [REASON_NO_SERVICE] = "no service",
    [REASON_NO_KEY] = "no key",
    [REASON_NOT_EMPTY] = "not empty",
    [REASON_PROTECTED_STAYS] = "protected stays",
    [REASON_IS_BASE] = "is a base",
    [REASON_WRONG_BASE] = "wrong base",
    [REASON_WRONG_ALL] = "all is bare",
    [REASON_BECOMES_PLAIN] = "becomes plain",
    [REASON_SECRET_IN_ALL] = "secret in all",
    [REASON_DANGLING] = "dangling",
    [REASON_NOT_SHARED] = "not shared",
    [REASON_CIRCLE] = "circle",
    [REASON_DEPTH] = "depth",
    [REASON_SIZE] = "size",
    [REASON_ENDS] = "ends",
    [REASON_LOCKED] = "locked",
    [REASON_NO_WHY] = "no why",
    [REASON_EQUAL_ELSEWHERE] = "equal elsewhere",
    [REASON_EQUAL_HERE] = "equal here",
    [REASON_LOOKUPS] = "look-ups",
    [REASON_LOCK_AND_END] = "lock and end",
    [REASON_OTHER_TERMS] = "other terms",
    [REASON_ALL_STAYS] = "all stays",
    [REASON_PROTECTED_SECRET] = "protected secret",
    [REASON_NO_SHARE] = "no share",
    [REASON_NO_LOCK] = "no lock",
    [REASON_NO_GRANT] = "no grant",
    [REASON_NO_SCHEMA] = "no schema",
    [REASON_MISSING] = "missing",
    [REASON_UNDECLARED] = "undeclared",
    [REASON_ELSEWHERE] = "elsewhere",
    [REASON_PLAIN] = "plain",
    [REASON_WRONG] = "wrong",
    [REASON_REQUIRED_ENDS] = "required and ends",
};

const char *naive_path(char out[static 96], const struct naive_spot *spot)
{
    snprintf(out, 96, "%s%s%s%s%s", naive_environments[spot->environment],
             spot->service >= 0 ? "/" : "", spot->service >= 0 ? naive_services[spot->service] : "",
             spot->key >= 0 ? "/" : "", spot->key >= 0 ? naive_keys[spot->key] : "");
    return out;
}

void naive_refuse(struct naive_work *work, enum naive_reason_kind kind, enum naive_weight weight,
                  const struct naive_spot *place, const char *other)
{
    struct naive_result *result = work->result;
    char path[96];
    naive_path(path, place);
    result->is_refused |= weight != REASON_MAY;
    for (size_t i = 0; i < result->reason_count; i++) {
        struct naive_reason *reason = &result->reasons[i];
        if (reason->kind != kind || strcmp(reason->place, path) != 0 ||
            strcmp(reason->other, other) != 0)
            continue;
        if (weight > reason->weight)
            reason->weight = weight;
        return;
    }
    MUST(result->reason_count < NAIVE_REASONS_MAX, "too many reasons");
    struct naive_reason *reason = &result->reasons[result->reason_count++];
    *reason = (struct naive_reason){.kind = kind, .weight = weight};
    snprintf(reason->place, sizeof reason->place, "%s", path);
    snprintf(reason->other, sizeof reason->other, "%s", other);
}

/* Refuses a wish. Where its place was not there for an earlier one it may be that nothing more is
 * told. */
static void refuse(struct naive_work *work, enum naive_reason_kind kind, struct naive_spot place)
{
    const struct naive_result *result = work->result;
    enum naive_weight weight = REASON_AT_ONCE;
    char path[96];
    naive_path(path, &place);
    for (size_t i = 0; i < result->reason_count; i++) {
        const struct naive_reason *reason = &result->reasons[i];
        const size_t size = strlen(reason->place);
        if ((reason->kind == REASON_NO_ENVIRONMENT || reason->kind == REASON_NO_SERVICE) &&
            strncmp(path, reason->place, size) == 0 && path[size] == '/')
            weight = REASON_MAY;
    }
    naive_refuse(work, kind, weight, &place, "");
}

static struct naive_spot upto_environment(const struct naive_spot *spot)
{
    return (struct naive_spot){spot->environment, NAIVE_NONE, NAIVE_NONE};
}

static struct naive_spot upto_service(const struct naive_spot *spot)
{
    return (struct naive_spot){spot->environment, spot->service, NAIVE_NONE};
}

static struct naive_environment *in(struct naive_work *work, int environment)
{
    return &work->state->environments[environment];
}

void naive_did(struct naive_work *work, const struct naive_spot *at)
{
    work->result->operations++;
    work->worked[at->environment] = true;
    if (at->service >= 0)
        work->worked_service[at->environment][at->service] = true;
}

static void touch(struct naive_work *work, const struct naive_spot *at)
{
    work->touched[at->environment][at->service][at->key] = true;
}

/* --- places --- */

static bool has_services(const struct naive_environment *environment)
{
    for (unsigned i = 0; i < NAIVE_SERVICES; i++)
        if (environment->places[i].present)
            return true;
    return false;
}

static void make_environment(struct naive_work *work, int environment, int base)
{
    struct naive_environment *made = in(work, environment);
    *made = (struct naive_environment){.alive = true,
                                       .life = ++work->state->lives,
                                       .base = base,
                                       .made_rev = work->rev,
                                       .shown_rev = work->rev,
                                       .listed_rev = work->rev};
    /* What stood here before is another one's. */
    memset(work->set[environment], 0, sizeof work->set[environment]);
    memset(work->touched[environment], 0, sizeof work->touched[environment]);
    memset(work->placed[environment], 0, sizeof work->placed[environment]);
    memset(work->unshared[environment], 0, sizeof work->unshared[environment]);
    memset(work->default_set[environment], 0, sizeof work->default_set[environment]);
    memset(work->schema_set[environment], 0, sizeof work->schema_set[environment]);
    memset(work->worked_service[environment], 0, sizeof work->worked_service[environment]);
    naive_did(work, &(struct naive_spot){environment, NAIVE_NONE, NAIVE_NONE});
}

static void place_one(struct naive_work *work, int environment, int service)
{
    struct naive_place *place = &in(work, environment)->places[service];
    if (place->present)
        return;
    place->incarnation += place->known;
    place->present = place->known = true;
    place->made_rev = place->shown_rev = place->listed_rev = work->rev;
    work->placed[environment][service] = true;
    naive_did(work, &(struct naive_spot){environment, service, NAIVE_NONE});
}

/* And `shared` with it, where that is due. */
static void place(struct naive_work *work, int environment, int service)
{
    const struct naive_environment *all = in(work, NAIVE_ALL);
    const bool is_first = !has_services(in(work, environment));
    if (in(work, environment)->places[service].present)
        return;
    place_one(work, environment, service);
    if (environment != (int)NAIVE_ALL) {
        if (is_first && all->alive && all->places[NAIVE_SHARED].present)
            place_one(work, environment, NAIVE_SHARED);
        return;
    }
    for (int i = 1; service == NAIVE_SHARED && i < (int)NAIVE_ENVIRONMENTS; i++)
        if (in(work, i)->alive && has_services(in(work, i)))
            place_one(work, i, NAIVE_SHARED);
}

/* The environment of a wish; `all` is made by the first that names it. */
static bool need_environment(struct naive_work *work, const struct naive_spot *at)
{
    if (in(work, at->environment)->alive)
        return true;
    if (at->environment == (int)NAIVE_ALL) {
        make_environment(work, (int)NAIVE_ALL, NAIVE_NONE);
        return true;
    }
    refuse(work, REASON_NO_ENVIRONMENT, upto_environment(at));
    return false;
}

static bool need_service(struct naive_work *work, const struct naive_spot *at)
{
    if (!need_environment(work, at))
        return false;
    if (in(work, at->environment)->places[at->service].present)
        return true;
    refuse(work, REASON_NO_SERVICE, upto_service(at));
    return false;
}

/* An environment that is there already and is asked for once more. */
static void add_again(struct naive_work *work, const struct naive_wish *wish)
{
    const struct naive_environment *is = in(work, wish->at.environment);
    const struct naive_spot base = {wish->base, NAIVE_NONE, NAIVE_NONE};
    if (wish->base != NAIVE_NONE && !need_environment(work, &base))
        return;
    if (wish->base != is->base || wish->is_protected != is->is_protected || wish->ttl ||
        is->expires)
        refuse(work, REASON_OTHER_TERMS, wish->at);
}

static bool need_base(struct naive_work *work, const struct naive_wish *wish)
{
    const struct naive_spot named = {wish->base, NAIVE_NONE, NAIVE_NONE};
    if (!need_environment(work, &named))
        return false;
    const struct naive_environment *base = in(work, wish->base);
    if (wish->base != (int)NAIVE_ALL && base->base == NAIVE_NONE && !base->is_protected &&
        !base->expires && !wish->is_protected)
        return true;
    refuse(work, REASON_WRONG_BASE, wish->at);
    return false;
}

static void add_environment(struct naive_work *work, const struct naive_wish *wish)
{
    const int e = wish->at.environment;
    if (e == (int)NAIVE_ALL && (wish->base != NAIVE_NONE || wish->is_protected || wish->ttl)) {
        refuse(work, REASON_WRONG_ALL, wish->at);
        return;
    }
    if (in(work, e)->alive) {
        add_again(work, wish);
        return;
    }
    if (wish->base != NAIVE_NONE && !need_base(work, wish))
        return;
    make_environment(work, e, wish->base);
    struct naive_environment *made = in(work, e);
    made->is_protected = wish->is_protected;
    made->expires = wish->ttl ? work->terms->now + (int64_t)wish->ttl * 1000000000 : 0;
    for (int i = 0; wish->base != NAIVE_NONE && i < (int)NAIVE_SERVICES; i++)
        if (in(work, wish->base)->places[i].present)
            place(work, e, i);
}

static void drop_definition(struct naive_work *work, const struct naive_spot *at)
{
    in(work, at->environment)->definitions[at->service][at->key] = (struct naive_definition){0};
    touch(work, at);
    naive_did(work, at);
}

static void drop_service(struct naive_work *work, int environment, int service)
{
    struct naive_environment *from = in(work, environment);
    for (int key = 0; key < (int)NAIVE_KEYS; key++) {
        const struct naive_spot at = {environment, service, key};
        if (from->definitions[service][key].kind)
            drop_definition(work, &at);
        memset(from->shares[service][key], 0, sizeof from->shares[service][key]);
    }
    if (from->schemas[service])
        naive_schema_put(work, environment, service, NULL);
    memset(from->grants[service], 0, sizeof from->grants[service]);
    from->places[service].present = false;
    naive_did(work, &(struct naive_spot){environment, service, NAIVE_NONE});
}

static bool is_empty(const struct naive_environment *environment, int service)
{
    for (unsigned key = 0; key < NAIVE_KEYS; key++)
        if (environment->definitions[service][key].kind)
            return false;
    return true;
}

static void remove_service(struct naive_work *work, const struct naive_wish *wish)
{
    if (!need_service(work, &wish->at))
        return;
    if (wish->verb == NAIVE_SERVICE_REMOVE &&
        !is_empty(in(work, wish->at.environment), wish->at.service))
        refuse(work, REASON_NOT_EMPTY, upto_service(&wish->at));
    else
        drop_service(work, wish->at.environment, wish->at.service);
}

static void drop_environment(struct naive_work *work, int environment)
{
    for (int i = 0; i < (int)NAIVE_SERVICES; i++)
        if (in(work, environment)->places[i].present)
            drop_service(work, environment, i);
    const struct naive_environment was = *in(work, environment);
    struct naive_environment *left = in(work, environment);
    *left = (struct naive_environment){.base = NAIVE_NONE, .life = was.life, .lock = was.lock};
    /* By these it is judged, without those that this very change took back. */
    memcpy(left->service_locks, was.service_locks, sizeof left->service_locks);
    memcpy(left->key_locks, was.key_locks, sizeof left->key_locks);
    for (unsigned i = 0; i < NAIVE_ENVIRONMENTS; i++) /* by expiry alone: its children stay */
        if (in(work, (int)i)->base == environment)
            in(work, (int)i)->base = NAIVE_NONE;
    naive_did(work, &(struct naive_spot){environment, NAIVE_NONE, NAIVE_NONE});
}

static bool is_base(struct naive_work *work, int environment)
{
    for (int i = 1; i < (int)NAIVE_ENVIRONMENTS; i++)
        if (in(work, i)->alive && in(work, i)->base == environment)
            return true;
    return false;
}

static void remove_environment(struct naive_work *work, const struct naive_wish *wish)
{
    const struct naive_spot *at = &wish->at;
    if (!need_environment(work, at))
        return;
    if (at->environment == (int)NAIVE_ALL)
        refuse(work, REASON_ALL_STAYS, *at);
    else if (in(work, at->environment)->is_protected)
        refuse(work, REASON_PROTECTED_STAYS, *at);
    else if (is_base(work, at->environment))
        refuse(work, REASON_IS_BASE, *at);
    else if (wish->verb == NAIVE_ENVIRONMENT_REMOVE && has_services(in(work, at->environment)))
        refuse(work, REASON_NOT_EMPTY, *at);
    else
        drop_environment(work, at->environment);
}

/* --- definitions --- */

static void set(struct naive_work *work, const struct naive_spot *at,
                const struct naive_definition *wanted)
{
    if (!need_environment(work, at))
        return;
    place(work, at->environment, at->service);
    if (at->environment == (int)NAIVE_ALL && wanted->kind == NAIVE_SECRET)
        naive_refuse(work, REASON_SECRET_IN_ALL, REASON_MUST, at, "");
    struct naive_definition *is = &in(work, at->environment)->definitions[at->service][at->key];
    if (is->kind == NAIVE_SECRET && wanted->kind == NAIVE_PLAIN) {
        refuse(work, REASON_BECOMES_PLAIN, *at);
        return;
    }
    if (is->kind == wanted->kind && is->text == wanted->text && is->expires == wanted->expires)
        return;
    naive_guard(work, at, wanted);
    *is = *wanted;
    is->rev = work->rev;
    work->set[at->environment][at->service][at->key] = true;
    touch(work, at);
    naive_did(work, at);
}

/* What stands at a spot of its own, for a wish that needs it. */
static struct naive_definition *need_own(struct naive_work *work, const struct naive_spot *at)
{
    if (!need_service(work, at))
        return NULL;
    struct naive_definition *own = &in(work, at->environment)->definitions[at->service][at->key];
    if (own->kind)
        return own;
    refuse(work, REASON_NO_KEY, *at);
    return NULL;
}

static void copy(struct naive_work *work, const struct naive_wish *wish)
{
    const struct naive_definition *from = need_own(work, &wish->from);
    if (!from)
        return;
    const bool is_move = wish->verb == NAIVE_MOVE;
    const struct naive_definition wanted = {
        .kind = from->kind, .text = from->text, .expires = is_move ? from->expires : 0};
    if (from->kind == NAIVE_SECRET && in(work, wish->from.environment)->is_protected &&
        wish->from.environment != wish->at.environment) {
        refuse(work, REASON_PROTECTED_SECRET, wish->from);
        return;
    }
    if (is_move)
        drop_definition(work, &wish->from);
    set(work, &wish->at, &wanted);
}

/* --- shares and locks --- */

static bool has_default(const struct naive_work *work, const struct naive_spot *at)
{
    const int layer =
        naive_schema_layer(work->state, (unsigned)at->environment, (unsigned)at->service);
    return at->environment != (int)NAIVE_ALL && layer != NAIVE_NONE &&
           work->state->environments[layer].defaults[at->service][at->key].kind != NAIVE_NOTHING;
}

/* Something is in effect at the spot, as far as it is deep, with what this change did so far; or
 * is_said of it, and taken back. */
static bool need_place(struct naive_work *work, const struct naive_spot *at, bool is_said)
{
    unsigned layers[3];
    if (at->service < 0)
        return need_environment(work, at);
    if (!need_service(work, at))
        return false;
    if (at->key < 0 || is_said)
        return true;
    const struct naive_environment *own = in(work, at->environment);
    const unsigned count = own->hidden[at->service][at->key]
                               ? 1
                               : naive_layers(layers, work->state, (unsigned)at->environment);
    layers[0] = (unsigned)at->environment;
    for (unsigned i = 0; i < count; i++)
        if (in(work, (int)layers[i])->definitions[at->service][at->key].kind)
            return true;
    if (!own->hidden[at->service][at->key] && has_default(work, at))
        return true;
    refuse(work, REASON_NO_KEY, *at);
    return false;
}

static void share(struct naive_work *work, const struct naive_wish *wish)
{
    const struct naive_spot *at = &wish->at;
    const bool is_made = wish->verb == NAIVE_SHARE;
    uint64_t *share = &in(work, at->environment)->shares[at->service][at->key][wish->consumer];
    if (!need_place(work, at, !is_made && *share))
        return;
    if (!is_made && !*share)
        refuse(work, REASON_NO_SHARE, *at);
    if ((*share != 0) == is_made)
        return;
    *share = is_made ? work->rev : 0;
    work->unshared[at->environment][at->service][at->key] |= !is_made;
    naive_did(work, at);
}

static void lock(struct naive_work *work, const struct naive_wish *wish)
{
    const struct naive_spot *at = &wish->at;
    const bool is_made = wish->verb == NAIVE_LOCK;
    struct naive_environment *environment = in(work, at->environment);
    uint64_t *lock = at->key >= 0       ? &environment->key_locks[at->service][at->key]
                     : at->service >= 0 ? &environment->service_locks[at->service]
                                        : &environment->lock;
    if (!need_place(work, at, !is_made && *lock))
        return;
    if (!is_made && !*lock)
        refuse(work, REASON_NO_LOCK, *at);
    if ((*lock != 0) == is_made)
        return;
    *lock = is_made ? work->rev : 0;
    naive_did(work, at);
}

static void give_rights(struct naive_work *work, const struct naive_wish *wish)
{
    if (need_place(work, &wish->at, false))
        naive_rights(work, wish);
}

/* --- schemas --- */

static void set_schema(struct naive_work *work, const struct naive_wish *wish)
{
    const struct naive_spot *at = &wish->at;
    if (wish->schema && at->environment == (int)NAIVE_ALL && need_environment(work, at))
        place(work, at->environment, at->service);
    if (!need_service(work, at))
        return;
    const struct naive_schema *is = in(work, at->environment)->schemas[at->service];
    if (!is && !wish->schema)
        refuse(work, REASON_NO_SCHEMA, upto_service(at));
    if (is != wish->schema)
        naive_schema_put(work, at->environment, at->service, wish->schema);
}

/* --- all of it --- */

static void apply_wish(struct naive_work *work, const struct naive_wish *wish)
{
    const struct naive_definition wanted = {
        .kind = wish->kind,
        .text = wish->text,
        .expires = wish->ttl ? work->terms->now + (int64_t)wish->ttl * 1000000000 : 0};
    switch (wish->verb) {
    case NAIVE_SET:
        set(work, &wish->at, &wanted);
        break;
    case NAIVE_REMOVE:
        if (need_own(work, &wish->at))
            drop_definition(work, &wish->at);
        break;
    case NAIVE_COPY:
    case NAIVE_MOVE:
        copy(work, wish);
        break;
    case NAIVE_SERVICE_ADD:
        if (need_environment(work, &wish->at))
            place(work, wish->at.environment, wish->at.service);
        break;
    case NAIVE_SERVICE_REMOVE:
    case NAIVE_SERVICE_CLEAR:
        remove_service(work, wish);
        break;
    case NAIVE_ENVIRONMENT_ADD:
        add_environment(work, wish);
        break;
    case NAIVE_ENVIRONMENT_REMOVE:
    case NAIVE_ENVIRONMENT_CLEAR:
        remove_environment(work, wish);
        break;
    case NAIVE_SHARE:
    case NAIVE_UNSHARE:
        share(work, wish);
        break;
    case NAIVE_LOCK:
    case NAIVE_UNLOCK:
        lock(work, wish);
        break;
    case NAIVE_SCHEMA_SET:
    case NAIVE_SCHEMA_REMOVE:
        set_schema(work, wish);
        break;
    case NAIVE_GRANT:
    case NAIVE_REVOKE:
        give_rights(work, wish);
        break;
    }
}

/* What has ended at now. */
static void expire(struct naive_work *work)
{
    for (int e = 0; e < (int)NAIVE_ENVIRONMENTS; e++) {
        struct naive_environment *environment = in(work, e);
        for (int s = 0; environment->alive && s < (int)NAIVE_SERVICES; s++) {
            for (int k = 0; k < (int)NAIVE_KEYS; k++) {
                const struct naive_spot at = {e, s, k};
                const int64_t expires = environment->definitions[s][k].expires;
                if (expires && expires <= work->terms->now)
                    drop_definition(work, &at);
            }
        }
        if (environment->alive && environment->expires && environment->expires <= work->terms->now)
            drop_environment(work, e);
    }
}

void naive_apply(struct naive *state, struct naive_result *result, const struct naive_wish wishes[],
                 size_t count, const struct naive_terms *terms)
{
    static struct naive before;
    before = *state;
    result->is_refused = result->is_passed = false;
    memset(result->must_name, 0, sizeof result->must_name);
    result->reason_count = result->outcome_count = result->operations = result->unsound = 0;
    result->note_count = 0;
    struct naive_work work = {.before = &before,
                              .state = state,
                              .result = result,
                              .terms = terms,
                              .rev = state->rev + 1,
                              .wishes = wishes,
                              .wish_count = count};
    for (size_t i = 0; i < count; i++)
        apply_wish(&work, &wishes[i]);
    if (terms->is_expiry)
        expire(&work);
    if (!result->operations)
        return;
    naive_settle(&work);
    while ((terms->override & NAIVE_PASS_SHARE) && naive_share_all(&work)) {
        result->outcome_count = result->unsound = 0;
        naive_settle(&work);
    }
    naive_date(&work);
    if (!terms->is_expiry)
        naive_judge(&work);
    state->rev = work.rev;
}
