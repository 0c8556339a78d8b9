/* How often a caller may be told that a value is somebody's secret, by a clock of the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/service/guard.h"

static int begin(void **state)
{
    static struct guard guard;
    guard_init(&guard);
    *state = &guard;
    return 0;
}

static int end(void **state)
{
    guard_release(*state);
    return 0;
}

static void ten_within_an_hour(void **state)
{
    struct guard *guard = *state;
    for (unsigned i = 0; i < GUARD_HITS; i++) {
        assert_true(guard_admits(guard, 1000, 100 + i));
        guard_count(guard, 1000, 100 + i, 1);
    }
    assert_false(guard_admits(guard, 1000, 110));
    assert_false(guard_admits(guard, 1000, 100 + GUARD_SECONDS - 1));
    assert_true(guard_admits(guard, 1001, 110)); /* one caller's guesses are no other's */
    assert_true(guard_admits(guard, 1000, 100 + GUARD_SECONDS));
}

/* An hour behind each of them, not one for all: what was admitted again counts at once. */
static void the_hour_goes_along(void **state)
{
    struct guard *guard = *state;
    for (unsigned i = 0; i < GUARD_HITS; i++)
        guard_count(guard, 7, 60 * i, 1);
    assert_true(guard_admits(guard, 7, GUARD_SECONDS));
    guard_count(guard, 7, GUARD_SECONDS, 1);
    assert_false(guard_admits(guard, 7, GUARD_SECONDS));
    assert_false(guard_admits(guard, 7, GUARD_SECONDS + 59));
    assert_true(guard_admits(guard, 7, GUARD_SECONDS + 60));
}

static void many_in_one_change(void **state)
{
    struct guard *guard = *state;
    guard_count(guard, 7, 5, 0);
    assert_true(guard_admits(guard, 7, 5));
    guard_count(guard, 7, 5, GUARD_HITS - 1);
    assert_true(guard_admits(guard, 7, 5));
    guard_count(guard, 7, 6, 100000);
    assert_false(guard_admits(guard, 7, 6));
    assert_false(guard_admits(guard, 7, 5 + GUARD_SECONDS));
    assert_true(guard_admits(guard, 7, 6 + GUARD_SECONDS));
}

/* Who makes room is the one that was told longest ago. */
static void more_users_than_places(void **state)
{
    struct guard *guard = *state;
    for (unsigned i = 0; i < GUARD_USERS; i++)
        guard_count(guard, 100 + i, 10 + i, GUARD_HITS);
    guard_count(guard, 100, 1000, 1); /* not the oldest any more */
    guard_count(guard, 1, 1001, 1);
    assert_false(guard_admits(guard, 100, 1001));
    assert_true(guard_admits(guard, 101, 1001));
    assert_false(guard_admits(guard, 102, 1001));
    assert_true(guard_admits(guard, 1, 1001));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(ten_within_an_hour),
        TEST(the_hour_goes_along),
        TEST(many_in_one_change),
        TEST(more_users_than_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
