/* JSON as text, with and without memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "store/error.h"
#include "tools/common/json_text.h"

void *__real_malloc(size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *old, size_t size);

static unsigned left; /* allocations until one fails; 0: none does */

static int fails(void)
{
    return left > 0 && --left == 0;
}

/* Ours, and jansson's. */
void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

static void written(void **state)
{
    char *text;
    json_t *value = json_pack("{s:[i,n], s:s}", "b", 1, "a", "\xc3\xa9\n");
    (void)state;
    assert_int_equal(json_text(&text, value, JSON_COMPACT | JSON_SORT_KEYS, ""), 0);
    assert_string_equal(text, "{\"a\":\"\xc3\xa9\\n\",\"b\":[1,null]}");
    free(text);
    assert_int_equal(json_text(&text, value, JSON_INDENT(1) | JSON_SORT_KEYS, "\n"), 0);
    assert_string_equal(text, "{\n \"a\": \"\xc3\xa9\\n\",\n \"b\": [\n  1,\n  null\n ]\n}\n");
    free(text);
    json_decref(value);
    assert_int_equal(json_text(&text, NULL, 0, ""), -ERR_NOMEM);
}

/* Each allocation fails once: there is no text, or all of it. */
static void without_memory(void **state)
{
    json_t *value = json_object();
    char name[32], *whole, *text;
    unsigned failing = 0;
    int error;
    (void)state;
    for (int i = 0; i < 200; i++) {
        (void)snprintf(name, sizeof name, "a member's name %d", i);
        assert_int_equal(json_object_set_new(value, name, json_string(name)), 0);
    }
    assert_int_equal(json_text(&whole, value, JSON_COMPACT | JSON_SORT_KEYS, ""), 0);
    do {
        left = ++failing;
        error = json_text(&text, value, JSON_COMPACT | JSON_SORT_KEYS, "");
        left = 0;
        assert_true(error == 0 || error == -ERR_NOMEM);
    } while (error < 0);
    assert_string_equal(text, whole);
    assert_true(failing > 3); /* it grew, and was sorted */
    free(text);
    free(whole);
    json_decref(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written),
        cmocka_unit_test(without_memory),
    };
    json_set_alloc_funcs(__wrap_malloc, free);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
