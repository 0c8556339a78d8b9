/*
 * Every call that a commit makes, failed. A commit that returned 0 is there for good; one that
 * failed is wholly there (its last write was done, and only then the failure came) or wholly
 * absent; sent again with the same request id it is there exactly once, in the same process or in
 * the next.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store/error.h"
#include "tests/fault/stage.h"

static struct stage stage;

static void expect_repeated(struct store *store, enum stage_standing standing)
{
    struct change_result result = {0};
    MUST_DO(stage_commit(store, &result));
    MUST(result.rev == STAGE_REVISION_BEFORE + 1, "revision %llu", (unsigned long long)result.rev);
    MUST(result.repeated == (standing == STAGE_AFTER), "repeated is %d", result.repeated);
    change_result_release(&result);
    MUST(stage_look(store) == STAGE_AFTER, "sent again and not there");
}

/* The struck commit. Returns whether anything was struck; *standing is where the store must be now,
 * unless *is_open: then either is right. */
static bool strike(struct store *store, const struct fault *fault, enum stage_standing *standing,
                   bool *is_open)
{
    struct change_result result = {0};
    inject_arm(fault->family, fault->how, fault->at, fault->onwards);
    const int error = stage_commit(store, &result);
    const bool struck = inject_disarm(NULL);
    if (!error) {
        MUST(result.committed && !result.repeated && result.rev == STAGE_REVISION_BEFORE + 1,
             "an odd result");
        MUST(result.count >= 9 && result.lines, "no lines");
    } else {
        MUST(struck, "failed by itself: %s", error_word(error));
        MUST(stage_is_fair(fault, error), "the failure is '%s': %s", error_word(error),
             error_text());
        MUST(strlen(error_text()) > 0, "a failure without a word");
    }
    change_result_release(&result);
    *standing = error ? STAGE_BEFORE : STAGE_AFTER;
    /* A write of the head that is said to have failed leaves it to the disk. */
    *is_open = error && fault->family == INJECT_SYSTEM;
    return struck;
}

/* Goes on in the same process. Where the head could not be written, LMDB does nothing more in this
 * process (and the store says ERR_IO): then it is opened again. */
static int go_on(void *arg)
{
    const struct fault *fault = arg;
    struct store *store = sample_open(fault->stage->run, true);
    struct snapshot *snapshot = NULL;
    enum stage_standing standing;
    bool is_open;
    MUST_DO(snapshot_new(&snapshot, store));
    const bool struck = strike(store, fault, &standing, &is_open);
    const int broken = store_broken(store); /* known at once, and not only to the next who tries */
    int begun = snapshot_begin(snapshot);
    if (begun == 0) {
        const enum stage_standing now = stage_look_in(snapshot);
        MUST(now == standing || is_open, "the result says otherwise");
        MUST(snapshot_revision(snapshot) == store_revision(store), "two revisions");
        snapshot_end(snapshot);
        standing = now;
    }
    snapshot_free(snapshot);
    struct change_result result = {0};
    const int next = SAMPLE_COMMIT(store, &result, "after", 0, {SET, "dev/web/AFTER", 99});
    change_result_release(&result);
    MUST(broken == (begun || next ? -ERR_IO : 0), "broken is '%s', and what follows '%s', '%s'",
         error_word(broken), error_word(begun), error_word(next));
    if (begun || next) {
        MUST(is_open, "what follows a failure fails: %s", error_word(begun ? begun : next));
        MUST((!begun || begun == -ERR_IO) && (!next || next == -ERR_IO), "then it is '%s'",
             error_word(begun ? begun : next));
        store_close(store);
        store = sample_open(fault->stage->run, true);
        standing = stage_look(store);
        if (standing == STAGE_BEFORE)
            expect_repeated(store, standing);
    } else if (standing == STAGE_AFTER) {
        MUST(store_revision(store) == STAGE_REVISION_BEFORE + 2, "revision %llu",
             (unsigned long long)store_revision(store));
        expect_repeated(store, standing);
    }
    MUST_DO(sample_verify(store, true));
    store_close(store);
    secret_teardown();
    return struck ? RUN_STRUCK : RUN_PASSED;
}

static int only_strike(void *arg)
{
    const struct fault *fault = arg;
    struct store *store = sample_open(fault->stage->run, true);
    enum stage_standing standing;
    bool is_open;
    const bool struck = strike(store, fault, &standing, &is_open);
    store_close(store);
    store = sample_open(fault->stage->run, true);
    MUST(stage_look(store) == standing || is_open, "opened again, it says otherwise");
    store_close(store);
    secret_teardown();
    return struck ? RUN_STRUCK : RUN_PASSED;
}

static int look(void *arg)
{
    const struct fault *fault = arg;
    struct store *store = sample_open(fault->stage->run, true);
    MUST_DO(sample_verify(store, true));
    const enum stage_standing standing = stage_look(store);
    expect_repeated(store, standing);
    MUST_DO(sample_verify(store, true));
    store_close(store);
    secret_teardown();
    return 0;
}

static void test_memory(void **state)
{
    (void)state;
    stage_for_all(&stage, "one malloc fails", (struct fault){.family = INJECT_MEMORY}, go_on, NULL);
    stage_for_all(&stage, "mallocs fail from then on",
                  (struct fault){.family = INJECT_MEMORY, .onwards = true}, only_strike, look);
}

static void test_database(void **state)
{
    (void)state;
    stage_for_all(&stage, "one mdb call fails", (struct fault){.family = INJECT_DATABASE}, go_on,
                  NULL);
    stage_for_all(&stage, "one mdb call finds the map full",
                  (struct fault){.family = INJECT_DATABASE, .how = INJECT_FULL}, go_on, NULL);
    stage_for_all(&stage, "mdb calls fail from then on",
                  (struct fault){.family = INJECT_DATABASE, .onwards = true}, only_strike, look);
}

static void test_system(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        enum inject_how how;
    } ways[] = {{"EIO", INJECT_REFUSE},
                {"ENOSPC", INJECT_FULL},
                {"half a write", INJECT_HALF},
                {"EIO, and done", INJECT_LATE}};
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        for (int onwards = 0; onwards < 2; onwards++) {
            const struct fault fault = {
                .family = INJECT_SYSTEM, .how = ways[i].how, .onwards = onwards};
            char what[64];
            snprintf(what, sizeof(what), "system calls, %s%s", ways[i].what,
                     onwards ? " from then on" : "");
            stage_for_all(&stage, what, fault, go_on, NULL);
            stage_for_all(&stage, what, fault, only_strike, look);
        }
    }
}

static void test_killed(void **state)
{
    (void)state;
    stage_for_kills(&stage, only_strike, look);
}

int main(void)
{
    stage_init(&stage);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_database),
        cmocka_unit_test(test_system),
        cmocka_unit_test(test_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
