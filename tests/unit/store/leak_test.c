/* The leak guard: which values it looks at, what is kept of them, and what it says of a value that
 * is to be set. In a write transaction of a real store that is never committed, unless a test asks
 * what stays. */
#include "tests/unit/store/model_support.h"

#include "store/db/keys.h"
#include "store/log/state.h"
#include "store/log/state_relation.h"
#include "store/model/core.h"
#include "store/model/leak.h"

static void check_telling(const char *value, bool expected)
{
    if (leak_is_telling(value, strlen(value)) != expected)
        fail_msg("'%s' is %stelling", value, expected ? "not " : "");
}

static void short_values_tell_nothing(void **state)
{
    (void)state;
    check_telling("", false);
    check_telling("\n", false);
    check_telling("S3cret-of-2", false);
    check_telling("S3cret-of-22", true);
    check_telling("S3cret-of-2\n", false);
    check_telling("S3cret-of-2\r\n", false);
    check_telling("S3cret-of-2\n\n", true); /* one newline is taken away */
    check_telling("S3cret-of-2\r", true);   /* and this is none */
    check_telling("S3cret-of-22\n", true);
    assert_true(leak_is_telling("\0\0\0\0\0\0\0\0\0\0\0\0", 12));
}

static void numbers_tell_nothing(void **state)
{
    (void)state;
    check_telling("123456789012", false);
    check_telling("-12345678901", false);
    check_telling("+12345678901\n", false);
    check_telling("12345678.0123", false);
    check_telling("1234567890e10", false);
    check_telling("1234567890E-10", false);
    check_telling("192.168.100.200", false);
    check_telling("-1234567890-1", true);
    check_telling("1234567890e1x", true);
    check_telling("1234567890123e", true);
    check_telling("e123456789012", true);
    check_telling("............", true);
    check_telling("+-1234567890", true);
    check_telling("0x1234567890", true);
    check_telling("1234 5678 9012", true);
}

static void host_names_tell_nothing(void **state)
{
    (void)state;
    check_telling("db.prod.example.com", false);
    check_telling("db-1.prod.internal", false);
    check_telling("10-0-0-1.prod.svc\n", false);
    check_telling("0123456789ab.example", false);
    check_telling("maintenances", false);
    check_telling("abcdefghijklmnopqrstuvwxyz", false);
    /* By the letter host names as well, and what a guard is for. */
    check_telling("d3b07384d113edec49eaa6238ad5ff00", true);
    check_telling("correct-horse-battery-staple", true);
    check_telling("Maintenances", true);
    check_telling("SG.ngeVfQFYQlKU0ufo8x5d1A.TwL2iGABf9DHoTf", true);
    check_telling("db.prod.example.Com", true);
    /* None at all. */
    check_telling("db.prod.example.", true);
    check_telling(".db.prod.example", true);
    check_telling("db..prod.example", true);
    check_telling("-db.prod.example", true);
    check_telling("db-.prod.example", true);
    check_telling("db.prod.example-", true);
    check_telling("db.prod.example.1com", true);
    check_telling("db_1.prod.example", true);
    check_telling("db.prod.example:5432", true);
    check_telling("postgres://u:p@db.prod", true);
}

static void host_names_have_a_longest(void **state)
{
    (void)state;
    char name[300], label[64];
    memset(label, 'a', sizeof label);
    snprintf(name, sizeof name, "%.63s.example", label);
    check_telling(name, false);
    snprintf(name, sizeof name, "%.63s%c.example", label, 'a');
    check_telling(name, true);
    snprintf(name, sizeof name, "%.63s.%.63s.%.63s.%.61s", label, label, label, label);
    check_telling(name, false); /* 253 */
    snprintf(name, sizeof name, "%.63s.%.63s.%.63s.%.62s", label, label, label, label);
    check_telling(name, true);
}

/* prod; base, with preview and other on it; all. Ids as the test makes them. */
enum { PROD = 1, BASE, PREVIEW, OTHER, ALL };

static void make_environment(struct txn *txn, uint32_t id, const char *name, uint32_t base)
{
    struct environment_state environment = {.alive = true, .is = {.id = id, .base = base}};
    snprintf(environment.is.name, sizeof environment.is.name, "%s", name);
    state_put_environment(txn, &environment);
    state_put_environment_name(txn, &environment);
}

