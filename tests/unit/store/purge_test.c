/* Values that are destroyed: which may be, what readers and verification say of them then. */
#include "tests/unit/store/purge_support.h"

#include "store/db/keys.h"
#include "store/history.h"
#include "store/log/erasure.h"
#include "store/log/operation.h"
#include "store/verify.h"

static void test_one_value(void **state)
{
    struct model *model = *state;
    uint64_t by;
    uint32_t op;
    COMMIT(model, {ADD, "prod"}, {ADD, "prod/web"});
    const uint64_t one = COMMIT(model, {SET_TEXT, "prod/web/A", .text = "first"},
                                {SECRET_TEXT, "prod/web/S", .text = "hunter2-hunter2"});
    const uint64_t two = COMMIT(model, {SET_TEXT, "prod/web/A", .text = "second"},
                                {SECRET_TEXT, "prod/web/S", .text = "another-secret"});
    COMMIT(model, {SET_TEXT, "prod/web/B", .text = "${A}"});
    const int64_t first = purge(model, "prod/web/A", one);
    assert_int_equal(first, two + 2);
    is_gone(model, "prod/web/A", one, (uint64_t)first);
    reads(model, "prod/web/A", two, "second");
    reads(model, "prod/web/S", one, "hunter2-hunter2");
    const int64_t second = purge(model, "prod/web/S", one);
    is_gone(model, "prod/web/S", one, (uint64_t)second);
    reads(model, "prod/web/S", two, "another-secret");
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_int_equal(history_purged(model->snapshot, &by, &op, one, 0), 0);
    assert_int_equal(by, first);
    assert_int_equal(history_purged(model->snapshot, &by, &op, two, 0), NOT_THERE);
    snapshot_end(model->snapshot);
    verifies(model);
    model_reopen(model, true);
    is_gone(model, "prod/web/S", one, (uint64_t)second);
    verifies(model);
}

/* It is named by a revision in which it showed, whichever that is; gone is gone. */
static void test_again(void **state)
{
    struct model *model = *state;
    struct change_line line;
    COMMIT(model, {ADD, "prod"}, {ADD, "prod/web"});
    const uint64_t one = COMMIT(model, {SET_TEXT, "prod/web/A", .text = "first"});
    COMMIT(model, {SET_TEXT, "prod/web/B", .text = "x"});
    const uint64_t three = COMMIT(model, {SET_TEXT, "prod/web/A", .text = "second"});
    const int64_t made = purge(model, "prod/web/A", three - 1);
    is_gone(model, "prod/web/A", one, (uint64_t)made);
    assert_int_equal(destroy(model, &line, true, "prod/web/A", one, WHY), made);
    assert_int_equal(line.mark, '=');
    assert_int_equal(line.was_rev, one);
    verifies(model);
}

static void test_what_is_refused(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {ADD, "prod/web"}, {ADD, "child", .text = "prod"});
    const uint64_t one = COMMIT(
        model, {SET_TEXT, "prod/web/A", .text = "first"}, {SET_TEXT, "all/web/C", .text = "common"},
        {SET_LINK, "prod/web/L", .text = "web/A"}, {SET_TEMPLATE, "prod/web/T", .text = "${A}!"});
    const uint64_t two = COMMIT(model, {DROP, "prod/web/L"}, {DROP, "prod/web/T"});
    refused(model, ERR_REFUSED, "prod/web/A", one, "set another value or remove it, then purge");
    refused(model, ERR_REFUSED, "prod/web/A", two, "is what revision 3 set still");
    refused(model, ERR_REFUSED, "child/web/A", one, "emsa purge prod/web/A@3");
    refused(model, ERR_REFUSED, "prod/web/C", one, "emsa purge all/web/C@3");
    refused(model, ERR_REFUSED, "prod/web/L", one, "was a link");
    refused(model, ERR_NOT_FOUND, "prod/web/Z", one, "had no value in revision 3");
    refused(model, ERR_NOT_FOUND, "prod/web/L", two, "had no value in revision 4");
    refused(model, ERR_NOT_FOUND, "prod/web/A", 1, "had no value in revision 1");
    refused(model, ERR_NOT_FOUND, "prod/web/A", two + 1, "no revision 5: the newest is 4");
    refused(model, ERR_INVALID, "prod/web/A", 0, "there is no revision 0");
    assert_int_equal(destroy(model, NULL, true, "prod/web/A", one, ""), ERR(ERR_INVALID));
    assert_int_equal(destroy(model, NULL, true, "prod", one, WHY), ERR(ERR_INVALID));
    assert_int_equal(destroy(model, NULL, false, "prod/web/A", one, WHY), ERR(ERR_INVALID));
    assert_int_equal(destroy(model, NULL, false, "prod", one, ""), ERR(ERR_INVALID));
    assert_int_equal(destroy(model, NULL, false, "all/none", one, WHY), ERR(ERR_NOT_FOUND));
    assert_int_equal(destroy(model, NULL, false, "test", one, WHY), ERR(ERR_NOT_FOUND));
    assert_int_equal(destroy(model, NULL, false, "", two + 1, WHY), ERR(ERR_NOT_FOUND));
    verifies(model);
}

