#include "tools/emsa/sheet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/limits.h"
#include "store/name.h"
#include "tools/emsa/moment.h"
#include "tools/emsa/output.h"
#include "tools/emsa/schema_yaml.h"
#include "tools/emsa/ttl.h"

struct reading {
    struct sheet *sheet;
    struct faults *faults;
    const char *folder;
};

void sheet_release(struct sheet *sheet)
{
    free(sheet->environments);
    free(sheet->services);
    free(sheet->keys);
    free(sheet->shares);
    for (size_t i = 0; i < sheet->schema_count; i++)
        json_decref(sheet->schemas[i].schema);
    free(sheet->schemas);
    secret_release(&sheet->added);
    yaml_release(&sheet->tree);
    *sheet = (struct sheet){0};
}

const unsigned char *sheet_data(const struct sheet *sheet, const struct sheet_key *key)
{
    if (key->size == 0)
        return (const unsigned char *)"";
    return (key->is_added ? sheet->added.data : sheet->tree.text.data) + key->offset;
}

const char *sheet_place(char out[static PLACE_TEXT_MAX], const struct sheet *sheet,
                        const struct sheet_service *service)
{
    snprintf(out, PLACE_TEXT_MAX, "%s/%s", sheet->environments[service->environment].name,
             service->name);
    return out;
}

static int grow(void **list, size_t *room, size_t count, size_t size)
{
    if (count < *room)
        return 0;
    size_t wanted = *room == 0 ? 16 : *room * 2;
    void *moved = realloc(*list, wanted * size);
    if (moved == NULL)
        return error_set(ERR_NOMEM, "no memory for what a file defines");
    *list = moved;
    *room = wanted;
    return 0;
}

/* Room for one more in a list of the sheet's. */
#define MORE(sheet, what)                                                                          \
    ({                                                                                             \
        void *list_ = (sheet)->what##s;                                                            \
        int grown_ =                                                                               \
            grow(&list_, &(sheet)->what##_room, (sheet)->what##_count, sizeof *(sheet)->what##s);  \
        (sheet)->what##s = list_;                                                                  \
        grown_;                                                                                    \
    })

static const char *text_of(const struct reading *reading, const struct yaml_node *node)
{
    return yaml_text(&reading->sheet->tree, node);
}

static bool is_nothing(const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR && node->plain && node->size == 0;
}

void sheet_fault(const struct sheet *sheet, struct faults *faults, const struct yaml_node *at,
                 const char *what)
{
    char said[512];
    snprintf(said, sizeof said, "%.*s", (int)strcspn(error_text(), "\n"), error_text());
    faults_add(faults, &sheet->tree, at, "%s%s", what, said);
}

int sheet_member(struct faults *faults, const struct yaml_tree *tree, const struct yaml_node *key,
                 const char *const words[], const char *what)
{
    char list[256] = "";
    const char *text = yaml_text(tree, key);
    for (int i = 0; words[i] != NULL; i++)
        if (yaml_is(tree, key, words[i]))
            return i;
    const char *nearest = faults_nearest(words, text);
    if (nearest != NULL) {
        faults_add(faults, tree, key, "%s has no member '%.64s': did you mean '%s'?", what, text,
                   nearest);
        return -1;
    }
    for (int i = 0; words[i] != NULL; i++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s",
                 i == 0                 ? ""
                 : words[i + 1] == NULL ? " and "
                                        : ", ",
                 words[i]);
    }
    faults_add(faults, tree, key, "%s has no member '%.64s': there are %s", what, text, list);
    return -1;
}

/* A mapping, or nothing at all, which is an empty one; else a fault and an empty one. */
static const struct yaml_node *map_of(struct reading *reading, const struct yaml_node *node,
                                      const char *what)
{
    static const struct yaml_node empty = {.kind = YAML_MAP};
    if (node->kind == YAML_MAP)
        return node;
    if (!is_nothing(node))
        faults_add(reading->faults, &reading->sheet->tree, node, "%s is wanted here, as a mapping",
                   what);
    return &empty;
}

static bool check_name(struct reading *reading, enum name_kind kind, const struct yaml_node *node)
{
    if (name_check(kind, text_of(reading, node), node->size) == 0)
        return true;
    sheet_fault(reading->sheet, reading->faults, node, "");
    return false;
}

