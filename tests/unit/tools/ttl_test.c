/* What may stand behind --ttl. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "store/error.h"
#include "store/limits.h"
#include "tools/emsa/ttl.h"

static void good(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t seconds;
    } rows[] = {{"1s", 1},
                {"30s", 30},
                {"90s", 90},
                {"5m", 300},
                {"90m", 5400},
                {"1h", 3600},
                {"1h30m", 5400},
                {"1h30m15s", 5415},
                {"1h5s", 3605},
                {"7d", 604800},
                {"1d12h", 129600},
                {"0d1s", 1},
                {"000000000000000000000000000007s", 7},
                {"3650d", TTL_MAX},
                {"315360000s", TTL_MAX}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t seconds = 0;
        assert_int_equal(ttl_parse(&seconds, rows[i].text), 0);
        assert_int_equal(seconds, rows[i].seconds);
    }
}

static void wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"", "write 30s"},
        {"30", "write 30s"},
        {"s", "write 30s"},
        {"-1s", "write 30s"},
        {"+1s", "write 30s"},
        {" 1s", "write 30s"},
        {"1s ", "write 30s"},
        {"1.5h", "write 30s"},
        {"1w", "write 30s"},
        {"1S", "write 30s"},
        {"1h1", "write 30s"},
        {"1m1h", "write 30s"},
        {"1m1m", "write 30s"},
        {"1s1s", "write 30s"},
        {"1h30", "write 30s"},
        {"\xc2\xa0", "write 30s"},
        {"0s", "no time at all"},
        {"0d0h0m0s", "no time at all"},
        {"3650d1s", "ten years"},
        {"3651d", "ten years"},
        {"315360001s", "ten years"},
        {"18446744073709551615s", "ten years"},
        {"18446744073709551617s", "ten years"},
        {"213503982334602d", "ten years"}, /* times a day: over 64 bits */
        {"99999999999999999999999999999999999999s", "ten years"},
        {"99999999999d1s", "ten years"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t seconds = 4711;
        if (ttl_parse(&seconds, rows[i].text) != -(int)ERR_INVALID || seconds != 4711 ||
            strstr(error_text(), rows[i].says) == NULL)
            fail_msg("'%s' gives %llu, '%s'", rows[i].text, (unsigned long long)seconds,
                     error_text());
    }
}

static void given(void **state)
{
    (void)state;
    json_t *operations = json_pack("[{s:s}, {s:s}]", "path", "a/b/C", "path", "a/b/D");
    ttl_give(operations, 0);
    assert_null(json_object_get(json_array_get(operations, 0), "ttl"));
    ttl_give(operations, 90);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(json_integer_value(json_object_get(json_array_get(operations, i), "ttl")),
                         90);
    json_decref(operations);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),
        cmocka_unit_test(wrong),
        cmocka_unit_test(given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
