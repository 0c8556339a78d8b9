#include "tests/unit/store/model_support.h"

#include "store/db/keys.h"
#include "store/log/state.h"
#include "tests/support/store/dice.h"

static struct entry find(struct model *model, const char *text)
{
    const struct path path = sample_path(text);
    struct environment environment;
    struct service service;
    struct entry entry;
    assert_int_equal(snapshot_environment(model->snapshot, &environment, path.environment), 0);
    assert_int_equal(snapshot_service(model->snapshot, &service, environment.id, path.service), 0);
    assert_int_equal(snapshot_entry(model->snapshot, &entry, environment.id, service.id, path.key),
                     0);
    return entry;
}

static void test_lookups(void **state)
{
    struct model *model = *state;
    struct environment environment;
    struct service service;
    struct entry entry, same;
    char key[KEY_NAME_MAX + 1], name[64];
    uint32_t owner;
    const uint64_t rev = COMMIT(model, {ADD, "prod", 0}, {SET, "prod/billing/A", 1});
    const uint64_t next = COMMIT(model, {SET, "prod/billing/A", 2}, {SET, "prod/billing/B", 3});
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_int_equal(snapshot_revision(model->snapshot), next);
    assert_int_equal(snapshot_environment(model->snapshot, &environment, "prod"), 0);
    assert_int_equal(environment.made_rev, rev);
    assert_int_equal(environment.changed_rev, next);
    assert_int_equal(snapshot_environment_by_id(model->snapshot, &environment, 1), 0);
    assert_string_equal(environment.name, "prod");
    assert_int_equal(snapshot_environment_by_id(model->snapshot, &environment, 2), NOT_THERE);
    assert_int_equal(snapshot_environment(model->snapshot, &environment, "dev"), NOT_THERE);
    assert_int_equal(snapshot_service_by_id(model->snapshot, &service, 1, 1, SERVICE_ANY), 0);
    assert_string_equal(service.name, "billing");
    assert_int_equal(snapshot_service_by_id(model->snapshot, &service, 1, 1, 0), 0);
    assert_int_equal(snapshot_service_by_id(model->snapshot, &service, 1, 1, 1), NOT_THERE);
    assert_int_equal(snapshot_service_by_id(model->snapshot, &service, 1, 9, 0), NOT_THERE);
    entry = find(model, "prod/billing/A");
    assert_int_equal(entry.rev, next);
    assert_int_equal(entry.first_rev, rev);
    assert_true(entry.first_time < entry.time);
    assert_int_equal(entry.origin, ORIGIN_OWN);
    assert_int_equal(snapshot_entry_by_name(model->snapshot, &same, 1, entry.name_id), 0);
    assert_string_equal(same.key, "A");
    assert_int_equal(same.rev, next);
    assert_int_equal(snapshot_entry_by_name(model->snapshot, &same, 2, entry.name_id), NOT_THERE);
    assert_int_equal(snapshot_entry_by_name(model->snapshot, &same, 1, 99), NOT_THERE);
    assert_int_equal(snapshot_entry(model->snapshot, &same, 1, 1, "Z"), NOT_THERE);
    assert_int_equal(snapshot_name(model->snapshot, &owner, key, entry.name_id), 0);
    assert_string_equal(key, "A");
    assert_int_equal(owner, 1);
    assert_int_equal(snapshot_service_name(model->snapshot, name, 1), 0);
    assert_string_equal(name, "billing");
    assert_int_equal(snapshot_environment_name(model->snapshot, name, 1), 0);
    assert_string_equal(name, "prod");
    snapshot_end(model->snapshot);
}

