/* What schemas do to what is seen, and what is refused for them, where it is hardest to get right:
 * several layers that have one, ends, references, places that go and come, overrides. */
#include "tests/unit/store/told.h"

#include "store/expiry.h"
#include "tests/support/store/declare.h"

#define SECOND 1000000000ll
#define START (4000000000 * SECOND) /* no commit of the other tests is later */

static uint64_t at_time(struct model *model, int64_t now, unsigned override, const char *says,
                        const struct sample_step steps[], size_t count)
{
    struct change_terms terms = sample_terms("why", 0);
    struct change_result result = {0};
    struct change *change;
    terms.now = now;
    terms.override = override;
    assert_int_equal(change_new(&change, model->store), 0);
    assert_int_equal(sample_gather(change, steps, count), 0);
    const int error = change_commit(change, &terms, &result);
    if (says ? error != ERR(ERR_REFUSED) || !strstr(error_text(), says) : error != 0)
        fail_msg("%d, '%s'", error, error ? error_text() : "");
    const uint64_t rev = result.rev;
    change_result_release(&result);
    change_free(change);
    return rev;
}
#define STEPS(...)                                                                                 \
    (const struct sample_step[]){__VA_ARGS__},                                                     \
        sizeof((const struct sample_step[]){__VA_ARGS__}) / sizeof(struct sample_step)
#define AT(model_, now_, ...) at_time(model_, now_, 0, NULL, STEPS(__VA_ARGS__))
#define OVERRIDE(model_, what_, ...) at_time(model_, 0, what_, NULL, STEPS(__VA_ARGS__))

static enum entry_origin origin_of(struct model *model, const char *path)
{
    char text[TOLD_MAX];
    return told_entry(model, text, path).origin;
}

static void verified(struct model *model)
{
    assert_int_equal(sample_verify(model->store, true), 0);
    model_reopen(model, true);
}

/* --- layers --- */

static void test_the_nearest_schema_alone(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "pre"}, {ADD, "pre/web"}, {ADD, "kid", .text = "pre"}, {ADD, "prod"},
           {ADD, "prod/web"});
    const uint64_t all =
        COMMIT(model, {SET_SCHEMA, "all/web", .text = "A:string=all B:string=b-all"});
    TOLD(model, all,
         "+pre/web/A\n+pre/web/B\n+kid/web/A\n+kid/web/B\n+prod/web/A\n+prod/web/B\n"
         "+all\n+all/web\n");
    READS(model, "kid/web/A", "all", all);
    assert_int_equal(origin_of(model, "kid/web/A"), ORIGIN_SCHEMA);
    assert_true(told_gone(model, "all/web/A"));
    const uint64_t base = COMMIT(model, {SET_SCHEMA, "pre/web", .text = "A:string=base"});
    TOLD(model, base, "~pre/web/A\n-pre/web/B\n~kid/web/A\n-kid/web/B\n");
    READS(model, "kid/web/A", "base", base);
    const uint64_t own = COMMIT(model, {SET_SCHEMA, "kid/web", .text = "B:string=own"});
    TOLD(model, own, "-kid/web/A\n+kid/web/B\n");
    READS(model, "kid/web/B", "own", own);
    /* What is beneath may do what it likes. */
    const uint64_t beneath = COMMIT(model, {SET_SCHEMA, "pre/web", .text = "B:string=of-base"},
                                    {SET_SCHEMA, "all/web", .text = "C:string=c"});
    TOLD(model, beneath, "-pre/web/A\n+pre/web/B\n-prod/web/A\n-prod/web/B\n+prod/web/C\n");
    READS(model, "kid/web/B", "own", own);
    const uint64_t back = COMMIT(model, {UNSET_SCHEMA, "kid/web"});
    TOLD(model, back, "~kid/web/B\n");
    READS(model, "kid/web/B", "of-base", back);
    const uint64_t last = COMMIT(model, {UNSET_SCHEMA, "pre/web"});
    TOLD(model, last, "-pre/web/B\n+pre/web/C\n-kid/web/B\n+kid/web/C\n");
    verified(model);
}

