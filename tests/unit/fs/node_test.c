#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fs/node.h"
#include "store/limits.h"

static void the_root_is_one(void **state)
{
    (void)state;
    struct node node;
    assert_true(node_parse(&node, 1));
    assert_int_equal(node.kind, NODE_IS_ROOT);
    assert_false(node_parse(&node, 0));
    assert_false(node_parse(&node, 2));
}

static void ids_come_back_as_they_went(void **state)
{
    (void)state;
    static const uint32_t environments[] = {1, 2, 0x80000, ENVIRONMENT_ID_MAX};
    static const uint32_t services[] = {1, 77, SERVICE_ID_MAX};
    static const uint16_t turns[] = {0, 1, 0xffff};
    static const uint64_t names[] = {1, 0x8000000000, NAME_ID_MAX};
    struct node node;
    for (size_t e = 0; e < 4; e++) {
        assert_true(node_parse(&node, node_environment(environments[e])));
        assert_int_equal(node.kind, NODE_IS_ENVIRONMENT);
        assert_int_equal(node.environment, environments[e]);
        for (size_t i = 0; i < 3; i++) {
            assert_true(node_parse(&node, node_key(environments[e], names[i])));
            assert_int_equal(node.kind, NODE_IS_KEY);
            assert_int_equal(node.environment, environments[e]);
            assert_true(node.name_id == names[i]);
            for (size_t j = 0; j < 3; j++) {
                uint64_t id = node_service(environments[e], services[i], turns[j]);
                assert_true(node_parse(&node, id));
                assert_int_equal(node.kind, NODE_IS_SERVICE);
                assert_int_equal(node.environment, environments[e]);
                assert_int_equal(node.service, services[i]);
                assert_int_equal(node.incarnation, turns[j]);
            }
        }
    }
}

static void kinds_do_not_meet(void **state)
{
    (void)state;
    assert_true(node_key(1, 0x10000) != node_service(1, 1, 0));
    assert_true(node_environment(1) != node_service(1, 0, 0));
    assert_true(node_service(1, 1, 1) != node_service(1, 1, 2));
}

static void what_no_place_can_have_is_refused(void **state)
{
    (void)state;
    struct node node = {.environment = 5};
    assert_false(node_parse(&node, node_environment(3) | 1));
    for (uint64_t kind = 4; kind < 16; kind++)
        assert_false(node_parse(&node, kind << 60 | 1));
    assert_int_equal(node.environment, 5); /* untouched */
}

static void offsets_are_positive_and_come_back(void **state)
{
    (void)state;
    static const uint64_t ids[] = {0, 1, ENVIRONMENT_ID_MAX, NAME_ID_MAX};
    for (size_t i = 0; i < 4; i++) {
        assert_true(node_offset(ids[i]) > OFFSET_ENTRIES);
        assert_true((int64_t)node_offset(ids[i]) > 0);
        assert_true(node_offset_id(node_offset(ids[i])) == ids[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_root_is_one),
        cmocka_unit_test(ids_come_back_as_they_went),
        cmocka_unit_test(kinds_do_not_meet),
        cmocka_unit_test(what_no_place_can_have_is_refused),
        cmocka_unit_test(offsets_are_positive_and_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
