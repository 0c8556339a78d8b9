/* The hidden directory of a service, played by ordinary files. */
#include <errno.h>
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

#include "tools/run/say.h"
#include "tools/run/snapshot.h"

static char directory[] = "/tmp/emsa-run-snapshot.XXXXXX";
static int passes; /* how often an open of a value finds its revision gone */

int __real_openat(int parent, const char *path, int flags, ...);
int __wrap_openat(int parent, const char *path, int flags, ...);

int __wrap_openat(int parent, const char *path, int flags, ...)
{
    if (passes > 0 && strcmp(path, "B") == 0) {
        passes--;
        errno = ESTALE;
        return -1;
    }
    return __real_openat(parent, path, flags);
}

static void write_file(const char *path, const char *text, size_t size)
{
    int fd = creat(path, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, size), size);
    close(fd);
}

static int prepare(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(directory));
    assert_int_equal(chdir(directory), 0);
    assert_int_equal(mkdir(".emsa", 0700) | mkdir(".emsa/at", 0700) | mkdir(".emsa/at/7", 0700), 0);
    assert_int_equal(symlink("at/7", ".emsa/head"), 0);
    write_file(".emsa/at/7/A", "one", 3);
    write_file(".emsa/at/7/B", "", 0);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    static const char *const names[] = {".emsa/at/7/A", ".emsa/at/7/B", ".emsa/at/7/bad.name",
                                        ".emsa/at/7/N", ".emsa/head"};
    static const char *const folders[] = {".emsa/at/7", ".emsa/at", ".emsa", directory};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)unlink(names[i]);
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        (void)rmdir(folders[i]);
    return 0;
}

static int take(struct variables *variables, char head[static PLACE_HEAD_MAX],
                const struct run_options *options)
{
    struct place place = {.fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC)};
    (void)snprintf(place.path, sizeof place.path, "%s", directory);
    int refused = snapshot_read(variables, head, &place, options);
    place_close(&place);
    return refused;
}

static void reads(void **state)
{
    (void)state;
    struct variables variables = VARIABLES_INIT;
    struct run_options options = {0};
    char head[PLACE_HEAD_MAX];
    assert_int_equal(take(&variables, head, &options), 0);
    assert_string_equal(head, "at/7");
    assert_int_equal(variables.count, 2);
    assert_int_equal(variables.size, sizeof "A=one" + sizeof "B=");
    variables_release(&variables);
}

static void begins_again(void **state)
{
    (void)state;
    struct variables variables = VARIABLES_INIT;
    struct run_options options = {0};
    char head[PLACE_HEAD_MAX];
    passes = 3;
    assert_int_equal(take(&variables, head, &options), 0);
    assert_int_equal(variables.count, 2); /* and none twice */
    passes = 1000;
    assert_int_equal(take(&variables, head, &options), RUN_REFUSED);
    passes = 0;
    variables_release(&variables);
}

static void refuses(void **state)
{
    (void)state;
    struct variables variables = VARIABLES_INIT;
    struct run_options options = {.files = {"bad.name"}, .file_count = 1};
    char head[PLACE_HEAD_MAX];
    write_file(".emsa/at/7/bad.name", "x", 1);
    assert_int_equal(take(&variables, head, &options), 0);
    write_file(".emsa/at/7/N", "a\0b", 3);
    assert_int_equal(take(&variables, head, &options), RUN_REFUSED);
    assert_int_equal(variables.fault_count, 1);
    options.file_count = 0;
    assert_int_equal(take(&variables, head, &options), RUN_REFUSED);
    assert_int_equal(variables.fault_count, 2);
    variables_release(&variables);
    (void)unlink(".emsa/head");
    assert_int_equal(take(&variables, head, &options), RUN_REFUSED);
    variables_release(&variables);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads), cmocka_unit_test(begins_again),
                                       cmocka_unit_test(refuses)};
    return cmocka_run_group_tests_name("run snapshot", tests, prepare, finish);
}