static bool is_scalar(const struct sheet *sheet, struct faults *faults,
                      const struct yaml_node *node, const char *what)
{
    if (node->kind == YAML_SCALAR && !is_nothing(node))
        return true;
    faults_add(faults, &sheet->tree, node, "%s is wanted here", what);
    return false;
}

void sheet_ttl(const struct sheet *sheet, struct faults *faults, const struct yaml_node *node,
               uint64_t *out)
{
    if (is_scalar(sheet, faults, node, "a time to live (30s, 90m, 1h30m or 7d)") &&
        ttl_parse(out, yaml_text(&sheet->tree, node)) < 0)
        sheet_fault(sheet, faults, node, "");
}

void sheet_expires(const struct sheet *sheet, struct faults *faults, const struct yaml_node *node,
                   int64_t *out)
{
    if (is_scalar(sheet, faults, node, "a moment (2026-11-30T22:00:00Z)") &&
        moment_parse(out, yaml_text(&sheet->tree, node)) < 0)
        sheet_fault(sheet, faults, node, "");
}

/* Shares */

static int add_share(struct sheet *sheet, struct faults *faults, const char *key,
                     const struct yaml_node *consumer)
{
    const char *text = yaml_text(&sheet->tree, consumer);
    if (!is_scalar(sheet, faults, consumer, "a service's name, or '*'"))
        return 0;
    if (strcmp(text, "*") != 0 && name_check(NAME_SERVICE, text, consumer->size) < 0) {
        sheet_fault(sheet, faults, consumer, "");
        return 0;
    }
    int error = MORE(sheet, share);
    if (error == 0)
        sheet->shares[sheet->share_count++] = (struct sheet_share){consumer, key, text};
    return error;
}

int sheet_add_shares(struct sheet *sheet, struct faults *faults, const char *key,
                     const struct yaml_node *list)
{
    if (list->kind == YAML_MAP) {
        faults_add(faults, &sheet->tree, list, "a list of services is wanted here");
        return 0;
    }
    if (list->kind == YAML_SCALAR)
        return add_share(sheet, faults, key, list);
    for (size_t i = 0; i < list->count; i++) {
        int error = add_share(sheet, faults, key, list->items[i]);
        if (error < 0)
            return error;
    }
    return 0;
}

static int read_shares(struct reading *reading, const struct yaml_node *node)
{
    const struct yaml_node *map = map_of(reading, node, "keys with lists of services");
    for (size_t i = 0; i < map->count; i++) {
        const struct yaml_node *key = map->pairs[i].key;
        if (!check_name(reading, NAME_KEY, key))
            continue;
        int error = sheet_add_shares(reading->sheet, reading->faults, text_of(reading, key),
                                     map->pairs[i].value);
        if (error < 0)
            return error;
    }
    return 0;
}

/* Keys */

static int compare_keys(const void *a, const void *b)
{
    return strcmp(((const struct sheet_key *)a)->name, ((const struct sheet_key *)b)->name);
}

static int read_keys(struct reading *reading, const struct yaml_node *node)
{
    struct sheet *sheet = reading->sheet;
    const struct yaml_node *map = map_of(reading, node, "keys with their definitions");
    for (size_t i = 0; i < map->count; i++) {
        const struct yaml_pair *pair = &map->pairs[i];
        int error = MORE(sheet, key);
        if (error < 0)
            return error;
        struct sheet_key key = {
            .at = pair->key, .name = text_of(reading, pair->key), .definition = pair->value};
        if (!check_name(reading, NAME_KEY, pair->key))
            continue;
        error = sheet_definition(sheet, reading->faults, reading->folder, &key);
        if (error < 0)
            return error;
        sheet->keys[sheet->key_count++] = key;
    }
    return 0;
}

/* Schemas */

static bool is_said(const struct reading *reading, const struct sheet_schema *schema)
{
    for (size_t i = 0; i < reading->sheet->schema_count; i++) {
        const struct sheet_schema *other = &reading->sheet->schemas[i];
        if (strcmp(other->environment, schema->environment) == 0 &&
            strcmp(other->service, schema->service) == 0)
            return true;
    }
    return false;
}

