#include "store/log/index.h"

#include <string.h>

#include "store/error.h"
#include "store/limits.h"
#include "store/log/state_relation.h"

int index_begin(struct index *index, struct txn *txn, uint64_t rev, int64_t time)
{
    *index = (struct index){.txn = txn, .rev = rev, .time = time};
    const int error = state_counters(txn, &index->counters);
    index->names_before = index->counters.name_id;
    index->services_before = index->counters.service_id;
    return error;
}

int index_finish(struct index *index)
{
    state_put_counters(index->txn, &index->counters);
    return txn_error(index->txn);
}

int index_environment(struct index *index, const struct environment_state **out, const char *name)
{
    if (!index->has_environment || strcmp(index->environment.is.name, name) != 0) {
        const int found = state_environment(index->txn, &index->environment, name);
        if (found)
            return found;
        index->has_environment = true;
    }
    *out = &index->environment;
    return 0;
}

int index_place(struct index *index, const struct place_state **out, uint32_t environment,
                const char *service)
{
    if (!index->has_place || index->place.is.environment != environment ||
        strcmp(index->place.is.name, service) != 0) {
        const int found = state_place(index->txn, &index->place, environment, service);
        if (found)
            return found;
        index->has_place = true;
    }
    *out = &index->place;
    return 0;
}

int index_new_environment(const struct index *index, uint32_t *id)
{
    if (index->counters.environment_id >= ENVIRONMENT_ID_MAX)
        return error_set(ERR_REFUSED, "this store has made %u environments and can make no more",
                         ENVIRONMENT_ID_MAX);
    *id = index->counters.environment_id + 1;
    return 0;
}

int index_new_service(const struct index *index, uint32_t *id)
{
    if (index->counters.service_id >= SERVICE_ID_MAX)
        return error_set(ERR_REFUSED, "this store has named %u services and can name no more",
                         SERVICE_ID_MAX);
    *id = index->counters.service_id + 1;
    return 0;
}

int index_new_name(const struct index *index, uint64_t *id)
{
    if (index->counters.name_id >= NAME_ID_MAX)
        return error_set(ERR_REFUSED, "this store has named %llu keys and can name no more",
                         NAME_ID_MAX);
    *id = index->counters.name_id + 1;
    return 0;
}

uint64_t index_new_entry(const struct index *index)
{
    return index->counters.entry_id + 1;
}

static int misfit(const struct index *index, uint32_t op, const char *what)
{
    return error_set(ERR_CORRUPT, "revision %llu, operation %u: %s does not fit what came before",
                     (unsigned long long)index->rev, op, what);
}

/* The environment and place of an operation, by id, into the cache. */
static int find_environment(struct index *index, uint32_t id)
{
    const struct environment_state *found;
    char name[ENVIRONMENT_NAME_MAX + 1];
    uint32_t before;
    if (index->has_environment && index->environment.is.id == id)
        return 0;
    const int error = state_environment_name(index->txn, name, &before, id);
    return error ? error : index_environment(index, &found, name);
}

static int find_place(struct index *index, uint32_t environment, uint32_t service)
{
    const struct place_state *found;
    char name[SERVICE_NAME_MAX + 1];
    if (index->has_place && index->place.is.environment == environment &&
        index->place.is.id == service)
        return 0;
    const int error = state_service_name(index->txn, name, service);
    return error ? error : index_place(index, &found, environment, name);
}

/* How far a change of a place goes, each with what is before it. */
enum extent {
    IS_CHANGED, /* something was done there */
    IS_SHOWN,   /* and readers see it */
    IS_LISTED   /* in its list of names */
};

/* Marks the environment changed in this revision. Written once a revision, not once an operation.
 */
static void touch_environment(struct index *index, enum extent extent)
{
    struct environment *is = &index->environment.is;
    if (is->changed_rev == index->rev && (extent < IS_SHOWN || is->shown_rev == index->rev) &&
        (extent < IS_LISTED || is->listed_time == index->time))
        return;
    is->changed_rev = index->rev;
    if (extent >= IS_SHOWN)
        is->shown_rev = index->rev;
    if (extent >= IS_LISTED)
        is->listed_time = index->time;
    state_put_environment(index->txn, &index->environment);
}

