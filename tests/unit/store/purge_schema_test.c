/* Schemas that are destroyed, and the defaults that they say: both go, whichever is named. */
#include "tests/unit/store/purge_support.h"

#include "store/db/keys.h"
#include "store/log/erasure.h"

#define TYPED "typed-password"

/* 3 and 4 say it, 5 says it no more; PORT is another one since 4. */
static void fill(struct model *model, const char *path)
{
    COMMIT(model, {ADD, "prod"}, {ADD, "prod/web"});
    COMMIT(model, {SET_SCHEMA, path, .text = "PASS:string=" TYPED " PORT:port=8080"});
    COMMIT(model, {SET_SCHEMA, path, .text = "PASS:string=" TYPED " PORT:port=8081"});
    COMMIT(model, {SET_SCHEMA, path, .text = "PORT:port=8081"});
}

/* Says what was done, as "-PASS@3 -@3 -@4 ". */
static int64_t does(struct model *model, bool is_purge, const char *path, uint64_t rev,
                    const char *says)
{
    size_t count = 0;
    char said[512] = "";
    struct change_result result;
    struct change *change;
    const struct change_terms terms = sample_terms(WHY, 0);
    const struct path place = sample_path(path);
    assert_int_equal(change_new(&change, model->store), 0);
    assert_int_equal(
        is_purge ? change_purge(change, &place, rev) : change_compact(change, &place, rev), 0);
    if (change_commit(change, &terms, &result))
        fail_msg("%s@%lu: %s", path, (unsigned long)rev, error_text());
    change_free(change);
    for (size_t i = 0; i < result.count; i++) {
        struct path of;
        change_line_path(&of, &result.lines[i]);
        count +=
            (size_t)snprintf(said + count, sizeof said - count, "%c%s@%lu ", result.lines[i].mark,
                             of.key, (unsigned long)result.lines[i].was_rev);
    }
    const int64_t made = (int64_t)result.rev;
    change_result_release(&result);
    assert_string_equal(said, says);
    return made;
}

static void stays(struct model *model)
{
    for (int again = 0; again < 2; again++) {
        assert_false(in_file(model, TYPED));
        verifies(model);
        rebuilds(model);
    }
}

static void test_default(void **state)
{
    struct model *model = *state;
    fill(model, "prod/web");
    reads(model, "prod/web/PASS", 4, TYPED);
    refused(model, ERR_REFUSED, "prod/web/PORT", 5,
            "has as its default since revision 4: set another schema, then purge");
    refused(model, ERR_NOT_FOUND, "prod/web/PASS", 5, "had no value in revision 5");
    assert_true(in_file(model, TYPED));
    assert_int_equal(does(model, true, "prod/web/PASS", 4, "-PASS@3 -@3 -@4 "), 6);
    scrubs(model);
    is_gone(model, "prod/web/PASS", 3, 6);
    is_gone(model, "prod/web/PASS", 4, 6);
    reads(model, "prod/web/PORT", 3, "8080");
    reads(model, "prod/web/PORT", 4, "8081");
    assert_int_equal(does(model, true, "prod/web/PASS", 3, "=PASS@3 =@3 =@4 "), 6);
    stays(model);
    is_gone(model, "prod/web/PASS", 4, 6);
    reads(model, "prod/web/PORT", 5, "8081");
}

static void test_schema(void **state)
{
    struct model *model = *state;
    fill(model, "prod/web");
    refused(model, ERR_REFUSED, "prod/web", 5, "has the schema of revision 5 still");
    refused(model, ERR_NOT_FOUND, "prod/web", 2, "had no schema of its own in revision 2");
    refused(model, ERR_NOT_FOUND, "all/web", 4, "had no schema of its own in revision 4");
    /* 8081 is what the schema of now says. */
    assert_int_equal(does(model, true, "prod/web", 4, "-@4 -PASS@3 -@3 "), 6);
    scrubs(model);
    is_gone(model, "prod/web/PASS", 3, 6);
    reads(model, "prod/web/PORT", 4, "8081");
    reads(model, "prod/web/PORT", 3, "8080");
    stays(model);
    COMMIT(model, {UNSET_SCHEMA, "prod/web"});
    assert_int_equal(does(model, true, "prod/web", 6, "-@5 -PORT@4 =@4 "), 8);
    is_gone(model, "prod/web/PORT", 5, 8);
    stays(model);
}

