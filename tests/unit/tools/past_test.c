/* The past by its verbs: rollback, promote, diff, blame, tags, the log's filters; their parameters,
 * and what they are refused. What they do at length is in tests/integration/history. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/secret.h"
#include "world.h"

#define PASSWORD "correct-horse-battery" /* 21 bytes */

/* Revision 2: prod/web with a secret, and something for all. */
static void fill(struct world *world)
{
    world_set(world,
              "[{'kind': 'environment', 'path': 'prod'}, {'kind': 'environment', 'path': 'dev'},"
              " {'kind': 'plain', 'path': 'prod/web/PORT', 'value': '80'},"
              " {'kind': 'plain', 'path': 'prod/web/HOST', 'value': 'a'},"
              " {'kind': 'secret', 'path': 'prod/web/KEY', 'size': 21},"
              " {'kind': 'plain', 'path': 'all/web/LEVEL', 'value': 'info'}]",
              PASSWORD);
}

static uint64_t change(struct world *world)
{
    return world_set(world,
                     "[{'kind': 'plain', 'path': 'prod/web/PORT', 'value': '81'},"
                     " {'kind': 'plain', 'path': 'prod/web/NEW', 'value': '1'},"
                     " {'kind': 'remove', 'path': 'prod/web/HOST'},"
                     " {'kind': 'plain', 'path': 'all/web/LEVEL', 'value': 'warn'},"
                     " {'kind': 'secret', 'path': 'prod/web/KEY', 'size': 21}]",
                     "another-horse-battery");
}

static void no_secret_in(json_t *reply)
{
    char *text = json_dumps(reply, 0);
    assert_null(strstr(text, "battery"));
    free(text);
}

static void value_is(struct world *world, const char *path, const char *value)
{
    json_t *reply = world_reply(world, "Explain", world_json("{'path': '%s'}", path));
    assert_string_equal(world_member(reply, "entry.value"), value);
    json_decref(reply);
}

static void rolled_back(void **state)
{
    struct world *world = *state;
    fill(world);
    change(world);
    json_t *reply = world_reply(world, "Rollback",
                                world_json("{'path': 'prod/web', 'to': '2', 'dry_run': true}"));
    json_t *lines = json_incref(json_object_get(reply, "lines"));
    assert_string_equal(world_members(lines, "path"), "prod/web/HOST prod/web/NEW prod/web/PORT");
    assert_string_equal(world_members(lines, "mark"), "+ - ~");
    assert_string_equal(world_member(reply, "left.0.path"), "prod/web/KEY");
    assert_string_equal(world_member(reply, "left.0.why"), "secret");
    assert_string_equal(world_member(reply, "beneath.0.in"), "all/web/LEVEL");
    json_decref(reply);
    value_is(world, "prod/web/PORT", "81");
    const uint64_t before = world->published;
    reply = world_reply(world, "Rollback", world_json("{'path': 'prod/web', 'to': '2'}"));
    assert_int_equal(world->published, before + 1);
    assert_true(json_equal(lines, json_object_get(reply, "lines")));
    assert_string_equal(world_member(reply, "to"), "2");
    json_decref(reply);
    json_decref(lines);
    value_is(world, "prod/web/PORT", "80");
    value_is(world, "prod/web/HOST", "a");
    value_is(world, "prod/web/LEVEL", "warn");
    reply = world_reply(world, "Rollback",
                        world_json("{'path': 'prod', 'to': '2', 'with_secrets': true}"));
    assert_string_equal(world_members(json_object_get(reply, "lines"), "path"), "prod/web/KEY");
    assert_string_equal(world_member(reply, "left.0.path"), "");
    no_secret_in(reply);
    json_decref(reply);
}

/* The same request is not done again, also where what it would do is another thing by now. */
static void rolled_back_once(void **state)
{
    static const char *const request = "{'path': 'prod/web', 'to': '2', 'request_id': "
                                       "'00112233445566778899aabbccddeeff'}";
    struct world *world = *state;
    fill(world);
    change(world);
    world_tells(world, "Rollback", world_json("%s", request), "repeated", "false", NULL);
    change(world);
    world_tells(world, "Rollback", world_json("%s", request), "repeated", "true", NULL);
    value_is(world, "prod/web/PORT", "81");
}

