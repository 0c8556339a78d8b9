/* What a node is called: its path from a view's root, from the names that its ids have for ever. So
 * it can be said of places that are gone, and what was looked up stays true. */
#ifndef EMSA_FS_CALLED_H
#define EMSA_FS_CALLED_H

#include <stdint.h>

#include "store/snapshot.h"

/* The environment and the service that were asked for last: changes come sorted by those. Filled
 * with zeros to begin. */
struct called {
    uint32_t environment, service; /* 0: none yet */
    char environment_name[ENVIRONMENT_NAME_MAX + 1];
    char service_name[SERVICE_NAME_MAX + 1];
};

/* Writes the path of any node but the root: one look-up for its own name, none more where it lies
 * beside the one before. ERR_CORRUPT: there never was such a place; or a failure of the store. */
int called_path(struct snapshot *snapshot, struct called *called, char out[static PATH_TEXT_MAX],
                uint64_t node);

#endif
