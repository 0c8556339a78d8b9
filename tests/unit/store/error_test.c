/* The one error convention: text kept per thread, words that round-trip. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"

static void set_returns_minus_code_and_keeps_text(void **state)
{
    (void)state;
    errno = EINTR;
    assert_int_equal(error_set(ERR_REFUSED, "cannot do '%s'", "it"), -ERR_REFUSED);
    assert_string_equal(error_text(), "cannot do 'it'");
    assert_int_equal(errno, EINTR);
    error_clear();
    assert_string_equal(error_text(), "");
}

static void system_errors_are_sorted(void **state)
{
    (void)state;
    static const struct {
        int number;
        enum error_code code;
    } rows[] = {{ENOMEM, ERR_NOMEM},  {ENOSPC, ERR_FULL},  {EDQUOT, ERR_FULL},
                {EACCES, ERR_DENIED}, {EPERM, ERR_DENIED}, {ENOENT, ERR_NOT_FOUND},
                {EIO, ERR_IO},        {EISDIR, ERR_IO}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(error_system(rows[i].number, "x"), -(int)rows[i].code);
    assert_int_equal(error_system(EACCES, "cannot open '%s'", "f"), -ERR_DENIED);
    assert_string_equal(error_text(), "cannot open 'f': permission denied");
    error_system(99999, "odd");
    assert_string_equal(error_text(), "odd: error 99999");
}

static void lines_are_added(void **state)
{
    (void)state;
    error_set(ERR_REFUSED, "first");
    assert_int_equal(error_add(ERR_REFUSED, "second"), -ERR_REFUSED);
    assert_string_equal(error_text(), "first\nsecond");
    error_clear();
    error_add(ERR_REFUSED, "alone");
    assert_string_equal(error_text(), "alone");
    error_set(ERR_IO, "outer: %s", error_text()); /* the text may be its own argument */
    assert_string_equal(error_text(), "outer: alone");
}

static void long_texts_end_at_a_line(void **state)
{
    (void)state;
    error_set(ERR_REFUSED, "start");
    for (int i = 0; i < 2000; i++)
        error_add(ERR_REFUSED, "line number %d", i);
    size_t length = strlen(error_text());
    assert_true(length < ERROR_TEXT_MAX && length > ERROR_TEXT_MAX - 64);
    assert_non_null(strrchr(error_text(), '\n'));
    assert_int_equal(strncmp(strrchr(error_text(), '\n') + 1, "line number", 11), 0);
    char *text = malloc(3 * ERROR_TEXT_MAX);
    memset(text, 'x', 3 * ERROR_TEXT_MAX - 1);
    text[3 * ERROR_TEXT_MAX - 1] = '\0';
    error_set(ERR_IO, "%s", text);
    assert_int_equal(strlen(error_text()), ERROR_TEXT_MAX - 1);
    text[5000] = '\n';
    error_set(ERR_IO, "%s", text);
    assert_int_equal(strlen(error_text()), 5000);
    free(text);
}

static void words_round_trip(void **state)
{
    (void)state;
    for (int code = 1; code < ERR_COUNT; code++) {
        assert_int_equal(error_from_word(error_word(code)), code);
        assert_string_equal(error_word(code), error_word(-code));
    }
    assert_string_equal(error_word(-ERR_NO_KEY), "no-key");
    assert_string_equal(error_word(0), "unknown");
    assert_string_equal(error_word(ERR_COUNT), "unknown");
    assert_string_equal(error_word(-1000000), "unknown");
    assert_int_equal(error_from_word("nonsense"), 0);
}

static void *in_thread(void *arg)
{
    error_set(ERR_IO, "of the thread");
    return strcmp(error_text(), "of the thread") == 0 ? arg : NULL;
}

static void threads_have_their_own(void **state)
{
    (void)state;
    pthread_t thread;
    int mark = 0;
    void *result = NULL;
    error_set(ERR_IO, "of the main thread");
    assert_int_equal(pthread_create(&thread, NULL, in_thread, &mark), 0);
    pthread_join(thread, &result);
    assert_non_null(result);
    assert_string_equal(error_text(), "of the main thread");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_returns_minus_code_and_keeps_text),
        cmocka_unit_test(system_errors_are_sorted),
        cmocka_unit_test(lines_are_added),
        cmocka_unit_test(long_texts_end_at_a_line),
        cmocka_unit_test(words_round_trip),
        cmocka_unit_test(threads_have_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
