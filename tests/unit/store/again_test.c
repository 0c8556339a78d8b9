/* What was, set again; what revisions are called. */
#include "tests/unit/store/model_support.h"

#include "store/db/keys.h"
#include "store/history.h"
#include "store/log/state_relation.h"

enum past { TAG, UNTAG, COPY_AT };

struct past_step {
    enum past what;
    const char *name; /* the tag, or the key that is set */
    const char *from;
    uint64_t rev;
};

static int gather(struct change *change, const struct past_step *step)
{
    if (step->what == TAG)
        return change_tag(change, step->name, step->rev);
    if (step->what == UNTAG)
        return change_untag(change, step->name);
    const struct path key = sample_path(step->name), from = sample_path(step->from);
    return change_copy_at(change, &key, &from, step->rev);
}

/* The revision, or the failure. */
static int64_t attempt(struct model *model, const struct past_step steps[], size_t count,
                       char marks[])
{
    struct change *change;
    struct change_result result;
    const struct change_terms terms = sample_terms("past", 0);
    assert_int_equal(change_new(&change, model->store), 0);
    int error = 0;
    for (size_t i = 0; i < count && !error; i++)
        error = gather(change, &steps[i]);
    if (!error)
        error = change_commit(change, &terms, &result);
    change_free(change);
    if (error)
        return error;
    for (size_t i = 0; i < result.count; i++)
        marks[i] = result.lines[i].mark;
    marks[result.count] = '\0';
    const int64_t rev = (int64_t)result.rev;
    change_result_release(&result);
    return rev;
}
#define TRY(model_, marks_, ...)                                                                   \
    attempt(model_, (const struct past_step[]){__VA_ARGS__},                                       \
            sizeof((const struct past_step[]){__VA_ARGS__}) / sizeof(struct past_step), marks_)

static void reads(struct model *model, const char *path, const char *text)
{
    BYTES_CLEANUP struct bytes found = BYTES_INIT(VALUE_MAX);
    struct entry entry;
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    const int result = sample_read(model->snapshot, &entry, &found, path);
    snapshot_end(model->snapshot);
    assert_int_equal(result, text ? 0 : NOT_THERE);
    if (!text)
        return;
    assert_int_equal(found.size, strlen(text));
    assert_memory_equal(found.data, text, found.size);
}

static void tag_is(struct model *model, const char *name, uint64_t rev, uint64_t said)
{
    struct tag tag;
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_int_equal(history_tag(model->snapshot, &tag, name), rev ? 0 : NOT_THERE);
    snapshot_end(model->snapshot);
    if (!rev)
        return;
    assert_string_equal(tag.name, name);
    assert_int_equal(tag.rev, rev);
    assert_int_equal(tag.said_rev, said);
}

static void test_tags(void **state)
{
    struct model *model = *state;
    struct tag at = {{0}, 0, 0, 0};
    struct operation_info operation;
    char marks[8];
    const uint64_t one = COMMIT(model, {ADD, "prod"});
    const uint64_t two = COMMIT(model, {SET_TEXT, "prod/web/A", .text = "1"});
    const int64_t said = TRY(model, marks, {TAG, "v1", NULL, one}, {TAG, "1.0", NULL, two});
    assert_int_equal(said, two + 1);
    assert_string_equal(marks, "++");
    tag_is(model, "v1", one, two + 1);
    tag_is(model, "1.0", two, two + 1);
    tag_is(model, "v2", 0, 0);
    /* What it is called already is nothing to do; another revision moves it. */
    assert_int_equal(TRY(model, marks, {TAG, "v1", NULL, one}), two + 1);
    assert_string_equal(marks, "=");
    assert_int_equal(TRY(model, marks, {TAG, "v1", NULL, two}), two + 2);
    assert_string_equal(marks, "~");
    tag_is(model, "v1", two, two + 2);
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_int_equal(history_operation(model->snapshot, &operation, two + 2, 0), 0);
    assert_int_equal(operation.kind, OPERATION_TAG);
    assert_string_equal(operation.tag, "v1");
    assert_int_equal(operation.tagged, two);
    assert_int_equal(path_depth(&operation.path), PATH_ROOT);
    assert_int_equal(history_next_tag(model->snapshot, &at), 0);
    assert_string_equal(at.name, "1.0");
    assert_int_equal(history_next_tag(model->snapshot, &at), 0);
    assert_string_equal(at.name, "v1");
    assert_int_equal(history_next_tag(model->snapshot, &at), NOT_THERE);
    snapshot_end(model->snapshot);
    assert_int_equal(TRY(model, marks, {UNTAG, "v1", NULL, 0}), two + 3);
    assert_string_equal(marks, "-");
    tag_is(model, "v1", 0, 0);
    assert_int_equal(sample_verify(model->store, true), 0);
}

