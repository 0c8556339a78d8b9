/*
 * What is defined at some places, whole and in one revision: what a file of definitions is written
 * from and compared with (`emsa export --format yaml`, `apply`, `edit`). A hundred thousand keys
 * must travel in a fraction of a second, so a reply has one entry for each service, with its keys
 * side by side, and no object for each key.
 */
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/relations.h"
#include "tools/service/find.h"
#include "tools/service/parameter.h"
#include "tools/service/schema_json.h"
#include "tools/service/since.h"
#include "tools/service/verb.h"

#define HIDDEN_LEAST 256u
#define KEYS_MAX 262144u /* of one reply: it must fit a message */

struct take {
    struct request *request;
    struct snapshot *snapshot;
    bool reveal;
    bool absent; /* what is not there is left out */
    json_t *environments, *entries;
    size_t capacity;
    size_t keys;
    uint64_t bytes;
};

/* The service in hand. */
struct table {
    struct take *take;
    struct value_part part;
    uint32_t environment;
    json_t *names, *sizes, *expires, *shares;
    struct bytes kinds; /* a letter for each */
};

static int no_memory(void)
{
    return error_set(ERR_NOMEM, "no memory for what is defined");
}

static void table_release(struct table *table)
{
    json_decref(table->names);
    json_decref(table->sizes);
    json_decref(table->expires);
    json_decref(table->shares);
    bytes_release(&table->kinds);
    bytes_release(&table->part.plain);
    secret_release(&table->part.secret);
}

/* From the first secret on, all that was taken is kept as one is. */
static int hide(struct value_part *part)
{
    if (part->is_secret)
        return 0;
    part->is_secret = true;
    int error = part->plain.size > 0
                    ? secret_copy(&part->secret, part->plain.data, part->plain.size)
                    : secret_alloc(&part->secret, HIDDEN_LEAST);
    bytes_release(&part->plain);
    return error;
}

static int put_secret(struct value_part *part, const unsigned char *data, size_t size)
{
    size_t wanted = part->secret.size + size;
    int error = 0;
    if (wanted > part->secret.capacity)
        error = secret_grow(&part->secret, wanted + wanted / 2);
    if (error == 0 && size > 0)
        memcpy(part->secret.data + part->secret.size, data, size);
    if (error == 0)
        part->secret.size = wanted;
    return error;
}

static int put(struct table *table, const unsigned char *data, size_t size)
{
    struct take *take = table->take;
    take->bytes += size;
    if (take->bytes > COMMIT_BYTES_MAX)
        return error_set(ERR_INVALID, "more than %u bytes at once: ask for fewer services",
                         COMMIT_BYTES_MAX);
    if (table->part.is_secret)
        return put_secret(&table->part, data, size);
    bytes_append(&table->part.plain, data, size);
    return table->part.plain.error == 0 ? 0 : no_memory();
}

/* The bytes of a definition; of a secret only where they are to be shown. */
static int put_text(struct table *table, const struct definition *definition, const char *key,
                    size_t *size)
{
    struct secret scratch SECRET_CLEANUP = {0};
    const unsigned char *data;
    bool is_secret = definition->kind == ENTRY_SECRET;
    *size = 0;
    if (is_secret && !table->take->reveal)
        return 0;
    int error = is_secret ? hide(&table->part) : 0;
    if (error == 0)
        error = snapshot_text(table->take->snapshot, &data, size, definition, &scratch);
    if (error > 0)
        return error_set(ERR_CORRUPT, "the value of '%s' is not there", key);
    if (error == -ERR_NO_KEY)
        return error_set(ERR_NO_KEY,
                         "the secret '%s' cannot be opened here: 'emsa status' tells which "
                         "identity is used",
                         key);
    return error < 0 ? error : put(table, data, *size);
}

static char letter_of(enum entry_kind kind)
{
    static const char letters[] = {
        [ENTRY_PLAIN] = 'p', [ENTRY_SECRET] = 's', [ENTRY_LINK] = 'l', [ENTRY_TEMPLATE] = 't'};
    return letters[kind];
}

static int take_key(struct table *table, const struct entry *entry)
{
    const struct definition *defined = &entry->defined;
    size_t size;
    if (table->take->keys++ == KEYS_MAX)
        return error_set(ERR_INVALID, "more than %u keys at once: ask for fewer services",
                         KEYS_MAX);
    int error = 0;
    if (defined->kind == ENTRY_SECRET && table->take->reveal)
        error = audit_given(table->take->request, entry);
    if (error == 0)
        error = put_text(table, defined, entry->key, &size);
    if (error < 0)
        return error;
    char letter = letter_of(defined->kind);
    bytes_append(&table->kinds, &letter, 1);
    if (json_array_append_new(table->names, json_string(entry->key)) < 0 ||
        json_array_append_new(table->sizes, json_integer((json_int_t)size)) < 0 ||
        table->kinds.error != 0)
        return no_memory();
    if (entry->expires != 0)
        json_object_set_new(table->expires, entry->key, json_integer((json_int_t)entry->expires));
    return 0;
}

