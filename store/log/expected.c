#include "store/log/expected.h"

#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/grant.h"
#include "store/limits.h"
#include "store/name.h"

#define ALL "all"

#define NO_FIT(text)                                                                               \
    do {                                                                                           \
        *why = (text);                                                                             \
        return 1;                                                                                  \
    } while (0)

static int no_memory(void)
{
    return error_set(ERR_NOMEM, "no memory to verify");
}

void expected_release(struct expected *expected)
{
    free(expected->environments);
    free(expected->services);
    free(expected->places);
    relations_release(&expected->relations);
    expected_keys_release(&expected->pairs);
    *expected = (struct expected){0};
}

const struct environment_state *expected_environment(const struct expected *expected, uint32_t id)
{
    return id && id <= expected->counters.environment_id ? &expected->environments[id] : NULL;
}

uint32_t expected_living(const struct expected *expected, const char *name)
{
    for (uint32_t i = 1; i <= expected->counters.environment_id; i++)
        if (expected->environments[i].alive && strcmp(expected->environments[i].is.name, name) == 0)
            return i;
    return 0;
}

bool expected_is_all(const struct expected *expected, uint32_t id)
{
    const struct environment_state *environment = expected_environment(expected, id);
    return environment && strcmp(environment->is.name, ALL) == 0;
}

bool expected_is_beneath(const struct expected *expected, uint32_t id)
{
    if (expected_is_all(expected, id))
        return true;
    for (uint32_t i = 1; i <= expected->counters.environment_id; i++)
        if (expected->environments[i].alive && expected->environments[i].is.base == id)
            return true;
    return false;
}

/* Room for index in an array; new items are zeroed. */
static int make_room(void **items, size_t *capacity, size_t item, size_t index)
{
    if (index < *capacity)
        return 0;
    size_t wanted = *capacity ? *capacity * 2 : 64;
    while (wanted <= index)
        wanted *= 2;
    void *grown = realloc(*items, wanted * item);
    if (!grown)
        return no_memory();
    memset((char *)grown + *capacity * item, 0, (wanted - *capacity) * item);
    *items = grown;
    *capacity = wanted;
    return 0;
}

static size_t slot_of(const struct place_state *places, size_t capacity, uint32_t environment,
                      uint32_t service)
{
    size_t slot = ((uint64_t)environment * 0x9e3779b1u + service) * 0x85ebca6bu & (capacity - 1);
    while (places[slot].is.id &&
           (places[slot].is.environment != environment || places[slot].is.id != service))
        slot = (slot + 1) & (capacity - 1);
    return slot;
}

const struct place_state *expected_place(const struct expected *expected, uint32_t environment,
                                         uint32_t service)
{
    if (!expected->place_capacity || !service)
        return NULL;
    const struct place_state *place =
        &expected
             ->places[slot_of(expected->places, expected->place_capacity, environment, service)];
    return place->is.id ? place : NULL;
}

static int grow_places(struct expected *expected)
{
    if (expected->place_count * 2 < expected->place_capacity)
        return 0;
    const size_t capacity = expected->place_capacity ? expected->place_capacity * 2 : 64;
    struct place_state *places = calloc(capacity, sizeof *places);
    if (!places)
        return no_memory();
    for (size_t i = 0; i < expected->place_capacity; i++) {
        const struct place_state *old = &expected->places[i];
        if (old->is.id)
            places[slot_of(places, capacity, old->is.environment, old->is.id)] = *old;
    }
    free(expected->places);
    expected->places = places;
    expected->place_capacity = capacity;
    return 0;
}

/* The living environment and place of an operation, to be changed; NULL: there is none. */
static struct environment_state *living_environment(struct expected *expected, uint32_t id)
{
    if (!id || id > expected->counters.environment_id || !expected->environments[id].alive)
        return NULL;
    return &expected->environments[id];
}

static struct place_state *living_place(struct expected *expected,
                                        const struct operation *operation)
{
    if (!expected->place_capacity || !operation->service)
        return NULL;
    struct place_state *place = &expected->places[slot_of(
        expected->places, expected->place_capacity, operation->environment, operation->service)];
    return place->is.id && place->alive && place->is.incarnation == operation->turn ? place : NULL;
}

static bool same_name(const char *known, const struct operation *operation)
{
    return strlen(known) == operation->name_size &&
           memcmp(known, operation->name, operation->name_size) == 0;
}

