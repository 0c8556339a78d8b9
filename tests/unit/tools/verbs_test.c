/* Where values come from and who uses them: explain, refs, find, locks; copies, moves and copies of
 * environments; and what is counted of guesses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/secret.h"
#include "tools/service/guard.h"
#include "world.h"

#define PASSWORD "correct-horse-battery" /* 21 bytes */

/* billing in prod and dev: defined once in `all`, a host and a password of each environment. */
static void fill(struct world *world)
{
    world_set(world,
              "[{'kind': 'environment', 'path': 'all'}, {'kind': 'environment', 'path': 'dev'},"
              " {'kind': 'environment', 'path': 'prod'},"
              " {'kind': 'plain', 'path': 'prod/shared/HOST', 'value': 'db1'},"
              " {'kind': 'secret', 'path': 'prod/shared/PASSWORD', 'size': 21},"
              " {'kind': 'plain', 'path': 'dev/shared/HOST', 'value': 'localhost'},"
              " {'kind': 'secret', 'path': 'dev/shared/PASSWORD', 'size': 21},"
              " {'kind': 'share', 'path': 'prod/shared/PASSWORD', 'with': 'billing'},"
              " {'kind': 'share', 'path': 'dev/shared/PASSWORD', 'with': 'billing'},"
              " {'kind': 'plain', 'path': 'all/billing/FORMAT', 'value': 'json'},"
              " {'kind': 'link', 'path': 'all/billing/HOST', 'value': 'shared/HOST'},"
              " {'kind': 'template', 'path': 'all/billing/URL',"
              "  'value': 'pg://${shared/PASSWORD|url}@${HOST}/'},"
              " {'kind': 'plain', 'path': 'prod/billing/FORMAT', 'value': 'text'},"
              " {'kind': 'service', 'path': 'dev/billing'}]",
              PASSWORD "another-horse-battery");
}

static void no_secret_in(json_t *reply)
{
    char *text = json_dumps(reply, 0);
    assert_null(strstr(text, "battery"));
    free(text);
}

static void explained(void **state)
{
    struct world *world = *state;
    fill(world);
    json_t *reply = world_reply(world, "Explain", world_json("{'path': 'prod/billing/URL'}"));
    json_t *steps = json_object_get(reply, "steps");
    no_secret_in(reply);
    assert_string_equal(world_member(reply, "entry.kind"), "secret");
    assert_string_equal(world_members(steps, "path"),
                        "prod/billing/URL prod/shared/PASSWORD prod/billing/HOST prod/shared/HOST");
    assert_string_equal(world_members(steps, "depth"), "0 1 1 2");
    assert_string_equal(world_members(steps, "kind"), "template secret link plain");
    assert_string_equal(world_members(steps, "origin"), "all own all own");
    assert_string_equal(world_members(steps, "defined"),
                        "all/billing/URL prod/shared/PASSWORD all/billing/HOST prod/shared/HOST");
    assert_string_equal(world_members(steps, "filter"), " url  ");
    assert_string_equal(world_member(steps, "0.text"), "pg://${shared/PASSWORD|url}@${HOST}/");
    assert_string_equal(world_member(steps, "3.value"), "db1");
    assert_string_equal(world_member(steps, "1.share.with"), "billing");
    assert_string_equal(world_member(steps, "1.share.path"), "prod/shared/PASSWORD");
    assert_string_equal(world_member(steps, "1.share.rev"), "2");
    assert_string_equal(world_member(steps, "1.share.author"), "uid 0 (root)");
    assert_string_equal(world_member(steps, "3.share.shared"), "true");
    assert_string_equal(world_member(steps, "3.share.rev"), ""); /* from birth */
    json_t *elsewhere = json_object_get(reply, "elsewhere");
    assert_string_equal(world_members(elsewhere, "path"), "all/billing/URL dev/billing/URL");
    assert_string_equal(world_members(elsewhere, "kind"), "template secret");
    json_decref(reply);
    world_tells(world, "Explain", world_json("{'path': 'prod/billing/FORMAT'}"), "entry.value",
                "text", "beneath.0.path", "all/billing/FORMAT", "beneath.0.value", "json",
                "elsewhere.1.value", "json", "elsewhere.1.origin", "all", NULL);
    world_tells(world, "Explain", world_json("{'path': 'all/billing/HOST'}"), "steps.*.path",
                "all/billing/HOST", "elsewhere.*.value", "localhost db1", NULL);
    world_set(world, "[{'kind': 'plain', 'path': 'dev/billing/ONLY', 'value': '1'}]", NULL);
    world_fails(world, "Explain", world_json("{'path': 'prod/billing/ONLY'}"), "NotFound",
                "'billing/ONLY' is there in 'dev'");
    world_fails(world, "Explain", world_json("{'path': 'prod/billing'}"), "Invalid", "no key");
    world_fails(world, "Explain", json_object(), "Invalid", "no key");
}