static void not_rolled_back(void **state)
{
    struct world *world = *state;
    fill(world);
    change(world);
    world_fails(world, "Rollback", world_json("{'path': 'prod/web'}"), "Invalid",
                "a revision to roll back to is missing");
    world_fails(world, "Rollback", world_json("{'to': '2'}"), "Invalid",
                "a key, a service or an environment");
    world_fails(world, "Rollback", world_json("{'path': 'prod', 'to': 2}"), "Invalid",
                "'to' is not a text");
    world_fails(world, "Rollback", world_json("{'path': 'prod', 'to': '18446744073709551616'}"),
                "NotFound", "the newest is 3");
    world_fails(world, "Rollback", world_json("{'path': 'prod', 'to': '0'}"), "NotFound",
                "the first is 1");
    world_fails(world, "Rollback", world_json("{'path': 'prod', 'to': ''}"), "Invalid",
                "is no revision");
    world_fails(world, "Rollback", world_json("{'path': 'prod', 'to': '1'}"), "Refused",
                "'prod' did not exist as of revision 1");
    world_fails(world, "Rollback",
                world_json("{'path': 'prod/web', 'to': '2', 'if_rev': 2, "
                           "'if_path': 'prod/web'}"),
                "Conflict", "changed in revision 3");
}

static void compared(void **state)
{
    struct world *world = *state;
    fill(world);
    change(world);
    json_t *reply =
        world_reply(world, "Diff", world_json("{'path': 'prod', 'at': '2', 'other_at': '3'}"));
    json_t *lines = json_object_get(reply, "lines");
    no_secret_in(reply);
    assert_string_equal(world_members(lines, "path"),
                        "web/HOST web/KEY web/LEVEL web/NEW web/PORT");
    assert_string_equal(world_members(lines, "mark"), "- ~ ~ + ~");
    assert_string_equal(world_member(lines, "1.left.kind"), "secret");
    assert_string_equal(world_member(lines, "1.left.value"), "");
    assert_string_equal(world_member(lines, "1.left.size"), "");
    assert_string_equal(world_member(lines, "2.right.origin"), "all");
    assert_string_equal(world_member(lines, "4.left.value"), "80");
    assert_string_equal(world_member(lines, "4.right.value"), "81");
    json_decref(reply);
    /* A piece, and the next. */
    world_tells(world, "Diff",
                world_json("{'path': 'prod', 'at': '2', 'other_at': '3', 'limit': 2}"), "more",
                "true", "after", "prod/web/KEY", NULL);
    world_tells(world, "Diff",
                world_json("{'path': 'prod', 'at': '2', 'other_at': '3', "
                           "'after': 'prod/web/KEY'}"),
                "lines.*.path", "web/LEVEL web/NEW web/PORT", NULL);
    reply = world_reply(world, "Diff", world_json("{'path': 'prod/web'}")); /* with itself */
    assert_int_equal(json_array_size(json_object_get(reply, "lines")), 0);
    json_decref(reply);
    world_fails(world, "Diff", world_json("{'path': 'prod', 'other': 'prod/web'}"), "Invalid",
                "name two environments");
    world_fails(world, "Diff", world_json("{'path': ''}"), "Invalid", "name two environments");
    world_fails(world, "Diff", world_json("{'path': 'prod/web/NO'}"), "NotFound",
                "no key 'prod/web/NO'");
    world_fails(world, "Diff", world_json("{'path': 'prod', 'other': 'dev', 'at': '1'}"),
                "NotFound", "'prod' did not exist as of revision 1");
}