/* What may stand on what. */
static const char *misfit_of_base(const struct expected *expected,
                                  const struct operation *operation)
{
    const bool is_all = operation->name_size == strlen(ALL) && same_name(ALL, operation);
    if (is_all && (operation->base || operation->is_protected || operation->expires))
        return "'all' has a base, an end or protection";
    if (!operation->base)
        return NULL;
    const struct environment_state *base = expected_environment(expected, operation->base);
    if (!base || !base->alive || base->is.base || base->is.is_protected || base->is.expires ||
        operation->is_protected || strcmp(base->is.name, ALL) == 0)
        return "its base can't be one";
    return NULL;
}

static int add_environment(struct expected *expected, const char **why,
                           const struct operation *operation, uint64_t rev, int64_t time)
{
    const uint32_t id = operation->environment;
    void *items = expected->environments;
    uint32_t before = 0;
    if (id != expected->counters.environment_id + 1 || !operation->name_size ||
        operation->name_size > ENVIRONMENT_NAME_MAX)
        NO_FIT("its environment's id or name does not fit what came before");
    for (uint32_t i = 1; i < id; i++)
        if (same_name(expected->environments[i].is.name, operation))
            before = i;
    if (before && expected->environments[before].alive)
        NO_FIT("its environment was there already");
    *why = misfit_of_base(expected, operation);
    if (*why)
        return 1;
    if (make_room(&items, &expected->environment_capacity, sizeof *expected->environments, id))
        return -ERR_NOMEM;
    expected->environments = items;
    struct environment_state *state = &expected->environments[id];
    *state = (struct environment_state){.alive = true, .before = before};
    state->is.id = id;
    memcpy(state->is.name, operation->name, operation->name_size);
    state->is.made_rev = state->is.changed_rev = state->is.shown_rev = rev;
    state->is.made_time = state->is.listed_time = time;
    state->is.base = operation->base;
    state->is.is_protected = operation->is_protected;
    state->is.is_signed = operation->is_signed;
    state->is.expires = operation->expires;
    expected->counters.environment_id = id;
    expected->counters.environments++;
    expected->names_of_environments += before == 0;
    return 0;
}

static int learn_service(struct expected *expected, const char **why,
                         const struct operation *operation)
{
    const uint32_t id = operation->service;
    void *items = expected->services;
    if (id && id <= expected->counters.service_id) {
        if (!same_name(expected->services[id].name, operation))
            NO_FIT("its service's id is another service's");
        return 0;
    }
    if (id != expected->counters.service_id + 1 || !operation->name_size ||
        operation->name_size > SERVICE_NAME_MAX)
        NO_FIT("its service's id or name does not fit what came before");
    if (make_room(&items, &expected->service_capacity, sizeof *expected->services, id))
        return -ERR_NOMEM;
    expected->services = items;
    memcpy(expected->services[id].name, operation->name, operation->name_size);
    expected->counters.service_id = id;
    return 0;
}

static int add_service(struct expected *expected, const char **why,
                       const struct operation *operation, uint64_t rev, int64_t time)
{
    struct environment_state *environment = living_environment(expected, operation->environment);
    if (!environment)
        NO_FIT("its environment is not there");
    const int misfit = learn_service(expected, why, operation);
    if (misfit || grow_places(expected))
        return misfit ? misfit : -ERR_NOMEM;
    struct place_state *place = &expected->places[slot_of(
        expected->places, expected->place_capacity, operation->environment, operation->service)];
    const uint32_t turn = place->is.id ? (uint16_t)(place->is.incarnation + 1u) : 0;
    if (place->alive || operation->turn != turn)
        NO_FIT("its incarnation does not fit what came before");
    expected->place_count += place->is.id == 0;
    *place = (struct place_state){.alive = true};
    place->is.environment = operation->environment;
    place->is.id = operation->service;
    place->is.incarnation = (uint16_t)turn;
    memcpy(place->is.name, operation->name, operation->name_size);
    place->is.made_rev = place->is.changed_rev = place->is.shown_rev = rev;
    place->is.made_time = place->is.listed_time = time;
    environment->is.changed_rev = rev;
    expected->counters.services++;
    return 0;
}