static void used(void **state)
{
    struct world *world = *state;
    fill(world);
    json_t *reply = world_reply(world, "Refs", world_json("{'path': 'prod/shared/HOST'}"));
    json_t *referrers = json_object_get(reply, "referrers");
    assert_string_equal(world_members(referrers, "path"), "prod/billing/HOST prod/billing/URL");
    assert_string_equal(world_members(referrers, "through"), " prod/billing/HOST");
    assert_string_equal(world_member(reply, "common"), "true");
    json_decref(reply);
    world_tells(world, "Refs", world_json("{'path': 'prod/shared/PASSWORD'}"), "common", "false",
                "shares.*.with", "billing", NULL);
    /* one that an environment defines itself is not of all */
    world_set(world, "[{'kind': 'plain', 'path': 'dev/billing/HOST', 'value': 'x'}]", NULL);
    reply = world_reply(world, "Refs", world_json("{'path': 'dev/shared/HOST'}"));
    assert_int_equal(json_array_size(json_object_get(reply, "referrers")), 0);
    json_decref(reply);
    /* a name of `all` is used where nothing covers it */
    world_set(world,
              "[{'kind': 'plain', 'path': 'all/shared/ZONE', 'value': 'eu'},"
              " {'kind': 'plain', 'path': 'dev/shared/ZONE', 'value': 'dev'},"
              " {'kind': 'link', 'path': 'all/billing/ZONE', 'value': 'shared/ZONE'}]",
              NULL);
    world_tells(world, "Refs", world_json("{'path': 'all/shared/ZONE'}"), "referrers.*.path",
                "prod/billing/ZONE", NULL);
    /* a name of a base is used in those that stand on it */
    world_set(world,
              "[{'kind': 'environment', 'path': 'dev-1', 'base': 'dev'},"
              " {'kind': 'environment', 'path': 'dev-2', 'base': 'dev'},"
              " {'kind': 'plain', 'path': 'dev-2/shared/ZONE', 'value': 'two'}]",
              NULL);
    world_tells(world, "Refs", world_json("{'path': 'dev/shared/ZONE'}"), "referrers.*.path",
                "dev/billing/ZONE dev-1/billing/ZONE", NULL);
    world_fails(world, "Refs", world_json("{'path': 'prod/shared/HOTS'}"), "NotFound",
                "did you mean 'HOST'");
}

static void found(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *asked, *paths;
    } rows[] = {
        {"'pattern': 'FORMAT'", "all/billing/FORMAT dev/billing/FORMAT prod/billing/FORMAT"},
        {"'pattern': 'H*'",
         "all/billing/HOST dev/billing/HOST dev/shared/HOST prod/billing/HOST prod/shared/HOST"},
        {"'pattern': 'shared/H?ST'", "dev/shared/HOST prod/shared/HOST"},
        {"'pattern': '[dp]*/billing/U*'", "dev/billing/URL prod/billing/URL"},
        {"'pattern': '*', 'value': 'localhost'", "dev/billing/HOST dev/shared/HOST"},
        {"'pattern': '*', 'value': '" PASSWORD "'", ""},
        {"'pattern': 'none'", ""},
    };
    fill(world);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *reply = world_reply(world, "Find", world_json("{%s}", rows[i].asked));
        assert_string_equal(world_members(json_object_get(reply, "items"), "path"), rows[i].paths);
        assert_string_equal(world_member(reply, "more"), "false");
        json_decref(reply);
    }
    world_tells(world, "Find",
                world_json("{'pattern': 'dev/billing/*', 'after': 'dev/billing/HOST'}"),
                "items.*.path", "dev/billing/URL", NULL);
    /* a piece that ended at what the pattern passes by goes on behind it */
    world_tells(world, "Find", world_json("{'pattern': 'prod/*/*', 'after': 'dev'}"),
                "items.0.path", "prod/billing/FORMAT", NULL);
    world_fails(world, "Find", json_object(), "Invalid", "empty");
    world_fails(world, "Find", world_json("{'pattern': 'a/b/c/d'}"), "Invalid", "more parts");
    world_fails(world, "Find", world_json("{'pattern': '*', 'value': 7}"), "Invalid", "value");
}

