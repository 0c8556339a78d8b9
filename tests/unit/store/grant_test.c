/* Who was granted which rights: said, said again, taken back, gone with its place; and verified. */
#include "tests/unit/store/model_support.h"

#include "store/grant.h"
#include "store/history.h"
#include "store/log/state_relation.h"

#define RW ((uint64_t)GRANT_READ | GRANT_SET)

static uint32_t environment_id(struct model *model, const char *name)
{
    struct environment environment;
    assert_int_equal(snapshot_environment(model->snapshot, &environment, name), 0);
    return environment.id;
}

static uint32_t service_id(struct model *model, const char *environment, const char *name)
{
    struct service service;
    assert_int_equal(
        snapshot_service(model->snapshot, &service, environment_id(model, environment), name), 0);
    return service.id;
}

/* The rights of exactly that place, 0: none. */
static unsigned rights_of(struct model *model, const char *text, const char *principal)
{
    const struct path path = sample_path(text);
    struct grant grant;
    uint32_t environment = 0, service = 0;
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    if (path.environment[0])
        environment = environment_id(model, path.environment);
    if (path.service[0])
        service = service_id(model, path.environment, path.service);
    const int found = grant_at(model->snapshot, &grant, environment, service, principal);
    snapshot_end(model->snapshot);
    assert_true(found == 0 || found == NOT_THERE);
    if (found == 0)
        assert_string_equal(grant.principal, principal);
    return found == 0 ? grant.rights : 0;
}

static unsigned count(struct model *model)
{
    struct grant at = {0};
    unsigned found = 0;
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    while (grant_next(model->snapshot, &at) == 0)
        found++;
    snapshot_end(model->snapshot);
    return found;
}

/* The marks of what was done, or the failure. */
static int marks_of(struct model *model, char marks[8], const struct sample_step steps[],
                    size_t step_count)
{
    struct change_result result;
    const int error = sample_commit(model->store, &result, "rights", 0, steps, step_count);
    if (error)
        return error;
    for (size_t i = 0; i < result.count; i++)
        marks[i] = result.lines[i].mark;
    marks[result.count] = '\0';
    change_result_release(&result);
    assert_int_equal(sample_verify(model->store, true), 0);
    return 0;
}
#define TRY(model_, marks_, ...)                                                                   \
    marks_of(model_, marks_, (const struct sample_step[]){__VA_ARGS__},                            \
             sizeof((const struct sample_step[]){__VA_ARGS__}) / sizeof(struct sample_step))

static void test_rights_come_and_go(void **state)
{
    struct model *model = *state;
    char marks[8];
    assert_int_equal(TRY(model, marks, {ADD, "prod"}, {ADD, "prod/web"},
                         {GRANT_TO, "prod/web", GRANT_READ, "user:alice"},
                         {GRANT_TO, "prod", GRANT_LIST, "user:alice"},
                         {GRANT_TO, "", GRANT_ALL, "group:ops"}),
                     0);
    assert_int_equal(rights_of(model, "prod/web", "user:alice"), GRANT_READ);
    assert_int_equal(rights_of(model, "prod", "user:alice"), GRANT_LIST);
    assert_int_equal(rights_of(model, "", "group:ops"), GRANT_ALL);
    assert_int_equal(rights_of(model, "", "user:alice"), 0);
    assert_int_equal(TRY(model, marks, {GRANT_TO, "prod/web", RW, "user:alice"},
                         {GRANT_TO, "prod/web", GRANT_READ, "user:alice"},
                         {REVOKE_FROM, "", GRANT_ADMIN | GRANT_SET, "group:ops"},
                         {REVOKE_FROM, "prod", GRANT_LIST, "user:alice"}),
                     0);
    assert_string_equal(marks, "+=--");
    assert_int_equal(rights_of(model, "prod/web", "user:alice"), RW);
    assert_int_equal(rights_of(model, "", "group:ops"), GRANT_ALL & ~(GRANT_ADMIN | GRANT_SET));
    assert_int_equal(rights_of(model, "prod", "user:alice"), 0);
    assert_int_equal(count(model), 2 + 1); /* and that of revision 1 */
}

static void test_what_was_not_granted_is_not_taken_back(void **state)
{
    struct model *model = *state;
    char marks[8];
    assert_int_equal(TRY(model, marks, {ADD, "prod"}, {ADD, "prod/web"},
                         {GRANT_TO, "prod", GRANT_READ, "user:alice"}),
                     0);
    assert_int_equal(TRY(model, marks, {REVOKE_FROM, "prod", RW, "user:alice"}),
                     ERR(ERR_NOT_FOUND));
    assert_non_null(strstr(error_text(), "'user:alice' was not granted all of that at 'prod'"));
    assert_int_equal(TRY(model, marks, {REVOKE_FROM, "", GRANT_READ, "user:alice"}),
                     ERR(ERR_NOT_FOUND));
    assert_non_null(strstr(error_text(), "at the root"));
    assert_int_equal(TRY(model, marks, {REVOKE_FROM, "prod/web", GRANT_READ, "user:alice"}),
                     ERR(ERR_NOT_FOUND));
    assert_int_equal(TRY(model, marks, {GRANT_TO, "prod/api", GRANT_READ, "user:alice"}),
                     ERR(ERR_NOT_FOUND));
    assert_int_equal(TRY(model, marks, {GRANT_TO, "dev", GRANT_READ, "user:alice"}),
                     ERR(ERR_NOT_FOUND));
}

