#include "tests/unit/store/model_support.h"

#include "store/change.h"

/* Steps as a change; what change_commit says, with the terms given. */
static int attempt(struct model *model, struct change_result *result,
                   const struct change_terms *terms, const struct sample_step steps[], size_t count)
{
    struct change *change;
    assert_int_equal(change_new(&change, model->store), 0);
    assert_int_equal(sample_gather(change, steps, count), 0);
    const int error = change_commit(change, terms, result);
    change_free(change);
    return error;
}
#define ATTEMPT(model_, result_, terms_, ...)                                                      \
    attempt(model_, result_, terms_, (const struct sample_step[]){__VA_ARGS__},                    \
            sizeof((const struct sample_step[]){__VA_ARGS__}) / sizeof(struct sample_step))

static struct change_terms careful(void)
{
    struct change_terms terms = sample_terms("why", 0);
    terms.allow_new = false;
    return terms;
}

static void expect_lines(const struct change_result *result, const char *expected)
{
    char all[2048] = "";
    size_t n = 0;
    for (size_t i = 0; i < result->count; i++) {
        char text[PATH_TEXT_MAX];
        const struct change_line *line = &result->lines[i];
        n += (size_t)snprintf(all + n, sizeof all - n, "%c%s%s %llu\n", line->mark,
                              change_line_text(line, text), line->secret ? "!" : "",
                              (unsigned long long)line->was_rev);
    }
    assert_string_equal(all, expected);
}

static void test_marks(void **state)
{
    struct model *model = *state;
    struct change_result result;
    const struct change_terms terms = careful();
    assert_int_equal(ATTEMPT(model, &result, &terms, {ADD, "prod", 0}, {ADD, "prod", 0},
                             {SET, "prod/web/A", 1}, {SECRET, "prod/web/B", 2},
                             {SET, "prod/web/A", 1}, {SET, "prod/web/A", 3}),
                     0);
    assert_true(result.committed);
    assert_false(result.repeated);
    assert_int_equal(result.rev, 2);
    expect_lines(&result, "+prod 0\n=prod 2\n+prod/web 0\n+prod/web/A 0\n+prod/web/B! 0\n"
                          "=prod/web/A 2\n~prod/web/A 2\n");
    change_result_release(&result);
    assert_int_equal(ATTEMPT(model, &result, &terms, {SET, "prod/web/A", 3},
                             {SECRET, "prod/web/B", 2}, {SET, "prod/web/C", 0},
                             {DROP, "prod/web/A", 0}, {ADD, "prod/web", 0}),
                     0);
    expect_lines(&result, "=prod/web/A 2\n=prod/web/B! 2\n+prod/web/C 0\n-prod/web/A 2\n"
                          "=prod/web 3\n");
    change_result_release(&result);
}

static void test_nothing_to_do_is_no_commit(void **state)
{
    struct model *model = *state;
    struct change_result result;
    const struct change_terms terms = careful();
    const uint64_t rev =
        COMMIT(model, {ADD, "prod", 0}, {SET, "prod/web/A", 1}, {SECRET, "prod/web/B", 2});
    assert_int_equal(ATTEMPT(model, &result, &terms, {SET, "prod/web/A", 1},
                             {SECRET, "prod/web/B", 2}, {ADD, "prod", 0}),
                     0);
    assert_false(result.committed);
    assert_int_equal(result.rev, rev);
    assert_int_equal(result.count, 3);
    change_result_release(&result);
    assert_int_equal(store_revision(model->store), rev);
}

static void test_dry_run(void **state)
{
    struct model *model = *state;
    struct change_result result;
    struct change_terms terms = careful();
    terms.dry_run = true;
    assert_int_equal(ATTEMPT(model, &result, &terms, {ADD, "prod", 0}, {SET, "prod/web/A", 1}), 0);
    assert_false(result.committed);
    assert_int_equal(result.rev, 1);
    expect_lines(&result, "+prod 0\n+prod/web 0\n+prod/web/A 0\n");
    change_result_release(&result);
    assert_int_equal(store_revision(model->store), 1);
    assert_int_equal(ATTEMPT(model, &result, &terms, {SET, "dev/web/A", 1}), ERR(ERR_NOT_FOUND));
}

