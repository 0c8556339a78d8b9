/* A seeded generator of the tests' own, so that a failing run can be run again. */
#ifndef EMSA_TESTS_DICE_H
#define EMSA_TESTS_DICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

/* The seed: $EMSA_TEST_SEED (or $EMSA_SEED), else a random one; printed, with how to run it again.
 */
uint64_t dice_seed(void);

struct dice dice_new(uint64_t seed);
uint64_t dice_next(struct dice *dice);
/* 0 .. sides - 1 */
uint64_t dice_roll(struct dice *dice, uint64_t sides);
/* True once in so many. */
bool dice_once_in(struct dice *dice, uint64_t sides);

/* The bytes that a number stands for: mostly short, sometimes none, sometimes several pages. */
#define VALUE_OF_MAX 20000u
size_t value_size_of(uint64_t number);
void value_of(void *out, uint64_t number);
/* Whether size bytes at data are the value of number. */
bool value_is(const void *data, size_t size, uint64_t number);

#endif
