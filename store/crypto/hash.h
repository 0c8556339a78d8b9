/*
 * Hashes of plain things, random bytes, and the one call that makes libsodium ready. The lowest
 * noun of this folder: it knows nothing of keys or of the store, and store/db may see it.
 *
 * Everything is BLAKE2b. Parts are framed by their lengths and domain separates uses, so that no
 * two different inputs give the same bytes to the hash (store/FORMAT.md, "Hashes").
 */
#ifndef EMSA_STORE_CRYPTO_HASH_H
#define EMSA_STORE_CRYPTO_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLAKE_SIZE 32       /* of hash_parts and hasher_end */
#define RECORD_HASH_SIZE 16 /* of hash_record */
#define SALT_SIZE 16        /* of a value's salted hash, as the log has it */
#define FINGERPRINT_SIZE 16 /* of a secret, as the leak guard knows it (keyring.h) */

/* Makes libsodium ready (picks the fastest code for this processor). Any thread, any number of
 * times; db and crypto call it where they begin. ERR_IO when the system gives no random numbers. */
int crypto_setup(void);

struct hash_part {
    const void *data;
    size_t size;
};

/* BLAKE2b-256 of: length of domain (u8), domain, then for each part its size (u64, little-endian)
 * and its bytes. */
void hash_parts(uint8_t out[static BLAKE_SIZE], const char *domain, const struct hash_part parts[],
                size_t count);

/* The same, part by part: hasher_begin, any number of hasher_add, hasher_end. */
struct hasher {
    _Alignas(64) unsigned char opaque[384];
};
void hasher_begin(struct hasher *hasher, const char *domain);
void hasher_add(struct hasher *hasher, const void *data, size_t size);
/* One part that stands in two pieces. */
void hasher_add_joined(struct hasher *hasher, const struct hash_part *head,
                       const struct hash_part *rest);
void hasher_end(struct hasher *hasher, uint8_t out[static BLAKE_SIZE]);

/* BLAKE2b-128 of: length of the database's name (u8), the name, size of key (u16, little-endian),
 * key, body. What closes every record: against damage, not against a forger, who is met by the
 * chain of commits. */
void hash_record(uint8_t out[static RECORD_HASH_SIZE], const char *database, const void *key,
                 size_t key_size, const void *body, size_t body_size);

void random_bytes(void *out, size_t size);
bool equal_constant_time(const void *a, const void *b, size_t size);

#endif
