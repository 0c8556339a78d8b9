/* What is refused before the kernel is asked for anything. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fs/mount.h"
#include "store/error.h"
#include "tests/support/store/trial.h"

static void a_place_must_be_a_free_directory(void **state)
{
    (void)state;
    char path[TRIAL_PATH_MAX];
    trial_path(path, trial_folder(), "file");
    close(open(path, O_CREAT | O_WRONLY, 0600));
    assert_int_equal(mount_attach(-1, path), -ERR_INVALID);
    assert_non_null(strstr(error_text(), path));
    assert_int_equal(mount_attach(-1, trial_path(path, trial_folder(), "none")), -ERR_NOT_FOUND);
    assert_int_equal(mount_attach(-1, "/proc"), -ERR_REFUSED);
    assert_non_null(strstr(error_text(), "type proc"));
    assert_int_equal(mount_attach(-1, "/proc/../proc/"), -ERR_REFUSED);
}

static void only_our_mounts_are_taken_away(void **state)
{
    (void)state;
    char path[TRIAL_PATH_MAX];
    assert_int_equal(mount_detach("/proc", false), -ERR_REFUSED);
    assert_int_equal(mount_detach("/proc", true), -ERR_REFUSED);
    trial_path(path, trial_folder(), "bare");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(mount_detach(path, false), -ERR_NOT_FOUND);
    assert_int_equal(mount_detach(trial_path(path, trial_folder(), "none"), false), -ERR_NOT_FOUND);
}

static void max_read_has_bounds(void **state)
{
    (void)state;
    struct view_options view = {.max_read = 100};
    struct mount mount = {.fuse_fd = 77};
    assert_int_equal(mount_make(&mount, &view), -ERR_INVALID);
    view.max_read = VIEW_MAX_READ_LIMIT + 1;
    assert_int_equal(mount_make(&mount, &view), -ERR_INVALID);
    assert_int_equal(mount.fuse_fd, 77); /* untouched */
}

static void resending_needs_a_connection(void **state)
{
    (void)state;
    int fd = open("/dev/full", O_WRONLY);
    assert_true(mount_resend(fd) < 0);
    close(fd);
    mount_release(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_must_be_a_free_directory),
        cmocka_unit_test(only_our_mounts_are_taken_away),
        cmocka_unit_test(max_read_has_bounds),
        cmocka_unit_test(resending_needs_a_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
