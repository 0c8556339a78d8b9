/*
 * Where a value comes from: each definition that it is put together from, in the order in which a
 * reader's look-up meets them, with who shared it; what lies beneath it; and what stands at the
 * same name in other environments. The texts of links and templates are shown, values that are
 * secrets never.
 */
#include <string.h>

#include "store/error.h"
#include "store/relations.h"
#include "store/template.h"
#include "tools/service/find.h"
#include "tools/service/item.h"
#include "tools/service/parameter.h"
#include "tools/service/verb.h"

#define STEPS_MAX 1000u
#define DEPTH_MAX 16u /* more than the store lets any reference go */
#define SHOWN_MAX 4096u

struct explanation {
    struct request *request;
    struct snapshot *snapshot;
    struct environment environment;
    json_t *steps;
    bool by_whom; /* the caller may know who did what */
    bool is_cut;
};

/* A place of the explained environment, and whose definition refers to it. */
struct asked {
    const char *service;
    const char *key;
    const char *consumer; /* a service; NULL: nobody, it is what was asked for */
    const char *filter;   /* that its value goes through, or NULL */
    unsigned depth;
};

static int no_memory(void)
{
    return error_set(ERR_NOMEM, "no memory for an explanation");
}

static int add_place(struct snapshot *snapshot, json_t *object, const char *name,
                     uint32_t environment, const char *service, const char *key)
{
    char environment_name[ENVIRONMENT_NAME_MAX + 1] = "";
    char text[PATH_TEXT_MAX];
    struct path path;
    int found = snapshot_environment_name(snapshot, environment_name, environment);
    if (found != 0)
        return found < 0 ? found : error_set(ERR_CORRUPT, "an environment has no name");
    int error = path_make(&path, environment_name, service, key);
    if (error == 0)
        json_object_set_new(object, name, json_string(path_text(&path, text)));
    return error;
}

/* Whether the caller may read what stands at a name in an environment. */
static bool is_read(struct explanation *explanation, uint32_t environment, const char *service)
{
    const struct request *request = explanation->request;
    char name[ENVIRONMENT_NAME_MAX + 1];
    struct path path;
    return snapshot_environment_name(explanation->snapshot, name, environment) == 0 &&
           path_make(&path, name, service, NULL) == 0 &&
           rights_hold(request->service, &request->call->caller, RIGHT_READ, &path);
}

/* The text of a plain value, a link or a template. */
static int add_text(struct snapshot *snapshot, json_t *object, const struct definition *definition)
{
    struct secret scratch SECRET_CLEANUP = {0};
    const unsigned char *data;
    size_t size;
    if (definition->kind == ENTRY_SECRET)
        return 0;
    int error = snapshot_text(snapshot, &data, &size, definition, &scratch);
    if (error != 0)
        return error < 0 ? error : 0;
    json_object_set_new(object, "size", json_integer((json_int_t)size));
    item_add_text(object, definition->kind == ENTRY_PLAIN ? "value" : "text", data, size,
                  SHOWN_MAX);
    return 0;
}

/* The value that a reader gets, of what is no secret. */
static int add_value(struct snapshot *snapshot, json_t *object, const struct entry *entry)
{
    struct secret scratch SECRET_CLEANUP = {0};
    const unsigned char *data;
    size_t size;
    if (entry->kind == ENTRY_SECRET)
        return 0;
    int error = snapshot_value(snapshot, &data, &size, entry, &scratch);
    if (error != 0)
        return error < 0 ? error : 0;
    item_add_text(object, "value", data, size, SHOWN_MAX);
    return 0;
}

/* Which layer says that the consumer may refer to it. */
static int add_share(struct explanation *explanation, json_t *step, const struct asked *asked)
{
    uint64_t rev = 0;
    uint32_t layer = 0;
    struct snapshot *snapshot = explanation->snapshot;
    int shared = relation_is_shared(snapshot, explanation->environment.id, asked->service,
                                    asked->key, asked->consumer, &rev, &layer);
    if (shared < 0)
        return shared;
    json_t *object = json_pack("{s:s, s:b}", "with", asked->consumer, "shared", shared);
    if (object == NULL || json_object_set_new(step, "share", object) < 0)
        return no_memory();
    if (shared == 0 || rev == 0) /* from birth: nobody did it */
        return 0;
    json_object_set_new(object, "rev", json_integer((json_int_t)rev));
    int error = add_place(snapshot, object, "path", layer, asked->service, asked->key);
    return error < 0 ? error : item_add_commit(snapshot, object, rev, explanation->by_whom);
}

