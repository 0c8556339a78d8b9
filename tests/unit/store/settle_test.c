#include "tests/unit/store/told.h"

#include "store/expiry.h"
#include "store/log/commit.h"

static void test_one_definition_is_seen_everywhere(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "dev"}, {ADD, "prod"}, {ADD, "test"}, {ADD, "dev/web"}, {ADD, "prod/web"},
           {ADD, "test/api"});
    const uint64_t made = COMMIT(model, {SET_TEXT, "all/web/A", .text = "one"});
    TOLD(model, made, "+dev/web/A\n+prod/web/A\n+all\n+all/web\n+all/web/A\n");
    READS(model, "dev/web/A", "one", made);
    READS(model, "prod/web/A", "one", made);
    const uint64_t changed = COMMIT(model, {SET_TEXT, "all/web/A", .text = "two"});
    TOLD(model, changed, "~dev/web/A\n~prod/web/A\n~all/web/A\n");
    READS(model, "dev/web/A", "two", changed);
    const uint64_t gone = COMMIT(model, {DROP, "all/web/A"});
    TOLD(model, gone, "-dev/web/A\n-prod/web/A\n-all/web/A\n");
    assert_true(told_gone(model, "dev/web/A"));
    assert_int_equal(sample_verify(model->store, true), 0);
}

static void test_placing_shows_what_is_there(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {SET_TEXT, "all/web/A", .text = "one"});
    const uint64_t placed = COMMIT(model, {ADD, "prod/web"});
    TOLD(model, placed, "+prod/web\n+prod/web/A\n");
    READS(model, "prod/web/A", "one", placed);
    const uint64_t taken = COMMIT(model, {DROP, "prod/web"});
    TOLD(model, taken, "-prod/web\n-prod/web/A\n");
    assert_true(told_gone(model, "prod/web/A"));
    assert_int_equal(sample_verify(model->store, true), 0);
}

static void test_base_and_child(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "dev"}, {SET_TEXT, "dev/web/A", .text = "base"},
           {SET_TEXT, "dev/web/B", .text = "b"}, {SECRET_TEXT, "dev/web/S", .text = "hidden"});
    const uint64_t child = COMMIT(model, {ADD, "kid", .text = "dev"});
    TOLD(model, child, "+kid\n+kid/web\n+kid/web/A\n+kid/web/B\n+kid/web/S!\n");
    READS(model, "kid/web/A", "base", child);
    READS(model, "kid/web/S", "hidden", child);
    const uint64_t own = COMMIT(model, {SET_TEXT, "kid/web/A", .text = "own"});
    TOLD(model, own, "~kid/web/A\n");
    const uint64_t beneath = COMMIT(model, {SET_TEXT, "dev/web/A", .text = "base 2"},
                                    {SET_TEXT, "dev/web/B", .text = "b 2"});
    TOLD(model, beneath, "~dev/web/A\n~dev/web/B\n~kid/web/B\n");
    READS(model, "kid/web/A", "own", own);
    READS(model, "kid/web/B", "b 2", beneath);
    const uint64_t removed = COMMIT(model, {DROP, "kid/web/A"});
    TOLD(model, removed, "~kid/web/A\n");
    READS(model, "kid/web/A", "base 2", removed);
    REFUSED(model, "'kid' stands on", {DROP, "dev/web/A"}, {DROP, "dev/web/B"}, {DROP, "dev/web/S"},
            {DROP, "dev/web"}, {DROP, "dev"});
    assert_int_equal(sample_verify(model->store, true), 0);
}

