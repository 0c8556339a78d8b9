/* What each type takes and what it does not, at the borders of its rule; and what is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/limits.h"
#include "store/type.h"

static const struct type_bounds nothing;

/* 0, or TYPE_FAULT and a text. */
static int check(char text[static TYPE_TEXT_MAX], enum value_type type,
                 const struct type_bounds *bounds, const void *value, size_t size)
{
    char *exact = malloc(size ? size : 1); /* a sanitizer sees a byte too many */
    assert_non_null(exact);
    memcpy(exact, value, size);
    text[0] = '\0';
    const int fault = type_check(text, type, bounds, exact, size);
    free(exact);
    assert_true(fault == 0 || fault == TYPE_FAULT);
    assert_int_equal(fault == 0, text[0] == '\0');
    assert_true(strlen(text) < TYPE_TEXT_MAX);
    return fault;
}

static void all_are(enum value_type type, int fault, const char *const *values)
{
    char text[TYPE_TEXT_MAX];
    for (; *values; values++)
        if (check(text, type, &nothing, *values, strlen(*values)) != fault)
            fail_msg("%s '%s' is %s: %s", type_name(type), *values, fault ? "right" : "wrong",
                     text);
}

#define RIGHT(type, ...) all_are(type, 0, (const char *const[]){__VA_ARGS__, NULL})
#define WRONG(type, ...) all_are(type, TYPE_FAULT, (const char *const[]){__VA_ARGS__, NULL})

static void says(enum value_type type, const struct type_bounds *bounds, const char *value,
                 const char *expected)
{
    char text[TYPE_TEXT_MAX];
    assert_int_equal(check(text, type, bounds, value, strlen(value)), TYPE_FAULT);
    assert_string_equal(text, expected);
}

static void words_of_types(void **state)
{
    (void)state;
    enum value_type type;
    for (int i = TYPE_STRING; i <= TYPE_LAST; i++) {
        assert_int_equal(type_find(&type, type_name((enum value_type)i)), 0);
        assert_int_equal(type, i);
    }
    assert_int_equal(type_find(&type, "Port"), TYPE_NONE);
    assert_int_equal(type_find(&type, ""), TYPE_NONE);
    assert_true(type_has_range(TYPE_INT) && type_has_range(TYPE_PORT));
    assert_true(type_has_range(TYPE_DURATION) && !type_has_range(TYPE_STRING));
    assert_true(type_has_pattern(TYPE_STRING) && type_has_pattern(TYPE_REGEX));
    assert_false(type_has_pattern(TYPE_URL));
}

static void numbers(void **state)
{
    (void)state;
    RIGHT(TYPE_INT, "0", "-0", "7", "-1", "9223372036854775807", "-9223372036854775808");
    WRONG(TYPE_INT, "", "-", "00", "01", "-01", "+1", "1.0", "1e3", " 1", "1 ", "1\n", "0x1",
          "9223372036854775808", "-9223372036854775809", "99999999999999999999");
    RIGHT(TYPE_BOOL, "true", "false");
    WRONG(TYPE_BOOL, "", "True", "FALSE", "yes", "1", "0", "tru", "truee", "true\n");
    RIGHT(TYPE_PORT, "1", "80", "65535");
    WRONG(TYPE_PORT, "", "0", "65536", "080", "-1", "+80", "80\n", "4294967376",
          "18446744073709551696");
}

static void durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t nanoseconds;
        const char *back;
    } rows[] = {
        {"0", 0, "0s"},
        {"+0", 0, "0s"},
        {"0s", 0, "0s"},
        {"1ns", 1, "1ns"},
        {"1us", 1000, "1us"},
        {"1\xc2\xb5s", 1000, "1us"},
        {"1\xce\xbcs", 1000, "1us"},
        {"250ms", 250000000, "250ms"},
        {"1h30m", 5400000000000, "1h30m"},
        {"1.5h", 5400000000000, "1h30m"},
        {".5s", 500000000, "500ms"},
        {"1.s", 1000000000, "1s"},
        {"0.9999999999s", 999999999, "999ms999us999ns"},
        {"1s1s", 2000000000, "2s"},
        {"9223372036854775807ns", INT64_MAX, "2562047h47m16s854ms775us807ns"},
        {"2562047h47m16.854775807s", INT64_MAX, "2562047h47m16s854ms775us807ns"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t found = -1;
        char text[TYPE_DURATION_MAX];
        assert_int_equal(type_duration(&found, rows[i].text, strlen(rows[i].text)), 0);
        assert_int_equal(found, rows[i].nanoseconds);
        assert_string_equal(type_duration_text(text, found), rows[i].back);
        RIGHT(TYPE_DURATION, rows[i].text);
    }
    WRONG(TYPE_DURATION, "", "1", "-1s", "-0", "s", ".s", "1d", "1 s", "1S", "1ss", "1s1", "+",
          "00", "1s\n", "9223372036854775808ns", "2562047h47m16.854775808s", "3000000h", "1\xb5s");
}