/* Of an environment that is gone, and one of its name that came after. */
static void test_what_was_removed(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "test"}, {ADD, "test/web"});
    const uint64_t one = COMMIT(model, {SECRET_TEXT, "test/web/S", .text = "a-secret-of-old"});
    COMMIT(model, {DROP, "test/web/S"}, {DROP, "test/web"}, {DROP, "test"});
    COMMIT(model, {ADD, "test"}, {ADD, "test/web"});
    const int64_t made = purge(model, "test/web/S", one);
    assert_true(made > 0);
    is_gone(model, "test/web/S", one, (uint64_t)made);
    verifies(model);
}

/* What a commit set twice was never in effect: nobody can name it, a compaction takes it. */
static void test_compaction(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {ADD, "dev"}, {ADD, "prod/web"}, {ADD, "dev/web"});
    const uint64_t one =
        COMMIT(model, {SET_TEXT, "prod/web/A", .text = "0"}, {SET_TEXT, "prod/web/A", .text = "1"},
               {SECRET_TEXT, "dev/web/S", .text = "secret-of-one"},
               {SET_TEXT, "prod/web/KEEP", .text = "k"});
    const uint64_t two = COMMIT(model, {SET_TEXT, "prod/web/A", .text = "2"},
                                {SECRET_TEXT, "dev/web/S", .text = "secret-of-two"});
    const uint64_t three = COMMIT(model, {SET_TEXT, "prod/web/A", .text = "3"},
                                  {SECRET_TEXT, "dev/web/S", .text = "secret-of-three"});
    COMMIT(model, {DROP, "prod/web/A"});
    assert_int_equal(compact(model, "", one), 1); /* set twice */
    assert_int_equal(compact(model, "", one), 0);
    assert_int_equal(compact(model, "prod/web", two), 1);
    const uint64_t by = two + 4;
    is_gone(model, "prod/web/A", one, by);
    reads(model, "prod/web/A", two, "2");
    reads(model, "dev/web/S", one, "secret-of-one");
    verifies(model);
    assert_int_equal(compact(model, "dev", three), 2);
    is_gone(model, "dev/web/S", one, by + 1);
    is_gone(model, "dev/web/S", two, by + 1);
    reads(model, "dev/web/S", three, "secret-of-three");
    reads(model, "prod/web/A", three, "3");
    reads(model, "prod/web/KEEP", one, "k");
    verifies(model);
    assert_int_equal(compact(model, "", by), 2);
    is_gone(model, "prod/web/A", three, by + 2);
    reads(model, "dev/web/S", by, "secret-of-three");
    verifies(model);
}

static void tag(struct model *model, const char *name, uint64_t rev)
{
    struct change *change;
    struct change_result result;
    const struct change_terms terms = sample_terms("tag", 0);
    assert_int_equal(change_new(&change, model->store), 0);
    assert_int_equal(rev ? change_tag(change, name, rev) : change_untag(change, name), 0);
    assert_int_equal(change_commit(change, &terms, &result), 0);
    change_free(change);
    change_result_release(&result);
}

/* Whatever becomes of the tag, what it kept when a compaction was made was not that one's. */
static void test_what_tags_keep(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {ADD, "prod/web"});
    const uint64_t one = COMMIT(model, {SET_TEXT, "prod/web/A", .text = "1"});
    const uint64_t two = COMMIT(model, {SET_TEXT, "prod/web/A", .text = "2"});
    const uint64_t three = COMMIT(model, {SET_TEXT, "prod/web/A", .text = "3"});
    tag(model, "v2", two);
    tag(model, "early", 1);
    assert_int_equal(compact(model, "", three), 1);
    is_gone(model, "prod/web/A", one, three + 3);
    reads(model, "prod/web/A", two, "2");
    verifies(model);
    tag(model, "v2", 0);
    verifies(model);
    assert_int_equal(compact(model, "", three), 1);
    is_gone(model, "prod/web/A", two, three + 5);
    /* One that is purged by name goes, whatever its revision is called. */
    const uint64_t four = COMMIT(model, {SET_TEXT, "prod/web/A", .text = "4"});
    tag(model, "v3", three);
    is_gone(model, "prod/web/A", three, (uint64_t)purge(model, "prod/web/A", three));
    reads(model, "prod/web/A", four, "4");
    verifies(model);
}

