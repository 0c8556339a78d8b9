/* What verification must find: a store is changed behind its back, with every record's own hash
 * made right again, as somebody would who wants it not to be seen. */
#include "tests/unit/store/model_support.h"

#include "store/db/keys.h"
#include "store/log/commit.h"
#include "store/log/state.h"
#include "store/verify.h"

struct found {
    unsigned count;
    char first[512];
};

static void keep(void *arg, const char *text)
{
    struct found *found = arg;
    if (!found->count++)
        snprintf(found->first, sizeof found->first, "%s", text);
}

static int verify(struct model *model, struct found *found, struct verify_report *report)
{
    const struct verify_options options = {.fault = keep, .arg = found};
    *found = (struct found){0};
    return verify_store(model->store, &options, report);
}

/* Revisions 2 to 4: places, values, changes, removals, a second life. */
static void fill(struct model *model)
{
    COMMIT(model, {ADD, "prod", 0}, {SET, "prod/billing/A", 1}, {SET, "prod/billing/B", 2},
           {SECRET, "prod/billing/S", 3});
    COMMIT(model, {ADD, "dev", 0}, {SET, "dev/web/A", 4}, {SET, "prod/billing/A", 5});
    COMMIT(model, {DROP, "dev/web/A", 0}, {DROP, "dev/web", 0}, {DROP, "prod/billing/B", 0},
           {SET, "prod/billing/B", 6}, {SET, "prod/billing/B", 7});
}

static void test_a_good_store(void **state)
{
    struct model *model = *state;
    struct found found;
    struct verify_report report;
    fill(model);
    assert_int_equal(verify(model, &found, &report), 0);
    assert_int_equal(found.count, 0);
    assert_int_equal(report.commits, 4);
    assert_int_equal(report.operations, 4 + 8 + 7 + 5);
    assert_int_equal(report.values, 3 + 2 + 2);
    assert_int_equal(report.faults, 0);
    assert_true(report.derived > 20);
}

/* --- edits --- */

static struct slice text(const char *bytes)
{
    return (struct slice){(const unsigned char *)bytes, strlen(bytes)};
}

/* A copy of a record's body, changed in one byte (counted from the end if negative). */
static void flip(struct txn *txn, enum database database, struct slice key, long at)
{
    struct slice body;
    unsigned char copy[4096];
    assert_int_equal(txn_get(txn, &body, database, key), 0);
    assert_true(body.size <= sizeof copy);
    memcpy(copy, body.data, body.size);
    copy[at < 0 ? (long)body.size + at : at] ^= 1;
    txn_put(txn, database, key, (struct slice){copy, body.size});
}

static void move(struct txn *txn, enum database database, struct slice to, struct slice from)
{
    struct slice body;
    unsigned char copy[4096];
    assert_int_equal(txn_get(txn, &body, database, from), 0);
    assert_true(body.size <= sizeof copy);
    memcpy(copy, body.data, body.size);
    txn_put(txn, database, to, (struct slice){copy, body.size});
}

static struct slice at(uint64_t rev, uint32_t op)
{
    static struct key keys[2];
    static unsigned turn;
    return key_operation(&keys[turn++ % 2], rev, op);
}

