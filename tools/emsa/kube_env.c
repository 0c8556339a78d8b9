/*
 * The environment of a container, by the kubelet's order: "envFrom" in its order, a later source
 * over an earlier one, and then "env", entry by entry, each of which may name in "$(NAME)" what
 * stands before it. What names nothing stays as it is written.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/emsa/kube_parts.h"

#define UNKNOWN (INTAKE_NONE - 1) /* a value that only the cluster knows */

struct known { /* a name of this container */
    char name[KEY_NAME_MAX + 1];
    size_t length;
    size_t key; /* or UNKNOWN */
};

struct container {
    struct kube *kube;
    size_t service;
    const struct yaml_node *node;
    struct known *known;
    uint32_t *hashes; /* of their names: what is looked through */
    size_t known_count, known_room;
    unsigned long began; /* settings before this container */
};

static const char *service_name(const struct container *container)
{
    return container->kube->intake->services[container->service].name;
}

static void left_out(const struct container *container, unsigned line, const char *name,
                     const char *why)
{
    intake_note_at(container->kube->intake, container->kube->file, line, "left out: '%s/%s' %s",
                   service_name(container), name, why);
}

static uint32_t hash_of(const char *name, size_t length)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)name[i]) * 16777619u;
    return hash;
}

static struct known *find_known(const struct container *container, const char *name, size_t length)
{
    uint32_t hash = hash_of(name, length);
    for (size_t i = 0; i < container->known_count; i++)
        if (container->hashes[i] == hash && container->known[i].length == length &&
            memcmp(container->known[i].name, name, length) == 0)
            return &container->known[i];
    return NULL;
}

static int grow_known(struct container *container)
{
    if (container->known_count < container->known_room)
        return 0;
    size_t room = container->known_room == 0 ? 32 : container->known_room * 2;
    struct known *known = realloc(container->known, room * sizeof *known);
    if (known != NULL)
        container->known = known;
    uint32_t *hashes = realloc(container->hashes, room * sizeof *hashes);
    if (hashes != NULL)
        container->hashes = hashes;
    if (known == NULL || hashes == NULL)
        return error_set(ERR_NOMEM, "no memory for an environment");
    container->known_room = room;
    return 0;
}

/* A name that "envFrom" set before its value turned out to be the cluster's is not set. */
static void drop(const struct container *container, const char *name)
{
    struct intake *intake = container->kube->intake;
    size_t key = intake_find(intake, container->service, name, strlen(name));
    if (key != INTAKE_NONE && intake->keys[key].setting > container->began)
        intake->keys[key].dropped = true;
}

static int know(struct container *container, const char *name, size_t key)
{
    size_t length = strlen(name);
    struct known *known = find_known(container, name, length);
    if (key == UNKNOWN)
        drop(container, name);
    if (known == NULL) {
        int error = grow_known(container);
        if (error < 0)
            return error;
        known = &container->known[container->known_count];
        container->hashes[container->known_count++] = hash_of(name, length);
        memcpy(known->name, name, length + 1); /* it was checked to be a key's */
        known->length = length;
    }
    known->key = key;
    return 0;
}

static bool same_as_drafted(const struct intake *intake, size_t key)
{
    return intake->keys[key].value.size == intake->draft.size &&
           memcmp(intake_bytes(intake, &intake->keys[key]), intake_drafted(intake),
                  intake->draft.size) == 0;
}

/* Sets what was drafted. Another container of the pod may have set the name: then both have to
 * agree, and the first one's holds. */
static int set(struct container *container, const char *name, unsigned line)
{
    struct kube *kube = container->kube;
    struct intake *intake = kube->intake;
    size_t service = container->service;
    size_t key = intake_find(intake, service, name, strlen(name));
    bool others = key != INTAKE_NONE && intake->keys[key].setting <= container->began;
    if (others && same_as_drafted(intake, key))
        return know(container, name, key);
    if (others) {
        left_out(container, line, name,
                 "differs between containers of one pod: the first one's value is set");
        service = kube->scratch;
    }
    int error = intake_set(intake, service, name, strlen(name), kube->file, line, &key);
    return error < 0 ? error : know(container, name, key);
}