static void test_own_hides_all(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {ADD, "prod/web"}, {SET_TEXT, "all/web/A", .text = "all"});
    const uint64_t own = COMMIT(model, {SET_TEXT, "prod/web/A", .text = "own"});
    TOLD(model, own, "~prod/web/A\n");
    const uint64_t other = COMMIT(model, {SET_TEXT, "all/web/A", .text = "all 2"});
    TOLD(model, other, "~all/web/A\n");
    READS(model, "prod/web/A", "own", own);
    const uint64_t removed = COMMIT(model, {DROP, "prod/web/A"});
    TOLD(model, removed, "~prod/web/A\n");
    READS(model, "prod/web/A", "all 2", removed);
    assert_int_equal(sample_verify(model->store, true), 0);
}

/* What was said again in another way is as it was: no revision moves, nobody is told. */
static void test_what_stays_as_it_was(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {ADD, "prod/web"});
    const uint64_t made = COMMIT(model, {SET_TEXT, "all/web/A", .text = "one"},
                                 {SET_TEXT, "prod/web/B", .text = "one"});
    const uint64_t own = COMMIT(model, {SET_TEXT, "prod/web/A", .text = "one"});
    TOLD(model, own, "");
    READS(model, "prod/web/A", "one", made);
    const uint64_t link = COMMIT(model, {SET_LINK, "prod/web/A", .text = "web/B"});
    TOLD(model, link, "");
    READS(model, "prod/web/A", "one", made);
    struct operation_info operation;
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_int_equal(history_operation(model->snapshot, &operation, link, 0), 0);
    assert_true(operation.is_same);
    snapshot_end(model->snapshot);
    const uint64_t beneath = COMMIT(model, {DROP, "prod/web/A"});
    TOLD(model, beneath, "");
    READS(model, "prod/web/A", "one", made);
    const uint64_t changed = COMMIT(model, {SET_TEXT, "all/web/A", .text = "two"});
    TOLD(model, changed, "~prod/web/A\n~all/web/A\n");
    assert_int_equal(sample_verify(model->store, true), 0);
}

/* A change by who may set and not read: 0 and its revision, or the failure. */
static int try_blindly(struct model *model, uint64_t *rev, const struct sample_step steps[],
                       size_t count)
{
    struct change_terms terms = sample_terms("test", 0);
    struct change_result result;
    struct change *change;
    terms.blind = true;
    assert_int_equal(change_new(&change, model->store), 0);
    int error = sample_gather(change, steps, count);
    if (!error)
        error = change_commit(change, &terms, &result);
    if (!error) {
        *rev = result.rev;
        change_result_release(&result);
    }
    change_free(change);
    return error;
}

/* That it is told as a change, and its first operation is one. */
static uint64_t told_blindly(struct model *model, const char *told,
                             const struct sample_step steps[], size_t count)
{
    struct operation_info operation;
    uint64_t rev = 0;
    assert_int_equal(try_blindly(model, &rev, steps, count), 0);
    TOLD(model, rev, told);
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    for (uint32_t op = 0; !history_operation(model->snapshot, &operation, rev, op); op++)
        assert_false(operation.is_same);
    snapshot_end(model->snapshot);
    return rev;
}
#define TOLD_BLINDLY(model_, told_, ...)                                                           \
    told_blindly(model_, told_, (const struct sample_step[]){__VA_ARGS__},                         \
                 sizeof((const struct sample_step[]){__VA_ARGS__}) / sizeof(struct sample_step))

/* Who may not read learns of nothing whether it is what was there: not from whether a revision
 * moves, whoever is told of it, or a lock stands in the way. */