/* In revision 2: 0 to 2 environment, 3 and 4 service, 5 A, 6 B, 7 S. */
static void edit_value(struct txn *txn)
{
    flip(txn, DB_VALUE, at(2, 5), -1);
}
static void swap_values(struct txn *txn)
{
    move(txn, DB_VALUE, at(2, 5), at(2, 6));
}
static void drop_value(struct txn *txn)
{
    txn_delete(txn, DB_VALUE, at(2, 6));
}
static void stray_value(struct txn *txn)
{
    move(txn, DB_VALUE, at(2, 99), at(2, 6));
}
static void edit_operation(struct txn *txn)
{
    flip(txn, DB_LOG, at(2, 5), 32); /* the stored size */
}
static void edit_name(struct txn *txn)
{
    flip(txn, DB_LOG, at(2, 5), -1);
}
static void move_operation(struct txn *txn)
{
    move(txn, DB_LOG, at(2, 5), at(3, 5));
}
static void drop_operation(struct txn *txn)
{
    txn_delete(txn, DB_LOG, at(3, 5));
}
static void stray_operation(struct txn *txn)
{
    move(txn, DB_LOG, at(3, 7), at(3, 6));
}
static struct slice commit_key(uint64_t rev)
{
    static struct key keys[2];
    static unsigned turn;
    return key_commit(&keys[turn++ % 2], rev);
}
static void edit_reason(struct txn *txn)
{
    struct slice body;
    struct header header;
    assert_int_equal(txn_get(txn, &body, DB_COMMIT, commit_key(2)), 0);
    assert_int_equal(header_decode(&header, body), 0);
    flip(txn, DB_COMMIT, commit_key(2), (const unsigned char *)header.reason - body.data);
}
static void drop_commit(struct txn *txn)
{
    txn_delete(txn, DB_COMMIT, commit_key(3));
}
static void swap_commits(struct txn *txn)
{
    move(txn, DB_COMMIT, commit_key(3), commit_key(2));
}
/* The newest commit is cut off, but for the head. */
static void cut_commit(struct txn *txn)
{
    txn_delete(txn, DB_COMMIT, commit_key(4));
}
/* The newest commit is cut off and the head put back: what was derived from it tells. */
static void roll_back(struct txn *txn)
{
    struct slice body;
    struct head head = {.rev = 3};
    struct header header;
    assert_int_equal(txn_get(txn, &body, DB_COMMIT, commit_key(3)), 0);
    assert_int_equal(header_decode(&header, body), 0);
    header_hash(head.hash, body);
    head.time = header.time;
    txn_delete(txn, DB_COMMIT, commit_key(4));
    for (uint32_t op = 0; op < 5; op++) {
        txn_delete(txn, DB_LOG, at(4, op));
        txn_delete(txn, DB_VALUE, at(4, op));
    }
    state_put_head(txn, &head);
}
static void edit_head(struct txn *txn)
{
    struct head head;
    assert_int_equal(state_head(txn, &head), 0);
    head.hash[0] ^= 1;
    state_put_head(txn, &head);
}
static void edit_counters(struct txn *txn)
{
    struct counters counters;
    assert_int_equal(state_counters(txn, &counters), 0);
    counters.entries++;
    state_put_counters(txn, &counters);
}
static void edit_environment(struct txn *txn)
{
    struct environment_state environment;
    assert_int_equal(state_environment(txn, &environment, "prod"), 0);
    environment.is.changed_rev--;
    state_put_environment(txn, &environment);
}
static void revive_place(struct txn *txn)
{
    struct place_state place;
    assert_int_equal(state_place(txn, &place, 2, "web"), 0);
    place.alive = true;
    state_put_place(txn, &place);
}
static struct spot current(struct txn *txn, const char *key)
{
    struct spot spot;
    assert_int_equal(state_current(txn, &spot, 1, 1, key), 0);
    return spot;
}
/* What the key was as of revision 2. */
static struct spot moment(struct txn *txn, const char *key)
{
    struct spot spot;
    assert_int_equal(state_moment(txn, &spot, 1, current(txn, key).name_id, 2), 0);
    return spot;
}
/* The current entry is an older version of its own. */
static void old_current(struct txn *txn)
{
    struct spot spot = moment(txn, "A");
    spot.service = 1;
    memcpy(spot.key, "A", 2);
    state_put_current(txn, &spot);
}
/* The current entry is another key's. */
static void swapped_current(struct txn *txn)
{
    struct spot spot = current(txn, "A");
    memcpy(spot.key, "B", 2);
    state_put_current(txn, &spot);
}
static void drop_current(struct txn *txn)
{
    state_delete_current(txn, 1, 1, "A");
}
static void stray_current(struct txn *txn)
{
    struct spot spot = current(txn, "A");
    memcpy(spot.key, "Z", 2);
    state_put_current(txn, &spot);
}
static void edit_history(struct txn *txn)
{
    struct spot spot = moment(txn, "A");
    spot.op++;
    state_put_moment(txn, &spot);
}
static void drop_history(struct txn *txn)
{
    struct key key;
    txn_delete(txn, DB_HISTORY, key_history(&key, 1, current(txn, "A").name_id, 2));
}
static void stray_history(struct txn *txn)
{
    struct spot spot = moment(txn, "A");
    spot.name_id = 77;
    state_put_moment(txn, &spot);
}
static void edit_name_id(struct txn *txn)
{
    struct key key;
    flip(txn, DB_NAME, key_name_entry_text(&key, 1, "A"), 1);
}
static void edit_service_name(struct txn *txn)
{
    struct key key;
    flip(txn, DB_NAME, key_name_service(&key, 1), -1);
}
static void edit_environment_name(struct txn *txn)
{
    struct key key;
    flip(txn, DB_NAME, key_name_environment(&key, 1), -1);
}
static void edit_public_key(struct txn *txn)
{
    struct key key;
    flip(txn, DB_KEY, key_pair(&key, 1, 1, 1), -1);
}
static void stray_identity(struct txn *txn)
{
    struct identity_state identity;
    assert_int_equal(state_next_identity(txn, &identity, NULL), 0);
    identity.public_key[0] ^= 1;
    identity.name[0] ^= 1;
    state_put_identity(txn, &identity);
}
static void stray_request(struct txn *txn)
{
    const uint8_t id[16] = {1, 2, 3};
    state_put_request(txn, id, 2);
}
static void stray_meta(struct txn *txn)
{
    struct key key;
    txn_put(txn, DB_META, key_meta(&key, "other"), text("x"));
}