/* Whether the name can be set: it is a variable to kubernetes, and a key here. */
static bool usable(const struct container *container, const char *name, unsigned line)
{
    bool variable = name[0] != '\0' && !isdigit((unsigned char)name[0]);
    for (const char *at = name; *at != '\0'; at++)
        variable = variable && (isalnum((unsigned char)*at) || strchr("-._", *at) != NULL);
    if (!variable) {
        left_out(container, line, name, "is no name of a variable, as kubernetes leaves it out");
        return false;
    }
    if (name_check(NAME_KEY, name, strlen(name)) == 0)
        return true;
    left_out(container, line, name, error_text());
    error_clear();
    return false;
}

static int set_reference(struct container *container, const char *name, size_t key, unsigned line)
{
    intake_draft(container->kube->intake);
    int error = intake_reference(container->kube->intake, key);
    return error < 0 ? error : set(container, name, line);
}

/* Every key of a ConfigMap or Secret. What binaryData held is no variable. */
static int take_all(struct container *container, const struct kube_object *object,
                    const char *prefix, unsigned line)
{
    struct kube *kube = container->kube;
    static const char *const members[] = {"data", "stringData"};
    int error = 0;
    for (size_t m = 0; m < 2; m++) {
        const struct yaml_node *map = yaml_get(&kube->tree, object->node, members[m]);
        for (size_t i = 0; map != NULL && map->kind == YAML_MAP && i < map->count; i++) {
            char name[KEY_NAME_MAX * 2 + 2];
            const struct yaml_node *from = map->pairs[i].key;
            size_t key = intake_find(kube->intake, object->service, yaml_text(&kube->tree, from),
                                     from->size);
            snprintf(name, sizeof name, "%s%.*s", prefix,
                     (int)(from->size < KEY_NAME_MAX ? from->size : KEY_NAME_MAX),
                     yaml_text(&kube->tree, from));
            if (key == INTAKE_NONE || !usable(container, name, line))
                continue;
            error = set_reference(container, name, key, line);
            if (error < 0)
                return error;
        }
    }
    return 0;
}

static bool is_optional(const struct kube *kube, const struct yaml_node *reference)
{
    return yaml_is(&kube->tree, yaml_get(&kube->tree, reference, "optional"), "true");
}

static int take_source(struct container *container, const struct yaml_node *source)
{
    struct kube *kube = container->kube;
    const struct yaml_node *map = yaml_get(&kube->tree, source, "configMapRef");
    const struct yaml_node *secret = yaml_get(&kube->tree, source, "secretRef");
    const struct yaml_node *reference = map != NULL ? map : secret;
    int error = 0;
    const struct yaml_node *prefix =
        kube_text(kube, yaml_get(&kube->tree, source, "prefix"), "'prefix'", &error);
    const struct yaml_node *name =
        kube_text(kube, yaml_get(&kube->tree, reference, "name"), "'name'", &error);
    if (error < 0)
        return error;
    if (name == NULL)
        return yaml_fail(&kube->tree, source->line,
                         "an 'envFrom' that names no ConfigMap and no Secret");
    const struct kube_object *object =
        kube_find(kube, map != NULL ? KUBE_CONFIG_MAP : KUBE_SECRET, name);
    char before[KEY_NAME_MAX + 1] = "";
    if (prefix != NULL)
        snprintf(before, sizeof before, "%.*s",
                 (int)(prefix->size < KEY_NAME_MAX ? prefix->size : KEY_NAME_MAX),
                 yaml_text(&kube->tree, prefix));
    if (object != NULL)
        return take_all(container, object, before, source->line);
    intake_note_at(kube->intake, kube->file, source->line,
                   "left out: all that '%s' gets from the %s '%.*s', which is not in this file%s",
                   service_name(container), map != NULL ? "ConfigMap" : "Secret", (int)name->size,
                   yaml_text(&kube->tree, name),
                   is_optional(kube, reference) ? " (it is optional)" : "");
    return 0;
}

