/* The places of a list as JSON objects, and the revisions and times they show. */
#ifndef EMSA_TOOLS_SERVICE_ITEM_H
#define EMSA_TOOLS_SERVICE_ITEM_H

#include <jansson.h>

#include "tools/service/walk.h"

/* Each returns 0 and an owned object, or a failure. */
int item_of_walk(struct walk *walk, json_t **out);
int item_of_entry(struct snapshot *, const struct entry *entry, const struct path *path,
                  json_t **out);

/* "plain", "secret", "link", "template" */
const char *kind_word(enum entry_kind kind);

#endif
