/*
 * Random changes, judged by a naive model (tests/support/store/reference) and by the store: the
 * same verdict, the same lines, the same listings, values, revisions and times after every commit,
 * and at the end the same past.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/error.h"
#include "tests/support/store/dice.h"
#include "tests/support/store/likeness.h"
#include "tests/support/store/reference.h"
#include "tests/support/store/sample.h"
#include "tests/support/store/trial.h"

#define CHANGES 4000u
#define WISHES_MAX 10u
#define NUMBERS 6u /* few different values, so that many sets change nothing */

static struct {
    const char *path;
    struct dice dice;
    struct store *store;
    struct likeness like;
    struct reference_outcome outcome;
    uint64_t last_request, last_request_rev;
    unsigned commits, refusals, conflicts, repeats, idle, dry;
} run;

/* --- what to do --- */

static struct reference_wish random_wish(void)
{
    static const enum reference_verb verbs[] = {
        WISH_ENVIRONMENT_ADD, WISH_SERVICE_ADD, WISH_SERVICE_REMOVE,     WISH_SET_PLAIN,
        WISH_SET_PLAIN,       WISH_SET_PLAIN,   WISH_SET_PLAIN,          WISH_SET_PLAIN,
        WISH_SET_SECRET,      WISH_SET_SECRET,  WISH_SET_SECRET,         WISH_REMOVE,
        WISH_REMOVE,          WISH_REMOVE,      WISH_ENVIRONMENT_REMOVE, WISH_CLEAR_SERVICE,
    };
    struct dice *dice = &run.dice;
    return (struct reference_wish){.verb = verbs[dice_roll(dice, sizeof(verbs) / sizeof(verbs[0]))],
                                   .environment = (unsigned)dice_roll(dice, REFERENCE_ENVIRONMENTS),
                                   .service = (unsigned)dice_roll(dice, REFERENCE_SERVICES),
                                   .key = (unsigned)dice_roll(dice, REFERENCE_KEYS),
                                   .number = 1 + dice_roll(dice, NUMBERS)};
}

/* Whether a wish alone would be refused: most changes should pass, so most of these are drawn
 * again. */
static bool is_refused(const struct reference_wish wishes[], size_t count)
{
    static struct reference scratch;
    static struct reference_outcome outcome;
    scratch = run.like.reference;
    reference_apply(&scratch, &outcome, wishes, count);
    return outcome.error != 0;
}

static size_t random_wishes(struct reference_wish wishes[static WISHES_MAX])
{
    size_t count = 1 + (dice_once_in(&run.dice, 3) ? dice_roll(&run.dice, WISHES_MAX) : 0);
    for (size_t i = 0; i < count; i++) {
        wishes[i] = random_wish();
        if (wishes[i].verb == WISH_CLEAR_SERVICE && dice_once_in(&run.dice, 3))
            wishes[i].verb = WISH_CLEAR_ENVIRONMENT;
        if (i > 0 && dice_once_in(&run.dice, 2)) { /* the same place again */
            wishes[i].environment = wishes[i - 1].environment;
            wishes[i].service = wishes[i - 1].service;
            wishes[i].key = dice_once_in(&run.dice, 2) ? wishes[i - 1].key : wishes[i].key;
        }
        for (int tries = 0; tries < 8 && is_refused(wishes, i + 1) && !dice_once_in(&run.dice, 60);
             tries++)
            wishes[i] = random_wish();
    }
    return count;
}

static int gather(struct change *change, const struct reference_wish *wish)
{
    struct path path = reference_path(wish, reference_depth(wish->verb));
    char text[PATH_TEXT_MAX];
    if (wish->verb == WISH_CLEAR_SERVICE || wish->verb == WISH_CLEAR_ENVIRONMENT)
        return change_remove_all(change, &path);
    struct sample_step step = {.path = path_text(&path, text), .value = wish->number};
    switch (wish->verb) {
    case WISH_ENVIRONMENT_ADD:
    case WISH_SERVICE_ADD:
        step.verb = ADD;
        break;
    case WISH_SET_PLAIN:
        step.verb = SET;
        break;
    case WISH_SET_SECRET:
        step.verb = SECRET;
        break;
    default:
        step.verb = DROP;
    }
    return sample_gather(change, &step, 1);
}

/* --- what became of it --- */

static void compare_lines(const struct change_result *result)
{
    MUST(result->count == run.outcome.line_count, "%zu lines, not %zu", result->count,
         run.outcome.line_count);
    for (size_t i = 0; i < result->count; i++) {
        const struct change_line *is = &result->lines[i];
        const struct reference_line *should = &run.outcome.lines[i];
        char text[PATH_TEXT_MAX], other[PATH_TEXT_MAX];
        change_line_text(is, text);
        MUST(strcmp(text, path_text(&should->path, other)) == 0, "line %zu is of '%s', not '%s'", i,
             text, other);
        MUST(is->mark == should->mark, "line %zu, '%s', is '%c', not '%c'", i, text, is->mark,
             should->mark);
        MUST(is->secret == should->secret, "line %zu, '%s'", i, text);
        if (is->mark != '+')
            MUST(is->was_rev == should->was_rev, "line %zu, '%s', was %llu, not %llu", i, text,
                 (unsigned long long)is->was_rev, (unsigned long long)should->was_rev);
    }
}