/* "$(NAME)" of an entry; 1: it takes a value that only the cluster knows. */
static int draft_name(struct container *container, const char *name, size_t length, unsigned line)
{
    struct intake *intake = container->kube->intake;
    const struct known *known = find_known(container, name, length);
    if (known != NULL)
        return known->key == UNKNOWN ? 1 : intake_reference(intake, known->key);
    intake_note_at(intake, container->kube->file, line,
                   "'$(%.*s)' names nothing before it, and stays as it is written",
                   (int)(length < 64 ? length : 64), name);
    int error = intake_text(intake, "$(", 2);
    if (error == 0)
        error = intake_text(intake, name, length);
    return error < 0 ? error : intake_text(intake, ")", 1);
}

static int draft_value(struct container *container, const struct yaml_node *value)
{
    struct intake *intake = container->kube->intake;
    const char *at = yaml_text(&container->kube->tree, value), *end = at + value->size;
    while (at < end) {
        const char *dollar = memchr(at, '$', (size_t)(end - at));
        const char *until = dollar != NULL ? dollar : end;
        const char *close = NULL;
        int error = intake_text(intake, at, (size_t)(until - at));
        at = until;
        if (dollar == NULL || error < 0)
            return error;
        if (dollar + 1 < end && dollar[1] == '(')
            close = memchr(dollar, ')', (size_t)(end - dollar));
        if (close != NULL) {
            error = draft_name(container, dollar + 2, (size_t)(close - dollar) - 2, value->line);
            at = close + 1;
        } else { /* "$$" is a dollar; before anything else it stands for itself */
            error = intake_text(intake, "$", 1);
            at = dollar + 1 + (dollar + 1 < end && dollar[1] == '$');
        }
        if (error != 0)
            return error;
    }
    return 0;
}

static int take_value(struct container *container, const char *name, const struct yaml_node *value,
                      unsigned line)
{
    intake_draft(container->kube->intake);
    int error = value != NULL ? draft_value(container, value) : 0;
    if (error == 1) {
        left_out(container, line, name, "is made from a value that only the cluster knows");
        return know(container, name, UNKNOWN);
    }
    return error < 0 ? error : set(container, name, line);
}

static int take_key(struct container *container, const char *name,
                    const struct yaml_node *reference, enum kube_kind kind)
{
    struct kube *kube = container->kube;
    char why[512];
    int error = 0;
    const struct yaml_node *from =
        kube_text(kube, yaml_get(&kube->tree, reference, "name"), "'name'", &error);
    const struct yaml_node *key =
        kube_text(kube, yaml_get(&kube->tree, reference, "key"), "'key'", &error);
    if (error < 0)
        return error;
    if (from == NULL || key == NULL)
        return yaml_fail(&kube->tree, reference->line, "a reference of '%s' without name or key",
                         name);
    const struct kube_object *object = kube_find(kube, kind, from);
    size_t found = object != NULL ? intake_find(kube->intake, object->service,
                                                yaml_text(&kube->tree, key), key->size)
                                  : INTAKE_NONE;
    if (found != INTAKE_NONE)
        return set_reference(container, name, found, reference->line);
    snprintf(why, sizeof why, "is '%.*s' of the %s '%.*s', which is not in this file%s",
             (int)(key->size < 128 ? key->size : 128), yaml_text(&kube->tree, key),
             kind == KUBE_SECRET ? "Secret" : "ConfigMap",
             (int)(from->size < 128 ? from->size : 128), yaml_text(&kube->tree, from),
             is_optional(kube, reference) ? " (it is optional)" : "");
    left_out(container, reference->line, name, why);
    return is_optional(kube, reference) ? 0 : know(container, name, UNKNOWN);
}