/* Of what shows in the service what is defined in the place itself. */
static int take_keys(struct table *table, const struct service *service)
{
    struct entry entry = {0};
    for (;;) {
        char after[KEY_NAME_MAX + 1];
        memcpy(after, entry.key, sizeof after);
        int found = snapshot_next_entry(table->take->snapshot, &entry, table->environment,
                                        service->id, after);
        if (found != 0)
            return found < 0 ? found : 0;
        if (entry.defined.environment == table->environment)
            found = take_key(table, &entry);
        if (found < 0)
            return found;
    }
}

static int take_shares(struct table *table, const struct service *service)
{
    struct share share = {0};
    for (;;) {
        int found = relation_next_share_in(table->take->snapshot, &share, table->environment,
                                           service->name);
        if (found != 0)
            return found < 0 ? found : 0;
        json_t *list = json_object_get(table->shares, share.key);
        if (list == NULL) {
            list = json_array();
            json_object_set_new(table->shares, share.key, list);
        }
        if (json_array_append_new(list, json_string(share.consumer)) < 0)
            return no_memory();
    }
}

/* The schema that is said of the service in the place itself. */
static int add_schema(struct table *table, const struct service *service, json_t *entry)
{
    struct schema schema = {0};
    int found =
        snapshot_schema_of(table->take->snapshot, &schema, NULL, table->environment, service->id);
    if (found != 0)
        return found < 0 ? found : 0;
    json_t *object = schema_to_json(&schema);
    schema_release(&schema);
    return json_object_set_new(entry, "schema", object) < 0 ? no_memory() : 0;
}

static int keep_part(struct take *take, struct value_part *part)
{
    struct call *call = take->request->call;
    if (call->part_count == take->capacity) {
        size_t capacity = take->capacity == 0 ? 16 : take->capacity * 2;
        struct value_part *parts = realloc(call->parts, capacity * sizeof *parts);
        if (parts == NULL)
            return no_memory();
        call->parts = parts;
        take->capacity = capacity;
    }
    call->parts[call->part_count++] = *part;
    *part = (struct value_part){0};
    return 0;
}

static int keep_table(struct table *table, const struct service *service, const struct path *path)
{
    char text[PATH_TEXT_MAX];
    size_t size = table->part.is_secret ? table->part.secret.size : table->part.plain.size;
    json_t *entry = json_pack("{s:s, s:s, s:I, s:O, s:s%, s:O}", "path", path_text(path, text),
                              "kind", table->part.is_secret ? "secret" : "plain", "size",
                              (json_int_t)size, "names", table->names, "kinds",
                              table->kinds.size > 0 ? (const char *)table->kinds.data : "",
                              table->kinds.size, "sizes", table->sizes);
    if (entry == NULL || json_array_append_new(table->take->entries, entry) < 0)
        return no_memory();
    if (json_object_size(table->expires) > 0)
        json_object_set(entry, "expires", table->expires);
    if (json_object_size(table->shares) > 0)
        json_object_set(entry, "shares", table->shares);
    int error = add_schema(table, service, entry);
    return error < 0 ? error : keep_part(table->take, &table->part);
}

static int take_service(struct take *take, const struct environment *environment,
                        const struct service *service)
{
    struct table table = {.take = take,
                          .environment = environment->id,
                          .names = json_array(),
                          .sizes = json_array(),
                          .expires = json_object(),
                          .shares = json_object(),
                          .kinds = BYTES_INIT(KEYS_MAX),
                          .part = {.plain = BYTES_INIT(COMMIT_BYTES_MAX)}};
    struct path path;
    int error = path_make(&path, environment->name, service->name, NULL);
    if (error == 0)
        error = take_keys(&table, service);
    if (error == 0)
        error = take_shares(&table, service);
    if (error == 0)
        error = keep_table(&table, service, &path);
    table_release(&table);
    return error;
}

static int take_services(struct take *take, const struct environment *environment)
{
    struct service service = {0};
    for (;;) {
        char after[SERVICE_NAME_MAX + 1];
        memcpy(after, service.name, sizeof after);
        int found = snapshot_next_service(take->snapshot, &service, environment->id, after);
        if (found != 0)
            return found < 0 ? found : 0;
        int error = take_service(take, environment, &service);
        if (error < 0)
            return error;
    }
}

/* What an environment itself is; once, however many of its services are asked for. */
static int note_environment(struct take *take, const struct environment *environment)
{
    char base[ENVIRONMENT_NAME_MAX + 1] = "";
    if (json_object_get(take->environments, environment->name) != NULL)
        return 0;
    json_t *object = json_pack("{s:b, s:b}", "protected", (int)environment->is_protected, "signed",
                               (int)environment->is_signed);
    if (object == NULL || json_object_set_new(take->environments, environment->name, object) < 0)
        return no_memory();
    if (environment->expires != 0)
        json_object_set_new(object, "expires", json_integer((json_int_t)environment->expires));
    int error = environment->base == 0
                    ? 0
                    : snapshot_environment_name(take->snapshot, base, environment->base);
    if (base[0] != '\0')
        json_object_set_new(object, "base", json_string(base));
    return error < 0 ? error : 0;
}

