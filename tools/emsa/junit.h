/* The findings of a check as JUnit XML, which CI servers show: a suite for each service that was
 * looked at, a failed case for each thing that is wrong; warnings and notes are a case's output. */
#ifndef EMSA_TOOLS_EMSA_JUNIT_H
#define EMSA_TOOLS_EMSA_JUNIT_H

#include <jansson.h>

#include "store/bytes.h"

/* reply is a Check's. Sticky error of out. */
void junit_write(struct bytes *out, json_t *reply);

#endif