#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define L61 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void hosts(void **state)
{
    (void)state;
    RIGHT(TYPE_HOSTNAME, "a", "a.", "localhost", "a-b", "1a", "A.b", L63, "xn--bcher-kva.de",
          L63 "." L63 "." L63 "." L61, "127.0.0.1", "::", "::1", "1:2:3:4:5:6:7::", "::1.2.3.4");
    WRONG(TYPE_HOSTNAME, "", ".", "a..", ".a", "a..b", "-a", "a-", "a_b", "a b", "a\n", L63 "a",
          L63 "." L63 "." L63 "." L61 "a", "1", "1.2.3", "256.1.1.1", "1.2.3.4.", "01.2.3.4", "a.1",
          ":::", "1::2::3", "1:2:3:4:5:6:7:8:9", "12345::", "fe80::1%eth0", "[::1]",
          "b\xc3\xbc.de");
    RIGHT(TYPE_EMAIL, "a@b", "a.b+c@d.example", "!#$%&'*+/=?^_`{|}~-@b", L63 "a@b",
          "a@" L63 "." L63 "." L63 "."
          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    WRONG(TYPE_EMAIL, "", "a", "@", "a@", "@b", "a@b@c", ".a@b", "a.@b", "a..b@c", "a b@c",
          "\"a\"@b", "a@[1.2.3.4]", "a@1.2.3.4", "a@b.", "a@b\n", L63 "aa@b",
          "a@" L63 "." L63 "." L63 "." L61);
}

static void urls(void **state)
{
    (void)state;
    RIGHT(TYPE_URL, "http://a", "HTTPS://a:443/b?c#d", "http://a:", "http://a:65535",
          "http://[::1]:80/", "redis://[v1.a:b]", "postgres://u:p%40@h/d", "file:///a",
          "redis://:p@h", "mailto:a@b", "urn:a:b", "jdbc:postgresql://a:1,b:2/c",
          "unix:/run/a.sock", "a:b", "tel:+1", "http://a/%41?/?:@!$&'()*+,;=#/?");
    WRONG(TYPE_URL, "", "a", "//a", "/a", ":a", "1a:b", "a_b:c", "a:", "a:?b", "a:#b", "http:a",
          "http:/a", "http://", "http:///a", "http://:80", "wss://u@", "http://a:65536",
          "http://a:x", "http://a b", "http://a/ ", "http://a\n", "http://a/%", "http://a/%4",
          "http://a/%4g", "http://a?[", "http://a#b#c", "http://u:p@q@a", "http://[::1",
          "http://[::g]", "http://[::1]x", "http://[v.a]", "http://[v.ab]", "http://b\xc3\xbc.de",
          "localhost:8080", "localhost:8080/a", "postgres://a:1,b:2/c", "http://a/\"");
    char postgres[] = "postgres", tel[] = "tel", *list[] = {postgres, tel};
    const struct type_words schemes = {list, 2};
    const struct type_bounds bounds = {.schemes = &schemes};
    char text[TYPE_TEXT_MAX];
    assert_int_equal(check(text, TYPE_URL, &bounds, "Postgres://a", 12), 0);
    assert_int_equal(check(text, TYPE_URL, &bounds, "tel:12", 6), 0);
    says(TYPE_URL, &bounds, "http://a",
         "must be a url (scheme://host): its scheme has to be one of postgres, tel");
}

static void encodings(void **state)
{
    (void)state;
    RIGHT(TYPE_BASE64, "", "AA==", "AAA=", "AAAA", "+/+/", "Zm9vYmFy");
    WRONG(TYPE_BASE64, "A", "AA", "AAA", "AA=", "AB==", "AAB=", "AAC=", "=",
          "====", "AAAA====", "AA==AA==", "A-_A", "AAAA\n", "AA AA", "AAA*");
    static const char block[] = "-----BEGIN A-----\n%s-----END A-----\n";
    static const struct {
        const char *inside;
        int fault;
    } rows[] = {
        {"AAAA\n", 0},
        {"AA==\n", 0},
        {"AAA\n=\n", 0},
        {"AAAA  \n", 0},
        {"\nAAAA\n", 0},
        {"AAAA\r\n", 0},
        {"P: 4\n\nAAAA\n", 0},
        {"P: 4\n q\n\nAAAA\n", 0},
        {"", 1},
        {"\n", 1},
        {"AAA\n", 1},
        {"AB==\n", 1},
        {"AAAA\n\nAAAA\n", 1},
        {"AA==\nAAAA\n", 1},
        {"P: 4\nAAAA\n", 1},
        {"\nP: 4\n\nAAAA\n", 1},
        {"AA-A\n", 1},
        {"AAAA====\n", 1},
        {"AAAA\r", 1},
    };
    char value[200], text[TYPE_TEXT_MAX];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const int size = snprintf(value, sizeof(value), block, rows[i].inside);
        if (check(text, TYPE_PEM, &nothing, value, (size_t)size) != rows[i].fault)
            fail_msg("'%s': %s", value, text);
    }
#define BLOCK "-----BEGIN A B-----\nAAAA\n-----END A B-----"
    RIGHT(TYPE_PEM, BLOCK, BLOCK "\n" BLOCK "\n", "text\n" BLOCK "\nmore", "\n\n" BLOCK);
    WRONG(TYPE_PEM, "", "text", "-----BEGIN A-----\nAAAA\n-----END B-----\n", " " BLOCK, BLOCK "-",
          "-----\n" BLOCK, BLOCK "\n-----END A-----\n", BLOCK BLOCK, "\xef\xbb\xbf" BLOCK,
          "-----BEGIN A-----\nAAAA\n", BLOCK "\n-----BEGIN A-----\nAAAA\n",
          "-----BEGIN -----\nAAAA\n-----END -----",
          "-----BEGIN A--B-----\nAAAA\n-----END A--B-----");
}