/* Each refusal: its code, and what the text must say. */
static void test_refusals(void **state)
{
    struct model *model = *state;
    static const struct {
        struct sample_step step;
        enum error_code code;
        const char *says;
    } rows[] = {
        {{SET, "prd/billing/A", 1}, ERR_NOT_FOUND, "'prd'; did you mean 'prod'? (emsa env add prd"},
        {{SET, "elsewhere/x/A", 1}, ERR_NOT_FOUND, "no environment 'elsewhere' (emsa env add"},
        {{SECRET, "all/billing/A", 1}, ERR_REFUSED, "'all/billing/A': a secret cannot stand in"},
        {{DROP, "all", 0}, ERR_REFUSED, "environment 'all' stays"},
        {{SET, "prod/biling/A", 1}, ERR_REFUSED, "misspelling of 'prod/billing'; --new"},
        {{ADD, "prod/Billing", 0}, ERR_REFUSED, "misspelling of 'prod/billing'; --new"},
        {{SET, "prod/billing/S", 1}, ERR_REFUSED, "'prod/billing/S' is a secret"},
        {{DROP, "prod", 0}, ERR_REFUSED, "'prod' is not empty: it has service 'billing'"},
        {{DROP, "prod/billing", 0}, ERR_REFUSED, "'prod/billing' is not empty: it has key 'PORT'"},
        {{DROP, "dev", 0}, ERR_NOT_FOUND, "no environment 'dev'"},
        {{DROP, "prod/bling", 0}, ERR_NOT_FOUND, "'prod/bling'; did you mean 'prod/billing'?"},
        {{DROP, "prod/billing/PROT", 0}, ERR_NOT_FOUND, "PROT'; did you mean 'PORT'?"},
        {{DROP, "prod/billing/NOTHING", 0}, ERR_NOT_FOUND, "no key 'prod/billing/NOTHING'"},
        {{DROP, "prod/web/PORT", 0}, ERR_NOT_FOUND, "no service 'prod/web'"},
    };
    const struct change_terms terms = careful();
    const uint64_t rev = COMMIT(model, {ADD, "prod", 0}, {SET, "prod/billing/PORT", 1},
                                {SECRET, "prod/billing/S", 2});
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct change_result result;
        const int error = attempt(model, &result, &terms, &rows[i].step, 1);
        if (error != ERR(rows[i].code) || !strstr(error_text(), rows[i].says))
            fail_msg("%s: %d, '%s'", rows[i].step.path, error, error_text());
        assert_int_equal(store_revision(model->store), rev);
    }
    struct change_result result;
    const struct change_terms anew = sample_terms("yes", 0);
    assert_int_equal(ATTEMPT(model, &result, &anew, {SET, "prod/biling/A", 1}), 0);
    change_result_release(&result);
    assert_int_equal(ATTEMPT(model, &result, &terms, {SECRET, "prod/billing/PORT", 1}), 0);
    change_result_release(&result);
}

static void test_every_reason_is_told(void **state)
{
    struct model *model = *state;
    struct change_result result;
    const struct change_terms terms = careful();
    COMMIT(model, {ADD, "prod", 0}, {SET, "prod/web/A", 1});
    assert_int_equal(ATTEMPT(model, &result, &terms, {DROP, "prod/web/X", 0},
                             {SET, "prod/web/B", 1}, {SET, "dev/web/A", 1}, {SET, "dev/web/B", 1},
                             {SECRET, "all/web/A", 1}),
                     ERR(ERR_NOT_FOUND));
    assert_string_equal(
        error_text(),
        "no key 'prod/web/X'; did you mean 'A'?\n"
        "no environment 'dev' (emsa env add dev makes it)\n"
        "'all/web/A': a secret cannot stand in 'all': set it in the environments that need it");
    assert_int_equal(store_revision(model->store), 2);
}

static void test_request_ids(void **state)
{
    struct model *model = *state;
    struct change_result result;
    COMMIT(model, {ADD, "prod", 0});
    struct change_terms terms = sample_terms("once", 77);
    assert_int_equal(ATTEMPT(model, &result, &terms, {SET, "prod/web/A", 1}), 0);
    const uint64_t rev = result.rev;
    change_result_release(&result);
    COMMIT(model, {SET, "prod/web/A", 2});
    assert_int_equal(ATTEMPT(model, &result, &terms, {SET, "prod/web/A", 1}), 0);
    assert_true(result.repeated);
    assert_int_equal(result.rev, rev);
    assert_int_equal(result.count, 0);
    change_result_release(&result);
    model_reopen(model, true);
    assert_int_equal(ATTEMPT(model, &result, &terms, {DROP, "nothing", 0}), 0);
    assert_true(result.repeated);
    change_result_release(&result);
    assert_int_equal(store_revision(model->store), rev + 1);
}

