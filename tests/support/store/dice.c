#include "tests/support/store/dice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "tests/support/store/trial.h"

uint64_t dice_seed(void)
{
    uint64_t seed;
    const char *text = getenv("EMSA_TEST_SEED");
    if (!text)
        text = getenv("EMSA_SEED");
    if (text)
        seed = strtoull(text, NULL, 0);
    else
        MUST(getrandom(&seed, sizeof(seed), 0) == (ssize_t)sizeof(seed), "no random bytes");
    printf("EMSA_TEST_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

struct dice dice_new(uint64_t seed)
{
    return (struct dice){.state = seed};
}

uint64_t dice_next(struct dice *dice) /* splitmix64 */
{
    uint64_t z = (dice->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t dice_roll(struct dice *dice, uint64_t sides)
{
    return dice_next(dice) % sides;
}

bool dice_once_in(struct dice *dice, uint64_t sides)
{
    return dice_roll(dice, sides) == 0;
}

size_t value_size_of(uint64_t number)
{
    struct dice dice = dice_new(number * 2 + 1);
    switch (dice_roll(&dice, 32)) {
    case 0:
        return 0;
    case 1:
        return 1;
    case 2:
        return dice_roll(&dice, VALUE_OF_MAX + 1);
    case 3:
    case 4:
        return dice_roll(&dice, 4097);
    default:
        return 8 + dice_roll(&dice, 60);
    }
}

void value_of(void *out, uint64_t number)
{
    struct dice dice = dice_new(number * 2);
    unsigned char *bytes = out;
    size_t size = value_size_of(number);
    while (size > 0) {
        uint64_t next = dice_next(&dice);
        size_t part = size < sizeof(next) ? size : sizeof(next);
        memcpy(bytes, &next, part);
        bytes += part;
        size -= part;
    }
}

bool value_is(const void *data, size_t size, uint64_t number)
{
    static __thread unsigned char expected[VALUE_OF_MAX];
    if (size != value_size_of(number))
        return false;
    value_of(expected, number);
    return size == 0 || memcmp(data, expected, size) == 0;
}
