/* What was added is seen, whatever else was; nearly all that was not is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "store/log/seen.h"

static void test_what_was_added(void **state)
{
    struct seen seen = {0};
    char key[16];
    unsigned wrong = 0;
    (void)state;
    assert_false(seen_has(&seen, 1, 2, "A"));
    for (unsigned i = 0; i < 20000; i++) {
        snprintf(key, sizeof key, "K%u", i);
        assert_int_equal(seen_add(&seen, i % 3, i % 5, key), 0);
    }
    assert_int_equal(seen_add(&seen, 0, 0, "K0"), 0); /* again */
    assert_int_equal(seen.count, 20000);
    for (unsigned i = 0; i < 20000; i++) {
        snprintf(key, sizeof key, "K%u", i);
        assert_true(seen_has(&seen, i % 3, i % 5, key));
        wrong += seen_has(&seen, i % 3, i % 5 + 1, key) || seen_has(&seen, i % 3 + 1, i % 5, key);
        snprintf(key, sizeof key, "L%u", i);
        wrong += seen_has(&seen, i % 3, i % 5, key);
    }
    assert_int_equal(wrong, 0);
    seen_release(&seen);
    assert_false(seen_has(&seen, 0, 0, "K0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_was_added)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