/* In the environment's list of services nothing changes with it. */
static void touch_place(struct index *index, enum extent extent)
{
    struct service *is = &index->place.is;
    touch_environment(index, extent < IS_SHOWN ? IS_CHANGED : IS_SHOWN);
    if (is->changed_rev == index->rev && (extent < IS_SHOWN || is->shown_rev == index->rev) &&
        (extent < IS_LISTED || is->listed_time == index->time))
        return;
    is->changed_rev = index->rev;
    if (extent >= IS_SHOWN)
        is->shown_rev = index->rev;
    if (extent >= IS_LISTED)
        is->listed_time = index->time;
    state_put_place(index->txn, &index->place);
}

static int find_both(struct index *index, const struct operation *operation, uint32_t op)
{
    int found = find_environment(index, operation->environment);
    if (!found)
        found = find_place(index, operation->environment, operation->service);
    if (found < 0)
        return found;
    if (found || !index->environment.alive || !index->place.alive ||
        index->place.is.incarnation != operation->turn ||
        index->environment.is.id != operation->environment)
        return misfit(index, op, "its service");
    return 0;
}

/* A name that is used for the first time has the next id. */
static int learn_name(struct index *index, const struct operation *operation, uint32_t op)
{
    if (operation->name_id <= index->counters.name_id)
        return 0;
    if (operation->name_id != index->counters.name_id + 1)
        return misfit(index, op, "its name's id");
    index->counters.name_id = operation->name_id;
    state_put_name(index->txn, operation->name_id, operation->service, index->name);
    return index_saw_name(index, operation->service);
}

/* The index by moment follows the definition: what it said of its end before holds no more. */
static void move_expiry(struct index *index, const struct spot *before, const struct spot *after)
{
    struct expiry expiry = {.environment = before->environment, .name_id = before->name_id};
    if (spot_is_own(before) && before->expires) {
        expiry.moment = before->expires;
        state_delete_expiry(index->txn, &expiry);
    }
    if (!after || !after->expires)
        return;
    expiry = (struct expiry){.moment = after->expires,
                             .environment = after->environment,
                             .name_id = after->name_id,
                             .rev = after->since,
                             .op = after->op};
    state_put_expiry(index->txn, &expiry);
}

/* The spot that an operation on a key or a default speaks of, as it stands now; its kind is
 * SPOT_NONE where nothing is in effect there. */
static int find_spot(struct index *index, struct spot *spot, const struct operation *operation)
{
    const int found =
        index_current(index, spot, operation_layer(operation), operation->service, index->name);
    if (found > 0)
        *spot = (struct spot){.kind = SPOT_NONE};
    return found < 0 ? found : 0;
}

static bool is_that_life(const struct spot *spot, const struct operation *operation)
{
    return spot_is_own(spot) && spot->entry_id == operation->entry_id &&
           spot->name_id == operation->name_id;
}

static int apply_set(struct index *index, const struct operation *operation, uint32_t op)
{
    struct spot spot;
    int error = find_both(index, operation, op);
    if (!error)
        error = learn_name(index, operation, op);
    if (!error)
        error = find_spot(index, &spot, operation);
    if (error)
        return error;
    if (operation->first) {
        if (operation->entry_id != index->counters.entry_id + 1 || spot_is_own(&spot))
            return misfit(index, op, "its entry's id");
        index->counters.entry_id++;
        index->counters.entries += operation_is_of_key(operation->kind);
    } else if (!is_that_life(&spot, operation)) {
        return misfit(index, op, "its entry");
    }
    const struct spot before = spot;
    if (spot.kind == SPOT_NONE) {
        spot.first_rev = index->rev;
        spot.first_time = index->time;
    }
    spot.environment = operation_layer(operation);
    spot.service = operation->service;
    spot.name_id = operation->name_id;
    memcpy(spot.key, index->name, operation->name_size + 1);
    spot.kind = (unsigned)operation_value_kind(operation->kind);
    spot.since = spot.rev = index->rev;
    spot.time = index->time;
    spot.entry_id = operation->entry_id;
    spot.op = op;
    spot.stored_size = operation->stored_size;
    spot.expires = operation->expires;
    state_put_current(index->txn, &spot);
    state_put_moment(index->txn, &spot);
    move_expiry(index, &before, &spot);
    touch_place(index, IS_CHANGED);
    return index_saw_spot(index, operation->environment, operation->service);
}

