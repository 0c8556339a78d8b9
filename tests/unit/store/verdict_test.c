/* What is refused because of a schema, what is only noted, and what an override lets pass. */
#include "tests/unit/store/told.h"

#include "store/expiry.h"
#include "store/relations.h"

/* A commit with its notes as text: "prod/web/A says" a line. */
static int commit_with(struct model *model, unsigned override, char notes[static TOLD_MAX],
                       const struct sample_step steps[], size_t count)
{
    struct change *change;
    struct change_result result;
    struct change_terms terms = sample_terms("why", 0);
    size_t size = 0;
    terms.override = override;
    assert_int_equal(change_new(&change, model->store), 0);
    assert_int_equal(sample_gather(change, steps, count), 0);
    const int error = change_commit(change, &terms, &result);
    notes[0] = '\0';
    for (size_t i = 0; i < result.note_count; i++) {
        char text[PATH_TEXT_MAX];
        size += (size_t)snprintf(notes + size, TOLD_MAX - size, "%s %s\n",
                                 path_text(&result.notes[i].path, text), result.notes[i].text);
        assert_true(size < TOLD_MAX);
    }
    change_result_release(&result);
    change_free(change);
    return error;
}
#define STEPS(...)                                                                                 \
    (const struct sample_step[]){__VA_ARGS__},                                                     \
        sizeof((const struct sample_step[]){__VA_ARGS__}) / sizeof(struct sample_step)

/* That a change passes and is noted so. */
#define NOTED(model_, notes_, ...)                                                                 \
    do {                                                                                           \
        char noted_[TOLD_MAX];                                                                     \
        const int error_ = commit_with(model_, 0, noted_, STEPS(__VA_ARGS__));                     \
        if (error_)                                                                                \
            fail_msg("refused (%d): %s", error_, error_text());                                    \
        assert_string_equal(noted_, notes_);                                                       \
    } while (0)

static bool has_override(struct model *model, uint64_t rev, uint32_t *count)
{
    struct operation_info info;
    uint32_t marked = 0, op = 0;
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    for (; !history_operation(model->snapshot, &info, rev, op); op++)
        marked += info.is_override;
    snapshot_end(model->snapshot);
    assert_true(marked == 0 || marked == op);
    if (count)
        *count = op;
    return marked > 0;
}

static void test_what_would_be_wrong_is_refused(void **state)
{
    struct model *model = *state;
    COMMIT(
        model, {ADD, "prod"}, {ADD, "prod/web"},
        {SET_SCHEMA, "all/web",
         .text = "strict PORT:port,required=1 KEY:string,secret ONLY:string,in@dev N:int,min@1"});
    REFUSED(model, "'prod/web/PORT' must be a port", {SET_TEXT, "prod/web/PORT", .text = "x"});
    REFUSED(model, "'prod/web/KEY' must be a secret, and is plain (emsa schema show prod/web)",
            {SET_TEXT, "prod/web/KEY", .text = "x"});
    REFUSED(model, "'prod/web/ONLY' may exist in dev only",
            {SET_TEXT, "prod/web/ONLY", .text = "x"});
    REFUSED(model, "'prod/web/OTHER' is not declared", {SET_TEXT, "prod/web/OTHER", .text = "x"});
    REFUSED(model, "'prod/web/N'", {SET_TEXT, "all/web/N", .text = "0"});
    /* All reasons at once. */
    REFUSED(model, "\n'prod/web/OTHER' is not declared", {SET_TEXT, "prod/web/N", .text = "0"},
            {SET_TEXT, "prod/web/OTHER", .text = "x"});
    COMMIT(model, {SET_TEXT, "prod/web/PORT", .text = "80"},
           {SECRET_TEXT, "prod/web/KEY", .text = "x"}, {SET_TEXT, "prod/web/N", .text = "1"},
           {SET_TEXT, "all/web/OTHER", .text = "x"}, {DROP, "all/web/OTHER"});
    REFUSED(model, "'prod/web/N'", {SET_TEMPLATE, "prod/web/N", .text = "x${PORT}"});
    COMMIT(model, {SET_TEMPLATE, "prod/web/N", .text = "1${PORT}"});
    /* What depends on it is judged as well. */
    COMMIT(model, {SET_SCHEMA, "all/web", .text = "A:string N:int,max@1000 M:int"});
    REFUSED(model, "'prod/web/N'", {SET_TEXT, "prod/web/PORT", .text = "abc"});
}