static struct txn *begin(struct model *model)
{
    struct txn *txn;
    assert_int_equal(txn_write_begin(&txn, model->store->env), 0);
    make_environment(txn, PROD, "prod", 0);
    make_environment(txn, BASE, "base", 0);
    make_environment(txn, PREVIEW, "preview", BASE);
    make_environment(txn, OTHER, "other", BASE);
    make_environment(txn, ALL, "all", 0);
    return txn;
}

static struct leak_verdict judge(struct model *model, struct txn *txn, uint32_t environment,
                                 uint64_t name_id, const char *text, bool is_secret)
{
    struct leak_verdict verdict;
    const struct leak_value value = {.data = text, .size = strlen(text), .is_secret = is_secret};
    assert_int_equal(leak_judge(model->store, txn, &verdict, environment, name_id, &value), 0);
    return verdict;
}

static void note(struct model *model, struct txn *txn, uint32_t environment, uint64_t name_id,
                 const char *value)
{
    const struct leak_verdict verdict = judge(model, txn, environment, name_id, value, true);
    assert_true(verdict.has_fingerprint);
    assert_int_equal(leak_note(txn, environment, name_id, verdict.fingerprint), 0);
}

static void check(struct model *model, struct txn *txn, uint32_t environment, uint64_t name_id,
                  const char *value, bool is_secret, const struct leak_verdict *expected)
{
    const struct leak_verdict found = judge(model, txn, environment, name_id, value, is_secret);
    assert_int_equal(found.which, expected->which);
    assert_int_equal(found.environment, expected->environment);
    assert_int_equal(found.name_id, expected->name_id);
}
#define PLAIN false
#define HIDDEN true
#define CHECK(environment_, name_, value_, secret_, ...)                                           \
    check(model, txn, environment_, name_, value_, secret_, &(struct leak_verdict){__VA_ARGS__})

#define VALUE "S3cret-of-production"

static void a_secret_of_elsewhere_is_found(void **state)
{
    struct model *model = *state;
    struct txn *txn = begin(model);
    CHECK(PREVIEW, 7, VALUE, HIDDEN, LEAK_NONE);
    note(model, txn, PROD, 3, VALUE);
    CHECK(PREVIEW, 7, VALUE, HIDDEN, LEAK_ELSEWHERE, PROD, 3);
    CHECK(PREVIEW, 7, VALUE, PLAIN, LEAK_ELSEWHERE, PROD, 3);
    CHECK(PREVIEW, 3, VALUE, PLAIN, LEAK_ELSEWHERE, PROD, 3); /* of the same name */
    CHECK(ALL, 0, VALUE, PLAIN, LEAK_ELSEWHERE, PROD, 3);
    CHECK(PREVIEW, 7, VALUE "\n", HIDDEN, LEAK_ELSEWHERE, PROD, 3);
    CHECK(PREVIEW, 7, VALUE "\r\n", HIDDEN, LEAK_ELSEWHERE, PROD, 3);
    CHECK(PREVIEW, 7, VALUE "\n\n", HIDDEN, LEAK_NONE);
    CHECK(PREVIEW, 7, VALUE ".", HIDDEN, LEAK_NONE);
    CHECK(PREVIEW, 7, "s" VALUE, HIDDEN, LEAK_NONE);
    txn_free(txn);
}

static void a_family_may_have_equal_secrets(void **state)
{
    struct model *model = *state;
    struct txn *txn = begin(model);
    note(model, txn, PREVIEW, 3, VALUE);
    CHECK(PREVIEW, 4, VALUE, HIDDEN, LEAK_NONE);
    CHECK(OTHER, 3, VALUE, HIDDEN, LEAK_NONE); /* a sibling */
    CHECK(BASE, 3, VALUE, HIDDEN, LEAK_NONE);  /* what it stands on */
    CHECK(PROD, 3, VALUE, HIDDEN, LEAK_ELSEWHERE, PREVIEW, 3);
    assert_int_equal(leak_forget(txn, PREVIEW, 3), 0);
    note(model, txn, BASE, 3, VALUE);
    CHECK(PREVIEW, 3, VALUE, HIDDEN, LEAK_NONE);
    txn_free(txn);
}

