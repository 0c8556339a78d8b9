#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/run/options.h"
#include "tools/run/say.h"

#define PARSE(out, ...)                                                                            \
    parse((out), sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *),                           \
          (const char *[]){__VA_ARGS__})

static int parse(struct run_options *out, size_t count, const char *words[])
{
    static char *argv[2 * RUN_FILES_MAX + 16];
    argv[0] = (char *)(uintptr_t) "emsa-run";
    for (size_t i = 0; i < count; i++)
        argv[i + 1] = (char *)(uintptr_t)words[i];
    argv[count + 1] = NULL;
    return run_options_parse(out, (int)count + 1, argv);
}

static void takes(void **state)
{
    (void)state;
    struct run_options options;
    assert_int_equal(PARSE(&options, "cmd"), 0);
    assert_string_equal(options.directory, "/env");
    assert_int_equal(options.on_change, 0);
    assert_string_equal(options.command[0], "cmd");
    assert_null(options.command[1]);
    assert_int_equal(PARSE(&options, "--dir", "/d", "--on-change=HUP", "--file", "a", "--file=b",
                           "--", "cmd", "--dir", "x"),
                     0);
    assert_string_equal(options.directory, "/d");
    assert_int_equal(options.on_change, SIGHUP);
    assert_int_equal(options.file_count, 2);
    assert_string_equal(options.files[1], "b");
    assert_string_equal(options.command[1], "--dir");
    assert_int_equal(PARSE(&options, "--on-change=SIGTERM", "cmd"), 0);
    assert_int_equal(options.on_change, SIGTERM);
    assert_int_equal(PARSE(&options, "--help"), 0);
    assert_true(options.help);
    assert_int_equal(PARSE(&options, "--version"), 0);
    assert_true(options.version);
}

static void refuses(void **state)
{
    (void)state;
    struct run_options options;
    const char *many[2 * RUN_FILES_MAX + 3];
    for (size_t i = 0; i < RUN_FILES_MAX + 1; i++) {
        many[2 * i] = "--file";
        many[2 * i + 1] = "key";
    }
    many[2 * RUN_FILES_MAX + 2] = "cmd";
    assert_int_equal(parse(&options, 2 * RUN_FILES_MAX + 3, many), RUN_REFUSED);
    assert_int_equal(parse(&options, 2 * RUN_FILES_MAX + 1, many + 2), 0);
    assert_int_equal(parse(&options, 0, many), RUN_REFUSED);
    assert_int_equal(PARSE(&options, "--"), RUN_REFUSED);
    assert_int_equal(PARSE(&options, "--dir"), RUN_REFUSED);
    assert_int_equal(PARSE(&options, "--dir=", "cmd"), RUN_REFUSED);
    assert_int_equal(PARSE(&options, "--on-change=KILL", "cmd"), RUN_REFUSED);
    assert_int_equal(PARSE(&options, "--on-change=", "cmd"), RUN_REFUSED);
    assert_int_equal(PARSE(&options, "--none", "cmd"), RUN_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(takes), cmocka_unit_test(refuses)};
    return cmocka_run_group_tests_name("run options", tests, NULL, NULL);
}
