#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/run/place.h"
#include "tools/run/say.h"

/* What place_open said, on standard error, is caught in a file. */
static void refused(const char *directory, const char *words)
{
    struct place place = PLACE_INIT;
    char said[8192] = "";
    int before = dup(STDERR_FILENO);
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    int found = place_open(&place, directory, false);
    assert_true(dup2(before, STDERR_FILENO) >= 0);
    close(before);
    rewind(file);
    assert_true(fread(said, 1, sizeof said - 1, file) > 0);
    (void)fclose(file);
    assert_int_equal(found, RUN_REFUSED);
    assert_int_equal(place.fd, -1);
    if (strstr(said, words) == NULL)
        fail_msg("nothing like '%s' in: %s", words, said);
    assert_int_equal(place_open(&place, directory, true), RUN_REFUSED);
}

static void refuses(void **state)
{
    (void)state;
    char directory[] = "/tmp/emsa-run-place.XXXXXX", path[128];
    static char longest[2 * PATH_MAX];
    memset(longest, 'x', sizeof longest - 1);
    assert_non_null(mkdtemp(directory));
    refused(directory, "nothing is mounted at");
    (void)snprintf(path, sizeof path, "%s/EMSA_NOT_MOUNTED", directory);
    int fd = creat(path, 0000);
    assert_true(fd >= 0);
    close(fd);
    refused(directory, "nothing is mounted at");
    assert_int_equal(chmod(directory, 0000), 0);
    refused(directory, "nothing is mounted at");
    assert_int_equal(unlink(path) | rmdir(directory), 0);
    refused(directory, "no directory");
    refused("/dev/null", "Not a directory");
    refused("/proc", "nothing is mounted at"); /* it is, but no view */
    refused(longest, "too long");
}

static void head(void **state)
{
    (void)state;
    char directory[] = "/tmp/emsa-run-place.XXXXXX", text[PLACE_HEAD_MAX];
    assert_non_null(mkdtemp(directory));
    struct place place = {.fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC)};
    assert_int_equal(place_head(&place, text), -1);
    assert_int_equal(mkdirat(place.fd, ".emsa", 0700), 0);
    assert_int_equal(symlinkat("at/41", place.fd, ".emsa/head"), 0);
    assert_int_equal(place_head(&place, text), 0);
    assert_string_equal(text, "at/41");
    (void)unlinkat(place.fd, ".emsa/head", 0);
    (void)unlinkat(place.fd, ".emsa", AT_REMOVEDIR);
    place_close(&place);
    (void)rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(refuses), cmocka_unit_test(head)};
    return cmocka_run_group_tests_name("run place", tests, NULL, NULL);
}
