#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fs/roster.h"

static struct roster *roster;

static int make(void **state)
{
    (void)state;
    int fd;
    int error = roster_create(&fd);
    if (error == 0)
        error = roster_map(&roster, fd, true);
    close(fd);
    return error;
}

static int end(void **state)
{
    (void)state;
    roster_unmap(roster);
    return 0;
}

static void a_lane_is_found_by_its_view(void **state)
{
    (void)state;
    struct roster_slot *one = roster_enter(roster, 1, 100);
    struct roster_slot *same_place = roster_enter(roster, 1 + ROSTER_SLOTS, 200);
    assert_ptr_equal(roster_find(roster, 1), one);
    assert_ptr_equal(roster_find(roster, 1 + ROSTER_SLOTS), same_place);
    assert_int_equal(atomic_load(&same_place->tid), 200);
    assert_null(roster_find(roster, 2));
    assert_null(roster_find(NULL, 1));
    /* one that was put aside is found though who stood before it has gone */
    roster_leave(one, 100);
    assert_null(roster_find(roster, 1));
    assert_ptr_equal(roster_find(roster, 1 + ROSTER_SLOTS), same_place);
    roster_leave(NULL, 1);
}

/* A process that has ended, and was reaped: nobody is its thread any more. */
static uint32_t dead(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    return (uint32_t)pid;
}

static void who_died_is_followed(void **state)
{
    (void)state;
    struct roster_slot *old = roster_enter(roster, 1, dead());
    assert_ptr_equal(roster_find(roster, 1), old);
    struct roster_slot *next = roster_enter(roster, 1, 100);
    assert_ptr_equal(roster_find(roster, 1), next);
    assert_int_equal(atomic_load(&next->tid), 100);
}

static void *leave(void *arg)
{
    struct roster_slot *old = arg;
    atomic_store(&old->node, 7);
    roster_leave(old, atomic_load(&old->tid));
    return NULL;
}

static void who_lives_is_waited_for(void **state)
{
    (void)state;
    pthread_t other;
    struct roster_slot *old = roster_enter(roster, 1, (uint32_t)gettid());
    assert_int_equal(pthread_create(&other, NULL, leave, old), 0);
    struct roster_slot *next = roster_enter(roster, 1, 100);
    assert_int_equal(pthread_join(other, NULL), 0);
    assert_int_equal(atomic_load(&next->tid), 100);
    assert_int_equal(atomic_load(&next->node), 0);
}

/* One that nobody waited for any longer comes back: the place is another's. */
static void who_comes_late_leaves_nothing(void **state)
{
    (void)state;
    struct roster_slot *slot = roster_enter(roster, 1, 100);
    roster_leave(slot, 99);
    assert_ptr_equal(roster_find(roster, 1), slot);
    roster_leave(slot, 100);
    assert_null(roster_find(roster, 1));
}

static void an_empty_one_knows_nobody(void **state)
{
    (void)state;
    for (uint32_t view = 1; view < 100; view++)
        assert_non_null(roster_enter(roster, view, view));
    roster_clear(roster);
    for (uint32_t view = 1; view < 100; view++)
        assert_null(roster_find(roster, view));
}

static void a_full_one_takes_nobody(void **state)
{
    (void)state;
    uint32_t entered = 0;
    while (roster_enter(roster, 7 + entered * ROSTER_SLOTS, 1))
        entered++;
    assert_int_equal(entered, 64);
}

static void what_is_none_is_refused(void **state)
{
    (void)state;
    struct roster *other;
    int fd = memfd_create("small", MFD_CLOEXEC);
    assert_true(roster_map(&other, fd, true) < 0);
    assert_true(roster_map(&other, -1, true) < 0);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_lane_is_found_by_its_view, make, end),
        cmocka_unit_test_setup_teardown(who_died_is_followed, make, end),
        cmocka_unit_test_setup_teardown(who_lives_is_waited_for, make, end),
        cmocka_unit_test_setup_teardown(who_comes_late_leaves_nothing, make, end),
        cmocka_unit_test_setup_teardown(an_empty_one_knows_nobody, make, end),
        cmocka_unit_test_setup_teardown(a_full_one_takes_nobody, make, end),
        cmocka_unit_test(what_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