static void locks(void **state)
{
    struct world *world = *state;
    fill(world);
    world_set(world,
              "[{'kind': 'lock', 'path': 'prod/billing'},"
              " {'kind': 'lock', 'path': 'dev'}, {'kind': 'lock', 'path': 'prod/shared/HOST'}]",
              NULL);
    json_t *reply = world_reply(world, "Locks", json_object());
    json_t *list = json_object_get(reply, "locks");
    assert_string_equal(world_members(list, "path"), "dev prod/billing prod/shared/HOST");
    assert_string_equal(world_members(list, "reason"), "why why why");
    json_decref(reply);
    world_tells(world, "Locks", world_json("{'path': 'dev'}"), "locks.*.path", "dev", NULL);
    world_tells(world, "Explain", world_json("{'path': 'prod/billing/URL'}"), "lock.path",
                "prod/billing", NULL);
    /* also one that would come from `all`, and through a link */
    world_fails(world, "Set",
                world_json("{'operations': [{'kind': 'plain', 'path': 'all/billing/NEW', 'value': "
                           "'1'}]}"),
                "Refused", "locked");
    world_fails(world, "Locks", world_json("{'path': 'dev/billing'}"), "Invalid", "environment");
    world_fails(world, "Locks", world_json("{'path': 'den'}"), "NotFound", "dev");
}