static int with_if_rev(struct model *model, const char *text, uint64_t rev)
{
    struct change_result result;
    struct change_terms terms = careful();
    terms.has_if_rev = true;
    terms.if_rev = rev;
    terms.dry_run = true;
    terms.if_path = sample_path(text);
    const int error = ATTEMPT(model, &result, &terms, {ADD, "test", 0});
    if (!error)
        change_result_release(&result);
    return error;
}

static void test_if_rev(void **state)
{
    struct model *model = *state;
    const uint64_t one = COMMIT(model, {ADD, "prod", 0}, {SET, "prod/web/A", 1});
    const uint64_t two = COMMIT(model, {SET, "prod/api/A", 1});
    assert_int_equal(with_if_rev(model, "", two), 0);
    assert_int_equal(with_if_rev(model, "", one), ERR(ERR_CONFLICT));
    assert_int_equal(with_if_rev(model, "prod", one), ERR(ERR_CONFLICT));
    assert_non_null(strstr(error_text(), "'prod' changed in revision 3, after revision 2"));
    assert_int_equal(with_if_rev(model, "prod/web", one), 0);
    assert_int_equal(with_if_rev(model, "prod/web", one - 1), ERR(ERR_CONFLICT));
    assert_int_equal(with_if_rev(model, "prod/web/A", one), 0);
    assert_int_equal(with_if_rev(model, "prod/api/A", one), ERR(ERR_CONFLICT));
    assert_int_equal(with_if_rev(model, "prod/web/NEW", 0), 0);
    assert_int_equal(with_if_rev(model, "dev/web/A", 0), 0);
    assert_int_equal(with_if_rev(model, "prod/web/A", two + 1), ERR(ERR_CONFLICT));
    /* A removal is a change too, also of a whole environment. */
    const uint64_t three = COMMIT(model, {DROP, "prod/web/A", 0}, {DROP, "prod/web", 0});
    assert_int_equal(with_if_rev(model, "prod/web/A", two), ERR(ERR_CONFLICT));
    assert_int_equal(with_if_rev(model, "prod/web/A", three), 0);
    const uint64_t four =
        COMMIT(model, {DROP, "prod/api/A", 0}, {DROP, "prod/api", 0}, {DROP, "prod", 0});
    assert_int_equal(with_if_rev(model, "prod/api/A", three), ERR(ERR_CONFLICT));
    const uint64_t five = COMMIT(model, {ADD, "prod", 0});
    assert_int_equal(with_if_rev(model, "prod/api/A", four), ERR(ERR_CONFLICT));
    assert_int_equal(with_if_rev(model, "prod/api/A", five), 0);
}

static void test_remove_all(void **state)
{
    struct model *model = *state;
    struct change *change;
    struct change_result result;
    const struct change_terms terms = careful();
    struct path path = sample_path("prod/web");
    COMMIT(model, {ADD, "prod", 0}, {SET, "prod/web/A", 1}, {SECRET, "prod/web/B", 2},
           {SET, "prod/api/A", 1}, {ADD, "prod/idle", 0});
    assert_int_equal(change_new(&change, model->store), 0);
    assert_int_equal(change_remove_all(change, &path), 0);
    assert_int_equal(change_commit(change, &terms, &result), 0);
    expect_lines(&result, "-prod/web/A 2\n-prod/web/B! 2\n-prod/web 3\n");
    change_result_release(&result);
    change_free(change);
    path = sample_path("prod");
    assert_int_equal(change_new(&change, model->store), 0);
    assert_int_equal(change_remove_all(change, &path), 0);
    assert_int_equal(change_commit(change, &terms, &result), 0);
    expect_lines(&result, "-prod/api/A 2\n-prod/api 4\n-prod/idle 2\n-prod 4\n");
    change_result_release(&result);
    change_free(change);
    assert_int_equal(sample_verify(model->store, true), 0);
    path = sample_path("prod/web/A");
    assert_int_equal(change_new(&change, model->store), 0);
    assert_int_equal(change_remove_all(change, &path), ERR(ERR_INVALID));
    path = sample_path("");
    assert_int_equal(change_remove_all(change, &path), ERR(ERR_INVALID));
    change_free(change);
}