static void test_what_is_required_stays(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {ADD, "dev"},
           {SET_SCHEMA, "all/web", .text = "A:string,required"});
    COMMIT(model, {ADD, "prod/web"}, {ADD, "dev/web"});   /* filled later */
    COMMIT(model, {SET_TEXT, "prod/web/B", .text = "b"}); /* as wrong as before */
    COMMIT(model, {SET_TEXT, "prod/web/A", .text = "a"});
    REFUSED(model, "'prod/web/A' is required, and not there", {DROP, "prod/web/A"});
    REFUSED(model, "is required and cannot end by itself",
            {SET_TEXT, "prod/web/A", .text = "b", .ttl = 60});
    REFUSED(model, "is required and cannot end by itself",
            {SET_TEXT, "all/web/A", .text = "b", .ttl = 60});
    COMMIT(model, {DROP, "prod/web/A"}, {SET_TEXT, "all/web/A", .text = "all"});
    REFUSED(model, "'prod/web/A' is required", {DROP, "all/web/A"});
    COMMIT(model, {DROP, "prod/web/B"}, {DROP, "prod/web"}); /* with all that is in it */
    COMMIT(model, {ADD, "prod/web"}, {DROP, "dev/web"});
    COMMIT(model, {SET_TEXT, "prod/web/A", .text = "x"}, {DROP, "all/web/A"});
    COMMIT(model, {DROP, "prod/web/A"}, {DROP, "prod/web"}, {ADD, "prod/web"});
}

static void test_an_invalid_service_may_be_improved(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {SET_TEXT, "prod/web/X", .text = "1"},
           {SET_TEXT, "prod/web/S", .text = "plain"}, {SET_TEXT, "prod/web/P", .text = "no"},
           {SET_TEXT, "prod/web/E", .text = "1"});
    NOTED(model,
          "prod/web/E may exist in dev only\nprod/web/P must be a port (1 to 65535)\n"
          "prod/web/R is required, and not there\nprod/web/S must be a secret, and is plain\n"
          "prod/web/X is not declared, and the schema is strict\n",
          {SET_SCHEMA, "prod/web",
           .text = "strict P:port S:string,secret R:string,required E:string,in@dev"});
    COMMIT(model, {SET_TEXT, "prod/web/X", .text = "2"}, {SET_TEXT, "prod/web/S", .text = "other"},
           {SET_TEXT, "prod/web/E", .text = "2"});
    REFUSED(model, "'prod/web/P' must be a port", {SET_TEXT, "prod/web/P", .text = "neither"});
    REFUSED(model, "'prod/web/Y' is not declared", {SET_TEXT, "prod/web/Y", .text = "1"});
    COMMIT(model, {SET_TEXT, "prod/web/P", .text = "80"}, {DROP, "prod/web/X"},
           {SECRET_TEXT, "prod/web/S", .text = "hidden"});
    REFUSED(model, "'prod/web/X' is not declared", {SET_TEXT, "prod/web/X", .text = "2"});
}

static void test_a_schema_refuses_nothing_of_what_it_meets(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {ADD, "dev"}, {ADD, "dev/web"},
           {SET_TEXT, "prod/web/PORT", .text = "abc"},
           {SET_TEMPLATE, "prod/web/URL", .text = "x${PORT}${HOST}"},
           {SET_TEXT, "prod/web/HOST", .text = "h"});
    NOTED(model,
          "dev/web/HOST is there now, as a default of the schema\n"
          "dev/web/PORT is there now, as a default of the schema\n"
          "prod/web/PORT must be a port (1 to 65535)\n",
          {SET_SCHEMA, "all/web", .text = "PORT:port=1 HOST:hostname=a"});
    /* Nothing shows otherwise in what is placed by the same commit. */
    NOTED(model, "", {ADD, "dev/api"}, {SET_SCHEMA, "dev/api", .text = "PORT:port=1"});
    /* By its defaults neither, though the template is wrong for them. */
    COMMIT(model, {SET_TEXT, "prod/web/PORT", .text = "1"});
    COMMIT(model, {DROP, "prod/web/PORT"});
    NOTED(model,
          "prod/web/PORT is another value now, a default of the schema\n"
          "prod/web/URL is another value now, by a default of a schema\n"
          "",
          {SET_SCHEMA, "prod/web", .text = "PORT:port=2"});
}

