/* The dispatcher over a store of its own: rights before anything, parameters checked, values by
 * stream and parts, lists in pieces, changes once, failures as names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/change.h"
#include "store/error.h"
#include "store/identity.h"
#include "tools/service/failure.h"
#include "tools/service/service.h"
#include "tools/service/verb.h"
#include "tools/service/wish.h"

struct world {
    char folder[64];
    char path[96];
    struct store *store;
    struct dispatcher *dispatcher;
    uint64_t published;
    int stopped;
};

static int note_published(void *arg, uint64_t rev)
{
    struct world *world = arg;
    world->published = rev;
    return 0;
}

static int note_stop(void *arg)
{
    struct world *world = arg;
    world->stopped++;
    return 0;
}

static int give_mount(void *arg, const struct view_wish *wish, struct view_made *out)
{
    (void)arg;
    if (wish->is_masked)
        return error_set(ERR_DENIED, "not that one");
    out->mount_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    out->view = 7;
    return 0;
}

static int begin(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct identity *identity;
    struct author author = {.name = "test"};
    assert_non_null(world);
    snprintf(world->folder, sizeof world->folder, "/tmp/emsa-service.XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    snprintf(world->path, sizeof world->path, "%s/store", world->folder);
    assert_int_equal(identity_new(&identity), 0);
    assert_int_equal(store_create(world->path, identity, &author), 0);
    struct store_options options = {.path = world->path, .lock_fd = -1};
    assert_int_equal(store_open(&world->store, &options), 0);
    char public_text[IDENTITY_TEXT_MAX];
    identity_public(identity, public_text);
    assert_int_equal(store_unlock(world->store, identity), 0);
    struct service_host host = {
        .arg = world, .published = note_published, .stop = note_stop, .mount = give_mount};
    assert_int_equal(service_new(&world->dispatcher, world->store, &host), 0);
    service_auditor(world->dispatcher, public_text);
    *state = world;
    return 0;
}

static int end(void **state)
{
    static const char *const names[] = {"data.mdb", "lock.mdb", "owner.lock", "audit/key",
                                        "audit/record.000001"};
    struct world *world = *state;
    service_free(world->dispatcher);
    store_close(world->store);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[160];
        snprintf(path, sizeof path, "%s/%s", world->path, names[i]);
        unlink(path);
    }
    char audit[160];
    snprintf(audit, sizeof audit, "%s/audit", world->path);
    rmdir(audit);
    rmdir(world->path);
    rmdir(world->folder);
    free(world);
    return 0;
}

/* Calls as root with these bytes as the stream; parameters are taken over. */
static void ask_as(struct world *world, struct call *call, uid_t uid, const char *method,
                   json_t *parameters, const char *stream)
{
    int ends[2] = {-1, -1};
    assert_non_null(parameters);
    if (stream != NULL) {
        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], stream, strlen(stream)), strlen(stream));
        close(ends[1]);
    }
    *call = (struct call){.caller = {.uid = uid, .gid = uid, .pid = 7},
                          .method = method,
                          .parameters = parameters,
                          .input = ends[0],
                          .input_deadline = 5000};
    assert_int_equal(service_call(world->dispatcher, call), 0);
    assert_non_null(call->reply);
    if (ends[0] >= 0)
        close(ends[0]);
    json_decref(parameters);
}

static void ask(struct world *world, struct call *call, const char *method, json_t *parameters,
                const char *stream)
{
    ask_as(world, call, 0, method, parameters, stream);
}

static void expect_error(struct world *world, const char *error, const char *method,
                         json_t *parameters)
{
    struct call call;
    ask(world, &call, method, parameters, NULL);
    if (call.error == NULL || strcmp(call.error, error) != 0)
        fail_msg("%s: expected %s, found %s: %s", method, error,
                 call.error != NULL ? call.error : "none",
                 json_string_value(json_object_get(call.reply, "message")));
    assert_true(json_is_string(json_object_get(call.reply, "message")));
    assert_true(json_is_array(json_object_get(call.reply, "reasons")));
    call_release(&call);
}

static json_int_t number(const struct call *call, const char *name)
{
    return json_integer_value(json_object_get(call->reply, name));
}