static void promoted(void **state)
{
    struct world *world = *state;
    fill(world);
    world_tells(world, "Promote", world_json("{'from': 'prod/web', 'to': 'dev/web'}"),
                "lines.*.path", "dev/web dev/web/HOST dev/web/PORT", "left.0.path", "prod/web/KEY",
                NULL);
    world_tells(world, "Promote", world_json("{'from': 'prod', 'to': 'dev'}"), "same", "2",
                "committed", "false", NULL);
    world_tells(world, "Blame", world_json("{'path': 'dev/web/PORT'}"), "lines.0.from.path",
                "prod/web/PORT", "lines.0.from.rev", "2", NULL);
    world_fails(world, "Promote",
                world_json("{'from': 'prod/web', 'to': 'dev/web', 'keys': ['KEY']}"), "Refused",
                "equal to a secret of another environment");
    world_fails(world, "Promote", world_json("{'from': 'prod/web', 'to': 'dev/web', 'keys': []}"),
                "Invalid", "'keys' is not a list with something in it");
    world_fails(world, "Promote", world_json("{'from': 'prod/web', 'to': 'dev/web', 'keys': [1]}"),
                "Invalid", "'keys' is a list of names");
    world_fails(world, "Promote", world_json("{'from': 'prod/web'}"), "Invalid",
                "name two services");
}

static void named(void **state)
{
    struct world *world = *state;
    fill(world);
    world_tells(world, "Tag", world_json("{'name': 'v1', 'rev': '2'}"), "tagged", "2",
                "lines.0.note", "tag v1", NULL);
    world_tells(world, "Tags", world_json("{}"), "tags.0.name", "v1", "tags.0.said_rev", "3", NULL);
    json_t *reply = world_reply(world, "Show", world_json("{'tag': 'v1'}"));
    assert_string_equal(world_member(reply, "commit.rev"), "2");
    assert_string_equal(world_member(reply, "commit.tags.0"), "v1");
    no_secret_in(reply);
    json_decref(reply);
    world_tells(world, "Show", world_json("{'rev': 3}"), "operations.0.kind", "tag",
                "operations.0.tagged", "2", NULL);
    world_fails(world, "Show", world_json("{}"), "Invalid", "a revision is wanted");
    world_fails(world, "Show", world_json("{'rev': 2, 'tag': 'v1'}"), "Invalid",
                "a revision is wanted");
    world_fails(world, "Tag", world_json("{}"), "Invalid", "a tag is missing");
    world_fails(world, "Tag", world_json("{'name': '7'}"), "Invalid", "is not allowed");
    world_fails(world, "Tag", world_json("{'name': 'v2', 'rev': 'v3'}"), "NotFound", "no tag 'v3'");
    world_fails(world, "Untag", world_json("{'name': 'v2'}"), "NotFound", "no tag 'v2'");
    json_decref(world_reply(world, "Untag", world_json("{'name': 'v1'}")));
}

