/* The parameters of a call, checked: what is there and of the wrong kind is ERR_INVALID, naming it.
 */
#ifndef EMSA_TOOLS_SERVICE_PARAMETER_H
#define EMSA_TOOLS_SERVICE_PARAMETER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/change.h"
#include "store/name.h"

/* Each leaves *out as it is when the parameter is not given (or null). Texts are borrowed. */
int parameter_text(json_t *parameters, const char *name, const char **out);
int parameter_bool(json_t *parameters, const char *name, bool *out);
int parameter_number(json_t *parameters, const char *name, uint64_t *out, bool *given);
int parameter_path(json_t *parameters, const char *name, struct path *out);

/* A list that must be there and not be empty; borrowed. */
int parameter_list(json_t *parameters, const char *name, json_t **out);

/* A path from a JSON string. */
int path_of(json_t *text, struct path *out);

/* base, protected and ttl of a new environment. The base's name is borrowed. */
int parameter_environment(json_t *parameters, struct environment_terms *out);

/* reason, if_rev, if_path, dry_run, allow_new, allow_equal, override and request_id of a change. */
int parameter_terms(json_t *parameters, struct change_terms *out);

#endif