/* What stands in nothing but the text. */
static void test_pattern(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {ADD, "prod/web"});
    COMMIT(model, {SET_SCHEMA, "prod/web", .text = "A:string,pattern@" TYPED});
    COMMIT(model, {DROP, "prod/web"}, {DROP, "prod"});
    COMMIT(model, {ADD, "prod"}, {ADD, "prod/web"});
    assert_true(in_file(model, TYPED));
    assert_int_equal(does(model, true, "prod/web", 3, "-@3 "), 6);
    scrubs(model);
    stays(model);
}

static void test_all(void **state)
{
    struct model *model = *state;
    fill(model, "all/web");
    refused(model, ERR_REFUSED, "prod/web/PASS", 4, "emsa purge all/web/PASS@4");
    refused(model, ERR_NOT_FOUND, "prod/web", 4, "one of every environment is that of 'all/web'");
    assert_int_equal(does(model, true, "all/web/PASS", 4, "-PASS@3 -@3 -@4 "), 6);
    scrubs(model);
    is_gone(model, "prod/web/PASS", 4, 6);
    stays(model);
}

/* What one commit set twice was never in effect, and goes with what it says. */
static void test_twice(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {ADD, "prod/web"});
    COMMIT(model, {SET_SCHEMA, "prod/web", .text = "A:string=" TYPED},
           {SET_SCHEMA, "prod/web", .text = "A:string=" TYPED " B:string=b"});
    COMMIT(model, {SET_SCHEMA, "prod/web", .text = "A:string=" TYPED},
           {SET_SCHEMA, "prod/web", .text = "A:string=x"});
    assert_int_equal(does(model, true, "prod/web/A", 3, "-A@3 -@3 -@3 -@4 "), 5);
    scrubs(model);
    stays(model);
}

static void test_compaction(void **state)
{
    struct model *model = *state;
    struct change_line line;
    fill(model, "prod/web");
    assert_int_equal(destroy(model, &line, false, "prod/web", 3, WHY), 5);
    assert_int_equal(line.mark, '=');
    assert_int_equal(compact(model, "", 4), 2); /* PORT and the schema of 3 */
    assert_true(in_file(model, TYPED));
    assert_int_equal(compact(model, "prod/web", 6), 2);
    scrubs(model);
    is_gone(model, "prod/web/PORT", 3, 6);
    is_gone(model, "prod/web/PASS", 3, 7);
    reads(model, "prod/web/PORT", 4, "8081");
    assert_int_equal(compact(model, "", 7), 0);
    stays(model);
}

/* --- what verification finds --- */

static void schema_by_another(struct txn *txn)
{
    assert_int_equal(erase_value(txn, 4, 0, 6, 0), 0);
}
static void schema_that_is_set(struct txn *txn)
{
    assert_int_equal(erase_value(txn, 5, 0, 7, 0), 0);
}
static void default_that_no_compaction_takes(struct txn *txn)
{
    assert_int_equal(erase_value(txn, 4, 1, 7, 0), 0);
}
static void schema_that_says_more(struct txn *txn)
{
    unsigned char room[32];
    struct bytes out = {.data = room, .capacity = sizeof room, .limit = sizeof room};
    struct key key;
    value_purged_encode(&out, 6, 0);
    bytes_append(&out, "${A}", 4);
    txn_put(txn, DB_VALUE, key_operation(&key, 3, 0), (struct slice){out.data, out.size});
}

static void test_every_edit_is_found(void **state)
{
    static const struct edit edits[] = {
        {schema_by_another, "commit 4: operation 0: its value is gone"},
        {schema_that_is_set, "commit 5: operation 0: its value is gone"},
        {default_that_no_compaction_takes, "commit 4: operation 1: its value is gone"},
        {schema_that_says_more, "commit 3: operation 0: a value that was destroyed says more"},
    };
    struct model *model = *state;
    fill(model, "prod/web");
    assert_int_equal(does(model, true, "prod/web", 3, "-@3 -PASS@3 -@4 -PORT@3 "), 6);
    assert_int_equal(compact(model, "", 5), 0);
    COMMIT(model, {SET_TEXT, "prod/web/A", .text = "a"});
    COMMIT(model, {DROP, "prod/web/A"});
    EDITS_ARE_FOUND(model, edits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MODEL_TEST(test_default),
        MODEL_TEST(test_schema),
        MODEL_TEST(test_pattern),
        MODEL_TEST(test_all),
        MODEL_TEST(test_twice),
        MODEL_TEST(test_compaction),
        MODEL_TEST(test_every_edit_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