/* prod with web: A plain "one", B plain "", S secret "hidden". */
static void fill(struct world *world)
{
    struct call call;
    ask(world, &call, "io.emsa.EnvironmentAdd", json_pack("{s:[s]}", "names", "prod"), NULL);
    assert_null(call.error);
    call_release(&call);
    ask(world, &call, "io.emsa.Set",
        json_pack("{s:[{s:s,s:s,s:i},{s:s,s:s,s:i},{s:s,s:s,s:i}], s:s}", "operations", "path",
                  "prod/web/A", "kind", "plain", "size", 3, "path", "prod/web/B", "kind", "plain",
                  "size", 0, "path", "prod/web/S", "kind", "secret", "size", 6, "reason", "why"),
        "onehidden");
    if (call.error != NULL)
        fail_msg("%s", json_string_value(json_object_get(call.reply, "message")));
    assert_int_equal(number(&call, "rev"), 3);
    assert_int_equal(number(&call, "made"), 4); /* the service too */
    assert_true(json_is_true(json_object_get(call.reply, "committed")));
    assert_int_equal(world->published, 3);
    call_release(&call);
}

static void values(void **state)
{
    struct world *world = *state;
    struct call call;
    fill(world);
    ask(world, &call, "io.emsa.Get", json_pack("{s:[s], s:b}", "paths", "prod/web", "reveal", 1),
        NULL);
    assert_null(call.error);
    assert_int_equal(call.part_count, 3);
    assert_int_equal(number(&call, "values"), 0);
    assert_true(json_is_integer(json_object_get(call.reply, "values")));
    assert_false(call.parts[0].is_secret);
    assert_int_equal(call.parts[0].plain.size, 3);
    assert_memory_equal(call.parts[0].plain.data, "one", 3);
    assert_int_equal(call.parts[1].plain.size, 0);
    assert_true(call.parts[2].is_secret);
    assert_int_equal(call.parts[2].secret.size, 6);
    assert_memory_equal(call.parts[2].secret.data, "hidden", 6);
    json_t *entry = json_array_get(json_object_get(call.reply, "entries"), 2);
    assert_string_equal(json_string_value(json_object_get(entry, "kind")), "secret");
    assert_int_equal(json_integer_value(json_object_get(entry, "size")), 6);
    /* not one byte of a value in the JSON */
    char *text = json_dumps(call.reply, 0);
    assert_null(strstr(text, "hidden"));
    assert_null(strstr(text, "\"one\""));
    free(text);
    call_release(&call);

    expect_error(world, "io.emsa.Refused", "io.emsa.Get",
                 json_pack("{s:[s]}", "paths", "prod/web"));
    expect_error(world, "io.emsa.Refused", "io.emsa.Get",
                 json_pack("{s:[s]}", "paths", "prod/web/S"));
    ask(world, &call, "io.emsa.Get",
        json_pack("{s:[s], s:b}", "paths", "prod/web", "skip_secrets", 1), NULL);
    assert_int_equal(call.part_count, 2);
    call_release(&call);
}

/* All that is missing is told, not the first only, and nothing is given. */
static void missing(void **state)
{
    struct world *world = *state;
    struct call call;
    fill(world);
    ask(world, &call, "io.emsa.Get",
        json_pack("{s:[s,s,s]}", "paths", "prod/web/A", "prod/web/AA", "prod/wbe/A"), NULL);
    assert_string_equal(call.error, "io.emsa.NotFound");
    assert_non_null(
        strstr(json_string_value(json_object_get(call.reply, "message")), "did you mean 'A'"));
    assert_int_equal(json_array_size(json_object_get(call.reply, "reasons")), 1);
    assert_int_equal(call.part_count, 0);
    call_release(&call);
}

static void streams(void **state)
{
    struct world *world = *state;
    struct call call;
    fill(world);
    /* shorter than promised: nothing is changed */
    ask(world, &call, "io.emsa.Set",
        json_pack("{s:[{s:s,s:s,s:i},{s:s,s:s,s:i}]}", "operations", "path", "prod/web/C", "kind",
                  "plain", "size", 2, "path", "prod/web/D", "kind", "secret", "size", 9),
        "ccshort");
    assert_string_equal(call.error, "io.emsa.Invalid");
    call_release(&call);
    assert_int_equal(store_revision(world->store), 3);
    expect_error(world, "io.emsa.Invalid", "io.emsa.Set",
                 json_pack("{s:[{s:s,s:s,s:i}]}", "operations", "path", "prod/web/C", "kind",
                           "plain", "size", 2));
    expect_error(world, "io.emsa.Invalid", "io.emsa.Set",
                 json_pack("{s:[{s:s,s:s,s:s}]}", "operations", "path", "prod/web/C", "kind",
                           "secret", "value", "x"));
    expect_error(world, "io.emsa.Invalid", "io.emsa.Set",
                 json_pack("{s:[{s:s,s:s,s:i}]}", "operations", "path", "prod/web/C", "kind",
                           "plain", "size", VALUE_MAX + 1));
    /* small plain text may stand in the parameters */
    ask(world, &call, "io.emsa.Set",
        json_pack("{s:[{s:s,s:s,s:s}]}", "operations", "path", "prod/web/C", "kind", "plain",
                  "value", "text"),
        NULL);
    assert_null(call.error);
    call_release(&call);
}

