/* What a request that was signed lets be done, and what not: a server that would do something else
 * plays here with operations of its own making. */
#include "tests/unit/store/model_support.h"

#include "store/grant.h"
#include "store/log/follow.h"
#include "store/log/state.h"
#include "store/request.h"

#define SECOND INT64_C(1000000000)

/* A member of an object: a text, or where that is NULL a number. Of a list of operations the
 * request has one, of these members. */
struct member {
    const char *name, *text;
    int64_t number;
};

#define MEMBERS_MAX 6

static size_t count_of(const struct member members[])
{
    size_t count = 0;
    while (count < MEMBERS_MAX && members[count].name)
        count++;
    return count;
}

static void put_members(struct bytes *out, const struct member members[], bool has_value)
{
    static const uint8_t value[HASH_SIZE];
    request_put_object(out, count_of(members) + has_value);
    for (size_t i = 0; i < count_of(members); i++) {
        request_put_name(out, members[i].name);
        if (members[i].text)
            request_put_text(out, members[i].text, strlen(members[i].text));
        else
            request_put_number(out, members[i].number);
    }
    if (has_value) {
        request_put_name(out, "value");
        request_put_digest(out, value);
    }
}

struct request { /* of members that ascend */
    const char *method;
    struct member members[MEMBERS_MAX];
    bool has_value; /* the digest that operations have here */
};

static void write_request(struct bytes *out, const struct request *request)
{
    static const uint8_t store[STORE_ID_SIZE], id[REQUEST_ID_SIZE] = {1};
    request_begin(out, store, id, request->method);
    if (strcmp(request->method, "Set") == 0) {
        request_put_object(out, 1);
        request_put_name(out, "operations");
        request_put_list(out, 1);
    }
    put_members(out, request->members, request->has_value);
    assert_int_equal(out->error, 0);
}

/* What the server does, in names. */
struct done {
    enum operation_kind kind;
    const char *path, *from, *base, *tag, *who;
    uint64_t from_rev, tagged;
    int64_t ends; /* seconds after the commit */
    unsigned rights;
};

static uint32_t environment_of(struct txn *txn, const char *name)
{
    struct environment_state state;
    assert_int_equal(state_environment(txn, &state, name), 0);
    return state.is.id;
}

static void find(struct txn *txn, const char *text, uint32_t *environment, uint32_t *service,
                 uint64_t *name_id)
{
    const struct path path = sample_path(text);
    *environment = environment_of(txn, path.environment);
    if (path.service[0])
        assert_int_equal(state_service_id(txn, service, path.service), 0);
    if (path.key[0])
        assert_int_equal(state_name_id(txn, name_id, *service, path.key), 0);
}

static int outcome(struct txn *txn, const struct request *request, const struct done *done)
{
    BYTES_CLEANUP struct bytes text = BYTES_INIT(4096);
    const struct path path = sample_path(done->path ? done->path : "");
    struct operation operation = {.kind = done->kind,
                                  .name = done->tag ? done->tag : path.key,
                                  .principal = done->who,
                                  .principal_size = done->who ? strlen(done->who) : 0,
                                  .rights = done->rights,
                                  .tagged = done->tagged};
    struct follow follow;
    uint32_t service = 0;
    operation.name_size = strlen(operation.name);
    if (done->path)
        find(txn, done->path, &operation.environment, &operation.service, &operation.name_id);
    if (done->from)
        find(txn, done->from, &operation.from.environment, &service, &operation.from.name_id);
    operation.from.rev = done->from ? done->from_rev ? done->from_rev : 2 : 0;
    operation.base = done->base ? environment_of(txn, done->base) : 0;
    operation.expires = done->ends ? (1000 + done->ends) * SECOND : 0;
    write_request(&text, request);
    assert_int_equal(follow_begin(&follow, (struct slice){text.data, text.size}), 0);
    follow.time = 1000 * SECOND;
    const int found = follow_operation(&follow, txn, &operation);
    follow_release(&follow);
    assert_true(found >= 0);
    return found;
}

struct trial {
    struct request request;
    struct done done;
    bool is_refused;
};

