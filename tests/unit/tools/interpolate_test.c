/* Compose's "${...}": what each form comes to, what it is made of, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "tools/emsa/intake_text.h"
#include "tools/emsa/interpolate.h"

static char unset_names[256];

static size_t look_up(void *context, const char *name, size_t length)
{
    return intake_find(context, 0, name, length);
}

static void keep_unset(void *context, const char *name, size_t length)
{
    (void)context;
    size_t used = strlen(unset_names);
    snprintf(unset_names + used, sizeof unset_names - used, "%.*s ", (int)length, name);
}

static void set(struct intake *intake, size_t service, const char *name, const char *value)
{
    intake_draft(intake);
    assert_int_equal(intake_text(intake, value, strlen(value)), 0);
    assert_int_equal(intake_set(intake, service, name, strlen(name), "f", 1, NULL), 0);
}

/* SET is "set", EMPTY is empty, NONE is not there. */
static void prepare(struct intake *intake)
{
    size_t service;
    unset_names[0] = '\0';
    assert_int_equal(intake_service(intake, &service, "shared", 6, "f", 1), 0);
    assert_int_equal(intake_service(intake, &service, "web", 3, "f", 1), 0);
    set(intake, 0, "SET", "set");
    set(intake, 0, "EMPTY", "");
    set(intake, 0, "_x9", "low");
}

static int run(struct intake *intake, const char *text)
{
    struct interpolation how = {
        .intake = intake, .lookup = look_up, .unset = keep_unset, .context = intake};
    intake_draft(intake);
    return interpolate(&how, text, strlen(text));
}

/* What text comes to, and what its template says. */
static void check(const char *text, const char *value, const char *template)
{
    struct intake intake = {0};
    struct secret out SECRET_CLEANUP = {0};
    size_t key;
    prepare(&intake);
    if (run(&intake, text) < 0)
        fail_msg("'%s': %s", text, error_text());
    assert_int_equal(intake_set(&intake, 1, "K", 1, "f", 1, &key), 0);
    const struct intake_key *found = &intake.keys[key];
    if (found->value.size != strlen(value) ||
        memcmp(intake_bytes(&intake, found), value, strlen(value)) != 0)
        fail_msg("'%s' is '%.*s', not '%s'", text, (int)found->value.size,
                 (const char *)intake_bytes(&intake, found), value);
    assert_int_equal(intake_template(&out, &intake, found), 0);
    if (out.size != strlen(template) || memcmp(out.data, template, out.size) != 0)
        fail_msg("'%s' is made of '%.*s', not '%s'", text, (int)out.size, (char *)out.data,
                 template);
    intake_release(&intake);
}

static void forms(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"a", "a", "a"},
        {"$SET", "set", "${shared/SET}"},
        {"${SET}", "set", "${shared/SET}"},
        {"a${SET}b", "asetb", "a${shared/SET}b"},
        {"$SET.x", "set.x", "${shared/SET}.x"},
        {"$_x9-", "low-", "${shared/_x9}-"},
        {"$NONE|", "|", "|"},
        {"${NONE}|", "|", "|"},
        {"${EMPTY}|", "|", "${shared/EMPTY}|"},
        {"$$SET", "$SET", "$$SET"},
        {"$$$SET", "$set", "$$${shared/SET}"},
        {"$$$$", "$$", "$$$$"},
        {"$", "$", "$$"},
        {"$1 $ $/", "$1 $ $/", "$$1 $$ $$/"},
        {"${SET:-d}", "set", "${shared/SET}"},
        {"${SET-d}", "set", "${shared/SET}"},
        {"${EMPTY:-d}", "d", "d"},
        {"${EMPTY-d}|", "|", "${shared/EMPTY}|"},
        {"${NONE:-d}", "d", "d"},
        {"${NONE-d}", "d", "d"},
        {"${NONE:-}|", "|", "|"},
        {"${NONE:-$SET}", "set", "${shared/SET}"},
        {"${NONE:-a${SET}b}c", "asetbc", "a${shared/SET}bc"},
        {"${NONE:-${EMPTY:-${NONE-deep}}}", "deep", "deep"},
        {"${NONE:-{\"a\":{}}}|", "{\"a\":{}}|", "{\"a\":{}}|"},
        {"${NONE:-a:-b}", "a:-b", "a:-b"},
        {"${SET:+x}", "x", "x"},
        {"${SET+x$SET}", "xset", "x${shared/SET}"},
        {"${EMPTY:+x}|", "|", "|"},
        {"${EMPTY+x}", "x", "x"},
        {"${NONE:+x}|", "|", "|"},
        {"${NONE+x}|", "|", "|"},
        {"${SET:?e}", "set", "${shared/SET}"},
        {"${EMPTY?e}|", "|", "${shared/EMPTY}|"},
        {"}${SET}{", "}set{", "}${shared/SET}{"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(rows[i][0], rows[i][1], rows[i][2]);
}

