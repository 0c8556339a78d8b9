/* Lines of a file: with and without a last newline, longer than the buffer, too long, and from the
 * beginning again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/emsa/lines.h"

static int file_of(const void *data, size_t size)
{
    int fd = memfd_create("lines", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), size);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static void expect(struct lines *lines, const char *wanted)
{
    const char *text;
    size_t size;
    assert_int_equal(lines_next(lines, &text, &size), 0);
    assert_int_equal(size, strlen(wanted));
    if (size > 0)
        assert_memory_equal(text, wanted, size);
}

static void expect_end(struct lines *lines)
{
    const char *text;
    size_t size;
    assert_int_equal(lines_next(lines, &text, &size), 1);
    assert_int_equal(lines_next(lines, &text, &size), 1);
}

static void short_lines(void **state)
{
    (void)state;
    struct lines lines = {.fd = file_of("one\n\nthree", 10)};
    for (int round = 0; round < 2; round++) {
        expect(&lines, "one");
        expect(&lines, "");
        expect(&lines, "three");
        assert_int_equal(lines.number, 3);
        expect_end(&lines);
        assert_int_equal(lines_rewind(&lines), 0);
    }
    close(lines.fd);
    lines_release(&lines);
    lines = (struct lines){.fd = file_of("", 0)};
    expect_end(&lines);
    close(lines.fd);
    lines_release(&lines);
}

static void long_lines(void **state)
{
    (void)state;
    size_t size = 700u * 1024u;
    char *data = malloc(2 * size + 2);
    assert_non_null(data);
    memset(data, 'a', size);
    data[size] = '\n';
    memset(data + size + 1, 'b', size);
    data[2 * size + 1] = '\n';
    struct lines lines = {.fd = file_of(data, 2 * size + 2)};
    const char *text;
    size_t length;
    for (char c = 'a'; c <= 'b'; c++) {
        assert_int_equal(lines_next(&lines, &text, &length), 0);
        assert_int_equal(length, size);
        assert_true(text[0] == c && text[size - 1] == c);
    }
    expect_end(&lines);
    close(lines.fd);
    lines_release(&lines);
    free(data);
}

/* A newline that is the first byte of the next piece that is read. */
static void at_the_edge(void **state)
{
    (void)state;
    size_t size = 256u * 1024u;
    char *data = malloc(size + 2);
    assert_non_null(data);
    memset(data, 'a', size);
    memcpy(data + size, "\nb", 2);
    struct lines lines = {.fd = file_of(data, size + 2)};
    const char *text;
    size_t length;
    assert_int_equal(lines_next(&lines, &text, &length), 0);
    assert_int_equal(length, size);
    expect(&lines, "b");
    expect_end(&lines);
    close(lines.fd);
    lines_release(&lines);
    free(data);
}

static void too_long(void **state)
{
    (void)state;
    size_t size = LINE_SIZE_MAX + 512u * 1024u;
    char *data = calloc(1, size);
    assert_non_null(data);
    struct lines lines = {.fd = file_of(data, size)};
    const char *text;
    size_t length;
    assert_int_equal(lines_next(&lines, &text, &length), -ERR_INVALID);
    close(lines.fd);
    lines_release(&lines);
    free(data);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_lines), cmocka_unit_test(long_lines), cmocka_unit_test(at_the_edge),
        cmocka_unit_test(too_long)};
    if (secret_setup(64u << 20) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
