/* A bounded cache of keys in locked memory, by owner and 32 bytes more: an ephemeral public key,
 * all zeros for the owner's private key, or a commitment. What is no secret and belongs to a key
 * may lie beside it, in ordinary memory: of that there is more. Any thread; a lock is held for a
 * lookup only. */
#ifndef EMSA_STORE_CRYPTO_CACHE_H
#define EMSA_STORE_CRYPTO_CACHE_H

#include <stdbool.h>

#include "store/crypto/envelope.h"

struct key_cache;

/* Room for up to entries keys, fewer where less memory can be locked, and for so many bytes beside
 * each. ERR_NOMEM. */
int key_cache_new(struct key_cache **out, size_t entries, size_t beside);
void key_cache_free(struct key_cache *cache);

/* Copies the key out, and what is beside it (NULL where nothing is), and returns true, or false.
 * The caller wipes the key. */
bool key_cache_get(struct key_cache *cache, uint8_t out[static CRYPTO_KEY_SIZE], void *beside,
                   const struct recipient *owner, const uint8_t ephemeral[static CRYPTO_KEY_SIZE]);

/* Keeps a copy of the key, and of what is to be beside it; the least recently used of its
 * neighbours makes room. */
void key_cache_put(struct key_cache *cache, const struct recipient *owner,
                   const uint8_t ephemeral[static CRYPTO_KEY_SIZE],
                   const uint8_t key[static CRYPTO_KEY_SIZE], const void *beside);

#endif
