/* Signed commits: what is refused when it is made, and what is found when the database was edited.
 */
#include "tests/unit/store/model_support.h"

#include "store/db/keys.h"
#include "store/log/commit.h"
#include "store/log/state.h"
#include "store/request.h"

/* A signed Set of one key; of what is not given, the usual. */
struct asking {
    const char *kind, *signed_path, *done_path;
    const char *signed_value, *done_value;
    size_t size;
    const char *reason, *done_reason;
    uint8_t id, done_id, store, key_flip, text_flip;
    bool is_empty, has_no_id, is_usual;
};

static void or_else(const char **text, const char *usual)
{
    *text = *text ? *text : usual;
}

static struct asking whole(const struct asking *given)
{
    struct asking asking = *given;
    or_else(&asking.kind, "plain");
    or_else(&asking.signed_path, "prod/web/A");
    or_else(&asking.done_path, asking.signed_path);
    or_else(&asking.signed_value, "1");
    or_else(&asking.done_value, asking.signed_value);
    or_else(&asking.reason, "why");
    or_else(&asking.done_reason, asking.reason);
    asking.size = asking.is_empty ? 0 : asking.size ? asking.size : 1;
    asking.id = asking.has_no_id ? 0 : asking.id ? asking.id : 1;
    asking.done_id = asking.done_id ? asking.done_id : asking.id;
    return asking;
}

static const uint8_t seed[REQUEST_SEED_SIZE] = "so many bytes that nobody knows";

static void put_text(struct bytes *out, const char *name, const char *text)
{
    request_put_name(out, name);
    request_put_text(out, text, strlen(text));
}

static void write_text(struct bytes *out, const struct model *model, const struct asking *asking)
{
    uint8_t id[REQUEST_ID_SIZE], store[STORE_ID_SIZE], digest[HASH_SIZE], salt[16];
    memset(id, asking->id, sizeof id);
    memcpy(store, store_id(model->store), sizeof store);
    store[0] ^= asking->store;
    if (strcmp(asking->kind, "secret") == 0)
        request_digest_secret(digest, seed, 1, asking->signed_value, asking->size);
    else
        request_digest(digest, salt, seed, 1, OPERATION_SET_PLAIN, asking->signed_value,
                       asking->size);
    request_begin(out, store, id, "Set");
    request_put_object(out, 2);
    request_put_name(out, "operations");
    request_put_list(out, 1);
    request_put_object(out, 3);
    put_text(out, "kind", asking->kind);
    put_text(out, "path", asking->signed_path);
    request_put_name(out, "value");
    request_put_digest(out, digest);
    put_text(out, "reason", asking->reason);
    assert_int_equal(out->error, 0);
}

static int gather(struct change *change, const struct asking *asking)
{
    const struct path path = sample_path(asking->done_path);
    struct secret secret = {0};
    assert_int_equal(change_seed(change, seed), 0);
    if (strcmp(asking->kind, "secret") != 0)
        return change_set_plain(change, &path, asking->done_value, asking->size);
    assert_int_equal(secret_copy(&secret, asking->done_value, asking->size), 0);
    return change_set_secret(change, &path, &secret);
}

/* What comes of it. */
static int ask(struct model *model, const struct identity *by, const struct asking *given,
               struct change_result *result)
{
    const struct asking all = whole(given), *asking = &all;
    BYTES_CLEANUP struct bytes text = BYTES_INIT(4096);
    struct change *change;
    struct signature signature;
    struct change_terms terms = sample_terms(asking->done_reason, 0);
    memset(terms.request_id, asking->done_id, REQUEST_ID_SIZE);
    write_text(&text, model, asking);
    request_sign(&signature, by, text.data, text.size);
    signature.key[3] ^= asking->key_flip;
    text.data[text.size - 1] ^= asking->text_flip;
    terms.signature = &signature;
    terms.request = text.data;
    terms.request_size = text.size;
    assert_int_equal(change_new(&change, model->store), 0);
    assert_int_equal(gather(change, asking), 0);
    const int error = change_commit(change, &terms, result);
    change_free(change);
    return error;
}

