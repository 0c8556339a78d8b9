/* Schemas as they are set and removed, and where their defaults show. */
#include "tests/unit/store/told.h"

#include "store/expiry.h"
#include "tests/support/store/declare.h"

static void test_a_default_shows_where_nothing_is_set(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "dev"}, {ADD, "prod"}, {ADD, "dev/web"}, {ADD, "prod/web"},
           {SET_TEXT, "dev/web/LEVEL", .text = "debug"});
    const uint64_t set = COMMIT(
        model, {SET_SCHEMA, "all/web", .text = "PORT:port=8080 LEVEL:string=info HOST:hostname"});
    TOLD(model, set, "+dev/web/PORT\n+prod/web/LEVEL\n+prod/web/PORT\n+all\n+all/web\n");
    READS(model, "dev/web/PORT", "8080", set);
    READS(model, "prod/web/LEVEL", "info", set);
    char value[TOLD_MAX];
    const struct entry entry = told_entry(model, value, "prod/web/LEVEL");
    assert_int_equal(entry.origin, ORIGIN_SCHEMA);
    assert_int_equal(entry.kind, ENTRY_PLAIN);
    assert_true(entry.defined.environment & LAYER_OF_DEFAULTS);
    assert_true(told_gone(model, "all/web/PORT"));
    const uint64_t own = COMMIT(model, {SET_TEXT, "prod/web/PORT", .text = "80"});
    TOLD(model, own, "~prod/web/PORT\n");
    const uint64_t all = COMMIT(model, {SET_TEXT, "all/web/LEVEL", .text = "warn"});
    TOLD(model, all, "~prod/web/LEVEL\n+all/web/LEVEL\n");
    const uint64_t back = COMMIT(model, {DROP, "prod/web/PORT"}, {DROP, "all/web/LEVEL"});
    TOLD(model, back, "~prod/web/LEVEL\n~prod/web/PORT\n-all/web/LEVEL\n");
    READS(model, "prod/web/PORT", "8080", back);
    assert_int_equal(sample_verify(model->store, true), 0);
}

static void test_only_what_became_other_moves(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {ADD, "prod/web"});
    const uint64_t first =
        COMMIT(model, {SET_SCHEMA, "prod/web", .text = "A:string=a B:string=b C:string=c"});
    TOLD(model, first, "+prod/web/A\n+prod/web/B\n+prod/web/C\n");
    const uint64_t second =
        COMMIT(model, {SET_SCHEMA, "prod/web", .text = "A:string=a B:string=x D:string=d"});
    TOLD(model, second, "~prod/web/B\n-prod/web/C\n+prod/web/D\n");
    READS(model, "prod/web/A", "a", first);
    READS(model, "prod/web/B", "x", second);
    struct change_result result;
    assert_int_equal(
        SAMPLE_COMMIT(model->store, &result, "", 0,
                      {SET_SCHEMA, "prod/web", .text = "D:string=d A:string=a B:string=x"}),
        0);
    assert_false(result.committed);
    assert_int_equal(result.lines[0].mark, '=');
    change_result_release(&result);
    const uint64_t gone = COMMIT(model, {UNSET_SCHEMA, "prod/web"});
    TOLD(model, gone, "-prod/web/A\n-prod/web/B\n-prod/web/D\n");
    assert_int_equal(sample_verify(model->store, true), 0);
}

static void test_the_nearest_schema_is_in_force_alone(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "dev"}, {ADD, "dev/web"}, {ADD, "kid", .text = "dev"},
           {SET_SCHEMA, "all/web", .text = "A:string=all B:string=all"});
    const uint64_t base = COMMIT(model, {SET_SCHEMA, "dev/web", .text = "A:string=dev"});
    TOLD(model, base, "~dev/web/A\n-dev/web/B\n~kid/web/A\n-kid/web/B\n");
    const uint64_t kid =
        COMMIT(model, {SET_SCHEMA, "kid/web", .text = "B:string=kid C:string=kid"});
    TOLD(model, kid, "-kid/web/A\n+kid/web/B\n+kid/web/C\n");
    const uint64_t all = COMMIT(model, {SET_SCHEMA, "all/web", .text = "A:string=other"});
    TOLD(model, all, "");
    const uint64_t back = COMMIT(model, {UNSET_SCHEMA, "dev/web"}, {UNSET_SCHEMA, "kid/web"});
    TOLD(model, back, "~dev/web/A\n+kid/web/A\n-kid/web/B\n-kid/web/C\n");
    READS(model, "kid/web/A", "other", back);
    assert_int_equal(sample_verify(model->store, true), 0);
}