static void test_a_blind_change_is_one_whatever_was_there(void **state)
{
    struct model *model = *state;
    static const char *const values[] = {"one", "two"}; /* what is there, and another */
    for (unsigned i = 0; i < 2; i++) {
        const char *value = values[i];
        COMMIT(model, {ADD, "prod"}, {ADD, "prod/web"}, {SET_TEXT, "all/web/A", .text = "one"},
               {SET_TEXT, "prod/web/B", .text = "one"}, {SET_TEXT, "prod/web/C", .text = "one"},
               {SECRET_TEXT, "prod/web/S", .text = "one"});
        COMMIT(model, {SET_LINK, "prod/web/L", .text = "web/B"});
        const uint64_t hides =
            TOLD_BLINDLY(model, "~prod/web/A\n", {SET_TEXT, "prod/web/A", .text = value});
        READS(model, "prod/web/A", value, hides);
        const uint64_t links =
            TOLD_BLINDLY(model, "~prod/web/L\n", {SET_TEXT, "prod/web/L", .text = value});
        READS(model, "prod/web/L", value, links);
        const uint64_t again = TOLD_BLINDLY(model, "~prod/web/C\n", {DROP, "prod/web/C"},
                                            {SET_TEXT, "prod/web/C", .text = value});
        READS(model, "prod/web/C", value, again);
        TOLD_BLINDLY(model, "~prod/web/B\n", {SET_TEXT, "prod/web/B", .text = value});
        TOLD_BLINDLY(model, "~prod/web/S!\n", {SECRET_TEXT, "prod/web/S", .text = value});
        const uint64_t beneath = TOLD_BLINDLY(model, "~prod/web/A\n", {DROP, "prod/web/A"});
        READS(model, "prod/web/A", "one", beneath);
        COMMIT(model, {LOCK_PLACE, "prod/web/A"});
        uint64_t rev;
        assert_int_equal(try_blindly(model, &rev,
                                     &(struct sample_step){SET_TEXT, "prod/web/A", .text = value},
                                     1),
                         ERR(ERR_REFUSED));
        assert_non_null(strstr(error_text(), "'prod/web/A' is locked"));
        COMMIT(model, {UNLOCK_PLACE, "prod/web/A"}, {DROP, "prod/web/B"}, {DROP, "prod/web/C"},
               {DROP, "prod/web/S"}, {DROP, "prod/web/L"}, {DROP, "prod/web"}, {DROP, "prod"});
    }
    assert_int_equal(sample_verify(model->store, true), 0);
}

static void test_a_change_goes_on_to_who_refers(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {SET_TEXT, "prod/db/HOST", .text = "a"},
           {SHARE_WITH, "prod/db/HOST", .text = "web"});
    const uint64_t made = COMMIT(model, {SET_LINK, "prod/web/HOST", .text = "db/HOST"},
                                 {SET_TEMPLATE, "prod/web/URL", .text = "http://${HOST}/"});
    READS(model, "prod/web/URL", "http://a/", made);
    const uint64_t changed = COMMIT(model, {SET_TEXT, "prod/db/HOST", .text = "b"});
    TOLD(model, changed, "~prod/db/HOST\n~prod/web/HOST\n~prod/web/URL\n");
    READS(model, "prod/web/URL", "http://b/", changed);
    REFUSED(model, "'prod/web/HOST' refers to 'db/HOST', which is not there in 'prod'",
            {DROP, "prod/db/HOST"});
    REFUSED(model, "'prod/web/HOST' refers to 'db/HOST', which is not shared with 'web'",
            {UNSHARE_WITH, "prod/db/HOST", .text = "web"});
    COMMIT(model, {DROP, "prod/web/HOST"}, {DROP, "prod/web/URL"},
           {UNSHARE_WITH, "prod/db/HOST", .text = "web"});
    assert_int_equal(sample_verify(model->store, true), 0);
}

/* Plain becomes secret where what is reached does. */
static void test_a_template_becomes_a_secret(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {SET_TEXT, "prod/db/PASSWORD", .text = "open"},
           {SHARE_WITH, "prod/db/PASSWORD", .text = "*"},
           {SET_TEMPLATE, "prod/web/URL", .text = "x:${db/PASSWORD}"});
    const uint64_t changed = COMMIT(model, {SECRET_TEXT, "prod/db/PASSWORD", .text = "closed"});
    TOLD(model, changed, "~prod/db/PASSWORD!\n~prod/web/URL!\n");
    char value[TOLD_MAX];
    const struct entry entry = told_entry(model, value, "prod/web/URL");
    assert_string_equal(value, "x:closed");
    assert_int_equal(entry.kind, ENTRY_SECRET);
    assert_int_equal(entry.defined.kind, ENTRY_TEMPLATE);
    assert_int_equal(sample_verify(model->store, true), 0);
}

