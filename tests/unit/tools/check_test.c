/* Schemas by the dispatcher: set and removed in one commit with values, shown, inferred; and
 * checks: every verdict and warning, in order; against a release; side by side; what overrides
 * left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

static void environments(struct world *world)
{
    world_set(world,
              "[{'kind': 'environment', 'path': 'all'}, {'kind': 'environment', 'path': 'dev'},"
              " {'kind': 'environment', 'path': 'prod'}]",
              NULL);
}

/* "path verdict" of each finding, a line each. */
static void finds(struct world *world, json_t *parameters, const char *wanted)
{
    char found[4096] = "";
    json_t *reply = world_reply(world, "Check", parameters), *finding;
    size_t index, errors = 0, used = 0;
    json_array_foreach(json_object_get(reply, "findings"), index, finding)
    {
        used += (size_t)snprintf(found + used, sizeof found - used, "%s %s\n",
                                 json_string_value(json_object_get(finding, "path")),
                                 json_string_value(json_object_get(finding, "verdict")));
        errors += strcmp(json_string_value(json_object_get(finding, "severity")), "error") == 0;
    }
    if (strcmp(found, wanted) != 0)
        fail_msg("expected\n%sfound\n%s", wanted, found);
    assert_int_equal(json_integer_value(json_object_get(reply, "errors")), errors);
    char *text = json_dumps(reply, 0);
    assert_null(strstr(text, "battery"));
    free(text);
    json_decref(reply);
}

#define CHECK(path) world_json("{'path': '%s'}", path)

static void set_schema(struct world *world, const char *layer, const char *service,
                       const char *keys)
{
    char text[4096];
    snprintf(text, sizeof text,
             "[{'kind': 'schema', 'path': '%s/%s', 'schema': {'service': '%s', 'strict': true, "
             "'keys': {%s}}}]",
             layer, service, service, keys);
    world_set(world, text, NULL);
}

static void shown(void **state)
{
    struct world *world = *state;
    environments(world);
    world_set(world, "[{'kind': 'plain', 'path': 'prod/web/PORT', 'value': '80'}]", NULL);
    world_fails(world, "SchemaShow", CHECK("prod/web"), "NotFound", "has no schema");
    world_fails(world, "SchemaShow", CHECK("prod"), "Invalid", "no service");
    world_fails(world, "SchemaShow", CHECK("prod/none"), "NotFound", "none");
    set_schema(world, "all", "web", "'PORT': {'type': 'port'}, 'A': {'default': 'x'}");
    world_tells(world, "SchemaShow", CHECK("prod/web"), "defined", "all/web",
                "schema.keys.PORT.type", "port", "schema.strict", "true", "author", "uid 0 (root)",
                NULL);
    set_schema(world, "prod", "web", "'PORT': {'type': 'int'}");
    world_tells(world, "SchemaShow", CHECK("prod/web"), "defined", "prod/web", NULL);
    world_set(world, "[{'kind': 'unschema', 'path': 'prod/web'}]", NULL);
    world_tells(world, "SchemaShow", CHECK("prod/web"), "defined", "all/web", NULL);
    world_tells(world, "Get", world_json("{'paths': ['prod/web/A']}"), "entries.0.origin", "schema",
                NULL);
}

