/* Moments as people write them. */
#ifndef EMSA_TOOLS_EMSA_WHEN_H
#define EMSA_TOOLS_EMSA_WHEN_H

#include <stdbool.h>
#include <stdint.h>

/* A day (2026-11-30), a time of one (2026-11-30 14:05, 2026-11-30T14:05:09, local, or UTC with a Z
 * behind it), or how long ago (90m, 7d): nanoseconds since 1970. is_end: what is not said is as
 * late as can be: a day is its last moment. ERR_INVALID, naming the option. */
int when_parse(int64_t *out, const char *option, const char *text, bool is_end);

#endif
