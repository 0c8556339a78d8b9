#include "tests/unit/store/told.h"

static void test_a_link_is_looked_for_where_its_reader_is(void **state)
{
    struct model *model = *state;
    char value[TOLD_MAX];
    COMMIT(model, {ADD, "dev"}, {ADD, "prod"}, {SET_TEXT, "dev/db/HOST", .text = "dev host"},
           {SET_TEXT, "prod/db/HOST", .text = "prod host"},
           {SHARE_WITH, "dev/db/HOST", .text = "web"}, {SHARE_WITH, "prod/db/HOST", .text = "web"},
           {ADD, "dev/web"}, {ADD, "prod/web"});
    const uint64_t rev = COMMIT(model, {SET_LINK, "all/web/HOST", .text = "db/HOST"});
    READS(model, "dev/web/HOST", "dev host", rev);
    READS(model, "prod/web/HOST", "prod host", rev);
    READS(model, "all/web/HOST", "db/HOST", rev); /* the text, as it was set */
    const struct entry entry = told_entry(model, value, "prod/web/HOST");
    assert_int_equal(entry.kind, ENTRY_PLAIN);
    assert_int_equal(entry.origin, ORIGIN_ALL);
    assert_int_equal(entry.defined.kind, ENTRY_LINK);
    assert_int_equal(entry.value.kind, ENTRY_PLAIN);
    assert_int_not_equal(entry.defined.environment, entry.value.environment);
    assert_int_equal(entry.value.environment, entry.environment);
    assert_false(entry_is_composed(&entry));
}

static void test_filters(void **state)
{
    struct model *model = *state;
    size_t size;
    COMMIT(model, {ADD, "prod"}, {SET_TEXT, "prod/web/A", .text = "a b\"\xff$"},
           {SET_TEXT, "prod/web/NONE", .text = ""});
    const uint64_t rev = COMMIT(
        model, {SET_TEMPLATE, "prod/web/ALL", .text = "$$ ${A}|${A|url}|${A|json}|${A|base64}"},
        {SET_TEMPLATE, "prod/web/EMPTY", .text = "${NONE}${NONE|url}${NONE|json}${NONE|base64}"},
        {SET_TEMPLATE, "prod/web/TWICE", .text = "${EMPTY|url}"});
    READS(model, "prod/web/ALL", "$ a b\"\xff$|a%20b%22%FF%24|\"a b\\\"\xef\xbf\xbd$\"|YSBiIv8k",
          rev);
    READS(model, "prod/web/EMPTY", "\"\"", rev);
    READS(model, "prod/web/TWICE", "%22%22", rev);
    /* The size is told without the bytes, and is theirs. */
    char value[TOLD_MAX];
    const struct entry entry = told_entry(model, value, "prod/web/ALL");
    assert_true(entry_is_composed(&entry));
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_int_equal(snapshot_size(model->snapshot, &size, &entry), 0);
    snapshot_end(model->snapshot);
    assert_int_equal(size, strlen(value));
}

/* K0 is a value, and each after it a link to the one before. */
static int chain(struct model *model, unsigned links)
{
    struct change *change;
    struct change_result result;
    const struct change_terms terms = sample_terms("chain", 0);
    assert_int_equal(change_new(&change, model->store), 0);
    for (unsigned i = 1; i <= links; i++) {
        char text[64], target[64];
        snprintf(text, sizeof text, "prod/web/K%u", i);
        snprintf(target, sizeof target, "web/K%u", i - 1);
        const struct path path = sample_path(text);
        assert_int_equal(change_set_link(change, &path, target), 0);
    }
    const int error = change_commit(change, &terms, &result);
    if (!error)
        change_result_release(&result);
    change_free(change);
    return error;
}

static void test_eight_deep_and_no_deeper(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {SET_TEXT, "prod/web/K0", .text = "end"});
    assert_int_equal(chain(model, 9), ERR(ERR_REFUSED));
    assert_non_null(strstr(error_text(), "'prod/web/K9' goes over more than 8 references: web/K9 "
                                         "-> web/K8 -> "));
    assert_null(strstr(error_text(), "'prod/web/K8' goes"));
    assert_int_equal(chain(model, 8), 0);
    READS(model, "prod/web/K8", "end", store_revision(model->store));
    const uint64_t rev = COMMIT(model, {SET_TEXT, "prod/web/K0", .text = "other"});
    READS(model, "prod/web/K8", "other", rev);
}

