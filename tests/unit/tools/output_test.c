/* Texts of others on a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tools/emsa/output.h"

static void check(const char *expected, const char *text, size_t capacity)
{
    char out[64];
    assert_true(capacity <= sizeof out);
    memset(out, 'x', sizeof out);
    output_tame(out, capacity, text);
    assert_string_equal(out, expected);
}

static void harmless(void **state)
{
    (void)state;
    check("", "", 64);
    check("why not? ~!", "why not? ~!", 64);
    check("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa7 \xc2\xa0",
          "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa7 \xc2\xa0", 64);
}

static void steering(void **state)
{
    (void)state;
    check("a?[31mred?", "a\x1b[31mred\x07", 64);
    check("??????", "\n\r\t\b\x7f\x01", 64);
    check("?31m",
          "\xc2\x9b"
          "31m",
          64);                        /* CSI as one character */
    check("???", "\x80\xff\xc2", 64); /* no UTF-8 */
    check("??+", "\xe2\x82+", 64);
}

static void cut(void **state)
{
    (void)state;
    check("abc", "abcdef", 4);
    check("abc", "abc\xe2\x82\xac", 6); /* not within a character */
    check("abc\xe2\x82\xac", "abc\xe2\x82\xac", 7);
    check("", "abc", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(harmless),
        cmocka_unit_test(steering),
        cmocka_unit_test(cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
