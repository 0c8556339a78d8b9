#include "tools/service/operation.h"

#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "store/sealed.h"
#include "tools/service/operation_rights.h"
#include "tools/service/parameter.h"
#include "tools/service/right_words.h"
#include "tools/service/schema_json.h"

typedef int (*operation_add)(struct change *change, json_t *operation, const struct path *path,
                             struct stream *stream);

struct kind {
    const char *word;
    enum right right;      /* to what is at its path */
    enum right right_from; /* to what is at its "from"; RIGHT_NONE: it has none */
    bool sets;             /* a key, which may have a "ttl" */
    operation_add add;
};

/* Values */

/* A text that stands in the operation; NULL where there is none. */
static int text_member(json_t *operation, const char *name, json_t **out)
{
    json_t *value = json_object_get(operation, name);
    *out = json_is_null(value) ? NULL : value;
    if (*out != NULL && !json_is_string(*out))
        return error_set(ERR_INVALID, "the parameter '%s' is not a text", name);
    return 0;
}

static int wanted_text(json_t *operation, const char *name, const struct path *path,
                       const char **out)
{
    char text[PATH_TEXT_MAX];
    *out = NULL;
    int error = parameter_text(operation, name, out);
    if (error == 0 && *out == NULL)
        return error_set(ERR_INVALID, "the operation on '%s' has no '%s'", path_text(path, text),
                         name);
    return error;
}

/* How many bytes of the stream are the key's. */
static int size_of(json_t *size, const struct path *path, size_t maximum, size_t *out)
{
    char text[PATH_TEXT_MAX];
    if (!json_is_integer(size) || json_integer_value(size) < 0)
        return error_set(ERR_INVALID, "the operation on '%s' has neither a value nor a size",
                         path_text(path, text));
    if (json_integer_value(size) > (json_int_t)maximum)
        return error_set(ERR_INVALID,
                         "the value of '%s' is over %zu bytes: larger things are files, not values",
                         path_text(path, text), maximum);
    *out = (size_t)json_integer_value(size);
    return 0;
}

typedef int (*set_bytes)(struct change *, const struct path *, const void *, size_t);

/* The next run of the stream. */
static int take_open(struct change *change, const struct path *path, struct stream *stream,
                     size_t size, set_bytes set)
{
    struct bytes value BYTES_CLEANUP = BYTES_INIT(SEALED_TEXT_MAX); /* the longest of all */
    const unsigned char *ready = stream_ready(stream, size);
    if (size == 0 || ready != NULL)
        return set(change, path, size == 0 ? "" : (const void *)ready, size);
    unsigned char *room = bytes_reserve(&value, size);
    if (room == NULL)
        return error_set(ERR_NOMEM, "no memory for a value of %zu bytes", size);
    int error = stream_take(stream, room, size);
    return error < 0 ? error : set(change, path, room, size);
}

static int take_secret(struct change *change, const struct path *path, struct stream *stream,
                       size_t size)
{
    struct secret value SECRET_CLEANUP = {0};
    int error = secret_alloc(&value, size > 0 ? size : 1);
    if (error == 0)
        error = stream_take(stream, value.data, size);
    if (error < 0)
        return error;
    value.size = size;
    return change_set_secret(change, path, &value);
}

/* The bytes that stand in the operation, or else its run of the stream. */
static int set_open(struct change *change, json_t *operation, const struct path *path,
                    struct stream *stream, set_bytes set)
{
    json_t *text;
    size_t size = 0;
    int error = text_member(operation, "value", &text);
    if (error == 0 && text != NULL)
        return set(change, path, json_string_value(text), json_string_length(text));
    if (error == 0)
        error = size_of(json_object_get(operation, "size"), path,
                        set == change_set_sealed ? SEALED_TEXT_MAX : VALUE_MAX, &size);
    return error < 0 ? error : take_open(change, path, stream, size, set);
}

