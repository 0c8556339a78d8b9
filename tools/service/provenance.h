/* Where a copy was taken from, as JSON. */
#ifndef EMSA_TOOLS_SERVICE_PROVENANCE_H
#define EMSA_TOOLS_SERVICE_PROVENANCE_H

#include <jansson.h>

#include "store/history.h"

/* Adds "from": {path, rev} to the object of an operation that copied; of any other nothing. */
int provenance_add(struct snapshot *, json_t *object, const struct operation_info *operation);

#endif
