#include "tools/emsa/difference.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/emsa/moment.h"
#include "tools/emsa/output.h"

#define SECOND INT64_C(1000000000)

struct making {
    struct difference *out;
    struct faults *faults;
    const struct sheet *sheet;
    const struct defined *defined;
    const struct difference_terms *terms;
    bool on_others; /* those of environments that stand on another one are placed */
    /* the service in hand */
    const struct sheet_service *service;
    const struct defined_service *there; /* NULL: it is new */
    char place[PLACE_TEXT_MAX];
};

void difference_release(struct difference *difference)
{
    for (size_t i = 0; i < difference->key_count; i++)
        free(difference->keys[i].path);
    free(difference->keys);
    free(difference->pieces);
    json_decref(difference->operations);
    *difference = (struct difference){0};
}

static int no_memory(void)
{
    return error_set(ERR_NOMEM, "no memory for the operations of a file");
}

static int add_operation(struct making *making, json_t *operation)
{
    if (operation == NULL || json_array_append_new(making->out->operations, operation) < 0)
        return no_memory();
    return 0;
}

static int note_key(struct making *making, const char *path, const struct defined_key *before,
                    const struct sheet_key *after)
{
    struct difference *out = making->out;
    if (out->key_count == out->key_room) {
        size_t room = out->key_room == 0 ? 64 : out->key_room * 2;
        struct difference_key *keys = realloc(out->keys, room * sizeof *keys);
        if (keys == NULL)
            return no_memory();
        out->keys = keys;
        out->key_room = room;
    }
    char *copy = strdup(path);
    if (copy == NULL)
        return no_memory();
    struct difference_key *key = &out->keys[out->key_count++];
    key->path = copy;
    key->before = before;
    key->after = after;
    return 0;
}

/* Environments */

static void check_base(struct making *making, const struct sheet_environment *environment,
                       json_t *there)
{
    const char *base = output_member(there, "base");
    const char *wanted =
        environment->base != NULL ? yaml_text(&making->sheet->tree, environment->base) : base;
    if (strcmp(base, wanted) == 0)
        return;
    if (base[0] == '\0')
        faults_add(making->faults, &making->sheet->tree, environment->base,
                   "'%s' is there, and stands on no other: that cannot be changed",
                   environment->name);
    else
        faults_add(making->faults, &making->sheet->tree, environment->base,
                   "'%s' is there, and stands on '%s': that cannot be changed", environment->name,
                   base);
}

static void check_signed(struct making *making, const struct sheet_environment *environment,
                         json_t *there)
{
    const bool is_signed = json_is_true(json_object_get(there, "signed"));
    if (environment->signing != NULL && environment->is_signed != is_signed)
        faults_add(making->faults, &making->sheet->tree, environment->signing,
                   "'%s' is there, and takes %s: that cannot be changed", environment->name,
                   is_signed ? "signed changes only" : "unsigned changes, too");
}

static void check_environment(struct making *making, const struct sheet_environment *environment,
                              json_t *there)
{
    json_int_t expires = json_integer_value(json_object_get(there, "expires"));
    bool is_protected = json_is_true(json_object_get(there, "protected"));
    check_base(making, environment, there);
    check_signed(making, environment, there);
    if (environment->protection != NULL && environment->is_protected != is_protected)
        faults_add(making->faults, &making->sheet->tree, environment->protection,
                   "'%s' is there, and is %sprotected: that cannot be changed", environment->name,
                   is_protected ? "" : "not ");
    if ((environment->ttl > 0 && expires == 0) ||
        (environment->expires != 0 && environment->expires != expires))
        faults_add(making->faults, &making->sheet->tree, environment->life,
                   "'%s' is there, and ends at another time or never: that cannot be changed",
                   environment->name);
    making->out->same++;
}

/* Seconds from now on until a moment that has not come. 0: it has. */
static uint64_t seconds_until(const struct making *making, int64_t moment)
{
    int64_t left = moment - making->terms->now;
    return left <= 0 ? 0 : (uint64_t)((left + SECOND - 1) / SECOND);
}

/* How long what is set lives; a moment that has passed is a fault. */
static uint64_t life_of(struct making *making, const struct yaml_node *at, uint64_t ttl,
                        int64_t expires)
{
    if (expires == 0)
        return ttl;
    ttl = seconds_until(making, expires);
    if (ttl == 0)
        faults_add(making->faults, &making->sheet->tree, at,
                   "it has ended already: leave it out, or let it end later");
    return ttl;
}

