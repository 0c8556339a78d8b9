/* What readers get of a store: the value at every place, now and as of some revisions. */
#ifndef EMSA_TESTS_TRUST_READINGS_H
#define EMSA_TESTS_TRUST_READINGS_H

#include <stddef.h>
#include <stdint.h>

#include "store/crypto/hash.h"
#include "store/store.h"
#include "tests/support/store/trial.h"

#define READINGS_REVS 4u /* the newest, and so many less one before it */

struct reading {
    uint64_t rev; /* as of which it was read */
    char path[256];
    uint8_t hash[BLAKE_SIZE]; /* of the value, or of the words of who may not open it */
};

struct readings {
    struct reading *items; /* owned; in the order of revision and path */
    size_t count, capacity;
    size_t failures; /* what said that it can't be read */
};

/* Reads everything; newest: the revision in whose terms the earlier ones are chosen. */
void readings_take(struct readings *out, struct store *store, uint64_t newest);
void readings_release(struct readings *readings);

void readings_write(const struct readings *readings, const char *path);
void readings_load(struct readings *out, const char *path);

/* How many of found are in truth too, with another value, or are not in truth at all: what was read
 * wrong. */
size_t readings_lies(const struct readings *truth, const struct readings *found);

#endif
