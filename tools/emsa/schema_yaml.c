#include "tools/emsa/schema_yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "tools/emsa/input.h"
#include "tools/service/schema_json.h"

#define FILE_MAX (4u * 1024u * 1024u) /* a schema has 1 MiB at most */

static int no_memory(void)
{
    return error_set(ERR_NOMEM, "no memory for a schema");
}

struct source { /* where a schema stands, and what is wrong with it */
    struct faults *faults;
    const struct yaml_tree *tree;
    const struct yaml_node *root;
    size_t count; /* of the faults that were added */
};

static void add(struct source *source, const struct yaml_node *node, const char *text)
{
    faults_add(source->faults, source->tree, node, "%s", text);
    source->count++;
}

/* From YAML to JSON: a scalar becomes what its place wants, where it can be that; what it is not is
 * said by who reads the JSON. */

static bool is_null(const struct yaml_tree *tree, const struct yaml_node *node)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    for (size_t i = 0; node->plain && i < sizeof words / sizeof words[0]; i++)
        if (yaml_is(tree, node, words[i]))
            return true;
    return false;
}

/* -?[0-9]+ without a zero in front, which some take for octal. */
static bool is_number(const char *text, size_t size, long long *out)
{
    char copy[32], *end;
    size_t sign = size > 0 && text[0] == '-';
    if (size == sign || size >= sizeof copy || (text[sign] == '0' && size > sign + 1))
        return false;
    for (size_t i = sign; i < size; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    memcpy(copy, text, size);
    copy[size] = '\0';
    errno = 0;
    *out = strtoll(copy, &end, 10);
    return errno == 0;
}

static json_t *scalar_json(const struct yaml_tree *tree, const struct yaml_node *node,
                           enum schema_shape shape)
{
    const char *text = yaml_text(tree, node);
    long long number;
    if (is_null(tree, node))
        return json_null();
    bool truth = shape == SHAPE_TRUTH || shape == SHAPE_PLACES;
    if (truth && node->plain && (yaml_is(tree, node, "true") || yaml_is(tree, node, "false")))
        return json_boolean(text[0] == 't');
    bool counts = shape == SHAPE_NUMBER || shape == SHAPE_BOUND;
    if (counts && node->plain && is_number(text, node->size, &number))
        return json_integer(number);
    return json_stringn(text, node->size);
}

static json_t *list_json(const struct yaml_tree *tree, const struct yaml_node *node)
{
    json_t *list = json_array();
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *item = node->items[i];
        json_t *value = item->kind == YAML_SCALAR ? scalar_json(tree, item, SHAPE_TEXT)
                        : item->kind == YAML_LIST ? json_array()
                                                  : json_object();
        if (json_array_append_new(list, value) < 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *map_json(struct source *source, const struct yaml_node *node,
                        enum schema_shape shape, bool is_root);

static json_t *value_json(struct source *source, const struct yaml_node *node,
                          enum schema_shape shape)
{
    switch (node->kind) {
    case YAML_SCALAR:
        return scalar_json(source->tree, node, shape);
    case YAML_LIST:
        return list_json(source->tree, node);
    default:
        return map_json(source, node, shape, false);
    }
}

/* The shape of what stands at a name within a map: of the schema itself, of its keys, or of one of
 * those. */
static enum schema_shape shape_within(enum schema_shape shape, bool is_root, const char *name)
{
    if (is_root)
        return schema_shape(false, name);
    return shape == SHAPE_KEYS ? SHAPE_NONE : schema_shape(true, name);
}

static json_t *map_json(struct source *source, const struct yaml_node *node,
                        enum schema_shape shape, bool is_root)
{
    json_t *object = json_object();
    for (size_t i = 0; i < node->count && object != NULL; i++) {
        const struct yaml_node *key = node->pairs[i].key, *value = node->pairs[i].value;
        char name[KEY_NAME_MAX + 1];
        if (key->size >= sizeof name || memchr(yaml_text(source->tree, key), 0, key->size)) {
            add(source, key, "a name is longer than 255 bytes, or has a NUL");
            continue;
        }
        memcpy(name, yaml_text(source->tree, key), key->size);
        name[key->size] = '\0';
        json_t *made = value_json(source, value, shape_within(shape, is_root, name));
        if (json_object_set_new(object, name, made) < 0) {
            json_decref(object);
            object = NULL;
        }
    }
    return object;
}

/* Places */

static const struct yaml_pair *find_pair(const struct yaml_tree *tree, const struct yaml_node *map,
                                         const char *key)
{
    for (size_t i = 0; map->kind == YAML_MAP && i < map->count; i++)
        if (yaml_is(tree, map->pairs[i].key, key))
            return &map->pairs[i];
    return NULL;
}

/* The node that a fault is about: an item, the value of a member, the name of one that is none; of
 * what is missing, that which it is missing in. */
static const struct yaml_node *node_of(const struct source *source, const struct schema_at *at)
{
    const struct yaml_node *map = source->root, *name = source->root;
    if (at->key[0] != '\0') {
        const struct yaml_node *keys = yaml_get(source->tree, map, "keys");
        const struct yaml_pair *key = keys != NULL ? find_pair(source->tree, keys, at->key) : NULL;
        if (key == NULL)
            return map;
        name = key->key;
        map = key->value;
    }
    const struct yaml_pair *member =
        at->member[0] != '\0' ? find_pair(source->tree, map, at->member) : NULL;
    if (member == NULL)
        return name;
    if (schema_shape(at->key[0] != '\0', at->member) == SHAPE_NONE)
        return member->key;
    if (at->item >= 0 && member->value->kind == YAML_LIST &&
        (size_t)at->item < member->value->count)
        return member->value->items[at->item];
    return member->value;
}

static int note_fault(void *arg, const struct schema_at *at, const char *text)
{
    struct source *source = arg;
    char subject[SCHEMA_SUBJECT_MAX];
    faults_add(source->faults, source->tree, node_of(source, at), "%s %s",
               schema_subject_text(subject, at), text);
    source->count++;
    return 0;
}

static void judge_service(struct source *source, json_t *object, const char *service)
{
    json_t *own = json_object_get(object, "service");
    if (own == NULL)
        json_object_set_new(object, "service", json_string(service));
    else if (json_is_string(own) && strcmp(json_string_value(own), service) != 0)
        add(source, yaml_get(source->tree, source->root, "service"),
            "service is another one than that which the schema is given for");
}

int schema_yaml_read(json_t **out, struct faults *faults, const struct yaml_tree *tree,
                     const struct yaml_node *node, const char *service)
{
    struct source source = {.faults = faults, .tree = tree, .root = node};
    struct schema schema;
    json_t *object = node->kind == YAML_MAP ? map_json(&source, node, SHAPE_NONE, true)
                                            : value_json(&source, node, SHAPE_NONE);
    *out = NULL;
    if (object == NULL)
        return no_memory();
    if (service != NULL && json_is_object(object))
        judge_service(&source, object, service);
    int error = schema_from_json(&schema, object, note_fault, &source);
    if (error == 0)
        schema_release(&schema);
    if (error == 0 && source.count == 0)
        *out = object;
    else
        json_decref(object);
    return error < 0 ? error : 0;
}

/* Files */

/* Of the documents of one file. seen: the services of all files so far. */
static int read_documents(json_t *list, json_t *seen, struct faults *faults,
                          const struct yaml_tree *tree)
{
    for (size_t i = 0; i < tree->document_count; i++) {
        const struct yaml_node *root = tree->documents[i];
        json_t *object;
        int error = schema_yaml_read(&object, faults, tree, root, NULL);
        if (error < 0)
            return error;
        if (object == NULL)
            continue;
        const char *service = json_string_value(json_object_get(object, "service"));
        if (json_object_get(seen, service) != NULL)
            faults_add(faults, tree, yaml_get(tree, root, "service"),
                       "'%s' has a schema already, in '%s'", service,
                       json_string_value(json_object_get(seen, service)));
        json_object_set_new(seen, service, json_string(tree->file));
        if (json_array_append_new(list, object) < 0)
            return no_memory();
    }
    return 0;
}

static int read_file(json_t *list, json_t *seen, struct faults *faults, const char *file)
{
    struct secret text SECRET_CLEANUP = {0};
    struct yaml_tree tree = {.file = strcmp(file, "-") == 0 ? "stdin" : file, .faults = faults};
    static const struct yaml_node top = {.line = 1, .column = 1};
    int error = read_whole(&text, file, FILE_MAX);
    if (error < 0)
        return error;
    error = yaml_read(&tree, (const char *)text.data, text.size);
    if (error == -ERR_INVALID) {
        faults_add_failure(faults);
        error = 0;
    } else if (error == 0 && tree.document_count == 0) {
        faults_add(faults, &tree, &top, "there is no schema in it");
    } else if (error == 0) {
        error = read_documents(list, seen, faults, &tree);
    }
    yaml_release(&tree);
    return error;
}

int schema_yaml_files(json_t **out, const struct texts *files)
{
    struct faults faults FAULTS_CLEANUP = {0};
    json_t *list = json_array(), *seen = json_object();
    int error = list == NULL || seen == NULL ? no_memory() : 0;
    for (size_t i = 0; error == 0 && i < files->count; i++)
        error = read_file(list, seen, &faults, files->list[i]);
    if (error == 0)
        error = faults_tell(&faults);
    json_decref(seen);
    if (error == 0)
        *out = list;
    else
        json_decref(list);
    return error;
}