static int add_environment(struct making *making, const struct sheet_environment *environment)
{
    uint64_t ttl = life_of(making, environment->life, environment->ttl, environment->expires);
    if (environment->is_signed && !environment->is_protected)
        faults_add(making->faults, &making->sheet->tree, environment->signing,
                   "what takes signed changes only is protected, too: add 'protected: true'");
    json_t *operation = json_pack("{s:s, s:s, s:b, s:b}", "kind", "environment", "path",
                                  environment->name, "protected", (int)environment->is_protected,
                                  "signed", (int)environment->is_signed);
    if (operation != NULL && environment->base != NULL)
        json_object_set_new(operation, "base",
                            json_string(yaml_text(&making->sheet->tree, environment->base)));
    if (operation != NULL && ttl > 0)
        json_object_set_new(operation, "ttl", json_integer((json_int_t)ttl));
    return add_operation(making, operation);
}

/* Those on another one after those that stand alone, and after the services of those, which they
 * get when they are made: one level is all there is. */
static int add_environments(struct making *making, bool on_others)
{
    for (size_t i = 0; i < making->sheet->environment_count; i++) {
        const struct sheet_environment *environment = &making->sheet->environments[i];
        json_t *there = json_object_get(making->defined->environments, environment->name);
        int error = 0;
        if ((environment->base != NULL) != on_others || making->terms->is_unseen)
            continue;
        if (there != NULL)
            check_environment(making, environment, there);
        else
            error = add_environment(making, environment);
        if (error < 0)
            return error;
    }
    return 0;
}

/* Schemas */

static bool is_named(const struct sheet *sheet, const char *environment)
{
    for (size_t i = 0; i < sheet->environment_count; i++)
        if (strcmp(sheet->environments[i].name, environment) == 0)
            return true;
    return false;
}

/* Schemas of every environment stand in `all`, which the file need not name. */
static int add_all(struct making *making)
{
    bool is_needed = false;
    for (size_t i = 0; i < making->sheet->schema_count; i++)
        is_needed |= !is_named(making->sheet, making->sheet->schemas[i].environment);
    if (!is_needed || json_object_get(making->defined->environments, "all") != NULL)
        return 0;
    return add_operation(making, json_pack("{s:s, s:s}", "kind", "environment", "path", "all"));
}

/* One that is written otherwise and says the same is found to be as it was by the change. */
static int take_schemas(struct making *making)
{
    for (size_t i = 0; i < making->sheet->schema_count; i++) {
        const struct sheet_schema *schema = &making->sheet->schemas[i];
        char place[PLACE_TEXT_MAX];
        snprintf(place, sizeof place, "%s/%s", schema->environment, schema->service);
        const struct defined_service *there = defined_service(making->defined, place);
        if (there != NULL && there->schema != NULL && json_equal(there->schema, schema->schema)) {
            making->out->same++;
            continue;
        }
        int error = add_operation(making, json_pack("{s:s, s:s, s:O}", "kind", "schema", "path",
                                                    place, "schema", schema->schema));
        if (error < 0)
            return error;
    }
    return 0;
}

/* Keys */

static enum entry_kind kind_of(enum sheet_form form)
{
    static const enum entry_kind kinds[] = {
        [SHEET_PLAIN] = ENTRY_PLAIN,       [SHEET_LINK] = ENTRY_LINK,
        [SHEET_TEMPLATE] = ENTRY_TEMPLATE, [SHEET_SECRET] = ENTRY_SECRET,
        [SHEET_KEPT] = ENTRY_SECRET,       [SHEET_SEALED] = ENTRY_SECRET};
    return kinds[form];
}

static const char *word_of(enum entry_kind kind)
{
    static const char *const words[] = {[ENTRY_PLAIN] = "plain",
                                        [ENTRY_SECRET] = "secret",
                                        [ENTRY_LINK] = "link",
                                        [ENTRY_TEMPLATE] = "template"};
    return words[kind];
}

static bool same_end(const struct sheet_key *key, const struct defined_key *there)
{
    return key->ttl == 0 && key->expires == there->expires;
}

