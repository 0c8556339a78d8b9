/* What snapshot_environment and the like answer where the snapshot stands at a revision
 * (snapshot_stand): found by the records of presence, with the ids that places have now. All return
 * 0, NOT_THERE or a failure that was told of; *out is set on 0 only. */
#ifndef EMSA_STORE_MODEL_AS_OF_H
#define EMSA_STORE_MODEL_AS_OF_H

#include "store/snapshot.h"

int as_of_environment(struct snapshot *, struct environment *out, const char *name, uint64_t rev);
int as_of_environment_by_id(struct snapshot *, struct environment *out, uint32_t id, uint64_t rev);
int as_of_next_environment(struct snapshot *, struct environment *out, const char *after,
                           uint64_t rev);

int as_of_service(struct snapshot *, struct service *out, uint32_t environment, const char *name,
                  uint64_t rev);
int as_of_service_by_id(struct snapshot *, struct service *out, uint32_t environment, uint32_t id,
                        uint32_t incarnation, uint64_t rev);
int as_of_next_service(struct snapshot *, struct service *out, uint32_t environment,
                       const char *after, uint64_t rev);

#endif
