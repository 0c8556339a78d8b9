/* Growable bytes: content, limit, sticky error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "store/bytes.h"
#include "store/error.h"

static void appends_in_order(void **state)
{
    (void)state;
    BYTES_CLEANUP struct bytes bytes = BYTES_INIT(1u << 20);
    bytes_append(&bytes, "ab", 2);
    bytes_append(&bytes, NULL, 0);
    bytes_append_text(&bytes, "cd");
    bytes_append_format(&bytes, "%d-%s", 7, "e");
    assert_int_equal(bytes.error, 0);
    assert_int_equal(bytes.size, 7);
    assert_memory_equal(bytes.data, "abcd7-e", 7);
    bytes_reset(&bytes);
    assert_int_equal(bytes.size, 0);
    assert_non_null(bytes.data);
}

static void limit_is_exact_and_sticks(void **state)
{
    (void)state;
    BYTES_CLEANUP struct bytes bytes = BYTES_INIT(1000);
    unsigned char data[600] = {0};
    bytes_append(&bytes, data, 600);
    bytes_append(&bytes, data, 400);
    assert_int_equal(bytes.error, 0);
    assert_int_equal(bytes.size, 1000);
    bytes_append(&bytes, data, 1);
    assert_int_equal(bytes.error, -ERR_INVALID);
    assert_null(bytes_reserve(&bytes, 0));
    bytes_reset(&bytes);
    bytes_append_format(&bytes, "%s", "goes on after a reset");
    assert_int_equal(bytes.error, 0);
    assert_null(bytes_reserve(&bytes, SIZE_MAX));
    assert_int_equal(bytes.error, -ERR_INVALID);
}

static void reserve_gives_room_at_the_end(void **state)
{
    (void)state;
    BYTES_CLEANUP struct bytes bytes = BYTES_INIT(1u << 20);
    bytes_append(&bytes, "x", 1);
    unsigned char *place = bytes_reserve(&bytes, 100000);
    assert_non_null(place);
    memset(place, 'y', 100000);
    bytes.size += 100000;
    assert_int_equal(bytes.data[0], 'x');
    assert_int_equal(bytes.data[100000], 'y');
    assert_int_equal(bytes.size, 100001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_in_order),
        cmocka_unit_test(limit_is_exact_and_sticks),
        cmocka_unit_test(reserve_gives_room_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
