/* Names that are near another: for "did you mean", and to tell a misspelling from a new service. */
#ifndef EMSA_STORE_MODEL_NEAREST_H
#define EMSA_STORE_MODEL_NEAREST_H

#include "store/bytes.h"
#include "store/db/txn.h"
#include "store/limits.h"

/* The services of one environment, read once for a change that makes many new ones. */
struct nearest {
    uint32_t environment; /* 0: none read yet */
    struct bytes names;   /* each ended by NUL */
    struct bytes sums;    /* of each, 8 bytes: which letters it has */
};

/* The nearest living environment; service of an environment; key of a service. NOT_THERE: none is
 * near. */
int nearest_environment(struct txn *, char out[static ENVIRONMENT_NAME_MAX + 1], const char *name);
int nearest_service(struct txn *, char out[static SERVICE_NAME_MAX + 1], uint32_t environment,
                    const char *name);
int nearest_key(struct txn *, char out[static KEY_NAME_MAX + 1], uint32_t environment,
                uint32_t service, const char *name);

/* Whether name looks like a misspelling of a service that stands in the environment, and of which
 * one. Those that the same change has made are not asked: who types two names in one breath means
 * two. NOT_THERE. */
int nearest_misspelt(struct nearest *, struct txn *, char out[static SERVICE_NAME_MAX + 1],
                     uint32_t environment, const char *name);

void nearest_release(struct nearest *);

#endif
