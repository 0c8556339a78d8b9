/*
 * Every call that making, opening, verifying and reading a store makes, failed: an error that says
 * so, nothing left behind, never a wrong answer; and the next try, with nothing failing, does it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/error.h"
#include "store/pin.h"
#include "tests/fault/stage.h"
#include "tests/support/store/dice.h"

static struct stage stage;

static int create(void *arg)
{
    const struct fault *fault = arg;
    char path[TRIAL_PATH_MAX + 8];
    struct identity *identity = NULL;
    struct author author = {.name = "uid 0 (root)"};
    snprintf(path, sizeof(path), "%s-new", stage.run);
    trial_remove(path);
    MUST_DO(secret_setup(SAMPLE_SECRETS_MAX));
    MUST_DO(sample_identity(&identity, stage.run));
    inject_arm(fault->family, fault->how, fault->at, fault->onwards);
    int error = store_create(path, identity, &author);
    const bool struck = inject_disarm(NULL);
    if (error) {
        MUST(struck, "failed by itself");
        MUST(stage_is_fair(fault, error), "the failure is '%s'", error_word(error));
        MUST(access(path, F_OK) != 0, "something was left behind");
        MUST_DO(store_create(path, identity, &author));
    }
    identity_free(identity);
    struct store *store = NULL;
    struct store_options options = {.path = path, .lock_fd = -1};
    MUST_DO(store_open(&store, &options));
    MUST_DO(sample_identity(&identity, stage.run));
    MUST_DO(store_unlock(store, identity));
    MUST(store_revision(store) == 1, "revision %llu", (unsigned long long)store_revision(store));
    MUST_DO(sample_verify(store, true));
    store_close(store);
    secret_teardown();
    return struck ? RUN_STRUCK : RUN_PASSED;
}

static int open_and_unlock(void *arg)
{
    const struct fault *fault = arg;
    struct store *store = NULL;
    struct identity *identity = NULL;
    char pin[TRIAL_PATH_MAX + 8];
    snprintf(pin, sizeof pin, "%s.pin", stage.run);
    trial_remove(pin); /* a new one: the store is verified, and sealed */
    struct store_options options = {.path = stage.run, .lock_fd = -1, .pin_fd = pin_open(pin)};
    MUST_DO(secret_setup(SAMPLE_SECRETS_MAX));
    inject_arm(fault->family, fault->how, fault->at, fault->onwards);
    int error = store_open(&store, &options);
    if (!error)
        error = sample_identity(&identity, stage.run);
    if (!error)
        error = store_unlock(store, identity);
    const bool struck = inject_disarm(NULL);
    if (error) {
        MUST(struck, "failed by itself");
        MUST(stage_is_fair(fault, error), "the failure is '%s'", error_word(error));
        store_close(store);
        store = sample_open(stage.run, true);
    }
    MUST(stage_look(store) == STAGE_BEFORE, "another revision");
    MUST_DO(sample_verify(store, true));
    store_close(store);
    secret_teardown();
    return struck ? RUN_STRUCK : RUN_PASSED;
}

static void print_fault(void *arg, const char *text)
{
    (void)arg;
    fprintf(stderr, "fault: %s\n", text);
}

static int verify(void *arg)
{
    const struct fault *fault = arg;
    struct store *store = sample_open(stage.run, true);
    struct verify_options options = {.fault = print_fault};
    struct verify_report whole = {0}, report = {0};
    MUST_DO(verify_store(store, &options, &whole));
    inject_arm(fault->family, fault->how, fault->at, fault->onwards);
    int error = verify_store(store, &options, &report);
    const bool struck = inject_disarm(NULL);
    if (error) {
        MUST(struck, "failed by itself");
        MUST(stage_is_fair(fault, error), "the failure is '%s'", error_word(error));
    } else {
        MUST(report.commits == whole.commits && report.operations == whole.operations &&
                 report.values == whole.values && report.derived == whole.derived,
             "well, and not all of it was looked at");
    }
    MUST(report.faults == 0, "a failure was taken for damage");
    MUST_DO(verify_store(store, &options, &report));
    struct store_status status;
    MUST_DO(store_status(store, &status));
    MUST(status.alarms == 0, "an alarm without damage");
    store_close(store);
    secret_teardown();
    return struck ? RUN_STRUCK : RUN_PASSED;
}