static const struct trial trials[] = {
    /* whence a copy is taken */
    {{"Set", {{"from", "stage/web/A"}, {"kind", "copy"}, {"path", "prod/web/A"}}},
     {OPERATION_SET_PLAIN, "prod/web/A", .from = "stage/web/A"},
     false},
    {{"Set", {{"from", "stage/web/A"}, {"kind", "copy"}, {"path", "prod/web/A"}}},
     {OPERATION_SET_PLAIN, "prod/web/A", .from = "dev/web/A"},
     true},
    {{"Set", {{"from", "prod/web/B"}, {"kind", "move"}, {"path", "prod/web/A"}}},
     {OPERATION_SET_PLAIN, "prod/web/A", .from = "prod/api/B"},
     true},
    {{"Set", {{"kind", "copy"}, {"path", "prod/web/A"}}},
     {OPERATION_SET_PLAIN, "prod/web/A", .from = "prod/web/A"},
     true},
    {{"Copy", {{"from", "stage/web"}, {"to", "prod/web"}}},
     {OPERATION_SET_PLAIN, "prod/web/A", .from = "stage/web/A"},
     false},
    {{"Copy", {{"from", "stage/web"}, {"to", "prod/web"}}},
     {OPERATION_SET_PLAIN, "prod/web/A", .from = "stage/web/B"},
     true},
    {{"Copy", {{"from", "stage/web"}, {"to", "prod/web"}}},
     {OPERATION_SET_PLAIN, "prod/web/A", .from = "dev/web/A"},
     true},
    {{"Copy", {{"from", "stage/web/B"}, {"to", "prod/web/A"}}},
     {OPERATION_SET_PLAIN, "prod/web/A", .from = "stage/web/B"},
     false},
    {{"Move", {{"from", "prod/api/A"}, {"to", "prod/web/A"}}},
     {OPERATION_SET_PLAIN, "prod/web/A", .from = "prod/web/B"},
     true},
    {{"EnvironmentCopy", {{"from", "stage"}, {"to", "prod"}}},
     {OPERATION_SET_PLAIN, "prod/web/A", .from = "stage/web/A"},
     false},
    {{"EnvironmentCopy", {{"from", "stage"}, {"to", "prod"}}},
     {OPERATION_SET_PLAIN, "prod/web/A", .from = "stage/api/A"},
     true},
    /* of a base, too, where what shows is promoted */
    {{"Promote", {{"from", "preview/web"}, {"to", "prod/web"}}},
     {OPERATION_SET_PLAIN, "prod/web/A", .from = "stage/web/A"},
     false},
    {{"Promote", {{"from", "preview"}, {"to", "prod"}}},
     {OPERATION_SET_PLAIN, "prod/web/A", .from = "preview/web/A"},
     false},
    {{"Promote", {{"from", "preview/web"}, {"to", "prod/web"}}},
     {OPERATION_SET_PLAIN, "prod/web/A", .from = "dev/web/A"},
     true},
    {{"Promote", {{"from", "stage/web"}, {"to", "prod/web"}}},
     {OPERATION_SET_PLAIN, "prod/web/A", .from = "preview/web/A"},
     true},
    /* what is gone back to */
    {{"Rollback", {{"path", "prod"}, {"to", "7"}}},
     {OPERATION_SET_PLAIN, "prod/web/A", .from = "prod/web/A", .from_rev = 7},
     false},
    {{"Rollback", {{"path", "prod"}, {"to", "7"}}},
     {OPERATION_SET_PLAIN, "prod/web/A", .from = "prod/web/A", .from_rev = 8},
     true},
    {{"Rollback", {{"path", "prod"}, {"to", "v7"}}},
     {OPERATION_SET_PLAIN, "prod/web/A", .from = "prod/web/A", .from_rev = 8},
     false},
    {{"Rollback", {{"path", "prod"}, {"to", "7"}}},
     {OPERATION_SET_PLAIN, "prod/web/A", .from = "prod/web/B", .from_rev = 7},
     true},
    /* and nothing else with it */
    {{"Rollback", {{"path", "prod"}, {"to", "7"}}}, {OPERATION_UNLOCK, "prod/web/A"}, true},
    {{"Rollback", {{"path", "prod"}, {"to", "7"}}}, {OPERATION_SCHEMA_SET, "prod/web"}, true},
    {{"Copy", {{"from", "stage/web"}, {"to", "prod/web"}}},
     {OPERATION_SCHEMA_SET, "prod/web"},
     true},
    {{"Promote", {{"from", "stage/web"}, {"to", "prod/web"}}},
     {OPERATION_REMOVE, "prod/web/A"},
     true},
    {{"Promote", {{"from", "stage/web"}, {"to", "prod/web"}}},
     {OPERATION_SCHEMA_REMOVE, "prod/web"},
     true},
    {{"Move", {{"from", "prod/api"}, {"to", "prod/web"}}},
     {OPERATION_SCHEMA_SET, "prod/web"},
     false},
    /* what a tag names */
    {{"Tag", {{"name", "v1"}, {"rev", "3"}}}, {OPERATION_TAG, .tag = "v1", .tagged = 3}, false},
    {{"Tag", {{"name", "v1"}, {"rev", "3"}}}, {OPERATION_TAG, .tag = "v1", .tagged = 2}, true},
    {{"Tag", {{"name", "v1"}, {"rev", "v0"}}}, {OPERATION_TAG, .tag = "v1", .tagged = 2}, false},
    /* what an environment stands on, and when it ends */
    {{"EnvironmentAdd", {{"names", "preview"}}},
     {OPERATION_ENVIRONMENT_ADD, "preview", .base = "stage"},
     true},
    {{"EnvironmentAdd", {{"base", "dev"}, {"names", "preview"}}},
     {OPERATION_ENVIRONMENT_ADD, "preview", .base = "stage"},
     true},
    {{"EnvironmentAdd", {{"base", "stage"}, {"names", "preview"}}},
     {OPERATION_ENVIRONMENT_ADD, "preview"},
     true},
    {{"EnvironmentAdd", {{"base", "stage"}, {"names", "preview"}, {"ttl", NULL, 60}}},
     {OPERATION_ENVIRONMENT_ADD, "preview", .base = "stage", .ends = 60},
     false},
    {{"EnvironmentAdd", {{"base", "stage"}, {"names", "preview"}}},
     {OPERATION_ENVIRONMENT_ADD, "preview", .base = "stage", .ends = 60},
     true},
    {{"Set", {{"kind", "environment"}, {"path", "preview"}}},
     {OPERATION_ENVIRONMENT_ADD, "preview", .base = "stage"},
     true},
    {{"Set", {{"base", "stage"}, {"kind", "environment"}, {"path", "preview"}}},
     {OPERATION_ENVIRONMENT_ADD, "preview", .base = "stage"},
     false},
    {{"Set", {{"kind", "environment"}, {"path", "preview"}, {"ttl", NULL, 60}}},
     {OPERATION_ENVIRONMENT_ADD, "preview", .ends = 61},
     true},
    /* when a value ends */
    {{"Set", {{"kind", "plain"}, {"path", "prod/web/A"}, {"ttl", NULL, 60}}, true},
     {OPERATION_SET_PLAIN, "prod/web/A", .ends = 60},
     false},
    {{"Set", {{"kind", "plain"}, {"path", "prod/web/A"}, {"ttl", NULL, 60}}, true},
     {OPERATION_SET_PLAIN, "prod/web/A", .ends = 61},
     true},
    /* a value that nobody signed */
    {{"Set", {{"kind", "plain"}, {"path", "prod/web/A"}}, true},
     {OPERATION_SET_PLAIN, "prod/web/A"},
     false},
    {{"Set", {{"kind", "plain"}, {"path", "prod/web/A"}}},
     {OPERATION_SET_PLAIN, "prod/web/A"},
     true},
    {{"Set", {{"kind", "secret"}, {"path", "prod/web/A"}}},
     {OPERATION_SET_SECRET, "prod/web/A"},
     true},
    /* rights that nobody named */
    {{"Set", {{"kind", "grant"}, {"path", "prod"}, {"who", "user:eve"}}},
     {OPERATION_RIGHTS_GRANT, "prod", .who = "user:eve", .rights = GRANT_ADMIN},
     true},
    {{"Set", {{"kind", "revoke"}, {"path", "prod"}, {"who", "user:eve"}}},
     {OPERATION_RIGHTS_REVOKE, "prod", .who = "user:eve", .rights = GRANT_ADMIN},
     false},
};

static void try_all(struct txn *txn)
{
    for (size_t i = 0; i < sizeof trials / sizeof trials[0]; i++) {
        const struct trial *trial = &trials[i];
        const int found = outcome(txn, &trial->request, &trial->done);
        if (found != trial->is_refused)
            fail_msg("trial %zu, of %s to %s: %d", i, trial->request.method,
                     trial->done.path ? trial->done.path : trial->done.tag, found);
    }
}

static void test_what_follows(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {ADD, "dev"}, {ADD, "stage"}, {ADD, "preview", .text = "stage"},
           {SET, "prod/web/A", 1}, {SET, "prod/web/B", 2}, {SET, "prod/api/A", 3},
           {SET, "prod/api/B", 4}, {SET, "dev/web/A", 5}, {SET, "stage/web/A", 6},
           {SET, "stage/web/B", 7}, {SET, "stage/api/A", 8}, {SET, "preview/web/A", 9});
    model_edit(model, try_all);
    model->store = sample_open(model->path, true);
    assert_int_equal(snapshot_new(&model->snapshot, model->store), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {MODEL_TEST(test_what_follows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