static bool is_same(const struct making *making, const struct sheet_key *key,
                    const struct defined_key *there)
{
    return there != NULL && kind_of(key->form) == there->kind && there->data != NULL &&
           key->form != SHEET_SEALED && /* the server opens it, and tells */
           there->size == key->size && same_end(key, there) &&
           (key->size == 0 || memcmp(sheet_data(making->sheet, key), there->data, key->size) == 0);
}

static void check_kept(struct making *making, const struct sheet_key *key,
                       const struct defined_key *there)
{
    if (there == NULL)
        faults_add(making->faults, &making->sheet->tree, key->definition,
                   "there is no secret '%s/%s' that could stay: !secret-file PATH or !secret-env "
                   "NAME sets one",
                   making->place, key->name);
    else if (there->kind != ENTRY_SECRET)
        faults_add(making->faults, &making->sheet->tree, key->definition,
                   "'%s/%s' is no secret, but a %s one: !secret-file PATH or !secret-env NAME "
                   "makes it one",
                   making->place, key->name, word_of(there->kind));
    else if (key->expires != 0 && key->expires != there->expires)
        faults_add(making->faults, &making->sheet->tree, key->definition,
                   "the secret '%s/%s' ends at another time or never: only one that is set anew "
                   "gets an end",
                   making->place, key->name);
    making->out->same++;
}

static int set_key(struct making *making, const struct sheet_key *key,
                   const struct defined_key *there)
{
    char path[PATH_TEXT_MAX];
    struct difference *out = making->out;
    const char *kind = key->form == SHEET_SEALED ? "sealed" : word_of(kind_of(key->form));
    const char *data = (const char *)sheet_data(making->sheet, key);
    uint64_t ttl = life_of(making, key->definition, key->ttl, key->expires);
    json_t *operation;
    snprintf(path, sizeof path, "%s/%s", making->place, key->name);
    if (key->form == SHEET_LINK) {
        operation =
            json_pack("{s:s, s:s, s:s%}", "path", path, "kind", kind, "value", data, key->size);
    } else {
        operation =
            json_pack("{s:s, s:s, s:I}", "path", path, "kind", kind, "size", (json_int_t)key->size);
        out->pieces[out->piece_count++] = (struct piece){data, key->size};
    }
    if (operation != NULL && ttl > 0)
        json_object_set_new(operation, "ttl", json_integer((json_int_t)ttl));
    int error = add_operation(making, operation);
    return error < 0 ? error : note_key(making, path, there, key);
}

static int remove_key(struct making *making, const struct defined_key *there)
{
    char path[PATH_TEXT_MAX];
    snprintf(path, sizeof path, "%s/%s", making->place, there->name);
    int error = add_operation(making, json_pack("{s:s, s:s}", "path", path, "kind", "remove"));
    return error < 0 ? error : note_key(making, path, there, NULL);
}

static int take_key(struct making *making, const struct sheet_key *key,
                    const struct defined_key *there)
{
    if (key->form == SHEET_KEPT) {
        check_kept(making, key, there);
        return 0;
    }
    if (is_same(making, key, there)) {
        making->out->same++;
        return 0;
    }
    return set_key(making, key, there);
}

/* Both lists are in the order of their names, and are walked through side by side. */
static int take_keys(struct making *making)
{
    const struct sheet_service *service = making->service;
    const size_t there_count = making->there != NULL ? making->there->count : 0;
    const bool prune = making->terms->prune && service->has_keys;
    for (size_t i = 0, n = 0; i < service->key_count || n < there_count;) {
        const struct sheet_key *key =
            i < service->key_count ? &making->sheet->keys[service->first_key + i] : NULL;
        const struct defined_key *there =
            n < there_count ? &making->defined->keys[making->there->first + n] : NULL;
        int order = key == NULL ? 1 : there == NULL ? -1 : strcmp(key->name, there->name);
        int error = 0;
        if (order <= 0)
            error = take_key(making, key, order == 0 ? there : NULL);
        else if (prune)
            error = remove_key(making, there);
        if (error < 0)
            return error;
        i += order <= 0;
        n += order >= 0;
    }
    return 0;
}

/* Shares */

static bool has_share(json_t *shares, const char *key, const char *consumer)
{
    json_t *list = json_object_get(shares, key), *one;
    size_t index;
    json_array_foreach(list, index, one)
    {
        if (strcmp(json_string_value(one), consumer) == 0)
            return true;
    }
    return false;
}