static int add_plain(struct change *change, json_t *operation, const struct path *path,
                     struct stream *stream)
{
    return set_open(change, operation, path, stream, change_set_plain);
}

static int add_template(struct change *change, json_t *operation, const struct path *path,
                        struct stream *stream)
{
    return set_open(change, operation, path, stream, change_set_template);
}

static int add_secret(struct change *change, json_t *operation, const struct path *path,
                      struct stream *stream)
{
    json_t *text = NULL;
    size_t size = 0;
    int error = text_member(operation, "value", &text);
    if (error == 0 && text != NULL) /* its copies in a parser cannot be wiped */
        error = error_set(ERR_INVALID, "a secret travels in the stream, never as a parameter");
    if (error == 0)
        error = size_of(json_object_get(operation, "size"), path, VALUE_MAX, &size);
    return error < 0 ? error : take_secret(change, path, stream, size);
}

static int add_sealed(struct change *change, json_t *operation, const struct path *path,
                      struct stream *stream)
{
    return set_open(change, operation, path, stream, change_set_sealed);
}

static int add_link(struct change *change, json_t *operation, const struct path *path,
                    struct stream *stream)
{
    const char *target = NULL;
    (void)stream;
    int error = wanted_text(operation, "value", path, &target);
    return error < 0 ? error : change_set_link(change, path, target);
}

static int add_remove(struct change *change, json_t *operation, const struct path *path,
                      struct stream *stream)
{
    (void)operation;
    (void)stream;
    return change_remove(change, path);
}

/* Places */

static int add_service(struct change *change, json_t *operation, const struct path *path,
                       struct stream *stream)
{
    (void)operation;
    (void)stream;
    return change_service_add(change, path);
}

static int add_environment(struct change *change, json_t *operation, const struct path *path,
                           struct stream *stream)
{
    struct environment_terms terms;
    char text[PATH_TEXT_MAX];
    (void)stream;
    if (path_depth(path) != PATH_ENVIRONMENT)
        return error_set(ERR_INVALID, "'%s' is not the name of an environment",
                         path_text(path, text));
    int error = parameter_environment(operation, &terms);
    return error < 0 ? error : change_environment_add(change, path->environment, &terms);
}

/* Names */

static int add_share(struct change *change, json_t *operation, const struct path *path,
                     struct stream *stream)
{
    const char *consumer = NULL;
    (void)stream;
    int error = wanted_text(operation, "with", path, &consumer);
    return error < 0 ? error : change_share(change, path, consumer);
}

static int add_unshare(struct change *change, json_t *operation, const struct path *path,
                       struct stream *stream)
{
    const char *consumer = NULL;
    (void)stream;
    int error = wanted_text(operation, "with", path, &consumer);
    return error < 0 ? error : change_unshare(change, path, consumer);
}

static int add_lock(struct change *change, json_t *operation, const struct path *path,
                    struct stream *stream)
{
    (void)operation;
    (void)stream;
    return change_lock(change, path);
}

static int add_unlock(struct change *change, json_t *operation, const struct path *path,
                      struct stream *stream)
{
    (void)operation;
    (void)stream;
    return change_unlock(change, path);
}

static int add_copy(struct change *change, json_t *operation, const struct path *path,
                    struct stream *stream)
{
    struct path from;
    (void)stream;
    int error = path_of(json_object_get(operation, "from"), &from);
    return error < 0 ? error : change_copy(change, path, &from);
}

static int add_move(struct change *change, json_t *operation, const struct path *path,
                    struct stream *stream)
{
    struct path from;
    (void)stream;
    int error = path_of(json_object_get(operation, "from"), &from);
    return error < 0 ? error : change_move(change, path, &from);
}

/* Schemas */