static void copied(void **state)
{
    struct world *world = *state;
    fill(world);
    world_tells(world, "Copy",
                world_json("{'from': 'prod/billing/FORMAT', 'to': 'prod/billing/F'}"),
                "lines.*.path", "prod/billing/F", NULL);
    world_set(world,
              "[{'kind': 'link', 'path': 'prod/billing/L', 'value': 'shared/HOST'},"
              " {'kind': 'share', 'path': 'prod/billing/F', 'with': 'web'},"
              " {'kind': 'link', 'path': 'prod/web/F', 'value': 'billing/F'}]",
              NULL);
    world_fails(world, "Move", world_json("{'from': 'prod/billing/F', 'to': 'prod/billing/G'}"),
                "Refused", "prod/web/F");
    world_fails(world, "Move", world_json("{'from': 'prod/billing', 'to': 'prod/paying'}"),
                "Refused", "prod/web/F");
    json_t *reply = world_reply(world, "Remove", world_json("{'paths': ['prod/web/F']}"));
    json_decref(reply);
    reply = world_reply(world, "Move", world_json("{'from': 'prod/billing', 'to': 'prod/paying'}"));
    json_decref(reply);
    world_tells(world, "Tree", world_json("{'path': 'prod/paying'}"), "items.*.name", "F FORMAT L",
                NULL);
    world_tells(world, "Refs", world_json("{'path': 'prod/paying/F'}"), "shares.*.with", "web",
                NULL);
    world_fails(world, "List", world_json("{'path': 'prod/billing'}"), "NotFound", "billing");
    reply = world_reply(world, "Copy", world_json("{'from': 'prod/paying', 'to': 'dev/paying'}"));
    json_decref(reply);
    static const struct {
        const char *from, *to, *error, *words;
    } rows[] = {
        {"prod/paying", "dev/paying", "Refused", "has keys already"},
        {"prod/paying/F", "prod/paying/F", "Invalid", "to itself"},
        {"prod/paying", "prod/paying/F", "Invalid", "two keys or two services"},
        {"prod", "dev", "Invalid", "env cp"},
        {"prod/paying/NONE", "prod/paying/X", "NotFound", "NONE"},
        {"prod/none", "prod/other", "NotFound", "none"},
        {"prod/paying/F", "stage/paying/F", "NotFound", "stage"},
        {"prod/paying", "stage/paying", "NotFound", "stage"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        world_fails(world, "Copy",
                    world_json("{'from': '%s', 'to': '%s'}", rows[i].from, rows[i].to),
                    rows[i].error, rows[i].words);
    world_fails(world, "Move", world_json("{'from': 'prod/paying', 'to': 'dev/other'}"), "Refused",
                "two environments");
    world_fails(world, "Copy", world_json("{'from': 'prod/shared/PASSWORD', 'to': 'dev/paying/P'}"),
                "Refused", "equal to a secret");
}

/* An answer that was lost is asked for again, and what was moved then is not there any more. */
static void moved_once(void **state)
{
    struct world *world = *state;
    fill(world);
    for (int i = 0; i < 2; i++) {
        json_t *reply =
            world_reply(world, "Move",
                        world_json("{'from': 'prod/billing', 'to': 'prod/paying', "
                                   "'request_id': '00112233445566778899aabbccddeeff'}"));
        assert_string_equal(world_member(reply, "repeated"), i == 0 ? "false" : "true");
        json_decref(reply);
        reply = world_reply(world, "EnvironmentCopy",
                            world_json("{'from': 'prod', 'to': 'copy', "
                                       "'request_id': '10112233445566778899aabbccddeeff'}"));
        assert_string_equal(world_member(reply, "repeated"), i == 0 ? "false" : "true");
        json_decref(reply);
    }
}

/* What needs a secret is left out, also through others, and told in an order that works; what is
 * inherited and needs one keeps its service out. */
static void replicas(void **state)
{
    struct world *world = *state;
    fill(world);
    world_set(world,
              "[{'kind': 'plain', 'path': 'prod/web/PORT', 'value': '8080'},"
              " {'kind': 'link', 'path': 'prod/web/HOST', 'value': 'shared/HOST'},"
              " {'kind': 'share', 'path': 'prod/shared/PASSWORD', 'with': '*'},"
              " {'kind': 'link', 'path': 'prod/web/B_PASSWORD', 'value': 'shared/PASSWORD'},"
              " {'kind': 'template', 'path': 'prod/web/A_URL', 'value': 'x:${B_PASSWORD}'},"
              " {'kind': 'plain', 'path': 'prod/web/LEASE', 'value': 'me', 'ttl': 500}]",
              NULL);
    uint64_t before = store_revision(world->store);
    json_t *reply =
        world_reply(world, "EnvironmentCopy", world_json("{'from': 'prod', 'to': 'copy'}"));
    no_secret_in(reply);
    assert_int_equal(store_revision(world->store), before + 1);
    assert_string_equal(world_members(json_object_get(reply, "secrets"), "path"),
                        "copy/shared/PASSWORD");
    assert_string_equal(world_members(json_object_get(reply, "shares"), "with"), "* billing");
    assert_string_equal(world_members(json_object_get(reply, "left"), "path"),
                        "copy/billing/FORMAT copy/web/B_PASSWORD copy/web/A_URL");
    assert_string_equal(world_members(json_object_get(reply, "left"), "needs"),
                        " shared/PASSWORD web/B_PASSWORD");
    assert_string_equal(world_members(json_object_get(reply, "out"), "path"), "copy/billing");
    assert_string_equal(world_members(json_object_get(reply, "out"), "because"), "URL");
    json_decref(reply);
    reply = world_reply(world, "Tree", world_json("{'path': 'copy'}"));
    json_t *items = json_object_get(reply, "items");
    assert_string_equal(world_members(items, "path"),
                        "copy/shared copy/shared/HOST copy/web copy/web/HOST copy/web/LEASE "
                        "copy/web/PORT");
    assert_true(strlen(world_member(items, "4.expires")) > 0);
    json_decref(reply);
    /* what it told to do makes it whole */
    world_set(world, "[{'kind': 'secret', 'path': 'copy/shared/PASSWORD', 'size': 20}]",
              "third-horse-battery!");
    world_set(world,
              "[{'kind': 'share', 'path': 'copy/shared/PASSWORD', 'with': '*'},"
              " {'kind': 'share', 'path': 'copy/shared/PASSWORD', 'with': 'billing'}]",
              NULL);
    static const char *const keys[] = {"billing/FORMAT", "web/B_PASSWORD", "web/A_URL"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        json_decref(world_reply(
            world, "Copy", world_json("{'from': 'prod/%s', 'to': 'copy/%s'}", keys[i], keys[i])));
    json_t *one = world_reply(world, "Tree", world_json("{'path': 'prod'}"));
    json_t *other = world_reply(world, "Tree", world_json("{'path': 'copy'}"));
    char *names = strdup(world_members(json_object_get(one, "items"), "name"));
    assert_string_equal(world_members(json_object_get(other, "items"), "name"), names);
    free(names);
    json_decref(one);
    json_decref(other);
    world_fails(world, "EnvironmentCopy", world_json("{'from': 'prod', 'to': 'copy'}"), "Refused",
                "there already");
    world_fails(world, "EnvironmentCopy", world_json("{'from': 'none', 'to': 'c'}"), "NotFound",
                "none");
    world_fails(world, "EnvironmentCopy", world_json("{'from': 'prod/web', 'to': 'c'}"), "Invalid",
                "environment");
    world_fails(world, "EnvironmentCopy", world_json("{'from': 'all', 'to': 'c'}"), "Refused",
                "every environment");
    world_fails(world, "EnvironmentCopy", world_json("{'from': 'prod', 'to': 'c', 'base': 'dev'}"),
                "Invalid", "--base");
}

static size_t denials_of(struct world *world, const char *words)
{
    char path[160], line[4096];
    size_t count = 0;
    snprintf(path, sizeof path, "%s/audit/record.000001", world->path);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        count += strstr(line, words) != NULL;
    if (file != NULL)
        fclose(file);
    return count;
}

/* A value that is another environment's secret is refused, and after ten of them every value is. */
static void guesses(void **state)
{
    static const char dry[] = "{'operations': [{'kind': 'plain', 'path': 'dev/billing/G', 'value': "
                              "'" PASSWORD "'}], 'dry_run': true, 'to': 'all/of/it'}";
    static const char other[] = "{'operations': [{'kind': 'plain', 'path': 'dev/billing/G', "
                                "'value': 'something quite else'}]}";
    static const char allowed[] =
        "{'operations': [{'kind': 'plain', 'path': 'dev/billing/G', 'value': '" PASSWORD "'}], "
        "'dry_run': true, 'allow_equal': true, 'reason': 'why'}";
    struct world *world = *state;
    fill(world);
    for (unsigned i = 0; i < GUARD_HITS; i++) /* who lets it be is told nothing */
        json_decref(world_reply(world, "Set", world_json(allowed)));
    assert_int_equal(denials_of(world, "method=Equal"), 0);
    for (unsigned i = 0; i < GUARD_HITS; i++)
        world_fails(world, "Set", world_json(dry), "Refused", "equal to a secret");
    assert_int_equal(denials_of(world, "method=Equal-dry-run "), GUARD_HITS);
    assert_int_equal(denials_of(world, "path=dev/billing/G "), GUARD_HITS);
    world_fails(world, "Set", world_json(dry), "Denied", "unexamined");
    world_fails(world, "Set", world_json(other), "Denied", "unexamined");
    assert_int_equal(denials_of(world, "method=Equal-dry-run"), GUARD_HITS);
    assert_int_equal(denials_of(world, "method=Unexamined "), 2);
    /* what brings no value goes on */
    world_set(world, "[{'kind': 'service', 'path': 'dev/web'}]", NULL);
}

/* Whoever lets a value be equal to a secret is not told by the log that it is one. */
static void let_be(void **state)
{
    static const char allowed[] =
        "{'operations': [{'kind': 'plain', 'path': 'dev/billing/G', 'value': '" PASSWORD "'}], "
        "'allow_equal': true, 'reason': 'why'}";
    struct world *world = *state;
    struct call call;
    fill(world);
    world_set(world,
              "[{'kind': 'grant', 'path': 'dev', 'who': 'user:nobody', 'rights': ['admin']}]",
              NULL);
    world_ask(world, &call, 65534, "Set", world_json(allowed), NULL);
    assert_null(call.error);
    const json_int_t rev = json_integer_value(json_object_get(call.reply, "rev"));
    call_release(&call);
    for (unsigned i = 0; i < 2; i++) {
        world_ask(world, &call, i == 0 ? 0 : 65534, "Show", json_pack("{s:I}", "rev", rev), NULL);
        assert_null(call.error);
        assert_string_equal(world_member(call.reply, "operations.0.path"), "dev/billing/G");
        assert_string_equal(world_member(call.reply, "operations.0.allowed_equal"),
                            i == 0 ? "true" : "");
        call_release(&call);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, world_begin, world_end)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(explained),  TEST(used),     TEST(found),   TEST(locks),  TEST(copied),
        TEST(moved_once), TEST(replicas), TEST(guesses), TEST(let_be),
    };
    if (secret_setup(8u << 20) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
