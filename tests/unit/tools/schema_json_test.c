/* A schema as JSON: what is read is what is written, and everything that is wrong is told, at its
 * key, member and item. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "tools/service/schema_json.h"

/* ' stands for ". */
static json_t *parse(const char *text)
{
    char copy[4096];
    json_error_t error;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *at = copy; *at != '\0'; at++)
        if (*at == '\'')
            *at = '"';
    json_t *object = json_loads(copy, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (object == NULL)
        fail_msg("%s in: %s", error.text, copy);
    return object;
}

static int no_fault(void *arg, const struct schema_at *at, const char *text)
{
    char subject[SCHEMA_SUBJECT_MAX];
    (void)arg;
    fail_msg("%s %s", schema_subject_text(subject, at), text);
    return 0;
}

struct told {
    char text[8192];
    size_t used;
};

static int note(void *arg, const struct schema_at *at, const char *text)
{
    struct told *told = arg;
    char subject[SCHEMA_SUBJECT_MAX];
    told->used += (size_t)snprintf(told->text + told->used, sizeof told->text - told->used,
                                   "%s %s\n", schema_subject_text(subject, at), text);
    return 0;
}

static const char whole[] =
    "{'service': 'billing', 'strict': true, 'description': 'pays', 'keys': {"
    "'A': {'type': 'url', 'secret': true, 'required': true, 'schemes': ['https', 'http']},"
    "'B': {'type': 'enum', 'required': ['prod', 'dev'], 'values': ['debug', 'info'],"
    "      'default': 'info'},"
    "'C': {'type': 'duration', 'min': '250ms', 'max': '1h30m', 'default': '1s'},"
    "'D': {'type': 'int', 'min': -5, 'max': 9007199254740993},"
    "'E': {'type': 'string', 'pattern': '[a-z]+', 'min_length': 1, 'max_length': 20,"
    "      'default': 'x', 'promote': false, 'description': 'why'},"
    "'F': {'type': 'string', 'deprecated': true, 'in': ['dev', 'prod']},"
    "'G': {'type': 'string', 'default': ''}}}";

static void round_trip(void **state)
{
    (void)state;
    struct schema schema;
    json_t *object = parse(whole);
    assert_int_equal(schema_from_json(&schema, object, no_fault, NULL), 0);
    assert_int_equal(schema.count, 7);
    assert_true(schema.is_strict);
    const struct schema_key *c = schema_find(&schema, "C");
    assert_int_equal(c->type, TYPE_DURATION);
    assert_true(c->min == 250000000 && c->max == INT64_C(5400000000000));
    assert_true(schema_find(&schema, "D")->max == INT64_C(9007199254740993));
    assert_true(schema_find(&schema, "G")->has_default);
    assert_int_equal(schema_find(&schema, "G")->default_size, 0);
    assert_true(schema_find(&schema, "E")->is_fixed);
    json_t *again = schema_to_json(&schema);
    assert_true(json_equal(object, again));
    schema_release(&schema);
    json_decref(object);
    json_decref(again);
}

/* Members that say what holds anyway, and a key that says nothing. */
static void defaults(void **state)
{
    (void)state;
    struct schema schema;
    json_t *object = parse("{'service': 's', 'strict': false, 'keys': {'A': null, 'B': {}, "
                           "'C': {'type': 'string', 'secret': false, 'required': false, "
                           "'deprecated': false, 'promote': true}, "
                           "'D': {'type': 'duration', 'min': 0}}}");
    assert_int_equal(schema_from_json(&schema, object, no_fault, NULL), 0);
    json_t *again = schema_to_json(&schema);
    json_t *wanted = parse("{'service': 's', 'keys': {'A': {'type': 'string'}, "
                           "'B': {'type': 'string'}, 'C': {'type': 'string'}, "
                           "'D': {'type': 'duration', 'min': '0s'}}}");
    assert_true(json_equal(wanted, again));
    json_decref(object);
    json_decref(again);
    json_decref(wanted);
    schema_release(&schema);
    object = parse("{'service': 's', 'keys': {}}");
    assert_int_equal(schema_from_json(&schema, object, no_fault, NULL), 0);
    assert_int_equal(schema.count, 0);
    schema_release(&schema);
    json_decref(object);
}

static void refuse(const char *text, const char *lines)
{
    struct told told = {.used = 0};
    struct schema schema = {.count = 4711};
    json_t *object = parse(text);
    assert_int_equal(schema_from_json(&schema, object, note, &told), 1);
    assert_int_equal(schema.count, 4711);
    if (strcmp(told.text, lines) != 0)
        fail_msg("%s: expected\n%s, found\n%s", text, lines, told.text);
    json_decref(object);
}

#define KEY(text) "{'service': 's', 'keys': {'K': " text "}}"

