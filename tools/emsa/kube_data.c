/* What a ConfigMap and a Secret hold: each becomes a service, each of their keys a key. */
#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/emsa/base64.h"
#include "tools/emsa/hidden.h"
#include "tools/emsa/kube_parts.h"

/* Decoded: kubernetes skips line ends within base64. */
static int draft_base64(struct kube *kube, const struct yaml_pair *pair)
{
    struct secret text SECRET_CLEANUP = {0};
    const char *data = yaml_text(&kube->tree, pair->value);
    int error = 0;
    for (size_t i = 0, run; i < pair->value->size && error == 0; i += run + 1) {
        for (run = 0; i + run < pair->value->size && strchr("\r\n", data[i + run]) == NULL;)
            run++;
        error = hidden_append(&text, data + i, run);
    }
    if (error == 0)
        error = base64_decode(&text, text.size);
    if (error == -ERR_INVALID)
        return yaml_fail(&kube->tree, pair->value->line, "the value of '%.*s' is no base64",
                         (int)pair->key->size, yaml_text(&kube->tree, pair->key));
    return error < 0 ? error : intake_text(kube->intake, text.data, text.size);
}

static int take_pair(struct kube *kube, const struct kube_object *object,
                     const struct yaml_pair *pair, bool encoded)
{
    char what[KEY_NAME_MAX + 32];
    const char *name = yaml_text(&kube->tree, pair->key);
    size_t length = pair->key->size;
    size_t key;
    int error = 0;
    snprintf(what, sizeof what, "the value of '%.*s'", (int)(length < 255 ? length : 255), name);
    const struct yaml_node *value = kube_text(kube, pair->value, what, &error);
    if (error < 0)
        return error;
    if (name_check(NAME_KEY, name, length) < 0) {
        intake_note_at(kube->intake, kube->file, pair->key->line, "left out of '%s': %s",
                       kube->intake->services[object->service].name, error_text());
        error_clear();
        return 0;
    }
    intake_draft(kube->intake);
    if (value != NULL)
        error = encoded ? draft_base64(kube, pair)
                        : intake_text(kube->intake, yaml_text(&kube->tree, value), value->size);
    if (error == -ERR_INVALID && value->size > VALUE_MAX)
        error = yaml_fail(&kube->tree, pair->key->line, "%s is over %u bytes", what, VALUE_MAX);
    if (error == 0)
        error = intake_set(kube->intake, object->service, name, length, kube->file, pair->key->line,
                           &key);
    if (error == 0)
        kube->intake->keys[key].secret = object->kind == KUBE_SECRET;
    return error;
}

static int take_map(struct kube *kube, const struct kube_object *object, const char *member,
                    bool encoded)
{
    const struct yaml_node *map = yaml_get(&kube->tree, object->node, member);
    int error = 0;
    if (map == NULL || (map->kind == YAML_SCALAR && map->plain && map->size == 0))
        return 0;
    if (map->kind != YAML_MAP)
        return yaml_fail(&kube->tree, map->line, "'%s' is no mapping", member);
    for (size_t i = 0; i < map->count && error == 0; i++)
        error = take_pair(kube, object, &map->pairs[i], encoded);
    return error;
}

int kube_data(struct kube *kube, const struct kube_object *object)
{
    bool secret = object->kind == KUBE_SECRET;
    int error = take_map(kube, object, "data", secret);
    /* of a Secret, this stands before "data" */
    return error < 0 ? error
                     : take_map(kube, object, secret ? "stringData" : "binaryData", !secret);
}
