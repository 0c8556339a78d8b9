#include "tests/unit/store/model_support.h"

#include "store/db/keys.h"
#include "store/log/commit.h"

static const uint8_t no_request[REQUEST_ID_SIZE];
static const struct author author = {.name = "uid 1000 (alice)"};

struct bare { /* an environment without a store around it */
    const char *folder;
    struct env *env;
    uint8_t id[STORE_ID_SIZE];
};

static int bare_setup(void **state)
{
    struct bare *bare = calloc(1, sizeof *bare);
    struct txn *txn;
    bare->folder = trial_folder();
    memset(bare->id, 0x5a, sizeof bare->id);
    if (env_create(bare->folder) || env_open(&bare->env, bare->folder, NULL, NULL) ||
        txn_write_begin(&txn, bare->env))
        return -1;
    state_put_store_id(txn, bare->id);
    state_put_head(txn, &(struct head){0});
    state_put_counters(txn, &(struct counters){0});
    *state = bare;
    return txn_commit(txn);
}

static int bare_teardown(void **state)
{
    struct bare *bare = *state;
    env_close(bare->env);
    trial_remove(bare->folder);
    free(bare);
    return 0;
}

/* One commit with an operation in each scope given; its head. */
static struct head commit(struct bare *bare, const uint32_t scopes[][2], size_t count,
                          const uint8_t request[static REQUEST_ID_SIZE])
{
    struct txn *txn;
    struct draft draft;
    assert_int_equal(txn_write_begin(&txn, bare->env), 0);
    assert_int_equal(draft_begin(&draft, txn, time_now()), 0);
    for (size_t i = 0; i < count; i++) {
        const struct operation operation = {.kind = OPERATION_REMOVE,
                                            .environment = scopes[i][0],
                                            .service = scopes[i][1],
                                            .name = "K",
                                            .name_size = 1};
        assert_int_equal(draft_add(&draft, &operation, (struct slice){0}), 0);
    }
    assert_int_equal(draft_finish(&draft, &author, "why", request), 0);
    const struct head head = draft.head;
    draft_release(&draft);
    assert_int_equal(txn_commit(txn), 0);
    return head;
}

static struct txn *read_header(struct bare *bare, struct header *header, struct slice *body,
                               uint64_t rev)
{
    struct txn *txn;
    struct key key;
    assert_int_equal(txn_reader_new(&txn, bare->env), 0);
    assert_int_equal(txn_renew(txn), 0);
    assert_int_equal(txn_get(txn, body, DB_COMMIT, key_commit(&key, rev)), 0);
    assert_int_equal(header_decode(header, *body), 0);
    return txn;
}

static void test_chain(void **state)
{
    struct bare *bare = *state;
    static const uint32_t scopes[][2] = {{1, 0}};
    const uint8_t request[REQUEST_ID_SIZE] = {9};
    struct header header;
    struct slice body;
    uint8_t hash[HASH_SIZE];
    uint64_t rev = 0;
    const struct head first = commit(bare, scopes, 1, no_request);
    const struct head second = commit(bare, scopes, 1, request);
    assert_int_equal(first.rev, 1);
    assert_int_equal(second.rev, 2);
    assert_true(second.time > first.time);
    struct txn *txn = read_header(bare, &header, &body, 2);
    header_hash(hash, body);
    assert_memory_equal(hash, second.hash, HASH_SIZE);
    assert_memory_equal(header.parent, first.hash, HASH_SIZE);
    assert_memory_equal(header.store_id, bare->id, STORE_ID_SIZE);
    assert_int_equal(header.rev, 2);
    assert_int_equal(header.operations, 1);
    assert_int_equal(header.time, second.time);
    assert_memory_equal(header.request_id, request, REQUEST_ID_SIZE);
    assert_int_equal(header.author_size, strlen(author.name));
    assert_memory_equal(header.author, author.name, header.author_size);
    assert_int_equal(header.reason_size, 3);
    assert_false(header.is_signed);
    assert_int_equal(state_request(txn, &rev, request), 0);
    assert_int_equal(rev, 2);
    assert_int_equal(state_request(txn, &rev, no_request), NOT_THERE);
    txn_free(txn);
}

static void test_scopes_are_sorted_and_found(void **state)
{
    struct bare *bare = *state;
    static const uint32_t scopes[][2] = {{2, 5}, {1, 9}, {2, 0}, {1, 9}, {300, 1}, {1, 0}};
    static const uint32_t sorted[][3] = {{1, 0, 1}, {1, 9, 2}, {2, 0, 1}, {2, 5, 1}, {300, 1, 1}};
    struct header header;
    struct slice body;
    commit(bare, scopes, 6, no_request);
    struct txn *txn = read_header(bare, &header, &body, 1);
    assert_int_equal(header.scope_count, 5);
    for (uint32_t i = 0; i < 5; i++) {
        const struct scope_sum sum = header_scope(&header, i);
        assert_int_equal(sum.environment, sorted[i][0]);
        assert_int_equal(sum.service, sorted[i][1]);
        assert_int_equal(sum.count, sorted[i][2]);
        assert_true(header_touches(&header, sum.environment, sum.service));
        assert_true(header_touches(&header, sum.environment, COMMIT_ANY_SERVICE));
    }
    assert_false(header_touches(&header, 1, 8));
    assert_false(header_touches(&header, 1, 10));
    assert_false(header_touches(&header, 3, COMMIT_ANY_SERVICE));
    assert_false(header_touches(&header, 301, COMMIT_ANY_SERVICE));
    assert_false(header_touches(&header, 0, 0));
    txn_free(txn);
}

