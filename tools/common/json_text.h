/*
 * JSON as text. jansson's own json_dumps (2.14) forgets that it had no memory for a member's name,
 * and gives a text that is no JSON; here a failure is one.
 */
#ifndef EMSA_TOOLS_COMMON_JSON_TEXT_H
#define EMSA_TOOLS_COMMON_JSON_TEXT_H

#include <jansson.h>
#include <stddef.h>

/*
 * Writes value into *out (the caller's, to be freed), with end (a text, as "\n", or "") behind it
 * and a NUL. flags: JSON_COMPACT and its like. ERR_NOMEM: there is nothing to free; also where
 * value is NULL.
 */
int json_text(char **out, const json_t *value, size_t flags, const char *end);

#endif
