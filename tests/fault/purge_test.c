/*
 * Every call that a purge makes, and the scrubbing behind it, failed or killed. The value is there,
 * whole, and so is a template that has it, or both were destroyed and the log says so; whatever
 * failed, asked again it is nowhere in the file.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/error.h"
#include "store/history.h"
#include "tests/fault/stage.h"

#define MARK "what-must-not-be-kept-anywhere"
#define KEY "prod/web/MARKED"
#define TEXT "prod/web/TEXT"
#define REVISION_SET (STAGE_REVISION_BEFORE + 1)

static struct stage stage;

static void set_value(struct store *store)
{
    struct change_result result;
    MUST_DO(SAMPLE_COMMIT(store, &result, "set", 0, {SET_TEXT, KEY, .text = MARK},
                          {SET_TEMPLATE, TEXT, .text = MARK " ${MARKED}"}));
    MUST(result.rev == REVISION_SET, "revision %llu", (unsigned long long)result.rev);
    change_result_release(&result);
    MUST_DO(SAMPLE_COMMIT(store, &result, "again", 0, {SET_TEXT, KEY, .text = "harmless"},
                          {SET_TEMPLATE, TEXT, .text = "${MARKED}"}));
    change_result_release(&result);
}

static int purge(struct store *store, bool *did)
{
    struct change *change;
    struct change_result result = {0};
    const struct change_terms terms = sample_terms("purge", 0);
    const struct path path = sample_path(KEY), text = sample_path(TEXT);
    int error = change_new(&change, store);
    if (error)
        return error;
    error = change_purge(change, &path, REVISION_SET);
    if (!error)
        error = change_purge(change, &text, REVISION_SET);
    if (!error)
        error = change_commit(change, &terms, &result);
    *did = !error && result.committed;
    change_result_release(&result);
    change_free(change);
    return error;
}

/* Whether the value of then can be read; else it was destroyed. */
static bool is_there(struct store *store)
{
    struct snapshot *snapshot;
    struct entry entry;
    const unsigned char *data;
    size_t size;
    uint32_t environment, service;
    MUST_DO(snapshot_new(&snapshot, store));
    MUST_DO(snapshot_begin(snapshot));
    MUST_DO(history_environment(snapshot, &environment, "prod", REVISION_SET));
    MUST_DO(history_service(snapshot, &service, environment, "web", REVISION_SET));
    MUST_DO(history_entry(snapshot, &entry, environment, service, "MARKED", REVISION_SET));
    const int error = snapshot_value(snapshot, &data, &size, &entry, NULL);
    MUST(error == 0 || error == -ERR_PURGED, "it is '%s': %s", error_word(error), error_text());
    MUST(error || (size == strlen(MARK) && memcmp(data, MARK, size) == 0), "another value");
    snapshot_end(snapshot);
    snapshot_free(snapshot);
    return error == 0;
}

static bool is_in_file(const struct fault *fault)
{
    char file[TRIAL_PATH_MAX + 16];
    struct stat info;
    snprintf(file, sizeof file, "%s/data.mdb", fault->stage->run);
    const int fd = open(file, O_RDONLY | O_CLOEXEC);
    MUST(fd >= 0 && fstat(fd, &info) == 0, "no file");
    const size_t size = (size_t)info.st_size;
    char *bytes = malloc(size);
    MUST(bytes && read(fd, bytes, size) == (ssize_t)size, "it cannot be read");
    close(fd);
    const bool found = memmem(bytes, size, MARK, strlen(MARK)) != NULL;
    free(bytes);
    return found;
}

static void again(struct store *store, const struct fault *fault)
{
    uint64_t left;
    bool did;
    const bool was_there = is_there(store);
    MUST_DO(purge(store, &did));
    MUST(did == was_there, "it was destroyed twice, or not at all");
    MUST_DO(store_scrub(store, &left));
    MUST(left == 0, "%llu pages are left", (unsigned long long)left);
    MUST(!is_there(store), "destroyed, and there");
    MUST(!is_in_file(fault), "destroyed, and in the file");
    MUST_DO(sample_verify(store, true));
}

static bool strike(struct store *store, const struct fault *fault)
{
    uint64_t left = 1;
    bool did = false;
    inject_arm(fault->family, fault->how, fault->at, fault->onwards);
    int error = purge(store, &did);
    if (!error)
        error = store_scrub(store, &left);
    const bool struck = inject_disarm(NULL);
    if (error) {
        MUST(struck, "failed by itself: %s: %s", error_word(error), error_text());
        MUST(stage_is_fair(fault, error), "the failure is '%s': %s", error_word(error),
             error_text());
    } else {
        MUST(did && left == 0 && !is_in_file(fault), "done, and in the file");
    }
    return struck;
}

static int go_on(void *arg)
{
    const struct fault *fault = arg;
    struct store *store = sample_open(fault->stage->run, true);
    set_value(store);
    const bool struck = strike(store, fault);
    if (store_broken(store)) {
        store_close(store);
        store = sample_open(fault->stage->run, true);
    }
    again(store, fault);
    store_close(store);
    secret_teardown();
    return struck ? RUN_STRUCK : RUN_PASSED;
}

static int only_strike(void *arg)
{
    const struct fault *fault = arg;
    struct store *store = sample_open(fault->stage->run, true);
    set_value(store);
    const bool struck = strike(store, fault);
    store_close(store);
    secret_teardown();
    return struck ? RUN_STRUCK : RUN_PASSED;
}

static int look(void *arg)
{
    const struct fault *fault = arg;
    struct store *store = sample_open(fault->stage->run, true);
    MUST_DO(sample_verify(store, true));
    again(store, fault);
    store_close(store);
    secret_teardown();
    return 0;
}

static void test_memory(void **state)
{
    (void)state;
    stage_for_all(&stage, "one malloc fails", (struct fault){.family = INJECT_MEMORY}, go_on, NULL);
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
