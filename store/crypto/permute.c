#include "store/permute.h"

#include <sodium.h>
#include <stdbool.h>

#define ROUNDS 6u

_Static_assert(PERMUTE_KEY_SIZE == crypto_shorthash_KEYBYTES, "the key is SipHash's");

/* 32 bits of SipHash-2-4 of: use, round, half (little-endian). */
static uint32_t scramble(const unsigned char *key, uint8_t use, unsigned round, uint32_t half)
{
    const unsigned char text[6] = {use,
                                   (unsigned char)round,
                                   (unsigned char)half,
                                   (unsigned char)(half >> 8),
                                   (unsigned char)(half >> 16),
                                   (unsigned char)(half >> 24)};
    unsigned char out[crypto_shorthash_BYTES];
    crypto_shorthash(out, text, sizeof(text), key);
    return (uint32_t)out[0] | (uint32_t)out[1] << 8 | (uint32_t)out[2] << 16 |
           (uint32_t)out[3] << 24;
}

uint64_t permute(const unsigned char key[static PERMUTE_KEY_SIZE], uint8_t use, uint64_t number)
{
    uint32_t left = (uint32_t)(number >> 32), right = (uint32_t)number;
    for (unsigned round = 0; round < ROUNDS; round++) {
        const uint32_t next = left ^ scramble(key, use, round, right);
        left = right;
        right = next;
    }
    return (uint64_t)left << 32 | right;
}

uint64_t permute_back(const unsigned char key[static PERMUTE_KEY_SIZE], uint8_t use,
                      uint64_t number)
{
    uint32_t left = (uint32_t)(number >> 32), right = (uint32_t)number;
    for (unsigned round = ROUNDS; round-- > 0;) {
        const uint32_t before = right ^ scramble(key, use, round, left);
        right = left;
        left = before;
    }
    return (uint64_t)left << 32 | right;
}

static bool is_within(struct permute_range range, uint64_t number)
{
    return number >= range.least && number <= range.most;
}

uint64_t permute_within(const unsigned char key[static PERMUTE_KEY_SIZE], uint8_t use,
                        struct permute_range range, uint64_t number)
{
    if (!is_within(range, number))
        return number;
    do
        number = permute(key, use, number);
    while (!is_within(range, number));
    return number;
}

uint64_t permute_back_within(const unsigned char key[static PERMUTE_KEY_SIZE], uint8_t use,
                             struct permute_range range, uint64_t number)
{
    if (!is_within(range, number))
        return number;
    do
        number = permute_back(key, use, number);
    while (!is_within(range, number));
    return number;
}