static int end_place(struct expected *expected, const char **why, const struct operation *operation,
                     uint64_t rev, int64_t time)
{
    struct environment_state *environment = living_environment(expected, operation->environment);
    if (!environment)
        NO_FIT("its environment is not there");
    environment->is.changed_rev = rev;
    if (operation->kind == OPERATION_ENVIRONMENT_REMOVE) {
        if (operation->expires &&
            (operation->expires != environment->is.expires || operation->expires > time))
            NO_FIT("it says that its environment expired, which the log does not bear out");
        environment->alive = false;
        relations_drop(&expected->relations, RELATION_GRANT, operation->environment, 0);
        expected->counters.environments--;
        if (expected_is_beneath(expected, operation->environment))
            NO_FIT("others stand on its environment");
        return 0;
    }
    struct place_state *place = living_place(expected, operation);
    if (!place)
        NO_FIT("its service is not there");
    if (relations_has_schema(&expected->relations, operation->environment, operation->service))
        NO_FIT("its service still has a schema");
    place->alive = false;
    place->is.changed_rev = rev;
    expected->counters.services--;
    relations_drop(&expected->relations, RELATION_SHARE, operation->environment,
                   operation->service);
    relations_drop(&expected->relations, RELATION_GRANT, operation->environment,
                   operation->service);
    return 0;
}

/* A name that is used for the first time has the next id. */
static int learn_name(struct expected *expected, const char **why,
                      const struct operation *operation)
{
    if (operation->name_id > expected->counters.name_id + 1 || !operation->name_id)
        NO_FIT("its name's id does not fit what came before");
    if (operation->name_id > expected->counters.name_id)
        expected->counters.name_id = operation->name_id;
    return 0;
}

static int change_key(struct expected *expected, const char **why,
                      const struct operation *operation, uint64_t rev)
{
    struct environment_state *environment = living_environment(expected, operation->environment);
    struct place_state *place = living_place(expected, operation);
    const bool is_key = operation_is_of_key(operation->kind);
    const bool is_removal =
        operation->kind == OPERATION_REMOVE || operation->kind == OPERATION_DEFAULT_REMOVE;
    if (!environment || !place)
        NO_FIT("its service is not there");
    if (operation->from.environment > expected->counters.environment_id ||
        operation->from.name_id > expected->counters.name_id || operation->from.rev > rev)
        NO_FIT("it is copied from where nothing was yet");
    if (operation->kind == OPERATION_SET_SECRET && strcmp(environment->is.name, ALL) == 0)
        NO_FIT("it sets a secret in 'all'");
    if (learn_name(expected, why, operation))
        return 1;
    if (operation->first ? operation->entry_id != expected->counters.entry_id + 1
                         : operation->entry_id > expected->counters.entry_id)
        NO_FIT("its entry's id does not fit what came before");
    if (operation->first) {
        expected->counters.entry_id = operation->entry_id;
        expected->counters.entries += is_key;
    }
    expected->counters.entries -= is_removal && is_key;
    expected->values += !is_removal;
    environment->is.changed_rev = place->is.changed_rev = rev;
    return 0;
}

/* What is said of a name, a service or an environment. */
static int say(struct expected *expected, const char **why, const struct operation *operation,
               uint32_t op, uint64_t rev)
{
    struct environment_state *environment = living_environment(expected, operation->environment);
    struct place_state *place = living_place(expected, operation);
    const bool is_lock = operation->kind == OPERATION_LOCK || operation->kind == OPERATION_UNLOCK;
    const bool is_schema = operation_is_of_schema(operation->kind);
    if (!environment || (!place && (operation->service || operation->name_id || !is_lock)))
        NO_FIT("its environment or service is not there");
    if (is_schema && !same_name(place->is.name, operation))
        NO_FIT("its name is not its service's");
    if ((operation->name_id || !(is_lock || is_schema)) && learn_name(expected, why, operation))
        return 1;
    environment->is.changed_rev = rev;
    if (place)
        place->is.changed_rev = rev;
    const int error = relations_apply(&expected->relations, operation, rev, op);
    if (error > 0)
        NO_FIT(is_schema ? "it is not what came of the schema before"
                         : "it takes back what was not said");
    expected->values += operation->kind == OPERATION_SCHEMA_SET;
    return error;
}

static int name_revision(struct expected *expected, const char **why,
                         const struct operation *operation, uint32_t op, uint64_t rev)
{
    if (operation->environment || operation->service || operation->name_id || operation->entry_id)
        NO_FIT("its tag is in a place");
    if (tag_check(operation->name, operation->name_size) || operation->tagged >= rev)
        NO_FIT("its tag is no name, or of no revision before it");
    const int error = relations_apply(&expected->relations, operation, rev, op);
    if (error > 0)
        NO_FIT("it takes back a tag that there was not");
    return error;
}

/* Who may read everything no more: every environment that it may not read for itself has new keys.
 */
