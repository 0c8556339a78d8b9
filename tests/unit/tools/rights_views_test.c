/*
 * Views by rights: who may make one of everything, who is told of which, and who moves them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/error.h"
#include "store/secret.h"
#include "tests/unit/tools/rights_world.h"
#include "tools/service/verb.h"
#include "tools/service/wish.h"

static int no_mount(void *arg, const struct view_wish *wish, struct view_made *out)
{
    (void)arg, (void)wish, (void)out;
    return error_set(ERR_REFUSED, "nothing is mounted here");
}

/* A view of everything tells who wrote what and why: that takes more than to read it all. */
static void views_of_everything(void **state)
{
    struct world *world = *state;
    fill(world);
    if (!is_here())
        return;
    world->dispatcher->host.mount = no_mount;
    grant(world, "", "user:nobody", "'read', 'set', 'share', 'audit'");
    ASK({"Mount", "{}", NULL, "Denied", NULL}, {"Mount", "{'path': ''}", NULL, "Denied", NULL},
        {"Mount", "{'path': 'prod'}", NULL, "Refused", NULL},
        {"Mount", "{'path': 'prod/web'}", NULL, "Refused", NULL});
    grant(world, "", "user:nobody", "'admin'");
    ASK({"Mount", "{}", NULL, "Refused", NULL});
}

static int some_views(void *arg, json_t *list)
{
    (void)arg;
    static const char *const paths[] = {"", "prod", "prod/web", "prod/vault", "dev/web"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        json_array_append_new(list,
                              json_pack("{s:i, s:s, s:s, s:i, s:{s:i, s:i}}", "id", (int)i + 1,
                                        "layout", "flat", "path", paths[i], "maker",
                                        i == 4 ? NOBODY : 1000, "read", "uid", 1000, "pid", 4711));
    return 0;
}

/* A view is told of to who may list its place, and who reads it to who may audit it. */
static void views_that_are_told_of(void **state)
{
    struct world *world = *state;
    fill(world);
    if (!is_here())
        return;
    world->dispatcher->host.views = some_views;
    grant(world, "prod/web", "user:nobody", "'read'");
    json_t *reply = ask(world, &(struct row){"Views", "{}", NULL, NULL, "4711"});
    assert_string_equal(world_members(json_object_get(reply, "views"), "path"), "prod/web");
    assert_string_equal(world_member(reply, "views.0.maker"), "");
    json_decref(reply);
    ASK({"Views", "{'path': 'prod'}", NULL, "Denied", NULL},
        {"Views", "{'path': 'prod/vault'}", NULL, "Denied", NULL});
    grant(world, "prod/web", "user:nobody", "'audit'");
    grant(world, "dev", "group:nogroup", "'list'");
    reply = ask(world, &(struct row){"Views", "{}", NULL, NULL, NULL});
    assert_string_equal(world_members(json_object_get(reply, "views"), "path"), "prod/web dev/web");
    assert_string_equal(world_member(reply, "views.0.read.pid"), "4711");
    assert_string_equal(world_member(reply, "views.1.read.pid"), "");
    assert_string_equal(world_member(reply, "views.0.maker"), "1000");
    assert_string_equal(world_member(reply, "views.1.maker"), "65534");
    json_decref(reply);
}

static uint32_t moved;

static int note_move(void *arg, uint32_t view, uint64_t rev)
{
    (void)arg, (void)rev;
    moved = view;
    return 0;
}

/* A view is moved by who made it and may read what it shows, or who administers that; of one whose
 * place may not be listed nothing is said. */
static void views_that_are_moved(void **state)
{
    struct world *world = *state;
    fill(world);
    if (!is_here())
        return;
    world->dispatcher->host.views = some_views;
    world->dispatcher->host.view_move = note_move;
    grant(world, "prod/web", "user:nobody", "'read'");
    grant(world, "dev", "user:nobody", "'list'");
    ASK({"ViewMove", "{'view': '1', 'to': 'live'}", NULL, "NotFound", NULL},
        {"ViewMove", "{'view': '2', 'to': 'live'}", NULL, "NotFound", NULL},
        {"ViewMove", "{'view': '3', 'to': 'live'}", NULL, "Denied", NULL},
        {"ViewMove", "{'view': '4', 'to': 'live'}", NULL, "NotFound", NULL},
        {"ViewMove", "{'view': '5', 'to': 'live'}", NULL, "Denied", NULL});
    grant(world, "dev", "user:nobody", "'read'");
    ASK({"ViewMove", "{'view': '5', 'to': 'live', 'dry_run': true}", NULL, NULL, NULL});
    assert_int_equal(moved, 0);
    ASK({"ViewMove", "{'view': '5', 'to': 'live'}", NULL, NULL, NULL});
    assert_int_equal(moved, 5);
    grant(world, "prod/web", "user:nobody", "'audit'");
    ASK({"ViewMove", "{'view': '3', 'to': 'live'}", NULL, "Denied", NULL});
    grant(world, "prod/web", "user:nobody", "'admin'");
    ASK({"ViewMove", "{'view': '3', 'to': 'live'}", NULL, NULL, NULL});
    assert_int_equal(moved, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(views_of_everything, world_begin, world_end),
        cmocka_unit_test_setup_teardown(views_that_are_told_of, world_begin, world_end),
        cmocka_unit_test_setup_teardown(views_that_are_moved, world_begin, world_end),
    };
    if (secret_setup(8u << 20) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
