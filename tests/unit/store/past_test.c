/* What there was at a revision, against what was there when it was the newest. */
#include "tests/unit/store/model_support.h"

#include "store/history.h"

static uint32_t environment_at(struct model *model, const char *name, uint64_t rev)
{
    uint32_t id = 0;
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    const int found = history_environment(model->snapshot, &id, name, rev);
    assert_true(found == 0 || found == NOT_THERE);
    assert_int_equal(found == 0, id != 0);
    if (id)
        assert_int_equal(history_stands(model->snapshot, id, 0, rev), 0);
    snapshot_end(model->snapshot);
    return id;
}

static void test_environments_that_came_and_went(void **state)
{
    struct model *model = *state;
    const uint64_t one = COMMIT(model, {ADD, "prod", 0}, {ADD, "dev", 0});
    const uint64_t two = COMMIT(model, {DROP, "dev", 0});
    const uint64_t three = COMMIT(model, {ADD, "dev", 0});
    const uint64_t four = COMMIT(model, {DROP, "dev", 0});
    const uint64_t five = COMMIT(model, {ADD, "dev", 0});
    assert_int_equal(environment_at(model, "dev", one - 1), 0);
    assert_int_equal(environment_at(model, "dev", one), 2);
    assert_int_equal(environment_at(model, "dev", two), 0);
    assert_int_equal(environment_at(model, "dev", three), 3);
    assert_int_equal(environment_at(model, "dev", four), 0);
    assert_int_equal(environment_at(model, "dev", five), 4);
    assert_int_equal(environment_at(model, "dev", five + 100), 4);
    assert_int_equal(environment_at(model, "prod", one), 1);
    assert_int_equal(environment_at(model, "none", five), 0);
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    char name[ENVIRONMENT_NAME_MAX + 1] = "";
    uint32_t id;
    assert_int_equal(history_next_environment(model->snapshot, &id, name, four), 0);
    assert_string_equal(name, "prod");
    assert_int_equal(history_next_environment(model->snapshot, &id, name, four), NOT_THERE);
    name[0] = '\0';
    assert_int_equal(history_next_environment(model->snapshot, &id, name, one), 0);
    assert_string_equal(name, "dev");
    assert_int_equal(id, 2);
    snapshot_end(model->snapshot);
}

static void test_services_and_their_keys(void **state)
{
    struct model *model = *state;
    struct entry entry;
    char name[SERVICE_NAME_MAX + 1] = "";
    uint32_t id = 0;
    const uint64_t one = COMMIT(model, {ADD, "prod", 0}, {SET, "prod/web/A", 1},
                                {SET, "prod/web/C", 1}, {SET, "prod/api/X", 1});
    const uint64_t two =
        COMMIT(model, {DROP, "prod/web/A", 0}, {DROP, "prod/web/C", 0}, {DROP, "prod/web", 0});
    const uint64_t three = COMMIT(model, {SET, "prod/web/B", 1});
    const uint64_t four = COMMIT(model, {SET, "prod/api/Y", 1});
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    struct snapshot *snapshot = model->snapshot;
    assert_int_equal(history_service(snapshot, &id, 1, "web", one - 1), NOT_THERE);
    assert_int_equal(history_service(snapshot, &id, 1, "web", two), NOT_THERE);
    assert_int_equal(history_service(snapshot, &id, 1, "nobody", two), NOT_THERE);
    assert_int_equal(history_service(snapshot, &id, 1, "web", one), 0);
    const uint32_t web = id;
    assert_int_equal(history_stands(snapshot, 1, web, two), NOT_THERE);
    assert_int_equal(history_stands(snapshot, 1, web, three), 0);
    assert_int_equal(history_next_service(snapshot, &id, name, 1, two), 0);
    assert_string_equal(name, "api");
    assert_int_equal(history_next_service(snapshot, &id, name, 1, two), NOT_THERE);
    assert_int_equal(history_next_service(snapshot, &id, name, 1, three), 0);
    assert_string_equal(name, "web");
    static const struct {
        unsigned rev;
        const char *keys;
    } expected[] = {{0, "A C"}, {1, ""}, {2, "B"}, {3, "B"}};
    const uint64_t revs[] = {one, two, three, four};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        char keys[64] = "", after[KEY_NAME_MAX + 1] = "";
        while (!history_next_entry(snapshot, &entry, 1, web, after, revs[expected[i].rev])) {
            size_t used = strlen(keys);
            const size_t size = strlen(entry.key);
            assert_true(used + 1 + size < sizeof keys);
            if (used)
                keys[used++] = ' ';
            memcpy(keys + used, entry.key, size + 1);
            memcpy(after, entry.key, sizeof after);
            assert_int_equal(history_entry(snapshot, &entry, 1, web, after, revs[expected[i].rev]),
                             0);
        }
        assert_string_equal(keys, expected[i].keys);
    }
    assert_int_equal(history_entry(snapshot, &entry, 1, web, "A", two), NOT_THERE);
    assert_int_equal(history_entry(snapshot, &entry, 1, web, "NEVER", two), NOT_THERE);
    snapshot_end(snapshot);
}

