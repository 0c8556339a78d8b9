/*
 * One sealed value: an envelope. This folder alone includes <sodium.h>.
 *
 * Integers are little-endian. "derive(key, label, data)" is BLAKE2b-256 keyed with key over: length
 * of label (u8), label, data. "seal(key, ad, text)" is XChaCha20-Poly1305 (IETF) with associated
 * data ad and a nonce of 24 zero bytes: every key that seals is derived for one text and used once,
 * so a nonce has nothing to tell apart, and none can be repeated by mistake.
 *
 * PLACE, 54 bytes: store id (16), environment u32, service u32, name id u64, entry id u64, rev u64,
 * op u32, kind u8, flags u8. OWNER, 12 bytes: environment u32, service u32, generation u32 (of a
 * recipient).
 *
 *   offset  size  what
 *        0     1  version, 2
 *        1     1  zero
 *        2     2  n, number of recipients, 1 to CONSUMERS_MAX
 *        4     4  p, padded size of the value
 *        8    32  commitment: derive(DEK, "emsa-commitment-1", PLACE)
 *       40    24  exact length (u64): seal(derive(DEK, "emsa-length-2", commitment), PLACE + bytes
 * 0..39, length) 64  92 n  for each recipient:  0  OWNER (12) 12  ephemeral X25519 public key E
 * (32) 44 seal(derive(KEK, "emsa-wrap-1", commitment), PLACE + OWNER, DEK) 64+92n  p+16
 * seal(derive(DEK, "emsa-value-2", commitment), PLACE + BLAKE, value and zeros up to p)
 *
 * DEK is 32 random bytes, new for each envelope but where the same sealed text (sealed.h) is set
 * again: the keys that seal are derived with the commitment, and so with the place, so that they
 * are others all the same. BLAKE is hash_parts("emsa-envelope-1", one part: bytes 0 up to 64+92n),
 * so that nothing of an envelope can be changed, not even what is somebody else's. KEK is the
 * shared key of (E, recipient): derive(X25519(ephemeral private, recipient's public),
 * "emsa-shared-1", E + recipient's public key) An X25519 result of all zeros is refused on both
 * sides. The commitment ties an envelope to one DEK (Poly1305 alone commits to no key: one
 * ciphertext can be made to open under two) and to its place; it stands in the derivation of the
 * wrapping key so that one KEK never wraps two DEKs under one key.
 *
 * Padding: the value is followed by zeros up to envelope_padded(size): multiples of 64 up to 4096;
 * above, multiples of an eighth of the power of two that is the greatest below the size (so 12.5 %
 * at most). A length whose padded size isn't p, or a zero that isn't, is damage.
 */
#ifndef EMSA_STORE_CRYPTO_ENVELOPE_H
#define EMSA_STORE_CRYPTO_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/bytes.h"
#include "store/crypto/hash.h"
#include "store/secret.h"

#define CRYPTO_KEY_SIZE 32

/* Where a value stands: the associated data. Built from where one looked, never from a record. */
struct place {
    uint8_t store_id[16];
    uint32_t environment;
    uint32_t service;
    uint64_t name_id;
    uint64_t entry_id;
    uint64_t rev;
    uint32_t op;
    uint8_t kind;
    uint8_t flags;
};

/* A service key pair of one generation; who may read (public) and read with (private). Generations
 * count from 1. */
struct recipient {
    uint32_t environment;
    uint32_t service; /* 0: the environment itself */
    uint32_t generation;
    uint8_t public_key[CRYPTO_KEY_SIZE];
};

/* A sealer lives for one commit: one ephemeral key pair per recipient, so that a reader pays one
 * X25519 for each (commit, service). One thread. ERR_NOMEM, ERR_IO. */
struct sealer;
int sealer_new(struct sealer **out);
void sealer_free(struct sealer *sealer);

/* Appends the envelope of value to out (whose content is undefined on failure). ERR_NOMEM;
 * ERR_INVALID: over VALUE_MAX, no recipient or more than CONSUMERS_MAX, a public key that is none.
 */
int envelope_seal(struct sealer *, struct bytes *out, const struct place *place,
                  const struct secret *value, const struct recipient recipients[], size_t count);

/* The key of a sealed value, wrapped for one more pair, as a slot of its envelope is: ephemeral
 * public key (32), sealed key (48). It stands beside the envelope, which nothing can be added to.
 */
#define VALUE_WRAP_SIZE 80
struct value_wrap {
    uint64_t rev; /* of the set that sealed it */
    uint32_t op;
    struct recipient owner; /* public_key is not needed to open it */
    uint8_t data[VALUE_WRAP_SIZE];
};

struct keyring;

/* Wraps the key of an envelope, which must be open to the keyring, for out->owner (with its public
 * key): out->data. The errors of envelope_open; ERR_INVALID: a public key that is none. */
int envelope_wrap(struct sealer *, struct keyring *, void *context, struct value_wrap *out,
                  const struct place *place, const void *envelope, size_t size);

/* The same with a data key that is given: random, and of this one envelope alone. */
int envelope_seal_with(struct sealer *, struct bytes *out, const struct place *place,
                       const struct secret *value, const struct recipient recipients[],
                       size_t count, const uint8_t key[static CRYPTO_KEY_SIZE]);

/* How many bytes a value of size takes after padding; at least 64. */
size_t envelope_padded(size_t size);

/* What stands before the value where there is one recipient. */
#define ENVELOPE_HEAD_OF_ONE 156

/* The size of a whole envelope with count recipients. */
size_t envelope_size(size_t value_size, size_t count);

/* Given (environment, service, generation, ephemeral public key), finds the shared key; see
 * keyring.h. */

/* Whether one of the recipients is that one. False also for what is no envelope. */
bool envelope_is_for(const void *envelope, size_t size, const struct recipient *owner);

/* The number-th recipient, from 0, without its public key. False: there are not so many, or it is
 * no envelope. */
bool envelope_recipient(struct recipient *out, const void *envelope, size_t size, size_t number);

/* Whether that is the data key that it was sealed with, at that place. False also for what is no
 * envelope. */
bool envelope_has_key(const void *envelope, size_t size, const struct place *place,
                      const uint8_t key[static CRYPTO_KEY_SIZE]);

/* Opens the exact length only. context is handed to the keyring's callbacks (a read transaction).
 * ERR_NO_KEY: no recipient's key can be had. ERR_CORRUPT, ERR_FORMAT, ERR_NOMEM; failures of a
 * callback. */
int envelope_length(struct keyring *, void *context, size_t *length, const struct place *place,
                    const void *envelope, size_t size);

/* Opens the value into secret, which is grown as needed. The same errors; out is empty (size 0,
 * wiped) on failure. */
int envelope_open(struct keyring *, void *context, struct secret *out, const struct place *place,
                  const void *envelope, size_t size);

/* The same, and the data key (CRYPTO_KEY_SIZE; NULL: not wanted), which the caller wipes; untouched
 * on failure. */
int envelope_open_with_key(struct keyring *, void *context, struct secret *out, uint8_t *data_key,
                           const struct place *place, const void *envelope, size_t size);

/* Opens again what envelope_open opened in this process, with the length that it had then: what the
 * length and the wrapped key say was found true, the value is authenticated as ever (with its place
 * and all that stands before it, which is compared with what it was then, or hashed again).
 * Positive 1: its key is not at hand any more. */
int envelope_reopen(struct keyring *, struct secret *out, const struct place *place, size_t length,
                    const void *envelope, size_t size);

#endif