static int begin_step(struct explanation *explanation, const struct asked *asked, json_t **out)
{
    json_t *step = json_pack("{s:i}", "depth", (int)asked->depth);
    if (step == NULL || json_array_append_new(explanation->steps, step) < 0)
        return no_memory();
    *out = step;
    if (asked->filter != NULL)
        json_object_set_new(step, "filter", json_string(asked->filter));
    return add_place(explanation->snapshot, step, "path", explanation->environment.id,
                     asked->service, asked->key);
}

static int fill_step(struct explanation *explanation, json_t *step, const struct asked *asked,
                     const struct entry *entry)
{
    const struct definition *defined = &entry->defined;
    struct snapshot *snapshot = explanation->snapshot;
    json_object_set_new(step, "kind", json_string(kind_word(defined->kind)));
    json_object_set_new(step, "secret", json_boolean(entry->kind == ENTRY_SECRET));
    json_object_set_new(step, "origin", json_string(origin_word(entry->origin)));
    json_object_set_new(step, "rev", json_integer((json_int_t)defined->rev));
    int error = add_place(snapshot, step, "defined", definition_environment(defined),
                          asked->service, asked->key);
    if (error == 0)
        error = item_add_commit(snapshot, step, defined->rev, explanation->by_whom);
    /* What is in effect in the explained environment is read there, wherever it is defined. */
    if (error < 0 || !is_read(explanation, explanation->environment.id, asked->service))
        return error;
    return add_text(snapshot, step, defined);
}

static int explain_step(struct explanation *explanation, const struct asked *asked);

static int follow(struct explanation *explanation, const struct asked *from,
                  const struct reference *reference, const char *filter)
{
    struct asked next = {.service =
                             reference->service[0] != '\0' ? reference->service : from->service,
                         .key = reference->key,
                         .consumer = from->service,
                         .filter = filter,
                         .depth = from->depth + 1};
    return explain_step(explanation, &next);
}

static const char *filter_word(enum template_filter filter)
{
    static const char *const words[] = {
        [TEMPLATE_URL] = "url", [TEMPLATE_JSON] = "json", [TEMPLATE_BASE64] = "base64"};
    return words[filter];
}

/* Each reference once, however often the text has it. */
static int follow_template(struct explanation *explanation, const struct asked *from,
                           struct template *template)
{
    json_t *seen = json_object();
    for (;;) {
        struct template_piece piece;
        char text[REFERENCE_TEXT_MAX], named[REFERENCE_TEXT_MAX + 16];
        int found = template_next(template, &piece);
        if (found == 0 && piece.kind == TEMPLATE_REFERENCE) {
            snprintf(named, sizeof named, "%d %s", (int)piece.filter,
                     reference_text(text, &piece.reference, from->service));
            if (json_object_get(seen, named) == NULL)
                found = follow(explanation, from, &piece.reference, filter_word(piece.filter));
            json_object_set_new(seen, named, json_true());
        }
        if (found != 0) {
            json_decref(seen);
            return found < 0 ? found : 0;
        }
    }
}

static int follow_all(struct explanation *explanation, const struct asked *from,
                      const struct definition *defined)
{
    struct secret scratch SECRET_CLEANUP = {0};
    const unsigned char *data;
    size_t size;
    struct reference reference;
    if (defined->kind != ENTRY_LINK && defined->kind != ENTRY_TEMPLATE)
        return 0;
    int error = snapshot_text(explanation->snapshot, &data, &size, defined, &scratch);
    if (error != 0)
        return error < 0 ? error : 0;
    struct template template = {.text = (const char *)data, .size = size};
    if (defined->kind == ENTRY_TEMPLATE)
        return follow_template(explanation, from, &template);
    error = link_parse(&reference, template.text, size);
    return error < 0 ? error : follow(explanation, from, &reference, NULL);
}

static int explain_step(struct explanation *explanation, const struct asked *asked)
{
    struct service service;
    struct entry entry;
    json_t *step;
    if (json_array_size(explanation->steps) == STEPS_MAX || asked->depth == DEPTH_MAX) {
        explanation->is_cut = true;
        return 0;
    }
    struct snapshot *snapshot = explanation->snapshot;
    int error = begin_step(explanation, asked, &step);
    if (error < 0)
        return error;
    int found = snapshot_service(snapshot, &service, explanation->environment.id, asked->service);
    if (found == 0)
        found =
            snapshot_entry(snapshot, &entry, explanation->environment.id, service.id, asked->key);
    if (found < 0)
        return found;
    if (asked->consumer != NULL && strcmp(asked->consumer, asked->service) != 0)
        error = add_share(explanation, step, asked);
    if (found != 0)
        json_object_set_new(step, "missing", json_true());
    if (error < 0 || found != 0)
        return error;
    error = fill_step(explanation, step, asked, &entry);
    /* in `all` nothing is resolved: there is nobody in whose environment */
    if (error < 0 || strcmp(explanation->environment.name, "all") == 0)
        return error;
    return follow_all(explanation, asked, &entry.defined);
}