/* Each outcome of a key is found by its place, in commits of one and of many chunks. */
static void test_outcomes_are_found(void **state)
{
    struct model *model = *state;
    static const size_t counts[] = {1, 2, 63, 64, 65, 127, 128, 129, 300};
    struct outcome outcome;
    uint32_t index;
    COMMIT(model, {ADD, "prod", 0}, {ADD, "dev", 0});
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        static struct sample_step steps[512];
        static char paths[512][64];
        for (size_t k = 0; k < counts[i]; k++) {
            snprintf(paths[k], sizeof paths[k], "%s/web/K%03zu", k % 3 ? "prod" : "dev", k);
            steps[k] = (struct sample_step){SET, paths[k], (unsigned)(10 * i + 1)};
        }
        const uint64_t rev = model_commit(model, steps, counts[i]);
        assert_int_equal(snapshot_begin(model->snapshot), 0);
        size_t keys = 0;
        for (uint32_t at = 0; !history_outcome(model->snapshot, &outcome, rev, at); at++) {
            const int found = history_outcome_of(model->snapshot, &index, outcome.environment,
                                                 outcome.service, outcome.name_id, rev);
            assert_int_equal(found, 0);
            assert_int_equal(index, at);
            keys += outcome.kind == OUTCOME_KEY;
        }
        assert_int_equal(keys, counts[i]);
        assert_int_equal(history_outcome_of(model->snapshot, &index, 1, 1, 9999, rev), NOT_THERE);
        assert_int_equal(history_outcome_of(model->snapshot, &index, 1, 0, 0, rev), NOT_THERE);
        assert_int_equal(history_outcome_of(model->snapshot, &index, 9, 1, 1, rev), NOT_THERE);
        snapshot_end(model->snapshot);
    }
}

/* A key that goes with its service and comes with it again, in one commit: the coming is found. */
static void test_the_coming_is_found(void **state)
{
    struct model *model = *state;
    struct outcome outcome;
    uint32_t index;
    COMMIT(model, {ADD, "prod", 0}, {SET, "prod/web/A", 1});
    const uint64_t rev =
        COMMIT(model, {DROP, "prod/web/A", 0}, {DROP, "prod/web", 0}, {SET, "prod/web/A", 2});
    const uint64_t gone = COMMIT(model, {DROP, "prod/web/A", 0});
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_int_equal(history_outcome_of(model->snapshot, &index, 1, 1, 1, rev), 0);
    assert_int_equal(history_outcome(model->snapshot, &outcome, rev, index), 0);
    assert_int_equal(outcome.mark, '+');
    assert_int_equal(outcome.incarnation, 1);
    assert_int_equal(history_outcome_of(model->snapshot, &index, 1, 1, 1, gone), NOT_THERE);
    snapshot_end(model->snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MODEL_TEST(test_environments_that_came_and_went),
        MODEL_TEST(test_services_and_their_keys),
        MODEL_TEST(test_outcomes_are_found),
        MODEL_TEST(test_the_coming_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