/* A service that went and came again by one commit is another: all of it went, and came. */
static void test_removed_and_placed_again(void **state)
{
    struct model *model = *state;
    struct outcome outcome;
    COMMIT(model, {ADD, "prod"}, {SET_TEXT, "prod/web/A", .text = "own"},
           {SET_TEXT, "all/web/B", .text = "all"});
    const uint64_t again = COMMIT(model, {DROP, "prod/web/A"}, {DROP, "prod/web"},
                                  {SET_TEXT, "prod/web/A", .text = "own"});
    TOLD(model, again,
         "-prod/web\n+prod/web\n-prod/web/A\n+prod/web/A\n-prod/web/B\n+prod/web/B\n");
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(history_outcome(model->snapshot, &outcome, again, i), 0);
        assert_int_equal(outcome.incarnation, i % 2);
    }
    snapshot_end(model->snapshot);
    assert_int_equal(sample_verify(model->store, true), 0);
}

/* What came and went by one commit was seen by nobody. */
static void test_come_and_gone(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {SET_TEXT, "prod/web/A", .text = "x"});
    const uint64_t rev =
        COMMIT(model, {ADD, "dev"}, {SET_TEXT, "dev/web/A", .text = "x"}, {DROP, "dev/web/A"},
               {DROP, "dev/web"}, {DROP, "dev"}, {SET_TEXT, "prod/api/K", .text = "x"},
               {DROP, "prod/api/K"}, {DROP, "prod/api"}, {SET_TEXT, "prod/web/B", .text = "x"},
               {DROP, "prod/web/B"});
    TOLD(model, rev, "");
    assert_int_equal(sample_verify(model->store, true), 0);
}

static int64_t listed(struct model *model, const char *text)
{
    const struct path path = sample_path(text);
    struct environment environment;
    struct service service;
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_int_equal(snapshot_environment(model->snapshot, &environment, path.environment), 0);
    if (path.service[0])
        assert_int_equal(snapshot_service(model->snapshot, &service, environment.id, path.service),
                         0);
    snapshot_end(model->snapshot);
    return path.service[0] ? service.listed_time : environment.listed_time;
}

/* A list's time is that of the last commit that readers see in it: kernels, which keep it, are told
 * of nothing else. */
static void test_what_lists(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {SET_TEXT, "prod/web/A", .text = "x"});
    const int64_t services = listed(model, "prod"), keys = listed(model, "prod/web");
    COMMIT(model, {SET_TEXT, "prod/api/K", .text = "x"}, {DROP, "prod/api/K"}, {DROP, "prod/api"},
           {SET_TEXT, "prod/web/B", .text = "x"}, {DROP, "prod/web/B"});
    assert_int_equal(listed(model, "prod"), services);
    assert_int_equal(listed(model, "prod/web"), keys);
    COMMIT(model, {SET_TEXT, "prod/web/B", .text = "x"});
    assert_int_equal(listed(model, "prod"), services);
    assert_true(listed(model, "prod/web") > keys);
    COMMIT(model, {DROP, "prod/web/A"}, {DROP, "prod/web/B"}, {DROP, "prod/web"},
           {ADD, "prod/web"});
    const int64_t again = listed(model, "prod");
    assert_true(again > services);
    COMMIT(model, {DROP, "prod/web"});
    assert_true(listed(model, "prod") > again);
    assert_int_equal(sample_verify(model->store, true), 0);
}