static void parameters(void **state)
{
    struct world *world = *state;
    fill(world);
    static const char *const wrong[] = {
        "{\"names\": 7}",
        "{\"names\": []}",
        "{\"names\": [7]}",
        "{\"names\": [\"a/b\"]}",
        "{\"names\": [\"dev\"], \"if_rev\": \"3\"}",
        "{\"names\": [\"dev\"], \"dry_run\": 1}",
        "{\"names\": [\"dev\"], \"request_id\": \"zz\"}",
        "{\"names\": [\"dev\"], \"reason\": 5}",
        "{\"names\": [\"dev\"], \"if_rev\": -1}",
        "{}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        expect_error(world, "io.emsa.Invalid", "io.emsa.EnvironmentAdd",
                     json_loads(wrong[i], 0, NULL));
    assert_int_equal(store_revision(world->store), 3);
}

static void once(void **state)
{
    struct world *world = *state;
    struct call call;
    for (int i = 0; i < 2; i++) {
        ask(world, &call, "io.emsa.EnvironmentAdd",
            json_pack("{s:[s], s:s}", "names", "prod", "request_id",
                      "00112233445566778899aabbccddeeff"),
            NULL);
        assert_null(call.error);
        assert_int_equal(number(&call, "rev"), 2);
        assert_int_equal(json_is_true(json_object_get(call.reply, "repeated")), i == 1);
        call_release(&call);
    }
    assert_int_equal(store_revision(world->store), 2);
}

static void conflicts(void **state)
{
    struct world *world = *state;
    struct call call;
    fill(world);
    expect_error(world, "io.emsa.Conflict", "io.emsa.Remove",
                 json_pack("{s:[s], s:i, s:s}", "paths", "prod/web/A", "if_rev", 2, "if_path",
                           "prod/web/A"));
    ask(world, &call, "io.emsa.Remove",
        json_pack("{s:[s], s:i, s:s, s:b}", "paths", "prod/web/A", "if_rev", 3, "if_path",
                  "prod/web/A", "dry_run", 1),
        NULL);
    assert_null(call.error);
    assert_true(json_is_true(json_object_get(call.reply, "dry_run")));
    assert_int_equal(number(&call, "removed"), 1);
    call_release(&call);
    assert_int_equal(store_revision(world->store), 3);
}

/* Lists come in pieces that fit together, whatever their size. */
static void lists(void **state)
{
    struct world *world = *state;
    static const char *const whole[] = {"dev",        "prod",       "prod/web", "prod/web/A",
                                        "prod/web/B", "prod/web/S", "prod/zoo", "prod/zoo/A"};
    fill(world);
    struct call call;
    ask(world, &call, "io.emsa.EnvironmentAdd", json_pack("{s:[s]}", "names", "dev"), NULL);
    call_release(&call);
    ask(world, &call, "io.emsa.Set",
        json_pack("{s:[{s:s,s:s,s:s}]}", "operations", "path", "prod/zoo/A", "kind", "plain",
                  "value", "z"),
        NULL);
    call_release(&call);
    for (int limit = 1; limit <= 9; limit++) {
        char after[PATH_TEXT_MAX] = "";
        size_t count = 0;
        bool more = true;
        while (more) {
            size_t index;
            json_t *item;
            ask(world, &call, "io.emsa.Tree",
                json_pack("{s:s, s:i}", "after", after, "limit", limit), NULL);
            assert_null(call.error);
            assert_true(json_array_size(json_object_get(call.reply, "items")) <= (size_t)limit);
            json_array_foreach(json_object_get(call.reply, "items"), index, item)
            {
                assert_true(count < 8);
                assert_string_equal(json_string_value(json_object_get(item, "path")),
                                    whole[count++]);
                snprintf(after, sizeof after, "%s",
                         json_string_value(json_object_get(item, "path")));
            }
            more = json_is_true(json_object_get(call.reply, "more"));
            call_release(&call);
        }
        assert_int_equal(count, 8);
    }
    static const struct {
        const char *method, *path;
        size_t count;
    } rows[] = {{"io.emsa.List", "", 2},         {"io.emsa.List", "prod", 2},
                {"io.emsa.List", "prod/web", 3}, {"io.emsa.List", "prod/web/A", 1},
                {"io.emsa.Tree", "prod", 6},     {"io.emsa.Tree", "prod/web", 3},
                {"io.emsa.List", "dev", 0},      {"io.emsa.ServiceList", "prod", 2}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ask(world, &call, rows[i].method, json_pack("{s:s}", "path", rows[i].path), NULL);
        assert_null(call.error);
        assert_int_equal(json_array_size(json_object_get(call.reply, "items")), rows[i].count);
        call_release(&call);
    }
    /* a place to go on after that is gone meanwhile */
    ask(world, &call, "io.emsa.Tree", json_pack("{s:s}", "after", "gone/web/A"), NULL);
    assert_int_equal(json_array_size(json_object_get(call.reply, "items")), 7);
    call_release(&call);
    expect_error(world, "io.emsa.Invalid", "io.emsa.Tree",
                 json_pack("{s:s, s:s}", "path", "dev", "after", "prod/web"));
    expect_error(world, "io.emsa.NotFound", "io.emsa.List", json_pack("{s:s}", "path", "stage"));
}

