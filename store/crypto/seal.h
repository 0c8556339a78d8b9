/* What envelopes, wrapped keys and identities are made with: derive, seal and shared key as
 * envelope.h defines them. For this folder only. Outputs that are keys are the caller's to wipe. */
#ifndef EMSA_STORE_CRYPTO_SEAL_H
#define EMSA_STORE_CRYPTO_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "store/crypto/envelope.h"

#define SEAL_TAG_SIZE 16
#define OWNER_SIZE 12

void derive_key(uint8_t out[static CRYPTO_KEY_SIZE], const uint8_t key[static CRYPTO_KEY_SIZE],
                const char *label, const void *data, size_t size);

/* The same of data of any size. Leaves nothing of it behind. */
void derive_long(uint8_t out[static CRYPTO_KEY_SIZE], const uint8_t key[static CRYPTO_KEY_SIZE],
                 const char *label, const void *data, size_t size);

/* BLAKE2b-128, keyed, of: length of "emsa-fingerprint-1" (u8), that, value (keyring.h). Leaves
 * nothing of the value behind. */
void fingerprint(uint8_t out[static FINGERPRINT_SIZE], const uint8_t key[static CRYPTO_KEY_SIZE],
                 const void *value, size_t size);

/* out gets size + SEAL_TAG_SIZE bytes; may be the text's own place. */
void seal(unsigned char *out, const uint8_t key[static CRYPTO_KEY_SIZE], const void *ad,
          size_t ad_size, const void *text, size_t size);

/* Opens size bytes (with the tag) into out. 0, or -1 when it is not what was sealed. */
int unseal(unsigned char *out, const uint8_t key[static CRYPTO_KEY_SIZE], const void *ad,
           size_t ad_size, const void *sealed, size_t size);

/* KEK of an ephemeral and a holder's pair, with the private half of either. 0, or -1 for a public
 * key that is none (X25519 gives zeros). */
int shared_key(uint8_t out[static CRYPTO_KEY_SIZE],
               const uint8_t private_key[static CRYPTO_KEY_SIZE],
               const uint8_t their_public[static CRYPTO_KEY_SIZE],
               const uint8_t ephemeral[static CRYPTO_KEY_SIZE],
               const uint8_t holder[static CRYPTO_KEY_SIZE]);

/* A new X25519 pair. */
void new_pair(uint8_t private_key[static CRYPTO_KEY_SIZE],
              uint8_t public_key[static CRYPTO_KEY_SIZE]);

/* The public half of a private key. */
void public_of(uint8_t public_key[static CRYPTO_KEY_SIZE],
               const uint8_t private_key[static CRYPTO_KEY_SIZE]);

void wipe(void *data, size_t size);

/* Little-endian; return what follows. */
unsigned char *write_u32(unsigned char *at, uint32_t value);
unsigned char *write_u64(unsigned char *at, uint64_t value);
unsigned char *write_owner(unsigned char *at, const struct recipient *owner);

#endif