static void test_shared_comes_along(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {ADD, "dev"}, {ADD, "prod/web"}, {ADD, "test"});
    const uint64_t made = COMMIT(model, {SET_TEXT, "all/shared/HOST", .text = "h"});
    TOLD(model, made, "+prod/shared\n+prod/shared/HOST\n+all\n+all/shared\n+all/shared/HOST\n");
    const uint64_t first = COMMIT(model, {SET_LINK, "dev/web/HOST", .text = "shared/HOST"});
    TOLD(model, first, "+dev/web\n+dev/web/HOST\n+dev/shared\n+dev/shared/HOST\n");
    READS(model, "dev/web/HOST", "h", first);
    const uint64_t child = COMMIT(model, {ADD, "kid", .text = "dev"});
    TOLD(model, child, "+kid\n+kid/web\n+kid/web/HOST\n+kid/shared\n+kid/shared/HOST\n");
    assert_int_equal(sample_verify(model->store, true), 0);
}

static void test_locks(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {SET_TEXT, "prod/web/A", .text = "1"},
           {SET_TEXT, "prod/api/A", .text = "1"}, {SET_TEXT, "all/web/B", .text = "1"});
    COMMIT(model, {LOCK_PLACE, "prod/web"}, {LOCK_PLACE, "prod/api/A"});
    REFUSED(model,
            "'prod/web/A' is locked by 'prod/web' since revision 3: test (emsa unlock prod/web)",
            {SET_TEXT, "prod/web/A", .text = "2"});
    REFUSED(model, "'prod/web/B' is locked by 'prod/web'", {SET_TEXT, "all/web/B", .text = "2"});
    REFUSED(model, "'prod/web/C' is locked by 'prod/web'", {SET_TEXT, "prod/web/C", .text = "2"});
    REFUSED(model, "'prod/api/A' is locked by 'prod/api/A'", {DROP, "prod/api/A"});
    REFUSED(model, "'prod/web' is locked by 'prod/web'", {DROP, "prod/web/A"}, {DROP, "prod/web"});
    COMMIT(model, {SET_TEXT, "prod/api/B", .text = "2"});
    /* What leaves the value as it was is no change of it. */
    COMMIT(model, {SET_TEXT, "prod/web/B", .text = "1"});
    COMMIT(model, {UNLOCK_PLACE, "prod/web"}, {SET_TEXT, "prod/web/A", .text = "2"});
    REFUSED(model, "'prod/api/C' ends by itself and cannot be locked",
            {SET_TEXT, "prod/api/C", .text = "1", .ttl = 60}, {LOCK_PLACE, "prod/api/C"});
    REFUSED(model, "'prod/api/A' is locked", {SET_TEXT, "prod/api/A", .text = "1", .ttl = 60});
    assert_int_equal(sample_verify(model->store, true), 0);
}

static void test_protected(void **state)
{
    struct model *model = *state;
    struct change *change;
    struct change_result result;
    const struct environment_terms terms = {.is_protected = true};
    struct change_terms given = sample_terms("", 0);
    assert_int_equal(change_new(&change, model->store), 0);
    assert_int_equal(change_environment_add(change, "prod", &terms), 0);
    assert_int_equal(change_commit(change, &given, &result), 0); /* being made needs none */
    change_result_release(&result);
    change_free(change);
    COMMIT(model, {ADD, "prod/web"}, {SET_TEXT, "all/web/A", .text = "1"});
    const struct sample_step own = {SET_TEXT, "prod/web/B", .text = "2"};
    const struct sample_step beneath = {SET_TEXT, "all/web/A", .text = "2"};
    told_refused(model, "", "'prod' is protected: every change of it needs a reason (-m WHY)", &own,
                 1);
    told_refused(model, "", "'prod' is protected", &beneath, 1);
    COMMIT(model, {SET_TEXT, "all/web/A", .text = "2"});
    REFUSED(model, "'prod' is protected: it is removed by nobody", {DROP, "prod/web"},
            {DROP, "prod"});
    REFUSED(model, "'kid' cannot stand on 'prod': it is protected", {ADD, "kid", .text = "prod"});
    assert_int_equal(sample_verify(model->store, true), 0);
}