static void is(struct model *model, const struct identity *by, int expected, const char *words,
               const struct asking *asking)
{
    struct change_result result;
    const uint64_t before = store_revision(model->store);
    const int error = ask(model, by, asking, &result);
    if (error != expected)
        fail_msg("%d, not %d: %s", error, expected, error < 0 ? error_text() : "");
    if (error < 0 && !strstr(error_text(), words))
        fail_msg("nothing like '%s' in: %s", words, error_text());
    if (error < 0)
        assert_int_equal(store_revision(model->store), before);
    change_result_release(&result);
}
#define IS(model_, by_, expected_, words_, ...)                                                    \
    is(model_, by_, expected_, words_, &(const struct asking){.is_usual = true, ##__VA_ARGS__})

static struct author author_of(struct model *model, uint64_t rev)
{
    struct commit_info commit;
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_int_equal(history_commit(model->snapshot, &commit, rev), 0);
    snapshot_end(model->snapshot);
    return commit.author;
}

static uint64_t faults_of(struct model *model)
{
    struct verify_report report = {0};
    const struct verify_options options = {.fault = NULL};
    const int error = verify_store(model->store, &options, &report);
    assert_true(error == 0 || error == ERR(ERR_CORRUPT));
    return report.faults;
}

static struct identity *own(struct model *model)
{
    struct identity *identity;
    assert_int_equal(sample_identity(&identity, model->path), 0);
    return identity;
}

static void test_who_signed(void **state)
{
    struct model *model = *state;
    struct identity *known = own(model), *stranger;
    static char large[VALUE_MAX];
    assert_int_equal(identity_new(&stranger), 0);
    COMMIT(model, {ADD, "prod", 0});
    IS(model, known, 0, "");
    IS(model, stranger, 0, "", .signed_value = "2", .done_value = "2", .id = 2, .done_id = 2);
    IS(model, known, 0, "", .kind = "secret", .signed_value = large, .done_value = large,
       .size = sizeof large, .signed_path = "prod/web/S", .done_path = "prod/web/S", .id = 3,
       .done_id = 3);
    IS(model, known, 0, "", .kind = "secret", .is_empty = true, .signed_path = "prod/web/E",
       .done_path = "prod/web/E", .id = 4, .done_id = 4);
    const struct author one = author_of(model, 3), other = author_of(model, 4);
    assert_true(one.is_signed && one.is_known && other.is_signed && !other.is_known);
    assert_false(author_of(model, 2).is_signed);
    assert_int_equal(faults_of(model), 0);
    model_reopen(model, true);
    assert_int_equal(faults_of(model), 0);
    identity_free(known);
    identity_free(stranger);
}

/* A secret can be told from the one that was signed by who opens it; without a key by nobody. */
static void test_another_secret(void **state)
{
    struct model *model = *state;
    struct identity *known = own(model);
    COMMIT(model, {ADD, "prod", 0});
    IS(model, known, 0, "", .kind = "secret", .signed_value = "right", .size = 5);
    assert_int_equal(faults_of(model), 0);
    IS(model, known, 0, "", .kind = "secret", .signed_value = "right", .done_value = "wrong",
       .size = 5, .signed_path = "prod/web/B", .id = 2);
    assert_int_equal(faults_of(model), 1);
    model_reopen(model, false);
    assert_int_equal(faults_of(model), 0);
    identity_free(known);
}

static void test_what_is_not_signed(void **state)
{
    struct model *model = *state;
    struct identity *known = own(model);
    const int denied = ERR(ERR_DENIED), refused = ERR(ERR_REFUSED);
    COMMIT(model, {ADD, "prod", 0}, {ADD, "dev", 0});
    IS(model, known, denied, "none of this request", .key_flip = 1);
    IS(model, known, denied, "none of this request", .text_flip = 1);
    IS(model, known, denied, "another store", .store = 1);
    IS(model, known, denied, "another request", .done_id = 2);
    IS(model, known, denied, "another request", .has_no_id = true);
    IS(model, known, denied, "another reason", .done_reason = "because");
    IS(model, known, refused, "does not follow", .done_value = "2");
    IS(model, known, refused, "does not follow", .done_path = "dev/web/A");
    IS(model, known, refused, "does not follow", .done_path = "prod/web/B");
    IS(model, known, refused, "does not follow", .done_path = "prod/other/A");
    IS(model, known, 0, "");
    assert_int_equal(faults_of(model), 0);
    identity_free(known);
}

static void test_once(void **state)
{
    struct model *model = *state;
    struct identity *known = own(model);
    struct change_result result;
    COMMIT(model, {ADD, "prod", 0});
    IS(model, known, 0, "");
    COMMIT(model, {DROP, "prod/web/A", 0});
    assert_int_equal(ask(model, known, &(const struct asking){.id = 1}, &result), 0);
    assert_true(result.repeated);
    assert_int_equal(result.rev, 3);
    assert_int_equal(store_revision(model->store), 4);
    change_result_release(&result);
    identity_free(known);
}

/* --- an edited database --- */

static struct slice commit_at(uint64_t rev)
{
    static struct key key;
    return key_commit(&key, rev);
}

/* The record at rev of a database, one bit of it flipped, with its hash made right. */
static void flip(struct txn *txn, enum database database, uint64_t rev, size_t from_end)
{
    struct slice body;
    assert_int_equal(txn_get(txn, &body, database, commit_at(rev)), 0);
    unsigned char *copy = malloc(body.size);
    memcpy(copy, body.data, body.size);
    copy[body.size - from_end] ^= 1;
    txn_put(txn, database, commit_at(rev), (struct slice){copy, body.size});
    if (database == DB_COMMIT) { /* the newest: and the head with it */
        struct head head;
        assert_int_equal(state_head(txn, &head), 0);
        header_hash(head.hash, (struct slice){copy, body.size});
        state_put_head(txn, &head);
    }
    free(copy);
}

static void edit_signature(struct txn *txn)
{
    flip(txn, DB_COMMIT, 4, 1);
}
static void edit_key(struct txn *txn)
{
    flip(txn, DB_COMMIT, 4, SIGNATURE_SIZE + HASH_SIZE + 1);
}
static void edit_hash(struct txn *txn)
{
    flip(txn, DB_COMMIT, 4, SIGNATURE_SIZE + 1);
}
static void edit_request(struct txn *txn)
{
    flip(txn, DB_SIGNED, 4, 1);
}
static void drop_request(struct txn *txn)
{
    txn_delete(txn, DB_SIGNED, commit_at(4));
}
static void swap_requests(struct txn *txn)
{
    struct slice body;
    unsigned char copy[4096];
    assert_int_equal(txn_get(txn, &body, DB_SIGNED, commit_at(3)), 0);
    memcpy(copy, body.data, body.size);
    txn_put(txn, DB_SIGNED, commit_at(4), (struct slice){copy, body.size});
}
static void add_request(struct txn *txn)
{
    struct slice body;
    unsigned char copy[4096];
    assert_int_equal(txn_get(txn, &body, DB_SIGNED, commit_at(3)), 0);
    memcpy(copy, body.data, body.size);
    txn_put(txn, DB_SIGNED, commit_at(2), (struct slice){copy, body.size});
}
/* The reason, in a chain that is made right again: only the signature knows. */
static void edit_reason(struct txn *txn)
{
    struct slice body;
    struct header header;
    assert_int_equal(txn_get(txn, &body, DB_COMMIT, commit_at(4)), 0);
    assert_int_equal(header_decode(&header, body), 0);
    flip(txn, DB_COMMIT, 4, (size_t)(body.data + body.size - (const unsigned char *)header.reason));
}

static void test_edits(void **state)
{
    static void (*const edits[])(struct txn *) = {edit_signature, edit_key,     edit_hash,
                                                  edit_request,   drop_request, swap_requests,
                                                  add_request,    edit_reason};
    model_teardown(state);
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        assert_int_equal(model_setup(state), 0);
        struct model *model = *state;
        struct identity *known = own(model);
        COMMIT(model, {ADD, "prod", 0});
        IS(model, known, 0, "");
        IS(model, known, 0, "", .signed_value = "2", .done_value = "2", .id = 2, .done_id = 2);
        assert_int_equal(faults_of(model), 0);
        model_edit(model, edits[i]);
        model->store = sample_open(model->path, true);
        assert_int_equal(snapshot_new(&model->snapshot, model->store), 0);
        if (!faults_of(model))
            fail_msg("edit %zu was not found", i);
        identity_free(known);
        model_teardown(state);
    }
    assert_int_equal(model_setup(state), 0);
}

/* --- where only what is signed is taken --- */

static int add_strict(struct model *model, const struct identity *by)
{
    BYTES_CLEANUP struct bytes text = BYTES_INIT(4096);
    struct signature signature;
    struct change *change;
    struct change_result result;
    struct change_terms terms = sample_terms("why", 0);
    const struct environment_terms strict = {.is_protected = true, .is_signed = true};
    memset(terms.request_id, 9, REQUEST_ID_SIZE);
    request_begin(&text, store_id(model->store), terms.request_id, "EnvironmentAdd");
    request_put_object(&text, 4);
    put_text(&text, "names", "vault");
    request_put_name(&text, "protected");
    request_put_bool(&text, true);
    put_text(&text, "reason", "why");
    request_put_name(&text, "signed");
    request_put_bool(&text, true);
    if (by) {
        request_sign(&signature, by, text.data, text.size);
        terms.signature = &signature;
        terms.request = text.data;
        terms.request_size = text.size;
    }
    assert_int_equal(change_new(&change, model->store), 0);
    assert_int_equal(change_environment_add(change, "vault", &strict), 0);
    const int error = change_commit(change, &terms, &result);
    change_result_release(&result);
    change_free(change);
    return error;
}

static void test_signed_only(void **state)
{
    struct model *model = *state;
    struct identity *known = own(model), *stranger;
    struct change_result result;
    const int refused = ERR(ERR_REFUSED);
    const struct sample_step step = {SET, "vault/web/A", 1}, over = {SET, "all/web/A", 2};
    assert_int_equal(identity_new(&stranger), 0);
    assert_int_equal(add_strict(model, NULL), refused);
    assert_int_equal(add_strict(model, stranger), refused);
    assert_int_equal(add_strict(model, known), 0);
    IS(model, stranger, refused, "none of theirs", .signed_path = "vault/web/A",
       .done_path = "vault/web/A");
    IS(model, known, 0, "", .signed_path = "vault/web/B", .done_path = "vault/web/B");
    assert_int_equal(sample_commit(model->store, &result, "why", 0, &step, 1), refused);
    assert_non_null(strstr(error_text(), "signed changes only"));
    /* what is set for all shows there */
    assert_int_equal(sample_commit(model->store, &result, "why", 0, &over, 1), refused);
    assert_int_equal(faults_of(model), 0);
    model_reopen(model, true);
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    struct environment vault;
    assert_int_equal(snapshot_environment(model->snapshot, &vault, "vault"), 0);
    snapshot_end(model->snapshot);
    assert_true(vault.is_signed && vault.is_protected);
    identity_free(known);
    identity_free(stranger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MODEL_TEST(test_who_signed),  MODEL_TEST(test_what_is_not_signed),
        MODEL_TEST(test_once),        MODEL_TEST(test_edits),
        MODEL_TEST(test_signed_only), MODEL_TEST(test_another_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
