/* What a Set is made of: each kind does what its word says, in order, all or nothing of it; what is
 * malformed is told by name; each kind takes its own right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "store/secret.h"
#include "world.h"

/* "mark path note" of each line of a Set. */
static void expect_lines(struct world *world, const char *operations, const char *expected)
{
    char found[2048] = "";
    size_t index;
    json_t *line;
    json_t *reply =
        world_reply(world, "Set", world_json("{'operations': %s, 'reason': 'why'}", operations));
    json_array_foreach(json_object_get(reply, "lines"), index, line)
    {
        const char *note = json_string_value(json_object_get(line, "note"));
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%s%s%s%s",
                 index > 0 ? ", " : "", json_string_value(json_object_get(line, "mark")),
                 json_string_value(json_object_get(line, "path")), note != NULL ? " " : "",
                 note != NULL ? note : "");
    }
    json_decref(reply);
    assert_string_equal(found, expected);
}

static void fill(struct world *world)
{
    world_set(world,
              "[{'kind': 'environment', 'path': 'prod'},"
              " {'kind': 'plain', 'path': 'prod/shared/HOST', 'value': 'db1'},"
              " {'kind': 'secret', 'path': 'prod/shared/PASSWORD', 'size': 14},"
              " {'kind': 'share', 'path': 'prod/shared/PASSWORD', 'with': 'web'},"
              " {'kind': 'link', 'path': 'prod/web/HOST', 'value': 'shared/HOST'},"
              " {'kind': 'template', 'path': 'prod/web/URL', 'size': 39}]",
              "hunter2hunter2x://u:${shared/PASSWORD|url}@${HOST}/$$");
}

static void every_kind(void **state)
{
    struct world *world = *state;
    struct call call;
    fill(world);
    world_ask(world, &call, 0, "Get",
              world_json("{'paths': ['prod/web/HOST', 'prod/web/URL'], 'reveal': true}"), NULL);
    assert_null(call.error);
    assert_int_equal(call.part_count, 2);
    assert_memory_equal(call.parts[0].plain.data, "db1", 3);
    assert_true(call.parts[1].is_secret);
    assert_int_equal(call.parts[1].secret.size, strlen("x://u:hunter2hunter2@db1/$"));
    assert_memory_equal(call.parts[1].secret.data, "x://u:hunter2hunter2@db1/$",
                        call.parts[1].secret.size);
    call_release(&call);
    expect_lines(world,
                 "[{'kind': 'service', 'path': 'prod/api'},"
                 " {'kind': 'copy', 'path': 'prod/api/HOST', 'from': 'prod/web/HOST'},"
                 " {'kind': 'move', 'path': 'prod/api/H', 'from': 'prod/api/HOST'},"
                 " {'kind': 'share', 'path': 'prod/shared/PASSWORD', 'with': '*'},"
                 " {'kind': 'lock', 'path': 'prod/api'},"
                 " {'kind': 'environment', 'path': 'dev', 'ttl': 3600}]",
                 "+prod/api, +prod/api/HOST, -prod/api/HOST, +prod/api/H, +prod/shared/PASSWORD "
                 "shared with every service, "
                 "+prod/api locked, +dev");
    expect_lines(
        world,
        "[{'kind': 'unlock', 'path': 'prod/api'}, {'kind': 'remove', 'path': 'prod/api/H'},"
        " {'kind': 'unshare', 'path': 'prod/shared/PASSWORD', 'with': '*'}]",
        "-prod/api unlocked, -prod/api/H, -prod/shared/PASSWORD no longer shared with "
        "every service");
    expect_lines(world, "[{'kind': 'share', 'path': 'prod/shared/PASSWORD', 'with': 'web'}]",
                 "=prod/shared/PASSWORD shared with web");
}