static void test_tags_that_are_refused(void **state)
{
    struct model *model = *state;
    char marks[8], long_name[TAG_NAME_MAX + 2];
    memset(long_name, 'a', TAG_NAME_MAX + 1);
    long_name[TAG_NAME_MAX + 1] = '\0';
    const char *const names[] = {"", "41", "-v", ".v", "v/1", "v 1", "v\n", long_name};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(TRY(model, marks, {TAG, names[i], NULL, 1}), ERR(ERR_INVALID));
    assert_int_equal(TRY(model, marks, {TAG, "v", NULL, 0}), ERR(ERR_INVALID));
    /* Not even the revision that would say so. */
    assert_int_equal(TRY(model, marks, {TAG, "v", NULL, 2}), ERR(ERR_NOT_FOUND));
    assert_non_null(strstr(error_text(), "the newest is 1"));
    assert_int_equal(TRY(model, marks, {UNTAG, "v", NULL, 0}), ERR(ERR_NOT_FOUND));
    long_name[TAG_NAME_MAX] = '\0';
    assert_int_equal(TRY(model, marks, {TAG, long_name, NULL, 1}), 2);
}

static void copied_from(struct model *model, uint64_t rev, const char *environment, const char *key,
                        uint64_t wanted)
{
    struct operation_info operation = {.rev = 0};
    char name[ENVIRONMENT_NAME_MAX + 1], found[KEY_NAME_MAX + 1];
    uint32_t service;
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    for (uint32_t op = 0; !operation.from.environment; op++)
        assert_int_equal(history_operation(model->snapshot, &operation, rev, op), 0);
    assert_int_equal(operation.from.rev, wanted);
    assert_int_equal(snapshot_environment_name(model->snapshot, name, operation.from.environment),
                     0);
    assert_string_equal(name, environment);
    assert_int_equal(snapshot_name(model->snapshot, &service, found, operation.from.name_id), 0);
    assert_string_equal(found, key);
    snapshot_end(model->snapshot);
}

static void test_a_copy_says_where_it_is_from(void **state)
{
    struct model *model = *state;
    char marks[8];
    const uint64_t set =
        COMMIT(model, {ADD, "prod"}, {ADD, "dev"}, {SET_TEXT, "dev/web/A", .text = "one"},
               {SECRET_TEXT, "dev/web/S", .text = "a secret of dev"},
               {SET_LINK, "dev/web/L", .text = "web/A"});
    copied_from(model, COMMIT(model, {COPY_FROM, "prod/web/A", .text = "dev/web/A"}), "dev", "A",
                set);
    copied_from(model, COMMIT(model, {COPY_FROM, "prod/web/L", .text = "dev/web/L"}), "dev", "L",
                set);
    copied_from(model, COMMIT(model, {MOVE_FROM, "dev/web/T", .text = "dev/web/S"}), "dev", "S",
                set);
    /* Of what was changed since, and of what is gone. */
    const uint64_t then = COMMIT(model, {SET_TEXT, "dev/web/A", .text = "two"});
    const uint64_t gone = COMMIT(model, {DROP, "dev/web/A"}, {DROP, "dev/web/L"});
    const int64_t rev = TRY(model, marks, {COPY_AT, "dev/web/A", "dev/web/A", gone - 1});
    assert_int_equal(rev, gone + 1);
    assert_string_equal(marks, "+");
    copied_from(model, gone + 1, "dev", "A", then);
    reads(model, "dev/web/A", "two");
    copied_from(model, (uint64_t)TRY(model, marks, {COPY_AT, "dev/web/A", "dev/web/A", set}), "dev",
                "A", set);
    assert_string_equal(marks, "~");
    reads(model, "dev/web/A", "one");
    copied_from(model, (uint64_t)TRY(model, marks, {COPY_AT, "dev/web/OLD", "dev/web/S", set}),
                "dev", "S", set);
    reads(model, "dev/web/OLD", "a secret of dev");
    /* What it is already is left as it is. */
    const uint64_t head = store_revision(model->store);
    assert_int_equal(TRY(model, marks, {COPY_AT, "dev/web/A", "dev/web/A", set}), head);
    assert_string_equal(marks, "=");
    assert_int_equal(sample_verify(model->store, true), 0);
}

static void test_what_was_not_there_is_not_copied(void **state)
{
    struct model *model = *state;
    char marks[8];
    COMMIT(model, {ADD, "prod"}, {SET_TEXT, "prod/web/A", .text = "one"},
           {SET_TEXT, "all/web/B", .text = "of all"});
    const uint64_t head = store_revision(model->store);
    assert_int_equal(TRY(model, marks, {COPY_AT, "prod/web/A", "prod/web/A", 0}), ERR(ERR_INVALID));
    assert_int_equal(TRY(model, marks, {COPY_AT, "prod/web/A", "prod/web/A", 1}),
                     ERR(ERR_NOT_FOUND));
    assert_non_null(strstr(error_text(), "was not set as of revision 1"));
    assert_int_equal(TRY(model, marks, {COPY_AT, "prod/web/A", "prod/web/A", head + 1}),
                     ERR(ERR_NOT_FOUND));
    assert_non_null(strstr(error_text(), "the newest is"));
    assert_int_equal(TRY(model, marks, {COPY_AT, "prod/web/C", "prod/web/B", head}),
                     ERR(ERR_NOT_FOUND)); /* it is in effect there, and defined in `all` */
    assert_int_equal(TRY(model, marks, {COPY_AT, "prod/web/C", "prod/none/A", head}),
                     ERR(ERR_NOT_FOUND));
    assert_int_equal(TRY(model, marks, {COPY_AT, "prod/web/C", "none/web/A", head}),
                     ERR(ERR_NOT_FOUND));
}