/* --- one change --- */

struct terms { /* of one change, and what they should come to */
    struct change_terms given;
    int error;
    bool repeated;
};

static void random_terms(struct terms *terms, unsigned number, const struct reference_wish *first)
{
    struct dice *dice = &run.dice;
    *terms = (struct terms){.given = sample_terms("random", 0)};
    if (dice_once_in(dice, 3)) {
        terms->repeated = run.last_request && dice_once_in(dice, 6);
        const uint64_t id = terms->repeated ? run.last_request : 1000000 + number;
        terms->given = sample_terms("random", id);
    }
    terms->given.dry_run = dice_once_in(dice, 10);
    if (!dice_once_in(dice, 4))
        return;
    const enum path_depth depth = (enum path_depth)dice_roll(dice, 4);
    const uint64_t newest = reference_changed(&run.like.reference, depth, first);
    terms->given.has_if_rev = true;
    terms->given.if_path = reference_path(first, depth);
    terms->given.if_rev = dice_once_in(dice, 3) ? dice_roll(dice, run.like.reference.rev + 2)
                                                : newest - dice_once_in(dice, 3) * (newest > 0);
    if (terms->given.if_rev > run.like.reference.rev || newest > terms->given.if_rev)
        terms->error = -ERR_CONFLICT;
}

static uint64_t request_of(const struct change_terms *terms)
{
    uint64_t id;
    memcpy(&id, terms->request_id, sizeof(id));
    return id;
}

static void expect_committed(const struct change_result *result, const struct terms *terms,
                             const struct reference *next)
{
    compare_lines(result);
    MUST(!result->repeated, "a new request was repeated");
    const bool commits = run.outcome.operation_count > 0 && !terms->given.dry_run;
    MUST(result->committed == commits, "committed is %d", result->committed);
    MUST(result->rev == run.like.reference.rev + commits, "revision %llu",
         (unsigned long long)result->rev);
    run.dry += terms->given.dry_run;
    if (!commits) {
        run.idle += !terms->given.dry_run;
        return;
    }
    run.like.reference = *next;
    run.like.reference.rev++;
    run.commits++;
    if (request_of(&terms->given)) {
        run.last_request = request_of(&terms->given);
        run.last_request_rev = result->rev;
    }
    likeness_compare(&run.like, &run.outcome);
}

static void one_change(unsigned number)
{
    static struct reference next;
    struct reference_wish wishes[WISHES_MAX];
    struct terms terms;
    struct change *change = NULL;
    struct change_result result = {0};
    const size_t count = random_wishes(wishes);
    random_terms(&terms, number, &wishes[0]);
    next = run.like.reference;
    reference_apply(&next, &run.outcome, wishes, count);
    MUST_DO(change_new(&change, run.store));
    for (size_t i = 0; i < count; i++)
        MUST_DO(gather(change, &wishes[i]));
    const int error = change_commit(change, &terms.given, &result);
    change_free(change);
    if (terms.repeated) {
        MUST(error == 0 && result.repeated && result.rev == run.last_request_rev,
             "a repeated request: %d", error);
        run.repeats++;
    } else if (terms.error) {
        MUST(error == terms.error, "%s, not %s", error_word(error), error_word(terms.error));
        run.conflicts++;
    } else if (run.outcome.error) {
        MUST(error == run.outcome.error, "%s, not %s", error_word(error),
             error_word(run.outcome.error));
        run.refusals++;
    } else {
        MUST(error == 0, "%s", error_word(error));
        expect_committed(&result, &terms, &next);
    }
    MUST(store_revision(run.store) == run.like.reference.rev, "the revision moved");
    change_result_release(&result);
}

/* --- all of it --- */

static void open_again(void)
{
    if (run.store) {
        likeness_detach(&run.like);
        store_close(run.store);
    }
    run.store = sample_open(run.path, true);
    likeness_attach(&run.like, run.store);
}

static void test_random_changes(void **state)
{
    (void)state;
    char path[TRIAL_PATH_MAX];
    const unsigned changes = trial_scaled(CHANGES);
    run.dice = dice_new(dice_seed());
    run.path = trial_path(path, trial_folder(), "store");
    likeness_init(&run.like, changes, (size_t)changes * REFERENCE_OPERATIONS_MAX / 8);
    sample_create(run.path);
    open_again();
    for (unsigned i = 0; i < changes; i++) {
        if (i % 500 == 250)
            open_again();
        one_change(i);
    }
    likeness_compare_past(&run.like, &run.dice);
    MUST_DO(sample_verify(run.store, true));
    printf("%u changes: %u commits, %u refused, %u conflicts, %u repeated, %u idle, %u dry; %zu "
           "moments\n",
           changes, run.commits, run.refusals, run.conflicts, run.repeats, run.idle, run.dry,
           run.like.moment_count);
    likeness_detach(&run.like);
    store_close(run.store);
    secret_teardown();
    likeness_release(&run.like);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_changes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
