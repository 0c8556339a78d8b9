/*
 * What would be in effect in a copy of an environment that has everything but the secrets. A link
 * or a template that needs one of them, itself or through others, cannot stand in the copy until
 * that is set: it is left out. Where such a one comes from `all` or from the base it cannot be left
 * out; then its service is not placed in the copy.
 */
#ifndef EMSA_TOOLS_SERVICE_PARTS_H
#define EMSA_TOOLS_SERVICE_PARTS_H

#include "store/name.h"
#include "store/snapshot.h"
#include "store/template.h"

struct parted_service {
    char name[SERVICE_NAME_MAX + 1];
    uint32_t id;
    bool is_out;                    /* cannot be placed yet */
    char needs[REFERENCE_TEXT_MAX]; /* why: the name that is missing */
    char because[KEY_NAME_MAX + 1]; /* and the inherited key that needs it */
};

struct part {       /* a key that is in effect in the environment that is copied */
    size_t service; /* its place in the list of services */
    char *key;
    struct definition definition; /* that would be in effect in the copy, while is_there */
    int64_t expires;
    bool is_own;                    /* defined in the environment itself */
    bool is_secret;                 /* and a secret: not copied */
    bool is_left;                   /* defined there, and left out */
    bool is_there;                  /* would be in effect in the copy */
    unsigned order;                 /* of what is left out: after what it needs */
    char needs[REFERENCE_TEXT_MAX]; /* of what is left out: the name that is missing */
};

struct parts {
    struct snapshot *snapshot;
    struct environment environment;
    struct parted_service *services; /* in the order of their names, as the keys in each */
    size_t service_count, service_capacity;
    struct part *list;
    size_t count, capacity;
};

/* Gathers and judges them; the snapshot must live as long. parts_release in any case. ERR_NOMEM,
 * ERR_CORRUPT. */
int parts_gather(struct parts *parts, struct snapshot *snapshot,
                 const struct environment *environment);
void parts_release(struct parts *parts);

/* The path of a part in some environment. */
int parts_path(const struct parts *parts, const struct part *part, const char *environment,
               struct path *out);

#endif