/* --- what verification finds --- */

static struct slice at(struct key *key, uint64_t rev, uint32_t op)
{
    return key_operation(key, rev, op);
}

static void put_back(struct txn *txn, uint64_t rev, uint32_t op, const char *text)
{
    struct slice body;
    struct operation set;
    struct key key;
    unsigned char record[64];
    struct bytes out = {.data = record, .capacity = sizeof record, .limit = sizeof record};
    const uint8_t salt[SALT_SIZE] = {1};
    assert_int_equal(txn_get(txn, &body, DB_LOG, at(&key, rev, op)), 0);
    assert_int_equal(operation_decode(&set, body), 0);
    value_head_encode(&out, OPERATION_SET_PLAIN, salt);
    bytes_append(&out, text, strlen(text));
    txn_put(txn, DB_VALUE, at(&key, rev, op), (struct slice){out.data, out.size});
}

/* Revisions: 3 sets A and B, 4 sets A again, 5 and B again, 6 purges A@3, 7 compacts until 5. */
static void value_of_purge_is_back(struct txn *txn)
{
    put_back(txn, 3, 0, "first");
}
static void value_of_compaction_is_back(struct txn *txn)
{
    put_back(txn, 3, 1, "first");
}
static void value_that_nobody_purged(struct txn *txn)
{
    erase_value(txn, 5, 0, 6, 0);
}
static void value_that_no_compaction_takes(struct txn *txn)
{
    erase_value(txn, 5, 0, 7, 0);
}
static void value_by_an_operation_before(struct txn *txn)
{
    erase_value(txn, 4, 0, 3, 0);
}
static void value_by_an_operation_that_is_not_there(struct txn *txn)
{
    erase_value(txn, 4, 0, 99, 0);
}
static void value_of_purge_by_another(struct txn *txn)
{
    erase_value(txn, 3, 0, 7, 0);
}
static void value_that_says_more(struct txn *txn)
{
    struct key key;
    static const unsigned char body[20] = {1, 0, 6};
    txn_put(txn, DB_VALUE, at(&key, 3, 0), (struct slice){body, sizeof body});
}
static void value_is_no_record(struct txn *txn)
{
    struct key key;
    txn_delete(txn, DB_VALUE, at(&key, 3, 0));
}

static const struct edit edits[] = {
    {value_of_purge_is_back, "commit 3: operation 0: its value does not match its hash"},
    {value_of_compaction_is_back, "commit 3: operation 1: its value does not match its hash"},
    {value_that_nobody_purged, "commit 5: operation 0: its value is gone"},
    {value_that_no_compaction_takes, "commit 5: operation 0: its value is gone"},
    {value_by_an_operation_before, "commit 4: operation 0: its value is gone"},
    {value_by_an_operation_that_is_not_there, "commit 4: operation 0: its value is gone"},
    {value_of_purge_by_another, "commit 6: operation 0: the value that it destroyed is there"},
    {value_that_says_more, "commit 3: operation 0: a value that was destroyed says more"},
    {value_is_no_record, "commit 3: operation 0: its value is not there"},
};

static void fill(struct model *model)
{
    COMMIT(model, {ADD, "prod"}, {ADD, "prod/web"});
    COMMIT(model, {SET_TEXT, "prod/web/A", .text = "first"},
           {SET_TEXT, "prod/web/B", .text = "first"});
    COMMIT(model, {SET_TEXT, "prod/web/A", .text = "again"});
    COMMIT(model, {SET_TEXT, "prod/web/B", .text = "again"});
    assert_int_equal(purge(model, "prod/web/A", 3), 6);
    assert_int_equal(compact(model, "", 5), 1);
}

static void test_every_edit_is_found(void **state)
{
    struct model *model = *state;
    fill(model);
    verifies(model);
    EDITS_ARE_FOUND(model, edits);
}

/* The old copy of a store that was purged since: its own values, put back where they were. */
static unsigned char kept_value[2][256];
static size_t kept_size[2];

static void take_values(struct txn *txn)
{
    for (uint32_t op = 0; op < 2; op++) {
        struct slice body;
        struct key key;
        assert_int_equal(txn_get(txn, &body, DB_VALUE, at(&key, 3, op)), 0);
        memcpy(kept_value[op], body.data, body.size);
        kept_size[op] = body.size;
    }
}

