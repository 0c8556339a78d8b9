/*
 * Every call that the commit of an expiry makes, failed. Nobody asks for that commit, so nobody
 * sends it again: whoever holds the clock tries until it is made. However often it failed, and
 * however it ended, it is there once at the end, and until then the keys are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store/error.h"
#include "store/expiry.h"
#include "tests/fault/stage.h"

#define SECOND 1000000000ll
#define START (4000000000 * SECOND)
#define DUE (START + 30 * SECOND)
#define REVISION_SET (STAGE_REVISION_BEFORE + 1)

static struct stage stage;

static const char *const keys[] = {"prod/web/SOON", "prod/web/SOON_TOO", "dev/web/SOON"};
#define KEYS (sizeof(keys) / sizeof(keys[0]))

static void set_keys(struct store *store)
{
    struct change *change;
    struct change_result result;
    struct change_terms terms = sample_terms("for a while", 0);
    terms.now = START;
    MUST_DO(change_new(&change, store));
    for (size_t i = 0; i < KEYS; i++) {
        const struct sample_step step = {i == 1 ? SECRET : SET, keys[i], i + 1};
        MUST_DO(sample_gather(change, &step, 1));
        MUST_DO(change_ttl(change, 10 + i));
    }
    MUST_DO(change_commit(change, &terms, &result));
    MUST(result.rev == REVISION_SET, "revision %llu", (unsigned long long)result.rev);
    change_result_release(&result);
    change_free(change);
}

/* How many of the keys are there: all or none. */
static bool are_there(struct store *store)
{
    struct snapshot *snapshot;
    size_t count = 0;
    MUST_DO(snapshot_new(&snapshot, store));
    MUST_DO(snapshot_begin(snapshot));
    for (size_t i = 0; i < KEYS; i++)
        count += sample_has(snapshot, keys[i], i + 1);
    const uint64_t rev = snapshot_revision(snapshot);
    snapshot_end(snapshot);
    snapshot_free(snapshot);
    MUST(count == 0 || count == KEYS, "%zu of the keys are there", count);
    MUST(rev == (count ? REVISION_SET : REVISION_SET + 1), "revision %llu",
         (unsigned long long)rev);
    return count > 0;
}

static void try_again(struct store *store)
{
    struct expiry_result result;
    const bool were_there = are_there(store);
    MUST_DO(expiry_commit(store, &result, DUE));
    MUST(result.count == (were_there ? KEYS : 0) && result.next == 0, "%zu went", result.count);
    MUST(!are_there(store), "tried again and not done");
    MUST_DO(sample_verify(store, true));
}

static bool strike(struct store *store, const struct fault *fault)
{
    struct expiry_result result = {0};
    inject_arm(fault->family, fault->how, fault->at, fault->onwards);
    const int error = expiry_commit(store, &result, DUE);
    const bool struck = inject_disarm(NULL);
    if (error) {
        MUST(struck, "failed by itself: %s", error_word(error));
        MUST(stage_is_fair(fault, error), "the failure is '%s'", error_word(error));
        /* Whoever is told of a failure tells no view: so nothing may have gone. */
        MUST(store_broken(store) || are_there(store), "failed, and done all the same");
    } else {
        MUST(result.rev == REVISION_SET + 1 && result.count == KEYS, "an odd result");
    }
    return struck;
}

static int go_on(void *arg)
{
    const struct fault *fault = arg;
    struct store *store = sample_open(fault->stage->run, true);
    set_keys(store);
    const bool struck = strike(store, fault);
    if (store_broken(store)) {
        store_close(store);
        store = sample_open(fault->stage->run, true);
    }
    try_again(store);
    store_close(store);
    secret_teardown();
    return struck ? RUN_STRUCK : RUN_PASSED;
}

static int only_strike(void *arg)
{
    const struct fault *fault = arg;
    struct store *store = sample_open(fault->stage->run, true);
    set_keys(store);
    const bool struck = strike(store, fault);
    store_close(store);
    secret_teardown();
    return struck ? RUN_STRUCK : RUN_PASSED;
}

static int look(void *arg)
{
    const struct fault *fault = arg;
    struct store *store = sample_open(fault->stage->run, true);
    try_again(store);
    store_close(store);
    secret_teardown();
    return 0;
}

static void test_memory(void **state)
{
    (void)state;
    stage_for_all(&stage, "one malloc fails", (struct fault){.family = INJECT_MEMORY}, go_on, NULL);
    stage_for_all(&stage, "mallocs fail from then on",
                  (struct fault){.family = INJECT_MEMORY, .onwards = true}, go_on, NULL);
}

static void test_database(void **state)
{
    (void)state;
    stage_for_all(&stage, "one mdb call fails", (struct fault){.family = INJECT_DATABASE}, go_on,
                  NULL);
    stage_for_all(&stage, "one mdb call finds the map full",
                  (struct fault){.family = INJECT_DATABASE, .how = INJECT_FULL}, go_on, NULL);
}

static void test_system(void **state)
{
    (void)state;
    static const enum inject_how ways[] = {INJECT_REFUSE, INJECT_FULL, INJECT_HALF, INJECT_LATE};
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        char what[64];
        snprintf(what, sizeof(what), "system calls, way %zu", i);
        stage_for_all(&stage, what, (struct fault){.family = INJECT_SYSTEM, .how = ways[i]}, go_on,
                      NULL);
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