static void test_what_is_none_is_refused(void **state)
{
    static const char *const names[] = {
        "alice",     "user:", "user:-a", "user:a b", "user:a/b",         "user:1000",
        "group:a:b", "id:",   "User:a",  "user:a\n", "user:caf\xc3\xa9", ""};
    static const char *const good[] = {"user:a", "group:9a", "user:D\\u.s@er+$", "user:_x-1"};
    struct model *model = *state;
    char marks[8], long_one[PRINCIPAL_MAX + 2] = "user:";
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(TRY(model, marks, {GRANT_TO, "", GRANT_READ, names[i]}), ERR(ERR_INVALID));
    memset(long_one + 5, 'a', PRINCIPAL_NAME_MAX + 1);
    assert_int_equal(TRY(model, marks, {GRANT_TO, "", GRANT_READ, long_one}), ERR(ERR_INVALID));
    long_one[5 + PRINCIPAL_NAME_MAX] = '\0';
    assert_int_equal(TRY(model, marks, {GRANT_TO, "", GRANT_READ, long_one}), 0);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(TRY(model, marks, {GRANT_TO, "", GRANT_READ, good[i]}), 0);
    assert_int_equal(TRY(model, marks, {GRANT_TO, "", 0, "user:a"}), ERR(ERR_INVALID));
    assert_int_equal(TRY(model, marks, {GRANT_TO, "", GRANT_ALL + 1, "user:a"}), ERR(ERR_INVALID));
    assert_int_equal(TRY(model, marks, {GRANT_TO, "a/b/C", GRANT_READ, "user:a"}),
                     ERR(ERR_INVALID));
}

/* A place that is made again is another one. */
static void test_rights_go_with_their_place(void **state)
{
    struct model *model = *state;
    char marks[8];
    assert_int_equal(TRY(model, marks, {ADD, "prod"}, {ADD, "prod/web"}, {ADD, "dev"},
                         {GRANT_TO, "prod/web", GRANT_READ, "user:alice"},
                         {GRANT_TO, "prod", GRANT_SET, "user:bob"},
                         {GRANT_TO, "dev", GRANT_SET, "user:bob"}),
                     0);
    assert_int_equal(TRY(model, marks, {DROP, "prod/web"}, {ADD, "prod/web"}), 0);
    assert_int_equal(rights_of(model, "prod/web", "user:alice"), 0);
    assert_int_equal(rights_of(model, "prod", "user:bob"), GRANT_SET);
    assert_int_equal(TRY(model, marks, {GRANT_TO, "prod/web", GRANT_READ, "user:alice"},
                         {DROP, "prod/web"}, {DROP, "prod"}, {ADD, "prod"}),
                     0);
    assert_int_equal(rights_of(model, "prod", "user:bob"), 0);
    assert_int_equal(rights_of(model, "dev", "user:bob"), GRANT_SET);
    assert_int_equal(count(model), 1 + 1);
}

static void test_the_log_tells(void **state)
{
    struct model *model = *state;
    struct operation_info operation;
    char marks[8];
    uint64_t rev = 0;
    assert_int_equal(TRY(model, marks, {ADD, "prod"}, {ADD, "prod/web"}), 0);
    assert_int_equal(TRY(model, marks, {GRANT_TO, "prod/web", GRANT_READ, "user:alice"}), 0);
    assert_int_equal(TRY(model, marks, {GRANT_TO, "prod/web", RW, "user:alice"}), 0);
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    const struct path path = sample_path("prod/web");
    assert_int_equal(history_touched(model->snapshot, &rev, &path, UINT64_MAX), 0);
    assert_int_equal(rev, snapshot_revision(model->snapshot));
    assert_int_equal(history_operation(model->snapshot, &operation, rev, 0), 0);
    assert_int_equal(operation.kind, OPERATION_RIGHTS_GRANT);
    assert_int_equal(operation.rights, GRANT_SET); /* what was new */
    assert_string_equal(operation.with, "user:alice");
    assert_string_equal(operation.path.service, "web");
    snapshot_end(model->snapshot);
}

static void edit_rights(struct txn *txn)
{
    struct state_grant grant = {.environment = 1};
    assert_int_equal(state_next_grant(txn, &grant), 0);
    grant.rights |= GRANT_ADMIN;
    state_put_grant(txn, &grant);
}

static void drop_rights(struct txn *txn)
{
    struct state_grant grant = {.environment = 1};
    assert_int_equal(state_next_grant(txn, &grant), 0);
    state_delete_grant(txn, &grant);
}

static void add_rights(struct txn *txn)
{
    state_put_grant(txn, &(struct state_grant){
                             .environment = 1, .principal = "user:m", .rights = 63, .rev = 2});
}

static void test_verify_sees_edited_rights(void **state)
{
    static void (*const edits[])(struct txn *) = {edit_rights, drop_rights, add_rights};
    struct model *model = *state;
    char marks[8];
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        assert_int_equal(
            TRY(model, marks, {ADD, "prod"}, {GRANT_TO, "prod", GRANT_READ, "user:alice"}), 0);
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
        MODEL_TEST(test_rights_come_and_go),
        MODEL_TEST(test_what_was_not_granted_is_not_taken_back),
        MODEL_TEST(test_what_is_none_is_refused),
        MODEL_TEST(test_rights_go_with_their_place),
        MODEL_TEST(test_the_log_tells),
        MODEL_TEST(test_verify_sees_edited_rights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
