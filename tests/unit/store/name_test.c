/* Names and paths: what is allowed, how it is shown, what looks like a slip of the hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/error.h"
#include "store/name.h"

static int check(enum name_kind kind, const char *text)
{
    return name_check(kind, text, strlen(text));
}

static void good_names(void **state)
{
    (void)state;
    assert_int_equal(check(NAME_ENVIRONMENT, "prod"), 0);
    assert_int_equal(check(NAME_ENVIRONMENT, "preview-17"), 0);
    assert_int_equal(check(NAME_SERVICE, "0a.b_c-"), 0);
    assert_int_equal(check(NAME_KEY, "DATABASE_URL"), 0);
    assert_int_equal(check(NAME_KEY, ".hidden"), 0);
    assert_int_equal(check(NAME_KEY, "_x"), 0);
    assert_int_equal(check(NAME_KEY, ".emsa2"), 0);
    assert_int_equal(check(NAME_KEY, "a..b"), 0);
}

static void bad_names(void **state)
{
    (void)state;
    static const char *const keys[] = {"",     ".",   "..",  "..x", ".emsa",
                                       "-x",   "a/b", "a b", "a\n", "\xc3\xa9t\xc3\xa9",
                                       "\xff", "a=b"};
    static const char *const services[] = {"", ".x", "_x", "-x", "..", "a/b", "\x01"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        assert_int_equal(check(NAME_KEY, keys[i]), -ERR_INVALID);
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
        assert_int_equal(check(NAME_SERVICE, services[i]), -ERR_INVALID);
        assert_int_equal(check(NAME_ENVIRONMENT, services[i]), -ERR_INVALID);
    }
    assert_int_equal(name_check(NAME_KEY, "a\0b", 3), -ERR_INVALID);
    assert_non_null(strstr(error_text(), "'a\\x00b'"));
}

static void lengths(void **state)
{
    (void)state;
    char text[KEY_NAME_MAX + 2];
    memset(text, 'a', sizeof(text));
    assert_int_equal(name_check(NAME_KEY, text, KEY_NAME_MAX), 0);
    assert_int_equal(name_check(NAME_KEY, text, KEY_NAME_MAX + 1), -ERR_INVALID);
    assert_non_null(strstr(error_text(), "aaa...'"));
    assert_int_equal(name_check(NAME_SERVICE, text, SERVICE_NAME_MAX), 0);
    assert_int_equal(name_check(NAME_SERVICE, text, SERVICE_NAME_MAX + 1), -ERR_INVALID);
    assert_int_equal(name_check(NAME_ENVIRONMENT, text, ENVIRONMENT_NAME_MAX + 1), -ERR_INVALID);
}

static int parse(struct path *path, const char *text)
{
    return path_parse(path, text, strlen(text));
}

static void paths_parse(void **state)
{
    (void)state;
    struct path path;
    char text[PATH_TEXT_MAX];
    static const struct {
        const char *given, *text;
        enum path_depth depth;
    } rows[] = {{"", "", PATH_ROOT},
                {"prod", "prod", PATH_ENVIRONMENT},
                {"prod/", "prod", PATH_ENVIRONMENT},
                {"prod/billing", "prod/billing", PATH_SERVICE},
                {"prod/billing/", "prod/billing", PATH_SERVICE},
                {"prod/billing/PORT", "prod/billing/PORT", PATH_KEY},
                {"prod/billing/PORT/", "prod/billing/PORT", PATH_KEY}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(parse(&path, rows[i].given), 0);
        assert_string_equal(path_text(&path, text), rows[i].text);
        assert_int_equal(path_depth(&path), rows[i].depth);
    }
}

static void bad_paths_leave_path_untouched(void **state)
{
    (void)state;
    static const char *const bad[] = {"/",       "/prod",     "prod//x",         "a/b/c/d",
                                      "a/b/c//", "prod/../x", "prod/billing/..", "a/b/.emsa"};
    struct path path;
    assert_int_equal(parse(&path, "keep/this"), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(parse(&path, bad[i]), -ERR_INVALID);
    assert_string_equal(path.environment, "keep");
    assert_string_equal(path.service, "this");
}

static void paths_are_made_of_parts(void **state)
{
    (void)state;
    struct path path;
    assert_int_equal(path_make(&path, "prod", "billing", "PORT"), 0);
    assert_int_equal(path_depth(&path), PATH_KEY);
    assert_int_equal(path_make(&path, NULL, NULL, NULL), 0);
    assert_int_equal(path_depth(&path), PATH_ROOT);
    assert_int_equal(path_make(&path, "prod", "", "PORT"), -ERR_INVALID);
    assert_int_equal(path_make(&path, NULL, "billing", NULL), -ERR_INVALID);
    assert_int_equal(path_make(&path, "prod", "billing", ".."), -ERR_INVALID);
}

/* Whatever the bytes: a path that parses is written as it was given, but for one final slash. */
static void random_paths_round_trip(void **state)
{
    (void)state;
    const char *given = getenv("EMSA_TEST_SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)getpid();
    print_message("seed %u (EMSA_TEST_SEED)\n", seed);
    unsigned short numbers[3] = {(unsigned short)seed, 7, 7};
    static const char letters[] = "ab./_-9Z\xc3 =";
    size_t parsed = 0;
    for (int i = 0; i < 200000; i++) {
        char text[16], again[PATH_TEXT_MAX];
        struct path path;
        size_t length = (size_t)nrand48(numbers) % sizeof(text);
        for (size_t j = 0; j < length; j++)
            text[j] = letters[(size_t)nrand48(numbers) % (sizeof(letters) - 1)];
        if (path_parse(&path, text, length))
            continue;
        parsed++;
        path_text(&path, again);
        size_t expected = length > 0 && text[length - 1] == '/' ? length - 1 : length;
        assert_int_equal(strlen(again), expected);
        assert_memory_equal(again, text, expected);
    }
    assert_true(parsed > 1000);
}

static void distances(void **state)
{
    (void)state;
    assert_int_equal(name_distance("billing", "billing", 6), 0);
    assert_int_equal(name_distance("billing", "biling", 6), 2);
    assert_int_equal(name_distance("billing", "bliling", 6), 2); /* a swap is one edit */
    assert_int_equal(name_distance("billing", "Billing", 6), 1);
    assert_int_equal(name_distance("kitten", "sitting", 6), 6);
    assert_int_equal(name_distance("", "abc", 6), 6);
    assert_int_equal(name_distance("prod", "staging", 4), 5);
    assert_int_equal(name_distance("abcdef", "ghijkl", 3), 4);
}

/* A distance is the same both ways, and a limit only cuts it. */
static void distances_are_symmetric(void **state)
{
    (void)state;
    unsigned short numbers[3] = {1, 2, 3};
    for (int i = 0; i < 20000; i++) {
        char a[9] = {0}, b[9] = {0};
        for (size_t j = 0, n = (size_t)nrand48(numbers) % 8; j < n; j++)
            a[j] = "abA"[nrand48(numbers) % 3];
        for (size_t j = 0, n = (size_t)nrand48(numbers) % 8; j < n; j++)
            b[j] = "abA"[nrand48(numbers) % 3];
        unsigned whole = name_distance(a, b, 100);
        assert_int_equal(whole, name_distance(b, a, 100));
        for (unsigned limit = 0; limit < 12; limit++)
            assert_int_equal(name_distance(a, b, limit), whole > limit ? limit + 1 : whole);
    }
}

static void resemblance(void **state)
{
    (void)state;
    assert_true(name_resembles("biling", "billing"));
    assert_true(name_resembles("Billing", "billing"));
    assert_true(name_resembles("API", "api"));
    assert_true(name_resembles("produktcatalog", "productcatalog"));
    assert_false(name_resembles("billing", "billing"));
    assert_false(name_resembles("web1", "web2"));
    assert_false(name_resembles("preview-17", "preview-181"));
    assert_false(name_resembles("billing2", "billing"));
    assert_false(name_resembles("api", "app"));
    assert_false(name_resembles("frontend", "backend"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_names),
        cmocka_unit_test(bad_names),
        cmocka_unit_test(lengths),
        cmocka_unit_test(paths_parse),
        cmocka_unit_test(bad_paths_leave_path_untouched),
        cmocka_unit_test(paths_are_made_of_parts),
        cmocka_unit_test(random_paths_round_trip),
        cmocka_unit_test(distances),
        cmocka_unit_test(distances_are_symmetric),
        cmocka_unit_test(resemblance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
