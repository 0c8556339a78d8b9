#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fs/mark.h"

static struct state *memory;
static struct marks marks;

static int fresh(void **state)
{
    (void)state;
    memory = calloc(1, sizeof(*memory));
    if (memory)
        marks_init(&marks, memory);
    return memory == NULL;
}

static int gone(void **state)
{
    (void)state;
    marks_release(&marks);
    free(memory);
    return 0;
}

static void a_sweep_takes_the_mark(void **state)
{
    (void)state;
    uint32_t turn = marks_add(&marks, 1, 100);
    assert_true(turn != 0);
    assert_int_equal(marks_turn(&marks, 1, 100), turn);
    assert_int_equal(marks_turn(&marks, 2, 100), 0);
    marks_swept(&marks, 1, 100, turn);
    assert_int_equal(marks_turn(&marks, 1, 100), 0);
    assert_int_equal(memory->mark_high, 0);
}

/* The pages that came after the sweep was asked for are not covered by it. */
static void a_read_after_it_needs_another(void **state)
{
    (void)state;
    uint32_t first = marks_add(&marks, 1, 100), second = marks_add(&marks, 1, 100);
    assert_true(first != second);
    marks_swept(&marks, 1, 100, first);
    assert_int_equal(marks_turn(&marks, 1, 100), second);
    marks_swept(&marks, 1, 100, second);
    assert_int_equal(marks_turn(&marks, 1, 100), 0);
}

/* A sweep of a mark that has gone says nothing of one that came after it, of the same node. */
static void a_turn_is_not_used_twice(void **state)
{
    (void)state;
    uint32_t first = marks_add(&marks, 1, 100);
    marks_swept(&marks, 1, 100, first);
    uint32_t second = marks_add(&marks, 1, 100);
    marks_swept(&marks, 1, 100, first); /* that of the RELEASE, asked before the second READ */
    assert_int_equal(marks_turn(&marks, 1, 100), second);
    marks_init(&marks, memory); /* the next server */
    assert_true(marks_add(&marks, 2, 100) != second);
}

static void the_next_server_finds_them(void **state)
{
    (void)state;
    struct mark_slot mark;
    uint32_t at = 0;
    uint32_t first = marks_add(&marks, 1, 100), second = marks_add(&marks, 2, 200);
    marks_release(&marks);
    marks_init(&marks, memory);
    assert_true(marks_next(&marks, &at, &mark));
    assert_true(mark.node == 100 && mark.view == 1);
    assert_true(marks_next(&marks, &at, &mark));
    assert_true(mark.node == 200 && mark.view == 2);
    assert_false(marks_next(&marks, &at, &mark));
    marks_swept(&marks, 1, 100, first);
    assert_int_equal(marks_turn(&marks, 1, 100), 0);
    assert_int_equal(marks_turn(&marks, 2, 200), second);
}

static void a_view_takes_its_own_along(void **state)
{
    (void)state;
    marks_add(&marks, 1, 100);
    uint32_t turn = marks_add(&marks, 2, 100);
    marks_drop_view(&marks, 1);
    assert_int_equal(marks_turn(&marks, 1, 100), 0);
    assert_int_equal(marks_turn(&marks, 2, 100), turn);
}

static void a_full_table_says_so(void **state)
{
    (void)state;
    for (uint64_t node = 1; node <= MARK_SLOTS; node++) {
        memory->marks[node - 1] = (struct mark_slot){.node = node, .view = 1, .turn = 1};
        memory->mark_high = (uint32_t)node;
        marks.used++;
    }
    assert_int_equal(marks_add(&marks, 1, MARK_SLOTS + 1), 0);
    assert_int_equal(marks_add(&marks, 1, 7), marks_turn(&marks, 1, 7));
    marks_swept(&marks, 1, 9, 1);
    assert_true(marks_add(&marks, 1, MARK_SLOTS + 1) != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_sweep_takes_the_mark, fresh, gone),
        cmocka_unit_test_setup_teardown(a_read_after_it_needs_another, fresh, gone),
        cmocka_unit_test_setup_teardown(a_turn_is_not_used_twice, fresh, gone),
        cmocka_unit_test_setup_teardown(the_next_server_finds_them, fresh, gone),
        cmocka_unit_test_setup_teardown(a_view_takes_its_own_along, fresh, gone),
        cmocka_unit_test_setup_teardown(a_full_table_says_so, fresh, gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
