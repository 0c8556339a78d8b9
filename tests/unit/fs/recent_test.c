#include "tests/unit/store/model_support.h"

#include "fs/recent.h"

#define NODE 4711u

static struct recents recents;

static struct entry find(struct model *model, const char *text)
{
    struct environment environment;
    struct service service;
    struct entry entry;
    const struct path path = sample_path(text);
    assert_int_equal(snapshot_environment(model->snapshot, &environment, path.environment), 0);
    assert_int_equal(snapshot_service(model->snapshot, &service, environment.id, path.service), 0);
    assert_int_equal(snapshot_entry(model->snapshot, &entry, environment.id, service.id, path.key),
                     0);
    return entry;
}

static void until_the_next_commit(void **state)
{
    struct model *model = *state;
    struct snapshot *snapshot = model->snapshot;
    memset(&recents, 0, sizeof(recents));
    const uint64_t rev = COMMIT(model, {ADD, "e", 0}, {SET, "e/s/A", 1}, {SET, "e/s/B", 2});
    assert_int_equal(snapshot_begin(snapshot), 0);
    const struct entry entry = find(model, "e/s/A");
    assert_null(recent_find(&recents, NODE, snapshot_newest(snapshot)));
    struct recent *noted = recent_note(&recents, NODE, snapshot, &entry, 3);
    recent_hold(noted, (const unsigned char *)"abc", 3);
    snapshot_end(snapshot);
    const struct recent *found = recent_find(&recents, NODE, snapshot_newest(snapshot));
    assert_non_null(found);
    assert_true(found->rev == rev && found->size == 3 && found->held == 3);
    assert_string_equal(found->entry.key, "A");
    assert_memory_equal(found->bytes, "abc", 3);
    assert_null(recent_find(&recents, NODE + 1, snapshot_newest(snapshot)));
    assert_null(recent_find(&recents, NODE, 0));
    /* whatever was committed */
    COMMIT(model, {SET, "e/s/B", 3});
    assert_null(recent_find(&recents, NODE, snapshot_newest(snapshot)));
}

static void the_latest_takes_the_place(void **state)
{
    struct model *model = *state;
    struct snapshot *snapshot = model->snapshot;
    static unsigned char large[RECENT_BYTES + 1];
    memset(&recents, 0, sizeof(recents));
    COMMIT(model, {ADD, "e", 0}, {SET, "e/s/A", 1});
    assert_int_equal(snapshot_begin(snapshot), 0);
    const struct entry entry = find(model, "e/s/A");
    recent_hold(recent_note(&recents, NODE, snapshot, &entry, 1), large, 1);
    struct recent *other =
        recent_note(&recents, NODE + RECENT_SLOTS, snapshot, &entry, sizeof(large));
    assert_int_equal(other->held, 0);
    recent_hold(other, large, sizeof(large));
    assert_int_equal(other->held, 0);
    recent_hold(other, large, RECENT_BYTES);
    assert_int_equal(other->held, RECENT_BYTES);
    snapshot_end(snapshot);
    assert_null(recent_find(&recents, NODE, snapshot_newest(snapshot)));
    assert_non_null(recent_find(&recents, NODE + RECENT_SLOTS, snapshot_newest(snapshot)));
    /* what was never filled is not the node 0 */
    assert_null(recent_find(&recents, 0, snapshot_newest(snapshot)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MODEL_TEST(until_the_next_commit),
        MODEL_TEST(the_latest_takes_the_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