static void test_definitions_come_first(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "pre"}, {ADD, "pre/web"}, {ADD, "kid", .text = "pre"});
    const uint64_t said = COMMIT(model, {SET_SCHEMA, "kid/web", .text = "A:string=default"});
    READS(model, "kid/web/A", "default", said);
    const uint64_t all = COMMIT(model, {SET_TEXT, "all/web/A", .text = "all"});
    TOLD(model, all, "+pre/web/A\n~kid/web/A\n+all\n+all/web\n+all/web/A\n");
    const uint64_t base = COMMIT(model, {SET_TEXT, "pre/web/A", .text = "base"});
    READS(model, "kid/web/A", "base", base);
    const uint64_t own = COMMIT(model, {SET_TEXT, "kid/web/A", .text = "own"});
    READS(model, "kid/web/A", "own", own);
    /* A default that does not show changes nothing that is seen. */
    TOLD(model, COMMIT(model, {SET_SCHEMA, "kid/web", .text = "A:string=another"}), "");
    READS(model, "kid/web/A", "own", own);
    const uint64_t bare =
        COMMIT(model, {DROP, "kid/web/A"}, {DROP, "pre/web/A"}, {DROP, "all/web/A"});
    TOLD(model, bare, "-pre/web/A\n~kid/web/A\n-all/web/A\n");
    READS(model, "kid/web/A", "another", bare);
    verified(model);
}

/* What is set to its default, and taken back, is as it was. */
static void test_same_as_the_default(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {ADD, "prod/web"});
    const uint64_t said = COMMIT(model, {SET_SCHEMA, "prod/web", .text = "A:string=x B:string=y"});
    TOLD(model, COMMIT(model, {SET_TEXT, "prod/web/A", .text = "x"}), "");
    READS(model, "prod/web/A", "x", said);
    assert_int_equal(origin_of(model, "prod/web/A"), ORIGIN_OWN);
    TOLD(model, COMMIT(model, {DROP, "prod/web/A"}), "");
    READS(model, "prod/web/A", "x", said);
    /* The same schema again is nothing; one that says the same default, in another place, moves. */
    struct change_result result;
    assert_int_equal(SAMPLE_COMMIT(model->store, &result, "why", 0,
                                   {SET_SCHEMA, "prod/web", .text = "A:string=x B:string=y"}),
                     0);
    assert_false(result.committed);
    change_result_release(&result);
    const uint64_t other = COMMIT(model, {SET_SCHEMA, "prod/web", .text = "A:string=x B:string=z"});
    TOLD(model, other, "~prod/web/B\n");
    READS(model, "prod/web/A", "x", said);
    verified(model);
}

/* --- what hangs on a default --- */

static void test_a_default_is_referred_to(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {ADD, "prod/db"}, {ADD, "prod/web"},
           {SET_SCHEMA, "prod/db", .text = "PORT:port=5432"}, {ADD, "all/shared"},
           {SET_SCHEMA, "all/shared", .text = "ZONE:string=eu"});
    REFUSED(model, "which is not shared with 'web'", {SET_LINK, "prod/web/L", .text = "db/PORT"});
    COMMIT(model, {SHARE_WITH, "prod/db/PORT", .text = "web"},
           {SET_LINK, "prod/web/L", .text = "db/PORT"},
           {SET_TEMPLATE, "prod/web/T", .text = "${L}@${shared/ZONE}"});
    const uint64_t moved = COMMIT(model, {SET_SCHEMA, "prod/db", .text = "PORT:port=5433"});
    TOLD(model, moved, "~prod/db/PORT\n~prod/web/L\n~prod/web/T\n");
    READS(model, "prod/web/T", "5433@eu", moved);
    REFUSED(model, "'prod/web/L' refers to 'db/PORT', which is not there",
            {UNSET_SCHEMA, "prod/db"});
    REFUSED(model, "'prod/web/T' refers", {UNSET_SCHEMA, "prod/db"});
    REFUSED(model, "'prod/web/L' refers to 'db/PORT'",
            {SET_SCHEMA, "prod/db", .text = "OTHER:int"});
    REFUSED(model, "'prod/web/T' refers to 'shared/ZONE'",
            {SET_SCHEMA, "prod/shared", .text = "OTHER:int"});
    COMMIT(model, {UNSET_SCHEMA, "prod/db"}, {SET_TEXT, "prod/db/PORT", .text = "1"});
    verified(model);
}

/* What ends may be referred to where a default stays beneath it; then the default may not go, nor
 * be hidden by a nearer schema. */