/* The only target of a reference does not end by itself. */
static void test_what_ends(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {SET_TEXT, "prod/web/A", .text = "1"},
           {SET_LINK, "prod/web/L", .text = "web/A"});
    REFUSED(model, "'prod/web/L' refers to 'web/A', which ends by itself",
            {SET_TEXT, "prod/web/A", .text = "2", .ttl = 60});
    COMMIT(model, {SET_TEXT, "all/web/A", .text = "beneath"},
           {SET_TEXT, "prod/web/A", .text = "2", .ttl = 60});
    assert_int_equal(sample_verify(model->store, true), 0);
}

/* What an end brings to light was judged by nobody while it lay beneath. It shows as long as it
 * can, also where it needs what ends later; nobody could ask for that. */
static void test_what_an_end_shows(void **state)
{
    struct model *model = *state;
    struct expiry_result result;
    COMMIT(model, {ADD, "prod"}, {SET_TEXT, "prod/web/A", .text = "own", .ttl = 60},
           {SET_TEXT, "prod/web/T", .text = "later", .ttl = 3600},
           {SET_TEXT, "prod/web/U", .text = "!"});
    COMMIT(model, {SET_TEMPLATE, "all/web/A", .text = "${T}${U}"});
    const int64_t minute = time_now() + (int64_t)61 * 1000000000;
    assert_int_equal(expiry_commit(model->store, &result, minute), 0);
    TOLD(model, result.rev, "~prod/web/A\n");
    READS(model, "prod/web/A", "later!", result.rev);
    REFUSED(model, "'prod/web/A' refers to 'web/T', which ends by itself",
            {SET_TEXT, "prod/web/T", .text = "other", .ttl = 60});
    /* as long as neither is touched, that is nobody's fault, also of what it reaches besides */
    const uint64_t rev = COMMIT(model, {SET_TEXT, "prod/web/U", .text = "?"});
    TOLD(model, rev, "~prod/web/A\n~prod/web/U\n");
    READS(model, "prod/web/A", "later?", rev);
    assert_int_equal(expiry_commit(model->store, &result, minute + (int64_t)3600 * 1000000000), 0);
    assert_true(told_gone(model, "prod/web/A"));
    assert_true(told_gone(model, "prod/web/T"));
    assert_int_equal(sample_verify(model->store, true), 0);
}

/* That a service was not there for one wish is no refusal of the next, which makes it: all that is
 * told is true. */
static void test_reasons_of_what_is_made(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"});
    struct change_result result;
    assert_int_equal(SAMPLE_COMMIT(model->store, &result, "why", 0,
                                   {SHARE_WITH, "prod/web/A", .text = "api"},
                                   {SET_TEXT, "prod/web/A", .text = "1"}, {LOCK_PLACE, "prod/web"}),
                     ERR(ERR_NOT_FOUND));
    assert_string_equal(error_text(), "no service 'prod/web'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MODEL_TEST(test_one_definition_is_seen_everywhere),
        MODEL_TEST(test_placing_shows_what_is_there),
        MODEL_TEST(test_base_and_child),
        MODEL_TEST(test_own_hides_all),
        MODEL_TEST(test_what_stays_as_it_was),
        MODEL_TEST(test_a_blind_change_is_one_whatever_was_there),
        MODEL_TEST(test_a_change_goes_on_to_who_refers),
        MODEL_TEST(test_a_template_becomes_a_secret),
        MODEL_TEST(test_removed_and_placed_again),
        MODEL_TEST(test_come_and_gone),
        MODEL_TEST(test_what_lists),
        MODEL_TEST(test_shared_comes_along),
        MODEL_TEST(test_locks),
        MODEL_TEST(test_protected),
        MODEL_TEST(test_what_ends),
        MODEL_TEST(test_what_an_end_shows),
        MODEL_TEST(test_reasons_of_what_is_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
