/* Watch, over a store of its own: what is told from where on, and who may hear it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/change.h"
#include "store/error.h"
#include "store/identity.h"
#include "store/secret.h"
#include "tools/service/service.h"

struct world {
    char folder[64];
    char path[96];
    struct store *store;
    struct dispatcher *dispatcher;
    uint64_t told;
};

static uint64_t give_told(void *arg)
{
    struct world *world = arg;
    return world->told;
}

static void set(struct world *world, const char *path, const char *value)
{
    struct change *change;
    struct change_terms terms = {.author = {.name = "test"}, .reason = "why"};
    struct change_result result = {0};
    struct path parsed;
    assert_int_equal(path_parse(&parsed, path, strlen(path)), 0);
    assert_int_equal(change_new(&change, world->store), 0);
    if (value != NULL)
        assert_int_equal(change_set_plain(change, &parsed, value, strlen(value)), 0);
    else if (path_depth(&parsed) == PATH_ENVIRONMENT)
        assert_int_equal(change_environment_add(change, path, NULL), 0);
    else
        assert_int_equal(change_remove(change, &parsed), 0);
    assert_int_equal(change_commit(change, &terms, &result), 0);
    world->told = result.rev;
    change_result_release(&result);
    change_free(change);
}

static int begin(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct identity *identity;
    struct author author = {.name = "test"};
    assert_non_null(world);
    snprintf(world->folder, sizeof world->folder, "/tmp/emsa-watch.XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    snprintf(world->path, sizeof world->path, "%s/store", world->folder);
    assert_int_equal(identity_new(&identity), 0);
    assert_int_equal(store_create(world->path, identity, &author), 0);
    identity_free(identity);
    struct store_options options = {.path = world->path, .lock_fd = -1};
    assert_int_equal(store_open(&world->store, &options), 0);
    struct service_host host = {.arg = world, .told = give_told};
    assert_int_equal(service_new(&world->dispatcher, world->store, &host), 0);
    set(world, "prod", NULL);         /* revision 2 */
    set(world, "prod/web/A", "1");    /* 3, the service too */
    set(world, "prod/web/A", "2");    /* 4 */
    set(world, "prod/api/WEB", "1");  /* 5 */
    set(world, "prod/web/A", NULL);   /* 6 */
    set(world, "prod/web/AA", "100"); /* 7 */
    *state = world;
    return 0;
}

static int end(void **state)
{
    static const char *const names[] = {"data.mdb", "lock.mdb", "owner.lock"};
    struct world *world = *state;
    service_free(world->dispatcher);
    store_close(world->store);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[160];
        snprintf(path, sizeof path, "%s/%s", world->path, names[i]);
        unlink(path);
    }
    rmdir(world->path);
    rmdir(world->folder);
    free(world);
    return 0;
}

/* Calls with parameters that are taken over. */
static void ask_as(struct world *world, struct call *call, uid_t uid, json_t *parameters)
{
    assert_non_null(parameters);
    *call = (struct call){.caller = {.uid = uid, .gid = uid, .pid = 7},
                          .method = "io.emsa.Watch",
                          .parameters = parameters,
                          .input = -1};
    assert_int_equal(service_call(world->dispatcher, call), 0);
    assert_non_null(call->reply);
    json_decref(parameters);
}

static void fails(struct world *world, uid_t uid, const char *error, json_t *parameters)
{
    struct call call;
    ask_as(world, &call, uid, parameters);
    assert_non_null(call.error);
    assert_string_equal(call.error, error);
    assert_null(call.again);
    call_release(&call);
}

/* "rev:mark path" of each change. */
static void expect(struct world *world, struct call *call, json_t *parameters, const char *expected)
{
    char told[1024] = "";
    size_t i, j;
    json_t *commit, *change;
    ask_as(world, call, getuid(), parameters);
    if (call->error != NULL)
        fail_msg("%s", json_string_value(json_object_get(call->reply, "message")));
    json_array_foreach(json_object_get(call->reply, "commits"), i, commit)
        json_array_foreach(json_object_get(commit, "changes"), j, change)
            snprintf(told + strlen(told), sizeof told - strlen(told), "%s%d:%s%s", *told ? " " : "",
                     (int)json_integer_value(json_object_get(commit, "rev")),
                     json_string_value(json_object_get(change, "mark")),
                     json_string_value(json_object_get(change, "path")));
    assert_string_equal(told, expected);
    assert_true(call->is_idle == (expected[0] == '\0'));
    assert_non_null(call->again);
}

static void expect_only(struct world *world, json_t *parameters, const char *expected)
{
    struct call call;
    expect(world, &call, parameters, expected);
    assert_true(call.awaited == world->told + 1);
    call_release(&call);
}

static void an_environment_a_service_a_key(void **state)
{
    struct world *world = *state;
    expect_only(world, json_pack("{s:[s], s:i}", "paths", "prod", "from", 4),
                "4:~prod/web/A 5:+prod/api 5:+prod/api/WEB 6:-prod/web/A 7:+prod/web/AA");
    expect_only(world, json_pack("{s:[s], s:i}", "paths", "prod/web", "from", 0),
                "3:+prod/web 3:+prod/web/A 4:~prod/web/A 6:-prod/web/A 7:+prod/web/AA");
    expect_only(world, json_pack("{s:[s, s], s:i}", "paths", "prod/web/A", "prod/api", "from", 4),
                "4:~prod/web/A 5:+prod/api 5:+prod/api/WEB 6:-prod/web/A");
    expect_only(world, json_pack("{s:[s]}", "paths", "prod"), "");
}