/* Byte order, what ended left out, names that a prefix would confuse. */
static void test_listings(void **state)
{
    struct model *model = *state;
    struct environment environment = {0};
    struct service service = {0};
    struct entry entry = {0};
    char all[256] = "";
    COMMIT(model, {ADD, "prod", 0}, {ADD, "a", 0}, {ADD, "gone", 0}, {ADD, "Z", 0},
           {SET, "prod/b/B", 1}, {SET, "prod/b/A", 1}, {SET, "prod/b/AB", 1}, {SET, "prod/b/.x", 1},
           {ADD, "prod/ab", 0}, {ADD, "prod/gone", 0}, {SET, "a/b/C", 1});
    COMMIT(model, {DROP, "gone", 0}, {DROP, "prod/gone", 0}, {DROP, "prod/b/AB", 0});
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    for (size_t n = 0; !snapshot_next_environment(model->snapshot, &environment, environment.name);)
        n += (size_t)snprintf(all + n, sizeof all - n, "%s ", environment.name);
    assert_string_equal(all, "Z a prod ");
    for (size_t n = 0; !snapshot_next_service(model->snapshot, &service, 1, service.name);)
        n += (size_t)snprintf(all + n, sizeof all - n, "%s ", service.name);
    assert_string_equal(all, "ab b ");
    assert_int_equal(snapshot_service(model->snapshot, &service, 1, "b"), 0);
    for (size_t n = 0; !snapshot_next_entry(model->snapshot, &entry, 1, service.id, entry.key);)
        n += (size_t)snprintf(all + n, sizeof all - n, "%s ", entry.key);
    assert_string_equal(all, ".x A B ");
    snapshot_end(model->snapshot);
}

/* A service that is removed and placed again is another directory, its name's id the same. */
static void test_incarnations(void **state)
{
    struct model *model = *state;
    struct service before, after;
    COMMIT(model, {ADD, "prod", 0}, {ADD, "prod/web", 0});
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_int_equal(snapshot_service(model->snapshot, &before, 1, "web"), 0);
    snapshot_end(model->snapshot);
    COMMIT(model, {DROP, "prod/web", 0});
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_int_equal(snapshot_service(model->snapshot, &after, 1, "web"), NOT_THERE);
    snapshot_end(model->snapshot);
    COMMIT(model, {ADD, "prod/web", 0});
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_int_equal(snapshot_service(model->snapshot, &after, 1, "web"), 0);
    assert_int_equal(after.id, before.id);
    assert_int_equal(after.incarnation, before.incarnation + 1);
    assert_int_equal(
        snapshot_service_by_id(model->snapshot, &after, 1, before.id, before.incarnation),
        NOT_THERE);
    snapshot_end(model->snapshot);
}

static void test_as_of(void **state)
{
    struct model *model = *state;
    struct entry entry;
    const uint64_t one = COMMIT(model, {ADD, "prod", 0}, {SET, "prod/web/A", 1});
    const uint64_t two = COMMIT(model, {SET, "prod/web/A", 2});
    const uint64_t three = COMMIT(model, {DROP, "prod/web/A", 0});
    const uint64_t four = COMMIT(model, {SECRET, "prod/web/A", 3});
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    const uint64_t name = find(model, "prod/web/A").name_id;
    assert_int_equal(snapshot_entry_at(model->snapshot, &entry, 1, name, one - 1), NOT_THERE);
    assert_int_equal(snapshot_entry_at(model->snapshot, &entry, 1, name, one), 0);
    assert_int_equal(entry.rev, one);
    const uint64_t life = entry.defined.entry_id;
    assert_int_equal(snapshot_entry_at(model->snapshot, &entry, 1, name, two), 0);
    assert_int_equal(entry.rev, two);
    assert_int_equal(entry.first_rev, one);
    assert_int_equal(entry.defined.entry_id, life);
    assert_string_equal(entry.key, "A");
    assert_int_equal(snapshot_entry_at(model->snapshot, &entry, 1, name, three), NOT_THERE);
    assert_int_equal(snapshot_entry_at(model->snapshot, &entry, 1, name, four + 9), 0);
    assert_int_equal(entry.kind, ENTRY_SECRET);
    assert_int_equal(entry.first_rev, four);
    assert_true(entry.defined.entry_id > life);
    assert_int_equal(snapshot_entry_at(model->snapshot, &entry, 2, name, four), NOT_THERE);
    assert_int_equal(snapshot_entry_at(model->snapshot, &entry, 1, name + 1, four), NOT_THERE);
    snapshot_end(model->snapshot);
}

