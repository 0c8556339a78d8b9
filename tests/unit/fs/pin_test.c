#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fs/pin.h"
#include "fs/view_slot.h"

static struct state *memory;

static int fresh(void **state)
{
    (void)state;
    memory = calloc(1, sizeof(*memory));
    return memory == NULL;
}

static int gone(void **state)
{
    (void)state;
    free(memory);
    return 0;
}

static void a_handle_moves(void **state)
{
    (void)state;
    uint32_t hint = 0;
    uint64_t handle = pin_take(memory, 1, 10, &hint);
    struct pin pin = pin_get(memory, handle);
    assert_true(pin.rev == 10 && pin.moves);
    pin_set(memory, handle, 12);
    assert_true(pin_get(memory, handle).rev == 12);
    assert_false(pin_get(memory, handle).ended);
    pin_end(memory, handle, pin_get(memory, handle), true);
    pin = pin_get(memory, handle);
    assert_true(pin.rev == 12 && pin.moves && pin.ended);
    pin_set(memory, handle, 13);
    assert_false(pin_get(memory, handle).ended);
    pin_end(memory, handle, pin, true); /* of what it was */
    assert_false(pin_get(memory, handle).ended);
    pin_end(memory, handle, pin_get(memory, handle), true);
    pin_end(memory, handle, pin_get(memory, handle), false);
    assert_true(pin_get(memory, handle).rev == 13 && !pin_get(memory, handle).ended);
    pin_drop(memory, handle, &hint);
    assert_true(pin_get(memory, handle).rev == 0);
}

static void a_fixed_one_stays(void **state)
{
    (void)state;
    uint32_t hint = 0;
    uint64_t handle = pin_fixed(77);
    pin_set(memory, handle, 78);
    struct pin pin = pin_get(memory, handle);
    assert_true(pin.rev == 77 && !pin.moves);
    pin_drop(memory, handle, &hint);
    assert_true(pin_get(memory, handle).rev == 77);
}

static void a_second_release_hurts_nobody(void **state)
{
    (void)state;
    uint32_t hint = 0;
    uint64_t first = pin_take(memory, 1, 1, &hint);
    pin_drop(memory, first, &hint);
    uint64_t second = pin_take(memory, 1, 2, &hint);
    assert_true((uint32_t)second == (uint32_t)first); /* the same slot */
    assert_true(second != first);
    pin_drop(memory, first, &hint);
    pin_set(memory, first, 9);
    assert_true(pin_get(memory, second).rev == 2);
    assert_true(pin_get(memory, first).rev == 0);
}

static void when_all_are_taken_a_handle_stays_at_its_revision(void **state)
{
    (void)state;
    uint32_t hint = 0;
    for (uint32_t i = 0; i < PIN_SLOTS; i++)
        assert_true(pin_get(memory, pin_take(memory, 1, 5, &hint)).moves);
    uint64_t handle = pin_take(memory, 1, 6, &hint);
    assert_true(!pin_get(memory, handle).moves && pin_get(memory, handle).rev == 6);
    assert_int_equal(pin_drop_view(memory, 1), PIN_SLOTS);
    assert_true(pin_get(memory, pin_take(memory, 1, 7, &hint)).moves);
}

/* Takes all that it gets; how many that were. */
static uint32_t greedy(uint32_t view)
{
    uint32_t hint = 0, taken = 0;
    while (taken < PIN_SLOTS && pin_get(memory, pin_take(memory, view, 5, &hint)).moves)
        taken++;
    return taken;
}

static void no_view_takes_what_is_left_for_others(void **state)
{
    (void)state;
    uint32_t hint = 0;
    for (uint32_t view = 1; view <= 3; view++)
        assert_non_null(view_slot_take(memory, view));
    assert_int_equal(greedy(1), PIN_SLOTS / 2);
    /* also for who looks where the other has all */
    uint64_t modest = pin_take(memory, 2, 7, &hint);
    assert_true(pin_get(memory, modest).moves);
    assert_in_range(1 + greedy(2), PIN_SLOTS / 4 - 1, PIN_SLOTS / 4);
    assert_true(greedy(3) > PIN_SLOTS / 9);
    pin_drop(memory, modest, &hint);
    assert_int_equal(greedy(2), 0); /* it has more than there is left */
    assert_int_equal(pin_drop_view(memory, 1), PIN_SLOTS / 2);
    assert_true(greedy(2) > 0);
}