static void goes_on_where_it_was(void **state)
{
    struct world *world = *state;
    struct call call;
    /* within a commit, and with places that were never there */
    expect_only(world, json_pack("{s:[s], s:i, s:i}", "paths", "prod", "from", 5, "op", 1),
                "5:+prod/api/WEB 6:-prod/web/A 7:+prod/web/AA");
    expect_only(world, json_pack("{s:[s], s:i, s:i}", "paths", "none/at/ALL", "from", 5, "op", 1),
                "");
    expect(world, &call, json_pack("{s:[s]}", "paths", "prod/web"), "");
    json_t *again = json_incref(call.again);
    call_release(&call);
    set(world, "prod/web/A", "3");
    world->told--; /* committed, and not published */
    expect_only(world, json_incref(again), "");
    world->told++;
    expect_only(world, again, "8:+prod/web/A");
}

/* What was set elsewhere and is in effect here is told here. */
static void what_is_inherited(void **state)
{
    struct world *world = *state;
    set(world, "all/web/B", "1");  /* 8 */
    set(world, "prod/web/B", "2"); /* 9 */
    set(world, "all/web/B", "3");  /* 10: covered */
    set(world, "prod/web/B", NULL);
    set(world, "all/web/B", NULL); /* 12 */
    expect_only(world, json_pack("{s:[s], s:i}", "paths", "prod", "from", 8),
                "8:+prod/web/B 9:~prod/web/B 11:~prod/web/B 12:-prod/web/B");
    expect_only(world, json_pack("{s:[s], s:i}", "paths", "all/web", "from", 8),
                "8:+all/web 8:+all/web/B 10:~all/web/B 12:-all/web/B");
}

static void a_piece_at_a_time(void **state)
{
    struct world *world = *state;
    json_t *parameters = json_pack("{s:[s], s:i}", "paths", "prod/large", "from", 0);
    struct change *change;
    struct change_terms terms = {.author = {.name = "test"}, .reason = ""};
    struct change_result result = {0};
    assert_int_equal(change_new(&change, world->store), 0);
    for (int i = 0; i < 2000; i++) {
        struct path path = {.environment = "prod", .service = "large"};
        snprintf(path.key, sizeof path.key, "KEY_%d", i);
        assert_int_equal(change_set_plain(change, &path, "x", 1), 0);
    }
    assert_int_equal(change_commit(change, &terms, &result), 0);
    change_free(change);
    change_result_release(&result);
    world->told++;
    size_t count = 0, pieces = 0;
    for (uint64_t awaited = 0; awaited == 0; pieces++) {
        struct call call;
        ask_as(world, &call, getuid(), parameters);
        char *text = json_dumps(call.reply, JSON_COMPACT);
        assert_true(strlen(text) < 65536);
        free(text);
        json_t *commit = json_array_get(json_object_get(call.reply, "commits"), 0);
        count += json_array_size(json_object_get(commit, "changes"));
        awaited = call.awaited;
        parameters = json_incref(call.again);
        call_release(&call);
    }
    json_decref(parameters);
    assert_int_equal(count, 2001); /* the service too */
    assert_true(pieces > 4);
}

static void what_is_refused(void **state)
{
    struct world *world = *state;
    static const char none[] = "io.emsa.NotFound", wrong[] = "io.emsa.Invalid";
    fails(world, 0, none, json_pack("{s:[s], s:i}", "paths", "prod", "from", 9));
    fails(world, 0, none, json_pack("{s:[s, s]}", "paths", "prod", "prod/wev"));
    fails(world, 0, wrong, json_pack("{s:[]}", "paths"));
    fails(world, 0, wrong, json_pack("{s:[i]}", "paths", 1));
    fails(world, 0, wrong, json_pack("{s:[s], s:i}", "paths", "prod", "from", -1));
    fails(world, 0, wrong,
          json_pack("{s:[s], s:i, s:I}", "paths", "prod", "from", 1, "op", (json_int_t)1 << 40));
    fails(world, 4242, "io.emsa.Denied", json_pack("{s:[s]}", "paths", "prod/web/A"));
}

static void without_a_server(void **state)
{
    struct world *world = *state;
    struct dispatcher *before = world->dispatcher;
    assert_int_equal(service_new(&world->dispatcher, world->store, NULL), 0);
    fails(world, 0, "io.emsa.NotFound", json_pack("{s:[s]}", "paths", "prod"));
    service_free(world->dispatcher);
    world->dispatcher = before;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_environment_a_service_a_key),
        TEST(goes_on_where_it_was),
        TEST(what_is_inherited),
        TEST(a_piece_at_a_time),
        TEST(what_is_refused),
        TEST(without_a_server),
    };
    if (secret_setup(1u << 20) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
