#include "store/model/rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "store/log/state.h"
#include "store/model/due.h"
#include "store/model/value.h"

#define RESERVED "all"
/* A search walks a list; a change with thousands of wrong names is told of the nearest only for the
 * first. */
#define SEARCHES_MAX 20

/* --- reasons --- */

/* Notes a reason and goes on: 0. */
static int __attribute__((format(printf, 3, 4)))
refuse(struct judge *judge, enum error_code code, const char *format, ...)
{
    char line[ERROR_TEXT_MAX / 4];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (!judge->code)
        judge->code = code;
    if (judge->reasons.size + (size_t)length + 2 < judge->reasons.limit)
        bytes_append_format(&judge->reasons, "%s%s", judge->reasons.size ? "\n" : "", line);
    return 0;
}

static int no_environment(struct judge *judge, const char *name)
{
    char near[ENVIRONMENT_NAME_MAX + 1];
    const int found = judge->searches++ < SEARCHES_MAX
                          ? nearest_environment(judge->index->txn, near, name)
                          : NOT_THERE;
    if (found < 0)
        return found;
    judge->refused_environment = name;
    judge->refused_service = "";
    return found ? refuse(judge, ERR_NOT_FOUND, "no environment '%s' (emsa env add %s makes it)",
                          name, name)
                 : refuse(judge, ERR_NOT_FOUND,
                          "no environment '%s'; did you mean '%s'? (emsa env add %s makes it)",
                          name, near, name);
}

static int no_service(struct judge *judge, const struct wish *wish, uint32_t environment)
{
    char near[SERVICE_NAME_MAX + 1];
    const int found = judge->searches++ < SEARCHES_MAX
                          ? nearest_service(judge->index->txn, near, environment, wish->service)
                          : NOT_THERE;
    if (found < 0)
        return found;
    judge->refused_environment = wish->environment;
    judge->refused_service = wish->service;
    return found ? refuse(judge, ERR_NOT_FOUND, "no service '%s/%s'", wish->environment,
                          wish->service)
                 : refuse(judge, ERR_NOT_FOUND, "no service '%s/%s'; did you mean '%s/%s'?",
                          wish->environment, wish->service, wish->environment, near);
}

static int no_key(struct judge *judge, const struct wish *wish, const struct service *service)
{
    char near[KEY_NAME_MAX + 1];
    const int found =
        judge->searches++ < SEARCHES_MAX
            ? nearest_key(judge->index->txn, near, service->environment, service->id, wish->key)
            : NOT_THERE;
    if (found < 0)
        return found;
    return found ? refuse(judge, ERR_NOT_FOUND, "no key '%s/%s/%s'", wish->environment,
                          wish->service, wish->key)
                 : refuse(judge, ERR_NOT_FOUND, "no key '%s/%s/%s'; did you mean '%s'?",
                          wish->environment, wish->service, wish->key, near);
}

/* --- steps --- */

/* Takes an operation into the plan and applies it. Key pairs are made only when nothing was
 * refused, so they are applied then. */
static int step(struct judge *judge, struct operation *operation, const char *name,
                const struct wish *wish)
{
    const uint32_t op = (uint32_t)judge->plan->count;
    operation->name = name;
    operation->name_size = strlen(name);
    const int error = plan_add(judge->plan, operation, wish);
    return error ? error : index_apply(judge->index, operation, op);
}

static int step_of_key_pair(struct judge *judge, enum operation_kind kind, uint32_t environment,
                            uint32_t service)
{
    const struct operation operation = {.kind = kind,
                                        .environment = environment,
                                        .service = service,
                                        .turn = 1,
                                        .first = kind != OPERATION_GRANT,
                                        .name = ""};
    return plan_add(judge->plan, &operation, NULL);
}

/* Looks the wish's environment up. NOT_THERE: refused, with its reason noted (once for a run of
 * wishes). */