static void a_plain_value_equals_no_secret_of_the_family(void **state)
{
    struct model *model = *state;
    struct txn *txn = begin(model);
    note(model, txn, PREVIEW, 3, VALUE);
    CHECK(PREVIEW, 4, VALUE, PLAIN, LEAK_PLAIN, PREVIEW, 3);
    CHECK(OTHER, 4, VALUE "\n", PLAIN, LEAK_PLAIN, PREVIEW, 3);
    CHECK(BASE, 0, VALUE, PLAIN, LEAK_PLAIN, PREVIEW, 3);
    CHECK(PREVIEW, 3, VALUE, PLAIN, LEAK_NONE); /* what it replaces is itself */
    note(model, txn, PREVIEW, 9, VALUE);
    CHECK(PREVIEW, 3, VALUE, PLAIN, LEAK_PLAIN, PREVIEW, 9);
    txn_free(txn);
}

/* Of the family's there are many, before and after. */
static void one_of_elsewhere_comes_first(void **state)
{
    struct model *model = *state;
    struct txn *txn = begin(model);
    for (uint64_t name = 1; name <= 5; name++) {
        note(model, txn, BASE, name, VALUE);
        note(model, txn, OTHER, name, VALUE);
    }
    CHECK(PREVIEW, 4, VALUE, PLAIN, LEAK_PLAIN, BASE, 1);
    note(model, txn, PROD, 8, VALUE);
    CHECK(PREVIEW, 4, VALUE, PLAIN, LEAK_ELSEWHERE, PROD, 8);
    CHECK(PREVIEW, 4, VALUE, HIDDEN, LEAK_ELSEWHERE, PROD, 8);
    CHECK(PROD, 8, VALUE, HIDDEN, LEAK_ELSEWHERE, BASE, 1);
    assert_int_equal(leak_forget(txn, PROD, 8), 0);
    make_environment(txn, 9, "later", 0);
    note(model, txn, 9, 8, VALUE);
    CHECK(PREVIEW, 4, VALUE, PLAIN, LEAK_ELSEWHERE, 9, 8);
    txn_free(txn);
}

static void what_tells_nothing_is_not_looked_at(void **state)
{
    struct model *model = *state;
    struct txn *txn = begin(model);
    const struct leak_verdict verdict = judge(model, txn, PROD, 3, "S3cret-of-2", true);
    assert_int_equal(verdict.which, LEAK_NONE);
    assert_false(verdict.has_fingerprint);
    txn_free(txn);
}

static uint64_t count_of(struct txn *txn)
{
    uint64_t count;
    assert_int_equal(txn_count(txn, &count, DB_LEAK), 0);
    return count;
}

static void a_place_has_one_fingerprint(void **state)
{
    struct model *model = *state;
    struct txn *txn = begin(model);
    note(model, txn, PROD, 3, VALUE);
    note(model, txn, PROD, 3, VALUE "-2");
    assert_int_equal(count_of(txn), 2);
    CHECK(PREVIEW, 7, VALUE, HIDDEN, LEAK_NONE);
    CHECK(PREVIEW, 7, VALUE "-2", HIDDEN, LEAK_ELSEWHERE, PROD, 3);
    note(model, txn, PROD, 3, VALUE "-2");
    assert_int_equal(count_of(txn), 2);
    assert_int_equal(leak_forget(txn, PROD, 4), 0); /* another's, which has none */
    assert_int_equal(count_of(txn), 2);
    assert_int_equal(leak_forget(txn, PROD, 3), 0);
    assert_int_equal(leak_forget(txn, PROD, 3), 0);
    assert_int_equal(count_of(txn), 0);
    CHECK(PREVIEW, 7, VALUE "-2", HIDDEN, LEAK_NONE);
    txn_free(txn);
}

static void all_who_have_it_are_walked(void **state)
{
    struct model *model = *state;
    struct txn *txn = begin(model);
    uint8_t mine[FINGERPRINT_SIZE], next[FINGERPRINT_SIZE], last[FINGERPRINT_SIZE];
    uint32_t environment = 0;
    uint64_t name = 0;
    memset(mine, 7, sizeof mine);
    memcpy(next, mine, sizeof mine);
    next[FINGERPRINT_SIZE - 1]++;
    memset(last, 0xff, sizeof last);
    assert_int_equal(leak_find(txn, &environment, &name, last), NOT_THERE); /* there is none */
    assert_int_equal(leak_note(txn, 2, 5, mine), 0);
    assert_int_equal(leak_note(txn, 1, 300, mine), 0);
    assert_int_equal(leak_note(txn, 2, 4, mine), 0);
    assert_int_equal(leak_note(txn, 2, 6, next), 0);
    assert_int_equal(leak_note(txn, 3, 6, last), 0);
    static const uint64_t expected[][2] = {{1, 300}, {2, 4}, {2, 5}};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(leak_find(txn, &environment, &name, mine), 0);
        assert_int_equal(environment, expected[i][0]);
        assert_int_equal(name, expected[i][1]);
    }
    assert_int_equal(leak_find(txn, &environment, &name, mine), NOT_THERE); /* others follow */
    assert_int_equal(environment, 2);
    environment = 3;
    name = 6;
    assert_int_equal(leak_find(txn, &environment, &name, last), NOT_THERE); /* places follow */
    txn_free(txn);
}

