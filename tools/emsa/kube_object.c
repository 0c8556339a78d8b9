/*
 * The objects of a file, and what their services are called: as the object, and where several
 * objects have one name (a Deployment and its ConfigMap often do), the workload has it and the
 * others get their kind behind a point.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/bytes.h"
#include "store/error.h"
#include "tools/emsa/kube_parts.h"

#define LIST_MAX 512u
#define LISTS_DEEP 4

struct kind_row {
    const char *name;
    enum kube_kind kind;
    const char *word;
    const char *way[6]; /* to a workload's pod spec */
};

static const struct kind_row kinds[] = {
    {"Deployment", KUBE_WORKLOAD, "deployment", {"spec", "template", "spec"}},
    {"StatefulSet", KUBE_WORKLOAD, "statefulset", {"spec", "template", "spec"}},
    {"DaemonSet", KUBE_WORKLOAD, "daemonset", {"spec", "template", "spec"}},
    {"ReplicaSet", KUBE_WORKLOAD, "replicaset", {"spec", "template", "spec"}},
    {"ReplicationController", KUBE_WORKLOAD, "replicationcontroller", {"spec", "template", "spec"}},
    {"Job", KUBE_WORKLOAD, "job", {"spec", "template", "spec"}},
    {"CronJob", KUBE_WORKLOAD, "cronjob", {"spec", "jobTemplate", "spec", "template", "spec"}},
    {"Pod", KUBE_WORKLOAD, "pod", {"spec"}},
    {"ConfigMap", KUBE_CONFIG_MAP, "configmap", {NULL}},
    {"Secret", KUBE_SECRET, "secret", {NULL}},
};

struct gathering {
    struct kube *kube;
    struct bytes others; /* kinds that hold nothing of ours, for a note */
    size_t other_count;
};

static const struct kind_row *find_kind(const struct kube *kube, const struct yaml_node *kind)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (yaml_is(&kube->tree, kind, kinds[i].name))
            return &kinds[i];
    return NULL;
}

static int add_object(struct kube *kube, const struct kube_object *object)
{
    if (kube->object_count == kube->object_room) {
        size_t room = kube->object_room == 0 ? 64 : kube->object_room * 2;
        struct kube_object *objects = realloc(kube->objects, room * sizeof *objects);
        if (objects == NULL)
            return error_set(ERR_NOMEM, "no memory for %zu objects", room);
        kube->objects = objects;
        kube->object_room = room;
    }
    kube->objects[kube->object_count++] = *object;
    return 0;
}

static int take_object(struct kube *kube, const struct kind_row *row, const struct yaml_node *node)
{
    const struct yaml_tree *tree = &kube->tree;
    struct kube_object object = {.kind = row->kind, .word = row->word, .node = node};
    int error = 0;
    object.name = kube_text(kube, yaml_get(tree, yaml_get(tree, node, "metadata"), "name"),
                            "'metadata.name'", &error);
    if (error < 0)
        return error;
    if (object.name == NULL)
        return yaml_fail(tree, node->line, "a %s without 'metadata.name'", row->name);
    if (row->kind == KUBE_WORKLOAD) {
        object.pod = node;
        for (size_t i = 0; row->way[i] != NULL && object.pod != NULL; i++)
            object.pod = yaml_get(tree, object.pod, row->way[i]);
        if (object.pod == NULL || object.pod->kind != YAML_MAP)
            return yaml_fail(tree, node->line, "the %s '%.*s' has no pod", row->name,
                             (int)object.name->size, yaml_text(tree, object.name));
    }
    return add_object(kube, &object);
}

static void list_other(struct gathering *gathering, const struct yaml_node *kind)
{
    const struct kube *kube = gathering->kube;
    char word[64];
    snprintf(word, sizeof word, "%.*s", (int)(kind->size < 60 ? kind->size : 60),
             yaml_text(&kube->tree, kind));
    const char *at = (const char *)gathering->others.data;
    const char *end = gathering->others.size > 0 ? at + gathering->others.size : at;
    gathering->other_count++;
    for (; at < end; at += strlen(at) + 1)
        if (strcmp(at, word) == 0)
            return;
    bytes_append(&gathering->others, word, strlen(word) + 1);
}

