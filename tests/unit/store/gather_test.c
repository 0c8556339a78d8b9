#include "tests/unit/store/model_support.h"

#include "store/model/gather.h"
#include "store/model/plan.h"

static void test_it_keeps_copies(void **state)
{
    (void)state;
    struct gather gather = {0};
    char value[] = "info";
    struct path path = {.environment = "prod", .service = "web", .key = "LEVEL"};
    assert_int_equal(gather_add(&gather, OPERATION_SET_PLAIN, &path, value, 4, NULL), 0);
    memset(value, 'x', 4);
    memset(&path, 0, sizeof path);
    memcpy(path.environment, "prod", 5);
    assert_int_equal(gather_add(&gather, OPERATION_ENVIRONMENT_REMOVE, &path, NULL, 0, NULL), 0);
    assert_int_equal(gather.count, 2);
    assert_int_equal(gather.additions, 1);
    assert_int_equal(gather.value_bytes, 4);
    assert_string_equal(gather.wishes[0].service, "web");
    assert_string_equal(gather.wishes[0].key, "LEVEL");
    assert_memory_equal(gather.wishes[0].value, "info", 4);
    assert_string_equal(gather.wishes[1].environment, "prod");
    assert_string_equal(gather.wishes[1].service, "");
    gather_release(&gather);
    assert_int_equal(gather.count, 0);
}

static void test_bytes_of_a_commit(void **state)
{
    (void)state;
    struct gather gather = {.value_bytes = COMMIT_BYTES_MAX - 10};
    const struct path path = {.environment = "prod", .service = "web", .key = "A"};
    assert_int_equal(gather_add(&gather, OPERATION_SET_PLAIN, &path, "0123456789", 10, NULL), 0);
    assert_int_equal(gather_add(&gather, OPERATION_SET_PLAIN, &path, "0", 1, NULL),
                     ERR(ERR_INVALID));
    assert_int_equal(gather.count, 1);
    assert_int_equal(gather_add(&gather, OPERATION_SET_PLAIN, &path, "", 0, NULL), 0);
    gather_release(&gather);
}

/* A block is never written past, whatever sizes come. */
static void test_blocks(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 100000, 262143, 262144, 300000, 7, 262000, 200, 0};
    const size_t count = sizeof sizes / sizeof sizes[0];
    struct gather gather = {0};
    const char *copies[sizeof sizes / sizeof sizes[0]];
    unsigned char *value = malloc(300000);
    memset(value, 0xa5, 300000);
    for (size_t i = 0; i < count; i++)
        assert_non_null(copies[i] = gather_copy(&gather, value, sizes[i]));
    for (size_t i = 0; i < count; i++) {
        assert_memory_equal(copies[i], value, sizes[i] ? sizes[i] : 0);
        assert_int_equal(copies[i][sizes[i]], 0);
    }
    gather_release(&gather);
    free(value);
}

static void test_plan(void **state)
{
    (void)state;
    struct plan plan = {0};
    const struct operation operation = {.kind = OPERATION_REMOVE, .name = "A", .name_size = 1};
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(plan_add(&plan, &operation, NULL), 0);
        assert_int_equal(plan_line(&plan, '-', false, i, "prod", "web", "A"), 0);
    }
    assert_int_equal(plan.count, 100);
    assert_int_equal(plan.line_count, 100);
    assert_int_equal(plan.lines[99].was_rev, 99);
    assert_string_equal(plan.lines[0].service, "web");
    plan_release(&plan);
    plan.count = plan.capacity = COMMIT_OPERATIONS_MAX;
    assert_int_equal(plan_add(&plan, &operation, NULL), ERR(ERR_INVALID));
}

/* What comes out of another wish while it is judged is the gather's, a secret too. */
static void test_what_is_kept(void **state)
{
    (void)state;
    struct gather gather = {0};
    size_t before, after, locked;
    secret_usage(&before, &locked);
    struct wish *first = gather_keep(&gather), *second = gather_keep(&gather);
    assert_non_null(first);
    assert_non_null(second);
    assert_ptr_not_equal(first, second);
    assert_int_equal(first->kind, 0);
    assert_int_equal(secret_copy(&first->secret, "s3cret", 6), 0);
    assert_int_equal(gather.count, 0);
    gather_release(&gather);
    secret_usage(&after, &locked);
    assert_int_equal(after, before);
}

/* Only what makes records needs room ahead. */
static void test_additions(void **state)
{
    (void)state;
    static const enum operation_kind fewer[] = {
        OPERATION_REMOVE,  OPERATION_SERVICE_REMOVE, OPERATION_ENVIRONMENT_REMOVE,
        OPERATION_UNSHARE, OPERATION_UNLOCK,         GATHER_REMOVE_ALL,
        GATHER_REMOVE_DUE, OPERATION_RIGHTS_REVOKE};
    static const enum operation_kind more[] = {
        OPERATION_SET_LINK, OPERATION_SET_TEMPLATE, OPERATION_SHARE,
        OPERATION_LOCK,     OPERATION_RIGHTS_GRANT, GATHER_COPY,
        GATHER_MOVE};
    struct gather gather = {0};
    const struct path path = {.environment = "prod", .service = "web", .key = "A"};
    for (size_t i = 0; i < sizeof fewer / sizeof fewer[0]; i++)
        assert_int_equal(gather_add(&gather, fewer[i], &path, NULL, 0, NULL), 0);
    assert_int_equal(gather.additions, 0);
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
        assert_int_equal(gather_add(&gather, more[i], &path, NULL, 0, NULL), 0);
    assert_int_equal(gather.additions, sizeof more / sizeof more[0]);
    gather_release(&gather);
}

static void test_lines_say_what_they_are_about(void **state)
{
    (void)state;
    struct plan plan = {0};
    assert_int_equal(plan_line(&plan, '+', true, 0, "prod", "web", "A"), 0);
    plan_line_expires(&plan, 77);
    assert_int_equal(plan_line(&plan, '-', false, 3, "prod", "web", "B"), 0);
    assert_int_equal(plan_line_subject(&plan, CHANGE_SHARE, "*"), 0);
    assert_int_equal(plan.line_count, 2);
    assert_int_equal(plan.lines[0].subject, CHANGE_PLACE);
    assert_string_equal(plan.lines[0].with, "");
    assert_int_equal(plan.lines[0].expires, 77);
    assert_int_equal(plan.lines[1].subject, CHANGE_SHARE);
    assert_string_equal(plan.lines[1].with, "*");
    assert_int_equal(plan.lines[1].expires, 0);
    plan_release(&plan);
    assert_int_equal(plan.line_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_keeps_copies),
        cmocka_unit_test(test_bytes_of_a_commit),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_plan),
        MODEL_TEST(test_what_is_kept),
        MODEL_TEST(test_additions),
        MODEL_TEST(test_lines_say_what_they_are_about),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