static void test_references_reach_defaults(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {ADD, "prod/web"}, {ADD, "prod/api"});
    REFUSED(model, "which is not there in 'prod'",
            {SET_TEMPLATE, "prod/web/URL", .text = "http://h:${PORT}"});
    const uint64_t set = COMMIT(model, {SET_SCHEMA, "prod/web", .text = "PORT:port=8080"},
                                {SET_TEMPLATE, "prod/web/URL", .text = "http://h:${PORT}"});
    READS(model, "prod/web/URL", "http://h:8080", set);
    const uint64_t other = COMMIT(model, {SET_SCHEMA, "prod/web", .text = "PORT:port=9090"});
    TOLD(model, other, "~prod/web/PORT\n~prod/web/URL\n");
    READS(model, "prod/web/URL", "http://h:9090", other);
    REFUSED(model, "which is not there in 'prod'", {UNSET_SCHEMA, "prod/web"});
    REFUSED(model, "which is not shared with 'api'", {SET_LINK, "prod/api/P", .text = "web/PORT"});
    COMMIT(model, {SHARE_WITH, "prod/web/PORT", .text = "api"},
           {SET_LINK, "prod/api/P", .text = "web/PORT"});
    READS(model, "prod/api/P", "9090", store_revision(model->store));
    /* What ends may be referred to where a default stays. */
    COMMIT(model, {SET_TEXT, "prod/web/PORT", .text = "1", .ttl = 3600});
    assert_int_equal(sample_verify(model->store, true), 0);
}

static void test_a_lock_protects_from_defaults(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {ADD, "prod/web"}, {SET_SCHEMA, "all/web", .text = "A:string=a"});
    COMMIT(model, {LOCK_PLACE, "prod/web/A"});
    REFUSED(model, "is locked", {SET_SCHEMA, "all/web", .text = "A:string=b"});
    REFUSED(model, "is locked", {SET_SCHEMA, "prod/web", .text = "B:string=b"});
    COMMIT(model, {SET_SCHEMA, "all/web", .text = "A:string=a B:string=b"});
    assert_int_equal(sample_verify(model->store, true), 0);
}

static void test_a_service_takes_its_schema_along(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {ADD, "prod/web"}, {SET_SCHEMA, "all/web", .text = "A:string=a"},
           {SET_SCHEMA, "prod/web", .text = "B:string=b"});
    const uint64_t gone = COMMIT(model, {DROP, "prod/web"});
    TOLD(model, gone, "-prod/web\n-prod/web/B\n");
    const uint64_t made = COMMIT(model, {ADD, "prod/web"});
    TOLD(model, made, "+prod/web\n+prod/web/A\n");
    const uint64_t all = COMMIT(model, {DROP, "all/web"});
    TOLD(model, all, "-prod/web/A\n-all/web\n");
    assert_int_equal(sample_verify(model->store, true), 0);
}

static void test_what_ends_takes_its_schemas_along(void **state)
{
    struct model *model = *state;
    struct expiry_result result;
    COMMIT(model, {ADD, "dev"}, {ADD, "dev/web"}, {ADD, "kid", .text = "dev", .ttl = 1},
           {SET_SCHEMA, "dev/web", .text = "A:string=a"},
           {SET_SCHEMA, "kid/web", .text = "B:string=b C:string,required"});
    assert_int_equal(expiry_commit(model->store, &result, INT64_MAX / 2), 0);
    TOLD(model, result.rev, "-kid\n-kid/web\n-kid/web/B\n");
    /* And a default shows when what lay over it has ended. */
    COMMIT(model, {SET_TEXT, "dev/web/A", .text = "own", .ttl = 1});
    assert_int_equal(expiry_commit(model->store, &result, INT64_MAX / 2), 0);
    TOLD(model, result.rev, "~dev/web/A\n");
    READS(model, "dev/web/A", "a", result.rev);
    assert_int_equal(sample_verify(model->store, true), 0);
}