static void test_a_default_beneath_what_ends(void **state)
{
    struct model *model = *state;
    struct expiry_result gone;
    COMMIT(model, {ADD, "prod"}, {ADD, "prod/web"},
           {SET_SCHEMA, "all/web", .text = "A:string=beneath"});
    REFUSED(model, "which ends by itself", {UNSET_SCHEMA, "all/web"},
            {SET_TEXT, "prod/web/A", .text = "over", .ttl = 30},
            {SET_LINK, "prod/web/L", .text = "web/A"});
    AT(model, START, {SET_TEXT, "prod/web/A", .text = "over", .ttl = 30},
       {SET_LINK, "prod/web/L", .text = "web/A"});
    REFUSED(model, "'prod/web/L' refers to 'web/A', which ends by itself",
            {UNSET_SCHEMA, "all/web"});
    REFUSED(model, "'prod/web/L' refers to 'web/A', which ends by itself",
            {SET_SCHEMA, "prod/web", .text = "B:string=b"});
    REFUSED(model, "'prod/web/L' refers to 'web/A', which ends by itself",
            {SET_SCHEMA, "all/web", .text = "A:string"});
    assert_int_equal(expiry_commit(model->store, &gone, START + 30 * SECOND), 0);
    TOLD(model, gone.rev, "~prod/web/A\n~prod/web/L\n");
    READS(model, "prod/web/L", "beneath", gone.rev);
    verified(model);
}

/* What is too large, or goes round, by way of a default. */
static void test_a_default_that_is_too_much(void **state)
{
    struct model *model = *state;
    static char text[300000] = "A:string=";
    memset(text + strlen(text), 'w', sizeof text - strlen(text) - 1);
    COMMIT(model, {ADD, "prod"}, {ADD, "prod/web"}, {SET_SCHEMA, "prod/web", .text = "A:string=a"},
           {SET_TEMPLATE, "prod/web/T", .text = "${A}${A}${A}${A}"});
    REFUSED(model, "'prod/web/T' comes to more than", {SET_SCHEMA, "prod/web", .text = text});
    verified(model);
}

/* --- places --- */

static void test_a_service_takes_its_schema(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {ADD, "prod/web"}, {SET_SCHEMA, "all/web", .text = "A:string=all"},
           {SET_SCHEMA, "prod/web", .text = "A:string=own B:string=b"});
    const uint64_t again = COMMIT(model, {DROP, "prod/web"}, {ADD, "prod/web"});
    TOLD(model, again, "-prod/web\n+prod/web\n-prod/web/A\n+prod/web/A\n-prod/web/B\n");
    READS(model, "prod/web/A", "all", again);
    const uint64_t gone = COMMIT(model, {DROP, "prod/web"});
    TOLD(model, gone, "-prod/web\n-prod/web/A\n");
    COMMIT(model, {DROP, "all/web"});
    COMMIT(model, {ADD, "prod/web"});
    assert_true(told_gone(model, "prod/web/A"));
    verified(model);
}

static void test_environments_come_and_go(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "pre"}, {ADD, "pre/web"}, {SET_SCHEMA, "pre/web", .text = "A:string=pre"});
    const uint64_t kid = COMMIT(model, {ADD, "kid", .text = "pre"});
    TOLD(model, kid, "+kid\n+kid/web\n+kid/web/A\n");
    COMMIT(model, {SET_SCHEMA, "kid/web", .text = "A:string=kid"});
    COMMIT(model, {DROP, "kid/web"}, {DROP, "kid"}, {ADD, "kid", .text = "pre"});
    READS(model, "kid/web/A", "pre", store_revision(model->store));
    COMMIT(model, {DROP, "kid/web"}, {DROP, "kid"}, {DROP, "pre/web"}, {DROP, "pre"});
    COMMIT(model, {ADD, "pre"}, {ADD, "pre/web"});
    assert_true(told_gone(model, "pre/web/A"));
    verified(model);
}

/* --- what is refused --- */