static int take_environments(struct take *take)
{
    struct environment environment = {0};
    for (;;) {
        char after[ENVIRONMENT_NAME_MAX + 1];
        memcpy(after, environment.name, sizeof after);
        int found = snapshot_next_environment(take->snapshot, &environment, after);
        if (found != 0)
            return found < 0 ? found : 0;
        int error = note_environment(take, &environment);
        if (error == 0)
            error = take_services(take, &environment);
        if (error < 0)
            return error;
    }
}

static int take_present(struct take *take, const struct path *path)
{
    struct environment environment;
    struct service service;
    bool has_service = path->service[0] != '\0';
    int found = take->absent ? snapshot_environment(take->snapshot, &environment, path->environment)
                             : find_environment(take->snapshot, &environment, path);
    if (found == 0)
        found = note_environment(take, &environment);
    if (found != 0)
        return found < 0 ? found : 0;
    if (!has_service)
        return take_services(take, &environment);
    found = take->absent ? snapshot_service(take->snapshot, &service, environment.id, path->service)
                         : find_service(take->snapshot, &environment, &service, path);
    if (found != 0)
        return found < 0 ? found : 0;
    return take_service(take, &environment, &service);
}

static int take_all(struct take *take, json_t *paths)
{
    size_t index;
    json_t *text;
    json_array_foreach(paths, index, text)
    {
        struct path path;
        char shown[PATH_TEXT_MAX];
        int error = path_of(text, &path);
        if (error == 0 && path_depth(&path) == PATH_KEY)
            error =
                error_set(ERR_INVALID, "'%s' is a key: name its service", path_text(&path, shown));
        if (error == 0)
            error = path_depth(&path) == PATH_ROOT ? take_environments(take)
                                                   : take_present(take, &path);
        if (error < 0)
            return error;
    }
    return 0;
}

/* Environments of which only what they themselves are is asked. */
static int note_named(struct take *take)
{
    json_t *names = json_object_get(take->request->call->parameters, "environments"), *name;
    size_t index;
    json_array_foreach(names, index, name)
    {
        struct environment environment;
        struct path path;
        int error = path_of(name, &path);
        if (error == 0 && path_depth(&path) != PATH_ENVIRONMENT)
            error = error_set(ERR_INVALID, "the parameter 'environments' names something else");
        if (error < 0)
            return error;
        int found = snapshot_environment(take->snapshot, &environment, path.environment);
        if (found == 0)
            found = note_environment(take, &environment);
        if (found < 0)
            return found;
    }
    return 0;
}

static int read_terms(struct take *take, json_t **paths, uint64_t *since, bool *has_since)
{
    json_t *parameters = take->request->call->parameters;
    int error = 0;
    *paths = json_object_get(parameters, "paths");
    if (json_array_size(*paths) == 0 &&
        json_array_size(json_object_get(parameters, "environments")) == 0)
        error = parameter_list(parameters, "paths", paths);
    if (error == 0)
        error = parameter_bool(parameters, "reveal", &take->reveal);
    if (error == 0)
        error = parameter_bool(parameters, "absent", &take->absent);
    return error < 0 ? error : parameter_number(parameters, "since", since, has_since);
}

static int gather(struct take *take)
{
    json_t *paths, *changed = NULL;
    uint64_t since = 0;
    bool has_since;
    int error = read_terms(take, &paths, &since, &has_since);
    if (error == 0)
        error = request_snapshot(take->request, &take->snapshot);
    if (error == 0)
        error = take_all(take, paths);
    if (error == 0)
        error = note_named(take);
    if (error == 0 && has_since)
        error = since_gather(&changed, take->request, paths, since);
    if (error < 0)
        return error;
    struct call *call = take->request->call;
    call->reply = json_pack("{s:I, s:O, s:O}", "rev", (json_int_t)snapshot_revision(take->snapshot),
                            "environments", take->environments, "entries", take->entries);
    if (call->reply != NULL && changed != NULL)
        json_object_set(call->reply, "changed", changed);
    if (call->part_count > 0 && call->reply != NULL)
        json_object_set_new(call->reply, "values", json_integer(0));
    json_decref(changed);
    return call->reply != NULL ? 0 : no_memory();
}

int verb_definitions(struct request *request)
{
    struct take take = {.request = request, .environments = json_object(), .entries = json_array()};
    int error = take.environments == NULL || take.entries == NULL ? no_memory() : gather(&take);
    json_decref(take.environments);
    json_decref(take.entries);
    return error;
}