static int apply_remove(struct index *index, const struct operation *operation, uint32_t op)
{
    struct spot spot;
    int error = find_both(index, operation, op);
    if (!error)
        error = find_spot(index, &spot, operation);
    if (error)
        return error;
    if (!is_that_life(&spot, operation))
        return misfit(index, op, "its entry");
    if (operation->expires &&
        (operation->expires != spot.expires || operation->expires > index->time))
        return misfit(index, op, "the moment of its expiry");
    move_expiry(index, &spot, NULL);
    spot.kind = SPOT_NONE;
    spot.since = index->rev;
    state_delete_current(index->txn, spot.environment, operation->service, index->name);
    state_put_moment(index->txn, &spot);
    index->counters.entries -= operation_is_of_key(operation->kind);
    touch_place(index, IS_CHANGED);
    return 0;
}

/* A service's schema in a layer; its defaults come and go by operations of their own. */
static int apply_schema(struct index *index, const struct operation *operation, uint32_t op)
{
    struct state_schema schema = {.layer = operation->environment, .service = operation->service};
    const bool is_set = operation->kind == OPERATION_SCHEMA_SET;
    int found = find_both(index, operation, op);
    if (found)
        return found;
    found = state_schema(index->txn, &schema);
    if (found < 0)
        return found;
    if (is_set ? operation->first != (found > 0) : found > 0)
        return misfit(index, op, "its schema");
    schema.rev = index->rev;
    schema.op = op;
    if (is_set)
        state_put_schema(index->txn, &schema);
    else
        state_delete_schema(index->txn, &schema);
    touch_place(index, IS_CHANGED);
    return 0;
}

/* What is said of a name: by the text of its path, for it may be nobody's id yet. */
static int apply_share(struct index *index, const struct operation *operation, uint32_t op)
{
    struct state_share share = {.layer = operation->environment, .rev = index->rev, .op = op};
    int error = find_both(index, operation, op);
    if (!error)
        error = learn_name(index, operation, op);
    if (error)
        return error;
    memcpy(share.service, index->place.is.name, sizeof share.service);
    memcpy(share.key, index->name, sizeof share.key);
    memcpy(share.consumer, operation->consumer, operation->consumer_size);
    if (operation->kind == OPERATION_SHARE)
        state_put_share(index->txn, &share);
    else
        state_delete_share(index->txn, &share);
    touch_place(index, IS_CHANGED);
    return 0;
}

static int apply_lock(struct index *index, const struct operation *operation, uint32_t op)
{
    struct state_lock lock = {.environment = operation->environment, .rev = index->rev, .op = op};
    int error = operation->service ? find_both(index, operation, op)
                                   : find_environment(index, operation->environment);
    if (!error && operation->name_id)
        error = learn_name(index, operation, op);
    if (error)
        return error;
    if (operation->service)
        memcpy(lock.service, index->place.is.name, sizeof lock.service);
    if (operation->name_id)
        memcpy(lock.key, index->name, sizeof lock.key);
    if (operation->kind == OPERATION_LOCK)
        state_put_lock(index->txn, &lock);
    else
        state_delete_lock(index->txn, &lock);
    if (operation->service)
        touch_place(index, IS_CHANGED);
    else
        touch_environment(index, IS_CHANGED);
    return 0;
}

/* That a place came or went: what is asked of a revision that is long past. */
static void note_presence(struct index *index, const struct operation *operation, uint32_t op,
                          bool is_there)
{
    state_put_presence(index->txn, &(struct presence){.environment = operation->environment,
                                                      .service = operation->service,
                                                      .rev = index->rev,
                                                      .op = op,
                                                      .is_there = is_there,
                                                      .incarnation = (uint16_t)operation->turn});
}

int index_touch(struct index *index, uint32_t environment, uint32_t service, bool listed)
{
    const enum extent extent = listed ? IS_LISTED : IS_SHOWN;
    int found = find_environment(index, environment);
    const bool is_that =
        !found && index->environment.alive && index->environment.is.id == environment;
    if (!service && is_that)
        touch_environment(index, extent);
    if (found || !service)
        return found < 0 ? found : 0;
    found = find_place(index, environment, service);
    if (!found && is_that && index->place.alive)
        touch_place(index, extent);
    return found < 0 ? found : 0;
}