static void test_the_past_keeps_its_defaults(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {ADD, "prod/web"});
    const uint64_t first = COMMIT(model, {SET_SCHEMA, "all/web", .text = "A:string=one"});
    const uint64_t second = COMMIT(model, {SET_SCHEMA, "all/web", .text = "A:string=two"});
    const uint64_t third = COMMIT(model, {UNSET_SCHEMA, "all/web"});
    struct entry entry;
    const unsigned char *data;
    size_t size;
    SECRET_CLEANUP struct secret scratch = {0};
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(snapshot_entry_at(model->snapshot, &entry, 1, 1, i ? second : first), 0);
        assert_int_equal(snapshot_value(model->snapshot, &data, &size, &entry, &scratch), 0);
        assert_int_equal(size, 3);
        assert_memory_equal(data, i ? "two" : "one", 3);
        assert_int_equal(entry.rev, i ? second : first);
    }
    assert_int_equal(snapshot_entry_at(model->snapshot, &entry, 1, 1, third), NOT_THERE);
    snapshot_end(model->snapshot);
}

static void test_schemas_are_read_back(void **state)
{
    struct model *model = *state;
    struct schema schema;
    struct schema_place place;
    COMMIT(model, {ADD, "prod"}, {ADD, "prod/web"}, {ADD, "dev"}, {ADD, "dev/web"});
    const uint64_t rev = COMMIT(model, {SET_SCHEMA, "prod/web", .text = "strict A:port=1"});
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_int_equal(snapshot_schema(model->snapshot, &schema, &place, 1, 1), 0);
    assert_string_equal(schema.service, "web");
    assert_true(schema.is_strict);
    assert_int_equal(schema.count, 1);
    assert_int_equal(place.rev, rev);
    assert_int_equal(place.layer, 1);
    schema_release(&schema);
    assert_int_equal(snapshot_schema(model->snapshot, &schema, &place, 2, 1), NOT_THERE);
    assert_int_equal(snapshot_schema_of(model->snapshot, &schema, NULL, 1, 1), 0);
    schema_release(&schema);
    snapshot_end(model->snapshot);
}

static void test_what_is_refused(void **state)
{
    struct model *model = *state;
    struct change_result result;
    struct change *change;
    struct schema schema;
    const struct path path = sample_path("prod/web");
    COMMIT(model, {ADD, "prod"});
    assert_int_equal(
        SAMPLE_COMMIT(model->store, &result, "", 0, {SET_SCHEMA, "prod/web", .text = "A:string"}),
        ERR(ERR_NOT_FOUND));
    assert_non_null(strstr(error_text(), "emsa service add prod/web"));
    COMMIT(model, {ADD, "prod/web"});
    assert_int_equal(SAMPLE_COMMIT(model->store, &result, "", 0, {UNSET_SCHEMA, "prod/web"}),
                     ERR(ERR_NOT_FOUND));
    assert_int_equal(change_new(&change, model->store), 0);
    declare(&schema, "web", "A:port=no B:int,min@3,max@2");
    assert_int_equal(change_schema_set(change, &path, &schema), ERR(ERR_INVALID));
    assert_non_null(strstr(error_text(), "'A'"));
    assert_non_null(strstr(error_text(), "'B'"));
    schema_release(&schema);
    declare(&schema, "api", "A:port");
    assert_int_equal(change_schema_set(change, &path, &schema), ERR(ERR_INVALID));
    schema_release(&schema);
    change_free(change);
    COMMIT(model, {SECRET_TEXT, "prod/web/S", .text = "Very-Long-9-secret-value"});
    struct change_terms terms = sample_terms("", 0);
    assert_int_equal(change_new(&change, model->store), 0);
    declare(&schema, "web", "S:string=Very-Long-9-secret-value");
    assert_int_equal(change_schema_set(change, &path, &schema), 0);
    schema_release(&schema);
    assert_int_equal(change_commit(change, &terms, &result), ERR(ERR_REFUSED));
    assert_int_equal(result.equal, 1);
    change_free(change);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MODEL_TEST(test_a_default_shows_where_nothing_is_set),
        MODEL_TEST(test_only_what_became_other_moves),
        MODEL_TEST(test_the_nearest_schema_is_in_force_alone),
        MODEL_TEST(test_references_reach_defaults),
        MODEL_TEST(test_a_lock_protects_from_defaults),
        MODEL_TEST(test_a_service_takes_its_schema_along),
        MODEL_TEST(test_what_ends_takes_its_schemas_along),
        MODEL_TEST(test_the_past_keeps_its_defaults),
        MODEL_TEST(test_schemas_are_read_back),
        MODEL_TEST(test_what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
