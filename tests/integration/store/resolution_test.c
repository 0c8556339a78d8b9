/*
 * Random changes of a store that has everything in it, judged by a naive model
 * (tests/support/store/naive): what each reader gets, from where and since when, why something is
 * refused, what a commit says has changed, and what any past revision was.
 * $EMSA_TEST_OPERATIONS says how many operations; from 50,000 on every reason must have come up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/store/dice.h"
#include "tests/support/store/story.h"
#include "tests/support/store/trial.h"

#define OPERATIONS 2000u
#define LONG 50000u

static void test_resolution(void **state)
{
    const char *text = getenv("EMSA_TEST_OPERATIONS");
    const unsigned operations = trial_scaled(text ? (unsigned)strtoul(text, NULL, 10) : OPERATIONS);
    struct story_count count = {0};
    (void)state;
    story_play(dice_seed(), operations, &count);
    printf("%u operations in %u changes: %u commits (%u of them expiries), %u refused, %u of "
           "nothing; %u looks at the past\n",
           operations, count.changes, count.commits, count.expiries, count.refused, count.idle,
           count.pasts);
    for (unsigned i = 0; i < REASON_COUNT; i++) {
        printf("  %-16s %u\n", naive_reason_words[i], count.reasons[i]);
        MUST(operations < LONG || count.reasons[i], "'%s' was never told", naive_reason_words[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_resolution)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
