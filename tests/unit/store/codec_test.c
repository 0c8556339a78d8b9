/* Records: known bytes, round trips, and nothing read past the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/codec.h"
#include "store/error.h"

static void known_bytes(void **state)
{
    (void)state;
    BYTES_CLEANUP struct bytes out = BYTES_INIT(1000);
    put_u8(&out, 0x01);
    put_u16(&out, 0x0302);
    put_u32(&out, 0x07060504);
    put_u64(&out, 0x0f0e0d0c0b0a0908);
    put_i64(&out, -2);
    put_short(&out, "hi", 2);
    put_long(&out, "yo", 2);
    static const unsigned char expected[] =
        "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
        "\xfe\xff\xff\xff\xff\xff\xff\xff"
        "\x02hi\x02\0\0\0yo";
    assert_int_equal(out.error, 0);
    assert_int_equal(out.size, sizeof(expected) - 1);
    assert_memory_equal(out.data, expected, out.size);
}

static void sizes_that_do_not_fit_fail(void **state)
{
    (void)state;
    BYTES_CLEANUP struct bytes out = BYTES_INIT(1000);
    unsigned char data[256] = {0};
    put_short(&out, data, 255);
    assert_int_equal(out.error, 0);
    put_short(&out, data, 256);
    assert_int_equal(out.error, -ERR_INVALID);
}

static void fields_are_taken(void **state)
{
    (void)state;
    BYTES_CLEANUP struct bytes out = BYTES_INIT(1000);
    char text[4];
    size_t size;
    put_u16(&out, 0xbeef);
    put_short(&out, "abc", 3);
    put_long(&out, "defg", 4);
    put_short(&out, "", 0);
    struct decoder in = DECODER(out.data, out.size);
    assert_int_equal(take_u16(&in), 0xbeef);
    take_text(&in, text, sizeof(text));
    assert_string_equal(text, "abc");
    assert_memory_equal(take_long(&in, &size, 4), "defg", 4);
    assert_int_equal(size, 4);
    assert_non_null(take_short(&in, &size, 9));
    assert_int_equal(size, 0);
    assert_int_equal(decoder_end(&in, "x"), 0);
}

static void failures_stick(void **state)
{
    (void)state;
    struct decoder in = DECODER((const unsigned char *)"\x05\x01\x02\x03", 4);
    size_t size = 9;
    assert_null(take_short(&in, &size, 100));
    assert_int_equal(size, 0);
    assert_int_equal(take_u8(&in), 0);
    assert_null(take_bytes(&in, 0));
    assert_int_equal(decoder_end(&in, "record 'x'"), -ERR_CORRUPT);
    assert_non_null(strstr(error_text(), "record 'x'"));
    in = DECODER((const unsigned char *)"\x01\x01", 2);
    take_u8(&in);
    assert_int_equal(decoder_end(&in, "x"), -ERR_CORRUPT); /* one byte too many */
}

static void maxima_and_texts_are_kept(void **state)
{
    (void)state;
    char text[4];
    size_t size;
    struct decoder in = DECODER((const unsigned char *)"\x04"
                                                       "abcd",
                                5);
    take_text(&in, text, sizeof(text)); /* three and the NUL is all there is room for */
    assert_string_equal(text, "");
    assert_true(in.failed);
    in = DECODER((const unsigned char *)"\x03"
                                        "a\0b",
                 4);
    take_text(&in, text, sizeof(text));
    assert_true(in.failed);
    assert_string_equal(text, "");
    in = DECODER((const unsigned char *)"\xff\xff\xff\xff", 4);
    assert_null(take_long(&in, &size, SIZE_MAX));
    in = DECODER(NULL, 0);
    assert_non_null(take_bytes(&in, 0));
    assert_int_equal(decoder_end(&in, "empty"), 0);
}

/* A random sequence of fields is read back as it was written; every shorter record is refused. */
static void random_records(void **state)
{
    (void)state;
    const char *given = getenv("EMSA_TEST_SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)getpid();
    print_message("seed %u (EMSA_TEST_SEED)\n", seed);
    unsigned short numbers[3] = {(unsigned short)seed, 5, 5};
    for (int i = 0; i < 3000; i++) {
        BYTES_CLEANUP struct bytes out = BYTES_INIT(1u << 16);
        unsigned char blob[64];
        uint64_t number = (uint64_t)mrand48() << 32 ^ (uint64_t)nrand48(numbers);
        size_t size = (size_t)nrand48(numbers) % sizeof(blob), got = 0;
        for (size_t j = 0; j < size; j++)
            blob[j] = (unsigned char)nrand48(numbers);
        put_u64(&out, number);
        put_short(&out, blob, size);
        put_u32(&out, (uint32_t)number);
        for (size_t cut = 0; cut <= out.size; cut++) {
            struct decoder in = DECODER(out.data, cut);
            uint64_t a = take_u64(&in);
            const unsigned char *data = take_short(&in, &got, sizeof(blob));
            uint32_t b = take_u32(&in);
            assert_int_equal(decoder_end(&in, "x"), cut == out.size ? 0 : -ERR_CORRUPT);
            if (cut < out.size)
                continue;
            assert_true(a == number && b == (uint32_t)number && got == size);
            assert_memory_equal(data, blob, size);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_bytes),
        cmocka_unit_test(sizes_that_do_not_fit_fail),
        cmocka_unit_test(fields_are_taken),
        cmocka_unit_test(failures_stick),
        cmocka_unit_test(maxima_and_texts_are_kept),
        cmocka_unit_test(random_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
