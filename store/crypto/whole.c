#include "store/crypto/whole.h"

#include <sodium.h>
#include <string.h>

_Static_assert(sizeof((struct whole_keys *)0)->names == crypto_shorthash_siphashx24_KEYBYTES,
               "the keys are SipHash's");
_Static_assert(crypto_shorthash_siphashx24_BYTES == 16, "and so are the sums");

static void derive_part(uint8_t *out, size_t size, const uint8_t key[static WHOLE_KEY_SIZE],
                        const char *label, const void *data, size_t data_size)
{
    crypto_generichash_state state;
    uint8_t made[BLAKE_SIZE];
    const uint8_t length = (uint8_t)strlen(label);
    crypto_generichash_init(&state, key, WHOLE_KEY_SIZE, sizeof made);
    crypto_generichash_update(&state, &length, 1);
    crypto_generichash_update(&state, (const unsigned char *)label, length);
    crypto_generichash_update(&state, data, data_size);
    crypto_generichash_final(&state, made, sizeof made);
    memcpy(out, made, size);
    sodium_memzero(made, sizeof made);
    sodium_memzero(&state, sizeof state);
}

void whole_keys_derive(struct whole_keys *out, const uint8_t key[static WHOLE_KEY_SIZE])
{
    derive_part(out->names, sizeof out->names, key, "emsa-whole-names-1", "", 0);
    derive_part(out->records, sizeof out->records, key, "emsa-whole-records-1", "", 0);
    derive_part(out->mask, sizeof out->mask, key, "emsa-whole-mask-1", "", 0);
    derive_part(out->id, sizeof out->id, key, "emsa-whole-id-1", "", 0);
}

static uint64_t number_at(const uint8_t *at)
{
    uint64_t number = 0;
    for (int i = 7; i >= 0; i--)
        number = number << 8 | at[i];
    return number;
}

static void write_number(uint8_t *at, uint64_t number)
{
    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t)(number >> (8 * i));
}

struct whole_sum whole_element(const uint8_t key[static 16], const void *data, size_t size)
{
    uint8_t made[16];
    crypto_shorthash_siphashx24(made, data, size, key);
    return (struct whole_sum){number_at(made), number_at(made + 8)};
}

struct whole_sum whole_name(const struct whole_keys *keys, const char *database, const void *key,
                            size_t size)
{
    uint8_t run[WHOLE_ELEMENT_MAX];
    const size_t length = strlen(database), whole = whole_name_size(length, size);
    run[0] = (uint8_t)length;
    memcpy(run + 1, database, length);
    memcpy(run + 1 + length, key, whole - 1 - length);
    return whole_element(keys->names, run, whole);
}

struct whole_sum whole_record(const struct whole_keys *keys,
                              const uint8_t hash[static RECORD_HASH_SIZE])
{
    return whole_element(keys->records, hash, RECORD_HASH_SIZE);
}

void whole_add(struct whole_sum *sum, struct whole_sum element_of)
{
    sum->low += element_of.low;
    sum->high += element_of.high + (sum->low < element_of.low);
}

void whole_take(struct whole_sum *sum, struct whole_sum element_of)
{
    sum->high -= element_of.high + (sum->low < element_of.low);
    sum->low -= element_of.low;
}

bool whole_equal(struct whole_sum a, struct whole_sum b)
{
    return a.low == b.low && a.high == b.high;
}

static struct whole_sums mask_of(const struct whole_keys *keys, unsigned kind,
                                 const uint8_t nonce[static WHOLE_NONCE_SIZE],
                                 const uint8_t head[static RECORD_HASH_SIZE])
{
    uint8_t made[WHOLE_SUMS_SIZE], said[1 + WHOLE_NONCE_SIZE + RECORD_HASH_SIZE];
    said[0] = (uint8_t)kind;
    memcpy(said + 1, nonce, WHOLE_NONCE_SIZE);
    memcpy(said + 1 + WHOLE_NONCE_SIZE, head, RECORD_HASH_SIZE);
    derive_part(made, sizeof made, keys->mask, "emsa-whole-sums-1", said, sizeof said);
    return (struct whole_sums){{number_at(made), number_at(made + 8)},
                               {number_at(made + 16), number_at(made + 24)}};
}

void whole_hide(uint8_t out[static WHOLE_SUMS_SIZE], const struct whole_keys *keys,
                const struct whole_sums *sums, unsigned kind,
                const uint8_t nonce[static WHOLE_NONCE_SIZE],
                const uint8_t head[static RECORD_HASH_SIZE])
{
    struct whole_sums made = mask_of(keys, kind, nonce, head);
    whole_add(&made.names, sums->names);
    whole_add(&made.records, sums->records);
    write_number(out, made.names.low);
    write_number(out + 8, made.names.high);
    write_number(out + 16, made.records.low);
    write_number(out + 24, made.records.high);
}

void whole_show(struct whole_sums *out, const struct whole_keys *keys,
                const uint8_t hidden[static WHOLE_SUMS_SIZE], unsigned kind,
                const uint8_t nonce[static WHOLE_NONCE_SIZE],
                const uint8_t head[static RECORD_HASH_SIZE])
{
    const struct whole_sums mask = mask_of(keys, kind, nonce, head);
    *out = (struct whole_sums){{number_at(hidden), number_at(hidden + 8)},
                               {number_at(hidden + 16), number_at(hidden + 24)}};
    whole_take(&out->names, mask.names);
    whole_take(&out->records, mask.records);
}