/* An environment that another one stands on has its services at once. */
static void environments(void **state)
{
    struct world *world = *state;
    world_set(world,
              "[{'kind': 'environment', 'path': 'preview'},"
              " {'kind': 'plain', 'path': 'preview/web/A', 'value': '1'},"
              " {'kind': 'environment', 'path': 'preview-1', 'base': 'preview'},"
              " {'kind': 'environment', 'path': 'prod', 'protected': true},"
              " {'kind': 'plain', 'path': 'all/web/B', 'value': '2'}]",
              NULL);
    json_t *reply = world_reply(world, "EnvironmentList", json_object());
    json_t *items = json_object_get(reply, "items");
    assert_string_equal(world_members(items, "name"), "all preview preview-1 prod");
    assert_string_equal(world_members(items, "base"), "  preview ");
    assert_string_equal(world_members(items, "protected"), "   true");
    json_decref(reply);
    reply = world_reply(world, "List", world_json("{'path': 'preview-1/web'}"));
    items = json_object_get(reply, "items");
    assert_string_equal(world_members(items, "name"), "A B");
    assert_string_equal(world_members(items, "origin"), "base all");
    json_decref(reply);
    world_fails(world, "Set",
                world_json("{'operations': [{'kind': 'service', 'path': 'prod/web'}]}"), "Refused",
                "needs a reason");
    world_fails(world, "EnvironmentAdd", world_json("{'names': ['x'], 'base': 'none'}"), "NotFound",
                "none");
    reply = world_reply(world, "EnvironmentAdd",
                        world_json("{'names': ['x', 'y'], 'base': 'preview', 'ttl': 60}"));
    json_decref(reply);
    reply = world_reply(world, "EnvironmentList", json_object());
    assert_string_equal(world_members(json_object_get(reply, "items"), "base"),
                        "  preview  preview preview");
    assert_true(strlen(world_member(reply, "items.4.expires")) > 0);
    json_decref(reply);
}

static void malformed(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *operation, *words;
    } rows[] = {
        {"7", "path"},
        {"{'path': 'prod/web/A'}", "plain, secret"},
        {"{'kind': 'plan', 'path': 'prod/web/A', 'value': 'x'}", "none of"},
        {"{'kind': 'plain', 'path': 'prod/web/A'}", "neither a value nor a size"},
        {"{'kind': 'plain', 'path': 'prod/web/A', 'value': 7}", "'value' is not a text"},
        {"{'kind': 'plain', 'path': 'prod/web/A', 'size': 1048577}", "over 1048576"},
        {"{'kind': 'secret', 'path': 'prod/web/A', 'value': 'x'}", "in the stream"},
        {"{'kind': 'link', 'path': 'prod/web/A'}", "no 'value'"},
        {"{'kind': 'link', 'path': 'prod/web/A', 'value': 'a/b/c'}",
         "an environment cannot be named"},
        {"{'kind': 'link', 'path': 'prod/web', 'value': 'a/b'}", "prod/web"},
        {"{'kind': 'template', 'path': 'prod/web/A', 'value': 'ab$c'}", "column 3"},
        {"{'kind': 'share', 'path': 'prod/web/A'}", "no 'with'"},
        {"{'kind': 'share', 'path': 'prod/web/A', 'with': 'a b'}", "a b"},
        {"{'kind': 'share', 'path': 'prod/web', 'with': 'api'}", "prod/web"},
        {"{'kind': 'share', 'path': 'prod/web/A', 'with': 'api', 'ttl': 5}", "cannot end"},
        {"{'kind': 'lock', 'path': ''}", ""},
        {"{'kind': 'copy', 'path': 'prod/web/A'}", "path"},
        {"{'kind': 'copy', 'path': 'prod/web/A', 'from': 'prod/web'}", "prod/web"},
        {"{'kind': 'environment', 'path': 'a/b'}", "not the name of an environment"},
        {"{'kind': 'environment', 'path': 'a', 'base': 7}", "base"},
        {"{'kind': 'environment', 'path': 'a', 'ttl': 0}", "at least a second"},
        {"{'kind': 'plain', 'path': 'prod/web/A', 'value': 'x', 'ttl': 0}", ""},
        {"{'kind': 'plain', 'path': 'prod/web', 'keys': ['A', 'B'], 'sizes': [0]}", "same length"},
        {"{'kind': 'plain', 'path': 'prod/web', 'keys': [], 'sizes': []}", "same length"},
        {"{'kind': 'plain', 'path': 'prod/web', 'keys': ['A']}", "same length"},
        {"{'kind': 'plain', 'path': 'prod/web', 'keys': ['A'], 'sizes': [-1]}", "prod/web/A"},
        {"{'kind': 'plain', 'path': 'prod/web', 'keys': ['a/b'], 'sizes': [0]}", "a/b"},
        {"{'kind': 'plain', 'path': 'prod/web', 'keys': [''], 'sizes': [0]}", "'keys'"},
        {"{'kind': 'plain', 'path': 'prod/web', 'keys': [7], 'sizes': [0]}", "'keys'"},
        {"{'kind': 'plain', 'path': 'prod/web/A', 'keys': ['A'], 'sizes': [0]}", "of a service"},
        {"{'kind': 'link', 'path': 'prod/web', 'keys': ['A'], 'sizes': [0]}", "'keys' stands with"},
        {"{'kind': 'plain', 'path': 'prod/web', 'keys': ['A'], 'sizes': [5]}", "stream"},
    };
    fill(world);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        world_fails(world, "Set",
                    world_json("{'operations': [{'kind': 'plain', 'path': 'prod/web/Z', 'value': "
                               "'z'}, %s], 'reason': 'why'}",
                               rows[i].operation),
                    "Invalid", rows[i].words);
}