static int keep_sum(void *arg, const struct scope_sum *sum)
{
    *(struct scope_sum *)arg = *sum;
    return 0;
}

/* A scope's hash is of its own operations only, in their order. */
static void test_scope_hash(void **state)
{
    (void)state;
    struct leaves leaves = {0};
    struct scope_sum sum, other;
    struct leaf a = {1, 2, 0, {1}}, b = {1, 2, 1, {2}}, elsewhere = {1, 1, 2, {3}};
    assert_int_equal(leaves_add(&leaves, &b), 0);
    assert_int_equal(leaves_add(&leaves, &a), 0);
    assert_int_equal(leaves_sum(&leaves, keep_sum, &sum), 0);
    assert_int_equal(leaves_add(&leaves, &elsewhere), 0);
    assert_int_equal(leaves_sum(&leaves, keep_sum, &other), 0);
    assert_int_equal(sum.count, 2);
    assert_memory_equal(sum.hash, other.hash, HASH_SIZE);
    leaves.count = 0;
    b.op = 0;
    a.op = 1;
    assert_int_equal(leaves_add(&leaves, &a), 0);
    assert_int_equal(leaves_add(&leaves, &b), 0);
    assert_int_equal(leaves_sum(&leaves, keep_sum, &other), 0);
    assert_memory_not_equal(sum.hash, other.hash, HASH_SIZE);
    leaves_release(&leaves);
}

/* A clock that stands in the past does not take the log back. */
static void test_time_only_goes_forward(void **state)
{
    struct bare *bare = *state;
    static const uint32_t scopes[][2] = {{1, 0}};
    struct txn *txn;
    const int64_t future = INT64_C(4102444800000000000);
    assert_int_equal(txn_write_begin(&txn, bare->env), 0);
    state_put_head(txn, &(struct head){.time = future});
    assert_int_equal(txn_commit(txn), 0);
    assert_int_equal(commit(bare, scopes, 1, no_request).time, future + 1);
    assert_int_equal(commit(bare, scopes, 1, no_request).time, future + 2);
}

static void test_bad_headers_are_refused(void **state)
{
    struct bare *bare = *state;
    static const uint32_t scopes[][2] = {{1, 0}, {2, 0}};
    struct header header;
    struct slice body;
    commit(bare, scopes, 2, no_request);
    struct txn *txn = read_header(bare, &header, &body, 1);
    for (size_t size = 0; size < body.size; size++) {
        unsigned char *copy = malloc(size + 1);
        memcpy(copy, body.data, size);
        assert_int_equal(header_decode(&header, (struct slice){copy, size}), ERR(ERR_CORRUPT));
        free(copy);
    }
    unsigned char *copy = malloc(body.size);
    static const size_t formats[] = {0, 1, 2};
    for (size_t i = 0; i < 3; i++) {
        memcpy(copy, body.data, body.size);
        copy[formats[i]] ^= 2;
        assert_int_equal(header_decode(&header, (struct slice){copy, body.size}), ERR(ERR_FORMAT));
    }
    memcpy(copy, body.data, body.size);
    copy[body.size - 5] = 1; /* a signature's type */
    assert_int_equal(header_decode(&header, (struct slice){copy, body.size}), ERR(ERR_FORMAT));
    free(copy);
    txn_free(txn);
}

static void test_long_reason_is_refused(void **state)
{
    struct bare *bare = *state;
    struct txn *txn;
    struct draft draft;
    char reason[REASON_MAX + 2];
    memset(reason, 'x', sizeof reason);
    reason[REASON_MAX + 1] = '\0';
    assert_int_equal(txn_write_begin(&txn, bare->env), 0);
    assert_int_equal(draft_begin(&draft, txn, time_now()), 0);
    assert_int_equal(draft_finish(&draft, &author, reason, no_request), ERR(ERR_INVALID));
    reason[REASON_MAX] = '\0';
    assert_int_equal(draft_finish(&draft, &author, reason, no_request), 0);
    draft_release(&draft);
    txn_free(txn);
}

#define BARE_TEST(name) cmocka_unit_test_setup_teardown(name, bare_setup, bare_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BARE_TEST(test_chain),
        BARE_TEST(test_scopes_are_sorted_and_found),
        cmocka_unit_test(test_scope_hash),
        BARE_TEST(test_time_only_goes_forward),
        BARE_TEST(test_bad_headers_are_refused),
        BARE_TEST(test_long_reason_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