/* One of a layer, where it has one. */
static int add_covered(struct explanation *explanation, const struct service *service,
                       const char *key, uint32_t layer, json_t *beneath)
{
    struct snapshot *snapshot = explanation->snapshot;
    struct entry covered;
    int found = snapshot_definition(snapshot, &covered, layer, service->id, key);
    if (found != 0)
        return found < 0 ? found : 0;
    json_t *object = json_pack("{s:s, s:I}", "kind", kind_word(covered.defined.kind), "rev",
                               (json_int_t)covered.defined.rev);
    if (object == NULL || json_array_append_new(beneath, object) < 0)
        return no_memory();
    if (layer & LAYER_OF_DEFAULTS)
        json_object_set_new(object, "origin", json_string(origin_word(ORIGIN_SCHEMA)));
    int error = add_place(snapshot, object, "path", definition_environment(&covered.defined),
                          service->name, key);
    if (error < 0 || !is_read(explanation, definition_environment(&covered.defined), service->name))
        return error; /* nobody sees it there */
    return add_text(snapshot, object, &covered.defined);
}

/* The default of the schema that is in force lies beneath all. */
static int add_covered_default(struct explanation *explanation, const struct service *service,
                               const char *key, json_t *beneath)
{
    struct schema schema = {0};
    struct schema_place place;
    if (strcmp(explanation->environment.name, "all") == 0)
        return 0; /* where nothing is resolved */
    int found = snapshot_schema(explanation->snapshot, &schema, &place, explanation->environment.id,
                                service->id);
    schema_release(&schema);
    if (found != 0)
        return found < 0 ? found : 0;
    return add_covered(explanation, service, key, place.layer | LAYER_OF_DEFAULTS, beneath);
}

/* Definitions of the same name that the one in effect covers. */
static int add_beneath(struct explanation *explanation, const struct service *service,
                       const struct entry *entry, json_t *beneath)
{
    uint32_t layers[LAYERS_MAX];
    int count = relation_layers(explanation->snapshot, layers, explanation->environment.id);
    int at = 0, error = 0;
    if (entry->origin == ORIGIN_SCHEMA)
        return 0;
    while (at < count && layers[at] != entry->defined.environment)
        at++;
    for (at++; at < count && error == 0; at++)
        error = add_covered(explanation, service, entry->key, layers[at], beneath);
    if (count < 0 || error < 0)
        return count < 0 ? count : error;
    return add_covered_default(explanation, service, entry->key, beneath);
}

static int add_elsewhere(struct explanation *explanation, const struct environment *environment,
                         const struct path *path, json_t *elsewhere)
{
    struct snapshot *snapshot = explanation->snapshot;
    struct service service;
    struct entry entry;
    struct path there;
    char text[PATH_TEXT_MAX];
    int error = path_make(&there, environment->name, path->service, path->key);
    if (error < 0)
        return error;
    if (!rights_hold(explanation->request->service, &explanation->request->call->caller, RIGHT_READ,
                     &there))
        return 0;
    int found = snapshot_service(snapshot, &service, environment->id, path->service);
    if (found != 0)
        return found < 0 ? found : 0;
    found = snapshot_entry(snapshot, &entry, environment->id, service.id, path->key);
    if (found < 0)
        return found;
    json_t *object = json_pack("{s:s, s:s, s:b}", "environment", environment->name, "path",
                               path_text(&there, text), "missing", found != 0);
    if (object == NULL || json_array_append_new(elsewhere, object) < 0)
        return no_memory();
    if (found != 0)
        return 0;
    json_object_set_new(object, "kind", json_string(kind_word(entry.kind)));
    json_object_set_new(object, "origin", json_string(origin_word(entry.origin)));
    json_object_set_new(object, "rev", json_integer((json_int_t)entry.rev));
    return add_value(snapshot, object, &entry);
}

