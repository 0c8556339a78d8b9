#include "store/model/rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/model/due.h"
#include "store/model/resolve.h"
#include "store/model/rules_internal.h"
#include "store/model/settle.h"

/* A search walks a list; a change with thousands of wrong names is told of the nearest only for the
 * first. */
#define SEARCHES_MAX 20
/* A schema of a thousand keys in a thousand environments is told of, but not without end. */
#define NOTES_MAX 10000u

/* --- reasons --- */

static int __attribute__((format(printf, 3, 0)))
add_reason(struct judge *judge, enum error_code code, const char *format, va_list arguments)
{
    char line[ERROR_TEXT_MAX / 4];
    const int written = vsnprintf(line, sizeof line, format, arguments);
    const size_t length = written < 0 ? 0 : strlen(line);
    if (!judge->code)
        judge->code = code;
    if (judge->reasons.size + length + 2 < judge->reasons.limit)
        bytes_append_format(&judge->reasons, "%s%s", judge->reasons.size ? "\n" : "", line);
    return 0;
}

int judge_refuse(struct judge *judge, enum error_code code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    judge->is_partial = true;
    const int result = add_reason(judge, code, format, arguments);
    va_end(arguments);
    return result;
}

int judge_object(struct judge *judge, enum error_code code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int result = add_reason(judge, code, format, arguments);
    va_end(arguments);
    return result;
}

int judge_note(struct judge *judge, const struct change_note *note)
{
    if (judge->note_count == NOTES_MAX)
        return 0;
    if (judge->note_count == judge->note_capacity) {
        const size_t capacity = judge->note_capacity ? judge->note_capacity * 2 : 16;
        struct change_note *grown = realloc(judge->notes, capacity * sizeof *judge->notes);
        if (!grown)
            return error_set(ERR_NOMEM, "no memory to judge a change");
        judge->notes = grown;
        judge->note_capacity = capacity;
    }
    judge->notes[judge->note_count++] = *note;
    return 0;
}

void judge_tell(struct change_places *places, const char *environment, const char *service,
                const char *key)
{
    struct path path = {0};
    size_t at = 0;
    if (!places)
        return;
    path_make(&path, environment, service, key);
    while (at < places->count && memcmp(&places->list[at].path, &path, sizeof path) != 0)
        at++;
    if (at == CHANGE_PLACES_MAX)
        return;
    places->list[at].path = path;
    places->list[at].times = at < places->count ? places->list[at].times + 1 : 1;
    places->count += at == places->count;
}

int judge_no_environment(struct judge *judge, const char *name)
{
    char near[ENVIRONMENT_NAME_MAX + 1];
    const int found = judge->searches++ < SEARCHES_MAX
                          ? nearest_environment(judge->index->txn, near, name)
                          : NOT_THERE;
    if (found < 0)
        return found;
    judge->refused_environment = name;
    judge->refused_service = "";
    judge->refused_is_absent = true;
    return found
               ? judge_refuse(judge, ERR_NOT_FOUND,
                              "no environment '%s' (emsa env add %s makes it)", name, name)
               : judge_refuse(judge, ERR_NOT_FOUND,
                              "no environment '%s'; did you mean '%s'? (emsa env add %s makes it)",
                              name, near, name);
}

int judge_no_service(struct judge *judge, const struct wish *wish, uint32_t environment)
{
    char near[SERVICE_NAME_MAX + 1];
    const int found = judge->searches++ < SEARCHES_MAX
                          ? nearest_service(judge->index->txn, near, environment, wish->service)
                          : NOT_THERE;
    if (found < 0)
        return found;
    judge->refused_environment = wish->environment;
    judge->refused_service = wish->service;
    judge->refused_is_absent = true;
    return found ? judge_refuse(judge, ERR_NOT_FOUND, "no service '%s/%s'", wish->environment,
                                wish->service)
                 : judge_refuse(judge, ERR_NOT_FOUND, "no service '%s/%s'; did you mean '%s/%s'?",
                                wish->environment, wish->service, wish->environment, near);
}

