#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store/error.h"
#include "tools/hook/options.h"
#include "tools/hook/wanted.h"

static int read_text(struct wanted *wanted, json_t **annotations, const char *text)
{
    *annotations = json_loads(text, 0, NULL);
    assert_non_null(*annotations);
    return wanted_read(wanted, *annotations);
}

static void comes_to(const char *text, const char *parameters, const char *directory, uid_t uid,
                     gid_t gid)
{
    struct wanted wanted;
    json_t *annotations, *expected = json_loads(parameters, 0, NULL);
    assert_int_equal(read_text(&wanted, &annotations, text), 0);
    assert_true(json_equal(wanted.parameters, expected));
    assert_string_equal(wanted.directory, directory);
    assert_int_equal(wanted.uid, uid);
    assert_int_equal(wanted.gid, gid);
    wanted_release(&wanted);
    json_decref(annotations);
    json_decref(expected);
}

static void understood(void **state)
{
    (void)state;
    comes_to("{\"io.emsa.environment\":\"prod\",\"io.emsa.service\":\"web\",\"other\":\"x\"}",
             "{\"path\":\"prod/web\"}", "/env", 0, 0);
    comes_to("{\"io.emsa.environment\":\"prod\",\"io.emsa.service\":\"web\","
             "\"io.emsa.path\":\"/etc/web\",\"io.emsa.layout\":\"flat\",\"io.emsa.uid\":\"1000\","
             "\"io.emsa.gid\":\"0\",\"io.emsa.mode\":\"0440\",\"io.emsa.history\":\"true\","
             "\"io.emsa.cache\":\"false\"}",
             "{\"path\":\"prod/web\",\"layout\":\"flat\",\"mode\":288,\"history\":true,"
             "\"cache\":false}",
             "/etc/web", 1000, 0);
}

static void nothing_wanted(void **state)
{
    (void)state;
    struct wanted wanted;
    json_t *annotations;
    assert_int_equal(wanted_read(&wanted, NULL), 1);
    wanted_release(&wanted);
    assert_int_equal(read_text(&wanted, &annotations, "{\"io.emsaxy\":\"1\",\"a\":\"b\"}"), 1);
    wanted_release(&wanted);
    json_decref(annotations);
}

static void refused(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"\"io.emsa.service\":\"web\"", "io.emsa.environment' is missing"},
        {"\"io.emsa.environment\":\"prod\"", "io.emsa.service' is missing"},
        {"\"io.emsa.servise\":\"web\"", "no annotation 'io.emsa.servise'"},
        {"\"io.emsa.\":\"web\"", "no annotation 'io.emsa.'"},
        {"\"io.emsa.environment\":\"a/b\"", "io.emsa.environment"},
        {"\"io.emsa.environment\":\"\"", "io.emsa.environment"},
        {"\"io.emsa.service\":7", "io.emsa.service"},
        {"\"io.emsa.path\":\"env\"", "absolute path"},
        {"\"io.emsa.path\":\"/\"", "absolute path"},
        {"\"io.emsa.path\":\"/../.\"", "absolute path"},
        {"\"io.emsa.layout\":\"round\"", "tree or flat"},
        {"\"io.emsa.uid\":\"-1\"", "a number"},
        {"\"io.emsa.uid\":\"4294967295\"", "a number"},
        {"\"io.emsa.gid\":\"root\"", "a number"},
        {"\"io.emsa.mode\":\"0999\"", "octal"},
        {"\"io.emsa.mode\":\"07777\"", "octal"},
        {"\"io.emsa.history\":\"yes\"", "true or false"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[256];
        struct wanted wanted;
        json_t *annotations;
        (void)snprintf(text, sizeof text, "{%s}", rows[i][0]);
        assert_int_equal(read_text(&wanted, &annotations, text), -ERR_INVALID);
        if (strstr(error_text(), rows[i][1]) == NULL)
            fail_msg("%s: nothing like '%s' in: %s", text, rows[i][1], error_text());
        wanted_release(&wanted);
        json_decref(annotations);
    }
}

static void all_at_once(void **state)
{
    (void)state;
    struct wanted wanted;
    json_t *annotations;
    assert_int_equal(read_text(&wanted, &annotations,
                               "{\"io.emsa.environment\":\"/\",\"io.emsa.layout\":\"x\","
                               "\"io.emsa.mode\":\"y\",\"io.emsa.misspelt\":\"z\"}"),
                     -ERR_INVALID);
    assert_non_null(strstr(error_text(), "io.emsa.environment"));
    assert_non_null(strstr(error_text(), "tree or flat"));
    assert_non_null(strstr(error_text(), "octal"));
    assert_non_null(strstr(error_text(), "misspelt"));
    wanted_release(&wanted);
    json_decref(annotations);
}

static int parse(struct hook_options *options, const char *first, const char *second)
{
    char *argv[] = {(char *)(uintptr_t) "emsa-hook", (char *)(uintptr_t)first,
                    (char *)(uintptr_t)second, NULL};
    return hook_options_parse(options, first == NULL ? 1 : second == NULL ? 2 : 3, argv);
}

static void command_line(void **state)
{
    (void)state;
    struct hook_options options;
    assert_int_equal(parse(&options, NULL, NULL), 0);
    assert_null(options.store);
    assert_int_equal(parse(&options, "--store", "/s"), 0);
    assert_string_equal(options.store, "/s");
    assert_int_equal(parse(&options, "createRuntime", NULL), 0);
    assert_int_equal(parse(&options, "createContainer", NULL), -ERR_INVALID);
    assert_int_equal(parse(&options, "--store", NULL), -ERR_INVALID);
    assert_int_equal(parse(&options, "--none", NULL), -ERR_INVALID);
    assert_int_equal(parse(&options, "--help", NULL), 0);
    assert_true(options.help);
    assert_int_equal(parse(&options, "--version", NULL), 0);
    assert_true(options.version);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(understood), cmocka_unit_test(nothing_wanted), cmocka_unit_test(refused),
        cmocka_unit_test(all_at_once), cmocka_unit_test(command_line)};
    return cmocka_run_group_tests_name("hook wanted", tests, NULL, NULL);
}
