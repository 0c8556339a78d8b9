/* Filters: the RFCs' own vectors, what is UTF-8 and what is not, and that no byte is written beside
 * the buffer. Python's encoders are asked in tests/integration/store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "store/encode.h"

#define OUT_MAX 256

static void check(enum template_filter filter, const char *data, size_t size, const char *expected)
{
    unsigned char out[OUT_MAX];
    size_t length = strlen(expected);
    memset(out, 0xa5, sizeof(out));
    assert_int_equal(encode_size(filter, data, size), length);
    encode(filter, out + 1, data, size);
    assert_memory_equal(out + 1, expected, length);
    assert_int_equal(out[0], 0xa5);
    for (size_t i = length + 1; i < sizeof(out); i++)
        assert_int_equal(out[i], 0xa5);
}

static void check_text(enum template_filter filter, const char *text, const char *expected)
{
    check(filter, text, strlen(text), expected);
}

static void as_is(void **state)
{
    (void)state;
    check_text(TEMPLATE_AS_IS, "", "");
    check_text(TEMPLATE_AS_IS, "a \"$\xff", "a \"$\xff");
    assert_int_equal(encode_size(TEMPLATE_AS_IS, "a\0b", 3), 3);
}

static void nothing(void **state)
{
    (void)state;
    unsigned char out[2];
    assert_int_equal(encode_size(TEMPLATE_AS_IS, NULL, 0), 0);
    assert_int_equal(encode_size(TEMPLATE_URL, NULL, 0), 0);
    assert_int_equal(encode_size(TEMPLATE_BASE64, NULL, 0), 0);
    assert_int_equal(encode_size(TEMPLATE_JSON, NULL, 0), 2);
    encode(TEMPLATE_JSON, out, NULL, 0);
    assert_memory_equal(out, "\"\"", 2);
}

/* RFC 3986, 2.2 and 2.3 */
static void url(void **state)
{
    (void)state;
    static const char unreserved[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    check_text(TEMPLATE_URL, unreserved, unreserved);
    check_text(TEMPLATE_URL, ":/?#[]@", "%3A%2F%3F%23%5B%5D%40");
    check_text(TEMPLATE_URL, "!$&'()*+,;=", "%21%24%26%27%28%29%2A%2B%2C%3B%3D");
    check_text(TEMPLATE_URL, " %\"<>\\^`{|}", "%20%25%22%3C%3E%5C%5E%60%7B%7C%7D");
    check_text(TEMPLATE_URL, "\xe3\x82\xa2", "%E3%82%A2"); /* the RFC's katakana, 2.5 */
    check(TEMPLATE_URL, "\0\n\x7f\xff", 4, "%00%0A%7F%FF");
}

/* RFC 4648, 10 */
static void base64(void **state)
{
    (void)state;
    check_text(TEMPLATE_BASE64, "", "");
    check_text(TEMPLATE_BASE64, "f", "Zg==");
    check_text(TEMPLATE_BASE64, "fo", "Zm8=");
    check_text(TEMPLATE_BASE64, "foo", "Zm9v");
    check_text(TEMPLATE_BASE64, "foob", "Zm9vYg==");
    check_text(TEMPLATE_BASE64, "fooba", "Zm9vYmE=");
    check_text(TEMPLATE_BASE64, "foobar", "Zm9vYmFy");
    check(TEMPLATE_BASE64, "\x14\xfb\x9c\x03\xd9\x7e", 6, "FPucA9l+"); /* 9 of RFC 3548 */
    check(TEMPLATE_BASE64, "\xff\xff\xff\0\0\0", 6, "////AAAA");
}

/* RFC 8259, 7 */
static void json(void **state)
{
    (void)state;
    check_text(TEMPLATE_JSON, "", "\"\"");
    check_text(TEMPLATE_JSON, "it's / plain", "\"it's / plain\"");
    check_text(TEMPLATE_JSON, "\"\\", "\"\\\"\\\\\"");
    check_text(TEMPLATE_JSON, "\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"");
    check(TEMPLATE_JSON, "\0\x01\x0b\x1f\x7f", 5, "\"\\u0000\\u0001\\u000b\\u001f\x7f\"");
    check_text(TEMPLATE_JSON, "\xc3\xa9\xe2\x82\xac\xf0\x9d\x84\x9e",
               "\"\xc3\xa9\xe2\x82\xac\xf0\x9d\x84\x9e\"");
}

#define BAD "\xef\xbf\xbd"

static void json_of_what_is_no_text(void **state)
{
    (void)state;
    check_text(TEMPLATE_JSON, "\xff", "\"" BAD "\"");
    check_text(TEMPLATE_JSON, "a\x80z", "\"a" BAD "z\"");
    check_text(TEMPLATE_JSON, "\xc3", "\"" BAD "\"");                 /* cut short */
    check_text(TEMPLATE_JSON, "\xe2\x82z", "\"" BAD "z\"");           /* cut short, one piece */
    check_text(TEMPLATE_JSON, "\xe2\"", "\"" BAD "\\\"\"");           /* the quote is not eaten */
    check_text(TEMPLATE_JSON, "\xc0\xaf", "\"" BAD BAD "\"");         /* overlong '/' */
    check_text(TEMPLATE_JSON, "\xe0\x80\xaf", "\"" BAD BAD BAD "\""); /* the same, of three */
    check_text(TEMPLATE_JSON, "\xed\xa0\x80", "\"" BAD BAD BAD "\""); /* a surrogate */
    check_text(TEMPLATE_JSON, "\xf4\x90\x80\x80", "\"" BAD BAD BAD BAD "\""); /* U+110000 */
}

/* Every point is a character of its own length, but for surrogates; cut by a byte it is none. */
static void every_point(void **state)
{
    (void)state;
    for (uint32_t point = 0; point < 0x200000; point++) {
        unsigned char text[4] = {(unsigned char)point};
        size_t size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
        for (size_t i = size; i > 1; i--)
            text[i - 1] = (unsigned char)(0x80 | (point >> (6 * (size - i)) & 0x3f));
        if (size > 1)
            text[0] = (unsigned char)(0xf0 << (4 - size) | point >> (6 * (size - 1)));
        bool good, is_point = point < 0xd800 || (point > 0xdfff && point <= 0x10ffff);
        size_t length = utf8_next(text, size, &good);
        if (good != is_point || (good && length != size))
            fail_msg("U+%04X: %d, %zu bytes", point, good, length);
        if (size > 1 && is_point) {
            assert_int_equal(utf8_next(text, size - 1, &good), size - 1);
            assert_false(good);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_is),       cmocka_unit_test(nothing),
        cmocka_unit_test(url),         cmocka_unit_test(base64),
        cmocka_unit_test(json),        cmocka_unit_test(json_of_what_is_no_text),
        cmocka_unit_test(every_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
