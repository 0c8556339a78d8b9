/* The permutation: known answers (from another implementation, in Python), there and back again for
 * any number, no two alike, and ranges that are kept. */
#include "tests/unit/store/crypto_support.h"

#include "store/permute.h"

#define NUMBERS 100000u

static const unsigned char counting[PERMUTE_KEY_SIZE] = {0, 1, 2,  3,  4,  5,  6,  7,
                                                         8, 9, 10, 11, 12, 13, 14, 15};

static void known_answers(void **state)
{
    (void)state;
    static const unsigned char zeros[PERMUTE_KEY_SIZE];
    assert_true(permute(zeros, 0, 0) == 0x8b05675423996100);
    assert_true(permute(counting, 1, 0) == 0x04b4532c47c70965);
    assert_true(permute(counting, 1, 1) == 0xdbbaf1e1249676d9);
    assert_true(permute(counting, 2, 1) == 0x7b7f1e0ccf9a36f3);
    assert_true(permute(counting, 1, 0x3000010000000001) == 0xa16f156b6bcbb7ba);
    assert_true(permute(counting, 1, UINT64_MAX) == 0x29979ac348a4309c);
    assert_true(permute_back(counting, 1, 0x29979ac348a4309c) == UINT64_MAX);
}

static uint64_t any_number(void)
{
    uint64_t number;
    random_bytes(&number, sizeof(number));
    return number;
}

static void there_and_back(void **state)
{
    (void)state;
    unsigned char key[PERMUTE_KEY_SIZE];
    random_bytes(key, sizeof(key));
    for (unsigned i = 0; i < NUMBERS; i++) {
        const uint64_t number = i % 2 ? any_number() : i;
        const uint8_t use = (uint8_t)(i % 3);
        assert_true(permute_back(key, use, permute(key, use, number)) == number);
        assert_true(permute(key, use, permute_back(key, use, number)) == number);
    }
}

static int by_size(const void *a, const void *b)
{
    const uint64_t *one = a, *two = b;
    return *one < *two ? -1 : *one > *two;
}

/* What stands side by side before does not afterwards, and the bits are as many ones as zeros. */
static void neighbours_become_strangers(void **state)
{
    (void)state;
    static uint64_t numbers[NUMBERS];
    unsigned ones[64] = {0};
    for (unsigned i = 0; i < NUMBERS; i++) {
        numbers[i] = permute(counting, 0, 0x3000010000000000 + i);
        for (unsigned bit = 0; bit < 64; bit++)
            ones[bit] += numbers[i] >> bit & 1;
    }
    for (unsigned bit = 0; bit < 64; bit++)
        assert_in_range(ones[bit], NUMBERS / 2 - 1500, NUMBERS / 2 + 1500);
    qsort(numbers, NUMBERS, sizeof(numbers[0]), by_size);
    for (unsigned i = 1; i < NUMBERS; i++)
        assert_true(numbers[i] - numbers[i - 1] > 1);
}

static void another_key_and_use_are_other_numbers(void **state)
{
    (void)state;
    unsigned char key[PERMUTE_KEY_SIZE];
    for (unsigned i = 0; i < 8 * PERMUTE_KEY_SIZE; i++) {
        memcpy(key, counting, sizeof(key));
        key[i / 8] ^= (unsigned char)(1u << i % 8);
        assert_true(permute(key, 0, 7) != permute(counting, 0, 7));
    }
    for (unsigned use = 1; use < 256; use++)
        assert_true(permute(counting, (uint8_t)use, 7) != permute(counting, 0, 7));
}

static void a_range_is_kept(void **state)
{
    (void)state;
    static const struct permute_range ranges[] = {
        {4, UINT64_MAX}, {3, INT64_MAX}, {0, UINT64_MAX / 4}, {UINT64_MAX / 2, UINT64_MAX}};
    for (size_t r = 0; r < sizeof(ranges) / sizeof(ranges[0]); r++) {
        const struct permute_range range = ranges[r];
        for (unsigned i = 0; i < NUMBERS / 10; i++) {
            const uint64_t number = i < 1000 ? i : any_number();
            const uint64_t other = permute_within(counting, 5, range, number);
            if (number < range.least || number > range.most)
                assert_true(other == number);
            else
                assert_true(other >= range.least && other <= range.most);
            assert_true(permute_back_within(counting, 5, range, other) == number);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(neighbours_become_strangers),
        cmocka_unit_test(another_key_and_use_are_other_numbers),
        cmocka_unit_test(a_range_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
