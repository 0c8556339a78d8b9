#include "tests/unit/store/model_support.h"

#include "store/history.h"

static void test_a_commit_and_its_operations(void **state)
{
    struct model *model = *state;
    struct commit_info info, first;
    struct operation_info operation;
    const uint64_t rev =
        COMMIT(model, {ADD, "prod", 0}, {SET, "prod/billing/A", 1}, {SECRET, "prod/billing/B", 2});
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_int_equal(history_commit(model->snapshot, &first, 1), 0);
    assert_int_equal(history_commit(model->snapshot, &info, rev), 0);
    assert_int_equal(info.rev, rev);
    assert_string_equal(info.author.name, "uid 0 (root)");
    assert_string_equal(info.reason, "test");
    assert_memory_equal(info.parent, first.hash, HASH_SIZE);
    assert_true(info.time > first.time);
    static const struct {
        enum operation_kind kind;
        const char *path;
        bool first;
    } expected[] = {{OPERATION_ENVIRONMENT_ADD, "prod", true},
                    {OPERATION_ENVIRONMENT_KEY, "prod", true},
                    {OPERATION_GRANT, "prod", false},
                    {OPERATION_SERVICE_ADD, "prod/billing", true},
                    {OPERATION_SERVICE_KEY, "prod/billing", true},
                    {OPERATION_SET_PLAIN, "prod/billing/A", true},
                    {OPERATION_SET_SECRET, "prod/billing/B", true}};
    assert_int_equal(info.operations, 7);
    for (uint32_t op = 0; op < 7; op++) {
        char text[PATH_TEXT_MAX];
        assert_int_equal(history_operation(model->snapshot, &operation, rev, op), 0);
        assert_int_equal(operation.kind, expected[op].kind);
        assert_string_equal(path_text(&operation.path, text), expected[op].path);
        assert_int_equal(operation.first, expected[op].first);
        assert_int_equal(operation.environment, 1);
        assert_int_equal(operation.service, op < 3 ? 0 : 1);
    }
    assert_int_equal(history_operation(model->snapshot, &operation, rev, 7), NOT_THERE);
    assert_int_equal(history_operation(model->snapshot, &operation, rev + 1, 0), NOT_THERE);
    assert_int_equal(history_commit(model->snapshot, &info, rev + 1), NOT_THERE);
    assert_int_equal(history_commit(model->snapshot, &info, 0), NOT_THERE);
    snapshot_end(model->snapshot);
}

/* The newest revision at or before rev that touched the path, looking on as told; 0: none. */
static uint64_t touched(struct model *model, const char *text, uint64_t rev, unsigned *calls)
{
    const struct path path = sample_path(text);
    uint64_t found = rev;
    int result;
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    for (*calls = 1; (result = history_touched(model->snapshot, &found, &path, found)) == LOOK_ON;
         ++*calls)
        ;
    snapshot_end(model->snapshot);
    assert_true(result == 0 || result == NOT_THERE);
    return result ? 0 : found;
}

static void test_touched(void **state)
{
    struct model *model = *state;
    unsigned calls;
    const uint64_t one = COMMIT(model, {ADD, "prod", 0}, {SET, "prod/billing/A", 1});
    const uint64_t two = COMMIT(model, {SET, "prod/web/A", 1});
    const uint64_t three = COMMIT(model, {ADD, "dev", 0});
    const uint64_t four = COMMIT(model, {DROP, "prod/billing/A", 0});
    assert_int_equal(touched(model, "", four, &calls), four);
    assert_int_equal(touched(model, "", two, &calls), two);
    assert_int_equal(touched(model, "", four + 100, &calls), four);
    assert_int_equal(touched(model, "prod", four, &calls), four);
    assert_int_equal(touched(model, "prod", three, &calls), two);
    assert_int_equal(touched(model, "prod/billing", three, &calls), one);
    assert_int_equal(touched(model, "prod/billing/A", four, &calls), four);
    assert_int_equal(touched(model, "prod/billing/A", three, &calls), one);
    assert_int_equal(touched(model, "prod/web/A", one, &calls), 0);
    assert_int_equal(touched(model, "dev", two, &calls), 0);
    assert_int_equal(touched(model, "dev/web", four, &calls), 0);
    assert_int_equal(touched(model, "test", four, &calls), 0);
    assert_int_equal(touched(model, "prod/nothing/A", four, &calls), 0);
}

/* What happened to a name goes on when its environment is removed and made again. */
static void test_touched_through_lives(void **state)
{
    struct model *model = *state;
    unsigned calls;
    const uint64_t one = COMMIT(model, {ADD, "dev", 0}, {SET, "dev/web/A", 1});
    const uint64_t two =
        COMMIT(model, {DROP, "dev/web/A", 0}, {DROP, "dev/web", 0}, {DROP, "dev", 0});
    assert_int_equal(touched(model, "dev", two + 1, &calls), two);
    const uint64_t three = COMMIT(model, {ADD, "dev", 0});
    const uint64_t four = COMMIT(model, {SET, "dev/web/A", 2});
    assert_int_equal(touched(model, "dev/web/A", four, &calls), four);
    assert_int_equal(touched(model, "dev/web/A", three, &calls), two);
    assert_int_equal(touched(model, "dev/web/A", one, &calls), one);
    assert_int_equal(touched(model, "dev/web", three, &calls), two);
    assert_int_equal(touched(model, "dev", three, &calls), three);
}

static void test_looking_on(void **state)
{
    struct model *model = *state;
    unsigned calls;
    uint64_t last = 0;
    const uint64_t one = COMMIT(model, {ADD, "prod", 0}, {ADD, "prod/quiet", 0});
    for (uint64_t i = 0; i < 600; i++)
        last = COMMIT(model, {SET, "prod/web/A", i});
    assert_int_equal(touched(model, "prod/quiet", last, &calls), one);
    assert_true(calls >= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MODEL_TEST(test_a_commit_and_its_operations),
        MODEL_TEST(test_touched),
        MODEL_TEST(test_touched_through_lives),
        MODEL_TEST(test_looking_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