static void test_all_that_is_wrong_at_once(void **state)
{
    struct model *model = *state;
    static const char *const lines[] = {"'prod/web/PORT' ",
                                        "'prod/web/MODE' ",
                                        "'prod/web/ODD' is not declared",
                                        "'prod/web/DEBUG' may exist in dev only",
                                        "'prod/web/KEY' must be a secret",
                                        "'prod/web/MUST' is required, and not there",
                                        "'prod/web/OFF' refers to 'db/X'"};
    struct change_result result;
    COMMIT(model, {ADD, "prod"}, {SET_TEXT, "prod/web/MUST", .text = "1"},
           {SET_SCHEMA, "prod/web",
            .text = "strict PORT:port MODE:enum,one@a,one@b OFF:string DEBUG:bool,in@dev "
                    "KEY:string,secret MUST:int,required"});
    const int error = SAMPLE_COMMIT(
        model->store, &result, "why", 0, {SET_TEXT, "prod/web/PORT", .text = "0"},
        {SET_TEXT, "prod/web/MODE", .text = "c"}, {SET_TEXT, "prod/web/ODD", .text = ""},
        {SET_TEXT, "prod/web/DEBUG", .text = "true"}, {SET_TEXT, "prod/web/KEY", .text = "bare"},
        {DROP, "prod/web/MUST"}, {SET_LINK, "prod/web/OFF", .text = "db/X"});
    assert_int_equal(error, ERR(ERR_REFUSED));
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (!strstr(error_text(), lines[i]))
            fail_msg("no '%s' in: %s", lines[i], error_text());
    verified(model);
}

/* Values and the schema that they are for, in either order. */
static void test_together(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "dev"}, {SET_TEXT, "dev/web/PORT", .text = "old"},
           {SET_TEXT, "dev/web/LEFT", .text = "x"});
    REFUSED(model, "'dev/web/PORT' ", {SET_TEXT, "dev/web/PORT", .text = "none"},
            {SET_SCHEMA, "dev/web", .text = "PORT:port"});
    REFUSED(model, "'dev/web/PORT' ", {SET_SCHEMA, "dev/web", .text = "PORT:port"},
            {SET_TEXT, "dev/web/PORT", .text = "none"});
    COMMIT(model, {SET_TEXT, "dev/web/PORT", .text = "80"},
           {SET_SCHEMA, "dev/web", .text = "PORT:port LEFT:int"});
    REFUSED(model, "'dev/web/LEFT' ", {SET_TEXT, "dev/web/LEFT", .text = "y"});
    COMMIT(model, {SET_TEXT, "dev/web/LEFT", .text = "7"});
    COMMIT(model, {SET_SCHEMA, "dev/web", .text = "LEFT:bool"},
           {SET_TEXT, "dev/web/PORT", .text = "z"});
    verified(model);
}

/* What was wrong may stay, be improved and be taken away; nothing else may become so. */
static void test_an_invalid_service(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {SET_TEXT, "prod/web/BAD", .text = "x"},
           {SET_TEXT, "prod/web/ODD", .text = "1"}, {SET_TEXT, "prod/web/KEY", .text = "bare"});
    COMMIT(model, {SET_SCHEMA, "prod/web",
                   .text = "strict BAD:int KEY:string,secret MUST:string,required OK:string"});
    COMMIT(model, {SET_TEXT, "prod/web/OK", .text = "fine"});
    COMMIT(model, {SET_TEXT, "prod/web/ODD", .text = "2"});
    COMMIT(model, {SET_TEXT, "prod/web/KEY", .text = "bare as well"});
    REFUSED(model, "'prod/web/BAD' ", {SET_TEXT, "prod/web/BAD", .text = "y"});
    REFUSED(model, "'prod/web/ODD2' is not declared", {SET_TEXT, "prod/web/ODD2", .text = "2"});
    COMMIT(model, {SECRET_TEXT, "prod/web/KEY", .text = "hidden"});
    REFUSED(model, "", {SET_TEXT, "prod/web/KEY", .text = "bare"});
    COMMIT(model, {DROP, "prod/web/ODD"}, {DROP, "prod/web/BAD"});
    REFUSED(model, "'prod/web/ODD' is not declared", {SET_TEXT, "prod/web/ODD", .text = "1"});
    COMMIT(model, {SET_TEXT, "prod/web/MUST", .text = ""});
    REFUSED(model, "'prod/web/MUST' is required, and not there", {DROP, "prod/web/MUST"});
    REFUSED(model, "'prod/web/MUST' ", {SET_TEXT, "prod/web/MUST", .text = "a", .ttl = 9});
    verified(model);
}

