#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fs/pace.h"

/* Stretches whose requests take so long, one way and the other; how many were without looking. */
static unsigned run(struct pace *pace, unsigned stretches, uint64_t looking, uint64_t blocking)
{
    unsigned blocked = 0;
    for (unsigned i = 0; i < stretches; i++) {
        blocked += !pace_looks(pace);
        pace_end(pace, pace_looks(pace) ? looking : blocking);
    }
    return blocked;
}

static void looks_at_first(void **state)
{
    (void)state;
    struct pace pace = {0};
    assert_true(pace_looks(&pace));
}

static void takes_the_quicker_way(void **state)
{
    (void)state;
    struct pace pace = {0};
    assert_in_range(run(&pace, 1000, 12000, 40000), 1, 100);
    pace_forget(&pace);
    assert_in_range(run(&pace, 1000, 40000, 12000), 900, 999);
}

static void changes_its_mind(void **state)
{
    (void)state;
    struct pace pace = {0};
    run(&pace, 1000, 12000, 40000);
    run(&pace, 1000, 40000, 12000);
    assert_false(pace_looks(&pace));
    run(&pace, 1000, 12000, 40000);
    assert_true(pace_looks(&pace));
}

static void measures_only_whole_stretches(void **state)
{
    (void)state;
    struct pace pace = {0};
    for (unsigned i = 0; i < PACE_STRETCH; i++)
        pace_request(&pace);
    assert_int_equal(pace.stretches, 0); /* when it began was not known */
    for (unsigned i = 0; i < PACE_STRETCH - 1; i++)
        pace_request(&pace);
    assert_int_equal(pace.stretches, 0);
    pace_request(&pace);
    assert_int_equal(pace.stretches, 1);
    pace_forget(&pace);
    assert_true(pace.begun == 0 && pace.requests == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looks_at_first),
        cmocka_unit_test(takes_the_quicker_way),
        cmocka_unit_test(changes_its_mind),
        cmocka_unit_test(measures_only_whole_stretches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
