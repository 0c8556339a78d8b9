/* Operations that set many keys, as few objects: keys of one service that follow each other and are
 * set to values of one kind are one operation (tools/service/operation.h). Their values are pieces
 * of the stream, in the same order. */
#ifndef EMSA_TOOLS_EMSA_BUNDLE_H
#define EMSA_TOOLS_EMSA_BUNDLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "store/name.h"

struct bundle {
    json_t *operations; /* borrowed: the list that is added to */
    /* Of the operation that was added last; borrowed from it. */
    json_t *keys, *sizes;
    const char *kind;
    struct path service;
};

void bundle_begin(struct bundle *bundle, json_t *operations);

/* The key at path is set to the next size bytes of the stream. kind: "plain", "secret", "template",
 * as a constant. ERR_NOMEM. */
int bundle_add(struct bundle *bundle, const char *kind, const struct path *path, size_t size);

#endif
