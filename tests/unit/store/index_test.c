#include "tests/unit/store/model_support.h"

#include "store/db/keys.h"
#include "store/log/commit.h"
#include "store/log/index.h"
#include "store/model/core.h"
#include "store/model/settle.h"

static const enum database derived[] = {
    DB_ENVIRONMENT, DB_PLACE, DB_CURRENT,   DB_HISTORY, DB_NAME,     DB_KEY, DB_EXPIRY,
    DB_SHARE,       DB_LOCK,  DB_REFERENCE, DB_OUTCOME, DB_PRESENCE, DB_TAG, DB_GRANT};

static void same_database(struct txn *left, struct txn *right, enum database database)
{
    struct slice none = {0}, a_key = none, b_key = none, a, b;
    bool strictly = false;
    for (;; strictly = true) {
        const int found = txn_seek(left, &a_key, &a, database, a_key, strictly);
        assert_int_equal(txn_seek(right, &b_key, &b, database, b_key, strictly), found);
        if (found)
            return;
        assert_int_equal(a_key.size, b_key.size);
        assert_memory_equal(a_key.data, b_key.data, a_key.size);
        assert_int_equal(a.size, b.size);
        assert_memory_equal(a.data, b.data, a.size);
    }
}

static void copy_record(struct txn *from, struct txn *to, enum database database, struct slice key)
{
    struct slice body;
    const int found = txn_get(from, &body, database, key);
    assert_true(found >= 0);
    if (!found)
        txn_put(to, database, key, body);
}

/* One commit, as its operations alone say it. */
static void replay_commit(struct store *store, struct txn *from, struct txn *to, uint64_t rev)
{
    struct index index;
    struct header header;
    struct plan plan = {0};
    struct gather gather = {0};
    struct slice body;
    struct key key;
    const struct change_terms terms = {.reason = "replay"};
    assert_int_equal(txn_get(from, &body, DB_COMMIT, key_commit(&key, rev)), 0);
    assert_int_equal(header_decode(&header, body), 0);
    assert_int_equal(index_begin(&index, to, rev, header.time), 0);
    for (uint32_t op = 0; op < header.operations; op++) {
        struct operation operation;
        copy_record(from, to, DB_LOG, key_operation(&key, rev, op));
        copy_record(from, to, DB_VALUE, key_operation(&key, rev, op));
        assert_int_equal(txn_get(from, &body, DB_LOG, key_operation(&key, rev, op)), 0);
        assert_int_equal(operation_decode(&operation, body), 0);
        assert_int_equal(index_apply(&index, &operation, op), 0);
        if (!op && operation.kind == OPERATION_REMOVE && operation.expires)
            assert_int_equal(
                gather_add(&gather, GATHER_REMOVE_DUE, &(struct path){0}, NULL, 0, NULL), 0);
        assert_int_equal(plan_add(&plan, &operation, NULL), 0);
        plan.steps[op].operation.is_same = false; /* found out anew */
    }
    struct judge judge = {
        .store = store, .index = &index, .gather = &gather, .plan = &plan, .terms = &terms};
    assert_int_equal(settle(&judge), 0);
    assert_int_equal(judge.code, 0);
    assert_int_equal(index_finish(&index), 0);
    index_release(&index);
    for (uint32_t op = 0; op < header.operations; op++) {
        struct operation operation;
        assert_int_equal(txn_get(from, &body, DB_LOG, key_operation(&key, rev, op)), 0);
        assert_int_equal(operation_decode(&operation, body), 0);
        assert_int_equal(plan.steps[op].operation.is_same, operation.is_same);
    }
    judge_release(&judge);
    plan_release(&plan);
    gather_release(&gather);
}

static void replay(struct store *store, struct txn *from, struct txn *to)
{
    struct head head;
    uint8_t id[STORE_ID_SIZE];
    assert_int_equal(state_store_id(from, id), 0);
    assert_int_equal(state_head(from, &head), 0);
    state_put_store_id(to, id);
    state_put_counters(to, &(struct counters){0});
    for (uint64_t rev = 1; rev <= head.rev; rev++)
        replay_commit(store, from, to, rev);
}