static int find_environment(struct judge *judge, struct environment *out, const char *name)
{
    const struct environment_state *state;
    if (judge->refused_environment && !judge->refused_service[0] &&
        strcmp(judge->refused_environment, name) == 0)
        return NOT_THERE;
    if (strcmp(name, RESERVED) == 0) {
        judge->refused_environment = name;
        judge->refused_service = "";
        refuse(judge, ERR_REFUSED,
               "environment '" RESERVED "' is reserved for definitions that are true in every "
               "environment, which this version does not take yet; name the environments");
        return NOT_THERE;
    }
    const int found = index_environment(judge->index, &state, name);
    if (found < 0)
        return found;
    if (found || !state->alive) {
        const int error = no_environment(judge, name);
        return error ? error : NOT_THERE;
    }
    *out = state->is;
    return 0;
}

/* Looks the wish's service up; one that is not there is no refusal yet: NOT_THERE with *environment
 * set and *refused false. */
static int find_service(struct judge *judge, struct environment *environment, struct service *out,
                        const struct wish *wish, bool *refused)
{
    const struct place_state *state;
    *refused = true;
    if (judge->refused_environment && judge->refused_service[0] &&
        strcmp(judge->refused_environment, wish->environment) == 0 &&
        strcmp(judge->refused_service, wish->service) == 0)
        return NOT_THERE;
    int found = find_environment(judge, environment, wish->environment);
    if (found)
        return found;
    *refused = false;
    found = index_place(judge->index, &state, environment->id, wish->service);
    if (found < 0)
        return found;
    if (found || !state->alive)
        return NOT_THERE;
    *out = state->is;
    return 0;
}

/* --- places --- */

static int judge_environment_add(struct judge *judge, const struct wish *wish)
{
    const struct environment_state *state;
    const char *name = wish->environment;
    struct operation operation = {.kind = OPERATION_ENVIRONMENT_ADD, .first = true};
    if (strcmp(name, RESERVED) == 0)
        return refuse(judge, ERR_REFUSED,
                      "environment '" RESERVED "' is reserved for definitions that are true in "
                      "every environment, which this version does not take yet");
    int error = index_environment(judge->index, &state, name);
    if (error < 0)
        return error;
    if (!error && state->alive)
        return plan_line(judge->plan, '=', false, state->is.changed_rev, name, "", "");
    error = index_new_environment(judge->index, &operation.environment);
    if (error)
        return error;
    error = step(judge, &operation, name, NULL);
    if (!error)
        error = step_of_key_pair(judge, OPERATION_ENVIRONMENT_KEY, operation.environment, 0);
    if (!error)
        error = step_of_key_pair(judge, OPERATION_GRANT, operation.environment, 0);
    return error ? error : plan_line(judge->plan, '+', false, 0, name, "", "");
}

/* As it stands now: what was removed from it by this change has changed it. */
static int drop_environment(struct judge *judge, const char *name)
{
    const struct environment_state *state;
    int error = index_environment(judge->index, &state, name);
    if (error)
        return error;
    struct operation operation = {.kind = OPERATION_ENVIRONMENT_REMOVE,
                                  .environment = state->is.id};
    const uint64_t was = state->is.changed_rev;
    error = step(judge, &operation, name, NULL);
    return error ? error : plan_line(judge->plan, '-', false, was, name, "", "");
}

/* The next living service of an environment after *out. */
static int next_service(struct judge *judge, struct place_state *out, uint32_t environment)
{
    int found;
    do
        found = state_next_place(judge->index->txn, out, environment, out->is.name);
    while (!found && !out->alive);
    return found;
}

static int judge_environment_remove(struct judge *judge, const struct wish *wish)
{
    struct environment environment;
    struct place_state place = {0};
    int found = find_environment(judge, &environment, wish->environment);
    if (found)
        return found < 0 ? found : 0;
    found = next_service(judge, &place, environment.id);
    if (found < 0)
        return found;
    if (!found)
        return refuse(judge, ERR_REFUSED,
                      "environment '%s' is not empty: it has service '%s'; remove its services "
                      "first, or all of it with --all",
                      wish->environment, place.is.name);
    return drop_environment(judge, wish->environment);
}

