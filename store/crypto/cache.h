/* A bounded cache of keys (or whatever else of one size) in locked memory, by owner and 32 bytes
 * more: an ephemeral public key, all zeros for the owner's private key, or a commitment. Any
 * thread; a lock is held for a lookup only. */
#ifndef EMSA_STORE_CRYPTO_CACHE_H
#define EMSA_STORE_CRYPTO_CACHE_H

#include <stdbool.h>

#include "store/crypto/envelope.h"

struct key_cache;

/* Room for up to entries keys of so many bytes each, fewer where less memory can be locked.
 * ERR_NOMEM. */
int key_cache_new(struct key_cache **out, size_t entries, size_t size);
void key_cache_free(struct key_cache *cache);

/* Copies the key out, all of its size, and returns true, or false. The caller wipes it. */
bool key_cache_get(struct key_cache *cache, void *out, const struct recipient *owner,
                   const uint8_t ephemeral[static CRYPTO_KEY_SIZE]);

/* Keeps a copy of the key; the least recently used of its neighbours makes room. */
void key_cache_put(struct key_cache *cache, const struct recipient *owner,
                   const uint8_t ephemeral[static CRYPTO_KEY_SIZE], const void *key);

#endif
