/* Schemas as they are asked for: the one in force at a place, and a first draft of one. */
#include "store/schema.h"

#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "tools/service/find.h"
#include "tools/service/item.h"
#include "tools/service/parameter.h"
#include "tools/service/schema_json.h"
#include "tools/service/verb.h"

static int no_memory(void)
{
    return error_set(ERR_NOMEM, "no memory for a schema");
}

static int service_path(struct request *request, struct path *path)
{
    char text[PATH_TEXT_MAX];
    int error = parameter_path(request->call->parameters, "path", path);
    if (error == 0 && path_depth(path) != PATH_SERVICE)
        error = error_set(ERR_INVALID, "'%s' is no service: write ENVIRONMENT/SERVICE",
                          path_text(path, text));
    return error;
}

/* Show */

/* The name of a service in `all` is enough there: the service may be present nowhere yet. */
static int find_place(struct snapshot *snapshot, const struct path *path,
                      struct environment *environment, struct service *service)
{
    int error = find_environment(snapshot, environment, path);
    return error < 0 ? error : find_service(snapshot, environment, service, path);
}

static int give_schema(struct request *request, struct snapshot *snapshot, const struct path *path,
                       const struct schema *schema, const struct schema_place *place)
{
    char layer[ENVIRONMENT_NAME_MAX + 1], text[PATH_TEXT_MAX], defined[PATH_TEXT_MAX];
    struct path where;
    int error = snapshot_environment_name(snapshot, layer, place->layer);
    if (error > 0)
        error = error_set(ERR_CORRUPT, "an environment has no name");
    if (error == 0)
        error = path_make(&where, layer, path->service, NULL);
    if (error < 0)
        return error;
    json_t *object = schema_to_json(schema);
    json_t *reply =
        json_pack("{s:I, s:s, s:s, s:I, s:o}", "rev", (json_int_t)snapshot_revision(snapshot),
                  "path", path_text(path, text), "defined", path_text(&where, defined), "set",
                  (json_int_t)place->rev, "schema", object);
    if (reply == NULL)
        return no_memory();
    request->call->reply = reply;
    bool by_whom = rights_hold(request->service, &request->call->caller, RIGHT_AUDIT, &where);
    return item_add_commit(snapshot, reply, place->rev, by_whom);
}

int verb_schema_show(struct request *request)
{
    struct snapshot *snapshot;
    struct environment environment;
    struct service service;
    struct schema schema = {0};
    struct schema_place place;
    struct path path = {0};
    char text[PATH_TEXT_MAX];
    int error = service_path(request, &path);
    if (error == 0)
        error = request_snapshot(request, &snapshot);
    if (error == 0)
        error = find_place(snapshot, &path, &environment, &service);
    if (error < 0)
        return error;
    int found = snapshot_schema(snapshot, &schema, &place, environment.id, service.id);
    if (found > 0)
        return error_set(ERR_NOT_FOUND,
                         "'%s' has no schema: 'emsa schema infer' makes a first draft",
                         path_text(&path, text));
    if (found == 0)
        found = give_schema(request, snapshot, &path, &schema, &place);
    schema_release(&schema);
    return found;
}

/* Infer: what is there, wherever the service is, as far as it can be told from values */

struct drafted { /* what was seen of a key */
    char name[KEY_NAME_MAX + 1];
    unsigned times, secrets;
    bool has_type;
    enum value_type type;
};

struct draft {
    struct request *request;
    struct snapshot *snapshot;
    struct drafted *list; /* owned; in the order of their names */
    size_t count, room;
    json_t *environments; /* owned; where the service is */
    unsigned unopened;    /* secrets whose values are not at hand */
    uint64_t opened;      /* and whose are, of the service in hand */
    struct secret scratch;
};