static void test_last_version(void **state)
{
    struct model *model = *state;
    struct entry entry;
    COMMIT(model, {ADD, "prod", 0}, {SET, "prod/web/A", 1});
    const uint64_t two = COMMIT(model, {SET, "prod/web/A", 2});
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    const uint64_t name = find(model, "prod/web/A").name_id;
    assert_int_equal(snapshot_entry_last(model->snapshot, &entry, 1, name), 0);
    assert_int_equal(entry.rev, two);
    snapshot_end(model->snapshot);
    COMMIT(model, {DROP, "prod/web/A", 0});
    COMMIT(model, {SET, "prod/web/A", 3}, {DROP, "prod/web/A", 0}, {SET, "prod/web/B", 1});
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_int_equal(snapshot_entry_last(model->snapshot, &entry, 1, name), 0);
    assert_int_equal(entry.rev, two);
    assert_string_equal(entry.key, "A");
    assert_int_equal(snapshot_entry_last(model->snapshot, &entry, 1, name + 9), NOT_THERE);
    snapshot_end(model->snapshot);
}

static void set_bytes(struct model *model, const char *text, const void *value, size_t size,
                      bool is_secret)
{
    struct change *change;
    struct change_result result;
    struct secret hidden = {0};
    const struct path path = sample_path(text);
    const struct change_terms terms = sample_terms("bytes", 0);
    assert_int_equal(change_new(&change, model->store), 0);
    if (is_secret) {
        assert_int_equal(secret_copy(&hidden, value, size), 0);
        assert_int_equal(change_set_secret(change, &path, &hidden), 0);
    } else {
        assert_int_equal(change_set_plain(change, &path, value, size), 0);
    }
    assert_int_equal(change_commit(change, &terms, &result), 0);
    change_result_release(&result);
    change_free(change);
}

static void test_values_of_every_size(void **state)
{
    struct model *model = *state;
    static const size_t sizes[] = {0, 1, 63, 64, 65, 4096, 60000, VALUE_MAX};
    unsigned char *value = malloc(VALUE_MAX);
    SECRET_CLEANUP struct secret scratch = {0};
    for (size_t i = 0; i < VALUE_MAX; i++)
        value[i] = (unsigned char)(i * 7 + i / 251);
    COMMIT(model, {ADD, "prod", 0});
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof sizes[0]; i++) {
        const size_t wanted = sizes[i / 2];
        const unsigned char *data;
        size_t size;
        const char *path = i % 2 ? "prod/web/S" : "prod/web/P";
        set_bytes(model, path, value, wanted, i % 2);
        assert_int_equal(snapshot_begin(model->snapshot), 0);
        const struct entry entry = find(model, path);
        for (int again = 0; again < 2; again++) {
            assert_int_equal(snapshot_size(model->snapshot, &size, &entry), 0);
            assert_int_equal(size, wanted);
        }
        assert_int_equal(snapshot_value(model->snapshot, &data, &size, &entry, &scratch), 0);
        assert_int_equal(size, wanted);
        if (size)
            assert_memory_equal(data, value, size);
        snapshot_end(model->snapshot);
    }
    free(value);
}

/* A snapshot stays where it was begun, whatever is written meanwhile. */
static void test_consistency(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod", 0}, {SET, "prod/web/A", 1}, {SET, "prod/web/B", 1});
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_true(sample_has(model->snapshot, "prod/web/A", 1));
    const uint64_t rev = COMMIT(model, {SET, "prod/web/A", 2}, {SET, "prod/web/B", 2});
    assert_int_equal(store_revision(model->store), rev);
    assert_int_equal(snapshot_revision(model->snapshot), rev - 1);
    assert_true(sample_has(model->snapshot, "prod/web/B", 1));
    snapshot_end(model->snapshot);
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_true(sample_has(model->snapshot, "prod/web/A", 2));
    assert_true(sample_has(model->snapshot, "prod/web/B", 2));
    snapshot_end(model->snapshot);
}

