/* The values of a service as of one revision: read below `.emsa/head`, so that what is set
 * meanwhile is all in it or not at all. */
#ifndef EMSA_TOOLS_RUN_SNAPSHOT_H
#define EMSA_TOOLS_RUN_SNAPSHOT_H

#include "tools/run/options.h"
#include "tools/run/place.h"
#include "tools/run/variables.h"

/* Fills variables, cleared before, with every value but those of --file, and head with the revision
 * that they are of. RUN_REFUSED, with what is wrong said: all that cannot be a variable, by name.
 */
int snapshot_read(struct variables *variables, char head[static PLACE_HEAD_MAX],
                  const struct place *place, const struct run_options *options);

#endif
