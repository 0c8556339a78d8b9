/* What the command prints of an entry, built in locked memory. The forms of values are
 * store/render.h. */
#ifndef EMSA_TOOLS_EMSA_RENDER_H
#define EMSA_TOOLS_EMSA_RENDER_H

#include <jansson.h>

#include "store/render.h"

/* Appends an entry of a Get with its value, as one JSON object and a newline. ERR_NOMEM. */
int render_entry(struct secret *out, json_t *entry, const unsigned char *value, size_t size);

#endif
