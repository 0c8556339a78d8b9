#include "tools/emsa/kube.h"

#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "tools/emsa/kube_parts.h"
#include "tools/emsa/scalar.h"

const struct yaml_node *kube_text(const struct kube *kube, const struct yaml_node *node,
                                  const char *what, int *error)
{
    const char *text;
    if (*error < 0 || node == NULL)
        return NULL;
    if (node->kind != YAML_SCALAR) {
        *error = yaml_fail(&kube->tree, node->line, "%s is no text", what);
        return NULL;
    }
    text = yaml_text(&kube->tree, node);
    if (!node->plain || node->tag[0] != '\0')
        return node;
    switch (scalar_type(SCALAR_KUBERNETES, text, node->size)) {
    case SCALAR_TEXT:
    case SCALAR_DATE:
        return node;
    case SCALAR_NULL:
        return NULL;
    default:
        *error = yaml_fail(&kube->tree, node->line,
                           "%s is a number, true or false, where kubernetes takes a text only: put "
                           "it into quotes",
                           what);
        return NULL;
    }
}

const struct kube_object *kube_find(const struct kube *kube, enum kube_kind kind,
                                    const struct yaml_node *name)
{
    for (size_t i = 0; i < kube->object_count; i++) {
        const struct kube_object *object = &kube->objects[i];
        if (object->kind == kind && object->name->size == name->size &&
            memcmp(yaml_text(&kube->tree, object->name), yaml_text(&kube->tree, name),
                   name->size) == 0)
            return object;
    }
    return NULL;
}

static int begin(struct kube *kube, const char *file)
{
    kube->file = intake_file(kube->intake, file);
    kube->tree.file = kube->file;
    if (kube->file == NULL)
        return -ERR_NOMEM;
    int error = intake_service(kube->intake, &kube->scratch, "0", 1, kube->file, 1);
    if (error == 0) {
        kube->intake->services[kube->scratch].absent = true;
        kube->intake->services[kube->scratch].name[0] = '\0';
    }
    return error;
}

int kube_take(struct intake *intake, const char *file, const struct secret *text)
{
    struct kube kube = {.intake = intake};
    int error = begin(&kube, file);
    if (error == 0)
        error = yaml_read(&kube.tree, text->size > 0 ? (const char *)text->data : "", text->size);
    if (error == 0)
        error = kube_gather(&kube);
    for (size_t i = 0; i < kube.object_count && error == 0; i++)
        if (kube.objects[i].kind != KUBE_WORKLOAD)
            error = kube_data(&kube, &kube.objects[i]);
    for (size_t i = 0; i < kube.object_count && error == 0; i++)
        if (kube.objects[i].kind == KUBE_WORKLOAD)
            error = kube_workload(&kube, &kube.objects[i]);
    free(kube.objects);
    yaml_release(&kube.tree);
    return error;
}