/* The fingerprints stay, and are the same when the store is opened again by the same identity. */
static void fingerprints_are_kept(void **state)
{
    struct model *model = *state;
    struct txn *txn = begin(model);
    note(model, txn, PROD, 3, VALUE);
    const struct leak_verdict before = judge(model, txn, PROD, 3, VALUE, true);
    assert_int_equal(txn_commit(txn), 0);
    model_reopen(model, true);
    assert_int_equal(txn_write_begin(&txn, model->store->env), 0);
    const struct leak_verdict after = judge(model, txn, PREVIEW, 3, VALUE, true);
    assert_int_equal(after.which, LEAK_ELSEWHERE);
    assert_memory_equal(after.fingerprint, before.fingerprint, FINGERPRINT_SIZE);
    txn_free(txn);
}

static void without_a_key_nothing_is_said(void **state)
{
    struct model *model = *state;
    const uint8_t anybodys[FINGERPRINT_SIZE] = {1};
    struct leak_verdict verdict = {.which = LEAK_PLAIN};
    struct leak_value value = {.data = VALUE, .size = sizeof VALUE - 1, .is_secret = true};
    model_reopen(model, false);
    struct txn *txn = begin(model);
    assert_int_equal(leak_judge(model->store, txn, &verdict, PROD, 3, &value), ERR(ERR_NO_KEY));
    value.is_secret = false;
    assert_int_equal(leak_judge(model->store, txn, &verdict, PROD, 3, &value), 0);
    assert_int_equal(verdict.which, LEAK_NONE); /* there is nothing to be equal to */
    assert_int_equal(leak_note(txn, PROD, 7, anybodys), 0);
    verdict.which = LEAK_PLAIN;
    assert_int_equal(leak_judge(model->store, txn, &verdict, PROD, 3, &value), ERR(ERR_NO_KEY));
    assert_int_equal(verdict.which, LEAK_PLAIN); /* untouched */
    value.size = 5;                              /* nobody's key is asked for */
    assert_int_equal(leak_judge(model->store, txn, &verdict, PROD, 3, &value), 0);
    assert_int_equal(verdict.which, LEAK_NONE);
    txn_free(txn);
}

static void no_value_is_in_what_is_kept(void **state)
{
    struct model *model = *state;
    struct txn *txn = begin(model);
    struct slice found = {0}, body;
    struct key from;
    note(model, txn, PROD, 3, VALUE);
    while (!txn_seek(txn, &found, &body, DB_LEAK,
                     (struct slice){from.data, found.size ? from.size : 0}, found.size > 0)) {
        memcpy(from.data, found.data, found.size);
        from.size = found.size;
        assert_null(memmem(found.data, found.size, "S3cret", 6));
        assert_null(memmem(body.data, body.size, "S3cret", 6));
        assert_true(body.size <= 1 + FINGERPRINT_SIZE);
    }
    txn_free(txn);
}

static void damaged_records_are_refused(void **state)
{
    struct model *model = *state;
    struct txn *txn = begin(model);
    struct key key;
    struct leak_verdict verdict = judge(model, txn, PROD, 3, VALUE, true);
    const struct leak_value value = {.data = VALUE, .size = sizeof VALUE - 1};
    txn_put(txn, DB_LEAK, key_leak_place(&key, PROD, 3),
            (struct slice){(const unsigned char *)"\1short", 6});
    assert_int_equal(leak_forget(txn, PROD, 3), ERR(ERR_CORRUPT));
    assert_int_equal(leak_note(txn, PROD, 3, verdict.fingerprint), ERR(ERR_CORRUPT));
    txn_put(txn, DB_LEAK, key_leak_value(&key, verdict.fingerprint, PROD, 3),
            (struct slice){(const unsigned char *)"\2", 1});
    assert_int_equal(leak_judge(model->store, txn, &verdict, PREVIEW, 3, &value), ERR(ERR_FORMAT));
    txn_free(txn);
}