static void give_purged(struct txn *txn)
{
    struct key key;
    txn_put(txn, DB_VALUE, at(&key, 3, 0), (struct slice){kept_value[0], kept_size[0]});
}
static void give_compacted(struct txn *txn)
{
    struct key key;
    txn_put(txn, DB_VALUE, at(&key, 3, 1), (struct slice){kept_value[1], kept_size[1]});
}

static void replayed(struct model *model, bool compacts, void (*give)(struct txn *),
                     const char *says)
{
    struct found found = {0};
    struct verify_report report;
    const struct verify_options options = {.fault = keep, .arg = &found};
    COMMIT(model, {ADD, "prod"}, {ADD, "prod/web"});
    COMMIT(model, {SET_TEXT, "prod/web/A", .text = "first"},
           {SET_TEXT, "prod/web/B", .text = "first"});
    COMMIT(model, {SET_TEXT, "prod/web/A", .text = "again"});
    COMMIT(model, {SET_TEXT, "prod/web/B", .text = "again"});
    model_edit(model, take_values);
    model_reopen(model, true);
    assert_int_equal(purge(model, "prod/web/A", 3), 6);
    if (compacts)
        assert_int_equal(compact(model, "", 5), 1);
    model_edit(model, give);
    model_reopen(model, true);
    assert_int_equal(verify_store(model->store, &options, &report), ERR(ERR_CORRUPT));
    if (!strstr(found.first, says))
        fail_msg("the first fault is '%s'", found.first);
}

static void test_a_purged_value_is_put_back(void **state)
{
    replayed(*state, false, give_purged,
             "commit 6: operation 0: the value that it destroyed is there");
}

static void test_a_compacted_value_is_put_back(void **state)
{
    replayed(*state, true, give_compacted,
             "commit 3: operation 1: its value is there, and was destroyed by commit 7");
}

struct told {
    unsigned count;
    char text[256];
};

static int tell(void *arg, const struct operation_info *info)
{
    struct told *told = arg;
    char path[PATH_TEXT_MAX];
    const size_t used = strlen(told->text);
    told->count++;
    snprintf(told->text + used, sizeof told->text - used, "%s@%lu ", path_text(&info->path, path),
             (unsigned long)info->rev);
    return 0;
}

/* Who has a copy, also of a copy; and how long the version stood. */
static void test_copies(void **state)
{
    struct model *model = *state;
    struct definition definition;
    struct told told = {0};
    uint32_t environment;
    uint64_t name_id, replaced;
    int64_t expires;
    COMMIT(model, {ADD, "prod"}, {ADD, "dev"}, {ADD, "prod/web"}, {ADD, "dev/web"});
    const uint64_t one = COMMIT(model, {SET_TEXT, "dev/web/A", .text = "first"});
    COMMIT(model, {COPY_FROM, "prod/web/A", .text = "dev/web/A"});
    const uint64_t three = COMMIT(model, {SET_TEXT, "dev/web/A", .text = "second"});
    COMMIT(model, {COPY_FROM, "prod/web/B", .text = "prod/web/A"},
           {COPY_FROM, "prod/web/C", .text = "dev/web/A"});
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_int_equal(history_environment(model->snapshot, &environment, "dev", one), 0);
    assert_int_equal(history_name(model->snapshot, &name_id, "web", "A"), 0);
    assert_int_equal(
        history_definition(model->snapshot, &definition, &expires, environment, name_id, one), 0);
    assert_int_equal(history_replaced(model->snapshot, &replaced, &definition), 0);
    assert_int_equal(replaced, three);
    assert_int_equal(history_copies(model->snapshot, &definition, tell, &told), 0);
    assert_string_equal(told.text, "prod/web/A@4 prod/web/B@6 ");
    assert_int_equal(
        history_definition(model->snapshot, &definition, &expires, environment, name_id, three), 0);
    assert_int_equal(history_replaced(model->snapshot, &replaced, &definition), NOT_THERE);
    snapshot_end(model->snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MODEL_TEST(test_one_value),
        MODEL_TEST(test_again),
        MODEL_TEST(test_what_is_refused),
        MODEL_TEST(test_what_was_removed),
        MODEL_TEST(test_compaction),
        MODEL_TEST(test_what_tags_keep),
        MODEL_TEST(test_every_edit_is_found),
        MODEL_TEST(test_a_purged_value_is_put_back),
        MODEL_TEST(test_a_compacted_value_is_put_back),
        MODEL_TEST(test_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
