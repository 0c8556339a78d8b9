#include "tests/unit/store/told.h"

#include "store/relations.h"

static uint32_t id_of(struct model *model, const char *name)
{
    struct environment environment;
    assert_int_equal(snapshot_environment(model->snapshot, &environment, name), 0);
    return environment.id;
}

static void test_layers(void **state)
{
    struct model *model = *state;
    uint32_t layers[LAYERS_MAX];
    COMMIT(model, {ADD, "dev"});
    COMMIT(model, {ADD, "kid", .text = "dev"});
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    const uint32_t dev = id_of(model, "dev"), kid = id_of(model, "kid");
    assert_int_equal(relation_layers(model->snapshot, layers, kid), 2);
    assert_true(layers[0] == kid && layers[1] == dev);
    assert_int_equal(relation_layers(model->snapshot, layers, 99), 0);
    snapshot_end(model->snapshot);
    COMMIT(model, {ADD, "all"});
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    const uint32_t all = id_of(model, "all");
    assert_int_equal(relation_layers(model->snapshot, layers, kid), 3);
    assert_true(layers[0] == kid && layers[1] == dev && layers[2] == all);
    assert_int_equal(relation_layers(model->snapshot, layers, all), 1);
    assert_int_equal(layers[0], all);
    snapshot_end(model->snapshot);
}

static void expect_referrers(struct model *model, const char *layer, const char *key,
                             const char *expected)
{
    struct referrer at = {0};
    char all[256] = "";
    size_t size = 0;
    int found;
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    const uint32_t id = id_of(model, layer);
    while (!(found = relation_next_referrer(model->snapshot, &at, id, "db", key)))
        size += (size_t)snprintf(all + size, sizeof all - size, "%s ", at.key);
    assert_int_equal(found, NOT_THERE);
    snapshot_end(model->snapshot);
    assert_string_equal(all, expected);
}

static void test_referrers(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {SET_TEXT, "prod/db/A", .text = "1"},
           {SET_TEXT, "prod/db/AA", .text = "1"}, {SHARE_WITH, "prod/db/A", .text = "*"},
           {SHARE_WITH, "prod/db/AA", .text = "*"}, {SET_LINK, "prod/web/L", .text = "db/A"},
           {SET_TEMPLATE, "prod/web/T", .text = "${db/A}${db/A|url}${db/AA}"},
           {SET_TEMPLATE, "prod/db/OWN", .text = "${A}"}, {SET_LINK, "all/web/L", .text = "db/A"});
    expect_referrers(model, "prod", "A", "L T OWN ");
    expect_referrers(model, "prod", "AA", "T ");
    expect_referrers(model, "prod", "NONE", "");
    expect_referrers(model, "all", "A", "L ");
    COMMIT(model, {SET_TEXT, "prod/web/T", .text = "1"}, {SET_LINK, "prod/web/L", .text = "db/AA"},
           {DROP, "prod/db/OWN"});
    expect_referrers(model, "prod", "A", "");
    expect_referrers(model, "prod", "AA", "L ");
}

static int is_shared(struct model *model, const char *environment, const char *service,
                     const char *key, const char *consumer, uint64_t *rev, uint32_t *layer)
{
    *rev = 99;
    *layer = 99;
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    const int shared = relation_is_shared(model->snapshot, id_of(model, environment), service, key,
                                          consumer, rev, layer);
    snapshot_end(model->snapshot);
    return shared;
}

static void test_shares(void **state)
{
    struct model *model = *state;
    struct share at = {0};
    uint64_t rev;
    uint32_t layer;
    COMMIT(model, {ADD, "dev"}, {SECRET_TEXT, "dev/db/P", .text = "1"},
           {SECRET_TEXT, "dev/shared/S", .text = "1"}, {SET_TEXT, "dev/shared/O", .text = "1"});
    const uint64_t one = COMMIT(model, {SHARE_WITH, "dev/db/P", .text = "web"});
    const uint64_t two = COMMIT(model, {SHARE_WITH, "dev/db/P", .text = "api"});
    COMMIT(model, {ADD, "kid", .text = "dev"});
    assert_int_equal(is_shared(model, "kid", "db", "P", "web", &rev, &layer), 1);
    assert_int_equal(rev, one);
    assert_int_equal(layer, 1);
    assert_int_equal(is_shared(model, "dev", "db", "P", "mail", &rev, &layer), 0);
    assert_int_equal(is_shared(model, "dev", "db", "NONE", "web", &rev, &layer), 0);
    /* From birth: what is plain, and of `shared`. */
    assert_int_equal(is_shared(model, "kid", "shared", "O", "mail", &rev, &layer), 1);
    assert_int_equal(rev, 0);
    assert_int_equal(is_shared(model, "kid", "shared", "S", "mail", &rev, &layer), 0);
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_int_equal(relation_next_share(model->snapshot, &at, 1, "db", "P"), 0);
    assert_string_equal(at.consumer, "api");
    assert_int_equal(at.rev, two);
    assert_int_equal(relation_next_share(model->snapshot, &at, 1, "db", "P"), 0);
    assert_string_equal(at.consumer, "web");
    assert_int_equal(relation_next_share(model->snapshot, &at, 1, "db", "P"), NOT_THERE);
    snapshot_end(model->snapshot);
    COMMIT(model, {UNSHARE_WITH, "dev/db/P", .text = "web"});
    assert_int_equal(is_shared(model, "kid", "db", "P", "web", &rev, &layer), 0);
    COMMIT(model, {SHARE_WITH, "dev/db/P", .text = "*"});
    assert_int_equal(is_shared(model, "kid", "db", "P", "anybody", &rev, &layer), 1);
}