static int take_node(struct gathering *gathering, const struct yaml_node *node, unsigned depth)
{
    struct kube *kube = gathering->kube;
    const struct yaml_node *kind = yaml_get(&kube->tree, node, "kind");
    int error = 0;
    kind = kube_text(kube, kind, "'kind'", &error);
    if (error < 0)
        return error;
    if (kind == NULL)
        return yaml_fail(&kube->tree, node->line, "no 'kind:': this is no kubernetes object");
    const struct yaml_node *items = yaml_get(&kube->tree, node, "items");
    if (items != NULL && items->kind == YAML_LIST && depth < LISTS_DEEP) {
        for (size_t i = 0; i < items->count && error == 0; i++)
            error = take_node(gathering, items->items[i], depth + 1);
        return error;
    }
    const struct kind_row *row = find_kind(kube, kind);
    if (row != NULL)
        return take_object(kube, row, node);
    list_other(gathering, kind);
    return 0;
}

static void tell_others(const struct gathering *gathering)
{
    char text[LIST_MAX + 128];
    size_t length = 0;
    const char *at = (const char *)gathering->others.data;
    const char *end = gathering->others.size > 0 ? at + gathering->others.size : at;
    for (; at < end; at += strlen(at) + 1)
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%s",
                                   length > 0 ? ", " : "", at);
    if (gathering->other_count > 0)
        intake_note(gathering->kube->intake,
                    "%zu objects of kinds in which emsa looks for nothing: %s%s",
                    gathering->other_count, text, gathering->others.error < 0 ? ", ..." : "");
}

/* A name that other objects have too, or that has a meaning here. */
static bool is_shared(const struct kube *kube, const struct kube_object *object)
{
    for (size_t i = 0; i < kube->object_count; i++) {
        const struct kube_object *other = &kube->objects[i];
        if (other != object && other->name->size == object->name->size &&
            memcmp(yaml_text(&kube->tree, other->name), yaml_text(&kube->tree, object->name),
                   other->name->size) == 0 &&
            (object->kind != KUBE_WORKLOAD || other->kind == KUBE_WORKLOAD))
            return true;
    }
    return yaml_is(&kube->tree, object->name, "shared");
}

static int name_service(struct kube *kube, struct kube_object *object)
{
    char name[512];
    size_t before = kube->intake->service_count;
    bool shared = is_shared(kube, object);
    int length = snprintf(
        name, sizeof name, "%.*s%s%s", (int)(object->name->size < 400 ? object->name->size : 400),
        yaml_text(&kube->tree, object->name), shared ? "." : "", shared ? object->word : "");
    int error = intake_service(kube->intake, &object->service, name, (size_t)length, kube->file,
                               object->name->line);
    if (error == 0 && object->service < before)
        error = yaml_fail(&kube->tree, object->name->line,
                          "a second %s '%.*s': one environment holds one namespace", object->word,
                          (int)object->name->size, yaml_text(&kube->tree, object->name));
    if (error == 0 && shared)
        intake_note_at(kube->intake, kube->file, object->name->line,
                       "this %s is the service '%s' here, as its name is taken", object->word,
                       name);
    return error;
}

int kube_gather(struct kube *kube)
{
    struct gathering gathering = {.kube = kube, .others = BYTES_INIT(LIST_MAX)};
    int error = 0;
    for (size_t i = 0; i < kube->tree.document_count && error == 0; i++)
        error = take_node(&gathering, kube->tree.documents[i], 0);
    for (size_t i = 0; i < kube->object_count && error == 0; i++)
        error = name_service(kube, &kube->objects[i]);
    if (error == 0 && kube->object_count == 0)
        error = yaml_fail(&kube->tree, 1, "no workload, ConfigMap or Secret");
    if (error == 0)
        tell_others(&gathering);
    bytes_release(&gathering.others);
    return error;
}
