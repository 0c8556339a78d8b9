/* Texts that are destroyed: what is derived follows from what is left of them, their readers are
 * told, and nothing of them is in the file. */
#include "tests/unit/store/purge_support.h"

#include "store/db/keys.h"
#include "store/log/operation.h"

#define TYPED "typed-password"

/* 3 is of a template that a template of another service names, 4 changes what it refers to, 5
 * replaces it. */
static void fill(struct model *model)
{
    COMMIT(model, {ADD, "prod"}, {ADD, "prod/web"}, {ADD, "prod/db"});
    COMMIT(model, {SET_TEXT, "prod/db/HOST", .text = "a"},
           {SET_TEMPLATE, "prod/db/URL", .text = "pg://me:" TYPED "@${HOST|url}/$$x"},
           {SHARE_WITH, "prod/db/URL", .text = "web"},
           {SET_TEMPLATE, "prod/web/DSN", .text = "<${db/URL}>"});
    COMMIT(model, {SET_TEXT, "prod/db/HOST", .text = "b"});
    COMMIT(model, {SET_TEXT, "prod/db/URL", .text = "none"});
}

/* How many keys a revision changed. */
static unsigned outcomes(struct model *model, uint64_t rev)
{
    struct outcome outcome;
    unsigned count = 0;
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    while (!history_outcome(model->snapshot, &outcome, rev, count))
        count++;
    snapshot_end(model->snapshot);
    return count;
}

static void test_template(void **state)
{
    struct model *model = *state;
    fill(model);
    reads(model, "prod/web/DSN", 3, "<pg://me:" TYPED "@a/$x>");
    refused(model, ERR_REFUSED, "prod/web/DSN", 3, "is what revision 3 set still");
    assert_int_equal(outcomes(model, 4), 3);
    assert_true(in_file(model, TYPED));
    assert_int_equal(purge(model, "prod/db/URL", 4), 6);
    scrubs(model);
    assert_false(in_file(model, TYPED));
    for (int again = 0; again < 2; again++) {
        for (uint64_t rev = 3; rev < 5; rev++) {
            is_gone(model, "prod/db/URL", rev, 6);
            is_gone(model, "prod/web/DSN", rev, 6);
        }
        reads(model, "prod/web/DSN", 5, "<none>");
        assert_int_equal(outcomes(model, 4), 3);
        verifies(model);
        rebuilds(model);
        assert_false(in_file(model, TYPED));
    }
}

/* One that refers to nothing leaves nothing; one in `all` is no reader's. */
static void test_bare(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {ADD, "prod/web"});
    COMMIT(model, {SET_TEMPLATE, "prod/web/T", .text = TYPED},
           {SET_TEMPLATE, "all/web/U", .text = TYPED "${T}"});
    COMMIT(model, {DROP, "prod/web/T"}, {DROP, "all/web/U"});
    refused(model, ERR_REFUSED, "prod/web/U", 3, "emsa purge all/web/U@3");
    assert_int_equal(purge(model, "prod/web/T", 3), 5);
    assert_int_equal(purge(model, "all/web/U", 3), 6);
    scrubs(model);
    assert_false(in_file(model, TYPED));
    is_gone(model, "prod/web/T", 3, 5);
    is_gone(model, "prod/web/U", 3, 6);
    verifies(model);
    rebuilds(model);
    verifies(model);
}

static void test_compaction(void **state)
{
    struct model *model = *state;
    fill(model);
    COMMIT(model, {DROP, "prod/web/DSN"});
    assert_int_equal(compact(model, "", 6), 3); /* HOST, URL, DSN */
    assert_int_equal(compact(model, "", 6), 0);
    scrubs(model);
    assert_false(in_file(model, TYPED));
    is_gone(model, "prod/db/URL", 4, 7);
    is_gone(model, "prod/web/DSN", 5, 7);
    verifies(model);
    rebuilds(model);
    verifies(model);
}

/* --- what verification finds --- */

static void put(struct txn *txn, const char *text)
{
    unsigned char room[128];
    struct bytes out = {.data = room, .capacity = sizeof room, .limit = sizeof room};
    struct key key;
    struct slice body;
    uint64_t rev;
    uint32_t op;
    assert_int_equal(txn_get(txn, &body, DB_VALUE, key_operation(&key, 3, 1)), 0);
    assert_int_equal(value_purged(&rev, &op, body), 1);
    value_purged_encode(&out, rev, op);
    bytes_append(&out, text, strlen(text));
    txn_put(txn, DB_VALUE, key_operation(&key, 3, 1), (struct slice){out.data, out.size});
}

static void other_names(struct txn *txn)
{
    put(txn, "${HOST|url}${HOST}");
}
static void no_names(struct txn *txn)
{
    put(txn, "");
}
static void a_text(struct txn *txn)
{
    put(txn, "${HOST|url}/");
}
static void no_template(struct txn *txn)
{
    put(txn, "${HOST|url");
}

static void test_what_a_purge_left(void **state)
{
    static const struct edit edits[] = {
        {other_names, "its value is gone"},
        {no_names, "its value is gone"},
        {a_text, "says more than by what"},
        {no_template, "says more than by what"},
    };
    fill(*state);
    assert_int_equal(purge(*state, "prod/db/URL", 3), 6);
    EDITS_ARE_FOUND(*state, edits);
}

static void test_what_a_compaction_left(void **state)
{
    static const struct edit edits[] = {
        {other_names, "what is left of templates is not what it left"},
        {no_names, "what is left of templates is not what it left"},
        {a_text, "says more than by what"},
        {no_template, "says more than by what"},
    };
    fill(*state);
    assert_int_equal(compact(*state, "", 5), 2);
    EDITS_ARE_FOUND(*state, edits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MODEL_TEST(test_template),
        MODEL_TEST(test_bare),
        MODEL_TEST(test_compaction),
        MODEL_TEST(test_what_a_purge_left),
        MODEL_TEST(test_what_a_compaction_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