static void test_circles(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {SET_TEXT, "prod/web/A", .text = "end"},
           {SET_LINK, "prod/web/B", .text = "web/A"});
    REFUSED(model, "'prod/web/A' goes round in a circle: web/A -> web/B -> web/A",
            {SET_LINK, "prod/web/A", .text = "web/B"});
    REFUSED(model, "'prod/web/C' goes round in a circle: web/C -> web/C",
            {SET_TEMPLATE, "prod/web/C", .text = "x${C}"});
    READS(model, "prod/web/B", "end", store_revision(model->store));
}

static void test_too_large(void **state)
{
    struct model *model = *state;
    char *half = malloc(VALUE_MAX / 2 + 1);
    memset(half, 'x', VALUE_MAX / 2);
    half[VALUE_MAX / 2] = '\0';
    COMMIT(model, {ADD, "prod"}, {SET_TEXT, "prod/web/HALF", .text = half});
    COMMIT(model, {SET_TEMPLATE, "prod/web/WHOLE", .text = "${HALF}${HALF}"});
    REFUSED(model, "'prod/web/MORE' comes to ",
            {SET_TEMPLATE, "prod/web/MORE", .text = "${HALF}${HALF}x"});
    REFUSED(model, "'prod/web/MORE' comes to ",
            {SET_TEMPLATE, "prod/web/MORE", .text = "${HALF|base64}${HALF}"});
    free(half);
}

/* What was read at a revision is what is read of it later, whatever changed since. */
static void test_as_of_past_revisions(void **state)
{
    struct model *model = *state;
    char value[TOLD_MAX];
    COMMIT(model, {ADD, "prod"}, {ADD, "prod/web"}, {SET_TEXT, "all/web/HOST", .text = "one"},
           {SET_TEMPLATE, "all/web/URL", .text = "http://${HOST}/"});
    const struct entry now = told_entry(model, value, "prod/web/URL");
    static const char *const expected[] = {"http://one/", "http://two/", "http://own/",
                                           "http://two/", "fixed"};
    uint64_t revs[5] = {store_revision(model->store)};
    revs[1] = COMMIT(model, {SET_TEXT, "all/web/HOST", .text = "two"});
    revs[2] = COMMIT(model, {SET_TEXT, "prod/web/HOST", .text = "own"});
    revs[3] = COMMIT(model, {DROP, "prod/web/HOST"});
    revs[4] = COMMIT(model, {SET_TEXT, "prod/web/URL", .text = "fixed"});
    const uint64_t gone = COMMIT(model, {DROP, "prod/web/URL"}, {DROP, "all/web/URL"});
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    for (unsigned i = 0; i < 5; i++) {
        SECRET_CLEANUP struct secret scratch = {0};
        const unsigned char *data;
        struct entry entry;
        size_t size;
        assert_int_equal(
            snapshot_entry_at(model->snapshot, &entry, now.environment, now.name_id, revs[i]), 0);
        assert_int_equal(entry.rev, revs[i]);
        assert_int_equal(entry.as_of, revs[i]);
        assert_int_equal(snapshot_value(model->snapshot, &data, &size, &entry, &scratch), 0);
        assert_int_equal(size, strlen(expected[i]));
        assert_memory_equal(data, expected[i], size);
    }
    struct entry entry;
    assert_int_equal(snapshot_entry_at(model->snapshot, &entry, now.environment, now.name_id, gone),
                     NOT_THERE);
    snapshot_end(model->snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MODEL_TEST(test_a_link_is_looked_for_where_its_reader_is),
        MODEL_TEST(test_filters),
        MODEL_TEST(test_eight_deep_and_no_deeper),
        MODEL_TEST(test_circles),
        MODEL_TEST(test_too_large),
        MODEL_TEST(test_as_of_past_revisions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