static void json(void **state)
{
    (void)state;
    RIGHT(TYPE_JSON, "{}", "[]", " 1 ", "-0.5e+10", "\"\\u00e9\\n\xc3\xa9\"", "null", "true",
          "false", "[1,\t{\"a\":[ ]},\r\n\"\"]", "{\"a\":1,\"a\":2}", "\"\\ud800\"", "0", "1E400");
    WRONG(TYPE_JSON, "", " ", "nul", "NaN", "Infinity", "-", "01", "1.", ".1", "1e", "+1", "[1,]",
          "[,1]", "[1 2]", "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "{1:1}", "['a']", "\"\t\"",
          "\"\x1f\"", "\"\\x\"", "\"\\u12\"", "\"", "\"\xff\"", "\"\xed\xa0\x80\"",
          "\xef\xbb\xbf"
          "1",
          "1 2", "[1]]", "[", "]", "{]", "[}", "\v1", "//1");
    char deep[2 * JSON_DEPTH_MAX + 3], text[TYPE_TEXT_MAX];
    memset(deep, '[', JSON_DEPTH_MAX + 1);
    memset(deep + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    assert_int_equal(check(text, TYPE_JSON, &nothing, deep, 2 * JSON_DEPTH_MAX + 2), TYPE_FAULT);
    assert_int_equal(check(text, TYPE_JSON, &nothing, deep + 1, 2 * JSON_DEPTH_MAX), 0);
    assert_int_equal(check(text, TYPE_JSON, &nothing, "1\0", 2), TYPE_FAULT);
}

static void patterns(void **state)
{
    (void)state;
    RIGHT(TYPE_REGEX, "", "a", "(?i)a|b", "[[:alpha:]]+", "\\p{L}", "(?<=a)b", "a{2}");
    WRONG(TYPE_REGEX, "(", ")", "[", "*", "\\", "a{2,1}", "\\C", "\xff", "(?<n>a)(?<n>b)",
          "\\p{Nothing}");
    char text[TYPE_TEXT_MAX];
    const struct type_bounds lower = {.pattern = "[a-z]+|\xc3\xa9."};
    assert_int_equal(check(text, TYPE_STRING, &lower, "abc", 3), 0);
    assert_int_equal(check(text, TYPE_REGEX, &lower, "abc", 3), 0);
    assert_int_equal(check(text, TYPE_STRING, &lower, "\xc3\xa9\xe2\x82\xac", 5), 0);
    says(TYPE_STRING, &lower, "abc\n", "must match [a-z]+|\xc3\xa9.");
    says(TYPE_STRING, &lower, "abcD", "must match [a-z]+|\xc3\xa9.");
    says(TYPE_STRING, &lower, "", "must match [a-z]+|\xc3\xa9.");
    says(TYPE_STRING, &lower, "ab\xff", "must match [a-z]+|\xc3\xa9.: it is not UTF-8");
    const struct type_bounds line = {.pattern = "^[a-z]+$"};
    assert_int_equal(check(text, TYPE_STRING, &line, "a\n", 2), TYPE_FAULT);
    assert_int_equal(check(text, TYPE_STRING, &line, "a\nb", 3), TYPE_FAULT);
    assert_int_equal(type_pattern(text, "a(b"), TYPE_FAULT);
    assert_string_equal(text,
                        "must be a regular expression: column 4: missing closing parenthesis");
    assert_int_equal(type_pattern(text, "a(b)"), 0);
}

/* What would take for ever, in steps or in memory, ends soon, as a fault. */
static void patterns_that_take_long(void **state)
{
    (void)state;
    const struct type_bounds steps = {.pattern = "(a+)+$"}, memory = {.pattern = "(?:a|b)*c"};
    char value[65536], text[TYPE_TEXT_MAX];
    memset(value, 'a', sizeof(value));
    value[40] = 'b';
    assert_int_equal(check(text, TYPE_STRING, &steps, value, 41), TYPE_FAULT);
    assert_string_equal(text, "must match (a+)+$: the pattern takes too long on this value");
    assert_int_equal(check(text, TYPE_STRING, &memory, value, sizeof(value)), TYPE_FAULT);
    assert_int_equal(check(text, TYPE_STRING, &steps, value, 40), 0);
    const struct type_bounds forever = {.pattern = "(?R)?a|(?1)(b)"};
    assert_int_equal(check(text, TYPE_STRING, &forever, value, 41), TYPE_FAULT);
    /* what would match in the end, after a million steps */
    const struct type_bounds few = {.pattern = "(?:a?){10}a{10}"};
    const struct type_bounds many = {.pattern = "(?:a?){20}a{20}"};
    assert_int_equal(check(text, TYPE_STRING, &few, value, 10), 0);
    assert_int_equal(check(text, TYPE_STRING, &many, value, 20), TYPE_FAULT);
    memset(value, '(', sizeof(value));
    assert_int_equal(check(text, TYPE_REGEX, &nothing, value, sizeof(value)), TYPE_FAULT);
}

static void bounds_of_numbers_and_lengths(void **state)
{
    (void)state;
    char text[TYPE_TEXT_MAX];
    const struct type_bounds range = {.has_min = true, .min = -1, .has_max = true, .max = 5};
    const struct type_bounds least = {.has_min = true, .min = 1500000000};
    const struct type_bounds most = {.has_max = true, .max = 60000000000};
    assert_int_equal(check(text, TYPE_INT, &range, "-1", 2), 0);
    assert_int_equal(check(text, TYPE_INT, &range, "5", 1), 0);
    says(TYPE_INT, &range, "6", "must be from -1 to 5");
    says(TYPE_INT, &range, "-2", "must be from -1 to 5");
    says(TYPE_DURATION, &least, "1s", "must be at least 1s500ms");
    says(TYPE_DURATION, &most, "61s", "must be at most 1m");
    assert_int_equal(check(text, TYPE_DURATION, &most, "60s", 3), 0);
    const struct type_bounds length = {
        .has_min_length = true, .min_length = 2, .has_max_length = true, .max_length = 3};
    assert_int_equal(check(text, TYPE_STRING, &length, "ab", 2), 0);
    assert_int_equal(check(text, TYPE_STRING, &length, "abc", 3), 0);
    says(TYPE_STRING, &length, "a", "must have 2 to 3 bytes");
    says(TYPE_STRING, &length, "abcd", "must have 2 to 3 bytes");
    const struct type_bounds brief = {.has_max_length = true, .max_length = 3};
    says(TYPE_STRING, &brief, "abcd", "must have at most 3 bytes");
}

static void words_of_an_enum(void **state)
{
    (void)state;
    char text[TYPE_TEXT_MAX], long_word[150];
    char debug[] = "debug", info[] = "info", empty[] = "", *list[] = {debug, info, empty};
    struct type_words values = {list, 3};
    const struct type_bounds bounds = {.values = &values};
    assert_int_equal(check(text, TYPE_ENUM, &bounds, "info", 4), 0);
    assert_int_equal(check(text, TYPE_ENUM, &bounds, "", 0), 0);
    assert_int_equal(check(text, TYPE_ENUM, &bounds, "info\0", 5), TYPE_FAULT);
    values.count = 2;
    says(TYPE_ENUM, &bounds, "", "must be one of debug, info: it is empty");
    says(TYPE_ENUM, &bounds, "infos", "must be one of debug, info");
    /* a character is not cut in two */
    for (size_t i = 0; i + 2 < sizeof(long_word); i += 2)
        memcpy(long_word + i, "\xc3\xa9", 3);
    long_word[0] = long_word[1] = 'x';
    list[0] = list[1] = long_word + 1;
    assert_int_equal(check(text, TYPE_ENUM, &bounds, "a", 1), TYPE_FAULT);
    assert_string_equal(text + strlen(text) - 5, "\xc3\xa9...");
}

/* What is said tells of form and place, and nothing of what the value holds. */
static void what_is_said(void **state)
{
    (void)state;
    says(TYPE_PORT, &nothing, "8080\n", "must be a port (1 to 65535): it ends in a newline");
    says(TYPE_PORT, &nothing, "80\r\n",
         "must be a port (1 to 65535): it ends in a carriage return and a newline");
    says(TYPE_PORT, &nothing, "80a", "must be a port (1 to 65535)");
    says(TYPE_INT, &nothing, "\"1\"", "must be a whole number: it has quotes around it");
    says(TYPE_INT, &nothing, " 1", "must be a whole number: it has a blank at its begin or end");
    says(TYPE_INT, &nothing, "", "must be a whole number: it is empty");
    says(TYPE_INT, &nothing, "9223372036854775808", "must be a whole number: it is beyond 64 bits");
    says(TYPE_JSON, &nothing, "{\"a\":\n\"\xc3\xa9\", x}",
         "must be JSON: line 2, column 6: a string was expected");
    says(TYPE_JSON, &nothing, "[1", "must be JSON: column 3: it ends too early");
    says(TYPE_URL, &nothing, "http://a/ b",
         "must be a url (scheme://host): column 10: what stands here has to be written as %XX");
    says(TYPE_BASE64, &nothing, "AA*A",
         "must be base64: column 3: none of its digits (A-Z a-z 0-9 + /)");
    char text[TYPE_TEXT_MAX];
    assert_int_equal(check(text, TYPE_STRING, &nothing, "a\0b", 3), TYPE_FAULT);
    assert_string_equal(text, "must be text: it has a NUL byte in it");
}

static void guesses(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        enum value_type type;
    } rows[] = {
        {"true", TYPE_BOOL},
        {"8080", TYPE_INT},
        {"0", TYPE_INT},
        {"30s", TYPE_DURATION},
        {"https://a/b", TYPE_URL},
        {"a@b.example", TYPE_EMAIL},
        {"10.0.0.1", TYPE_HOSTNAME},
        {"db.prod.internal", TYPE_HOSTNAME},
        {"localhost", TYPE_HOSTNAME},
        {"{\"a\": 1}", TYPE_JSON},
        {"Zm9vYmFyYmF6cXV1eA==", TYPE_BASE64},
        {"-----BEGIN A-----\nAAAA\n-----END A-----\n", TYPE_PEM},
        {"", TYPE_STRING},
        {"info", TYPE_STRING},
        {"app.log", TYPE_STRING},
        {"0123456789abcdef", TYPE_STRING},
        {"True", TYPE_STRING},
        {"8080\n", TYPE_STRING},
        {"localhost:8080", TYPE_STRING},
        {"https://a b", TYPE_STRING},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (type_guess(rows[i].value, strlen(rows[i].value)) != rows[i].type)
            fail_msg("'%s' looks like %s", rows[i].value,
                     type_name(type_guess(rows[i].value, strlen(rows[i].value))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_types),
        cmocka_unit_test(numbers),
        cmocka_unit_test(durations),
        cmocka_unit_test(hosts),
        cmocka_unit_test(urls),
        cmocka_unit_test(encodings),
        cmocka_unit_test(json),
        cmocka_unit_test(patterns),
        cmocka_unit_test(patterns_that_take_long),
        cmocka_unit_test(bounds_of_numbers_and_lengths),
        cmocka_unit_test(words_of_an_enum),
        cmocka_unit_test(what_is_said),
        cmocka_unit_test(guesses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
