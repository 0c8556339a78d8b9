/* Whether a key is not at hand because its record is gone: who may read a place by the grants has
 * the newest key of it, or the store is damaged. */
#ifndef EMSA_STORE_MODEL_LOST_H
#define EMSA_STORE_MODEL_LOST_H

#include "store/model/core.h"

/* What the failure of opening something of that place truly is: error itself, or, of -ERR_NO_KEY
 * where an identity at hand must have the key, -ERR_CORRUPT with a text of its own. */
int lost_key(struct store *store, struct txn *txn, uint32_t environment, uint32_t service,
             int error);

/* Of an identity that the store does not know: whether it is one that revision 1 made known, whose
 * record is gone. 1, 0, or a failure. */
int lost_founder(struct txn *txn, const uint8_t public_key[static CRYPTO_KEY_SIZE]);

#endif