static void removal(void **state)
{
    struct world *world = *state;
    struct call call;
    fill(world);
    expect_error(world, "io.emsa.Refused", "io.emsa.EnvironmentRemove",
                 json_pack("{s:[s]}", "names", "prod"));
    expect_error(world, "io.emsa.Refused", "io.emsa.ServiceRemove",
                 json_pack("{s:[s]}", "paths", "prod/web"));
    ask(world, &call, "io.emsa.EnvironmentRemove",
        json_pack("{s:[s], s:b}", "names", "prod", "all", 1), NULL);
    assert_null(call.error);
    assert_int_equal(number(&call, "removed"), 5);
    call_release(&call);
    expect_error(world, "io.emsa.NotFound", "io.emsa.List", json_pack("{s:s}", "path", "prod"));
}

static void past(void **state)
{
    struct world *world = *state;
    struct call call;
    fill(world);
    ask(world, &call, "io.emsa.Log", json_pack("{s:s}", "path", "prod/web/A"), NULL);
    json_t *commits = json_object_get(call.reply, "commits");
    assert_int_equal(json_array_size(commits), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(commits, 0), "reason")),
                        "why");
    call_release(&call);
    ask(world, &call, "io.emsa.Log", json_pack("{s:i}", "limit", 2), NULL);
    assert_int_equal(json_array_size(json_object_get(call.reply, "commits")), 2);
    assert_true(json_is_true(json_object_get(call.reply, "more")));
    call_release(&call);
    ask(world, &call, "io.emsa.Log", json_pack("{s:i}", "before", 2), NULL);
    assert_int_equal(json_array_size(json_object_get(call.reply, "commits")), 1);
    assert_false(json_is_true(json_object_get(call.reply, "more")));
    call_release(&call);
    ask(world, &call, "io.emsa.Show", json_pack("{s:i}", "rev", 3), NULL);
    char *text = json_dumps(call.reply, 0);
    assert_non_null(strstr(text, "\"one\""));
    assert_null(strstr(text, "hidden"));
    free(text);
    call_release(&call);
    expect_error(world, "io.emsa.NotFound", "io.emsa.Show", json_pack("{s:i}", "rev", 99));
    expect_error(world, "io.emsa.Invalid", "io.emsa.Show", json_object());
}

/* Others are refused before anything is looked at, and the refusal is written down. */
static void rights(void **state)
{
    struct world *world = *state;
    struct call call;
    char path[160], line[4096] = "";
    struct stat status;
    size_t denied = 0;
    fill(world);
    if (geteuid() != 0) /* the store's owner is the only other one there is */
        return;
    for (size_t i = 0; i < verb_count; i++) {
        char method[64];
        if (verbs[i].right == RIGHT_NONE) /* what shows that one has some */
            continue;
        snprintf(method, sizeof method, "io.emsa.%s", verbs[i].name);
        ask_as(world, &call, 4242, method,
               json_pack("{s:[s], s:s}", "paths", "prod/web/S", "path", "prod"), NULL);
        if (call.error == NULL || strcmp(call.error, "io.emsa.Denied") != 0)
            fail_msg("%s: %s", method, call.error != NULL ? call.error : "done");
        assert_int_equal(call.part_count, 0);
        call_release(&call);
        denied++;
    }
    assert_int_equal(world->stopped, 0);
    snprintf(path, sizeof path, "%s/audit/record.000001", world->path);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t lines = 0;
    bool named = false;
    while (fgets(line, sizeof line, file) != NULL) {
        lines += strstr(line, "event=denied") != NULL;
        named = named || (strstr(line, "method=Get uid=4242") && strstr(line, "path=prod/web/S"));
    }
    fclose(file);
    assert_int_equal(lines, denied);
    assert_true(named);
}

