/* What is mounted where: as mountinfo says it, and asked a thousand times for one reading. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these first */
#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/mount.h"
#include "fs/mount_table.h"

#define MANY 1000

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);

static unsigned readings;

FILE *__wrap_fopen(const char *path, const char *mode)
{
    readings += strcmp(path, "/proc/self/mountinfo") == 0;
    return __real_fopen(path, mode);
}

static void parse(struct mount_table *table, const char *text)
{
    char copy[1024];
    (void)snprintf(copy, sizeof copy, "%s", text);
    FILE *file = fmemopen(copy, strlen(copy), "r");
    assert_non_null(file);
    assert_int_equal(mount_table_parse(table, file), 0);
    (void)fclose(file);
}

static void stands(const struct mount_table *table, const char *path, long id, unsigned number,
                   const char *type)
{
    struct standing found;
    assert_int_equal(mount_table_top(table, path, &found), 0);
    assert_int_equal(found.id, id);
    assert_int_equal(found.number, number);
    assert_string_equal(found.type, type);
}

static void is_free(const struct mount_table *table, const char *path)
{
    struct standing found;
    assert_int_equal(mount_table_top(table, path, &found), 1);
}

static void as_the_kernel_says(void **state)
{
    struct mount_table table MOUNT_TABLE_CLEANUP = {0};
    (void)state;
    parse(&table, "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
                  "30 22 0:41 / /m rw - fuse.emsa emsa ro,user_id=0\n"
                  "no line at all\n"
                  "31 22 0:42 / /m\\040with\\134blank rw shared:7 master:2 - fuse.emsa emsa ro\n"
                  "32 22 0:43 / /n rw - tmpfs - rw\n"
                  "33 30 0:44 /sub /m rw - fuse emsa ro\n"
                  "34 22 0:45 / /m/deep rw");
    stands(&table, "/", 22, 0, "ext4");
    stands(&table, "/m", 33, 44, "fuse");
    stands(&table, "/m with\\blank", 31, 42, "fuse.emsa");
    stands(&table, "/n", 32, 43, "tmpfs");
    is_free(&table, "/m/deep"); /* a line without an end */
    is_free(&table, "/m/");
    is_free(&table, "");
    is_free(&table, "/z");
}

static void one_below_the_other(void **state)
{
    struct mount_table table MOUNT_TABLE_CLEANUP = {0};
    (void)state;
    parse(&table, "30 22 0:41 / /m rw - fuse.emsa emsa ro\n"
                  "31 30 0:42 / /m rw - fuse.emsa emsa ro\n"
                  "32 31 0:43 / /m rw - fuse.emsa emsa ro\n"
                  "33 22 0:44 / /n rw - tmpfs - rw\n");
    stands(&table, "/m", 32, 43, "fuse.emsa");
    mount_table_drop(&table, "/m");
    stands(&table, "/m", 31, 42, "fuse.emsa");
    mount_table_drop(&table, "/m");
    stands(&table, "/m", 30, 41, "fuse.emsa");
    mount_table_drop(&table, "/m");
    is_free(&table, "/m");
    mount_table_drop(&table, "/m");
    mount_table_drop(&table, "/none");
    stands(&table, "/n", 33, 44, "tmpfs");
}

static void nothing_at_all(void **state)
{
    struct mount_table table MOUNT_TABLE_CLEANUP = {0};
    (void)state;
    is_free(&table, "/");
    mount_table_drop(&table, "/");
    parse(&table, "\n");
    is_free(&table, "/");
}

/* As after a crash: each of a thousand places is asked for what does not answer, and for what is
 * dead. */
static void one_reading(void **state)
{
    struct mount_table table MOUNT_TABLE_CLEANUP = {0};
    char folder[] = "/tmp/emsa-mounts.XXXXXX", real[PATH_MAX];
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_non_null(realpath(folder, real));
    readings = 0;
    assert_int_equal(mount_table_read(&table), 0);
    for (unsigned i = 1; i <= MANY; i++) {
        assert_int_equal(mount_abort_silent(&table, real, i, 1000), 1);
        assert_int_equal(mount_clear(&table, real, i), 1);
    }
    assert_int_equal(readings, 1);
    assert_int_equal(mount_clear_now(real), 1);
    assert_int_equal(readings, 2);
    assert_int_equal(rmdir(folder), 0);
    struct standing root;
    assert_int_equal(mount_table_top(&table, "/", &root), 0); /* it was this machine's */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_the_kernel_says),
        cmocka_unit_test(one_below_the_other),
        cmocka_unit_test(nothing_at_all),
        cmocka_unit_test(one_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
