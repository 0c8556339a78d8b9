#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "fs/state.h"
#include "store/error.h"

static void is_shared_and_zeroed(void **state)
{
    (void)state;
    struct state *one, *two;
    int fd;
    assert_int_equal(state_create(&fd), 0);
    assert_int_equal(state_map(&one, fd), 0);
    assert_int_equal(state_map(&two, fd), 0);
    assert_true(one->published == 0 && one->pin_high == 0 && one->pins[PIN_SLOTS - 1].tag == 0);
    one->published = 42;
    assert_true(two->published == 42);
    state_unmap(one);
    state_unmap(two);
    state_unmap(NULL);
    close(fd);
}

static void has_a_size_that_nobody_changes(void **state)
{
    (void)state;
    int fd;
    assert_int_equal(state_create(&fd), 0);
    assert_int_equal(ftruncate(fd, 4096), -1);
    close(fd);
}

static void another_layout_is_refused(void **state)
{
    (void)state;
    struct state *mapped = NULL;
    int fd = memfd_create("other", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(ftruncate(fd, sizeof(struct state)), 0);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
    assert_int_equal(state_map(&mapped, fd), -ERR_FORMAT);
    assert_int_equal(ftruncate(fd, 2 * sizeof(struct state)), 0);
    assert_int_equal(state_map(&mapped, fd), -ERR_FORMAT);
    assert_null(mapped);
    close(fd);
}

/* Whoever gives it could end who maps it, by making it shorter. */
static void what_may_shrink_is_refused(void **state)
{
    (void)state;
    struct state *mapped = NULL;
    unsigned char *copy = malloc(sizeof(struct state));
    int sound, fd = memfd_create("loose", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(state_create(&sound), 0);
    assert_non_null(copy);
    assert_int_equal(pread(sound, copy, sizeof(struct state), 0), sizeof(struct state));
    assert_int_equal(write(fd, copy, sizeof(struct state)), sizeof(struct state));
    assert_int_equal(state_map(&mapped, fd), -ERR_FORMAT);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
    assert_int_equal(state_map(&mapped, fd), 0);
    state_unmap(mapped);
    free(copy);
    close(sound);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_shared_and_zeroed),
        cmocka_unit_test(has_a_size_that_nobody_changes),
        cmocka_unit_test(another_layout_is_refused),
        cmocka_unit_test(what_may_shrink_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