static void test_a_schema_with_values_is_judged_as_a_whole(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {SET_TEXT, "prod/web/OLD", .text = "abc"},
           {SET_TEXT, "prod/web/N", .text = "abc"});
    REFUSED(model, "'prod/web/N' must be", {SET_SCHEMA, "prod/web", .text = "N:int OLD:int"},
            {SET_TEXT, "prod/web/N", .text = "x"});
    NOTED(model, "prod/web/OLD must be a whole number\n",
          {SET_SCHEMA, "prod/web", .text = "N:int OLD:int"}, {SET_TEXT, "prod/web/N", .text = "1"});
    /* What was wrong by the schema before is judged by the one that comes with it. */
    COMMIT(model, {SET_SCHEMA, "prod/web", .text = "strict A:string"});
    COMMIT(model, {SET_TEXT, "prod/web/N", .text = "2"},
           {SET_SCHEMA, "prod/web", .text = "strict B:string"});
    COMMIT(model, {SET_SCHEMA, "prod/web", .text = "strict OLD:string N:string"});
    REFUSED(model, "'prod/web/OLD' is not declared", {SET_SCHEMA, "prod/web", .text = "OLD:string"},
            {UNSET_SCHEMA, "prod/web"}, {SET_SCHEMA, "prod/web", .text = "strict N:string"},
            {SET_TEXT, "prod/web/NEW", .text = "2"}, {SET_TEXT, "prod/web/OLD", .text = "2"});
}

/* X is reached from a default at once, and from what was set by a longer way. */
static void test_what_was_set_counts_by_any_way(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {SET_TEXT, "prod/web/A", .text = "1"},
           {SET_TEMPLATE, "prod/web/B", .text = "${A}"},
           {SET_TEMPLATE, "prod/web/B2", .text = "${B}"},
           {SET_SCHEMA, "prod/web", .text = "D:string=1 X:int"},
           {SET_TEMPLATE, "prod/web/C", .text = "${B2}${D}"},
           {SET_TEMPLATE, "prod/web/X", .text = "${C}"});
    REFUSED(model, "'prod/web/X' must be a whole number", {SET_TEXT, "prod/web/A", .text = "abc"},
            {SET_SCHEMA, "prod/web", .text = "D:string=2 X:int"});
}

static void test_previews_count_as_their_base(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "dev"}, {ADD, "prod"}, {ADD, "kid", .text = "dev"}, {ADD, "kid/web"},
           {ADD, "prod/web"},
           {SET_SCHEMA, "all/web", .text = "D:string,in@dev K:string,in@kid P:string,in@prod"});
    COMMIT(model, {SET_TEXT, "kid/web/D", .text = "1"}, {SET_TEXT, "kid/web/K", .text = "1"});
    REFUSED(model, "'kid/web/P' may exist in prod only", {SET_TEXT, "kid/web/P", .text = "1"});
}

static void test_what_lies_beneath_comes_along(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "dev"}, {SET_TEXT, "dev/web/PORT", .text = "x"});
    NOTED(model, "dev/web/PORT must be a port (1 to 65535)\n",
          {SET_SCHEMA, "all/web", .text = "PORT:port N:int"});
    NOTED(model, "kid/web/PORT must be a port (1 to 65535)\n", {ADD, "kid", .text = "dev"});
    REFUSED(model, "'kid/web/PORT' must be a port", {SET_TEXT, "kid/web/PORT", .text = "y"});
    REFUSED(model, "'two/web/N' must be a whole number", {ADD, "two", .text = "dev"},
            {SET_TEXT, "two/web/N", .text = "a"});
}

static void test_expiry_is_never_refused(void **state)
{
    struct model *model = *state;
    struct expiry_result result;
    COMMIT(model, {ADD, "prod"}, {SET_TEXT, "prod/web/A", .text = "a", .ttl = 1});
    NOTED(model, "", {SET_SCHEMA, "prod/web", .text = "A:string,required"});
    assert_int_equal(expiry_commit(model->store, &result, INT64_MAX - 1), 0);
    assert_true(told_gone(model, "prod/web/A"));
    assert_int_equal(sample_verify(model->store, true), 0);
}