static int apply_environment_add(struct index *index, const struct operation *operation,
                                 uint32_t op)
{
    const char *name = index->name;
    struct environment_state *state = &index->environment;
    if (operation->name_size > ENVIRONMENT_NAME_MAX ||
        operation->environment != index->counters.environment_id + 1)
        return misfit(index, op, "its environment's id");
    index->has_environment = false;
    const int found = state_environment(index->txn, state, name);
    if (found < 0)
        return found;
    if (!found && state->alive)
        return misfit(index, op, "its environment");
    const uint32_t before = found ? 0 : state->is.id;
    *state = (struct environment_state){.alive = true, .before = before};
    state->is.id = operation->environment;
    memcpy(state->is.name, name, operation->name_size + 1);
    state->is.made_rev = state->is.changed_rev = state->is.shown_rev = index->rev;
    state->is.made_time = state->is.listed_time = index->time;
    state->is.base = operation->base;
    state->is.is_protected = operation->is_protected;
    state->is.is_signed = operation->is_signed;
    state->is.expires = operation->expires;
    if (operation->expires)
        state_put_expiry(index->txn, &(struct expiry){.moment = operation->expires,
                                                      .environment = operation->environment,
                                                      .rev = index->rev,
                                                      .op = op});
    index->has_environment = true;
    index->counters.environment_id = operation->environment;
    index->counters.environments++;
    state_put_environment(index->txn, state);
    state_put_environment_name(index->txn, state);
    note_presence(index, operation, op, true);
    return 0;
}

static int apply_environment_remove(struct index *index, const struct operation *operation,
                                    uint32_t op)
{
    const int found = find_environment(index, operation->environment);
    if (found < 0)
        return found;
    if (found || !index->environment.alive || index->environment.is.id != operation->environment)
        return misfit(index, op, "its environment");
    const int64_t expires = index->environment.is.expires;
    if (operation->expires && (operation->expires != expires || expires > index->time))
        return misfit(index, op, "the moment of its expiry");
    const int error = index_drop_grants(index, operation->environment, 0);
    if (error)
        return error;
    if (expires)
        state_delete_expiry(
            index->txn, &(struct expiry){.moment = expires, .environment = operation->environment});
    index->environment.alive = false;
    index->environment.is.changed_rev = index->rev;
    index->counters.environments--;
    state_put_environment(index->txn, &index->environment);
    note_presence(index, operation, op, false);
    return 0;
}

static int apply_service_add(struct index *index, const struct operation *operation, uint32_t op)
{
    const char *name = index->name;
    struct place_state *state = &index->place;
    int found = find_environment(index, operation->environment);
    if (found < 0)
        return found;
    if (found || !index->environment.alive || operation->name_size > SERVICE_NAME_MAX)
        return misfit(index, op, "its environment");
    if (operation->service > index->counters.service_id) {
        if (operation->service != index->counters.service_id + 1)
            return misfit(index, op, "its service's id");
        index->counters.service_id = operation->service;
        state_put_service_name(index->txn, operation->service, name);
    }
    index->has_place = false;
    found = state_place(index->txn, state, operation->environment, name);
    if (found < 0)
        return found;
    if (operation->turn != (found ? 0u : (uint16_t)(state->is.incarnation + 1u)) ||
        (!found && state->alive))
        return misfit(index, op, "its incarnation");
    *state = (struct place_state){.alive = true};
    state->is.environment = operation->environment;
    state->is.id = operation->service;
    state->is.incarnation = (uint16_t)operation->turn;
    memcpy(state->is.name, name, operation->name_size + 1);
    state->is.made_rev = state->is.changed_rev = state->is.shown_rev = index->rev;
    state->is.made_time = state->is.listed_time = index->time;
    index->has_place = true;
    index->counters.services++;
    state_put_place(index->txn, state);
    note_presence(index, operation, op, true);
    touch_environment(index, IS_CHANGED);
    return 0;
}

