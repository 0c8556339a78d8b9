#include "tests/unit/store/model_support.h"

#include "store/log/state_relation.h"
#include "store/model/core.h"

static struct txn *begin(struct model *model)
{
    struct txn *txn;
    assert_int_equal(txn_write_begin(&txn, model->store->env), 0);
    return txn;
}

static void test_references_are_walked_in_order(void **state)
{
    static const struct state_reference order[] = {
        {1, "a", "K", 5}, {1, "a", "K", 7}, {1, "b", "K", 2}, {1, "aa", "A", 1}, {2, "a", "K", 1}};
    struct txn *txn = begin(*state);
    struct state_reference at = {.layer = 1};
    for (size_t i = 5; i-- > 0;)
        state_put_reference(txn, &order[i]);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(state_next_reference(txn, &at), 0);
        assert_int_equal(at.layer, order[i].layer);
        assert_string_equal(at.service, order[i].service);
        assert_string_equal(at.key, order[i].key);
        assert_int_equal(at.name_id, order[i].name_id);
        assert_true(state_has_reference(txn, &at));
    }
    assert_int_equal(state_next_reference(txn, &at), NOT_THERE);
    state_delete_reference(txn, &order[1]);
    assert_false(state_has_reference(txn, &order[1]));
    assert_true(state_has_reference(txn, &order[0]));
    assert_int_equal(txn_error(txn), 0);
    txn_free(txn);
}

static void test_schemas_say_who_set_them(void **state)
{
    struct txn *txn = begin(*state);
    const struct state_schema first = {1, 2, 41, 3}, second = {2, 1, 42, 4};
    struct state_schema found = {.layer = 1, .service = 2}, at = {.layer = 0};
    assert_int_equal(state_schema(txn, &found), NOT_THERE);
    state_put_schema(txn, &second);
    state_put_schema(txn, &first);
    assert_int_equal(state_schema(txn, &found), 0);
    assert_true(found.rev == 41 && found.op == 3);
    assert_int_equal(state_next_schema(txn, &at), 0);
    assert_true(at.layer == 1 && at.service == 2 && at.rev == 41 && at.op == 3);
    assert_int_equal(state_next_schema(txn, &at), 0);
    assert_true(at.layer == 2 && at.service == 1 && at.rev == 42);
    assert_int_equal(state_next_schema(txn, &at), NOT_THERE);
    state_delete_schema(txn, &first);
    assert_int_equal(state_schema(txn, &found), NOT_THERE);
    assert_int_equal(txn_error(txn), 0);
    txn_free(txn);
}

static void test_shares_and_locks_say_who_said_so(void **state)
{
    struct txn *txn = begin(*state);
    struct state_share share = {1, "db", "P", "web", 41, 2}, found = share, at = {.layer = 1};
    struct state_lock lock = {.environment = 1, .service = "db", .rev = 43, .op = 4};
    struct state_lock held = {.environment = 1, .service = "db"};
    found.rev = found.op = 0;
    assert_int_equal(state_share(txn, &found), NOT_THERE);
    state_put_share(txn, &share);
    assert_int_equal(state_share(txn, &found), 0);
    assert_true(found.rev == 41 && found.op == 2);
    assert_int_equal(state_next_share(txn, &at), 0);
    assert_string_equal(at.consumer, "web");
    assert_true(at.rev == 41 && at.op == 2);
    assert_int_equal(state_next_share(txn, &at), NOT_THERE);
    state_delete_share(txn, &share);
    assert_int_equal(state_share(txn, &found), NOT_THERE);
    state_put_lock(txn, &lock);
    assert_int_equal(state_lock(txn, &held), 0);
    assert_true(held.rev == 43 && held.op == 4);
    memcpy(held.key, "P", 2);
    assert_int_equal(state_lock(txn, &held), NOT_THERE); /* exactly that place */
    state_delete_lock(txn, &lock);
    held.key[0] = '\0';
    assert_int_equal(state_lock(txn, &held), NOT_THERE);
    assert_int_equal(txn_error(txn), 0);
    txn_free(txn);
}

static void test_outcomes_come_back(void **state)
{
    static const char marks[] = {'+', '~', '-'};
    struct txn *txn = begin(*state);
    struct outcome given[OUTCOMES_A_CHUNK], found[OUTCOMES_A_CHUNK];
    size_t count;
    for (unsigned i = 0; i < OUTCOMES_A_CHUNK; i++)
        given[i] = (struct outcome){.kind = (enum outcome_kind)(1 + i % 3),
                                    .mark = marks[i / 3 % 3],
                                    .is_secret = i % 3 == 0 && i % 2,
                                    .environment = 1000 + i,
                                    .service = i % 3 == 2 ? 0 : 70000 + i,
                                    .incarnation = (uint16_t)(65535 - i),
                                    .name_id = i % 3 ? 0 : 0x0102030405 + i};
    state_put_outcomes(txn, given, OUTCOMES_A_CHUNK, 9, 0);
    state_put_outcomes(txn, given, 5, 9, 1);
    assert_int_equal(state_outcomes(txn, found, &count, 9, 0), 0);
    assert_int_equal(count, OUTCOMES_A_CHUNK);
    for (unsigned i = 0; i < OUTCOMES_A_CHUNK; i++) {
        assert_int_equal(found[i].rev, 9);
        assert_int_equal(found[i].index, i);
        assert_int_equal(found[i].kind, given[i].kind);
        assert_int_equal(found[i].mark, given[i].mark);
        assert_int_equal(found[i].is_secret, given[i].is_secret);
        assert_int_equal(found[i].environment, given[i].environment);
        assert_int_equal(found[i].service, given[i].service);
        assert_int_equal(found[i].incarnation, given[i].incarnation);
        assert_int_equal(found[i].name_id, given[i].name_id);
    }
    assert_int_equal(state_outcomes(txn, found, &count, 9, 1), 0);
    assert_int_equal(count, 5);
    assert_int_equal(found[4].index, OUTCOMES_A_CHUNK + 4);
    assert_int_equal(state_outcomes(txn, found, &count, 9, 2), NOT_THERE);
    assert_int_equal(txn_error(txn), 0);
    txn_free(txn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MODEL_TEST(test_references_are_walked_in_order),
        MODEL_TEST(test_schemas_say_who_set_them),
        MODEL_TEST(test_shares_and_locks_say_who_said_so),
        MODEL_TEST(test_outcomes_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
