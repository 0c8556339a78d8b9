/*
 * A keyed sum of all records of a store: who has no key can neither make one nor change it to fit
 * another set of records.
 *
 * It is MSet-Add-Hash of Clarke, Devadas, van Dijk, Gassend and Suh, "Incremental Multiset Hash
 * Functions and Their Application to Memory Integrity Checking" (Asiacrypt 2003): each element goes
 * through a keyed function, what comes of it is added up modulo 2^128, so that an element is added
 * or taken out without a look at the others; and a sum is only ever shown under a mask of its own
 * nonce, because differences of sums would let others be put together. The keyed function of an
 * element is SipHash-2-4 with 128 bits, the mask is keyed BLAKE2b.
 *
 * There are two sums. That of names (database and key) tells that every record which was written is
 * where it is looked for, and none beside them. That of records (the hash that closes each, of
 * database, key and body) tells that they are what was written. Apart from each other they tell a
 * record whose body is damaged, which says so itself when it is read, from one whose key is: that
 * one is missed where it was, in silence.
 */
#ifndef EMSA_STORE_CRYPTO_WHOLE_H
#define EMSA_STORE_CRYPTO_WHOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/crypto/hash.h"

#define WHOLE_KEY_SIZE 32
#define WHOLE_ID_SIZE 16
#define WHOLE_NONCE_SIZE 16
#define WHOLE_SUMS_SIZE 32

struct whole_keys { /* in locked memory */
    uint8_t names[16], records[16], mask[32];
    uint8_t id[WHOLE_ID_SIZE]; /* tells whose a seal is; no secret */
};

struct whole_sum { /* modulo 2^128 */
    uint64_t low, high;
};

struct whole_sums {
    struct whole_sum names, records;
};

void whole_keys_derive(struct whole_keys *out, const uint8_t key[static WHOLE_KEY_SIZE]);

/* What a record adds to each of the sums; its hash is that of hash_record. */
struct whole_sum whole_name(const struct whole_keys *keys, const char *database, const void *key,
                            size_t size);
struct whole_sum whole_record(const struct whole_keys *keys,
                              const uint8_t hash[static RECORD_HASH_SIZE]);

/* An element of either: its size is at most WHOLE_ELEMENT_MAX. */
#define WHOLE_ELEMENT_MAX (1u + 255u + 511u) /* the longest key that LMDB takes */
struct whole_sum whole_element(const uint8_t key[static 16], const void *data, size_t size);

/* How long the element of a name is; what is longer than any is cut. */
static inline size_t whole_name_size(size_t database, size_t key)
{
    const size_t size = 1 + database + key;
    return size < WHOLE_ELEMENT_MAX ? size : WHOLE_ELEMENT_MAX;
}

void whole_add(struct whole_sum *sum, struct whole_sum element);
void whole_take(struct whole_sum *sum, struct whole_sum element);
bool whole_equal(struct whole_sum a, struct whole_sum b);

/* The sums under the mask of (kind, nonce, hash of the record of the head), and back. */
void whole_hide(uint8_t out[static WHOLE_SUMS_SIZE], const struct whole_keys *keys,
                const struct whole_sums *sums, unsigned kind,
                const uint8_t nonce[static WHOLE_NONCE_SIZE],
                const uint8_t head[static RECORD_HASH_SIZE]);
void whole_show(struct whole_sums *out, const struct whole_keys *keys,
                const uint8_t hidden[static WHOLE_SUMS_SIZE], unsigned kind,
                const uint8_t nonce[static WHOLE_NONCE_SIZE],
                const uint8_t head[static RECORD_HASH_SIZE]);

#endif