static int end_reading_everything(struct expected *expected, const struct operation *operation)
{
    char principal[PRINCIPAL_MAX + 1] = "";
    memcpy(principal, operation->principal, operation->principal_size);
    if (operation->kind != OPERATION_RIGHTS_REVOKE || operation->environment ||
        !(operation->rights & GRANT_READ) || !principal_is_identity(principal))
        return 0;
    for (uint32_t id = 1; id <= expected->counters.environment_id; id++) {
        if (!living_environment(expected, id) ||
            relations_rights(&expected->relations, id, 0, principal) & GRANT_READ)
            continue;
        const int error = expected_keys_due(&expected->pairs, id, 0);
        if (error)
            return error;
    }
    return 0;
}

static int give_rights(struct expected *expected, const char **why,
                       const struct operation *operation, uint32_t op, uint64_t rev)
{
    struct environment_state *environment = living_environment(expected, operation->environment);
    struct place_state *place = living_place(expected, operation);
    if ((operation->environment && !environment) || (operation->service && !place) ||
        (operation->service && !operation->environment))
        NO_FIT("its environment or service is not there");
    if (operation->name_id || operation->entry_id)
        NO_FIT("its rights are to a key");
    if (!same_name(place ? place->is.name : environment ? environment->is.name : "", operation))
        NO_FIT("its name is not its place's");
    if (environment)
        environment->is.changed_rev = rev;
    if (place)
        place->is.changed_rev = rev;
    const int error = relations_apply(&expected->relations, operation, rev, op);
    if (error > 0)
        NO_FIT("it grants what was granted, or takes back what was not");
    const int misfit =
        error ? error
              : expected_keys_rights(&expected->pairs, why, &expected->relations, operation, rev);
    return misfit ? misfit : end_reading_everything(expected, operation);
}

/* What is destroyed was set in a place that there was; whether it was what it says is looked at
 * where the values are. */
static int destroy(struct expected *expected, const char **why, const struct operation *operation,
                   uint64_t rev)
{
    const bool is_purge = operation->kind == OPERATION_PURGE;
    if (operation->environment && !expected_environment(expected, operation->environment))
        NO_FIT("its environment never was there");
    if (operation->service && !expected_place(expected, operation->environment, operation->service))
        NO_FIT("its service never was there");
    if ((!is_purge && operation->name_id) || !operation->name_id != !operation->entry_id ||
        operation->name_id > expected->counters.name_id ||
        operation->entry_id > expected->counters.entry_id || operation->stored_size)
        NO_FIT("it destroys what is no value of a key, and no schema");
    if (is_purge && !(operation->environment && operation->service))
        NO_FIT("it destroys a value of no place");
    if (operation->until >= rev)
        NO_FIT("it destroys what is not older than itself");
    return 0;
}

/* The store's own pair is of no environment. */
static int take_keys(struct expected *expected, const char **why, const struct operation *operation,
                     uint64_t rev)
{
    const bool is_own = operation->kind == OPERATION_GRANT && !operation->environment;
    const bool is_placed = operation->kind != OPERATION_IDENTITY && !is_own && rev != 1;
    if (is_placed && !living_environment(expected, operation->environment))
        NO_FIT("its environment is not there");
    if (operation->service && !expected_place(expected, operation->environment, operation->service))
        NO_FIT("its service never was there");
    if (operation->service && operation->kind == OPERATION_ENVIRONMENT_KEY)
        NO_FIT("an environment's key is a service's");
    if (!operation->service &&
        (operation->kind == OPERATION_SERVICE_KEY || operation->kind == OPERATION_VALUE_KEY))
        NO_FIT("a service's key is an environment's");
    if (operation->name_id || operation->entry_id || operation->stored_size)
        NO_FIT("its key is a value's");
    return expected_keys_apply(&expected->pairs, why, &expected->relations, operation, rev);
}

/* Whether an incarnation is the one that was there before the commit. */
static bool was_there(const struct place_state *place, const struct outcome *outcome)
{
    if (place->is.made_rev == outcome->rev)
        return outcome->incarnation < place->is.incarnation;
    return outcome->incarnation == place->is.incarnation;
}

static int take_place_outcome(struct expected *expected, const char **why,
                              const struct outcome *outcome, int64_t time)
{
    struct environment_state *environment = &expected->environments[outcome->environment];
    const struct place_state *place =
        expected_place(expected, outcome->environment, outcome->service);
    const bool is_newest = place && place->is.incarnation == outcome->incarnation;
    if (outcome->mark == '+' && !(is_newest && place->alive && place->is.made_rev == outcome->rev))
        NO_FIT("no service was placed there");
    if (outcome->mark == '-' &&
        !(place && was_there(place, outcome) && place->is.changed_rev == outcome->rev &&
          (!place->alive || place->is.made_rev == outcome->rev)))
        NO_FIT("no service was removed there");
    if (outcome->mark == '~')
        NO_FIT("a service does not change");
    if (environment->alive)
        environment->is.listed_time = time;
    return 0;
}

