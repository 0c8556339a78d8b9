/* One line of a tree: {"path": "env/service/KEY", "value": "..."}, with "secret": true or false
 * where that is said, and "base64" instead of "value" for bytes that are no text. */
#ifndef EMSA_TOOLS_EMSA_TREELINE_H
#define EMSA_TOOLS_EMSA_TREELINE_H

#include <stdbool.h>
#include <stddef.h>

#include "store/name.h"
#include "store/secret.h"

enum mark { MARK_NONE, MARK_PLAIN, MARK_SECRET };

struct treeline {
    struct path path;
    enum mark mark;
    size_t offset; /* of the value in the buffer given */
    size_t size;
};

/* Reads a line, appending the value to values; scratch is memory to use again. ERR_INVALID: with
 * what is wrong, without the place; ERR_NOMEM. */
int treeline_parse(struct treeline *out, struct secret *values, struct secret *scratch,
                   const char *text, size_t size);

#endif