static void test_wrong_use(void **state)
{
    struct model *model = *state;
    struct change *change;
    struct change_result result;
    struct change_terms terms = careful();
    struct path key = sample_path("prod/web/A");
    const struct path service = sample_path("prod/web");
    unsigned char *large = calloc(1, VALUE_MAX + 1);
    struct secret hidden = {0};
    assert_int_equal(change_new(&change, model->store), 0);
    assert_int_equal(change_environment_add(change, "a/b", NULL), ERR(ERR_INVALID));
    assert_int_equal(change_environment_add(change, "", NULL), ERR(ERR_INVALID));
    assert_int_equal(change_service_add(change, &key), ERR(ERR_INVALID));
    assert_int_equal(change_set_plain(change, &service, "x", 1), ERR(ERR_INVALID));
    assert_int_equal(change_remove(change, &service), ERR(ERR_INVALID));
    assert_int_equal(change_set_plain(change, &key, large, VALUE_MAX + 1), ERR(ERR_INVALID));
    assert_int_equal(secret_copy(&hidden, large, VALUE_MAX + 1), 0);
    assert_int_equal(change_set_secret(change, &key, &hidden), ERR(ERR_INVALID));
    assert_int_equal(hidden.size, VALUE_MAX + 1); /* still the caller's */
    secret_release(&hidden);
    key.key[0] = '/';
    assert_int_equal(change_remove(change, &key), ERR(ERR_INVALID));
    char reason[REASON_MAX + 2];
    memset(reason, 'x', sizeof reason);
    reason[REASON_MAX + 1] = '\0';
    terms.reason = reason;
    assert_int_equal(change_commit(change, &terms, &result), ERR(ERR_INVALID));
    change_free(change);
    free(large);
}

/* A taken secret is empty for its caller. */
static void test_a_secret_is_taken_over(void **state)
{
    struct model *model = *state;
    struct change *change;
    size_t before, during, after, locked;
    struct secret hidden = {0};
    const struct path path = sample_path("prod/web/S");
    secret_usage(&before, &locked);
    assert_int_equal(change_new(&change, model->store), 0);
    assert_int_equal(secret_copy(&hidden, "s3cret", 6), 0);
    assert_int_equal(change_set_secret(change, &path, &hidden), 0);
    assert_null(hidden.data);
    secret_usage(&during, &locked);
    assert_true(during > before);
    change_free(change);
    secret_usage(&after, &locked);
    assert_int_equal(after, before);
}

static void test_a_large_commit(void **state)
{
    struct model *model = *state;
    struct change *change;
    struct change_result result;
    const struct change_terms terms = careful();
    struct path path = sample_path("prod/web/K");
    COMMIT(model, {ADD, "prod", 0});
    const unsigned count = trial_scaled(COMMIT_OPERATIONS_MAX);
    assert_int_equal(change_new(&change, model->store), 0);
    for (unsigned i = 0; i < count - 2; i++) {
        snprintf(path.key, sizeof path.key, "K%08x", i * 2654435761u);
        assert_int_equal(change_set_plain(change, &path, "x", 1), 0);
    }
    assert_int_equal(change_commit(change, &terms, &result), 0);
    assert_int_equal(result.count, count - 1);
    change_result_release(&result);
    change_free(change);
    /* One service and its keys come to one too many. */
    if (count < COMMIT_OPERATIONS_MAX)
        return;
    path = sample_path("prod/api/K");
    assert_int_equal(change_new(&change, model->store), 0);
    for (unsigned i = 0; i < COMMIT_OPERATIONS_MAX; i++) {
        snprintf(path.key, sizeof path.key, "K%08x", i);
        assert_int_equal(change_set_plain(change, &path, "x", 1), 0);
    }
    assert_int_equal(change_set_plain(change, &path, "x", 1), ERR(ERR_INVALID));
    assert_int_equal(change_commit(change, &terms, &result), ERR(ERR_INVALID));
    change_free(change);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MODEL_TEST(test_marks),
        MODEL_TEST(test_nothing_to_do_is_no_commit),
        MODEL_TEST(test_dry_run),
        MODEL_TEST(test_refusals),
        MODEL_TEST(test_every_reason_is_told),
        MODEL_TEST(test_request_ids),
        MODEL_TEST(test_if_rev),
        MODEL_TEST(test_remove_all),
        MODEL_TEST(test_wrong_use),
        MODEL_TEST(test_a_secret_is_taken_over),
        MODEL_TEST(test_a_large_commit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
