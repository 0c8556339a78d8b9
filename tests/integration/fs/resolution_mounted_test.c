/*
 * Random changes of a store that has everything in it, judged by a naive model, and its mount
 * beside it: after every so many commits the whole tree, read as files, is what the model says:
 * which names there are, their bytes, sizes, times, revisions, kinds and origins; and an inode
 * number belongs to one place as long as it lives. $EMSA_TEST_OPERATIONS says how many operations.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/integration/fs/mounted.h"
#include "tests/support/store/dice.h"
#include "tests/support/store/trial.h"

#define OPERATIONS 1000u
#define EVERY 10u

static void test_tree(void **state)
{
    static struct mounted mounted;
    const char *text = getenv("EMSA_TEST_OPERATIONS");
    const unsigned operations = trial_scaled(text ? (unsigned)strtoul(text, NULL, 10) : OPERATIONS);
    struct story_count count = {0};
    (void)state;
    mounted_make(&mounted, EVERY);
    const struct story_hook hook = mounted_hook(&mounted);
    story_play_hooked(dice_seed(), operations, &count, &hook);
    mounted_end(&mounted);
    printf(
        "%u operations in %u changes: %u commits (%u of them expiries), the tree read after each "
        "%uth\n",
        operations, count.changes, count.commits, count.expiries, EVERY);
    MUST(count.commits > EVERY, "the tree was never read");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