static int apply_service_remove(struct index *index, const struct operation *operation, uint32_t op)
{
    struct state_schema schema = {.layer = operation->environment, .service = operation->service};
    int error = find_both(index, operation, op);
    if (!error)
        error = state_schema(index->txn, &schema);
    if (!error)
        return misfit(index, op, "what is left of its schema");
    if (error > 0)
        error = index_drop_shares(index, operation->environment, index->place.is.name);
    if (!error)
        error = index_drop_grants(index, operation->environment, operation->service);
    if (error)
        return error;
    index->place.alive = false;
    index->place.is.changed_rev = index->rev;
    index->counters.services--;
    state_put_place(index->txn, &index->place);
    note_presence(index, operation, op, false);
    touch_environment(index, IS_CHANGED);
    return 0;
}

static int apply_rights(struct index *index, const struct operation *operation, uint32_t op)
{
    int found = operation->service       ? find_both(index, operation, op)
                : operation->environment ? find_environment(index, operation->environment)
                                         : 0;
    if (!found)
        found = index_take_rights(index, operation, op);
    if (found)
        return found < 0 ? found : misfit(index, op, "what it grants or takes back");
    if (operation->service)
        touch_place(index, IS_CHANGED);
    else if (operation->environment)
        touch_environment(index, IS_CHANGED);
    return 0;
}

static int apply_tag(struct index *index, const struct operation *operation, uint32_t op)
{
    struct state_tag tag = {.rev = operation->tagged, .said_rev = index->rev, .said_op = op};
    if (!operation->name_size || operation->name_size > TAG_NAME_MAX ||
        operation->tagged >= index->rev)
        return misfit(index, op, "its tag");
    memcpy(tag.name, index->name, operation->name_size);
    if (operation->kind == OPERATION_TAG)
        state_put_tag(index->txn, &tag);
    else
        state_delete_tag(index->txn, tag.name);
    return 0;
}

int index_apply(struct index *index, const struct operation *operation, uint32_t op)
{
    memcpy(index->name, operation->name, operation->name_size);
    index->name[operation->name_size] = '\0';
    switch (operation->kind) {
    case OPERATION_SET_PLAIN:
    case OPERATION_SET_SECRET:
    case OPERATION_SET_LINK:
    case OPERATION_SET_TEMPLATE:
        return apply_set(index, operation, op);
    case OPERATION_DEFAULT_SET:
        return apply_set(index, operation, op);
    case OPERATION_REMOVE:
    case OPERATION_DEFAULT_REMOVE:
        return apply_remove(index, operation, op);
    case OPERATION_SCHEMA_SET:
    case OPERATION_SCHEMA_REMOVE:
        return apply_schema(index, operation, op);
    case OPERATION_SHARE:
    case OPERATION_UNSHARE:
        return apply_share(index, operation, op);
    case OPERATION_LOCK:
    case OPERATION_UNLOCK:
        return apply_lock(index, operation, op);
    case OPERATION_ENVIRONMENT_ADD:
        return apply_environment_add(index, operation, op);
    case OPERATION_ENVIRONMENT_REMOVE:
        return apply_environment_remove(index, operation, op);
    case OPERATION_SERVICE_ADD:
        return apply_service_add(index, operation, op);
    case OPERATION_SERVICE_REMOVE:
        return apply_service_remove(index, operation, op);
    case OPERATION_TAG:
    case OPERATION_UNTAG:
        return apply_tag(index, operation, op);
    case OPERATION_RIGHTS_GRANT:
    case OPERATION_RIGHTS_REVOKE:
        return apply_rights(index, operation, op);
    case OPERATION_PURGE:
    case OPERATION_COMPACT:
        return 0; /* what is derived tells of places and not of values */
    case OPERATION_IDENTITY:
    case OPERATION_ENVIRONMENT_KEY:
    case OPERATION_SERVICE_KEY:
    case OPERATION_GRANT:
    case OPERATION_VALUE_KEY: {
        const int taken = index_take_key(index, operation, op);
        return taken > 0 ? misfit(index, op, "its identity, or its name") : taken;
    }
    }
    return error_set(ERR_FORMAT,
                     "revision %llu, operation %u: kind %d is not known to this version",
                     (unsigned long long)index->rev, op, (int)operation->kind);
}