static void test_without_an_identity(void **state)
{
    struct model *model = *state;
    SECRET_CLEANUP struct secret scratch = {0};
    const unsigned char *data;
    size_t size;
    COMMIT(model, {ADD, "prod", 0}, {SET, "prod/web/P", 1}, {SECRET, "prod/web/S", 2});
    model_reopen(model, false);
    assert_false(store_unlocked(model->store));
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    const struct entry entry = find(model, "prod/web/S");
    assert_int_equal(snapshot_size(model->snapshot, &size, &entry), ERR(ERR_NO_KEY));
    assert_int_equal(snapshot_value(model->snapshot, &data, &size, &entry, &scratch),
                     ERR(ERR_NO_KEY));
    assert_true(sample_has(model->snapshot, "prod/web/P", 1));
    snapshot_end(model->snapshot);
    /* Public keys are enough to set one. */
    COMMIT(model, {SECRET, "prod/web/S", 3}, {SECRET, "prod/web/T", 4}, {ADD, "dev", 0},
           {SECRET, "dev/api/S", 5});
    model_reopen(model, true);
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_true(sample_has(model->snapshot, "prod/web/S", 3));
    assert_true(sample_has(model->snapshot, "prod/web/T", 4));
    assert_true(sample_has(model->snapshot, "dev/api/S", 5));
    snapshot_end(model->snapshot);
}

static void show_other_record(struct txn *txn)
{
    struct spot spot;
    assert_int_equal(state_current(txn, &spot, 1, 1, "S"), 0);
    memcpy(spot.key, "T", 2);
    state_put_current(txn, &spot);
}

/* And the name made to fit. */
static void show_other_secret(struct txn *txn)
{
    struct spot spot, other;
    assert_int_equal(state_current(txn, &spot, 1, 1, "S"), 0);
    assert_int_equal(state_current(txn, &other, 1, 1, "T"), 0);
    spot.name_id = other.name_id;
    memcpy(spot.key, "T", 2);
    state_put_current(txn, &spot);
}

/* The same in the other service: the envelope itself knows where it belongs. */
static void show_in_other_service(struct txn *txn)
{
    struct spot spot, other;
    assert_int_equal(state_current(txn, &spot, 1, 1, "S"), 0);
    assert_int_equal(state_current(txn, &other, 1, 2, "S"), 0);
    other.since = spot.since;
    other.op = spot.op;
    other.stored_size = spot.stored_size;
    state_put_current(txn, &other);
}

static unsigned alarms;
static void on_alarm(void *arg, const char *text)
{
    assert_null(arg);
    assert_true(text[0] != '\0');
    alarms++;
}

static void must_not_open(struct model *model, uint32_t service, const char *key)
{
    char beside[TRIAL_PATH_MAX + 16];
    struct identity *identity;
    struct entry entry;
    const unsigned char *data;
    size_t size;
    SECRET_CLEANUP struct secret scratch = {0};
    const struct store_options options = {.path = model->path, .lock_fd = -1, .alarm = on_alarm};
    struct store_status status;
    alarms = 0;
    assert_int_equal(store_open(&model->store, &options), 0);
    snprintf(beside, sizeof beside, "%s.identity", model->path);
    assert_int_equal(identity_load(&identity, beside), 0);
    assert_int_equal(store_unlock(model->store, identity), 0);
    assert_int_equal(snapshot_new(&model->snapshot, model->store), 0);
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_int_equal(snapshot_entry(model->snapshot, &entry, 1, service, key), 0);
    assert_int_equal(snapshot_value(model->snapshot, &data, &size, &entry, &scratch),
                     ERR(ERR_CORRUPT));
    assert_int_equal(alarms, 1);
    assert_int_equal(snapshot_size(model->snapshot, &size, &entry), ERR(ERR_CORRUPT));
    assert_int_equal(alarms, 2);
    assert_int_equal(scratch.size, 0);
    snapshot_end(model->snapshot);
    assert_int_equal(store_status(model->store, &status), 0);
    assert_int_equal(status.alarms, 2);
}

