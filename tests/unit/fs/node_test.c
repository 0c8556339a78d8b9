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

static void hidden_directories_come_back(void **state)
{
    (void)state;
    struct node node;
    for (enum node_kind kind = NODE_IS_HIDDEN; kind <= NODE_IS_AT; kind++) {
        assert_true(node_parse(&node, node_hidden(kind, 0, 0, 0)));
        assert_true(node.kind == kind && !node.environment && !node.service);
        assert_true(node_parse(&node, node_hidden(kind, 5, 0, 0)));
        assert_true(node.kind == kind && node.environment == 5 && !node.service);
        assert_true(
            node_parse(&node, node_hidden(kind, ENVIRONMENT_ID_MAX, SERVICE_ID_MAX, 0xffff)));
        assert_true(node.kind == kind && node.environment == ENVIRONMENT_ID_MAX &&
                    node.service == SERVICE_ID_MAX && node.incarnation == 0xffff);
    }
}

static void past_keys_come_back(void **state)
{
    (void)state;
    struct node node;
    assert_true(node_parse(&node, node_past_key(1, 0)));
    assert_true(node.kind == NODE_IS_PAST_KEY && node.rev == 1 && node.index == 0);
    assert_true(node_parse(&node, node_past_key(NAME_ID_MAX, COMMIT_OUTCOMES_MAX - 1)));
    assert_true(node.rev == NAME_ID_MAX && node.index == COMMIT_OUTCOMES_MAX - 1);
    assert_true(node_past_key(NAME_ID_MAX + 1, 0) == 0);
    assert_true(node_past_key(1, COMMIT_OUTCOMES_MAX) == 0);
}

/* How many bits a number takes. */
static unsigned bits(uint64_t number)
{
    unsigned count = 0;
    for (; number; number >>= 1)
        count++;
    return count;
}

static void comes_back(enum node_kind kind, uint32_t environment, uint32_t service, uint64_t rev)
{
    struct node node;
    uint64_t id = node_of_revision(kind, environment, service, rev);
    unsigned left =
        50 - (environment ? bits(environment) - 1 : 0) - (service ? bits(service) - 1 : 0);
    assert_int_equal(id != 0, bits(rev) <= left);
    if (!id)
        return;
    assert_true(node_parse(&node, id));
    assert_int_equal(node.kind, kind);
    assert_int_equal(node.environment, environment);
    assert_int_equal(node.service, service);
    assert_true(node.rev == rev);
}

/* Every length of each of the three, at its least and its greatest. */
static void revisions_come_back(void **state)
{
    (void)state;
    for (unsigned e = 0; e <= 20; e++)
        for (unsigned s = 0; s <= (e ? 24 : 0); s++)
            for (unsigned r = 1; r <= 52; r++) {
                uint32_t environment = e ? 1u << (e - 1) : 0, service = s ? 1u << (s - 1) : 0;
                comes_back(NODE_IS_PAST + (e + s + r) % 8, environment, service, 1ull << (r - 1));
                environment = e ? environment * 2 - 1 : 0;
                service = s ? service * 2 - 1 : 0;
                comes_back(NODE_IS_PAST + (e + s + r) % 8, environment, service, (1ull << r) - 1);
            }
}

static void kinds_of_kinds(void **state)
{
    (void)state;
    static const char expected[] =
        "ddd ff dd ppp tttll"; /* in the order of kinds, without blanks */
    for (unsigned kind = 0, at = 0; kind <= NODE_IS_TAG; kind++, at++) {
        at += expected[at] == ' ';
        assert_int_equal(node_is_file(kind), expected[at] == 'f');
        assert_int_equal(node_is_past(kind), expected[at] == 'p');
        assert_int_equal(node_is_text(kind), expected[at] == 't');
        assert_int_equal(node_is_link(kind), expected[at] == 'l');
    }
}

static void what_no_place_can_have_is_refused(void **state)
{
    (void)state;
    struct node node = {.environment = 5};
    assert_false(node_parse(&node, node_environment(3) | 1));
    assert_false(node_parse(&node, 15ull << 60 | 1));
    /* a past without a revision; a service in no environment; lengths that nothing has */
    for (uint64_t kind = NODE_IS_PAST; kind <= NODE_IS_TAG; kind++) {
        assert_false(node_parse(&node, kind << 60));
        assert_false(node_parse(&node, kind << 60 | 3ull << 50 | 1));
        assert_false(node_parse(&node, kind << 60 | 21ull << 55 | 1));
        assert_false(node_parse(&node, kind << 60 | 1ull << 55 | 25ull << 50 | 1));
    }
    assert_false(node_parse(&node, (uint64_t)NODE_IS_PAST_KEY << 60 | 7));
    assert_false(node_parse(&node, node_hidden(NODE_IS_AT, 0, 7, 0)));
    assert_false(node_parse(&node, node_hidden(NODE_IS_AT, 7, 0, 1)));
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
        cmocka_unit_test(hidden_directories_come_back),
        cmocka_unit_test(past_keys_come_back),
        cmocka_unit_test(revisions_come_back),
        cmocka_unit_test(kinds_of_kinds),
        cmocka_unit_test(what_no_place_can_have_is_refused),
        cmocka_unit_test(offsets_are_positive_and_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
