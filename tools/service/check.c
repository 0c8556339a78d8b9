/* Check: the walk over what is there, service by service, and the reply. */
#include "tools/service/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/relations.h"
#include "tools/service/find.h"
#include "tools/service/parameter.h"
#include "tools/service/schema_json.h"

#define AGAINST_MAX 10000u

static const char *const severities[] = {"note", "warning", "error"};

static int no_memory(void)
{
    return error_set(ERR_NOMEM, "no memory for a check");
}

int check_path(const struct check *check, struct path *out, const char *service, const char *key)
{
    return path_make(out, check->environment.name, service, key);
}

static int keep_finding(struct check *check, enum severity severity, const char *verdict,
                        const struct path *path, uint64_t rev, const char *text)
{
    char place[PATH_TEXT_MAX];
    check->counts[severity]++;
    if (json_array_size(check->findings) == CHECK_FINDINGS_MAX) {
        check->is_cut = true;
        return 0;
    }
    json_t *object = json_pack("{s:s, s:s, s:s, s:s}", "path", path_text(path, place), "severity",
                               severities[severity], "verdict", verdict, "text", text);
    if (object != NULL && rev != 0)
        json_object_set_new(object, "rev", json_integer((json_int_t)rev));
    return json_array_append_new(check->findings, object) < 0 ? no_memory() : 0;
}

int check_found(struct check *check, enum severity severity, const char *verdict,
                const struct path *path, uint64_t rev, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return keep_finding(check, severity, verdict, path, rev, text);
}

int check_found_key(struct check *check, enum severity severity, const char *verdict,
                    const char *key, uint64_t rev, const char *text)
{
    struct path path;
    int error = check_path(check, &path, check->service.name, key);
    return error < 0 ? error : keep_finding(check, severity, verdict, &path, rev, text);
}

/* The schema that the service is judged by */

static size_t find_against(const struct check *check, const char *service)
{
    size_t at = 0;
    while (at < check->against_count && strcmp(check->against[at].service, service) != 0)
        at++;
    return at;
}

int check_service_told(struct check *check, const struct path *path, uint64_t keys, json_t **object)
{
    char text[PATH_TEXT_MAX];
    json_t *service =
        json_pack("{s:s, s:I}", "path", path_text(path, text), "keys", (json_int_t)keys);
    check->keys += keys;
    if (json_array_append_new(check->services, service) < 0)
        return no_memory();
    if (object != NULL)
        *object = service;
    return 0;
}

static int add_service(struct check *check, const struct schema *schema, uint64_t keys,
                       const struct schema_place *place)
{
    char layer[ENVIRONMENT_NAME_MAX + 1], text[PATH_TEXT_MAX];
    struct path path, defined;
    json_t *service = NULL;
    int error = check_path(check, &path, check->service.name, NULL);
    if (error == 0)
        error = check_service_told(check, &path, keys, &service);
    if (error < 0)
        return error;
    if (place == NULL) {
        if (schema != NULL)
            json_object_set_new(service, "against", json_true());
        return 0;
    }
    error = snapshot_environment_name(check->snapshot, layer, place->layer);
    if (error > 0)
        error = error_set(ERR_CORRUPT, "an environment has no name");
    if (error == 0)
        error = path_make(&defined, layer, check->service.name, NULL);
    if (error < 0)
        return error;
    json_object_set_new(service, "schema", json_string(path_text(&defined, text)));
    json_object_set_new(service, "schema_rev", json_integer((json_int_t)place->rev));
    return 0;
}

/* What the schema declares before that key (NULL: to its end), and what is not there of it. */
static int pass_absent(struct check *check, const struct schema *schema, size_t *at,
                       const char *key)
{
    while (schema != NULL && *at < schema->count &&
           (key == NULL || strcmp(schema->keys[*at].name, key) < 0)) {
        int error = check_absent(check, schema, &schema->keys[*at]);
        if (error < 0)
            return error;
        (*at)++;
    }
    return 0;
}

/* What a release brings is judged without the defaults of the schema that it replaces. */
static bool is_there(const struct check *check, const struct entry *entry)
{
    return check->against_count == 0 || entry->origin != ORIGIN_SCHEMA;
}

/* Both in the order of their names. */
static int walk_keys(struct check *check, const struct schema *schema, uint64_t *keys)
{
    struct entry entry = {0};
    size_t at = 0;
    for (;;) {
        char after[KEY_NAME_MAX + 1];
        memcpy(after, entry.key, sizeof after);
        int found = snapshot_next_entry(check->snapshot, &entry, check->environment.id,
                                        check->service.id, after);
        if (found != 0)
            return found < 0 ? found : pass_absent(check, schema, &at, NULL);
        if (!is_there(check, &entry))
            continue;
        int error = pass_absent(check, schema, &at, entry.key);
        if (error == 0)
            error = check_entry(check, schema, &entry);
        if (error < 0)
            return error;
        if (schema != NULL && at < schema->count && strcmp(schema->keys[at].name, entry.key) == 0)
            at++;
        (*keys)++;
    }
}

