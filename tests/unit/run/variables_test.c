#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/run/variables.h"

static void put(struct variables *variables, const char *key, const char *value, size_t size)
{
    char *room = variables_room(variables, key, size);
    assert_non_null(room);
    memcpy(room, value, size);
    variables_take(variables, key, size);
}

static void names(void **state)
{
    (void)state;
    static const char *const good[] = {"A", "a_1", "_", "_9", "PATH"};
    static const char *const bad[] = {"", "9", "1A", "a.b", "a-b", ".A", "a b", "a=b", "\303\244"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(variables_name_fits(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(variables_name_fits(bad[i]));
}

static void environment(void **state)
{
    (void)state;
    struct variables variables = VARIABLES_INIT;
    char kept[] = "KEPT=1", set[] = "A=old", longer[] = "AB=2", bare[] = "BARE";
    char *inherited[] = {kept, set, longer, bare, NULL};
    put(&variables, "A", "new", 3);
    put(&variables, "EMPTY", "", 0);
    char **found = variables_environment(&variables, inherited);
    assert_non_null(found);
    static const char *const expected[] = {"KEPT=1", "AB=2", "BARE", "A=new", "EMPTY="};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        assert_string_equal(found[i], expected[i]);
    assert_null(found[5]);
    free(found);
    assert_int_equal(variables.count, 2);
    assert_string_equal(variables.text + variables.largest, "EMPTY=");
    variables_release(&variables);
}

static void nothing_at_all(void **state)
{
    (void)state;
    struct variables variables = VARIABLES_INIT;
    char *inherited[] = {NULL};
    char **found = variables_environment(&variables, inherited);
    assert_non_null(found);
    assert_null(found[0]);
    free(found);
    variables_release(&variables);
}

static void faults(void **state)
{
    (void)state;
    struct variables variables = VARIABLES_INIT;
    size_t most = variables_text_max() - sizeof "LONG=";
    put(&variables, "A", "1", 1);
    assert_null(variables_room(&variables, "tls.crt", 1));
    assert_null(variables_room(&variables, "LONG", most + 1));
    assert_non_null(variables_room(&variables, "LONG", most));
    memcpy(variables_room(&variables, "NUL", 3), "a\0b", 3);
    variables_take(&variables, "NUL", 3);
    assert_int_equal(variables.fault_count, 3);
    assert_int_equal(variables.count, 1);
    assert_non_null(strstr(variables.faults, "'tls.crt' cannot be the name"));
    assert_non_null(strstr(variables.faults, "'LONG' has "));
    assert_non_null(strstr(variables.faults, "'NUL' holds a NUL byte"));
    /* what was not taken is not left there */
    assert_memory_equal(variables.text + variables.size, "\0\0\0\0\0\0\0", 7);
    variables_clear(&variables);
    assert_int_equal(variables.fault_count, 0);
    assert_null(variables.faults);
    variables_release(&variables);
}

static void more_than_fits(void **state)
{
    (void)state;
    struct variables variables = VARIABLES_INIT;
    size_t each = variables_text_max() - sizeof "LONG=", count = 0;
    char *value = calloc(1, each);
    assert_non_null(value);
    memset(value, 'x', each);
    for (char *room; (room = variables_room(&variables, "LONG", each)) != NULL; count++) {
        memcpy(room, value, each);
        variables_take(&variables, "LONG", each);
    }
    assert_int_equal(count, VARIABLES_MAX / variables_text_max());
    assert_non_null(strstr(variables.faults, "does not fit"));
    free(value);
    variables_release(&variables);
}

static void cleared(void **state)
{
    (void)state;
    struct variables variables = VARIABLES_INIT;
    put(&variables, "SECRET", "s3cret", 6);
    char *text = variables.text;
    variables_clear(&variables);
    assert_ptr_equal(variables.text, text);
    assert_memory_equal(text, "\0\0\0\0\0\0\0\0", 8);
    put(&variables, "A", "1", 1);
    assert_string_equal(variables.text, "A=1");
    variables_release(&variables);
    assert_null(variables.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),          cmocka_unit_test(environment),
        cmocka_unit_test(nothing_at_all), cmocka_unit_test(faults),
        cmocka_unit_test(more_than_fits), cmocka_unit_test(cleared)};
    return cmocka_run_group_tests_name("run variables", tests, NULL, NULL);
}