/* Whose record it is says the record itself: it is no entry of another key. */
static void test_a_moved_record_is_damage(void **state)
{
    struct model *model = *state;
    struct entry entry;
    COMMIT(model, {ADD, "prod", 0}, {SECRET, "prod/web/S", 1}, {SECRET, "prod/web/T", 2});
    model_edit(model, show_other_record);
    model->store = sample_open(model->path, true);
    assert_int_equal(snapshot_new(&model->snapshot, model->store), 0);
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_int_equal(snapshot_entry(model->snapshot, &entry, 1, 1, "S"), 0);
    assert_int_equal(snapshot_entry(model->snapshot, &entry, 1, 1, "T"), ERR(ERR_CORRUPT));
    snapshot_end(model->snapshot);
}

static void test_a_moved_secret_does_not_open(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod", 0}, {SECRET, "prod/web/S", 1}, {SECRET, "prod/web/T", 2});
    model_edit(model, show_other_secret);
    must_not_open(model, 1, "T");
}

static void test_nor_in_another_service(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod", 0}, {SECRET, "prod/web/S", 1}, {SECRET, "prod/api/S", 2});
    model_edit(model, show_in_other_service);
    must_not_open(model, 2, "S");
}

/* The same stamp: the same records. */
static void test_stamps(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod", 0}, {SET, "prod/web/A", 1});
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    const uint64_t stamp = snapshot_stamp(model->snapshot);
    assert_true(stamp != 0);
    assert_true(snapshot_newest(model->snapshot) == stamp);
    const uint64_t next = COMMIT(model, {SET, "prod/web/A", 2});
    assert_true(snapshot_stamp(model->snapshot) == stamp);
    assert_true(snapshot_newest(model->snapshot) != stamp);
    snapshot_end(model->snapshot);
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_int_equal(snapshot_revision(model->snapshot), next);
    assert_true(snapshot_stamp(model->snapshot) == snapshot_newest(model->snapshot));
    snapshot_end(model->snapshot);
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_int_equal(snapshot_revision(model->snapshot), next);
    snapshot_end(model->snapshot);
}

/* What lies sealed opens without the store, but only a version that was opened before. */
static void test_sealed(void **state)
{
    struct model *model = *state;
    SECRET_CLEANUP struct secret scratch = {0};
    BYTES_CLEANUP struct bytes copy = BYTES_INIT(1u << 20);
    const unsigned char *data;
    size_t size;
    COMMIT(model, {ADD, "prod", 0}, {SECRET, "prod/web/S", 1});
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    const struct entry entry = find(model, "prod/web/S");
    assert_int_equal(snapshot_sealed(model->snapshot, &data, &size, &entry), 0);
    bytes_append(&copy, data, size);
    assert_int_equal(snapshot_reopen(model->snapshot, &entry, copy.data, copy.size, &scratch),
                     NOT_THERE);
    assert_int_equal(snapshot_value(model->snapshot, &data, &size, &entry, &scratch), 0);
    unsigned char value[VALUE_OF_MAX];
    memcpy(value, data, size);
    secret_clear(&scratch);
    snapshot_end(model->snapshot);
    assert_int_equal(snapshot_reopen(model->snapshot, &entry, copy.data, copy.size, &scratch), 0);
    assert_int_equal(scratch.size, size);
    assert_memory_equal(scratch.data, value, size);
    struct entry other = entry;
    other.value.name_id++; /* what the envelope is bound to */
    assert_int_equal(snapshot_reopen(model->snapshot, &other, copy.data, copy.size, &scratch),
                     ERR(ERR_CORRUPT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MODEL_TEST(test_lookups),
        MODEL_TEST(test_listings),
        MODEL_TEST(test_incarnations),
        MODEL_TEST(test_as_of),
        MODEL_TEST(test_last_version),
        MODEL_TEST(test_values_of_every_size),
        MODEL_TEST(test_consistency),
        MODEL_TEST(test_stamps),
        MODEL_TEST(test_sealed),
        MODEL_TEST(test_without_an_identity),
        MODEL_TEST(test_a_moved_record_is_damage),
        MODEL_TEST(test_a_moved_secret_does_not_open),
        MODEL_TEST(test_nor_in_another_service),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