/* One line for the service: thousands are checked at each release. */
static int audit_opened(struct check *check)
{
    struct path path;
    if (check->opened == 0)
        return 0;
    int error = path_make(&path, check->environment.name, check->service.name, NULL);
    return error < 0 ? error : audit_given_at(check->request, &path, 0, check->opened);
}

static int judge_service(struct check *check, const struct schema *schema,
                         const struct schema_place *place)
{
    uint64_t keys = 0;
    int error = 0;
    /* `shared` is no program's: each of its keys is judged where it is used */
    if (schema == NULL && !check->is_all && strcmp(check->service.name, "shared") != 0)
        error = check_found_key(check, SEVERITY_WARNING, "no-schema", NULL, 0,
                                "has no schema: 'emsa schema infer' makes a first draft");
    check->opened = 0;
    if (error == 0)
        error = walk_keys(check, schema, &keys);
    if (error == 0)
        error = audit_opened(check);
    return error < 0 ? error : add_service(check, schema, keys, place);
}

static int check_service(struct check *check)
{
    struct schema schema = {0};
    struct schema_place place;
    if (check->against_count > 0) {
        size_t at = find_against(check, check->service.name);
        if (at == check->against_count || check->is_all)
            return 0;
        check->met[at] = true;
        return judge_service(check, &check->against[at], NULL);
    }
    int found = check->is_all ? NOT_THERE
                              : snapshot_schema(check->snapshot, &schema, &place,
                                                check->environment.id, check->service.id);
    if (found < 0)
        return found;
    int error = judge_service(check, found == 0 ? &schema : NULL, found == 0 ? &place : NULL);
    schema_release(&schema);
    return error;
}

/* The walk */

static int stand_on(struct check *check)
{
    struct lock lock = {0};
    check->is_all = strcmp(check->environment.name, "all") == 0;
    check->base[0] = '\0';
    int found =
        check->environment.base == 0
            ? 0
            : snapshot_environment_name(check->snapshot, check->base, check->environment.base);
    if (found == 0)
        found = relation_next_lock(check->snapshot, &lock, check->environment.id);
    check->has_locks = found == 0;
    return found < 0 ? found : 0;
}

static int check_environment(struct check *check)
{
    int error = stand_on(check);
    if (error == 0 && check->against_count == 0)
        error = check_left(check);
    /* nothing is resolved in `all`: what stands there is judged where it is in effect */
    if (error < 0 || (check->is_all && !check->has_locks))
        return error;
    check->service = (struct service){0};
    for (;;) {
        char after[SERVICE_NAME_MAX + 1];
        memcpy(after, check->service.name, sizeof after);
        int found =
            snapshot_next_service(check->snapshot, &check->service, check->environment.id, after);
        if (found == 0)
            found = check_service(check);
        if (found != 0)
            return found < 0 ? found : 0;
    }
}

static int check_everywhere(struct check *check)
{
    struct environment environment = {0};
    for (;;) {
        char after[ENVIRONMENT_NAME_MAX + 1];
        memcpy(after, environment.name, sizeof after);
        int found = snapshot_next_environment(check->snapshot, &environment, after);
        if (found != 0)
            return found < 0 ? found : 0;
        check->environment = environment;
        int error = check_environment(check);
        if (error < 0)
            return error;
    }
}

static int check_one_service(struct check *check)
{
    int error = find_service(check->snapshot, &check->environment, &check->service, &check->scope);
    if (error == 0)
        error = stand_on(check);
    if (error == 0 && check->against_count == 0)
        error = check_left(check);
    return error < 0 ? error : check_service(check);
}

static int walk_scope(struct check *check)
{
    int error;
    switch (path_depth(&check->scope)) {
    case PATH_ROOT:
        return check_everywhere(check);
    case PATH_ENVIRONMENT:
        error = find_environment(check->snapshot, &check->environment, &check->scope);
        return error < 0 ? error : check_environment(check);
    default:
        return check_one_service(check);
    }
}

/* A release of what is not there yet. */
static int tell_unmet(struct check *check)
{
    for (size_t i = 0; i < check->against_count; i++) {
        const char *service = check->against[i].service;
        struct path path = check->scope;
        if (check->met[i])
            continue;
        int error;
        if (path_depth(&path) == PATH_ROOT) {
            error = check_found(check, SEVERITY_ERROR, "no-service", &path, 0,
                                "no environment has the service '%s': emsa service add ENV/%s",
                                service, service);
        } else {
            memcpy(path.service, service, strlen(service) + 1);
            error = check_found(check, SEVERITY_ERROR, "no-service", &path, 0,
                                "is not there: emsa service add %s/%s", path.environment, service);
        }
        if (error < 0)
            return error;
    }
    return 0;
}

/* Parameters and reply */