static int make_service(struct judge *judge, struct service *out,
                        const struct environment *environment, const struct wish *wish)
{
    char near[SERVICE_NAME_MAX + 1];
    const struct place_state *state;
    struct recipient pair;
    struct operation operation = {
        .kind = OPERATION_SERVICE_ADD, .first = true, .environment = environment->id};
    int found = judge->terms->allow_new ? NOT_THERE
                                        : nearest_misspelt(&judge->near, judge->index->txn, near,
                                                           environment->id, wish->service);
    if (found < 0)
        return found;
    if (!found) {
        judge->refused_environment = wish->environment;
        judge->refused_service = wish->service;
        refuse(
            judge, ERR_REFUSED,
            "'%s/%s' would be a new service and looks like a misspelling of '%s/%s'; --new makes "
            "it all the same",
            wish->environment, wish->service, wish->environment, near);
        return NOT_THERE;
    }
    found = index_place(judge->index, &state, environment->id, wish->service);
    if (found < 0)
        return found;
    if (!found)
        operation.turn = (uint16_t)(state->is.incarnation + 1u);
    found = state_service_id(judge->index->txn, &operation.service, wish->service);
    if (found > 0)
        found = index_new_service(judge->index, &operation.service);
    if (!found)
        found = step(judge, &operation, wish->service, NULL);
    if (found)
        return found;
    found = state_public_key(judge->index->txn, &pair, environment->id, operation.service);
    /* A service that stood here before has its pair; perhaps from this very change, not yet
     * applied. */
    if (found > 0)
        found = operation.turn ? 0
                               : step_of_key_pair(judge, OPERATION_SERVICE_KEY, environment->id,
                                                  operation.service);
    if (!found)
        found = plan_line(judge->plan, '+', false, 0, wish->environment, wish->service, "");
    if (!found)
        found = index_place(judge->index, &state, environment->id, wish->service);
    if (!found)
        *out = state->is;
    return found;
}

static int judge_service_add(struct judge *judge, const struct wish *wish)
{
    struct environment environment;
    struct service service;
    bool refused;
    int found = find_service(judge, &environment, &service, wish, &refused);
    if (!found)
        return plan_line(judge->plan, '=', false, service.changed_rev, wish->environment,
                         wish->service, "");
    if (found < 0 || refused)
        return found < 0 ? found : 0;
    found = make_service(judge, &service, &environment, wish);
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
    error = step(judge, &operation, name, NULL);
    return error ? error : plan_line(judge->plan, '-', false, was, environment, name, "");
}

static int judge_service_remove(struct judge *judge, const struct wish *wish)
{
    struct environment environment;
    struct service service;
    struct entry entry;
    bool refused;
    int found = find_service(judge, &environment, &service, wish, &refused);
    if (found > 0)
        return refused ? 0 : no_service(judge, wish, environment.id);
    if (!found)
        found = state_next_current(judge->index->txn, &entry, environment.id, service.id, "");
    if (found < 0)
        return found;
    if (!found)
        return refuse(
            judge, ERR_REFUSED,
            "service '%s/%s' is not empty: it has key '%s'; remove its keys first, or all "
            "of it with --all",
            wish->environment, wish->service, entry.key);
    return drop_service(judge, environment.id, wish->environment, wish->service);
}

/* --- keys --- */

/* Whether the entry's value is what the wish would set it to: 1, 0, or a failure. Without a key at
 * hand a secret is never known to be equal. */
