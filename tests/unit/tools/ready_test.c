/* What a daemon says through the pipe, and what is heard; exit statuses; lines of the log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/exit_status.h"
#include "tools/common/log.h"
#include "tools/common/ready.h"

static int said(const char *text)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(write(ends[1], text, strlen(text)), strlen(text));
    descriptor_close(&ends[1]);
    int heard = ready_wait(ends[0], -1);
    descriptor_close(&ends[0]);
    return heard;
}

static int told(int error, const char *text)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    ready_tell(&ends[1], error, text);
    assert_int_equal(ends[1], -1);
    int heard = ready_wait(ends[0], -1);
    descriptor_close(&ends[0]);
    return heard;
}

static void every_outcome_comes_back(void **state)
{
    (void)state;
    assert_int_equal(told(0, ""), 0);
    for (int code = 1; code < ERR_COUNT; code++) {
        assert_int_equal(told(-code, "cannot open 'x'\n  because"), -code);
        assert_string_equal(error_text(), "cannot open 'x'\n  because");
    }
}

static void nobody_to_tell(void **state)
{
    (void)state;
    int none = -1;
    ready_tell(&none, -ERR_IO, "text");
    assert_int_equal(none, -1);
}

static void nonsense(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "rea", "ready", "error", "error 1", "error x io text", "hello\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(said(texts[i]), -ERR_IO);
    assert_int_equal(said("error 1 marvellous text\n"), -ERR_IO);
    assert_string_equal(error_text(), "text");
}

static void silence(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(ready_wait(ends[0], 1), -ERR_IO);
    descriptor_close(&ends[0]);
    descriptor_close(&ends[1]);
}

static void statuses(void **state)
{
    (void)state;
    assert_int_equal(exit_status(0), 0);
    assert_int_equal(exit_status(-ERR_DENIED), 1);
    assert_int_equal(exit_status(-ERR_BUSY), 1);
    assert_int_equal(exit_status(-ERR_INVALID), 2);
    assert_int_equal(exit_status(ERR_NOT_FOUND), 3);
    assert_int_equal(exit_status(-ERR_REFUSED), 4);
    assert_int_equal(exit_status(-ERR_CONFLICT), 5);
    assert_int_equal(exit_status(-ERR_CORRUPT), 6);
    assert_int_equal(exit_status(-ERR_FORMAT), 6);
}

static void lines(void **state)
{
    (void)state;
    char out[LOG_LINE_MAX + 1];
    char text[2 * LOG_LINE_MAX];
    log_setup("who");
    int size = log_format(out, LOG_LEVEL_INFO, 0, "text more", 4);
    assert_int_equal(size, strlen(out));
    assert_string_equal(out, "who: text\n");
    (void)log_format(out, LOG_LEVEL_ERROR, 1, "a\x1b[1mb\x7f", 7);
    assert_string_equal(out, "<3>who: error: a?[1mb?\n");
    memset(text, 'x', sizeof text);
    size = log_format(out, LOG_LEVEL_WARNING, 0, text, sizeof text);
    assert_int_equal(size, LOG_LINE_MAX);
    assert_int_equal(out[size - 1], '\n');
    assert_int_equal(out[size], '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_outcome_comes_back),
        cmocka_unit_test(nobody_to_tell),
        cmocka_unit_test(nonsense),
        cmocka_unit_test(silence),
        cmocka_unit_test(statuses),
        cmocka_unit_test(lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