/* service: whose it is; NULL: it says so itself. */
static int read_schema(struct reading *reading, const char *environment, const char *service,
                       const struct yaml_node *node)
{
    struct sheet *sheet = reading->sheet;
    json_t *json = NULL;
    int error = schema_yaml_read(&json, reading->faults, &sheet->tree, node, service);
    if (error < 0 || json == NULL)
        return error;
    struct sheet_schema schema = {.at = node,
                                  .environment = environment,
                                  .service = output_member(json, "service"),
                                  .schema = json};
    if (is_said(reading, &schema)) {
        faults_add(reading->faults, &sheet->tree, node, "a second schema of '%s/%s'", environment,
                   schema.service);
        json_decref(json);
        return 0;
    }
    error = MORE(sheet, schema);
    if (error < 0)
        json_decref(json);
    else
        sheet->schemas[sheet->schema_count++] = schema;
    return error;
}

/* As services have them in their repositories: for every environment. */
static int read_schemas(struct reading *reading, const struct yaml_node *node)
{
    if (node->kind != YAML_LIST && !is_nothing(node))
        faults_add(reading->faults, &reading->sheet->tree, node,
                   "a list of schemas is wanted here");
    if (node->kind != YAML_LIST)
        return 0;
    for (size_t i = 0; i < node->count; i++) {
        int error = read_schema(reading, "all", NULL, node->items[i]);
        if (error < 0)
            return error;
    }
    return 0;
}

/* Services */

static const char *const service_words[] = {"keys", "shares", "schema", NULL};

static int read_service(struct reading *reading, struct sheet_service *service,
                        const struct yaml_node *node)
{
    struct sheet *sheet = reading->sheet;
    const struct yaml_node *map = map_of(reading, node, "a service");
    int error = 0;
    service->first_key = sheet->key_count;
    service->first_share = sheet->share_count;
    for (size_t i = 0; i < map->count && error == 0; i++) {
        const struct yaml_pair *pair = &map->pairs[i];
        switch (
            sheet_member(reading->faults, &sheet->tree, pair->key, service_words, "a service")) {
        case 0:
            service->has_keys = true;
            error = read_keys(reading, pair->value);
            break;
        case 1:
            error = read_shares(reading, pair->value);
            break;
        case 2:
            error = read_schema(reading, sheet->environments[service->environment].name,
                                service->name, pair->value);
            break;
        default:
            break;
        }
    }
    service->key_count = sheet->key_count - service->first_key;
    service->share_count = sheet->share_count - service->first_share;
    if (service->key_count > 0)
        qsort(sheet->keys + service->first_key, service->key_count, sizeof *sheet->keys,
              compare_keys);
    return error;
}

static int read_services(struct reading *reading, size_t environment, const struct yaml_node *node)
{
    struct sheet *sheet = reading->sheet;
    const struct yaml_node *map = map_of(reading, node, "services by their names");
    for (size_t i = 0; i < map->count; i++) {
        const struct yaml_node *name = map->pairs[i].key;
        struct sheet_service service = {
            .at = name, .name = text_of(reading, name), .environment = environment};
        check_name(reading, NAME_SERVICE, name);
        int error = read_service(reading, &service, map->pairs[i].value);
        if (error == 0)
            error = MORE(sheet, service);
        if (error < 0)
            return error;
        sheet->services[sheet->service_count++] = service;
        sheet->environments[environment].service_count++;
    }
    return 0;
}

/* Environments */

static const char *const environment_words[] = {"protected", "base",   "ttl", "expires",
                                                "services",  "signed", NULL};

static bool read_flag(struct reading *reading, const struct yaml_node *node, const char *word)
{
    const bool is_set = yaml_is(&reading->sheet->tree, node, "true");
    if (!is_set && !yaml_is(&reading->sheet->tree, node, "false"))
        faults_add(reading->faults, &reading->sheet->tree, node, "'%s' is true or false", word);
    return is_set;
}

static void read_protected(struct reading *reading, struct sheet_environment *environment,
                           const struct yaml_node *node)
{
    environment->is_protected = read_flag(reading, node, "protected");
    environment->protection = node;
}

static void read_signed(struct reading *reading, struct sheet_environment *environment,
                        const struct yaml_node *node)
{
    environment->is_signed = read_flag(reading, node, "signed");
    environment->signing = node;
}

static void read_base(struct reading *reading, struct sheet_environment *environment,
                      const struct yaml_node *node)
{
    if (is_scalar(reading->sheet, reading->faults, node, "the name of an environment") &&
        check_name(reading, NAME_ENVIRONMENT, node))
        environment->base = node;
}