static void a_server_counts_anew(void **state)
{
    (void)state;
    uint32_t hint = 0;
    struct view_slot *slot = view_slot_take(memory, 1);
    uint64_t first = pin_take(memory, 1, 1, &hint);
    (void)pin_take(memory, 1, 1, &hint);
    (void)pin_take(memory, 2, 1, &hint);
    slot->pins = 77; /* it died before it had counted */
    memory->pins_used = 0;
    pins_begin(memory);
    assert_int_equal(slot->pins, 2);
    assert_int_equal(memory->pins_used, 3);
    pin_drop(memory, first, &hint);
    pin_drop(memory, first, &hint);
    assert_int_equal(slot->pins, 1);
    assert_int_equal(memory->pins_used, 2);
}

static void a_view_takes_its_own_along(void **state)
{
    (void)state;
    uint32_t hint = 0;
    uint64_t mine = pin_take(memory, 1, 1, &hint), other = pin_take(memory, 2, 2, &hint);
    assert_int_equal(pin_drop_view(memory, 1), 1);
    assert_true(pin_get(memory, mine).rev == 0);
    assert_true(pin_get(memory, other).rev == 2);
    assert_int_equal(memory->pin_high, 2); /* and no page behind was touched */
}

static void handles_and_their_views_are_counted(void **state)
{
    (void)state;
    uint32_t hint = 0, views = 7;
    assert_int_equal(pin_count(memory, &views), 0);
    assert_int_equal(views, 0);
    uint64_t first = pin_take(memory, 1, 1, &hint);
    (void)pin_take(memory, 2, 1, &hint);
    (void)pin_take(memory, 2, 1, &hint);
    assert_int_equal(pin_count(memory, &views), 3);
    assert_int_equal(views, 2);
    pin_drop(memory, first, &hint);
    assert_int_equal(pin_count(memory, &views), 2);
    assert_int_equal(views, 1);
}

static void nonsense_is_no_handle(void **state)
{
    (void)state;
    uint32_t hint = 0;
    assert_true(pin_get(memory, 0).rev == 0);
    assert_true(pin_get(memory, 0x7fffffffffffffff).rev == 0);
    pin_set(memory, PIN_SLOTS, 5);
    pin_drop(memory, 0xffffffff, &hint);
}

/* Threads take and drop at once: no slot has two owners. */
static void *churn(void *arg)
{
    uint32_t hint = *(uint32_t *)arg;
    uint64_t mine = hint + 1, handles[64];
    for (int round = 0; round < 2000; round++) {
        for (int i = 0; i < 64; i++)
            handles[i] = pin_take(memory, 1, mine, &hint);
        for (int i = 0; i < 64; i++) {
            if (pin_get(memory, handles[i]).rev != mine)
                return arg;
            pin_drop(memory, handles[i], &hint);
        }
    }
    return NULL;
}

static void threads_do_not_share_a_slot(void **state)
{
    (void)state;
    pthread_t threads[4];
    static uint32_t hints[4] = {0, 1, 2, 3};
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, churn, &hints[i]), 0);
    for (int i = 0; i < 4; i++) {
        void *bad;
        pthread_join(threads[i], &bad);
        assert_null(bad);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_handle_moves, fresh, gone),
        cmocka_unit_test_setup_teardown(a_fixed_one_stays, fresh, gone),
        cmocka_unit_test_setup_teardown(a_second_release_hurts_nobody, fresh, gone),
        cmocka_unit_test_setup_teardown(when_all_are_taken_a_handle_stays_at_its_revision, fresh,
                                        gone),
        cmocka_unit_test_setup_teardown(no_view_takes_what_is_left_for_others, fresh, gone),
        cmocka_unit_test_setup_teardown(a_server_counts_anew, fresh, gone),
        cmocka_unit_test_setup_teardown(a_view_takes_its_own_along, fresh, gone),
        cmocka_unit_test_setup_teardown(handles_and_their_views_are_counted, fresh, gone),
        cmocka_unit_test_setup_teardown(nonsense_is_no_handle, fresh, gone),
        cmocka_unit_test_setup_teardown(threads_do_not_share_a_slot, fresh, gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