static int is_equal(struct judge *judge, const struct entry *entry, const struct wish *wish)
{
    SECRET_CLEANUP struct secret scratch = {0};
    const unsigned char *data;
    size_t size;
    const bool is_secret = wish->kind == OPERATION_SET_SECRET;
    const void *wanted = is_secret ? wish->secret.data : wish->value;
    if (entry->kind != (is_secret ? ENTRY_SECRET : ENTRY_PLAIN))
        return 0;
    if (entry->rev == judge->index->rev) { /* set by this very change, and not stored yet */
        const struct wish *other = judge->plan->steps[entry->op].wish;
        data = is_secret ? other->secret.data : other->value;
        return other->size == wish->size &&
               (!wish->size || equal_constant_time(data, wanted, wish->size));
    }
    if (entry->stored_size != (is_secret ? envelope_padded(wish->size) : wish->size))
        return 0;
    const int error = value_bytes(judge->store, judge->index->txn, &data, &size, entry, &scratch);
    if (error)
        return error == -ERR_NO_KEY ? 0 : error;
    return size == wish->size && (!size || equal_constant_time(data, wanted, size));
}

static int set_existing(struct judge *judge, struct operation *operation, const struct entry *entry,
                        const struct wish *wish)
{
    const bool is_secret = wish->kind == OPERATION_SET_SECRET;
    if (entry->kind == ENTRY_SECRET && !is_secret)
        return refuse(
            judge, ERR_REFUSED,
            "'%s/%s/%s' is a secret and would become plain; set it as a secret, or remove "
            "it first",
            wish->environment, wish->service, wish->key);
    const int equal = is_equal(judge, entry, wish);
    if (equal < 0)
        return equal;
    const bool stays = equal && entry->expires == operation->expires;
    int error = 0;
    if (!stays) {
        operation->name_id = entry->name_id;
        operation->entry_id = entry->entry_id;
        error = step(judge, operation, wish->key, wish);
    }
    if (!error)
        error = plan_line(judge->plan, stays ? '=' : '~', is_secret, entry->rev, wish->environment,
                          wish->service, wish->key);
    if (!error && !stays)
        plan_line_expires(judge->plan, operation->expires);
    return error;
}

static int set_new(struct judge *judge, struct operation *operation, const struct wish *wish)
{
    int found =
        state_name_id(judge->index->txn, &operation->name_id, operation->service, wish->key);
    if (found > 0)
        found = index_new_name(judge->index, &operation->name_id);
    operation->first = true;
    operation->entry_id = index_new_entry(judge->index);
    if (!found)
        found = step(judge, operation, wish->key, wish);
    if (!found)
        found = plan_line(judge->plan, '+', wish->kind == OPERATION_SET_SECRET, 0,
                          wish->environment, wish->service, wish->key);
    if (!found)
        plan_line_expires(judge->plan, operation->expires);
    return found;
}

/* When what the wish sets ends. What may have no end (a key that must be there, a locked one, the
 * only target of a reference) is refused here. A clock before 1970 counts as 1970. */
static int64_t end_of(const struct judge *judge, const struct wish *wish)
{
    const int64_t from = judge->now > 0 ? judge->now : 0;
    return wish->ttl ? from + (int64_t)wish->ttl * 1000000000 : 0;
}

static int judge_set(struct judge *judge, const struct wish *wish)
{
    struct environment environment;
    struct service service;
    struct entry entry;
    bool refused;
    int found = find_service(judge, &environment, &service, wish, &refused);
    if (found > 0 && !refused)
        found = make_service(judge, &service, &environment, wish);
    if (found)
        return found < 0 ? found : 0;
    struct operation operation = {.kind = wish->kind,
                                  .environment = environment.id,
                                  .service = service.id,
                                  .turn = service.incarnation,
                                  .expires = end_of(judge, wish)};
    operation.stored_size =
        (uint32_t)(wish->kind == OPERATION_SET_SECRET ? envelope_padded(wish->size) : wish->size);
    found = state_current(judge->index->txn, &entry, environment.id, service.id, wish->key);
    if (found < 0)
        return found;
    return found ? set_new(judge, &operation, wish) : set_existing(judge, &operation, &entry, wish);
}