static void refusals(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"${NONE:?say why}", "'NONE' is required, and not set: say why"},
        {"${NONE?}", "'NONE' is required, and not set"},
        {"${EMPTY:?e}", "'EMPTY' is required, and not set: e"},
        {"${NONE:-${NONE?inner}}", "'NONE' is required, and not set: inner"},
        {"${", "a '${' that is never closed"},
        {"${SET", "a '${' that is never closed"},
        {"${SET:-{}", "a '${' that is never closed"},
        {"${}", "a '${' without a name behind it"},
        {"${1}", "a '${' without a name behind it"},
        {"${SET:x}", "'${SET' goes on with none of"},
        {"${SET.x}", "'${SET' goes on with none of"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct intake intake = {0};
        prepare(&intake);
        assert_int_equal(run(&intake, rows[i][0]), -ERR_INVALID);
        if (strstr(error_text(), rows[i][1]) == NULL)
            fail_msg("'%s': '%s'", rows[i][0], error_text());
        intake_release(&intake);
    }
}

static void names_not_set(void **state)
{
    (void)state;
    struct intake intake = {0};
    prepare(&intake);
    assert_int_equal(run(&intake, "$A ${B} ${C:-x} ${D-x} ${E:+x} ${SET} ${NONE:-$F}"), 0);
    assert_string_equal(unset_names, "A B F ");
    intake_release(&intake);
}

static void too_much(void **state)
{
    (void)state;
    struct intake intake = {0};
    char deep[256];
    size_t length = 0;
    prepare(&intake);
    for (int i = 0; i < 40; i++)
        length +=
            (size_t)snprintf(deep + length, sizeof deep - length, "%s", i < 20 ? "${N:-" : "}");
    assert_int_equal(run(&intake, deep), -ERR_INVALID);
    assert_non_null(strstr(error_text(), "more than 16 deep"));
    char name[8] = "V0", text[64];
    set(&intake, 0, name, "0123456789abcdef");
    int error = 0;
    for (int i = 1; i < 20 && error == 0; i++) { /* each is four of the one before */
        snprintf(text, sizeof text, "$%s$%s$%s$%s", name, name, name, name);
        error = run(&intake, text);
        snprintf(name, sizeof name, "V%d", i);
        if (error == 0)
            error = intake_set(&intake, 0, name, strlen(name), "f", 1, NULL);
    }
    assert_int_equal(error, -ERR_INVALID);
    assert_non_null(strstr(error_text(), "a value over 1048576 bytes"));
    intake_release(&intake);
}

/* What a redefinition leaves of references to the name. */
static void redefined(void **state)
{
    (void)state;
    struct intake intake = {0};
    size_t before, itself;
    prepare(&intake);
    assert_int_equal(run(&intake, "$SET/x"), 0);
    assert_int_equal(intake_set(&intake, 1, "BEFORE", 6, "f", 1, &before), 0);
    assert_int_equal(run(&intake, "$SET"), 0);
    assert_int_equal(intake_set(&intake, 0, "SET", 3, "f", 2, &itself), 0);
    assert_int_equal(intake_settle(&intake), 0);
    assert_int_equal(intake_form(&intake, &intake.keys[before]), INTAKE_VALUE);
    assert_memory_equal(intake_bytes(&intake, &intake.keys[before]), "set/x", 5);
    assert_int_equal(intake_form(&intake, &intake.keys[itself]), INTAKE_VALUE);
    assert_memory_equal(intake_bytes(&intake, &intake.keys[itself]), "set", 3);
    intake_release(&intake);
}

/* Nine references one after the other are more than the store takes. */
static void far(void **state)
{
    (void)state;
    struct intake intake = {0};
    char name[8] = "SET", text[16];
    size_t key = 0;
    prepare(&intake);
    for (int i = 1; i <= 9; i++) {
        snprintf(text, sizeof text, "$%s", name);
        assert_int_equal(run(&intake, text), 0);
        snprintf(name, sizeof name, "V%d", i);
        assert_int_equal(intake_set(&intake, 0, name, strlen(name), "f", 1, &key), 0);
    }
    assert_int_equal(intake_settle(&intake), 0);
    assert_int_equal(intake_form(&intake, &intake.keys[key]), INTAKE_VALUE);
    assert_int_equal(intake_form(&intake, &intake.keys[key - 1]), INTAKE_LINK);
    intake_release(&intake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms),    cmocka_unit_test(refusals),  cmocka_unit_test(names_not_set),
        cmocka_unit_test(too_much), cmocka_unit_test(redefined), cmocka_unit_test(far),
    };
    if (secret_setup(64u << 20) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