/* Wrong far away: by a value in `all`, by what a link leads to, by a template's parts. */
static void test_wrong_from_afar(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {ADD, "dev"}, {ADD, "prod/web"}, {ADD, "dev/web"},
           {SET_TEXT, "all/web/N", .text = "1"}, {SET_TEXT, "prod/db/PORT", .text = "80"},
           {SHARE_WITH, "prod/db/PORT", .text = "*"}, {SET_LINK, "prod/web/L", .text = "db/PORT"},
           {SET_TEMPLATE, "prod/web/T", .text = "1${db/PORT}"});
    COMMIT(model, {SET_SCHEMA, "all/web", .text = "N:int L:port T:port"});
    REFUSED(model, "'prod/web/N' ", {SET_TEXT, "all/web/N", .text = "one"});
    REFUSED(model, "'dev/web/N' ", {SET_TEXT, "all/web/N", .text = "one"});
    REFUSED(model, "'prod/web/T' ", {SET_TEXT, "prod/db/PORT", .text = "99999"});
    REFUSED(model, "'prod/web/L' ", {SET_TEXT, "prod/db/PORT", .text = "99999"});
    REFUSED(model, "'prod/web/T' ", {DROP, "prod/db/PORT"},
            {SET_SCHEMA, "prod/db", .text = "PORT:port=60000"});
    COMMIT(model, {SET_TEXT, "prod/db/PORT", .text = "99"});
    verified(model);
}

/* What ends already where a schema asks for it to stay is nobody's doing until it is set anew. */
static void test_what_is_required_and_ends(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {SET_TEXT, "prod/web/A", .text = "1"},
           {SET_LINK, "prod/web/L", .text = "web/A", .ttl = 1000});
    COMMIT(model, {SET_SCHEMA, "prod/web", .text = "L:string,required"});
    COMMIT(model, {SET_TEXT, "prod/web/A", .text = "2"});
    REFUSED(model, "'prod/web/L' is required and cannot end by itself",
            {SET_LINK, "prod/web/L", .text = "web/A", .ttl = 2000});
    COMMIT(model, {SET_LINK, "prod/web/L", .text = "web/A"});
    verified(model);
}

/* What another service reads of a default may be wrong there: told of, and not refused. */
static void test_another_service_is_told_of(void **state)
{
    struct model *model = *state;
    const struct path path = sample_path("prod/db");
    const struct change_terms terms = sample_terms("why", 0);
    struct change_result result = {0};
    struct change *change;
    struct schema schema;
    COMMIT(model, {ADD, "prod"}, {ADD, "prod/db"}, {SET_SCHEMA, "prod/db", .text = "P:port=80"},
           {SHARE_WITH, "prod/db/P", .text = "web"}, {SET_LINK, "prod/web/L", .text = "db/P"});
    COMMIT(model, {SET_SCHEMA, "prod/web", .text = "L:int,max@100"});
    declare(&schema, "db", "P:port=8080");
    assert_int_equal(change_new(&change, model->store), 0);
    assert_int_equal(change_schema_set(change, &path, &schema), 0);
    assert_int_equal(change_commit(change, &terms, &result), 0);
    bool is_told = false;
    for (size_t i = 0; i < result.note_count; i++)
        is_told |= strcmp(result.notes[i].path.service, "web") == 0 &&
                   !strstr(result.notes[i].text, "default");
    assert_true(is_told);
    change_result_release(&result);
    change_free(change);
    schema_release(&schema);
    verified(model);
}

/* A service that comes into being need not have everything at once; but nothing that is wrong. */
static void test_a_service_that_is_placed(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {ADD, "dev"}, {SET_TEXT, "all/web/N", .text = "x"},
           {SET_SCHEMA, "all/web", .text = "N:int MUST:string,required"});
    /* Nobody who places it made it wrong. */
    COMMIT(model, {ADD, "prod/web"});
    REFUSED(model, "'prod/web/N' ", {SET_TEXT, "all/web/N", .text = "y"});
    COMMIT(model, {SET_TEXT, "all/web/N", .text = "1"});
    COMMIT(model, {SET_TEXT, "dev/web/OTHER", .text = "first"});
    REFUSED(model, "'dev/web/N' ", {SET_TEXT, "dev/web/N", .text = ""});
    verified(model);
}

