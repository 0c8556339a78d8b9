#include "store/log/seen.h"

#include <stdlib.h>

#include "store/error.h"

#define FIRST_SIZE 256u

static uint64_t mix(uint64_t hash)
{
    hash ^= hash >> 32;
    hash *= 0xd6e8feb86659fd93u;
    return hash ^ hash >> 32;
}

/* Who makes names meet makes look-ups, as many as there would be without. */
static uint64_t hash_of(uint32_t environment, uint32_t service, const char *key)
{
    uint64_t hash = 14695981039346656037u ^ ((uint64_t)environment << 32 | service);
    for (; *key != '\0'; key++)
        hash = (hash ^ (unsigned char)*key) * 1099511628211u;
    hash = mix(hash);
    return hash ? hash : 1;
}

/* Where the hash stands, or would. */
static size_t slot_of(const struct seen *seen, uint64_t hash)
{
    size_t slot = (size_t)hash & (seen->size - 1);
    while (seen->slots[slot] && seen->slots[slot] != hash)
        slot = (slot + 1) & (seen->size - 1);
    return slot;
}

static int grow(struct seen *seen)
{
    const struct seen before = *seen;
    if (before.count * 2 < before.size)
        return 0;
    const size_t size = before.size ? before.size * 2 : FIRST_SIZE;
    uint64_t *slots = calloc(size, sizeof *slots);
    if (!slots)
        return error_set(ERR_NOMEM, "no memory for a commit of %zu keys", before.count);
    *seen = (struct seen){.slots = slots, .size = size, .count = before.count};
    for (size_t i = 0; i < before.size; i++)
        if (before.slots[i])
            seen->slots[slot_of(seen, before.slots[i])] = before.slots[i];
    free(before.slots);
    return 0;
}

int seen_add(struct seen *seen, uint32_t environment, uint32_t service, const char *key)
{
    const uint64_t hash = hash_of(environment, service, key);
    const int error = grow(seen);
    if (error)
        return error;
    const size_t slot = slot_of(seen, hash);
    seen->count += !seen->slots[slot];
    seen->slots[slot] = hash;
    return 0;
}

bool seen_has(const struct seen *seen, uint32_t environment, uint32_t service, const char *key)
{
    const uint64_t hash = hash_of(environment, service, key);
    return seen->size && seen->slots[slot_of(seen, hash)] == hash;
}

void seen_release(struct seen *seen)
{
    free(seen->slots);
    *seen = (struct seen){0};
}
