/*
 * Numbers that tell nothing: a keyed permutation of 64-bit numbers. Each number has another one,
 * and whoever lacks the key learns from any of those neither the number behind it nor what other
 * numbers become. For ids that somebody is to see who may not know how many there are.
 *
 * A Feistel network (Luby and Rackoff) of halves of 32 bits, whose rounds are SipHash-2-4 of the
 * half, the round and the use. Four rounds can be told from chance after some 65,000 numbers, six
 * not by any known way short of all of them (Patarin). No secret is sealed with it: there is no
 * telling whether a number was made with the key, and a number is always the same.
 */
#ifndef EMSA_STORE_PERMUTE_H
#define EMSA_STORE_PERMUTE_H

#include <stdint.h>

#define PERMUTE_KEY_SIZE 16

/* The permutation and its reverse. What the numbers become in one use tells nothing of another. */
uint64_t permute(const unsigned char key[static PERMUTE_KEY_SIZE], uint8_t use, uint64_t number);
uint64_t permute_back(const unsigned char key[static PERMUTE_KEY_SIZE], uint8_t use,
                      uint64_t number);

/* A permutation of the numbers from least to most (which are at least a quarter of all numbers),
 * and its reverse: goes on until it is among them again. What is not among them stays as it is. */
struct permute_range {
    uint64_t least, most;
};
uint64_t permute_within(const unsigned char key[static PERMUTE_KEY_SIZE], uint8_t use,
                        struct permute_range range, uint64_t number);
uint64_t permute_back_within(const unsigned char key[static PERMUTE_KEY_SIZE], uint8_t use,
                             struct permute_range range, uint64_t number);

#endif
