/* Revisions as people write them: a number, or a tag. */
#ifndef EMSA_TOOLS_SERVICE_REVISION_H
#define EMSA_TOOLS_SERVICE_REVISION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/snapshot.h"

/* ERR_INVALID: neither; ERR_NOT_FOUND: before the first revision or after the newest, or no such
 * tag. */
int revision_parse(struct snapshot *, uint64_t *out, const char *text);

/* The parameter of that name, which is left as it is where it is not given (or null). given may be
 * NULL. */
int revision_parameter(struct snapshot *, json_t *parameters, const char *name, uint64_t *out,
                       bool *given);

#endif
