/* Patterns of paths: one without a slash is of keys, with one of service/KEY, with two of
 * environment/service/KEY; each part as the shell has it (*, ? and []). */
#ifndef EMSA_TOOLS_SERVICE_PATTERN_H
#define EMSA_TOOLS_SERVICE_PATTERN_H

#include <stdbool.h>

#include "store/name.h"

#define PATTERN_MAX 512u

struct pattern {
    char text[PATTERN_MAX];
    const char *environment, *service; /* point into text; NULL: any */
    const char *key;
};

/* out must stay where it is. ERR_INVALID: empty, too long, or of more parts than a path. */
int pattern_parse(struct pattern *out, const char *text);

/* Whether a part takes a name; part NULL takes any. */
bool pattern_takes(const char *part, const char *name);

/* Whether the path of a key is one that the pattern means. */
bool pattern_means(const struct pattern *pattern, const struct path *path);

#endif