static const struct {
    const char *name;
    void (*edit)(struct txn *);
    const char *says; /* part of the first fault */
} edits[] = {
    {"edit_value", edit_value, "commit 2: operation 5: its value does not match its hash"},
    {"swap_values", swap_values, "commit 2: operation 5: its value"},
    {"drop_value", drop_value, "commit 2: operation 6: its value is not there"},
    {"stray_value", stray_value, "database 'value'"},
    {"edit_operation", edit_operation, "commit 2: operation 5"},
    {"edit_name", edit_name, "commit 2: operation 5"},
    {"move_operation", move_operation, "commit 2: operation 5"},
    {"drop_operation", drop_operation, "commit 3: operation 5: it is not there"},
    {"stray_operation", stray_operation, "database 'log'"},
    {"edit_reason", edit_reason, "commit 3: its parent is not commit 2"},
    {"drop_commit", drop_commit, "commit 3: it is not there"},
    {"swap_commits", swap_commits, "commit 3: it says that it is commit 2"},
    {"cut_commit", cut_commit, "commit 4: it is not there"},
    {"roll_back", roll_back, "the counters"},
    {"edit_head", edit_head, "the head does not match"},
    {"edit_counters", edit_counters, "the counters"},
    {"edit_environment", edit_environment, "environment 'prod'"},
    {"revive_place", revive_place, "service 'web'"},
    {"old_current", old_current, "current entry 'A'"},
    {"swapped_current", swapped_current, "current entry 'B'"},
    {"drop_current", drop_current, "the current entry 'A'"},
    {"stray_current", stray_current, "current entry 'Z'"},
    {"edit_history", edit_history, "commit 2: operation 5: the history"},
    {"drop_history", drop_history, "commit 2: operation 5: the history"},
    {"stray_history", stray_history, "database 'history'"},
    {"edit_name_id", edit_name_id, "commit 2: operation 5: the id of 'A'"},
    {"edit_service_name", edit_service_name, "service 'billing'"},
    {"edit_environment_name", edit_environment_name, "environment 'prod'"},
    {"edit_public_key", edit_public_key, "commit 2: operation 4"},
    {"stray_identity", stray_identity, "database 'key'"},
    {"stray_request", stray_request, "database 'request'"},
    {"stray_meta", stray_meta, "database 'meta'"},
};

static void test_every_edit_is_found(void **state)
{
    struct model *model = *state;
    char good[TRIAL_PATH_MAX];
    struct found found;
    struct verify_report report;
    fill(model);
    model_close(model);
    trial_copy_folder(trial_path(good, model->folder, "good"), model->path);
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        model_close(model);
        trial_copy_folder(model->path, good);
        model->store = sample_open(model->path, true);
        assert_int_equal(snapshot_new(&model->snapshot, model->store), 0);
        model_edit(model, edits[i].edit);
        model_reopen(model, true);
        assert_int_equal(verify(model, &found, &report), ERR(ERR_CORRUPT));
        assert_int_equal(found.count, report.faults);
        if (!strstr(found.first, edits[i].says))
            fail_msg("%s: the first fault is '%s'", edits[i].name, found.first);
    }
}

static int stop_at_once(void *arg, uint64_t done, uint64_t total)
{
    unsigned *calls = arg;
    ++*calls;
    assert_true(done <= total);
    return 1;
}

static void test_it_can_be_stopped(void **state)
{
    struct model *model = *state;
    unsigned calls = 0;
    struct verify_report report;
    const struct verify_options options = {.progress = stop_at_once, .arg = &calls};
    fill(model);
    assert_int_equal(verify_store(model->store, &options, &report), 0);
    assert_int_equal(report.commits, 0);
    assert_true(calls >= 1);
}

/* More than one step of each walk. */
static void test_many(void **state)
{
    struct model *model = *state;
    struct found found;
    struct verify_report report;
    struct change *writing;
    struct change_result result;
    const struct change_terms terms = sample_terms("many", 0);
    COMMIT(model, {ADD, "prod", 0});
    for (unsigned part = 0; part < 3; part++) {
        assert_int_equal(change_new(&writing, model->store), 0);
        for (unsigned i = 0; i < 3000; i++) {
            char name[64];
            snprintf(name, sizeof name, "prod/service-%u/KEY_%u", i % 50, part * 3000 + i);
            const struct path path = sample_path(name);
            assert_int_equal(change_set_plain(writing, &path, name, strlen(name)), 0);
        }
        assert_int_equal(change_commit(writing, &terms, &result), 0);
        change_result_release(&result);
        change_free(writing);
    }
    assert_int_equal(verify(model, &found, &report), 0);
    assert_int_equal(report.values, 9000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MODEL_TEST(test_a_good_store),
        MODEL_TEST(test_every_edit_is_found),
        MODEL_TEST(test_it_can_be_stopped),
        MODEL_TEST(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