static void read_life(struct reading *reading, struct sheet_environment *environment,
                      const struct yaml_node *node, bool is_ttl)
{
    if (environment->life != NULL)
        faults_add(reading->faults, &reading->sheet->tree, node,
                   "one of 'ttl' and 'expires', not both");
    environment->life = node;
    if (is_ttl)
        sheet_ttl(reading->sheet, reading->faults, node, &environment->ttl);
    else
        sheet_expires(reading->sheet, reading->faults, node, &environment->expires);
}

static int read_environment(struct reading *reading, size_t index, const struct yaml_node *node)
{
    struct sheet *sheet = reading->sheet;
    struct sheet_environment *environment = &sheet->environments[index];
    const struct yaml_node *map = map_of(reading, node, "an environment");
    const struct yaml_node *services = NULL;
    for (size_t i = 0; i < map->count; i++) {
        const struct yaml_node *value = map->pairs[i].value;
        int member = sheet_member(reading->faults, &sheet->tree, map->pairs[i].key,
                                  environment_words, "an environment");
        if (member == 0)
            read_protected(reading, environment, value);
        else if (member == 1)
            read_base(reading, environment, value);
        else if (member == 2 || member == 3)
            read_life(reading, environment, value, member == 2);
        else if (member == 4)
            services = value;
        else if (member == 5)
            read_signed(reading, environment, value);
    }
    return services != NULL ? read_services(reading, index, services) : 0;
}

static int read_environments(struct reading *reading, const struct yaml_node *node)
{
    struct sheet *sheet = reading->sheet;
    const struct yaml_node *map = map_of(reading, node, "environments by their names");
    for (size_t i = 0; i < map->count; i++) {
        const struct yaml_node *name = map->pairs[i].key;
        check_name(reading, NAME_ENVIRONMENT, name);
        int error = MORE(sheet, environment);
        if (error < 0)
            return error;
        sheet->environments[sheet->environment_count++] =
            (struct sheet_environment){.at = name, .name = text_of(reading, name)};
        error = read_environment(reading, sheet->environment_count - 1, map->pairs[i].value);
        if (error < 0)
            return error;
    }
    return 0;
}

/* The file */

static const char *const file_words[] = {"rev", "environments", "schemas", NULL};

static void read_rev(struct reading *reading, const struct yaml_node *node)
{
    const char *text = text_of(reading, node);
    size_t length = node->kind == YAML_SCALAR ? strspn(text, "0123456789") : 0;
    if (length == 0 || length != node->size || length > 18) {
        faults_add(reading->faults, &reading->sheet->tree, node,
                   "a revision is a number, as 'emsa log' shows them");
        return;
    }
    reading->sheet->has_rev = true;
    reading->sheet->rev = strtoull(text, NULL, 10);
}

static int read_file(struct reading *reading, const struct yaml_node *root)
{
    struct sheet *sheet = reading->sheet;
    const struct yaml_node *map = map_of(reading, root, "a file of environments");
    int error = 0;
    for (size_t i = 0; i < map->count && error == 0; i++) {
        const struct yaml_pair *pair = &map->pairs[i];
        switch (sheet_member(reading->faults, &sheet->tree, pair->key, file_words, "a file")) {
        case 0:
            read_rev(reading, pair->value);
            break;
        case 1:
            error = read_environments(reading, pair->value);
            break;
        case 2:
            error = read_schemas(reading, pair->value);
            break;
        default:
            break;
        }
    }
    return error;
}

int sheet_read(struct sheet *sheet, struct faults *faults, const char *file, const char *folder,
               const char *text, size_t size)
{
    struct reading reading = {.sheet = sheet, .faults = faults, .folder = folder};
    *sheet = (struct sheet){.tree = {.file = file, .faults = faults}};
    int error = yaml_read(&sheet->tree, text, size);
    if (error < 0)
        return error;
    if (sheet->tree.document_count == 0)
        return error_set(ERR_INVALID,
                         "%s:1:1: there is nothing in it: it begins with "
                         "'environments:' (man 5 emsa-apply)",
                         file);
    if (sheet->tree.document_count > 1)
        faults_add(faults, &sheet->tree, sheet->tree.documents[1],
                   "a second document: a file has one");
    return read_file(&reading, sheet->tree.documents[0]);
}
