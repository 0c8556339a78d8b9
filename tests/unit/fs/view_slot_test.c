#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include <cmocka.h>

#include "fs/view.h"
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

static void a_slot_outlives_its_server(void **state)
{
    (void)state;
    view_slots_begin(memory);
    struct view_slot *slot = view_slot_take(memory, 7);
    assert_non_null(slot);
    assert_true(slot->view == 7 && slot->taken == 0 && slot->upto == 0);
    slot->taken = 5;
    slot->upto = 9;
    view_slots_begin(memory); /* the next server */
    assert_ptr_equal(view_slot_take(memory, 7), slot);
    assert_true(slot->taken == 5 && slot->upto == 9);
    view_slots_sweep(memory);
    assert_true(slot->view == 7 && slot->taken == 5);
}

static void what_nobody_took_is_freed(void **state)
{
    (void)state;
    view_slots_begin(memory);
    struct view_slot *ended = view_slot_take(memory, 1), *lives = view_slot_take(memory, 2);
    ended->told = 3;
    view_slots_begin(memory);
    assert_ptr_equal(view_slot_take(memory, 2), lives);
    view_slots_sweep(memory);
    assert_true(ended->view == 0 && lives->view == 2);
    struct view_slot *next = view_slot_take(memory, 1);
    assert_true(next->told == 0);
}

static void ids_that_meet_have_a_slot_each(void **state)
{
    (void)state;
    view_slots_begin(memory);
    struct view_slot *one = view_slot_take(memory, 3),
                     *two = view_slot_take(memory, 3 + VIEW_SLOTS);
    assert_ptr_not_equal(one, two);
    assert_ptr_equal(view_slot_take(memory, 3), one);
    assert_ptr_equal(view_slot_take(memory, 3 + VIEW_SLOTS), two);
    view_slot_drop(one); /* the other is still found, though its own place is free now */
    assert_ptr_equal(view_slot_take(memory, 3 + VIEW_SLOTS), two);
    view_slot_drop(NULL);
}

static void all_can_be_taken_and_no_more(void **state)
{
    (void)state;
    view_slots_begin(memory);
    for (uint32_t view = 1; view <= VIEW_SLOTS; view++)
        memory->views[view % VIEW_SLOTS].view = view;
    memory->views[9].view = 0;
    memory->view_high = VIEW_SLOTS;
    assert_ptr_equal(view_slot_take(memory, 9), &memory->views[9]);
    assert_null(view_slot_take(memory, VIEW_SLOTS + 1));
    assert_non_null(view_slot_take(memory, 5));
    assert_true(memory->view_high == VIEW_SLOTS);
    view_slots_begin(memory);
    view_slots_sweep(memory);
    assert_non_null(view_slot_take(memory, VIEW_SLOTS + 1));
}

static void a_view_that_ends_gives_it_back_when_nobody_uses_it(void **state)
{
    (void)state;
    struct views views;
    struct view_options options = {.id = 7};
    uint32_t index;
    view_slots_begin(memory);
    views_init(&views);
    struct view_slot *slot = view_slot_take(memory, 7);
    assert_int_equal(views_add(&views, &index, &options, slot, eventfd(0, 0)), 0);
    struct view *view = views_get(&views, index);
    views_remove(&views, view);
    assert_true(slot->view == 7);
    views_put(&views, view);
    assert_true(slot->view == 0);

    slot = view_slot_take(memory, 8);
    options.id = 8;
    assert_int_equal(views_add(&views, &index, &options, slot, eventfd(0, 0)), 0);
    views_release(&views); /* the server ends, the view does not */
    assert_true(slot->view == 8);
}

static void nonsense_in_the_memory_is_no_place(void **state)
{
    (void)state;
    memory->view_high = UINT32_MAX;
    view_slots_begin(memory);
    view_slots_sweep(memory);
    assert_non_null(view_slot_take(memory, UINT32_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_slot_outlives_its_server, fresh, gone),
        cmocka_unit_test_setup_teardown(what_nobody_took_is_freed, fresh, gone),
        cmocka_unit_test_setup_teardown(ids_that_meet_have_a_slot_each, fresh, gone),
        cmocka_unit_test_setup_teardown(all_can_be_taken_and_no_more, fresh, gone),
        cmocka_unit_test_setup_teardown(a_view_that_ends_gives_it_back_when_nobody_uses_it, fresh,
                                        gone),
        cmocka_unit_test_setup_teardown(nonsense_in_the_memory_is_no_place, fresh, gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
