/*
 * Every call that a rebuild makes, failed, and the process killed before and after each of its
 * system calls: the store is the old one or the new one, whole, and nothing is left beside it once
 * it was opened.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/db/txn.h"
#include "store/error.h"
#include "store/rebuild.h"
#include "tests/fault/stage.h"

static struct stage stage;

static int rebuild(const char *path, struct rebuild_report *report, bool *struck,
                   const struct fault *fault)
{
    struct rebuild_options options = {.path = path};
    MUST_DO(sample_identity(&options.identity, path));
    if (fault)
        inject_arm(fault->family, fault->how, fault->at, fault->onwards);
    const int error = store_rebuild(&options, report);
    if (fault)
        *struck = inject_disarm(NULL);
    return error;
}

static int strike(void *arg)
{
    const struct fault *fault = arg;
    struct rebuild_report report;
    bool struck = false;
    MUST_DO(secret_setup(SAMPLE_SECRETS_MAX));
    const int error = rebuild(fault->stage->run, &report, &struck, fault);
    MUST(!error || struck, "failed by itself: %s", error_word(error));
    /* The truth is whole: nobody is told otherwise. */
    MUST(!report.faults || error == -ERR_CORRUPT, "faults, and '%s'", error_word(error));
    MUST(!error || strlen(error_text()) > 0, "a failure without a word");
    return struck ? RUN_STRUCK : RUN_PASSED;
}

/* Whichever it is, it is whole; and what was damaged before is made right by the next. */
static int look(void *arg)
{
    const struct fault *fault = arg;
    char left[TRIAL_PATH_MAX];
    struct rebuild_report report;
    struct store *store = sample_open(fault->stage->run, true);
    MUST(access(trial_path(left, fault->stage->run, "rebuild"), F_OK) != 0, "a folder is left");
    MUST(stage_look(store) == STAGE_BEFORE, "it is another");
    const int verdict = sample_verify(store, false);
    MUST(!verdict || verdict == -ERR_CORRUPT, "verify says '%s'", error_word(verdict));
    store_close(store);
    MUST_DO(rebuild(fault->stage->run, &report, NULL, NULL));
    MUST(report.wrong == (verdict ? 1 : 0), "%llu were wrong", (unsigned long long)report.wrong);
    store = sample_open(fault->stage->run, true);
    MUST_DO(sample_verify(store, true));
    store_close(store);
    secret_teardown();
    return 0;
}

static void test_memory(void **state)
{
    (void)state;
    stage_for_all(&stage, "one malloc fails", (struct fault){.family = INJECT_MEMORY}, strike,
                  look);
}

static void test_database(void **state)
{
    (void)state;
    if (getenv("EMSA_TEST_ROUNDS")) /* two thousand, most of them of the reading */
        stage_for_all(&stage, "mdb calls fail from then on",
                      (struct fault){.family = INJECT_DATABASE, .onwards = true}, strike, look);
    stage_for_all(&stage, "the map is full",
                  (struct fault){.family = INJECT_DATABASE, .how = INJECT_FULL, .onwards = true},
                  strike, look);
}

static void test_system(void **state)
{
    (void)state;
    stage_for_all(&stage, "one system call fails", (struct fault){.family = INJECT_SYSTEM}, strike,
                  look);
    stage_for_all(&stage, "the disk is full from then on",
                  (struct fault){.family = INJECT_SYSTEM, .how = INJECT_FULL, .onwards = true},
                  strike, look);
    stage_for_all(&stage, "a sync lies",
                  (struct fault){.family = INJECT_SYSTEM, .how = INJECT_LATE}, strike, look);
}

static void test_kills(void **state)
{
    (void)state;
    stage_for_kills(&stage, strike, look);
}

/* One derived record is gone from the base, so that the old store and the new one can be told
 * apart. */
static int damage(void *arg)
{
    struct env *env;
    struct txn *txn;
    struct slice key, body;
    unsigned char copy[512];
    (void)arg;
    MUST_DO(env_open(&env, stage.base, NULL, NULL));
    MUST_DO(txn_write_begin(&txn, env));
    MUST_DO(txn_seek(txn, &key, &body, DB_OUTCOME, (struct slice){0}, false));
    MUST(key.size <= sizeof copy, "a long key");
    memcpy(copy, key.data, key.size);
    txn_delete(txn, DB_OUTCOME, (struct slice){copy, key.size});
    MUST_DO(txn_commit(txn));
    env_close(env);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    stage_init(&stage);
    trial_child_well(damage, NULL, 60);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_memory),
                                       cmocka_unit_test(test_database),
                                       cmocka_unit_test(test_system), cmocka_unit_test(test_kills)};
    return cmocka_run_group_tests(tests, setup, NULL);
}