static void refused(void **state)
{
    struct world *world = *state;
    environments(world);
    static const struct {
        const char *operation, *error, *words;
    } rows[] = {
        {"'path': 'all/web'", "Invalid",
         "the schema of 'all/web': the schema must be a mapping with 'service' and 'keys'"},
        {"'path': 'all/web', 'schema': {'service': 'web', 'keys': {'A': {'type': 'x'}}}", "Invalid",
         "the schema of 'all/web': type of 'A' must be one of"},
        {"'path': 'all/web', 'schema': {'service': 'api', 'keys': {}}", "Invalid",
         "the schema of 'all/web' says that it is of 'api'"},
        {"'path': 'all', 'schema': {'service': 'api', 'keys': {}}", "Invalid", "'all'"},
        {"'path': 'none/web', 'schema': {'service': 'web', 'keys': {}}", "NotFound", "none"},
        {"'path': 'prod/web', 'schema': {'service': 'web', 'keys': {}}", "NotFound",
         "service add prod/web"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        world_fails(world, "Set",
                    world_json("{'operations': [{'kind': 'schema', %s}]}", rows[i].operation),
                    rows[i].error, rows[i].words);
    world_fails(world, "Set",
                world_json("{'operations': [{'kind': 'plain', 'path': 'dev/w/A', 'value': '1'}], "
                           "'override': ['rules']}"),
                "Invalid", "override");
    world_fails(world, "Set",
                world_json("{'operations': [{'kind': 'plain', 'path': 'dev/w/A', 'value': '1'}], "
                           "'override': 'lock'}"),
                "Invalid", "override");
    world_fails(world, "Check", CHECK("none"), "NotFound", "none");
    world_fails(world, "Check", CHECK("prod/web/A"), "Invalid", "a whole service");
}

/* A schema says what is wrong with what is there, and refuses what is worse. */
static void verdicts(void **state)
{
    struct world *world = *state;
    environments(world);
    world_set(world,
              "[{'kind': 'plain', 'path': 'prod/web/PORT', 'value': '80\\n'},"
              " {'kind': 'plain', 'path': 'prod/web/TOKEN', 'value': 'x'},"
              " {'kind': 'plain', 'path': 'prod/web/DEBUG', 'value': 'true'},"
              " {'kind': 'plain', 'path': 'prod/web/MORE', 'value': 'x'},"
              " {'kind': 'plain', 'path': 'prod/web/LINE', 'value': 'x\\n'},"
              " {'kind': 'plain', 'path': 'prod/web/LINES', 'value': 'x\\ny\\n'},"
              " {'kind': 'plain', 'path': 'prod/web/DOS', 'value': 'x\\r\\n'},"
              " {'kind': 'plain', 'path': 'prod/web/GOOD', 'value': ''},"
              " {'kind': 'plain', 'path': 'prod/web/a.conf', 'value': 'x'},"
              " {'kind': 'plain', 'path': 'prod/web/1ST', 'value': 'x'},"
              " {'kind': 'secret', 'path': 'prod/web/KEY', 'size': 21},"
              " {'kind': 'plain', 'path': 'prod/web-x/A', 'value': 'x'},"
              " {'kind': 'plain', 'path': 'prod/shared/A', 'value': 'x'}]",
              "correct-horse-battery");
    finds(world, CHECK("prod"),
          "prod/web no-schema\nprod/web/1ST no-variable\nprod/web/a.conf no-variable\n"
          "prod/web-x no-schema\n");
    set_schema(world, "all", "web",
               "'PORT': {'type': 'port'}, 'TOKEN': {'secret': true}, 'DEBUG': {'in': ['dev']}, "
               "'LINE': {}, 'LINES': {}, 'DOS': {}, 'GOOD': {}, 'a.conf': {}, '1ST': {}, "
               "'KEY': {'type': 'int', 'secret': true}, 'A_MISSING': {'required': ['prod']}, "
               "'ZZ_MISSING': {'required': true}, 'ZZ_DEV': {'required': ['dev']}, "
               "'OPTIONAL': {}, 'DEFAULT': {'default': 'y', 'required': true}");
    finds(world, CHECK("prod"),
          "prod/web/1ST no-variable\nprod/web/A_MISSING missing\nprod/web/DEBUG elsewhere\n"
          "prod/web/DOS carriage-return\nprod/web/KEY wrong\nprod/web/LINE newline\n"
          "prod/web/MORE undeclared\nprod/web/PORT wrong\nprod/web/TOKEN plain\n"
          "prod/web/ZZ_MISSING missing\nprod/web/a.conf no-variable\nprod/web-x no-schema\n");
    finds(world, CHECK("prod/web-x"), "prod/web-x no-schema\n");
    finds(world, CHECK("dev"), "");
    json_t *reply = world_reply(world, "Check", CHECK("prod"));
    json_t *services = json_object_get(reply, "services");
    assert_string_equal(world_members(services, "path"), "prod/shared prod/web prod/web-x");
    assert_string_equal(world_members(services, "keys"), "1 12 1");
    assert_string_equal(world_members(services, "schema"), " all/web ");
    json_decref(reply);
}

static void urls(void **state)
{
    struct world *world = *state;
    environments(world);
    world_set(
        world,
        "[{'kind': 'secret', 'path': 'prod/db/PW', 'size': 21},"
        " {'kind': 'plain', 'path': 'prod/db/HOST', 'value': 'db1'},"
        " {'kind': 'share', 'path': 'prod/db/PW', 'with': 'web'},"
        " {'kind': 'share', 'path': 'prod/db/HOST', 'with': 'web'},"
        " {'kind': 'template', 'path': 'prod/web/BARE', 'value': 'pg://u:${db/PW}@${db/HOST}'},"
        " {'kind': 'template', 'path': 'prod/web/GOOD', 'value': 'pg://u:${db/PW|url}@h'},"
        " {'kind': 'template', 'path': 'prod/web/PLAIN', 'value': 'pg://${db/HOST}/'},"
        " {'kind': 'template', 'path': 'prod/web/ALL', 'value': '${db/PW}'},"
        " {'kind': 'template', 'path': 'prod/web/AHEAD', 'value': '${db/PW} of pg://x'},"
        " {'kind': 'template', 'path': 'prod/web/TYPED', 'value': 'pg:${db/PW}'},"
        " {'kind': 'template', 'path': 'prod/db/OWN', 'value': 'x://${PW}'},"
        " {'kind': 'schema', 'path': 'all/web', 'schema': {'service': 'web', 'keys': "
        "  {'TYPED': {'type': 'url'}, 'ALL': {'type': 'string'}}}},"
        " {'kind': 'schema', 'path': 'all/db', 'schema': {'service': 'db', 'keys': {}}}]",
        "correct-horse-battery");
    finds(world, CHECK("prod"),
          "prod/db/OWN bare-secret\nprod/web/BARE bare-secret\nprod/web/TYPED bare-secret\n");
}

#define AGAINST(path, keys)                                                                        \
    world_json("{'path': '%s', 'against': [{'service': 'web', 'keys': {%s}}]}", path, keys)

static void releases(void **state)
{
    struct world *world = *state;
    environments(world);
    world_set(world,
              "[{'kind': 'plain', 'path': 'prod/web/PORT', 'value': '80'},"
              " {'kind': 'plain', 'path': 'prod/api/PORT', 'value': 'x'},"
              " {'kind': 'service', 'path': 'dev/web'}]",
              NULL);
    set_schema(world, "all", "web", "'PORT': {'type': 'port'}, 'LEVEL': {'default': 'info'}");
    set_schema(world, "all", "api", "'PORT': {'type': 'port'}");
    finds(world, CHECK("prod"), "prod/api/PORT wrong\n");
    /* its own service only; the default of the schema that it replaces is not there */
    finds(world, AGAINST("prod", "'PORT': {'type': 'port'}"), "");
    finds(world, AGAINST("prod", "'LEVEL': {'required': true}, 'NEW': {'required': true}"),
          "prod/web/LEVEL missing\nprod/web/NEW missing\n");
    finds(world, AGAINST("prod/web", "'LEVEL': {'required': true, 'default': 'x'}"), "");
    finds(world, AGAINST("", "'PORT': {'required': true}"), "dev/web/PORT missing\n");
    finds(world, world_json("{'path': 'dev', 'against': [{'service': 'api', 'keys': {}}]}"),
          "dev/api no-service\n");
    finds(world, world_json("{'against': [{'service': 'none', 'keys': {}}]}"), " no-service\n");
    world_fails(world, "Check", AGAINST("prod/api", ""), "Invalid", "none of the schemas");
    world_fails(world, "Check", AGAINST("all", ""), "Invalid", "nothing runs in 'all'");
    world_fails(world, "Check", AGAINST("prod", "'A': {'type': 1}"), "Invalid", "type of 'A'");
    world_fails(world, "Check", world_json("{'against': {}}"), "Invalid", "against");
}

static void parity(void **state)
{
    struct world *world = *state;
    environments(world);
    world_set(world,
              "[{'kind': 'environment', 'path': 'test'},"
              " {'kind': 'plain', 'path': 'dev/web/BOTH', 'value': '1'},"
              " {'kind': 'plain', 'path': 'prod/web/BOTH', 'value': '2'},"
              " {'kind': 'plain', 'path': 'test/web/BOTH', 'value': '2'},"
              " {'kind': 'plain', 'path': 'dev/web/DEV', 'value': '1'},"
              " {'kind': 'plain', 'path': 'dev/web/DEV_MEANT', 'value': '1'},"
              " {'kind': 'plain', 'path': 'dev/web/OLD', 'value': '1'},"
              " {'kind': 'plain', 'path': 'prod/web/PROD', 'value': '1'},"
              " {'kind': 'plain', 'path': 'prod/web/PROD_MEANT', 'value': '1'},"
              " {'kind': 'plain', 'path': 'all/web/ALL', 'value': '1'},"
              " {'kind': 'plain', 'path': 'dev/tool/A', 'value': '1'},"
              " {'kind': 'plain', 'path': 'dev/web/UNDECLARED', 'value': '1'},"
              " {'kind': 'schema', 'path': 'all/web', 'schema': {'service': 'web', 'keys': "
              "  {'DEV_MEANT': {'in': ['dev']}, 'PROD_MEANT': {'required': ['prod']}, "
              "   'OLD': {'deprecated': true}, 'DEV': {}, 'GIVEN': {'default': '1'}}}}]",
              NULL);
    finds(world, world_json("{'parity': ['dev', 'prod']}"),
          "dev/web/PROD parity\nprod/tool parity\nprod/web/DEV parity\n"
          "prod/web/UNDECLARED parity\n");
    finds(world, world_json("{'path': 'dev/web', 'parity': ['prod', 'dev']}"),
          "dev/web/PROD parity\nprod/web/DEV parity\nprod/web/UNDECLARED parity\n");
    json_t *reply = world_reply(world, "Check", world_json("{'parity': ['dev', 'prod', 'test']}"));
    json_t *findings = json_object_get(reply, "findings");
    assert_string_equal(world_members(findings, "path"),
                        "dev/web/PROD prod/tool prod/web/DEV prod/web/UNDECLARED test/tool "
                        "test/web/DEV test/web/PROD test/web/UNDECLARED");
    assert_string_equal(world_member(findings, "0.text"), "is in 'prod', and not here");
    assert_string_equal(world_member(findings, "1.text"), "the service is in 'dev', and not here");
    assert_string_equal(world_members(json_object_get(reply, "services"), "path"),
                        "dev/tool dev/web prod/web test/web");
    json_decref(reply);
    world_fails(world, "Check", world_json("{'parity': ['dev']}"), "Invalid", "two environments");
    world_fails(world, "Check", world_json("{'parity': ['dev', 'dev']}"), "Invalid", "twice");
    world_fails(world, "Check", world_json("{'parity': ['dev', 'all']}"), "Invalid", "'all'");
    world_fails(world, "Check", world_json("{'parity': ['dev', 'prd']}"), "NotFound", "prod");
}

/* An override is for who may do all, and what it left is told until it is cured. */
static void overrides(void **state)
{
    static const char over[] =
        "{'operations': [{'kind': 'plain', 'path': 'prod/web/A', 'value': '2'},"
        " {'kind': 'remove', 'path': 'prod/web/B'},"
        " {'kind': 'link', 'path': 'prod/web/C', 'value': 'db/PORT'}], "
        "'override': ['lock', 'share'], 'reason': 'at three'}";
    struct world *world = *state;
    struct call call;
    environments(world);
    world_set(world,
              "[{'kind': 'plain', 'path': 'prod/web/A', 'value': '1'},"
              " {'kind': 'plain', 'path': 'prod/web/B', 'value': '1'},"
              " {'kind': 'plain', 'path': 'prod/db/PORT', 'value': '1'},"
              " {'kind': 'plain', 'path': 'prod/db/HOST', 'value': 'h'},"
              " {'kind': 'share', 'path': 'prod/db/HOST', 'with': 'web'},"
              " {'kind': 'lock', 'path': 'prod/web/A'}, {'kind': 'lock', 'path': 'prod/web/B'},"
              " {'kind': 'schema', 'path': 'all/web', 'schema': {'service': 'web', 'keys': {}}},"
              " {'kind': 'schema', 'path': 'all/db', 'schema': {'service': 'db', 'keys': {}}}]",
              NULL);
    finds(world, CHECK(""), "");
    world_ask(world, &call, 12345, "Set", world_json(over), NULL);
    assert_string_equal(call.error, "io.emsa.Denied");
    call_release(&call);
    json_decref(world_reply(world, "Set", world_json(over)));
    finds(world, CHECK(""),
          "prod/db/PORT over-share\nprod/web/A over-lock\nprod/web/B over-lock\n");
    finds(world, CHECK("prod/web"),
          "prod/db/PORT over-share\nprod/web/A over-lock\nprod/web/B over-lock\n");
    finds(world, CHECK("dev"), "");
    world_set(world,
              "[{'kind': 'unlock', 'path': 'prod/web/A'}, {'kind': 'unlock', 'path': 'prod/web/B'},"
              " {'kind': 'remove', 'path': 'prod/web/C'},"
              " {'kind': 'unshare', 'path': 'prod/db/PORT', 'with': 'web'},"
              " {'kind': 'share', 'path': 'prod/db/PORT', 'with': 'web'}]",
              NULL);
    finds(world, CHECK(""), "");
}

static void inferred(void **state)
{
    struct world *world = *state;
    environments(world);
    world_set(world,
              "[{'kind': 'plain', 'path': 'dev/web/PORT', 'value': '8080'},"
              " {'kind': 'plain', 'path': 'prod/web/PORT', 'value': '7'},"
              " {'kind': 'plain', 'path': 'dev/web/URL', 'value': 'http://x/'},"
              " {'kind': 'secret', 'path': 'prod/web/URL', 'size': 9},"
              " {'kind': 'secret', 'path': 'dev/web/KEY', 'size': 21},"
              " {'kind': 'secret', 'path': 'prod/web/KEY', 'size': 21},"
              " {'kind': 'plain', 'path': 'dev/web/MIXED', 'value': 'true'},"
              " {'kind': 'plain', 'path': 'prod/web/MIXED', 'value': 'yes'},"
              " {'kind': 'plain', 'path': 'dev/web/DEBUG', 'value': 'true'},"
              " {'kind': 'plain', 'path': 'all/web/EVERY', 'value': '1h30m'}]",
              "http://y/correct-horse-batteryanother-horse-battery");
    set_schema(world, "dev", "web",
               "'PORT': {}, 'URL': {}, 'KEY': {}, 'MIXED': {}, 'DEBUG': {}, 'EVERY': {}, "
               "'GIVEN': {'default': 'by a schema'}");
    json_t *reply = world_reply(world, "SchemaInfer", CHECK("prod/web"));
    json_t *keys = json_object_get(json_object_get(reply, "schema"), "keys");
    json_t *wanted = world_json("{'DEBUG': {'type': 'bool'},"
                                " 'EVERY': {'type': 'duration', 'required': true},"
                                " 'KEY': {'type': 'string', 'secret': true, 'required': true},"
                                " 'MIXED': {'type': 'string', 'required': true},"
                                " 'PORT': {'type': 'int', 'required': true},"
                                " 'URL': {'type': 'url', 'required': true}}");
    if (!json_equal(keys, wanted))
        fail_msg("%s", json_dumps(keys, 0));
    json_decref(wanted);
    assert_int_equal(json_array_size(json_object_get(reply, "environments")), 2);
    json_decref(reply);
    world_fails(world, "SchemaInfer", CHECK("prod/none"), "NotFound", "none");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, world_begin, world_end)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(shown),    TEST(refused), TEST(verdicts),  TEST(urls),
        TEST(releases), TEST(parity),  TEST(overrides), TEST(inferred),
    };
    if (secret_setup(64u << 20) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
