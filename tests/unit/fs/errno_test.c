#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fs/errno.h"
#include "store/error.h"

static void every_failure_has_one(void **state)
{
    (void)state;
    for (int code = 1; code < ERR_COUNT; code++)
        assert_true(errno_from_error(-code) > 0);
    assert_int_equal(errno_from_error(-ERR_CORRUPT), EIO);
    assert_int_equal(errno_from_error(-ERR_NO_KEY), ENOKEY);
    assert_int_equal(errno_from_error(-ERR_DENIED), EACCES);
    assert_int_equal(errno_from_error(-ERR_NOMEM), ENOMEM);
}

static void what_is_no_failure_is_eio(void **state)
{
    (void)state;
    assert_int_equal(errno_from_error(0), EIO);
    assert_int_equal(errno_from_error(1), EIO);
    assert_int_equal(errno_from_error(-ERR_COUNT), EIO);
    assert_int_equal(errno_from_error(INT32_MIN), EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failure_has_one),
        cmocka_unit_test(what_is_no_failure_is_eio),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