static int add_schema(struct change *change, json_t *operation, const struct path *path,
                      struct stream *stream)
{
    struct schema schema;
    char text[PATH_TEXT_MAX], what[PATH_TEXT_MAX + 32];
    (void)stream;
    snprintf(what, sizeof what, "the schema of '%s'", path_text(path, text));
    int error = schema_parse(&schema, json_object_get(operation, "schema"), what);
    if (error < 0)
        return error;
    if (strcmp(schema.service, path->service) != 0)
        error = error_set(ERR_INVALID, "%s says that it is of '%s'", what, schema.service);
    else
        error = change_schema_set(change, path, &schema);
    schema_release(&schema);
    return error;
}

static int add_unschema(struct change *change, json_t *operation, const struct path *path,
                        struct stream *stream)
{
    (void)operation;
    (void)stream;
    return change_schema_remove(change, path);
}

/* Rights */

/*
 * Whoever sets without reading must learn nothing of what is there by what comes of it. A link or a
 * template shows what it names; a schema finds fault with what is set; what is copied or moved is
 * read. So those take both rights, and plain values and secrets are set blindly (blind).
 *
 * Unlocking is a way past a lock, and so is the administrator's as any other way is.
 */
static const struct kind kinds[] = {
    {"plain", RIGHT_SET, RIGHT_NONE, true, add_plain},
    {"secret", RIGHT_SET, RIGHT_NONE, true, add_secret},
    {"sealed", RIGHT_SET, RIGHT_NONE, true, add_sealed},
    {"template", RIGHT_EDIT, RIGHT_NONE, true, add_template},
    {"link", RIGHT_EDIT, RIGHT_NONE, true, add_link},
    {"remove", RIGHT_SET, RIGHT_NONE, false, add_remove},
    {"copy", RIGHT_EDIT, RIGHT_READ, false, add_copy},
    {"move", RIGHT_EDIT, RIGHT_EDIT, false, add_move},
    {"service", RIGHT_SET, RIGHT_NONE, false, add_service},
    {"environment", RIGHT_ADMIN, RIGHT_NONE, false, add_environment},
    {"share", RIGHT_SHARE, RIGHT_NONE, false, add_share},
    {"unshare", RIGHT_SHARE, RIGHT_NONE, false, add_unshare},
    {"lock", RIGHT_SET, RIGHT_NONE, false, add_lock},
    {"unlock", RIGHT_ADMIN, RIGHT_NONE, false, add_unlock},
    {"schema", RIGHT_EDIT, RIGHT_NONE, false, add_schema},
    {"unschema", RIGHT_EDIT, RIGHT_NONE, false, add_unschema},
    {"grant", RIGHT_ADMIN, RIGHT_NONE, false, operation_grant},
    {"revoke", RIGHT_ADMIN, RIGHT_NONE, false, operation_revoke},
    {"rotate", RIGHT_ADMIN, RIGHT_NONE, false, operation_rotate},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

static const struct kind *find_kind(json_t *operation)
{
    const char *word = json_string_value(json_object_get(operation, "kind"));
    for (size_t i = 0; word != NULL && i < KINDS; i++)
        if (strcmp(kinds[i].word, word) == 0)
            return &kinds[i];
    return NULL;
}

/* Many keys of one service */

static json_t *keys_of(json_t *operation)
{
    json_t *keys = json_object_get(operation, "keys");
    return json_is_null(keys) ? NULL : keys;
}

/* One of the keys, beside the service that path names. */
static int put_key(struct path *path, json_t *key)
{
    if (!json_is_string(key) || json_string_length(key) == 0 ||
        json_string_length(key) > KEY_NAME_MAX ||
        strlen(json_string_value(key)) != json_string_length(key))
        return error_set(ERR_INVALID, "one of the 'keys' is no name of a key");
    memcpy(path->key, json_string_value(key), json_string_length(key) + 1);
    return 0;
}

static int check_several(const struct kind *kind, json_t *operation, const struct path *path)
{
    json_t *keys = keys_of(operation), *sizes = json_object_get(operation, "sizes");
    char text[PATH_TEXT_MAX];
    if (kind->add != add_plain && kind->add != add_secret && kind->add != add_template)
        return error_set(ERR_INVALID, "'keys' stands with plain, secret and template only");
    if (path_depth(path) != PATH_SERVICE)
        return error_set(ERR_INVALID, "'keys' stands with the path of a service, not '%s'",
                         path_text(path, text));
    if (!json_is_array(keys) || !json_is_array(sizes) || json_array_size(keys) == 0 ||
        json_array_size(keys) != json_array_size(sizes))
        return error_set(ERR_INVALID, "'keys' and 'sizes' of '%s' are no lists of the same length",
                         path_text(path, text));
    return 0;
}

static int take_one(struct change *change, const struct kind *kind, const struct path *path,
                    struct stream *stream, size_t size)
{
    if (kind->add == add_secret)
        return take_secret(change, path, stream, size);
    return take_open(change, path, stream, size,
                     kind->add == add_plain ? change_set_plain : change_set_template);
}

/* ttl: of each, where it is not 0. */
static int add_several(struct change *change, const struct kind *kind, json_t *operation,
                       struct path *path, struct stream *stream, const uint64_t *ttl)
{
    json_t *sizes = json_object_get(operation, "sizes");
    size_t index, size;
    json_t *key;
    int error = check_several(kind, operation, path);
    if (error < 0)
        return error;
    json_array_foreach(keys_of(operation), index, key)
    {
        error = put_key(path, key);
        if (error == 0)
            error = size_of(json_array_get(sizes, index), path, VALUE_MAX, &size);
        if (error == 0)
            error = take_one(change, kind, path, stream, size);
        if (error == 0 && ttl != NULL)
            error = change_ttl(change, *ttl);
        if (error < 0)
            return error;
    }
    return 0;
}

static int judge_path(struct request *request, enum right right, json_t *text)
{
    struct path path;
    int error = path_of(text, &path);
    return error < 0 ? error
                     : rights_judge(request->service, &request->call->caller, right, "Set", &path);
}

/* The right to a service does not say that it is had to each of its keys. */
static int judge_several(struct request *request, const struct kind *kind, json_t *operation)
{
    const enum right right = kind != NULL ? kind->right : RIGHT_EDIT;
    struct path path;
    size_t index;
    json_t *key;
    int error = path_of(json_object_get(operation, "path"), &path);
    if (error == 0 && !json_is_array(keys_of(operation)))
        return error_set(ERR_INVALID, "'keys' is no list");
    json_array_foreach(keys_of(operation), index, key)
    {
        if (error == 0)
            error = put_key(&path, key);
        if (error == 0)
            error = rights_judge(request->service, &request->call->caller, right, "Set", &path);
        if (error < 0)
            return error;
    }
    return error;
}

static int judge_reach_in(struct request *request, const struct environment *environment,
                          uint32_t layer, const struct path *path)
{
    struct snapshot *snapshot;
    struct service service;
    struct path there;
    if (strcmp(path->environment, "all") != 0 && environment->base != layer)
        return 0;
    int error = request_snapshot(request, &snapshot);
    if (error == 0)
        error = path_make(&there, environment->name, path->service, NULL);
    int found =
        error < 0 ? error : snapshot_service(snapshot, &service, environment->id, path->service);
    if (found != 0)
        return found < 0 ? found : 0;
    return rights_judge(request->service, &request->call->caller, RIGHT_READ, "Set", &there);
}

/* A schema is in force in the environments that stand on its own, too, and by what it lets pass one
 * can ask of their values whatever a pattern asks: so it takes to read them. */
static int judge_reach(struct request *request, json_t *text)
{
    struct snapshot *snapshot;
    struct environment own = {0}, environment = {0};
    struct path path;
    int error = path_of(text, &path);
    if (error < 0 || path_depth(&path) != PATH_SERVICE)
        return error;
    error = request_snapshot(request, &snapshot);
    int found = error < 0 ? error : snapshot_environment(snapshot, &own, path.environment);
    if (found == NOT_THERE && strcmp(path.environment, "all") == 0)
        found = 0; /* it comes with this */
    while (found == 0) {
        char after[ENVIRONMENT_NAME_MAX + 1];
        memcpy(after, environment.name, sizeof after);
        found = snapshot_next_environment(snapshot, &environment, after);
        if (found == 0)
            found = judge_reach_in(request, &environment, own.id, &path);
    }
    return found < 0 ? found : 0;
}

static int judge_one(struct request *request, json_t *operation)
{
    const struct kind *kind = find_kind(operation);
    if (json_is_object(operation) && keys_of(operation) != NULL)
        return judge_several(request, kind, operation);
    int error =
        judge_path(request, kind != NULL ? kind->right : RIGHT_SET,
                   json_is_object(operation) ? json_object_get(operation, "path") : operation);
    if (error == 0 && kind != NULL && (kind->add == add_schema || kind->add == add_unschema))
        error = judge_reach(request, json_object_get(operation, "path"));
    if (error < 0 || kind == NULL || kind->right_from == RIGHT_NONE)
        return error;
    return judge_path(request, kind->right_from, json_object_get(operation, "from"));
}

int operations_judge(struct request *request)
{
    json_t *operations = json_object_get(request->call->parameters, "operations");
    size_t index;
    json_t *operation;
    if (!json_is_array(operations) || json_array_size(operations) == 0)
        return rights_judge(request->service, &request->call->caller, RIGHT_SET, "Set",
                            &(struct path){0});
    json_array_foreach(operations, index, operation)
    {
        int error = judge_one(request, operation);
        if (error < 0)
            return error;
    }
    return 0;
}

bool operations_blind(struct request *request)
{
    json_t *operations = json_object_get(request->call->parameters, "operations");
    size_t index;
    json_t *operation;
    json_array_foreach(operations, index, operation)
    {
        struct path path;
        if (path_of(json_object_get(operation, "path"), &path) == 0 &&
            !rights_hold(request->service, &request->call->caller, RIGHT_READ, &path))
            return true;
    }
    error_clear();
    return false;
}

static int unknown_kind(void)
{
    struct bytes words BYTES_CLEANUP = BYTES_INIT(ERROR_TEXT_MAX);
    for (size_t i = 0; i < KINDS; i++)
        bytes_append_format(&words, "%s%s", i > 0 ? ", " : "", kinds[i].word);
    bytes_append(&words, "", 1);
    return error_set(ERR_INVALID, "the kind of an operation is none of: %s",
                     words.error == 0 ? (const char *)words.data : "those in the manual");
}

/* What it does, and how long what it sets lives where that is said. */
static int add_one(struct change *change, json_t *operation, struct stream *stream)
{
    const struct kind *kind = find_kind(operation);
    struct path path;
    char text[PATH_TEXT_MAX];
    uint64_t ttl = 0;
    bool has_ttl = false;
    int error = kind == NULL ? unknown_kind() : path_of(json_object_get(operation, "path"), &path);
    if (error == 0)
        error = parameter_number(operation, "ttl", &ttl, &has_ttl);
    if (error < 0)
        return error;
    if (has_ttl && !kind->sets && kind->add != add_environment)
        return error_set(ERR_INVALID, "'%s' is not set by '%s', and so cannot end by itself",
                         path_text(&path, text), kind->word);
    if (keys_of(operation) != NULL)
        return add_several(change, kind, operation, &path, stream, has_ttl ? &ttl : NULL);
    error = kind->add(change, operation, &path, stream);
    return error == 0 && has_ttl && kind->sets ? change_ttl(change, ttl) : error;
}

int operations_add(struct change *change, json_t *operations, struct stream *stream)
{
    size_t index;
    json_t *operation;
    json_array_foreach(operations, index, operation)
    {
        int error = add_one(change, operation, stream);
        if (error < 0)
            return error;
    }
    return 0;
}