static void tell_story(struct model *model)
{
    COMMIT(model, {ADD, "prod", 0}, {ADD, "dev", 0}, {SET, "prod/billing/A", 1},
           {SECRET, "prod/billing/B", 2});
    COMMIT(model, {SET, "prod/billing/A", 3}, {DROP, "prod/billing/B", 0}, {ADD, "dev/web", 0},
           {SET, "dev/billing/A", 3}, {SET, "dev/billing/A", 4});
    COMMIT(model, {DROP, "dev/billing/A", 0}, {DROP, "dev/billing", 0}, {DROP, "dev/web", 0},
           {DROP, "dev", 0}, {ADD, "dev", 0}, {SET, "dev/billing/A", 5},
           {SECRET, "prod/billing/B", 2});
    COMMIT(model, {DROP, "prod/billing/A", 0}, {SET, "prod/billing/A", 3});
    COMMIT(model, {SET, "all/shared/HOST", 6}, {SET, "all/billing/C", 7},
           {SET_LINK, "all/billing/H", .text = "shared/HOST"});
    COMMIT(model, {ADD, "kid", .text = "dev"},
           {SET_TEMPLATE, "dev/billing/URL", .text = "${H|url}:${A}"},
           {SHARE_WITH, "prod/billing/B", .text = "web"}, {LOCK_PLACE, "prod/billing/C"});
    COMMIT(model, {SET, "all/shared/HOST", 8}, {SET, "dev/billing/A", 9});
    COMMIT(model, {SET, "dev/billing/H", 8}, {UNLOCK_PLACE, "prod/billing/C"},
           {DROP, "all/billing/C", 0});
    COMMIT(model, {DROP, "kid/shared", 0}, {DROP, "kid/billing", 0}, {DROP, "kid", 0});
}

/* The log alone gives the same derived state, byte for byte. */
static void test_replay_gives_the_same(void **state)
{
    struct model *model = *state;
    const char *folder = trial_folder();
    struct env *to;
    struct txn *writer, *other;
    struct counters a, b;
    tell_story(model);
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    struct txn *reader = snapshot_txn(model->snapshot);
    assert_int_equal(env_create(folder), 0);
    assert_int_equal(env_open(&to, folder, NULL, NULL), 0);
    assert_int_equal(txn_write_begin(&writer, to), 0);
    replay(model->store, reader, writer);
    assert_int_equal(txn_commit(writer), 0);
    assert_int_equal(txn_reader_new(&other, to), 0);
    assert_int_equal(txn_renew(other), 0);
    for (size_t i = 0; i < sizeof derived / sizeof derived[0]; i++)
        same_database(reader, other, derived[i]);
    assert_int_equal(state_counters(reader, &a), 0);
    assert_int_equal(state_counters(other, &b), 0);
    assert_memory_equal(&a, &b, sizeof a);
    txn_free(other);
    snapshot_end(model->snapshot);
    env_close(to);
}

static int apply(struct txn *txn, uint64_t rev, const struct operation *operation)
{
    struct index index;
    assert_int_equal(index_begin(&index, txn, rev, (int64_t)rev), 0);
    const int error = index_apply(&index, operation, 0);
    index_release(&index);
    return error;
}

/* Operations that do not fit what came before are damage, whoever wrote them. */
static void test_misfits_are_damage(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod", 0}, {SET, "prod/billing/A", 1});
    model_close(model);
    const struct operation set = {.kind = OPERATION_SET_PLAIN,
                                  .environment = 1,
                                  .service = 1,
                                  .name_id = 1,
                                  .entry_id = 1,
                                  .name = "A",
                                  .name_size = 1};
    struct operation bad[12];
    for (size_t i = 0; i < 12; i++)
        bad[i] = set;
    bad[0].environment = 2; /* none */
    bad[1].service = 2;     /* none */
    bad[2].turn = 1;        /* not this incarnation */
    bad[3].name_id = 3;     /* not the next */
    bad[4].entry_id = 2;    /* not the entry's */
    bad[5].first = true;    /* not the next entry id */
    bad[6] = (struct operation){.kind = OPERATION_REMOVE,
                                .environment = 1,
                                .service = 1,
                                .name_id = 1,
                                .entry_id = 1,
                                .name = "B",
                                .name_size = 1};
    bad[7] = (struct operation){
        .kind = OPERATION_ENVIRONMENT_ADD, .environment = 3, .name = "dev", .name_size = 3};
    bad[8] = (struct operation){
        .kind = OPERATION_ENVIRONMENT_ADD, .environment = 2, .name = "prod", .name_size = 4};
    bad[9] = (struct operation){.kind = OPERATION_SERVICE_ADD,
                                .environment = 1,
                                .service = 3,
                                .name = "web",
                                .name_size = 3};
    bad[10] = (struct operation){.kind = OPERATION_SERVICE_ADD,
                                 .environment = 1,
                                 .service = 1,
                                 .turn = 1,
                                 .name = "billing",
                                 .name_size = 7};
    bad[11] = (struct operation){
        .kind = OPERATION_ENVIRONMENT_REMOVE, .environment = 2, .name = "dev", .name_size = 3};
    struct env *env;
    assert_int_equal(env_open(&env, model->path, NULL, NULL), 0);
    for (size_t i = 0; i < 12; i++) {
        struct txn *txn;
        assert_int_equal(txn_write_begin(&txn, env), 0);
        assert_int_equal(apply(txn, 3, &bad[i]), ERR(ERR_CORRUPT));
        txn_free(txn);
    }
    struct txn *txn;
    assert_int_equal(txn_write_begin(&txn, env), 0);
    assert_int_equal(apply(txn, 3, &set), 0);
    txn_free(txn);
    env_close(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MODEL_TEST(test_replay_gives_the_same),
        MODEL_TEST(test_misfits_are_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
