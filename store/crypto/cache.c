/* Sets of eight entries: a key belongs to one set, by a hash of its owner and ephemeral key, and
 * the oldest of that set makes room. No lists and no allocation after the start, and a search
 * touches a few cache lines. */
#include "store/crypto/cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/secret.h"

#define WAYS 8
#define LEAST_ENTRIES 64u
#define LOCKS 16u /* threads that look up different services seldom meet */

struct entry {
    uint8_t key[CRYPTO_KEY_SIZE];
    uint8_t ephemeral[CRYPTO_KEY_SIZE];
    uint32_t environment, service, generation;
    uint32_t is_used;
    uint64_t used_at; /* the set's clock when it was last asked for */
};

struct key_cache {
    struct secret memory;  /* entries, WAYS for each set */
    size_t sets;           /* a power of two */
    unsigned char *beside; /* entry by entry, size bytes each */
    size_t size;
    pthread_mutex_t locks[LOCKS]; /* lock n: the sets whose number ends in n, and their clock */
    uint64_t clocks[LOCKS];
};

int key_cache_new(struct key_cache **out, size_t entries, size_t beside)
{
    struct key_cache *cache = calloc(1, sizeof(*cache));
    if (!cache)
        return error_set(ERR_NOMEM, "cannot get memory for keys");
    int error = -ERR_NOMEM;
    for (; error && entries >= LEAST_ENTRIES; entries /= 2) {
        error = secret_alloc(&cache->memory, entries * sizeof(struct entry));
        cache->sets = entries / WAYS;
    }
    cache->size = beside;
    cache->beside = error ? NULL : calloc(cache->sets * WAYS, beside ? beside : 1);
    if (!error && !cache->beside)
        error = error_set(ERR_NOMEM, "cannot get memory for keys");
    if (error) {
        secret_release(&cache->memory);
        free(cache);
        return error;
    }
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_init(&cache->locks[i], NULL);
    *out = cache;
    return 0;
}

void key_cache_free(struct key_cache *cache)
{
    if (!cache)
        return;
    secret_release(&cache->memory);
    free(cache->beside);
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&cache->locks[i]);
    free(cache);
}

static size_t set_of(const struct key_cache *cache, const struct recipient *owner,
                     const uint8_t ephemeral[static CRYPTO_KEY_SIZE])
{
    uint64_t hash;
    memcpy(&hash, ephemeral, sizeof(hash));
    hash ^= (uint64_t)owner->environment << 40 ^ (uint64_t)owner->service << 8 ^ owner->generation;
    hash *= 0x9e3779b97f4a7c15u; /* 2^64 over the golden ratio: spreads numbers that follow each
                                    other */
    return (size_t)(hash >> 32) & (cache->sets - 1);
}

static struct entry *entries_of(struct key_cache *cache)
{
    return (struct entry *)(void *)cache->memory.data;
}

static unsigned char *beside_of(struct key_cache *cache, const struct entry *entry)
{
    return cache->beside + (size_t)(entry - entries_of(cache)) * cache->size;
}

static bool is_entry(const struct entry *entry, const struct recipient *owner,
                     const uint8_t ephemeral[static CRYPTO_KEY_SIZE])
{
    return entry->is_used && entry->environment == owner->environment &&
           entry->service == owner->service && entry->generation == owner->generation &&
           memcmp(entry->ephemeral, ephemeral, CRYPTO_KEY_SIZE) == 0;
}

bool key_cache_get(struct key_cache *cache, uint8_t out[static CRYPTO_KEY_SIZE], void *beside,
                   const struct recipient *owner, const uint8_t ephemeral[static CRYPTO_KEY_SIZE])
{
    size_t set = set_of(cache, owner, ephemeral);
    struct entry *entries = entries_of(cache) + set * WAYS;
    bool found = false;
    pthread_mutex_lock(&cache->locks[set % LOCKS]);
    for (size_t i = 0; i < WAYS && !found; i++) {
        found = is_entry(&entries[i], owner, ephemeral);
        if (found) {
            entries[i].used_at = ++cache->clocks[set % LOCKS];
            memcpy(out, entries[i].key, CRYPTO_KEY_SIZE);
            if (beside)
                memcpy(beside, beside_of(cache, &entries[i]), cache->size);
        }
    }
    pthread_mutex_unlock(&cache->locks[set % LOCKS]);
    return found;
}

void key_cache_put(struct key_cache *cache, const struct recipient *owner,
                   const uint8_t ephemeral[static CRYPTO_KEY_SIZE],
                   const uint8_t key[static CRYPTO_KEY_SIZE], const void *beside)
{
    size_t set = set_of(cache, owner, ephemeral);
    struct entry *entries = entries_of(cache) + set * WAYS;
    struct entry *place = &entries[0];
    pthread_mutex_lock(&cache->locks[set % LOCKS]);
    for (size_t i = 0; i < WAYS; i++) {
        if (is_entry(&entries[i], owner, ephemeral)) {
            place = &entries[i];
            break;
        }
        if (entries[i].used_at < place->used_at) /* 0 for a free one */
            place = &entries[i];
    }
    *place = (struct entry){.environment = owner->environment,
                            .service = owner->service,
                            .generation = owner->generation,
                            .is_used = 1,
                            .used_at = ++cache->clocks[set % LOCKS]};
    memcpy(place->key, key, CRYPTO_KEY_SIZE);
    if (beside)
        memcpy(beside_of(cache, place), beside, cache->size);
    memcpy(place->ephemeral, ephemeral, CRYPTO_KEY_SIZE);
    pthread_mutex_unlock(&cache->locks[set % LOCKS]);
}