static void test_shares_of_service(void **state)
{
    struct model *model = *state;
    struct share at = {0};
    static const char *const order[][2] = {{"A", "*"}, {"A", "web"}, {"B", "api"}, {"AA", "web"}};
    COMMIT(model, {ADD, "dev"}, {ADD, "prod"}, {SET_TEXT, "dev/db/A", .text = "1"},
           {SET_TEXT, "dev/db/AA", .text = "1"}, {SET_TEXT, "dev/db/B", .text = "1"},
           {SET_TEXT, "dev/db-2/A", .text = "1"}, {SET_TEXT, "prod/db/C", .text = "1"});
    COMMIT(model, {SHARE_WITH, "dev/db/B", .text = "api"}, {SHARE_WITH, "dev/db/A", .text = "web"},
           {SHARE_WITH, "dev/db/A", .text = "*"}, {SHARE_WITH, "dev/db/AA", .text = "web"},
           {SHARE_WITH, "dev/db-2/A", .text = "web"}, {SHARE_WITH, "prod/db/C", .text = "web"});
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(relation_next_share_in(model->snapshot, &at, 1, "db"), 0);
        assert_string_equal(at.service, "db");
        assert_string_equal(at.key, order[i][0]);
        assert_string_equal(at.consumer, order[i][1]);
    }
    assert_int_equal(relation_next_share_in(model->snapshot, &at, 1, "db"), NOT_THERE);
    at = (struct share){0};
    assert_int_equal(relation_next_share_in(model->snapshot, &at, 1, "none"), NOT_THERE);
    snapshot_end(model->snapshot);
}

static void test_locks(void **state)
{
    struct model *model = *state;
    struct lock lock, at = {0};
    static const char *const order[][2] = {{"", ""}, {"web", ""}, {"web", "A"}};
    COMMIT(model, {ADD, "prod"}, {SET_TEXT, "prod/web/A", .text = "1"},
           {SET_TEXT, "prod/api/A", .text = "1"}, {ADD, "test"},
           {SET_TEXT, "test/a/A", .text = "1"});
    const uint64_t key = COMMIT(model, {LOCK_PLACE, "prod/web/A"});
    const uint64_t service = COMMIT(model, {LOCK_PLACE, "prod/web"}, {LOCK_PLACE, "test/a/A"});
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_int_equal(relation_lock(model->snapshot, &lock, 1, "web", "A"), 0);
    assert_int_equal(lock.rev, key);
    assert_int_equal(relation_lock(model->snapshot, &lock, 1, "web", "B"), 0);
    assert_int_equal(lock.rev, service);
    assert_string_equal(lock.key, "");
    assert_int_equal(relation_lock(model->snapshot, &lock, 1, "api", "A"), NOT_THERE);
    snapshot_end(model->snapshot);
    const uint64_t whole = COMMIT(model, {LOCK_PLACE, "prod"});
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_int_equal(relation_lock(model->snapshot, &lock, 1, "api", "A"), 0);
    assert_int_equal(lock.rev, whole);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(relation_next_lock(model->snapshot, &at, 1), 0);
        assert_string_equal(at.service, order[i][0]);
        assert_string_equal(at.key, order[i][1]);
    }
    assert_int_equal(relation_next_lock(model->snapshot, &at, 1), NOT_THERE);
    snapshot_end(model->snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MODEL_TEST(test_layers), MODEL_TEST(test_referrers),
        MODEL_TEST(test_shares), MODEL_TEST(test_shares_of_service),
        MODEL_TEST(test_locks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