int judge_no_key(struct judge *judge, const struct wish *wish, const struct service *service)
{
    char near[KEY_NAME_MAX + 1];
    const int found =
        judge->searches++ < SEARCHES_MAX
            ? nearest_key(judge->index->txn, near, service->environment, service->id, wish->key)
            : NOT_THERE;
    if (found < 0)
        return found;
    return found ? judge_refuse(judge, ERR_NOT_FOUND, "no key '%s/%s/%s'", wish->environment,
                                wish->service, wish->key)
                 : judge_refuse(judge, ERR_NOT_FOUND, "no key '%s/%s/%s'; did you mean '%s'?",
                                wish->environment, wish->service, wish->key, near);
}

/* --- steps --- */

/* Takes an operation into the plan and applies it. Key pairs are made only when nothing was
 * refused, so they are applied then. */
int judge_step(struct judge *judge, struct operation *operation, const char *name,
               const struct wish *wish)
{
    const uint32_t op = (uint32_t)judge->plan->count;
    operation->name = name;
    operation->name_size = strlen(name);
    const int error = plan_add(judge->plan, operation, wish);
    return error ? error : index_apply(judge->index, operation, op);
}

int judge_step_of_key_pair(struct judge *judge, enum operation_kind kind, uint32_t environment,
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

void judge_may_make(struct judge *judge, bool environment)
{
    if (judge->refused_environment && judge->refused_is_absent &&
        (environment || judge->refused_service[0]))
        judge->refused_environment = NULL;
}

/* Looks the wish's environment up. NOT_THERE: refused, with its reason noted (once for a run of
 * wishes). */
int judge_find_environment(struct judge *judge, struct environment *out, const char *name)
{
    const struct environment_state *state;
    if (judge->refused_environment && !judge->refused_service[0] &&
        strcmp(judge->refused_environment, name) == 0)
        return NOT_THERE;
    int found = index_environment(judge->index, &state, name);
    if (found >= 0 && (found || !state->alive) && strcmp(name, ALL) == 0) {
        found = judge_environment_add(judge, &(struct wish){.environment = name});
        if (!found)
            found = index_environment(judge->index, &state, name);
    }
    if (found < 0)
        return found;
    if (found || !state->alive) {
        const int error = judge_no_environment(judge, name);
        return error ? error : NOT_THERE;
    }
    *out = state->is;
    return 0;
}

/* Looks the wish's service up; one that is not there is no refusal yet: NOT_THERE with *environment
 * set and *refused false. */
int judge_find_service(struct judge *judge, struct environment *environment, struct service *out,
                       const struct wish *wish, bool *refused)
{
    const struct place_state *state;
    *refused = true;
    if (judge->refused_environment && judge->refused_service[0] &&
        strcmp(judge->refused_environment, wish->environment) == 0 &&
        strcmp(judge->refused_service, wish->service) == 0)
        return NOT_THERE;
    int found = judge_find_environment(judge, environment, wish->environment);
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

/* --- shares that an override makes --- */

static bool is_same_share(const struct wish *a, const struct wish *b)
{
    return a->kind == b->kind && strcmp(a->environment, b->environment) == 0 &&
           strcmp(a->service, b->service) == 0 && strcmp(a->key, b->key) == 0 &&
           strcmp(a->with, b->with) == 0;
}

/* --- the change --- */

static int judge_wish(struct judge *judge, const struct wish *wish)
{
    switch ((unsigned)wish->kind) {
    case OPERATION_SET_PLAIN:
    case OPERATION_SET_SECRET:
    case OPERATION_SET_LINK:
    case OPERATION_SET_TEMPLATE:
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
    case OPERATION_SHARE:
    case OPERATION_UNSHARE:
        return judge_share(judge, wish);
    case OPERATION_LOCK:
    case OPERATION_UNLOCK:
        return judge_lock(judge, wish);
    case OPERATION_SCHEMA_SET:
        return judge_schema_set(judge, wish);
    case OPERATION_SCHEMA_REMOVE:
        return judge_schema_remove(judge, wish);
    case OPERATION_TAG:
    case OPERATION_UNTAG:
        return judge_tag(judge, wish);
    case OPERATION_PURGE:
        return judge_purge(judge, wish);
    case OPERATION_COMPACT:
        return judge->gather->count == 1
                   ? judge_compact(judge, wish)
                   : judge_refuse(judge, ERR_INVALID, "a compaction stands alone in its commit");
    case OPERATION_RIGHTS_GRANT:
    case OPERATION_RIGHTS_REVOKE:
        return judge_rights(judge, wish);
    case OPERATION_IDENTITY:
        return judge_identity(judge, wish);
    case GATHER_ROTATE:
        return judge_rotate(judge, wish);
    case GATHER_SEALED:
        return judge_sealed(judge, wish);
    case GATHER_COPY:
    case GATHER_MOVE:
        return judge_copy(judge, wish);
    case GATHER_REMOVE_DUE:
        return judge_due(judge);
    default:
        return judge_remove_all(judge, wish);
    }
}

int judge_want_share(struct judge *judge, const char *environment, const struct hop *target,
                     const char *consumer)
{
    struct gather *gather = judge->gather;
    const struct wish wanted = {.kind = OPERATION_SHARE,
                                .environment = environment,
                                .service = target->name,
                                .key = target->key,
                                .with = consumer};
    for (size_t i = 0; i < gather->count; i++)
        if (is_same_share(&gather->wishes[i], &wanted))
            return NOT_THERE;
    for (size_t i = 0; i < judge->wanted_count; i++)
        if (is_same_share(judge->wanted[i], &wanted))
            return 0;
    struct wish **grown = realloc(judge->wanted, (judge->wanted_count + 1) * sizeof *grown);
    struct wish *made = grown ? gather_keep(gather) : NULL;
    judge->wanted = grown ? grown : judge->wanted;
    if (!made)
        return error_set(ERR_NOMEM, "no memory to judge a change");
    *made = wanted;
    made->environment = gather_copy(gather, environment, strlen(environment));
    made->service = gather_copy(gather, target->name, strlen(target->name));
    made->key = gather_copy(gather, target->key, strlen(target->key));
    made->with = gather_copy(gather, consumer, strlen(consumer));
    if (!made->environment || !made->service || !made->key || !made->with)
        return -ERR_NOMEM;
    judge->wanted[judge->wanted_count++] = made;
    return 0;
}

/* The list may move: nothing that was judged by it is used any more. */
static int add_wanted(struct judge *judge)
{
    for (size_t i = 0; i < judge->wanted_count; i++) {
        const struct wish *wish = judge->wanted[i];
        struct path path = {0};
        memcpy(path.environment, wish->environment, strlen(wish->environment) + 1);
        memcpy(path.service, wish->service, strlen(wish->service) + 1);
        memcpy(path.key, wish->key, strlen(wish->key) + 1);
        const int error = gather_add(judge->gather, OPERATION_SHARE, &path, NULL, 0, NULL);
        if (error)
            return error;
        judge->gather->wishes[judge->gather->count - 1].with = wish->with;
    }
    return JUDGE_AGAIN;
}

/* What passes for an override says so for ever, in all that was done with it. */
static void mark_override(struct judge *judge)
{
    for (size_t i = 0; i < judge->plan->count; i++)
        judge->plan->steps[i].operation.is_override = judge->overrode;
}

int judge_change(struct judge *judge)
{
    judge->reasons = BYTES_INIT(ERROR_TEXT_MAX - 1);
    const int no_room = plan_reserve(judge->plan, judge->gather->count);
    if (no_room)
        return no_room;
    for (size_t i = 0; i < judge->gather->count; i++) {
        const int error = judge_wish(judge, &judge->gather->wishes[i]);
        if (error)
            return error;
    }
    if (!judge->is_partial) {
        int error = judge_rotations(judge);
        if (!error)
            error = judge_consumers(judge);
        if (!error)
            error = settle(judge);
        if (error)
            return error;
    }
    if (judge->wanted_count)
        return add_wanted(judge);
    mark_override(judge);
    if (judge->code)
        return error_set(judge->code, "%.*s", (int)judge->reasons.size,
                         (const char *)judge->reasons.data);
    return 0;
}

void judge_release(struct judge *judge)
{
    bytes_release(&judge->reasons);
    free(judge->schemas);
    free(judge->wanted);
    free(judge->rotations);
    free(judge->resealed);
    free(judge->notes);
    nearest_release(&judge->near);
}
