/* Starting the daemon from the command. */
#ifndef EMSA_TOOLS_COMMON_SPAWN_H
#define EMSA_TOOLS_COMMON_SPAWN_H

#include <limits.h>

#include "tools/common/place.h"

/* Where emsad is: beside this program, in ../sbin from it, or the first in the path. ERR_NOT_FOUND.
 */
int spawn_find(char out[static PATH_MAX]);

/*
 * Starts `emsad --store STORE --on-demand` for the place, apart from this terminal and session, and
 * waits until it is ready (at most deadline milliseconds, -1: none). It writes its lines to
 * DIR/emsad.log. Failures are the daemon's own, with its text: ERR_BUSY when another one owns the
 * store (connect to that), ERR_NOT_FOUND, ERR_CORRUPT, ERR_FORMAT, ERR_DENIED; ERR_IO when it did
 * not answer.
 */
int spawn_daemon(const struct place_of_store *place, int deadline);

#endif