static int drafted_at(struct draft *draft, const char *name, struct drafted **out)
{
    size_t low = 0, high = draft->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(draft->list[middle].name, name);
        if (order == 0) {
            *out = &draft->list[middle];
            return 0;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (draft->count == draft->room) {
        size_t room = draft->room == 0 ? 64 : draft->room * 2;
        void *list = realloc(draft->list, room * sizeof *draft->list);
        if (list == NULL)
            return no_memory();
        draft->list = list;
        draft->room = room;
    }
    memmove(&draft->list[low + 1], &draft->list[low], (draft->count - low) * sizeof *draft->list);
    draft->list[low] = (struct drafted){0};
    memcpy(draft->list[low].name, name, strlen(name) + 1);
    draft->count++;
    *out = &draft->list[low];
    return 0;
}

/* What both are. */
static enum value_type joined(enum value_type one, enum value_type other)
{
    bool counts =
        (one == TYPE_INT || one == TYPE_PORT) && (other == TYPE_INT || other == TYPE_PORT);
    return one == other ? one : counts ? TYPE_INT : TYPE_STRING;
}

static int look_at_entry(struct draft *draft, const struct entry *entry)
{
    struct drafted *drafted;
    const unsigned char *data;
    size_t size;
    if (entry->origin == ORIGIN_SCHEMA) /* said by a schema, not there */
        return 0;
    int error = drafted_at(draft, entry->key, &drafted);
    if (error < 0)
        return error;
    drafted->times++;
    drafted->secrets += entry->kind == ENTRY_SECRET;
    error = snapshot_value(draft->snapshot, &data, &size, entry, &draft->scratch);
    if (error == 0 && entry->kind == ENTRY_SECRET)
        draft->opened++;
    if (error == -ERR_NO_KEY) {
        error_clear();
        draft->unopened++;
        return 0;
    }
    if (error != 0)
        return error < 0 ? error
                         : error_set(ERR_CORRUPT, "the value of '%s' is not there", entry->key);
    enum value_type type = type_guess(size > 0 ? (const void *)data : "", size);
    drafted->type = drafted->has_type ? joined(drafted->type, type) : type;
    drafted->has_type = true;
    return 0;
}

static int look_at_entries(struct draft *draft, uint32_t environment, uint32_t service)
{
    struct entry entry = {0};
    draft->opened = 0;
    for (;;) {
        char after[KEY_NAME_MAX + 1];
        memcpy(after, entry.key, sizeof after);
        int found = snapshot_next_entry(draft->snapshot, &entry, environment, service, after);
        if (found == 0)
            found = look_at_entry(draft, &entry);
        if (found != 0)
            return found < 0 ? found : 0;
    }
}

/* What types they are is told of all of them. */
static int look_at_service(struct draft *draft, const struct environment *environment,
                           const char *name)
{
    struct request *request = draft->request;
    struct service service;
    struct path path;
    int found = snapshot_service(draft->snapshot, &service, environment->id, name);
    if (found == 0)
        found = path_make(&path, environment->name, name, NULL);
    if (found != 0)
        return found < 0 ? found : 0;
    if (!rights_hold(request->service, &request->call->caller, RIGHT_READ, &path))
        return 0;
    if (json_array_append_new(draft->environments, json_string(environment->name)) < 0)
        return no_memory();
    int error = look_at_entries(draft, environment->id, service.id);
    return error < 0 || draft->opened == 0 ? error
                                           : audit_given_at(request, &path, 0, draft->opened);
}

static int look_everywhere(struct draft *draft, const char *service)
{
    struct environment environment = {0};
    for (;;) {
        char after[ENVIRONMENT_NAME_MAX + 1];
        memcpy(after, environment.name, sizeof after);
        int found = snapshot_next_environment(draft->snapshot, &environment, after);
        if (found == 0 && strcmp(environment.name, "all") != 0)
            found = look_at_service(draft, &environment, service);
        if (found != 0)
            return found < 0 ? found : 0;
    }
}

static int make_schema(const struct draft *draft, struct schema *schema)
{
    size_t places = json_array_size(draft->environments);
    for (size_t i = 0; i < draft->count; i++) {
        const struct drafted *drafted = &draft->list[i];
        struct schema_key *key;
        int error = schema_add(schema, &key, drafted->name);
        if (error < 0)
            return error;
        key->type = drafted->has_type ? drafted->type : TYPE_STRING;
        key->is_secret = drafted->secrets == drafted->times;
        key->is_required = drafted->times == places;
    }
    return 0;
}

static int give_draft(struct request *request, const struct draft *draft, const char *service)
{
    struct schema schema = {0};
    memcpy(schema.service, service, strlen(service) + 1);
    int error = make_schema(draft, &schema);
    if (error == 0) {
        request->call->reply =
            json_pack("{s:I, s:o, s:O, s:I}", "rev", (json_int_t)snapshot_revision(draft->snapshot),
                      "schema", schema_to_json(&schema), "environments", draft->environments,
                      "unopened", (json_int_t)draft->unopened);
        if (request->call->reply == NULL)
            error = no_memory();
    }
    schema_release(&schema);
    return error;
}

int verb_schema_infer(struct request *request)
{
    struct draft draft = {.request = request, .environments = json_array()};
    struct environment environment;
    struct service service;
    struct path path = {0};
    int error = service_path(request, &path);
    if (error == 0)
        error = request_snapshot(request, &draft.snapshot);
    if (error == 0)
        error = find_service(draft.snapshot, &environment, &service, &path);
    if (error == 0)
        error = look_everywhere(&draft, path.service);
    if (error == 0)
        error = give_draft(request, &draft, path.service);
    free(draft.list);
    json_decref(draft.environments);
    secret_release(&draft.scratch);
    return error;
}