static int read_against(struct check *check, json_t *list)
{
    size_t index;
    json_t *item;
    if (list == NULL || json_is_null(list))
        return 0;
    if (!json_is_array(list) || json_array_size(list) > AGAINST_MAX)
        return error_set(ERR_INVALID, "the parameter 'against' is not a list of schemas");
    check->against = calloc(json_array_size(list) + 1, sizeof *check->against);
    check->met = calloc(json_array_size(list) + 1, sizeof *check->met);
    if (check->against == NULL || check->met == NULL)
        return no_memory();
    json_array_foreach(list, index, item)
    {
        int error = schema_parse(&check->against[index], item, "a schema to check against");
        if (error < 0)
            return error;
        check->against_count++;
    }
    return 0;
}

static int refuse_scope(const struct check *check)
{
    char text[PATH_TEXT_MAX];
    const struct path *scope = &check->scope;
    if (path_depth(scope) == PATH_KEY)
        return error_set(ERR_INVALID, "'%s' is a key: a whole service is checked, or more",
                         path_text(scope, text));
    if (check->against_count > 0 && strcmp(scope->environment, "all") == 0)
        return error_set(ERR_INVALID, "nothing runs in 'all': check an environment");
    if (path_depth(scope) == PATH_SERVICE && check->against_count > 0 &&
        find_against(check, scope->service) == check->against_count)
        return error_set(ERR_INVALID, "'%s' is checked, and none of the schemas is of '%s'",
                         path_text(scope, text), scope->service);
    return 0;
}

struct placed { /* a finding, to be sorted */
    json_t *finding;
    const char *path;
    size_t order;
};

/* As a walk goes: a place before what is in it, and that before what only begins as it does. */
static int by_path(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    const char *one = x->path, *other = y->path;
    while (*one != '\0' && *one == *other)
        one++, other++;
    if (*one != *other) {
        int left = *one == '/' ? 1 : (unsigned char)*one,
            right = *other == '/' ? 1 : (unsigned char)*other;
        return left < right ? -1 : 1;
    }
    return x->order < y->order ? -1 : x->order > y->order;
}

static int sort_findings(struct check *check)
{
    size_t count = json_array_size(check->findings);
    struct placed *list = calloc(count + 1, sizeof *list);
    json_t *sorted = json_array();
    if (list == NULL || sorted == NULL) {
        free(list);
        json_decref(sorted);
        return no_memory();
    }
    for (size_t i = 0; i < count; i++) {
        json_t *finding = json_array_get(check->findings, i);
        list[i] = (struct placed){finding, json_string_value(json_object_get(finding, "path")), i};
    }
    qsort(list, count, sizeof *list, by_path);
    for (size_t i = 0; i < count; i++)
        json_array_append(sorted, list[i].finding);
    free(list);
    json_decref(check->findings);
    check->findings = sorted;
    return json_array_size(sorted) == count ? 0 : no_memory();
}

static void give_reply(struct check *check)
{
    char text[PATH_TEXT_MAX];
    check->request->call->reply =
        json_pack("{s:I, s:s, s:O, s:O, s:I, s:I, s:I, s:I, s:b}", "rev",
                  (json_int_t)snapshot_revision(check->snapshot), "path",
                  path_text(&check->scope, text), "findings", check->findings, "services",
                  check->services, "errors", (json_int_t)check->counts[SEVERITY_ERROR], "warnings",
                  (json_int_t)check->counts[SEVERITY_WARNING], "notes",
                  (json_int_t)check->counts[SEVERITY_NOTE], "keys", (json_int_t)check->keys, "cut",
                  (int)check->is_cut);
}

static void check_release(struct check *check)
{
    for (size_t i = 0; i < check->against_count; i++)
        schema_release(&check->against[i]);
    free(check->against);
    free(check->met);
    json_decref(check->findings);
    json_decref(check->services);
    secret_release(&check->scratch);
}

static int run(struct check *check)
{
    json_t *parameters = check->request->call->parameters;
    json_t *parity = json_object_get(parameters, "parity");
    bool compares = parity != NULL && !json_is_null(parity);
    int error = parameter_path(parameters, "path", &check->scope);
    if (error == 0)
        error = read_against(check, json_object_get(parameters, "against"));
    if (error == 0)
        error = refuse_scope(check);
    if (error == 0)
        error = request_snapshot(check->request, &check->snapshot);
    /* who only compares has named what is to be looked at */
    if (error == 0 &&
        (!compares || path_depth(&check->scope) != PATH_ROOT || check->against_count > 0))
        error = walk_scope(check);
    if (error == 0)
        error = tell_unmet(check);
    if (error == 0 && compares)
        error = check_parity(check, parity);
    if (error == 0)
        error = sort_findings(check);
    if (error == 0)
        give_reply(check);
    return error;
}

int verb_check(struct request *request)
{
    struct check check = {.request = request, .findings = json_array(), .services = json_array()};
    int error = run(&check);
    check_release(&check);
    return error;
}
