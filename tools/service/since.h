/* What was changed at some places since a revision: by whom, when, why. */
#ifndef EMSA_TOOLS_SERVICE_SINCE_H
#define EMSA_TOOLS_SERVICE_SINCE_H

#include "tools/service/verb.h"

/* The commits after revision since that said something of a place in paths (a list of texts: the
 * root, environments, services), of what is in it, of the environment that it is in, or of one that
 * the call's "environments" name (which must have been looked at before); the oldest
 * first, as a list (owned) of objects with rev, time, paths and, for who may know them, author and
 * reason. Locks and what commits came to elsewhere are no such changes. Of many the first ones.
 * ERR_CONFLICT: there is no such revision yet. */
int since_gather(json_t **out, struct request *request, json_t *paths, uint64_t since);

#endif
