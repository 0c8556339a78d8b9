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
/* "own", "base", "all", "shared", "schema" */
const char *origin_word(enum entry_origin origin);

/* Adds bytes to an object as a text, where they are one (UTF-8 without NUL, up to maximum bytes);
 * else nothing. */
void item_add_text(json_t *object, const char *name, const unsigned char *data, size_t size,
                   size_t maximum);

/* Adds whose key signed, where one did: signer. ERR_NOMEM. */
int item_add_signer(json_t *object, const struct author *author);

/* Adds when and, where by_whom, by whom and why a revision was made: time, author, reason, signer.
 */
int item_add_commit(struct snapshot *, json_t *object, uint64_t rev, bool by_whom);

#endif
