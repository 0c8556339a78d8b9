#include "store/crypto/hash.h"

#include <sodium.h>
#include <string.h>

#include "store/error.h"

_Static_assert(sizeof(struct hasher) >= sizeof(crypto_generichash_state), "hasher holds the state");
_Static_assert(BLAKE_SIZE == crypto_generichash_BYTES, "the sizes are those of BLAKE2b-256");
_Static_assert(RECORD_HASH_SIZE == crypto_generichash_BYTES_MIN, "and of BLAKE2b-128");

#define DOMAIN_MAX 255u

int crypto_setup(void)
{
    return sodium_init() < 0 ? error_set(ERR_IO, "libsodium can't start: no random numbers") : 0;
}

/* Most of what is hashed is shorter than this: one run over one buffer then, instead of a call for
 * each piece of it. */
#define ONE_RUN 512u

static unsigned char *write_size(unsigned char *at, size_t size)
{
    for (size_t i = 0; i < 8; i++)
        *at++ = (unsigned char)((uint64_t)size >> (8 * i));
    return at;
}

static crypto_generichash_state *state_of(struct hasher *hasher)
{
    return (crypto_generichash_state *)(void *)hasher->opaque;
}

void hasher_begin(struct hasher *hasher, const char *domain)
{
    size_t size = strlen(domain);
    uint8_t length = (uint8_t)(size < DOMAIN_MAX ? size : DOMAIN_MAX);
    crypto_generichash_init(state_of(hasher), NULL, 0, BLAKE_SIZE);
    crypto_generichash_update(state_of(hasher), &length, 1);
    crypto_generichash_update(state_of(hasher), (const unsigned char *)domain, length);
}

void hasher_add(struct hasher *hasher, const void *data, size_t size)
{
    unsigned char frame[8];
    write_size(frame, size);
    crypto_generichash_update(state_of(hasher), frame, sizeof(frame));
    crypto_generichash_update(state_of(hasher), data, size);
}

void hasher_add_joined(struct hasher *hasher, const struct hash_part *head,
                       const struct hash_part *rest)
{
    unsigned char frame[8];
    write_size(frame, head->size + rest->size);
    crypto_generichash_update(state_of(hasher), frame, sizeof(frame));
    crypto_generichash_update(state_of(hasher), head->data, head->size);
    crypto_generichash_update(state_of(hasher), rest->data, rest->size);
}

void hasher_end(struct hasher *hasher, uint8_t out[static BLAKE_SIZE])
{
    crypto_generichash_final(state_of(hasher), out, BLAKE_SIZE);
}

/* False: too long for one run. */
static bool hash_short(uint8_t out[static BLAKE_SIZE], const char *domain,
                       const struct hash_part parts[], size_t count)
{
    unsigned char run[ONE_RUN], *at = run;
    size_t length = strlen(domain), size = 1 + length;
    for (size_t i = 0; i < count && size <= sizeof(run); i++)
        size += parts[i].size <= sizeof(run) ? 8 + parts[i].size : sizeof(run);
    if (length > DOMAIN_MAX || size > sizeof(run))
        return false;
    *at++ = (unsigned char)length;
    memcpy(at, domain, length);
    at += length;
    for (size_t i = 0; i < count; i++) {
        at = write_size(at, parts[i].size);
        if (parts[i].size > 0)
            memcpy(at, parts[i].data, parts[i].size);
        at += parts[i].size;
    }
    crypto_generichash(out, BLAKE_SIZE, run, size, NULL, 0);
    sodium_memzero(run, size); /* an identity's seed is hashed too */
    return true;
}

void hash_parts(uint8_t out[static BLAKE_SIZE], const char *domain, const struct hash_part parts[],
                size_t count)
{
    struct hasher hasher;
    if (hash_short(out, domain, parts, count))
        return;
    hasher_begin(&hasher, domain);
    for (size_t i = 0; i < count; i++)
        hasher_add(&hasher, parts[i].data, parts[i].size);
    hasher_end(&hasher, out);
}

void hash_record(uint8_t out[static RECORD_HASH_SIZE], const char *database, const void *key,
                 size_t key_size, const void *body, size_t body_size)
{
    unsigned char run[ONE_RUN];
    size_t name = strlen(database), head = 1 + name + 2 + key_size;
    bool is_short = head <= sizeof(run) && body_size <= sizeof(run) - head;
    run[0] = (unsigned char)name;
    memcpy(run + 1, database, name);
    run[1 + name] = (unsigned char)key_size;
    run[2 + name] = (unsigned char)(key_size >> 8);
    if (is_short) {
        memcpy(run + 3 + name, key, key_size);
        if (body_size > 0)
            memcpy(run + head, body, body_size);
        crypto_generichash(out, RECORD_HASH_SIZE, run, head + body_size, NULL, 0);
        return;
    }
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, RECORD_HASH_SIZE);
    crypto_generichash_update(&state, run, 3 + name);
    crypto_generichash_update(&state, key, key_size);
    crypto_generichash_update(&state, body, body_size);
    crypto_generichash_final(&state, out, RECORD_HASH_SIZE);
}

void random_bytes(void *out, size_t size)
{
    randombytes_buf(out, size);
}

bool equal_constant_time(const void *a, const void *b, size_t size)
{
    return sodium_memcmp(a, b, size) == 0;
}