/* Every other environment that has the service. */
static int gather_elsewhere(struct explanation *explanation, const struct path *path,
                            json_t *elsewhere)
{
    struct environment environment = {0};
    for (;;) {
        char after[ENVIRONMENT_NAME_MAX + 1];
        memcpy(after, environment.name, sizeof after);
        int found = snapshot_next_environment(explanation->snapshot, &environment, after);
        if (found == 0 && environment.id != explanation->environment.id)
            found = add_elsewhere(explanation, &environment, path, elsewhere);
        if (found != 0)
            return found < 0 ? found : 0;
    }
}

static int add_lock(struct explanation *explanation, const struct path *path, json_t *reply)
{
    struct lock lock;
    int found = relation_lock(explanation->snapshot, &lock, explanation->environment.id,
                              path->service, path->key);
    if (found != 0)
        return found < 0 ? found : 0;
    json_t *object = json_pack("{s:I}", "rev", (json_int_t)lock.rev);
    if (object == NULL || json_object_set_new(reply, "lock", object) < 0)
        return no_memory();
    char text[PATH_TEXT_MAX];
    struct path locked;
    int error = path_make(&locked, explanation->environment.name, lock.service, lock.key);
    if (error == 0)
        json_object_set_new(object, "path", json_string(path_text(&locked, text)));
    return error < 0
               ? error
               : item_add_commit(explanation->snapshot, object, lock.rev, explanation->by_whom);
}

static int explain(struct explanation *explanation, const struct path *path,
                   const struct service *service, const struct entry *entry)
{
    struct request *request = explanation->request;
    json_t *item, *beneath = json_array(), *elsewhere = json_array();
    struct asked asked = {.service = path->service, .key = path->key};
    explanation->steps = json_array();
    int error = item_of_entry(explanation->snapshot, entry, path, &item);
    json_t *reply = error < 0 ? NULL
                              : json_pack("{s:I, s:o, s:o, s:o, s:o}", "rev",
                                          (json_int_t)snapshot_revision(explanation->snapshot),
                                          "entry", item, "steps", explanation->steps, "beneath",
                                          beneath, "elsewhere", elsewhere);
    if (reply == NULL)
        return error < 0 ? error : no_memory();
    request->call->reply = reply;
    error = add_value(explanation->snapshot, item, entry);
    if (error == 0)
        error = explain_step(explanation, &asked);
    if (error == 0)
        error = add_beneath(explanation, service, entry, beneath);
    if (error == 0)
        error = gather_elsewhere(explanation, path, elsewhere);
    if (error == 0)
        error = add_lock(explanation, path, reply);
    json_object_set_new(reply, "cut", json_boolean(explanation->is_cut));
    return error;
}

/* What is missing here may be there elsewhere: that is what whoever asks wants to know next. */
static int hint_elsewhere(struct explanation *explanation, const struct path *path)
{
    struct bytes names BYTES_CLEANUP = BYTES_INIT(1024);
    json_t *elsewhere = json_array(), *other;
    size_t index;
    int error = gather_elsewhere(explanation, path, elsewhere);
    json_array_foreach(elsewhere, index, other)
    {
        if (!json_is_true(json_object_get(other, "missing")))
            bytes_append_format(&names, "%s'%s'", names.size > 0 ? ", " : "",
                                json_string_value(json_object_get(other, "environment")));
    }
    json_decref(elsewhere);
    bytes_append(&names, "", 1);
    if (error == 0 && names.error == 0 && names.size > 1)
        (void)error_add(ERR_NOT_FOUND, "'%s/%s' is there in %s", path->service, path->key,
                        (const char *)names.data);
    return -ERR_NOT_FOUND;
}

int verb_explain(struct request *request)
{
    struct explanation explanation = {.request = request};
    struct service service;
    struct entry entry;
    struct path path = {0};
    char text[PATH_TEXT_MAX];
    int error = parameter_path(request->call->parameters, "path", &path);
    if (error == 0 && path_depth(&path) != PATH_KEY)
        error = error_set(ERR_INVALID, "'%s' is no key: write ENVIRONMENT/SERVICE/KEY",
                          path_text(&path, text));
    if (error == 0)
        error = request_snapshot(request, &explanation.snapshot);
    if (error < 0)
        return error;
    explanation.by_whom = rights_hold(request->service, &request->call->caller, RIGHT_AUDIT, &path);
    error = find_entry(explanation.snapshot, &explanation.environment, &service, &entry, &path);
    if (error == 0)
        return explain(&explanation, &path, &service, &entry);
    return error == -ERR_NOT_FOUND ? hint_elsewhere(&explanation, &path) : error;
}
