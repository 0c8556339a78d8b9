/*
 * Services whose own key was granted to an identity, for what is wrapped for them by a share, a
 * grant or new keys (rules_consumer.c). For whom a secret is sealed at all is told by reach.h.
 */
#ifndef EMSA_STORE_MODEL_CONSUMERS_H
#define EMSA_STORE_MODEL_CONSUMERS_H

#include "store/db/txn.h"
#include "store/log/operation.h"

/* The layers of an environment in which a share counts for it: itself, its base, `all`; 0: none. */
int consumers_layers(struct txn *, uint32_t out[static 3], uint32_t environment);

/* Whether an identity was granted reading of exactly that service: 1, 0, or a failure. */
int consumers_is_read(struct txn *, uint32_t environment, uint32_t service);

/* The next service with that, of *environment after *service; zeros to begin. NOT_THERE: none. */
int consumers_next_read(struct txn *, uint32_t *environment, uint32_t *service);

#endif
