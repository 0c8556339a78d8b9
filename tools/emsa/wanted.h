/* How those that have something in common would call it: the name that most of them want. */
#ifndef EMSA_TOOLS_EMSA_WANTED_H
#define EMSA_TOOLS_EMSA_WANTED_H

#include <stddef.h>

#include "store/limits.h"

struct wanted_name {
    char text[KEY_NAME_MAX + 1];
};

struct wanted {
    struct wanted_name *list;
    size_t count, capacity;
};

/* ERR_NOMEM. */
int wanted_add(struct wanted *wanted, const char *name);
/* Where size bytes at part, a host or "host:port", are a part of what key has: DATABASE_URL wants
 * DATABASE_HOST or DATABASE_ADDR; what says nothing, as URL, wants the host's name before it. */
int wanted_add_part(struct wanted *wanted, const char *key, const char *part, size_t size);

/* The one that was added most often, of several the first in byte order. At least one was. */
void wanted_most(struct wanted *wanted, char out[static KEY_NAME_MAX + 1]);

void wanted_release(struct wanted *wanted);

#endif
