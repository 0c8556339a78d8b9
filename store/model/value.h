/* The bytes of an entry's value, plain or secret, from where the entry stands. Works in any
 * transaction, so that a change can compare a new value with the one that is there. */
#ifndef EMSA_STORE_MODEL_VALUE_H
#define EMSA_STORE_MODEL_VALUE_H

#include "store/db/txn.h"
#include "store/model/core.h"
#include "store/snapshot.h"

/* As snapshot_size and snapshot_value. A plain value is valid as long as the transaction's slices.
 */
int value_size(struct store *store, struct txn *txn, size_t *size, const struct entry *entry);
int value_bytes(struct store *store, struct txn *txn, const unsigned char **data, size_t *size,
                const struct entry *entry, struct secret *scratch);

/* As snapshot_sealed and snapshot_reopen. */
int value_sealed(struct txn *txn, const unsigned char **data, size_t *size,
                 const struct entry *entry);
int value_reopen(struct store *store, struct secret *out, const struct entry *entry,
                 const unsigned char *sealed, size_t sealed_size);

/* Where an entry's current version stands: what its envelope is bound to. */
struct place value_place(const struct store *store, const struct entry *entry);

#endif
