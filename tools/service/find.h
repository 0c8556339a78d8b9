/* Finding what a path names; what is not there is ERR_NOT_FOUND, with the nearest name that is. */
#ifndef EMSA_TOOLS_SERVICE_FIND_H
#define EMSA_TOOLS_SERVICE_FIND_H

#include "store/name.h"
#include "store/snapshot.h"

int find_environment(struct snapshot *, struct environment *out, const struct path *path);
int find_service(struct snapshot *, struct environment *environment, struct service *out,
                 const struct path *path);
int find_entry(struct snapshot *, struct environment *environment, struct service *service,
               struct entry *out, const struct path *path);

#endif