/* A list with nothing in it is no way around being judged. */
static void nothing_named(void **state)
{
    struct world *world = *state;
    struct call call;
    fill(world);
    if (geteuid() != 0)
        return;
    static const char *const methods[] = {"io.emsa.Get", "io.emsa.Set", "io.emsa.Remove"};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        ask_as(world, &call, 4242, methods[i], json_pack("{s:[], s:[]}", "paths", "operations"),
               NULL);
        assert_string_equal(call.error, "io.emsa.Denied");
        call_release(&call);
    }
}

static void process(void **state)
{
    struct world *world = *state;
    struct call call;
    fill(world);
    ask(world, &call, "io.emsa.Status", json_object(), NULL);
    assert_int_equal(number(&call, "rev"), 3);
    assert_int_equal(number(&call, "entries"), 3);
    assert_true(json_is_true(json_object_get(call.reply, "unlocked")));
    call_release(&call);
    ask(world, &call, "io.emsa.Verify", json_object(), NULL);
    assert_int_equal(number(&call, "faults"), 0);
    call_release(&call);
    ask(world, &call, "io.emsa.Mount", json_object(), NULL);
    assert_true(call.output_fd >= 0);
    assert_true(json_is_integer(json_object_get(call.reply, "mount")));
    call_release(&call);
    assert_int_equal(call.output_fd, -1);
    expect_error(world, "io.emsa.Denied", "io.emsa.Mount", json_pack("{s:b}", "masked", 1));
    ask(world, &call, "io.emsa.Stop", json_object(), NULL);
    assert_null(call.error);
    assert_int_equal(world->stopped, 1);
    call_release(&call);
}

static void introduction(void **state)
{
    struct world *world = *state;
    struct call call;
    ask(world, &call, "org.varlink.service.GetInfo", json_object(), NULL);
    assert_int_equal(json_array_size(json_object_get(call.reply, "interfaces")), 2);
    call_release(&call);
    ask(world, &call, "org.varlink.service.GetInterfaceDescription",
        json_pack("{s:s}", "interface", "io.emsa"), NULL);
    const char *text = json_string_value(json_object_get(call.reply, "description"));
    assert_non_null(text);
    for (size_t i = 0; i < verb_count; i++) {
        char method[64];
        snprintf(method, sizeof method, "\nmethod %s(", verbs[i].name);
        assert_non_null(strstr(text, method));
    }
    call_release(&call);
    static const struct {
        const char *method, *error;
    } rows[] = {
        {"io.emsa.Frobnicate", "org.varlink.service.MethodNotFound"},
        {"io.other.Get", "org.varlink.service.InterfaceNotFound"},
        {"Get", "org.varlink.service.InterfaceNotFound"},
        {"", "org.varlink.service.InterfaceNotFound"},
        {"org.varlink.service.Other", "org.varlink.service.MethodNotFound"},
        {"org.varlink.service.GetInterfaceDescription", "org.varlink.service.InvalidParameter"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ask(world, &call, rows[i].method, json_object(), NULL);
        assert_string_equal(call.error, rows[i].error);
        call_release(&call);
    }
}

static void names(void **state)
{
    (void)state;
    for (int code = 1; code < ERR_COUNT; code++) {
        assert_int_equal(failure_code(failure_name(code)), code);
        assert_string_equal(failure_name(-code), failure_name(code));
    }
    assert_int_equal(failure_code("io.emsa.Other"), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(values),        TEST(missing),
        TEST(streams),       TEST(parameters),
        TEST(once),          TEST(conflicts),
        TEST(lists),         TEST(removal),
        TEST(past),          TEST(rights),
        TEST(nothing_named), TEST(process),
        TEST(introduction),  cmocka_unit_test(names),
    };
    if (secret_setup(8u << 20) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
