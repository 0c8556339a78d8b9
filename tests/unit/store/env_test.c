/* The environment: made, opened and refused; room ahead; a full disk is a clean refusal. */
#include "tests/unit/store/db_support.h"

#include <errno.h>
#include <sys/mount.h>

static void makes_private_preallocated_files(void **state)
{
    struct fixture *fixture = *state;
    struct stat info;
    char lock[80];
    assert_int_equal(env_create(fixture->path), 0);
    assert_int_equal(stat(fixture->path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_int_equal(stat(fixture->data, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_true(info.st_size >= 1 << 20 && info.st_size <= 16 << 20);
    assert_true(info.st_blocks * 512 >= info.st_size);
    snprintf(lock, sizeof(lock), "%s/lock.mdb", fixture->path);
    assert_int_equal(stat(lock, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_true(info.st_blocks * 512 >= info.st_size);
    assert_int_equal(env_create(fixture->path), ERR(ERR_REFUSED));
    assert_int_equal(stat(fixture->data, &info), 0); /* the refusal removed nothing */
}

static void opens_again_with_what_was_written(void **state)
{
    struct fixture *fixture = *state;
    struct env *env = NULL;
    struct txn *txn = NULL;
    struct key room;
    struct slice body;
    uint64_t file, used;
    assert_int_equal(env_create(fixture->path), 0);
    for (uint64_t rev = 1; rev <= 3; rev++) {
        assert_int_equal(env_open(&env, fixture->path, NULL, NULL), 0);
        write_one(env, DB_COMMIT, key_commit(&room, rev), slice_text("x"));
        assert_int_equal(txn_reader_new(&txn, env), 0);
        assert_int_equal(txn_renew(txn), 0);
        for (uint64_t before = 1; before <= rev; before++)
            assert_int_equal(txn_get(txn, &body, DB_COMMIT, key_commit(&room, before)), 0);
        txn_free(txn);
        env_usage(env, &file, &used);
        assert_true(used > 0 && used < file);
        assert_int_equal(env_broken(env), 0);
        env_close(env);
    }
    env_close(NULL);
}

static void missing_or_foreign_is_said(void **state)
{
    struct fixture *fixture = *state;
    struct env *env = NULL;
    assert_int_equal(env_open(&env, fixture->path, NULL, NULL), ERR(ERR_NOT_FOUND));
    assert_int_equal(env_open(&env, "/nonexistent/emsa", NULL, NULL), ERR(ERR_NOT_FOUND));
    assert_int_equal(env_create("/nonexistent/emsa"), ERR(ERR_NOT_FOUND));
    FILE *file = fopen(fixture->data, "we");
    for (int i = 0; i < 3000; i++)
        fputs("not a database ", file);
    fclose(file);
    assert_int_equal(env_open(&env, fixture->path, NULL, NULL), ERR(ERR_CORRUPT));
    assert_non_null(strstr(error_text(), "is no database"));
    assert_null(env);
}

static void patch(const char *path, off_t offset, uint32_t value)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(pwrite(fd, &value, sizeof(value), offset), sizeof(value));
    close(fd);
}

static void heads_that_lie_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct env *env = NULL;
    assert_int_equal(env_create(fixture->path), 0);
    patch(fixture->data, 20, 999); /* LMDB's format */
    assert_int_equal(env_open(&env, fixture->path, NULL, NULL), ERR(ERR_FORMAT));
    patch(fixture->data, 20, 1);
    static const uint32_t sizes[] = {0, 1, 4095, 8192, 1u << 31};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        patch(fixture->data, 40, sizes[i]); /* LMDB would divide by it */
        assert_int_equal(env_open(&env, fixture->path, NULL, NULL), ERR(ERR_CORRUPT));
    }
    patch(fixture->data, 40, (uint32_t)sysconf(_SC_PAGESIZE));
    patch(fixture->data, 136, 0x7fffffff); /* the last page */
    assert_int_equal(env_open(&env, fixture->path, NULL, NULL), ERR(ERR_CORRUPT));
    assert_non_null(strstr(error_text(), "truncated"));
}

static void truncated_files_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct env *env = NULL;
    uint64_t file, used;
    assert_int_equal(env_create(fixture->path), 0);
    assert_int_equal(env_open(&env, fixture->path, NULL, NULL), 0);
    env_usage(env, &file, &used);
    env_close(env);
    assert_int_equal(truncate(fixture->data, (off_t)used), 0);
    assert_int_equal(env_open(&env, fixture->path, NULL, NULL),
                     0); /* all that was written is there */
    env_close(env);
    for (off_t size = (off_t)used - 1; size >= 0; size = size * 3 / 4 - 1) {
        assert_int_equal(truncate(fixture->data, size), 0);
        assert_int_equal(env_open(&env, fixture->path, NULL, NULL), ERR(ERR_CORRUPT));
        assert_non_null(strstr(error_text(), "truncated"));
    }
}

static void lost_lock_file_is_made_anew(void **state)
{
    struct fixture *fixture = *state;
    struct env *env = NULL;
    char lock[80];
    assert_int_equal(env_create(fixture->path), 0);
    snprintf(lock, sizeof(lock), "%s/lock.mdb", fixture->path);
    assert_int_equal(unlink(lock), 0);
    assert_int_equal(env_open(&env, fixture->path, NULL, NULL), 0);
    env_close(env);
}

/* Else a reader would wait for the disk to begin: no page of lock.mdb is mapped. */
static void readers_write_to_memory(void **state)
{
    struct fixture *fixture = *state;
    struct env *env = NULL;
    char line[512];
    bool is_mapped = false;
    assert_int_equal(env_create(fixture->path), 0);
    assert_int_equal(env_open(&env, fixture->path, NULL, NULL), 0);
    FILE *maps = fopen("/proc/self/maps", "re");
    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps))
        is_mapped |= strstr(line, "lock.mdb") != NULL;
    (void)fclose(maps);
    assert_false(is_mapped);
    env_close(env);
}

