/* What the parts of kube_take share: the objects of a file, and the environment of one container.
 */
#ifndef EMSA_TOOLS_EMSA_KUBE_PARTS_H
#define EMSA_TOOLS_EMSA_KUBE_PARTS_H

#include "tools/emsa/intake.h"
#include "tools/emsa/yaml.h"

enum kube_kind { KUBE_WORKLOAD, KUBE_CONFIG_MAP, KUBE_SECRET };

struct kube_object {
    enum kube_kind kind;
    const char *word;             /* "deployment", "configmap", ...: where names meet */
    const struct yaml_node *name; /* of its metadata */
    const struct yaml_node *node;
    const struct yaml_node *pod; /* a workload's pod spec */
    size_t service;
};

struct kube {
    struct intake *intake;
    struct yaml_tree tree;
    const char *file; /* intake's copy of the name */
    struct kube_object *objects;
    size_t object_count, object_room;
    size_t scratch; /* a service that is not made */
};

/* A scalar that kubernetes takes for a text, or NULL where node is NULL or null; *error is set
 * where it is something else. what names it in the message. */
const struct yaml_node *kube_text(const struct kube *kube, const struct yaml_node *node,
                                  const char *what, int *error);

/* The ConfigMap or Secret of a name; NULL where the file has none. */
const struct kube_object *kube_find(const struct kube *kube, enum kube_kind kind,
                                    const struct yaml_node *name);

/* Finds the objects of all documents and gives each its service (kube_object.c). */
int kube_gather(struct kube *kube);

/* Sets what a ConfigMap or Secret holds (kube_data.c). */
int kube_data(struct kube *kube, const struct kube_object *object);

/* Sets the environment of a workload's containers (kube_env.c). */
int kube_workload(struct kube *kube, const struct kube_object *object);

#endif