static void test_previews(void **state)
{
    struct model *model = *state;
    COMMIT(
        model, {ADD, "pre"}, {ADD, "pre/web"}, {ADD, "kid", .text = "pre"}, {ADD, "prod"},
        {ADD, "prod/web"},
        {SET_SCHEMA, "all/web", .text = "A:string,in@pre B:string,required@kid C:string,in@kid"});
    COMMIT(model, {SET_TEXT, "kid/web/A", .text = "as the base"});
    REFUSED(model, "'pre/web/C' may exist in kid only", {SET_TEXT, "pre/web/C", .text = "c"});
    COMMIT(model, {SET_TEXT, "kid/web/C", .text = "c"});
    COMMIT(model, {SET_TEXT, "pre/web/B", .text = "b"});
    REFUSED(model, "'kid/web/B' is required, and not there", {DROP, "pre/web/B"});
    REFUSED(model, "'prod/web/A' may exist in pre only", {SET_TEXT, "all/web/A", .text = "a"});
    verified(model);
}

/* --- guards --- */

static void test_guards_see_defaults(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {ADD, "prod/web"}, {SET_SCHEMA, "all/web", .text = "A:string=a"},
           {LOCK_PLACE, "prod/web/A"});
    REFUSED(model, "'prod/web/A' is locked", {SET_SCHEMA, "all/web", .text = "A:string=b"});
    REFUSED(model, "'prod/web/A' is locked", {UNSET_SCHEMA, "all/web"});
    REFUSED(model, "'prod/web/A' is locked", {SET_SCHEMA, "prod/web", .text = "B:string"});
    COMMIT(model, {SET_SCHEMA, "all/web", .text = "A:string,min_length@1=a"});
    const uint64_t rev =
        OVERRIDE(model, OVERRIDE_LOCK, {SET_SCHEMA, "all/web", .text = "A:string=c"});
    TOLD(model, rev, "~prod/web/A\n");
    verified(model);
}

static bool is_marked(struct model *model, uint64_t rev)
{
    struct operation_info operation;
    unsigned marked = 0, count = 0;
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    while (!history_operation(model->snapshot, &operation, rev, count)) {
        marked += operation.is_override;
        count++;
    }
    snapshot_end(model->snapshot);
    assert_true(marked == 0 || marked == count);
    return marked > 0;
}

static void test_overrides(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod"}, {SET_TEXT, "prod/web/N", .text = "1"},
           {SECRET_TEXT, "prod/db/P", .text = "pw"},
           {SET_SCHEMA, "prod/web", .text = "strict N:int L:int"});
    assert_false(is_marked(model, OVERRIDE(model, 7, {SET_TEXT, "prod/web/N", .text = "2"})));
    assert_true(
        is_marked(model, OVERRIDE(model, OVERRIDE_SCHEMA, {SET_TEXT, "prod/web/N", .text = "x"})));
    at_time(model, 0, OVERRIDE_SHARE, "'prod/web/L' ",
            STEPS({SET_LINK, "prod/web/L", .text = "db/P"}));
    at_time(model, 0, OVERRIDE_SCHEMA, "which is not shared",
            STEPS({SET_LINK, "prod/web/L", .text = "db/P"}));
    const uint64_t shared =
        OVERRIDE(model, OVERRIDE_SCHEMA | OVERRIDE_SHARE, {SET_LINK, "prod/web/L", .text = "db/P"});
    assert_true(is_marked(model, shared));
    READS(model, "prod/web/L", "pw", shared);
    const uint64_t kept =
        OVERRIDE(model, OVERRIDE_SHARE, {UNSHARE_WITH, "prod/db/P", .text = "web"});
    assert_true(is_marked(model, kept));
    REFUSED(model, "which is not shared", {UNSHARE_WITH, "prod/db/P", .text = "web"});
    at_time(model, 0, 7, "which is not there", STEPS({SET_LINK, "prod/web/L", .text = "db/NONE"}));
    verified(model);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, model_setup, model_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_the_nearest_schema_alone),    TEST(test_definitions_come_first),
        TEST(test_same_as_the_default),         TEST(test_a_default_is_referred_to),
        TEST(test_a_default_beneath_what_ends), TEST(test_a_default_that_is_too_much),
        TEST(test_a_service_takes_its_schema),  TEST(test_environments_come_and_go),
        TEST(test_all_that_is_wrong_at_once),   TEST(test_together),
        TEST(test_an_invalid_service),          TEST(test_wrong_from_afar),
        TEST(test_a_service_that_is_placed),    TEST(test_what_is_required_and_ends),
        TEST(test_another_service_is_told_of),  TEST(test_previews),
        TEST(test_guards_see_defaults),         TEST(test_overrides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
