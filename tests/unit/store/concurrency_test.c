/*
 * One writer and four readers of one store. Each commit sets a plain value, a secret and a value of
 * another service to the number of its revision, and adds or removes a key: a reader, in one
 * snapshot, finds all of them of that snapshot's revision, never a mixture; and no snapshot is
 * older than one before it, nor than what store_revision said.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/store/dice.h"
#include "tests/support/store/sample.h"
#include "tests/support/store/trial.h"

#define READERS 4u
#define COMMITS 1500u
#define PAIRS 8u

static struct {
    struct store *store;
    uint64_t first; /* the revision from which on every commit is one of these */
    atomic_bool done;
    _Atomic uint64_t rounds; /* of all readers */
} run;

/* Pair n of the three values that change together. */
static void paths_of(char paths[3][64], unsigned pair)
{
    snprintf(paths[0], 64, "prod/billing/PLAIN_%u", pair);
    snprintf(paths[1], 64, "prod/billing/SECRET_%u", pair);
    snprintf(paths[2], 64, "dev/web/OTHER_%u", pair);
}

/* Revision rev changes pair rev % PAIRS, to the value of rev; PRESENT is there after odd ones. */
static void commit_revision(uint64_t rev)
{
    char paths[3][64];
    struct change_result result = {0};
    paths_of(paths, (unsigned)(rev % PAIRS));
    const enum sample_verb present = rev % 2 ? SET : DROP;
    MUST_DO(SAMPLE_COMMIT(run.store, &result, "together", rev, {SET, paths[0], rev},
                          {SECRET, paths[1], rev}, {SET, paths[2], rev},
                          {present, "dev/web/PRESENT", rev}));
    MUST(result.rev == rev, "revision %llu, not %llu", (unsigned long long)result.rev,
         (unsigned long long)rev);
    MUST(store_revision(run.store) >= rev, "the revision is not published");
    change_result_release(&result);
}

static void read_pair(struct snapshot *snapshot, uint64_t revision, unsigned pair)
{
    char paths[3][64];
    /* How long ago the pair was changed last. */
    const uint64_t ago = (revision % PAIRS + PAIRS - pair) % PAIRS, changed = revision - ago;
    if (revision < run.first + ago)
        return;
    paths_of(paths, pair);
    for (unsigned i = 0; i < 3; i++)
        MUST(sample_has(snapshot, paths[i], changed), "'%s' in revision %llu is not of %llu",
             paths[i], (unsigned long long)revision, (unsigned long long)changed);
}

static void *read_on(void *arg)
{
    struct dice dice = dice_new(*(const uint64_t *)arg);
    struct snapshot *snapshot = NULL;
    uint64_t last = 0;
    BYTES_CLEANUP struct bytes present = BYTES_INIT(VALUE_MAX);
    MUST_DO(snapshot_new(&snapshot, run.store));
    while (!atomic_load(&run.done)) {
        const uint64_t told = store_revision(run.store);
        MUST_DO(snapshot_begin(snapshot));
        const uint64_t revision = snapshot_revision(snapshot);
        MUST(revision >= told && revision >= last, "from %llu, told %llu, to %llu",
             (unsigned long long)last, (unsigned long long)told, (unsigned long long)revision);
        last = revision;
        read_pair(snapshot, revision, (unsigned)(revision % PAIRS));
        read_pair(snapshot, revision, (unsigned)dice_roll(&dice, PAIRS));
        if (revision >= run.first)
            MUST(sample_read(snapshot, NULL, &present, "dev/web/PRESENT") ==
                     (revision % 2 ? 0 : NOT_THERE),
                 "PRESENT in revision %llu", (unsigned long long)revision);
        snapshot_end(snapshot);
        atomic_fetch_add(&run.rounds, 1);
    }
    snapshot_free(snapshot);
    return NULL;
}

static void test_one_writer_and_readers(void **state)
{
    (void)state;
    char path[TRIAL_PATH_MAX];
    struct change_result result = {0};
    struct dice dice = dice_new(dice_seed());
    pthread_t readers[READERS];
    uint64_t seeds[READERS];
    const unsigned commits = trial_scaled(COMMITS);
    sample_create(trial_path(path, trial_folder(), "store"));
    run.store = sample_open(path, true);
    MUST_DO(SAMPLE_COMMIT(run.store, &result, "places", 0, {ADD, "dev", 0}, {ADD, "prod", 0},
                          {SET, "dev/web/PRESENT", 0}));
    run.first = result.rev + 1;
    change_result_release(&result);
    if (run.first % 2) { /* the first of them removes PRESENT */
        MUST_DO(SAMPLE_COMMIT(run.store, &result, "one more", 0, {SET, "dev/web/ODD", 0}));
        run.first = result.rev + 1;
        change_result_release(&result);
    }
    for (unsigned i = 0; i < READERS; i++) {
        seeds[i] = dice_next(&dice);
        MUST(pthread_create(&readers[i], NULL, read_on, &seeds[i]) == 0, "no thread");
    }
    /* So long that every reader has looked while commits were made. */
    uint64_t rev = run.first;
    while (rev < run.first + commits || atomic_load(&run.rounds) < commits)
        commit_revision(rev++);
    atomic_store(&run.done, true);
    for (unsigned i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    printf("%llu commits beside %llu snapshots of %u readers\n",
           (unsigned long long)(rev - run.first), (unsigned long long)atomic_load(&run.rounds),
           READERS);
    MUST_DO(sample_verify(run.store, true));
    store_close(run.store);
    secret_teardown();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_writer_and_readers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
