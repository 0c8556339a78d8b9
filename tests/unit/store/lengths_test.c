#include "tests/unit/store/model_support.h"

#include "store/model/lengths.h"
#include "tests/support/store/dice.h"

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct lengths));
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

static void test_nothing_at_first(void **state)
{
    size_t size;
    assert_false(lengths_find(*state, &size, 1, 0));
    assert_false(lengths_find(*state, &size, 0, 0));
}

static void test_every_size(void **state)
{
    size_t size;
    lengths_note(*state, 0, 1, 0);
    assert_true(lengths_find(*state, &size, 1, 0));
    assert_int_equal(size, 0);
    lengths_note(*state, VALUE_MAX, 1, 1);
    assert_true(lengths_find(*state, &size, 1, 1));
    assert_int_equal(size, VALUE_MAX);
}

static void test_out_of_range_is_not_kept(void **state)
{
    size_t size;
    lengths_note(*state, VALUE_MAX + 1, 2, 0);
    assert_false(lengths_find(*state, &size, 2, 0));
    lengths_note(*state, 5, UINT64_C(1) << 39, 0);
    assert_false(lengths_find(*state, &size, UINT64_C(1) << 39, 0));
    lengths_note(*state, 5, 3, COMMIT_OPERATIONS_MAX);
    assert_false(lengths_find(*state, &size, 3, COMMIT_OPERATIONS_MAX));
}

static size_t size_of(uint64_t rev, uint32_t op)
{
    return (size_t)((rev * 31 + op * 7) % (VALUE_MAX + 1));
}

/* What is found is right, however many share a slot. */
static void test_never_another_versions(void **state)
{
    struct dice dice = dice_new(dice_seed());
    size_t size, found = 0;
    for (int i = 0; i < 200000; i++) {
        const uint64_t rev = dice_roll(&dice, 3000);
        const uint32_t op = (uint32_t)dice_roll(&dice, 30);
        if (lengths_find(*state, &size, rev, op)) {
            assert_int_equal(size, size_of(rev, op));
            found++;
        } else {
            lengths_note(*state, size_of(rev, op), rev, op);
        }
    }
    assert_true(found > 1000);
}

#define TABLE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TABLE_TEST(test_nothing_at_first),
        TABLE_TEST(test_every_size),
        TABLE_TEST(test_out_of_range_is_not_kept),
        TABLE_TEST(test_never_another_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