static void logged(void **state)
{
    struct world *world = *state;
    fill(world);
    change(world);
    world_set(world, "[{'kind': 'plain', 'path': 'dev/api/A', 'value': '1'}]", NULL);
    static const struct {
        const char *filter, *revs;
    } rows[] = {
        {"'key': 'PORT'", "3 2"},
        {"'key': 'prod/*/LEVEL'", "3 2"}, /* defined elsewhere */
        {"'key': 'dev/*/*'", "4"},
        {"'path': 'dev', 'key': 'PORT'", ""}, /* it was another one's */
        {"'author': 'ROOT', 'limit': 2", "4 3"},
        {"'author': 'nobody'", ""},
        {"'since': 9000000000000000000", ""},
        {"'until': 1", ""},
        {"'before': 3", "2 1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *reply = world_reply(world, "Log", world_json("{%s}", rows[i].filter));
        assert_string_equal(world_members(json_object_get(reply, "commits"), "rev"), rows[i].revs);
        json_decref(reply);
    }
    world_tells(world, "Log", world_json("{'limit': 1, 'key': 'PORT'}"), "next", "3", NULL);
    world_fails(world, "Log", world_json("{'key': 'a/b/c/d'}"), "Invalid", "more parts");
}

/* What was set is destroyed in history; what there is of it still is told. */
static void destroyed(void **state)
{
    struct world *world = *state;
    fill(world);
    change(world);
    world_set(world, "[{'kind': 'copy', 'path': 'dev/web/PORT', 'from': 'prod/web/PORT'}]", NULL);
    world_set(world, "[{'kind': 'plain', 'path': 'prod/web/PORT', 'value': '90'}]", NULL);
    json_t *reply = world_reply(
        world, "Purge",
        world_json("{'path': 'prod/web/PORT', 'rev': 4, 'reason': 'why', 'dry_run': true}"));
    assert_string_equal(world_member(reply, "removed"), "1");
    assert_null(json_object_get(reply, "scrubbed"));
    json_decref(reply);
    world_tells(world, "Purge", world_json("{'path': 'prod/web/PORT', 'rev': 4, 'reason': 'why'}"),
                "rev", "6", "set", "3", "until", "5", "copies.0.path", "dev/web/PORT",
                "copies.0.rev", "4", "hidden", "0", "scrubbed", "true", NULL);
    world_tells(world, "Purge",
                world_json("{'path': 'prod/web/PORT', 'rev': 3, 'reason': 'again'}"), "committed",
                "false", "by", "6", NULL);
    world_tells(world, "Show", world_json("{'rev': 6}"), "operations.0.kind", "purge",
                "operations.0.set", "3", NULL);
    world_tells(world, "Show", world_json("{'rev': 3}"), "operations.0.purged", "6", NULL);
    world_tells(world, "Log", world_json("{'path': 'prod/web/PORT'}"), "commits.*.rev", "5 3 2",
                "commits.1.purged", "6", NULL);
    world_fails(world, "Rollback", world_json("{'path': 'prod/web/PORT', 'to': '3'}"), "Purged",
                "was destroyed by revision 6");
    world_tells(world, "Compact", world_json("{'path': '', 'rev': 5, 'reason': 'why'}"), "rev", "7",
                "scrubbed", "true", NULL);
    world_tells(world, "Verify", world_json("{}"), "faults", "0", NULL);
    world_fails(world, "Purge", world_json("{'path': 'prod/web/PORT', 'rev': 5, 'reason': 'r'}"),
                "Refused", "set another value");
    world_fails(world, "Purge", world_json("{'path': 'prod/web/PORT', 'reason': 'r'}"), "Invalid",
                "a revision is missing");
    world_fails(world, "Purge", world_json("{'path': 'prod/web/PORT', 'rev': 2}"), "Invalid",
                "say why");
    world_fails(world, "Compact", world_json("{'path': 'prod/web/PORT', 'rev': 2}"), "Invalid",
                "is a key");
}

/* Whoever has no right to it is told nothing. */
static void denied(void **state)
{
    static const struct {
        const char *method, *parameters;
    } rows[] = {
        {"Rollback", "{'path': 'prod', 'to': '2'}"},
        {"Diff", "{'path': 'prod', 'other': 'dev'}"},
        {"Promote", "{'from': 'prod', 'to': 'dev'}"},
        {"Blame", "{'path': 'prod'}"},
        {"Tag", "{'name': 'v1'}"},
        {"Untag", "{'name': 'v1'}"},
        {"Tags", "{}"},
        {"Purge", "{'path': 'prod/web/PORT', 'rev': 2, 'reason': 'r'}"},
        {"Compact", "{'path': 'prod', 'rev': 2, 'reason': 'r'}"},
    };
    struct world *world = *state;
    fill(world);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct call call;
        world_ask(world, &call, 12345, rows[i].method, world_json("%s", rows[i].parameters), NULL);
        assert_string_equal(call.error, "io.emsa.Denied");
        call_release(&call);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rolled_back, world_begin, world_end),
        cmocka_unit_test_setup_teardown(rolled_back_once, world_begin, world_end),
        cmocka_unit_test_setup_teardown(not_rolled_back, world_begin, world_end),
        cmocka_unit_test_setup_teardown(compared, world_begin, world_end),
        cmocka_unit_test_setup_teardown(promoted, world_begin, world_end),
        cmocka_unit_test_setup_teardown(named, world_begin, world_end),
        cmocka_unit_test_setup_teardown(logged, world_begin, world_end),
        cmocka_unit_test_setup_teardown(destroyed, world_begin, world_end),
        cmocka_unit_test_setup_teardown(denied, world_begin, world_end),
    };
    if (secret_setup(8u << 20) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
