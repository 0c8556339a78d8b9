#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "store/render.h"

static const unsigned char *bytes(const char *text)
{
    return (const unsigned char *)text;
}

static void reads(const struct secret *text, const char *expected)
{
    assert_int_equal(text->size, strlen(expected));
    if (text->size)
        assert_memory_equal(text->data, expected, text->size);
}

static void test_windows_are_pieces_of_the_whole(void **state)
{
    (void)state;
    static const char whole[] = "0123456789abcdefghij";
    for (size_t from = 0; from < sizeof(whole) + 3; from++)
        for (size_t size = 0; size < sizeof(whole) + 3; size++)
            for (size_t piece = 1; piece < 8; piece++) {
                struct secret text SECRET_CLEANUP = {0};
                struct render render = render_window(&text, from, size);
                for (size_t at = 0; at < sizeof(whole) - 1; at += piece)
                    render_bytes(&render, whole + at,
                                 at + piece < sizeof(whole) - 1 ? piece : sizeof(whole) - 1 - at);
                size_t left = from < sizeof(whole) - 1 ? sizeof(whole) - 1 - from : 0;
                assert_int_equal(render.total, sizeof(whole) - 1);
                assert_int_equal(render.error, 0);
                assert_int_equal(text.size, size < left ? size : left);
                if (text.size)
                    assert_memory_equal(text.data, whole + from, text.size);
            }
}

static void test_without_room_it_is_counted(void **state)
{
    (void)state;
    struct render render = {0};
    render_text(&render, "twelve bytes");
    assert_int_equal(render.total, 12);
    assert_int_equal(render.error, 0);
}

static void test_env(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value;
        size_t size;
        enum render_gap gap;
        const char *line;
    } rows[] = {
        {"K", "", 0, RENDER_NO_GAP, "K=\n"},
        {"K", "a-b/c:1", 7, RENDER_NO_GAP, "K=a-b/c:1\n"},
        {"K", "a b", 3, RENDER_NO_GAP, "K='a b'\n"},
        {"K", "$a \"b\" `c` \\d", 13, RENDER_NO_GAP, "K='$a \"b\" `c` \\d'\n"},
        {"K", "it's\nso", 7, RENDER_NO_GAP, "K=\"it's\nso\"\n"},
        {"K", "it's $5", 7, RENDER_NO_QUOTING, NULL},
        {"K", "a\\", 2, RENDER_NO_QUOTING, NULL},
        {"K", "a\\\\b", 4, RENDER_NO_QUOTING, NULL},
        {"K", "a\rb", 3, RENDER_NO_QUOTING, NULL},
        {"K", "${A}", 4, RENDER_NO_QUOTING, NULL},
        {"K", "a\0b", 3, RENDER_NUL, NULL},
        {"K", "a\xff", 2, RENDER_NO_UTF8, NULL},
        {"a-b", "1", 1, RENDER_NO_NAME, NULL},
        {"1A", "1", 1, RENDER_NO_NAME, NULL},
        {"UID", "1", 1, RENDER_OWN_NAME, NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct secret text SECRET_CLEANUP = {0};
        struct render render = render_whole(&text);
        assert_int_equal(render_env(&render, rows[i].key, bytes(rows[i].value), rows[i].size),
                         rows[i].gap);
        if (rows[i].line) {
            reads(&text, rows[i].line);
            continue;
        }
        assert_memory_equal(text.data, "# left out: ", 12);
        assert_memory_equal(text.data + 12, rows[i].key, strlen(rows[i].key));
        assert_non_null(memmem(text.data, text.size, render_gap_text(rows[i].gap),
                               strlen(render_gap_text(rows[i].gap))));
        assert_int_equal(text.data[text.size - 1], '\n');
    }
}

static void test_objects(void **state)
{
    (void)state;
    struct secret text SECRET_CLEANUP = {0};
    struct render render = render_whole(&text);
    render_member(&render, "A", bytes("x\"y\n\x01"), 5, true);
    render_member(&render, "B", bytes("\xff\x00"), 2, false);
    render_object_end(&render, false);
    reads(&text, "{\n  \"A\": \"x\\\"y\\n\\u0001\",\n  \"B\": {\"base64\": \"/wA=\"}\n}\n");
    struct secret empty SECRET_CLEANUP = {0};
    render = render_whole(&empty);
    render_object_end(&render, true);
    reads(&empty, "{}\n");
}

/* Characters that lie across the pieces in which a value is encoded, and every length of the last
 * one. */
static void test_long_values(void **state)
{
    (void)state;
    static unsigned char value[2000];
    for (size_t size = 500; size < 1100; size++) {
        struct secret text SECRET_CLEANUP = {0};
        struct render render = render_whole(&text);
        for (size_t i = 0; i < size; i++)
            value[i] = (unsigned char)("\xe2\x82\xac"[i % 3]);
        size_t rest = size % 3;
        memset(value + size - rest, 'x', rest);
        render_json(&render, value, size);
        assert_int_equal(text.size, size + 2);
        assert_memory_equal(text.data + 1, value, size);
        struct secret other SECRET_CLEANUP = {0};
        render = render_whole(&other);
        value[0] = 0xff;
        render_json(&render, value, size);
        assert_int_equal(other.size, 14 + (size + 2) / 3 * 4);
    }
}

static int setup(void **state)
{
    (void)state;
    return secret_setup(4u << 20);
}

static int teardown(void **state)
{
    (void)state;
    secret_teardown();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows_are_pieces_of_the_whole),
        cmocka_unit_test(test_without_room_it_is_counted),
        cmocka_unit_test(test_env),
        cmocka_unit_test(test_objects),
        cmocka_unit_test(test_long_values),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
