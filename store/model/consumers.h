/*
 * Services that may open a secret of another one because it is shared with them: each whose own key
 * was granted to an identity. (All others are opened by who has the environment's key, and that
 * opens the owner's.) A secret that is set is sealed for them as well; where one comes later, by a
 * share, a grant or new keys, the secret's key is wrapped for it (rules_key_pair.c).
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

/* Those of a key, as shares and grants stand: ids of services, each once, without the owner.
 * *services is realloc'd, owned by the caller. ERR_NOMEM, the store's failures. */
int consumers_of(struct txn *, uint32_t **services, size_t *count, uint32_t environment,
                 uint32_t owner, const char *key);

#endif