/* Whoever made the store has its pair, in revision 1, and nobody else. */
static void a_new_store_has_its_pair(void **state)
{
    struct model *model = *state;
    static const struct {
        enum operation_kind kind;
        bool first;
    } expected[] = {{OPERATION_IDENTITY, true},
                    {OPERATION_RIGHTS_GRANT, false},
                    {OPERATION_ENVIRONMENT_KEY, true},
                    {OPERATION_GRANT, false}};
    struct commit_info commit;
    struct operation_info operation;
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_int_equal(history_commit(model->snapshot, &commit, 1), 0);
    assert_int_equal(commit.operations, 4);
    for (uint32_t op = 0; op < 4; op++) {
        assert_int_equal(history_operation(model->snapshot, &operation, 1, op), 0);
        assert_int_equal(operation.kind, expected[op].kind);
        assert_int_equal(operation.first, expected[op].first);
        assert_int_equal(operation.environment, 0);
        assert_int_equal(operation.service, 0);
    }
    snapshot_end(model->snapshot);
    assert_int_equal(sample_verify(model->store, true), 0);
    /* The public key's record says which operation brought it. */
    static const unsigned char said[] = {1, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0};
    struct slice body;
    struct key key;
    struct txn *txn;
    assert_int_equal(txn_write_begin(&txn, model->store->env), 0);
    assert_int_equal(txn_get(txn, &body, DB_KEY, key_pair(&key, 0, 0, 1)), 0);
    assert_true(body.size == sizeof said + PUBLIC_KEY_SIZE);
    assert_memory_equal(body.data, said, sizeof said);
    txn_free(txn);
}

/* Told apart without opening either, as long as both are what is set now. */
static void test_secrets_that_differ(void **state)
{
    struct model *model = *state;
    struct entry first, other, equal, brief;
    COMMIT(model, {ADD, "prod"}, {ADD, "dev"},
           {SECRET_TEXT, "prod/web/A", .text = "a-Secret-Value"},
           {SECRET_TEXT, "dev/web/A", .text = "Another-Secret"},
           {SECRET_TEXT, "dev/web/B", .text = "a-Secret-Value"},
           {SECRET_TEXT, "dev/web/C", .text = "short"});
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(snapshot_begin(model->snapshot), 0);
        assert_int_equal(snapshot_definition(model->snapshot, &first, 1, 1, "A"), 0);
        assert_int_equal(snapshot_definition(model->snapshot, &other, 2, 1, "A"), 0);
        assert_int_equal(snapshot_definition(model->snapshot, &equal, 2, 1, "B"), 0);
        assert_int_equal(snapshot_definition(model->snapshot, &brief, 2, 1, "C"), 0);
        assert_int_equal(
            snapshot_secrets_differ(model->snapshot, &first.defined, &other.defined, i == 0), 1);
        assert_int_equal(
            snapshot_secrets_differ(model->snapshot, &first.defined, &equal.defined, i == 0), 0);
        assert_int_equal(
            snapshot_secrets_differ(model->snapshot, &first.defined, &brief.defined, i == 0), 0);
        snapshot_end(model->snapshot);
        model_reopen(model, false); /* nor is a key needed */
    }
    const struct definition was = other.defined;
    model_reopen(model, true);
    COMMIT(model, {SECRET_TEXT, "dev/web/A", .text = "yet-Another-One"});
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_int_equal(snapshot_secrets_differ(model->snapshot, &first.defined, &was, false), 0);
    snapshot_end(model->snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_values_tell_nothing),
        cmocka_unit_test(numbers_tell_nothing),
        cmocka_unit_test(host_names_tell_nothing),
        cmocka_unit_test(host_names_have_a_longest),
        MODEL_TEST(a_secret_of_elsewhere_is_found),
        MODEL_TEST(a_family_may_have_equal_secrets),
        MODEL_TEST(a_plain_value_equals_no_secret_of_the_family),
        MODEL_TEST(one_of_elsewhere_comes_first),
        MODEL_TEST(what_tells_nothing_is_not_looked_at),
        MODEL_TEST(a_place_has_one_fingerprint),
        MODEL_TEST(all_who_have_it_are_walked),
        MODEL_TEST(fingerprints_are_kept),
        MODEL_TEST(without_a_key_nothing_is_said),
        MODEL_TEST(no_value_is_in_what_is_kept),
        MODEL_TEST(damaged_records_are_refused),
        MODEL_TEST(a_new_store_has_its_pair),
        MODEL_TEST(test_secrets_that_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