static void refusals(void **state)
{
    (void)state;
    refuse("[]", "the schema must be a mapping with 'service' and 'keys'\n");
    refuse("{}", "the schema does not say of which service it is: 'service' is missing\n"
                 "the schema declares no keys: 'keys' is missing\n");
    refuse("{'service': 1, 'strict': 'yes', 'kees': {}, 'keys': []}",
           "service must be a text\nstrict must be true or false\n"
           "kees is none of the members: did you mean 'keys'?\n"
           "keys must be a mapping of keys: {PORT: {type: port}}\n");
    refuse("{'service': 's', 'quux': 1, 'keys': {}}",
           "quux is none of the members: service, strict, description, keys\n");
    refuse(KEY("5"), "'K' must be a mapping of what is asked of it: {type: string}\n");
    refuse(KEY("{'type': 'prt'}"), "type of 'K' names no type: did you mean 'port'?\n");
    refuse(KEY("{'type': 7}"), "type of 'K' must be a text\n");
    refuse(KEY("{'requird': true}"), "requird of 'K' is none of the members: did you mean "
                                     "'required'?\n");
    refuse(KEY("{'secret': 1, 'deprecated': null, 'promote': 'no'}"),
           "secret of 'K' must be true or false\ndeprecated of 'K' must be true or false\n"
           "promote of 'K' must be true or false\n");
    refuse(KEY("{'required': 'prod'}"),
           "required of 'K' must be true, false or a list of environments\n");
    refuse(KEY("{'in': []}"), "in of 'K' must be a list of environments, and this one is empty\n");
    refuse(KEY("{'type': 'enum', 'values': ['a', 2, null]}"),
           "item 2 of values of 'K' must be a text\n"
           "item 3 of values of 'K' is empty: write \"\" for an empty text\n");
    refuse(KEY("{'type': 'int', 'min': '5', 'max': 1.5}"),
           "min of 'K' must be a whole number\nmax of 'K' must be a whole number\n");
    refuse(KEY("{'type': 'duration', 'min': 5}"),
           "min of 'K' must be a duration, such as 250ms or 1h30m\n");
    refuse(KEY("{'min_length': -1, 'max_length': 1048577}"),
           "min_length of 'K' must be a number of bytes, 0 to 1048576\n"
           "max_length of 'K' must be a number of bytes, 0 to 1048576\n");
    refuse(KEY("{'default': 80}"), "default of 'K' must be a text\n");
    refuse(KEY("{'description': 'a\\u0000b'}"),
           "description of 'K' must be a text without a NUL\n");
    refuse("{'service': 's', 'keys': {'a b': {}, 'L': {'type': 'x', 'min': true}}}",
           "'a b' is no name of a key: letters, digits, '_', '.' and '-', first a letter, digit, "
           "'_' or '.'\n"
           "type of 'L' must be one of string, int, bool, enum, url, port, duration, hostname, "
           "email, regex, json, pem, base64\n");
}

/* What schema_check finds comes too, but not of what may only follow from a fault before. */
static void checks(void **state)
{
    (void)state;
    refuse("{'service': 's', 'keys': {'A': {'type': 'enum', 'values': 'x'}, 'B': {'type': 'enum'}, "
           "'C': {'type': 'int', 'min': 2, 'max': 1}}}",
           "values of 'A' must be a list of texts\n"
           "values of 'B' is missing: an enum lists what it may be\n"
           "min of 'C' is above max\n");
}

static void lines(void **state)
{
    (void)state;
    struct schema schema;
    json_t *object = parse("{'service': 's', 'keys': {'A': {'secret': 1}, 'B': {'type': 'enum'}}}");
    assert_int_equal(schema_parse(&schema, object, "the schema of 'all/s'"), -ERR_INVALID);
    assert_string_equal(error_text(), "the schema of 'all/s': secret of 'A' must be true or false\n"
                                      "the schema of 'all/s': values of 'B' is missing: an enum "
                                      "lists what it may be");
    json_decref(object);
    assert_int_equal(schema_parse(&schema, NULL, "x"), -ERR_INVALID);
    /* more than a failure's text holds */
    json_t *keys = json_object();
    for (int i = 0; i < 500; i++) {
        char name[16];
        snprintf(name, sizeof name, "K%03d", i);
        json_object_set_new(keys, name, json_pack("{s:i}", "secret", i));
    }
    object = json_pack("{s:s, s:o}", "service", "s", "keys", keys);
    assert_int_equal(schema_parse(&schema, object, "the schema of 'all/s'"), -ERR_INVALID);
    assert_non_null(strstr(error_text(), "'K100'"));
    json_decref(object);
}

static int stop(void *arg, const struct schema_at *at, const char *text)
{
    (void)at, (void)text;
    ++*(int *)arg;
    return -ERR_IO;
}

/* A failure of whoever is told ends it. */
static void stopped(void **state)
{
    (void)state;
    struct schema schema;
    int count = 0;
    json_t *object = parse("{'service': 's', 'keys': {'A': {'secret': 1}, 'B': {'secret': 1}}}");
    assert_int_equal(schema_from_json(&schema, object, stop, &count), -ERR_IO);
    assert_int_equal(count, 1);
    json_decref(object);
}

static void shapes(void **state)
{
    (void)state;
    assert_int_equal(schema_shape(false, "keys"), SHAPE_KEYS);
    assert_int_equal(schema_shape(false, "type"), SHAPE_NONE);
    assert_int_equal(schema_shape(true, "type"), SHAPE_TEXT);
    assert_int_equal(schema_shape(true, "required"), SHAPE_PLACES);
    assert_int_equal(schema_shape(true, "keys"), SHAPE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip), cmocka_unit_test(defaults), cmocka_unit_test(refusals),
        cmocka_unit_test(checks),     cmocka_unit_test(lines),    cmocka_unit_test(stopped),
        cmocka_unit_test(shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