static void room_grows_ahead(void **state)
{
    struct fixture *fixture = *state;
    struct env *env = NULL;
    struct stat info;
    uint64_t file, used;
    assert_int_equal(env_create(fixture->path), 0);
    assert_int_equal(env_open(&env, fixture->path, NULL, NULL), 0);
    assert_int_equal(env_make_room(env, 0), 0);
    assert_int_equal(env_make_room(env, 20u << 20), 0);
    env_usage(env, &file, &used);
    assert_true(file >= 40u << 20);
    assert_int_equal(stat(fixture->data, &info), 0);
    assert_int_equal(info.st_size, file);
    assert_true(info.st_blocks * 512 >= info.st_size);
    env_close(env);
}

/* A file system of 24 MiB that can be filled. */
static int mount_small(void **state)
{
    if (make_directory(state))
        return -1;
    struct fixture *fixture = *state;
    if (geteuid() != 0 || mount("tmpfs", fixture->path, "tmpfs", 0, "size=24m"))
        fixture->data[0] = '\0'; /* no right to: the test skips itself */
    return 0;
}

static int unmount_small(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->data[0])
        umount2(fixture->path, MNT_DETACH);
    return remove_directory(state);
}

static int write_value(struct env *env, uint64_t rev, size_t size)
{
    static unsigned char value[1 << 16];
    struct key room;
    struct txn *txn = NULL;
    int error = env_make_room(env, size);
    if (!error)
        error = txn_write_begin(&txn, env);
    if (error)
        return error;
    txn_put(txn, DB_VALUE, key_operation(&room, rev, 0), (struct slice){value, size});
    return txn_commit(txn);
}

static void full_disk_refuses_and_lets_delete(void **state)
{
    struct fixture *fixture = *state;
    struct env *env = NULL;
    struct txn *txn = NULL;
    struct key room;
    uint64_t rev = 0, file, used;
    int error = 0;
    if (!fixture->data[0])
        skip();
    assert_int_equal(env_create(fixture->path), 0);
    assert_int_equal(env_open(&env, fixture->path, NULL, NULL), 0);
    while (!error)
        error = write_value(env, ++rev, 60000);
    assert_int_equal(error, ERR(ERR_FULL));
    uint64_t large = rev;
    assert_true(large > 50);
    assert_int_equal(env_broken(env), 0);
    for (error = 0; !error;) /* small ones fit on for a while, and stop before the reserve */
        error = write_value(env, ++rev, 10);
    assert_int_equal(error, ERR(ERR_FULL));
    env_usage(env, &file, &used);
    assert_true(file - used >= 4u << 20);
    for (uint64_t gone = 1; gone < rev; gone++) {
        assert_int_equal(env_make_room(env, 0), 0);
        assert_int_equal(txn_write_begin(&txn, env), 0);
        txn_delete(txn, DB_VALUE, key_operation(&room, gone, 0));
        assert_int_equal(txn_commit(txn), 0);
    }
    /* what was deleted is room again */
    for (uint64_t again = 1; again < large / 2; again++)
        assert_int_equal(write_value(env, rev + again, 60000), 0);
    env_close(env);
    assert_int_equal(env_open(&env, fixture->path, NULL, NULL), 0);
    env_close(env);
}

static void no_disk_at_all_leaves_nothing_behind(void **state)
{
    struct fixture *fixture = *state;
    char file[80], lock[80];
    if (!fixture->data[0])
        skip();
    snprintf(file, sizeof(file), "%s/fill", fixture->path);
    int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(posix_fallocate(fd, 0, 23 << 20), 0);
    close(fd);
    assert_int_equal(env_create(fixture->path), ERR(ERR_FULL));
    snprintf(lock, sizeof(lock), "%s/lock.mdb", fixture->path);
    assert_int_equal(access(lock, F_OK), -1);
    assert_int_equal(access(fixture->data, F_OK), -1);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(env_create(fixture->path), 0);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)
#define SMALL(test) cmocka_unit_test_setup_teardown(test, mount_small, unmount_small)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(makes_private_preallocated_files),
        WITH(opens_again_with_what_was_written),
        WITH(missing_or_foreign_is_said),
        WITH(heads_that_lie_are_refused),
        WITH(truncated_files_are_refused),
        WITH(lost_lock_file_is_made_anew),
        WITH(readers_write_to_memory),
        WITH(room_grows_ahead),
        SMALL(full_disk_refuses_and_lets_delete),
        SMALL(no_disk_at_all_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