int judge_drop_entry(struct judge *judge, const struct service *service, const struct entry *entry,
                     const char *environment, const char *key, int64_t expired)
{
    struct operation operation = {.kind = OPERATION_REMOVE,
                                  .environment = service->environment,
                                  .service = service->id,
                                  .turn = service->incarnation,
                                  .name_id = entry->name_id,
                                  .entry_id = entry->entry_id,
                                  .expires = expired};
    int error = step(judge, &operation, key, NULL);
    if (!error)
        error = plan_line(judge->plan, '-', entry->kind == ENTRY_SECRET, entry->rev, environment,
                          service->name, key);
    if (!error)
        plan_line_expires(judge->plan, expired);
    return error;
}

static int judge_remove(struct judge *judge, const struct wish *wish)
{
    struct environment environment;
    struct service service;
    struct entry entry;
    bool refused;
    int found = find_service(judge, &environment, &service, wish, &refused);
    if (found > 0)
        return refused ? 0 : no_service(judge, wish, environment.id);
    if (!found)
        found = state_current(judge->index->txn, &entry, environment.id, service.id, wish->key);
    if (found)
        return found < 0 ? found : no_key(judge, wish, &service);
    return judge_drop_entry(judge, &service, &entry, wish->environment, wish->key, 0);
}

/* --- everything under a path --- */

static int clear_service(struct judge *judge, const struct service *service,
                         const char *environment)
{
    struct entry entry = {0};
    int found;
    const char *name = gather_copy(judge->gather, service->name, strlen(service->name));
    if (!name)
        return -ERR_NOMEM;
    while (!(found = state_next_current(judge->index->txn, &entry, service->environment,
                                        service->id, entry.key))) {
        const char *key = gather_copy(judge->gather, entry.key, strlen(entry.key));
        if (!key)
            return -ERR_NOMEM;
        found = judge_drop_entry(judge, service, &entry, environment, key, 0);
        if (found)
            return found;
    }
    return found < 0 ? found : drop_service(judge, service->environment, environment, name);
}

static int judge_remove_all(struct judge *judge, const struct wish *wish)
{
    struct environment environment;
    struct service service;
    struct place_state place;
    bool refused;
    int found;
    if (wish->service[0]) {
        found = find_service(judge, &environment, &service, wish, &refused);
        if (found > 0)
            return refused ? 0 : no_service(judge, wish, environment.id);
        return found ? found : clear_service(judge, &service, wish->environment);
    }
    found = find_environment(judge, &environment, wish->environment);
    if (found)
        return found < 0 ? found : 0;
    place = (struct place_state){0};
    while (!(found = next_service(judge, &place, environment.id))) {
        found = clear_service(judge, &place.is, wish->environment);
        if (found)
            return found;
    }
    return found < 0 ? found : drop_environment(judge, wish->environment);
}

static int judge_wish(struct judge *judge, const struct wish *wish)
{
    switch ((unsigned)wish->kind) {
    case OPERATION_SET_PLAIN:
    case OPERATION_SET_SECRET:
        return judge_set(judge, wish);
    case OPERATION_REMOVE:
        return judge_remove(judge, wish);
    case OPERATION_ENVIRONMENT_ADD:
        return judge_environment_add(judge, wish);
    case OPERATION_ENVIRONMENT_REMOVE:
        return judge_environment_remove(judge, wish);
    case OPERATION_SERVICE_ADD:
        return judge_service_add(judge, wish);
    case OPERATION_SERVICE_REMOVE:
        return judge_service_remove(judge, wish);
    case GATHER_REMOVE_DUE:
        return judge_due(judge);
    default:
        return judge_remove_all(judge, wish);
    }
}

int judge_change(struct judge *judge)
{
    judge->reasons = BYTES_INIT(ERROR_TEXT_MAX - 1);
    for (size_t i = 0; i < judge->gather->count; i++) {
        const int error = judge_wish(judge, &judge->gather->wishes[i]);
        if (error)
            return error;
    }
    if (judge->code)
        return error_set(judge->code, "%.*s", (int)judge->reasons.size,
                         (const char *)judge->reasons.data);
    return 0;
}

void judge_release(struct judge *judge)
{
    bytes_release(&judge->reasons);
    nearest_release(&judge->near);
}
