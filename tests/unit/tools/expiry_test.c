/* Keys with an end, through the dispatcher: what a call may say, what the host hears, what is
 * shown. The clock is asked by the store when something is set; the moment of the end is said here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/change.h"
#include "store/error.h"
#include "tests/support/store/sample.h"
#include "tests/support/store/trial.h"
#include "tools/service/service.h"

#define SECOND 1000000000ll

struct world {
    const char *folder;
    struct store *store;
    struct dispatcher *dispatcher;
    uint64_t published;
    int64_t expiring;
    int late; /* what published answers */
};

static int note_published(void *arg, uint64_t rev)
{
    struct world *world = arg;
    world->published = rev;
    return world->late;
}

static void note_expiring(void *arg, int64_t moment)
{
    struct world *world = arg;
    world->expiring = moment;
}

static int begin(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    char path[TRIAL_PATH_MAX];
    world->folder = trial_folder();
    sample_create(trial_path(path, world->folder, "store"));
    world->store = sample_open(path, true);
    const struct service_host host = {
        .arg = world, .published = note_published, .expiring = note_expiring};
    assert_int_equal(service_new(&world->dispatcher, world->store, &host), 0);
    struct change_result result;
    assert_int_equal(SAMPLE_COMMIT(world->store, &result, "begin", 0, {ADD, "prod", 0}), 0);
    change_result_release(&result);
    *state = world;
    return 0;
}

static int end(void **state)
{
    struct world *world = *state;
    service_free(world->dispatcher);
    store_close(world->store);
    trial_remove(world->folder);
    free(world);
    return 0;
}

static void ask(struct world *world, struct call *call, const char *method, json_t *parameters)
{
    assert_non_null(parameters);
    *call = (struct call){
        .caller = {.pid = 7}, .method = method, .parameters = parameters, .input = -1};
    assert_int_equal(service_call(world->dispatcher, call), 0);
    assert_non_null(call->reply);
    json_decref(parameters);
}

static json_t *operation(const char *key, json_t *ttl)
{
    return json_pack("{s:s, s:s, s:s, s:o*}", "path", key, "kind", "plain", "value", "v", "ttl",
                     ttl);
}

/* Sets A for 30 s, B for 10 s and C for good. */
static void fill(struct world *world)
{
    struct call call;
    ask(world, &call, "io.emsa.Set",
        json_pack("{s:[o, o, o]}", "operations", operation("prod/web/A", json_integer(30)),
                  operation("prod/web/B", json_integer(10)), operation("prod/web/C", NULL)));
    assert_null(call.error);
    json_t *lines = json_object_get(call.reply, "lines");
    const int64_t first = json_integer_value(json_object_get(json_array_get(lines, 1), "expires"));
    const int64_t second = json_integer_value(json_object_get(json_array_get(lines, 2), "expires"));
    assert_int_equal(first - second, 20 * SECOND);
    assert_null(json_object_get(json_array_get(lines, 3), "expires"));
    assert_int_equal(world->expiring, second);
    call_release(&call);
}

static void host_hears(void **state)
{
    struct world *world = *state;
    struct call call;
    int64_t next = 4711;
    fill(world);
    const int64_t moment = world->expiring;
    const uint64_t rev = world->published;
    world->expiring = -1;
    assert_int_equal(service_expire(world->dispatcher, &next, moment - 1), 0);
    assert_int_equal(next, moment);
    assert_int_equal(world->published, rev);
    world->late = 1; /* a view that is late is no failure */
    assert_int_equal(service_expire(world->dispatcher, &next, moment), 0);
    assert_int_equal(next, moment + 20 * SECOND);
    assert_int_equal(world->published, rev + 1);
    assert_int_equal(service_expire(world->dispatcher, &next, moment + 20 * SECOND), 0);
    assert_int_equal(next, 0);
    assert_int_equal(world->published, rev + 2);
    /* What ends nothing is not told of, nor what was not done. */
    ask(world, &call, "io.emsa.Set",
        json_pack("{s:[o]}", "operations", operation("prod/web/C", NULL)));
    call_release(&call);
    ask(world, &call, "io.emsa.Set",
        json_pack("{s:[o], s:b}", "operations", operation("prod/web/C", json_integer(5)), "dry_run",
                  1));
    assert_null(call.error);
    call_release(&call);
    assert_int_equal(world->expiring, -1);
}

static void shown(void **state)
{
    struct world *world = *state;
    struct call call;
    int64_t next;
    fill(world);
    const int64_t moment = world->expiring;
    ask(world, &call, "io.emsa.Status", json_object());
    assert_int_equal(json_integer_value(json_object_get(call.reply, "expiring")), 2);
    assert_int_equal(json_integer_value(json_object_get(call.reply, "next_expiry")), moment);
    call_release(&call);
    ask(world, &call, "io.emsa.List", json_pack("{s:s}", "path", "prod/web"));
    json_t *items = json_object_get(call.reply, "items");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(items, 1), "expires")),
                     moment);
    assert_null(json_object_get(json_array_get(items, 2), "expires"));
    call_release(&call);
    assert_int_equal(service_expire(world->dispatcher, &next, moment), 0);
    ask(world, &call, "io.emsa.Show", json_pack("{s:I}", "rev", (json_int_t)world->published));
    json_t *done = json_array_get(json_object_get(call.reply, "operations"), 0);
    assert_string_equal(json_string_value(json_object_get(done, "kind")), "expire");
    assert_string_equal(json_string_value(json_object_get(done, "path")), "prod/web/B");
    assert_int_equal(json_integer_value(json_object_get(done, "expires")), moment);
    json_t *commit = json_object_get(call.reply, "commit");
    assert_string_equal(json_string_value(json_object_get(commit, "author")),
                        "emsa (expiry of rev 3)");
    call_release(&call);
    ask(world, &call, "io.emsa.Show", json_pack("{s:i}", "rev", 3));
    done = json_array_get(json_object_get(call.reply, "operations"), 3);
    assert_string_equal(json_string_value(json_object_get(done, "kind")), "set");
    assert_int_equal(json_integer_value(json_object_get(done, "expires")), moment);
    call_release(&call);
    assert_int_equal(service_expire(world->dispatcher, &next, moment + 1000 * SECOND), 0);
    ask(world, &call, "io.emsa.Status", json_object());
    assert_int_equal(json_integer_value(json_object_get(call.reply, "expiring")), 0);
    assert_null(json_object_get(call.reply, "next_expiry"));
    call_release(&call);
}

static void refused(void **state)
{
    struct world *world = *state;
    static const char *const wrong[] = {
        "0", "-1", "1.5", "\"30s\"", "true", "315360001", "[30]", "9223372036854775807", "{}"};
    const uint64_t rev = store_revision(world->store);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct call call;
        ask(world, &call, "io.emsa.Set",
            json_pack("{s:[o, o]}", "operations", operation("prod/web/C", NULL),
                      operation("prod/web/A", json_loads(wrong[i], JSON_DECODE_ANY, NULL))));
        if (call.error == NULL || strcmp(call.error, "io.emsa.Invalid") != 0)
            fail_msg("%s: %s", wrong[i], call.error != NULL ? call.error : "no error");
        call_release(&call);
    }
    assert_int_equal(store_revision(world->store), rev);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(host_hears), TEST(shown), TEST(refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
