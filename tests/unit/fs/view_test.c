#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "fs/view.h"
#include "store/error.h"

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static void a_view_stays_while_it_is_held(void **state)
{
    (void)state;
    struct views views;
    struct view_options options = {.id = 7};
    uint32_t slot;
    int fd = eventfd(0, 0);
    views_init(&views);
    assert_int_equal(views_add(&views, &slot, &options, NULL, fd), 0);
    assert_int_equal(views_count(&views), 1);
    struct view *view = views_get(&views, slot);
    assert_int_equal(view->options.id, 7);
    assert_true(views_remove(&views, view));
    assert_false(views_remove(&views, view)); /* the second time somebody else did */
    assert_null(views_get(&views, slot));
    assert_int_equal(views_count(&views), 0);
    assert_true(is_open(fd));
    views_put(&views, view);
    assert_false(is_open(fd));
    views_release(&views);
}

static void an_id_is_served_once(void **state)
{
    (void)state;
    struct views views;
    struct view_options options = {.id = 7};
    uint32_t slot;
    int first = eventfd(0, 0), second = eventfd(0, 0);
    views_init(&views);
    assert_int_equal(views_add(&views, &slot, &options, NULL, first), 0);
    assert_int_equal(views_add(&views, &slot, &options, NULL, second), -ERR_REFUSED);
    assert_false(is_open(second)); /* taken over all the same */
    views_release(&views);
    assert_false(is_open(first));
}

static void many_views(void **state)
{
    (void)state;
    struct views views;
    uint32_t slots[100];
    views_init(&views);
    for (uint32_t i = 0; i < 100; i++) {
        struct view_options options = {.id = i};
        assert_int_equal(views_add(&views, &slots[i], &options, NULL, eventfd(0, 0)), 0);
    }
    for (uint32_t i = 0; i < 100; i++) {
        struct view *view = views_get(&views, slots[i]);
        assert_int_equal(view->options.id, i);
        if (i % 2)
            views_remove(&views, view);
        views_put(&views, view);
    }
    assert_int_equal(views_count(&views), 50);
    assert_null(views_get(&views, 100000));
    views_release(&views);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_view_stays_while_it_is_held),
        cmocka_unit_test(an_id_is_served_once),
        cmocka_unit_test(many_views),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