/* An environment of the same name that is gone: its values, secrets too. */
static void test_a_copy_from_an_environment_before(void **state)
{
    struct model *model = *state;
    char marks[8];
    const uint64_t then = COMMIT(model, {ADD, "dev"}, {SET_TEXT, "dev/web/A", .text = "first"},
                                 {SECRET_TEXT, "dev/web/S", .text = "of the first dev"});
    COMMIT(model, {DROP, "dev/web/A"}, {DROP, "dev/web/S"}, {DROP, "dev/web"}, {DROP, "dev"});
    COMMIT(model, {ADD, "dev"}, {SET_TEXT, "dev/web/A", .text = "second"});
    assert_true(TRY(model, marks, {COPY_AT, "dev/web/A", "dev/web/A", then},
                    {COPY_AT, "dev/web/S", "dev/web/S", then}) > 0);
    assert_string_equal(marks, "~+");
    reads(model, "dev/web/A", "first");
    reads(model, "dev/web/S", "of the first dev");
    assert_int_equal(sample_verify(model->store, true), 0);
}

static void test_names_and_definitions(void **state)
{
    struct model *model = *state;
    struct definition definition;
    char key[KEY_NAME_MAX + 1] = "";
    uint64_t name_id, found;
    int64_t expires;
    const uint64_t one =
        COMMIT(model, {ADD, "dev"}, {SET_TEXT, "dev/web/B", .text = "1"},
               {SET_TEXT, "all/web/A", .text = "2"}, {SET_TEXT, "dev/api/A", .text = "3"});
    COMMIT(model, {DROP, "dev/web/B"});
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_int_equal(history_next_name(model->snapshot, &name_id, key, 1), 0);
    assert_string_equal(key, "A");
    assert_int_equal(history_next_name(model->snapshot, &name_id, key, 1), 0);
    assert_string_equal(key, "B");
    assert_int_equal(history_name(model->snapshot, &found, "web", "B"), 0);
    assert_int_equal(found, name_id);
    assert_int_equal(history_definition(model->snapshot, &definition, &expires, 1, name_id, one),
                     0);
    assert_int_equal(definition.rev, one);
    assert_int_equal(
        history_definition(model->snapshot, &definition, &expires, 1, name_id, one + 1), NOT_THERE);
    assert_int_equal(history_next_name(model->snapshot, &name_id, key, 1), NOT_THERE);
    assert_int_equal(history_name(model->snapshot, &found, "web", "C"), NOT_THERE);
    key[0] = '\0';
    assert_int_equal(history_next_name(model->snapshot, &name_id, key, 2), 0);
    assert_int_equal(history_next_name(model->snapshot, &name_id, key, 2), NOT_THERE);
    snapshot_end(model->snapshot);
}

/* --- what verification sees --- */

static void edit_tag(struct txn *txn)
{
    struct state_tag tag = {.name = "v1"};
    assert_int_equal(state_tag(txn, &tag), 0);
    tag.rev++;
    state_put_tag(txn, &tag);
}

static void drop_tag(struct txn *txn)
{
    state_delete_tag(txn, "v1");
}

static void add_tag(struct txn *txn)
{
    state_put_tag(txn, &(struct state_tag){.name = "v2", .rev = 1, .said_rev = 3});
}

static void test_verify_sees_edited_tags(void **state)
{
    static void (*const edits[])(struct txn *) = {edit_tag, drop_tag, add_tag};
    struct model *model = *state;
    char marks[8];
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        TRY(model, marks, {TAG, "v1", NULL, 1});
        assert_int_equal(sample_verify(model->store, true), 0);
        model_edit(model, edits[i]);
        model->store = sample_open(model->path, true);
        assert_int_equal(snapshot_new(&model->snapshot, model->store), 0);
        assert_int_equal(sample_verify(model->store, false), ERR(ERR_CORRUPT));
        model_teardown(state);
        assert_int_equal(model_setup(state), 0);
        model = *state;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MODEL_TEST(test_tags),
        MODEL_TEST(test_tags_that_are_refused),
        MODEL_TEST(test_a_copy_says_where_it_is_from),
        MODEL_TEST(test_what_was_not_there_is_not_copied),
        MODEL_TEST(test_a_copy_from_an_environment_before),
        MODEL_TEST(test_names_and_definitions),
        MODEL_TEST(test_verify_sees_edited_tags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
