/* A failure on the wire: codes of store/error.h as names of varlink errors. */
#ifndef EMSA_TOOLS_SERVICE_FAILURE_H
#define EMSA_TOOLS_SERVICE_FAILURE_H

#include <jansson.h>

#include "store/error.h"

/* The varlink error for a failure (either sign), static: "io.emsa.Refused". */
const char *failure_name(int error);

/* The code for such a name; 0 for one that is not in the table. */
enum error_code failure_code(const char *name);

/* What is said of a failure of this thread: {"message", "reasons"}, from the lines of its text. The
 * caller's; NULL: no memory. */
json_t *failure_reply(int error);

/* The n-th name of the table, NULL past its end; for the interface description. */
const char *failure_listed(unsigned n);

#endif