static int take_environment_outcome(const struct environment_state *environment, const char **why,
                                    const struct outcome *outcome)
{
    if (outcome->mark == '+' ? environment->alive && environment->is.made_rev == outcome->rev
                             : outcome->mark == '-' && !environment->alive &&
                                   environment->is.changed_rev == outcome->rev)
        return 0;
    NO_FIT("no environment was made or removed there");
}

static int take_key_outcome(struct expected *expected, const char **why,
                            const struct outcome *outcome, int64_t time)
{
    if (!expected_place(expected, outcome->environment, outcome->service))
        NO_FIT("there is no service there");
    struct place_state *place = &expected->places[slot_of(
        expected->places, expected->place_capacity, outcome->environment, outcome->service)];
    if (outcome->mark == '-' ? !was_there(place, outcome)
                             : !place->alive || place->is.incarnation != outcome->incarnation)
        NO_FIT("its service is another one");
    if (outcome->is_secret && expected_is_all(expected, outcome->environment))
        NO_FIT("it is secret in 'all'");
    place->is.changed_rev = outcome->rev;
    if (place->alive)
        place->is.shown_rev = outcome->rev;
    if (place->alive && outcome->mark != '~')
        place->is.listed_time = time;
    return 0;
}

int expected_take_outcome(struct expected *expected, const char **why,
                          const struct outcome *outcome, int64_t time)
{
    if (!expected_environment(expected, outcome->environment))
        NO_FIT("there never was such an environment");
    struct environment_state *environment = &expected->environments[outcome->environment];
    const bool is_environment = outcome->kind == OUTCOME_ENVIRONMENT;
    const bool is_key = outcome->kind == OUTCOME_KEY;
    if (is_environment != !outcome->service || is_key != (outcome->name_id != 0) ||
        (is_environment && outcome->incarnation) || (outcome->is_secret && !is_key))
        NO_FIT("it is not of its kind");
    const int misfit = is_environment ? take_environment_outcome(environment, why, outcome)
                       : is_key       ? take_key_outcome(expected, why, outcome, time)
                                      : take_place_outcome(expected, why, outcome, time);
    environment->is.changed_rev = outcome->rev;
    if (environment->alive)
        environment->is.shown_rev = outcome->rev;
    return misfit;
}

int expected_apply(struct expected *expected, const char **why, const struct operation *operation,
                   uint32_t op, uint64_t rev, int64_t time)
{
    expected->operations++;
    switch (operation->kind) {
    case OPERATION_ENVIRONMENT_ADD:
        return add_environment(expected, why, operation, rev, time);
    case OPERATION_SERVICE_ADD:
        return add_service(expected, why, operation, rev, time);
    case OPERATION_ENVIRONMENT_REMOVE:
    case OPERATION_SERVICE_REMOVE:
        return end_place(expected, why, operation, rev, time);
    case OPERATION_SET_PLAIN:
    case OPERATION_SET_SECRET:
    case OPERATION_SET_LINK:
    case OPERATION_SET_TEMPLATE:
    case OPERATION_REMOVE:
    case OPERATION_DEFAULT_SET:
    case OPERATION_DEFAULT_REMOVE:
        return change_key(expected, why, operation, rev);
    case OPERATION_LOCK:
    case OPERATION_UNLOCK:
    case OPERATION_SHARE:
    case OPERATION_UNSHARE:
    case OPERATION_SCHEMA_SET:
    case OPERATION_SCHEMA_REMOVE:
        return say(expected, why, operation, op, rev);
    case OPERATION_TAG:
    case OPERATION_UNTAG:
        return name_revision(expected, why, operation, op, rev);
    case OPERATION_RIGHTS_GRANT:
    case OPERATION_RIGHTS_REVOKE:
        return give_rights(expected, why, operation, op, rev);
    case OPERATION_PURGE:
    case OPERATION_COMPACT:
        return destroy(expected, why, operation, rev);
    case OPERATION_SERVICE_KEY:
    case OPERATION_IDENTITY:
    case OPERATION_ENVIRONMENT_KEY:
    case OPERATION_GRANT:
    case OPERATION_VALUE_KEY:
        return take_keys(expected, why, operation, rev);
    }
    NO_FIT("its kind is not known to this version");
}
