/* The command line: verbs of one and two words, options anywhere, what is wrong use, another
 * program's words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "tools/emsa/command.h"
#include "tools/emsa/options.h"

#define WORDS_MAX 16

/* A line of words divided by blanks. */
static int parse(struct options *out, const struct command **command, const char *line)
{
    static char words[256];
    static char program[] = "emsa";
    char *argv[WORDS_MAX] = {program};
    int argc = 1;
    snprintf(words, sizeof words, "%s", line);
    for (char *at = words; *at != '\0' && argc < WORDS_MAX - 1;) {
        argv[argc++] = at;
        at += strcspn(at, " ");
        if (*at != '\0')
            *at++ = '\0';
    }
    return options_parse(out, command, argc, argv);
}

static void good(void **state)
{
    (void)state;
    struct options options;
    const struct command *command;
    assert_int_equal(
        parse(&options, &command, "--store /s --json set prod/web A=1 -m why --if-rev 7 --dry-run"),
        0);
    assert_string_equal(command->name, "set");
    assert_string_equal(options.store, "/s");
    assert_true(options.json && options.dry_run && options.has_if_rev);
    assert_string_equal(options.reason, "why");
    assert_int_equal(options.if_rev, 7);
    assert_int_equal(options.arguments.count, 2);
    options_release(&options);

    assert_int_equal(parse(&options, &command, "env rm prod --all --store=/t"), 0);
    assert_string_equal(command->sub, "rm");
    assert_true(options.all);
    assert_string_equal(options.store, "/t");
    options_release(&options);

    assert_int_equal(
        parse(&options, &command, "import a/b f --secret K --secret L --plain M --guess-secrets"),
        0);
    assert_int_equal(options.secret_keys.count, 2);
    assert_string_equal(options.plain_keys.list[0], "M");
    options_release(&options);

    assert_int_equal(parse(&options, &command, "set --secret a/b/K -"), 0);
    assert_true(options.secret);
    assert_string_equal(options.arguments.list[1], "-");
    options_release(&options);

    assert_int_equal(parse(&options, &command, "set a/b/K -- --not-an-option"), 0);
    assert_string_equal(options.arguments.list[1], "--not-an-option");
    options_release(&options);
}

/* After the place, or after --, every word is the other program's. */
static void another_program(void **state)
{
    (void)state;
    struct options options;
    const struct command *command;
    assert_int_equal(
        parse(&options, &command, "exec --only A,B prod/web --pristine -- env --null -- x"), 0);
    assert_true(options.pristine);
    assert_string_equal(options.only, "A,B");
    assert_int_equal(options.arguments.count, 5);
    assert_string_equal(options.arguments.list[2], "--null");
    assert_string_equal(options.arguments.list[3], "--");
    options_release(&options);
    assert_int_equal(parse(&options, &command, "exec prod/web ls --strict -l"), 0);
    assert_false(options.strict);
    assert_int_equal(options.arguments.count, 4);
    options_release(&options);
}

static void wrong(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "frobnicate",
        "env",
        "env frob x",
        "env add",
        "get",
        "get a/b/c d",
        "get --raw a",
        "set a/b --if-rev",
        "set --reason",
        "set a/b A=1 --if-rev x",
        "log -n -1",
        "--frob status",
        "set a/b --dry-run=1",
        "mount",
        "exec prod/web",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct options options;
        const struct command *command;
        if (parse(&options, &command, lines[i]) != -ERR_INVALID)
            fail_msg("'%s' was taken", lines[i]);
        assert_string_not_equal(error_text(), "");
        options_release(&options);
    }
}

static void nearest(void **state)
{
    (void)state;
    struct options options;
    const struct command *command;
    assert_int_equal(parse(&options, &command, "exprot prod/web"), -ERR_INVALID);
    assert_non_null(strstr(error_text(), "'export'"));
    options_release(&options);
}

/* Help on a verb asks for no arguments. */
static void help(void **state)
{
    (void)state;
    struct options options;
    const struct command *command;
    assert_int_equal(parse(&options, &command, "set --help"), 0);
    assert_true(options.help);
    options_release(&options);
    assert_int_equal(parse(&options, &command, ""), 0);
    assert_null(command);
    options_release(&options);
}

/* Each row has what help, the manual and the completion make of it. */
static void table(void **state)
{
    (void)state;
    for (size_t i = 0; i < command_count; i++) {
        const struct command *row = &commands[i];
        assert_non_null(row->run);
        assert_memory_equal(row->synopsis, row->name, strlen(row->name));
        assert_true(strlen(row->about) > 0);
        assert_true(row->least <= row->most);
        assert_ptr_equal(command_find(row->name, row->sub), row);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),  cmocka_unit_test(another_program),
        cmocka_unit_test(wrong), cmocka_unit_test(nearest),
        cmocka_unit_test(help),  cmocka_unit_test(table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