static int share(struct making *making, const char *kind, const char *key, const char *consumer)
{
    char path[PATH_TEXT_MAX];
    snprintf(path, sizeof path, "%s/%s", making->place, key);
    return add_operation(
        making, json_pack("{s:s, s:s, s:s}", "path", path, "kind", kind, "with", consumer));
}

/* wanted: what the sheet says, as the store tells its own. */
static int unshare(struct making *making, json_t *wanted)
{
    json_t *there = making->there != NULL ? making->there->shares : NULL, *list, *consumer;
    const char *key;
    size_t index;
    json_object_foreach(there, key, list)
    {
        json_array_foreach(list, index, consumer)
        {
            const char *name = json_string_value(consumer);
            int error = has_share(wanted, key, name) ? 0 : share(making, "unshare", key, name);
            if (error < 0)
                return error;
        }
    }
    return 0;
}

static int take_share(struct making *making, json_t *wanted, const struct sheet_share *one)
{
    json_t *there = making->there != NULL ? making->there->shares : NULL;
    json_t *list = json_object_get(wanted, one->key);
    if (has_share(wanted, one->key, one->consumer))
        return 0; /* said twice */
    if (list == NULL) {
        list = json_array();
        json_object_set_new(wanted, one->key, list);
    }
    if (json_array_append_new(list, json_string(one->consumer)) < 0)
        return no_memory();
    if (!has_share(there, one->key, one->consumer))
        return share(making, "share", one->key, one->consumer);
    making->out->same++;
    return 0;
}

static int take_shares(struct making *making)
{
    const struct sheet_service *service = making->service;
    json_t *wanted = json_object();
    int error = wanted == NULL ? no_memory() : 0;
    for (size_t i = 0; i < service->share_count && error == 0; i++)
        error = take_share(making, wanted, &making->sheet->shares[service->first_share + i]);
    if (error == 0 && making->terms->unshare)
        error = unshare(making, wanted);
    json_decref(wanted);
    return error;
}

/* Services: all are placed before anything refers to what is in them. */
static int each_service(struct making *making, int (*take)(struct making *making))
{
    for (size_t i = 0; i < making->sheet->service_count; i++) {
        making->service = &making->sheet->services[i];
        sheet_place(making->place, making->sheet, making->service);
        making->there = defined_service(making->defined, making->place);
        int error = take(making);
        if (error < 0)
            return error;
    }
    return 0;
}

static int place(struct making *making)
{
    const struct sheet_environment *environment =
        &making->sheet->environments[making->service->environment];
    if ((environment->base != NULL) != making->on_others || making->terms->is_unseen)
        return 0;
    if (making->there == NULL)
        return add_operation(making,
                             json_pack("{s:s, s:s}", "kind", "service", "path", making->place));
    making->out->same++;
    return 0;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(((const struct difference_key *)a)->path,
                  ((const struct difference_key *)b)->path);
}

int difference_make(struct difference *difference, struct faults *faults, const struct sheet *sheet,
                    const struct defined *defined, const struct difference_terms *terms)
{
    struct making making = {
        .out = difference, .faults = faults, .sheet = sheet, .defined = defined, .terms = terms};
    *difference = (struct difference){.operations = json_array()};
    difference->pieces = calloc(sheet->key_count + 1, sizeof *difference->pieces);
    if (difference->operations == NULL || difference->pieces == NULL)
        return no_memory();
    int error = add_all(&making);
    if (error == 0)
        error = add_environments(&making, false);
    if (error == 0)
        error = each_service(&making, place);
    if (error == 0)
        error = add_environments(&making, true);
    making.on_others = true;
    if (error == 0)
        error = each_service(&making, place);
    if (error == 0)
        error = take_schemas(&making);
    if (error == 0)
        error = each_service(&making, take_keys);
    if (error == 0)
        error = each_service(&making, take_shares);
    if (error == 0 && difference->key_count > 0)
        qsort(difference->keys, difference->key_count, sizeof *difference->keys, compare_paths);
    return error;
}

static int compare_path(const void *path, const void *key)
{
    return strcmp(path, ((const struct difference_key *)key)->path);
}

const struct difference_key *difference_find(const struct difference *difference, const char *path)
{
    if (difference->key_count == 0)
        return NULL;
    return bsearch(path, difference->keys, difference->key_count, sizeof *difference->keys,
                   compare_path);
}