/* Reads that a server makes; counts how many failed. Those that don't fail are right. */
static unsigned read_some(struct snapshot *snapshot, const struct fault *fault)
{
    unsigned failures = 0;
    BYTES_CLEANUP struct bytes found = BYTES_INIT(VALUE_MAX);
    struct entry entry;
    struct environment environment;
    struct service service;
    size_t size = 0;
    const struct path path = sample_path("prod/billing/TOKEN");
    uint64_t touched = 0;
    struct commit_info commit;
    struct operation_info operation;
    int results[8];
    results[0] = snapshot_next_environment(snapshot, &environment, "dev");
    results[1] = results[0] ? 0 : snapshot_next_service(snapshot, &service, environment.id, "");
    results[2] = results[0] || results[1]
                     ? 0
                     : snapshot_next_entry(snapshot, &entry, environment.id, service.id, "OLD");
    const bool has_entry = !results[0] && !results[1] && !results[2];
    if (has_entry)
        MUST(strcmp(entry.key, "TOKEN") == 0, "listed '%s'", entry.key);
    results[3] = has_entry ? snapshot_size(snapshot, &size, &entry) : 0;
    results[4] = history_commit(snapshot, &commit, 3);
    results[5] = history_operation(snapshot, &operation, 3, 1);
    results[6] = history_touched(snapshot, &touched, &path, 4);
    results[7] =
        has_entry ? snapshot_entry_at(snapshot, &entry, environment.id, entry.name_id, 4) : 0;
    for (unsigned i = 0; i < 8; i++) {
        MUST(results[i] == 0 || stage_is_fair(fault, results[i]), "read %u: %d", i, results[i]);
        failures += results[i] != 0;
    }
    static const char *const paths[] = {"dev/web/KEPT", "prod/billing/TOKEN", "prod/billing/KEPT"};
    static const uint64_t numbers[] = {1, 4, 5};
    for (unsigned i = 0; i < 3; i++) {
        const int result = sample_read(snapshot, NULL, &found, paths[i]);
        MUST(result == 0 || stage_is_fair(fault, result), "'%s': %d", paths[i], result);
        bool as_it_was = result != 0;
        if (!result) {

            as_it_was = value_is(found.data, found.size, numbers[i]);
        }
        MUST(as_it_was, "'%s' has a wrong value", paths[i]);
        failures += result != 0;
    }
    return failures;
}

static int read_struck(void *arg)
{
    const struct fault *fault = arg;
    struct store *store = sample_open(stage.run, true);
    struct snapshot *snapshot = NULL;
    inject_arm(fault->family, fault->how, fault->at, fault->onwards);
    int error = snapshot_new(&snapshot, store);
    if (!error)
        error = snapshot_begin(snapshot);
    if (!error) {
        read_some(snapshot, fault);
        snapshot_end(snapshot);
    }
    snapshot_free(snapshot);
    const bool struck = inject_disarm(NULL);
    MUST(error == 0 || (struck && stage_is_fair(fault, error)), "the failure is '%s'",
         error_word(error));
    snapshot = NULL;
    MUST_DO(snapshot_new(&snapshot, store));
    MUST_DO(snapshot_begin(snapshot));
    MUST(read_some(snapshot, fault) == 0, "reading fails afterwards");
    snapshot_end(snapshot);
    snapshot_free(snapshot);
    MUST(stage_look(store) == STAGE_BEFORE, "another revision");
    store_close(store);
    secret_teardown();
    return struck ? RUN_STRUCK : RUN_PASSED;
}

static void strike_all(const char *what, int (*body)(void *))
{
    static const struct {
        const char *name;
        enum inject_family family;
        enum inject_how how;
        bool onwards;
    } ways[] = {
        {"malloc", INJECT_MEMORY, INJECT_REFUSE, false},
        {"mallocs", INJECT_MEMORY, INJECT_REFUSE, true},
        {"mdb", INJECT_DATABASE, INJECT_REFUSE, false},
        {"mdbs", INJECT_DATABASE, INJECT_REFUSE, true},
        {"system", INJECT_SYSTEM, INJECT_REFUSE, false},
        {"systems", INJECT_SYSTEM, INJECT_REFUSE, true},
        {"full", INJECT_SYSTEM, INJECT_FULL, true},
        {"half", INJECT_SYSTEM, INJECT_HALF, false},
    };
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        char text[64];
        snprintf(text, sizeof(text), "%s, %s", what, ways[i].name);
        stage_for_all(&stage, text,
                      (struct fault){
                          .family = ways[i].family, .how = ways[i].how, .onwards = ways[i].onwards},
                      body, NULL);
    }
}

static void test_create(void **state)
{
    (void)state;
    strike_all("store_create", create);
}

static void test_open(void **state)
{
    (void)state;
    strike_all("store_open", open_and_unlock);
}

static void test_verify(void **state)
{
    (void)state;
    strike_all("verify_store", verify);
}

static void test_read(void **state)
{
    (void)state;
    strike_all("reading", read_struck);
}

int main(void)
{
    stage_init(&stage);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_verify),
        cmocka_unit_test(test_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