static void test_overrides(void **state)
{
    struct model *model = *state;
    char notes[TOLD_MAX];
    uint32_t count;
    COMMIT(model, {ADD, "prod"}, {ADD, "prod/web"}, {SET_TEXT, "prod/db/HOST", .text = "h"},
           {SET_SCHEMA, "prod/web", .text = "PORT:port"}, {LOCK_PLACE, "prod/db/HOST"});
    assert_int_equal(commit_with(model, OVERRIDE_LOCK | OVERRIDE_SHARE, notes,
                                 STEPS({SET_TEXT, "prod/web/PORT", .text = "x"})),
                     ERR(ERR_REFUSED));
    assert_int_equal(
        commit_with(model, OVERRIDE_SCHEMA, notes, STEPS({SET_TEXT, "prod/web/PORT", .text = "x"})),
        0);
    assert_true(has_override(model, store_revision(model->store), NULL));
    assert_int_equal(
        commit_with(model, OVERRIDE_SCHEMA, notes, STEPS({SET_TEXT, "prod/web/PORT", .text = "1"})),
        0);
    assert_false(has_override(model, store_revision(model->store), NULL));
    assert_int_equal(
        commit_with(model, OVERRIDE_LOCK, notes, STEPS({SET_TEXT, "prod/db/HOST", .text = "i"})),
        0);
    assert_true(has_override(model, store_revision(model->store), NULL));
    assert_int_equal(
        commit_with(model, OVERRIDE_SHARE, notes,
                    STEPS({SET_LINK, "prod/web/A", .text = "db/HOST"},
                          {SET_TEMPLATE, "prod/web/B", .text = "${db/HOST}${db/HOST}"})),
        0);
    assert_true(has_override(model, store_revision(model->store), &count));
    assert_int_equal(count, 3);
    READS(model, "prod/web/B", "ii", store_revision(model->store));
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    uint64_t rev;
    uint32_t layer;
    assert_int_equal(relation_is_shared(model->snapshot, 1, "db", "HOST", "web", &rev, &layer), 1);
    assert_int_equal(rev, store_revision(model->store));
    snapshot_end(model->snapshot);
    assert_int_equal(sample_verify(model->store, true), 0);
}

static void test_overrides_need_a_reason(void **state)
{
    struct model *model = *state;
    struct change *change;
    struct change_result result;
    struct change_terms terms = sample_terms("", 0);
    terms.override = OVERRIDE_LOCK;
    assert_int_equal(change_new(&change, model->store), 0);
    assert_int_equal(change_commit(change, &terms, &result), ERR(ERR_INVALID));
    assert_string_equal(error_text(), "--override needs a reason (-m WHY)");
    terms = sample_terms("why", 0);
    terms.override = 8;
    assert_int_equal(change_commit(change, &terms, &result), ERR(ERR_INVALID));
    change_free(change);
}

static void test_secrets_are_judged_where_the_key_is_at_hand(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {SET_SCHEMA, "all/web", .text = "S:int,secret U:url"},
           {ADD, "prod/web"});
    REFUSED(model, "'prod/web/S' must be a whole number",
            {SECRET_TEXT, "prod/web/S", .text = "abc"});
    COMMIT(model, {SECRET_TEXT, "prod/web/S", .text = "12"},
           {SET_TEMPLATE, "prod/web/U", .text = "http://h/${S}"});
    model_reopen(model, false);
    REFUSED(model, "'prod/web/S' must be a whole number",
            {SECRET_TEXT, "prod/web/S", .text = "abc"});
    COMMIT(model, {SECRET_TEXT, "prod/web/S", .text = "13"});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MODEL_TEST(test_what_would_be_wrong_is_refused),
        MODEL_TEST(test_what_is_required_stays),
        MODEL_TEST(test_an_invalid_service_may_be_improved),
        MODEL_TEST(test_a_schema_refuses_nothing_of_what_it_meets),
        MODEL_TEST(test_a_schema_with_values_is_judged_as_a_whole),
        MODEL_TEST(test_what_was_set_counts_by_any_way),
        MODEL_TEST(test_previews_count_as_their_base),
        MODEL_TEST(test_what_lies_beneath_comes_along),
        MODEL_TEST(test_expiry_is_never_refused),
        MODEL_TEST(test_overrides),
        MODEL_TEST(test_overrides_need_a_reason),
        MODEL_TEST(test_secrets_are_judged_where_the_key_is_at_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