/* Many keys of one service as one operation, told of in groups or one by one. */
static void several(void **state)
{
    struct world *world = *state;
    struct call call;
    fill(world);
    world_set(world,
              "[{'kind': 'plain', 'path': 'prod/api', 'keys': ['A', 'B', 'C'], 'sizes': [3, 0, 2]},"
              " {'kind': 'secret', 'path': 'prod/api', 'keys': ['S', 'T'], 'sizes': [6, 14]},"
              " {'kind': 'template', 'path': 'prod/api', 'keys': ['U'], 'sizes': [5]}]",
              "onexyhiddenhunter2hunter2${C}!");
    world_ask(world, &call, 0, "Get", world_json("{'paths': ['prod/api'], 'reveal': true}"), NULL);
    assert_null(call.error);
    assert_int_equal(call.part_count, 6);
    assert_memory_equal(call.parts[0].plain.data, "one", 3);
    assert_int_equal(call.parts[1].plain.size, 0);
    assert_memory_equal(call.parts[2].plain.data, "xy", 2);
    assert_memory_equal(call.parts[3].secret.data, "hidden", 6);
    assert_memory_equal(call.parts[4].secret.data, "hunter2hunter2", 14);
    assert_memory_equal(call.parts[5].plain.data, "xy!", 3);
    call_release(&call);
    world_ask(world, &call, 0, "Set",
              world_json("{'operations': [{'kind': 'plain', 'path': 'prod/api', 'keys': ['A', 'B', "
                         "'D', 'E'], 'sizes': [1, 1, 1, 1], 'ttl': 60},"
                         " {'kind': 'plain', 'path': 'prod/web', 'keys': ['E'], 'sizes': [1]}],"
                         " 'grouped': true, 'reason': 'why'}"),
              "12345");
    assert_null(call.error);
    json_t *lines = json_object_get(call.reply, "lines");
    assert_string_equal(world_members(lines, "mark"), "~ + +");
    assert_string_equal(world_members(lines, "path"), "prod/api prod/api prod/web/E");
    json_t *keys = json_object_get(json_array_get(lines, 0), "keys");
    assert_int_equal(json_array_size(keys), 2);
    assert_string_equal(json_string_value(json_array_get(keys, 1)), "B");
    assert_true(json_is_integer(json_object_get(json_array_get(lines, 1), "expires")));
    assert_null(json_object_get(json_array_get(lines, 2), "keys"));
    call_release(&call);
}

/* Nobody but root and the owner has any of the rights: what is judged is told by what was denied.
 */
static void rights(void **state)
{
    struct world *world = *state;
    struct call call;
    static const char *const operations[] = {
        "{'kind': 'plain', 'path': 'prod/web/A', 'value': 'x'}",
        "{'kind': 'environment', 'path': 'dev'}",
        "{'kind': 'share', 'path': 'prod/shared/PASSWORD', 'with': 'api'}",
        "{'kind': 'unlock', 'path': 'prod'}",
        "{'kind': 'copy', 'path': 'prod/web/A', 'from': 'prod/shared/PASSWORD'}",
        "{'kind': 'plain', 'path': 'prod/web', 'keys': ['A'], 'sizes': [0]}",
        "{'kind': 'unheard', 'path': 'prod/web/A'}",
        "'prod/web/A'",
    };
    fill(world);
    if (geteuid() != 0)
        return;
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        world_ask(world, &call, 4242, "Set", world_json("{'operations': [%s]}", operations[i]),
                  NULL);
        assert_string_equal(call.error, "io.emsa.Denied");
        call_release(&call);
    }
    static const char *const methods[] = {"Copy", "Move", "EnvironmentCopy"};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        world_ask(world, &call, 4242, methods[i],
                  world_json("{'from': 'prod/web', 'to': 'prod/other'}"), NULL);
        assert_string_equal(call.error, "io.emsa.Denied");
        call_release(&call);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, world_begin, world_end)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(every_kind), TEST(environments), TEST(malformed), TEST(several), TEST(rights),
    };
    if (secret_setup(8u << 20) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
