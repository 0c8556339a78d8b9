/* Moments as text: RFC 3339 in UTC, with as many digits behind the second as are needed. */
#ifndef EMSA_TOOLS_EMSA_MOMENT_H
#define EMSA_TOOLS_EMSA_MOMENT_H

#include <stdint.h>

#define MOMENT_TEXT_MAX 40

/* Nanoseconds since 1970 as "2026-11-30T22:00:00.25Z"; returns out. */
const char *moment_text(char out[static MOMENT_TEXT_MAX], int64_t moment);

/* And back. ERR_INVALID, with what to write; *out untouched. */
int moment_parse(int64_t *out, const char *text);

/* What the clock says. */
int64_t moment_now(void);

#endif
