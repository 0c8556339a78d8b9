/* The bytes of a definition, plain or secret, from where it stands. Works in any transaction, so
 * that a change can compare a new value with the one that is there. */
#ifndef EMSA_STORE_MODEL_VALUE_H
#define EMSA_STORE_MODEL_VALUE_H

#include "store/db/txn.h"
#include "store/model/core.h"
#include "store/snapshot.h"

/* The exact length, and the bytes: plain, or the text of a link or a template, as they lie in the
 * transaction's slices; of a secret in scratch. ERR_NO_KEY, ERR_CORRUPT, ERR_NOMEM; ERR_PURGED,
 * with who destroyed it, when and why. */
int value_size(struct store *store, struct txn *txn, size_t *size,
               const struct definition *definition);
int value_bytes(struct store *store, struct txn *txn, const unsigned char **data, size_t *size,
                const struct definition *definition, struct secret *scratch);

/* The names that a link's or template's text refers to: the text, or what is left of it where it
 * was destroyed (store/log/remains.h). */
int value_references(struct store *store, struct txn *txn, const unsigned char **data, size_t *size,
                     const struct definition *definition);

/* As snapshot_sealed and snapshot_reopen. */
int value_sealed(struct txn *txn, const unsigned char **data, size_t *size,
                 const struct definition *definition);
int value_reopen(struct store *store, struct secret *out, const struct definition *definition,
                 const unsigned char *sealed, size_t sealed_size);

/* Where a definition stands: what its envelope is bound to. */
struct place value_place(const struct store *store, const struct definition *definition);

#endif