static int take_value_from(struct container *container, const char *name,
                           const struct yaml_node *source)
{
    const struct yaml_tree *tree = &container->kube->tree;
    const struct yaml_node *map = yaml_get(tree, source, "configMapKeyRef");
    const struct yaml_node *secret = yaml_get(tree, source, "secretKeyRef");
    if (map != NULL)
        return take_key(container, name, map, KUBE_CONFIG_MAP);
    if (secret != NULL)
        return take_key(container, name, secret, KUBE_SECRET);
    char why[128];
    snprintf(why, sizeof why, "comes from a %.*s: only the cluster knows it",
             source->kind == YAML_MAP && source->count > 0
                 ? (int)(source->pairs[0].key->size < 40 ? source->pairs[0].key->size : 40)
                 : 5,
             source->kind == YAML_MAP && source->count > 0 ? yaml_text(tree, source->pairs[0].key)
                                                           : "place");
    left_out(container, source->line, name, why);
    return know(container, name, UNKNOWN);
}

/* The name as a text, cut where it is too long, and what its value is called. */
static void name_entry(const struct kube *kube, const struct yaml_node *name,
                       char text[static KEY_NAME_MAX + 1], char what[static KEY_NAME_MAX + 32])
{
    static const char before[] = "the value of '";
    size_t length = name->size < KEY_NAME_MAX ? name->size : KEY_NAME_MAX;
    const char *end = memchr(yaml_text(&kube->tree, name), '\0', length);
    if (end != NULL)
        length = (size_t)(end - yaml_text(&kube->tree, name));
    memcpy(text, yaml_text(&kube->tree, name), length);
    text[length] = '\0';
    memcpy(what, before, sizeof before - 1);
    memcpy(what + sizeof before - 1, text, length);
    memcpy(what + sizeof before - 1 + length, "'", 2);
}

static int take_entry(struct container *container, const struct yaml_node *entry)
{
    struct kube *kube = container->kube;
    int error = 0;
    const struct yaml_node *name =
        kube_text(kube, yaml_get(&kube->tree, entry, "name"), "the name of a variable", &error);
    if (error == 0 && (name == NULL || name->size == 0))
        error = yaml_fail(&kube->tree, entry->line, "an entry of 'env' without a name");
    if (error < 0)
        return error;
    char text[KEY_NAME_MAX + 1], what[KEY_NAME_MAX + 32];
    name_entry(kube, name, text, what);
    const struct yaml_node *value =
        kube_text(kube, yaml_get(&kube->tree, entry, "value"), what, &error);
    const struct yaml_node *source = yaml_get(&kube->tree, entry, "valueFrom");
    if (error < 0)
        return error;
    if (source != NULL && value != NULL && value->size > 0)
        return yaml_fail(&kube->tree, entry->line, "'%s' has both 'value' and 'valueFrom'", text);
    if (!usable(container, text, entry->line))
        return 0;
    return source != NULL ? take_value_from(container, text, source)
                          : take_value(container, text, value, entry->line);
}

static int each(struct container *container, const char *member,
                int (*take)(struct container *, const struct yaml_node *))
{
    struct kube *kube = container->kube;
    const struct yaml_node *list = yaml_get(&kube->tree, container->node, member);
    int error = 0;
    if (list == NULL || (list->kind == YAML_SCALAR && list->plain && list->size == 0))
        return 0;
    if (list->kind != YAML_LIST)
        return yaml_fail(&kube->tree, list->line, "'%s' of '%s' is no list", member,
                         service_name(container));
    for (size_t i = 0; i < list->count && error == 0; i++)
        error = take(container, list->items[i]);
    return error;
}

int kube_workload(struct kube *kube, const struct kube_object *object)
{
    static const char *const members[] = {"containers", "initContainers"};
    int error = 0;
    for (size_t m = 0; m < 2; m++) {
        const struct yaml_node *list = yaml_get(&kube->tree, object->pod, members[m]);
        for (size_t i = 0; list != NULL && list->kind == YAML_LIST && i < list->count; i++) {
            struct container container = {.kube = kube,
                                          .service = object->service,
                                          .node = list->items[i],
                                          .began = kube->intake->settings};
            error = each(&container, "envFrom", take_source);
            if (error == 0)
                error = each(&container, "env", take_entry);
            free(container.known);
            free(container.hashes);
            if (error < 0)
                return error;
        }
    }
    return 0;
}
