/*
 * A store of 1,000 commits, changed by chance in other hands (mutate.h), so many times, each time
 * from the whole one. An independent dump of all records says whether anything changed; then the
 * store must not open, or verification must find it. And nothing that is read may be another value
 * than the right one: of damage never; of records made by somebody who knows the hashes, and of
 * whole records of before, not once the store was verified, which is why both are looked at here.
 *
 * What no look at the files can find is told of by name, and counted (enum finding).
 *
 * EMSA_TEST_MUTATIONS says how many.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/error.h"
#include "store/pin.h"
#include "tests/integration/trust/mutate.h"
#include "tests/integration/trust/readings.h"
#include "tests/integration/trust/records.h"
#include "tests/support/store/sample.h"
#include "tests/support/store/story.h"
#include "tests/support/store/trial.h"

#define MUTATIONS 100u
#define STORY_SEED 14218601781272417692u /* its `all` lets another environment be made */
#define STORY_COMMITS 500u
#define LATE_COMMITS 250u /* before the older copy was taken, and after it */
#define SECONDS 120u
#define SHOWN_EVERY 1000u

struct judged { /* what a child found; shared with it */
    enum mutation_family family;
    char what[MUTATION_TEXT_MAX];
    bool is_mutated;
    bool is_dumped;         /* the dump came to an end: else it differs */
    bool differs[DB_COUNT]; /* from the whole store's */
    bool opens;             /* the store does, pin and all */
    int verdict;            /* of verification */
    size_t lies;            /* values read that are not what they were */
    size_t failures;        /* that said that they can't be read */
    size_t read;
};

static struct {
    char whole[TRIAL_PATH_MAX], old[TRIAL_PATH_MAX], hurt[TRIAL_PATH_MAX], pin[TRIAL_PATH_MAX],
        readings[TRIAL_PATH_MAX];
    struct dump dump;
    struct readings truth;
    struct judged *judged;
    uint64_t newest;
} trial;

/* --- the whole store --- */

static void commit_late(struct store *store, unsigned number)
{
    static const char *const services[] = {"late/alpha", "late/beta", "late/gamma"};
    struct change_result result = {0};
    char a[64], b[64], tag[32];
    snprintf(a, sizeof a, "%s/KEY_%02u", services[number % 3], number * 7 % 20);
    snprintf(b, sizeof b, "%s/TOKEN_%02u", services[number % 3], number * 5 % 20);
    snprintf(tag, sizeof tag, "user:u%u", number % 40);
    const struct sample_step steps[] = {
        {SET, a, number * 2 + 100, NULL, 0},
        {SECRET, b, number * 2 + 101, NULL, 0},
        {GRANT_TO, services[number % 3], 1 + number % 63, tag, 0},
        {SHARE_WITH, b, 0, number % 2 ? "beta" : "*", 0},
    };
    MUST_DO(sample_commit(store, &result, "late", number + 1, steps,
                          number % 10 == 0   ? 4
                          : number % 10 == 5 ? 3
                                             : 2));
    change_result_release(&result);
}

static void commit_many(const char *path, unsigned from, unsigned count)
{
    struct store *store = sample_open(path, true);
    struct change_result result = {0};
    if (!from)
        MUST_DO(SAMPLE_COMMIT(store, &result, "late", 0, {ADD, "late", 0}, {ADD, "late/alpha", 0},
                              {ADD, "late/beta", 0}, {ADD, "late/gamma", 0}));
    change_result_release(&result);
    for (unsigned i = from; i < from + count; i++)
        commit_late(store, i);
    store_close(store);
}

static int make_store(void *arg)
{
    (void)arg;
    story_write(trial.whole, STORY_SEED, STORY_COMMITS);
    commit_many(trial.whole, 0, LATE_COMMITS);
    trial_copy_folder(trial.old, trial.whole);
    commit_many(trial.whole, LATE_COMMITS, LATE_COMMITS);
    return 0;
}

/* Pins the head, and notes what readers get. */
static int look_at_whole(void *arg)
{
    (void)arg;
    struct store *store;
    struct identity *identity;
    struct readings truth = {0};
    MUST_DO(secret_setup(SAMPLE_SECRETS_MAX));
    const struct store_options options = {
        .path = trial.whole, .lock_fd = -1, .pin_fd = pin_open(trial.pin)};
    MUST_DO(store_open(&store, &options));
    MUST_DO(sample_identity(&identity, trial.whole));
    MUST_DO(store_unlock(store, identity));
    readings_take(&truth, store, store_revision(store));
    MUST(truth.count > 100 && !truth.failures, "%zu values, %zu failures", truth.count,
         truth.failures);
    readings_write(&truth, trial.readings);
    readings_release(&truth);
    MUST_DO(sample_verify(store, true));
    store_close(store);
    return 0;
}

static uint64_t pinned_rev(void)
{
    struct pin pin;
    const int fd = pin_open(trial.pin);
    MUST_DO(pin_read(&pin, NULL, fd));
    close(fd);
    return pin.rev;
}

static int dump_whole(void *arg)
{
    records_dump(arg, trial.whole);
    return 0;
}

/* --- one mutation --- */

static int change_it(void *arg)
{
    struct dice dice = dice_new(*(const uint64_t *)arg);
    trial.judged->family = mutate(trial.judged->what, &dice, trial.hurt, trial.old);
    trial.judged->is_mutated = true;
    return 0;
}

static int dump_it(void *arg)
{
    struct dump dump;
    (void)arg;
    records_dump(&dump, trial.hurt);
    for (unsigned i = 0; i < DB_COUNT; i++)
        trial.judged->differs[i] = memcmp(dump.hashes[i], trial.dump.hashes[i], BLAKE_SIZE) != 0;
    trial.judged->is_dumped = true;
    return 0;
}

/* In a child that LMDB may bring down: then it differs. */
static void dump_hurt(void)
{
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        static const int deaths[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGALRM};
        for (size_t i = 0; i < sizeof deaths / sizeof deaths[0]; i++)
            signal(deaths[i], SIG_DFL);
        alarm(SECONDS);
        if (!freopen("/dev/null", "w", stderr)) /* what it dies of is no news */
            _exit(1);
        dump_it(NULL);
        _exit(0);
    }
    int status;
    MUST(child > 0 && waitpid(child, &status, 0) == child, "no child");
}

static int judge_it(void *arg)
{
    struct judged *judged = trial.judged;
    struct store *store;
    struct identity *identity;
    struct readings found = {0};
    (void)arg;
    MUST_DO(secret_setup(SAMPLE_SECRETS_MAX));
    const struct store_options options = {
        .path = trial.hurt, .lock_fd = -1, .pin_fd = pin_open(trial.pin)};
    int error = store_open(&store, &options);
    if (error) {
        MUST(error == -ERR_CORRUPT || error == -ERR_FORMAT, "open says '%s'", error_word(error));
        return 0;
    }
    judged->opens = true;
    MUST_DO(sample_identity(&identity, trial.whole));
    error = store_unlock(store, identity);
    judged->failures += error != 0;
    readings_take(&found, store, trial.newest);
    judged->read = found.count;
    judged->failures += found.failures;
    judged->lies = readings_lies(&trial.truth, &found);
    readings_release(&found);
    judged->verdict = sample_verify(store, false);
    MUST(!judged->verdict || judged->verdict == -ERR_CORRUPT || judged->verdict == -ERR_FORMAT,
         "verify says '%s'", error_word(judged->verdict));
    store_close(store);
    return 0;
}

enum finding {            /* what became of one */
               UNCHANGED, /* no record is another, and all is read as before */
               REFUSED,   /* the store does not open: damage, or its pin */
               FOUND,     /* verification found it */
               FORGOTTEN, /* the leak guard has no fingerprint of a secret any more, as of one that
                             was set by who had no key: it sees less, and no value is another */
               MISSED,    /* the test fails */
               FINDINGS
};
static const char *const findings[FINDINGS] = {"changed nothing", "not opened", "found",
                                               "fingerprints gone", "missed"};

static enum finding finding_of(const struct judged *judged)
{
    bool differs = !judged->is_dumped, beside_leak = !judged->is_dumped;
    for (unsigned i = 0; i < DB_COUNT; i++) {
        differs |= judged->differs[i];
        beside_leak |= judged->differs[i] && i != DB_LEAK;
    }
    if (!judged->opens)
        return REFUSED;
    if (judged->verdict)
        return FOUND;
    if (judged->lies || beside_leak)
        return MISSED;
    if (differs)
        return FORGOTTEN;
    return judged->read == trial.truth.count && !judged->failures ? UNCHANGED : MISSED;
}

struct tally {
    unsigned rounds, findings[MUTATION_FAMILIES][FINDINGS], lied[MUTATION_FAMILIES];
};

static void play(struct tally *tally, unsigned round, uint64_t seed)
{
    struct judged *judged = trial.judged;
    *judged = (struct judged){0};
    trial_copy_folder(trial.hurt, trial.whole);
    trial_child_well(change_it, &seed, SECONDS);
    dump_hurt();
    const int status = trial_child(judge_it, NULL, SECONDS);
    MUST(WIFEXITED(status) && WEXITSTATUS(status) == 0, "round %u, %s: %s", round, judged->what,
         trial_end(status));
    const enum finding finding = finding_of(judged);
    if (finding == MISSED)
        printf("round %u, %s: %zu of %zu values are read, %zu wrong, and nothing is found\n", round,
               judged->what, judged->read, trial.truth.count, judged->lies);
    /* Who does not know the hashes gets nobody to read another value. */
    MUST(judged->lies == 0 || judged->family != MUTATE_BYTES, "round %u, %s: %zu wrong values",
         round, judged->what, judged->lies);
    tally->findings[judged->family][finding]++;
    tally->lied[judged->family] += judged->lies > 0;
    tally->rounds++;
}

static void print(const struct tally *tally, time_t seconds)
{
    printf("%u mutations in %lld s\n", tally->rounds, (long long)seconds);
    for (unsigned i = 0; i < MUTATION_FAMILIES; i++) {
        printf("  %-8s", mutation_families[i]);
        for (unsigned j = 0; j < FINDINGS; j++)
            printf("  %u %s", tally->findings[i][j], findings[j]);
        printf("  (%u with values that an unverified store would have shown)\n", tally->lied[i]);
    }
    fflush(stdout);
}

static void test_mutations(void **state)
{
    const char *given = getenv("EMSA_TEST_MUTATIONS");
    const unsigned count = given ? (unsigned)strtoul(given, NULL, 10) : trial_scaled(MUTATIONS);
    const char *folder = trial_folder();
    struct tally tally = {0};
    char identity[TRIAL_PATH_MAX];
    (void)state;
    struct dice dice = dice_new(dice_seed());
    trial.judged =
        mmap(NULL, sizeof *trial.judged, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct dump *dump =
        mmap(NULL, sizeof *dump, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    MUST(trial.judged != MAP_FAILED && dump != MAP_FAILED, "no memory");
    trial_path(trial.whole, folder, "whole");
    trial_path(trial.old, folder, "old");
    trial_path(trial.hurt, folder, "hurt");
    trial_path(trial.pin, folder, "pin");
    trial_path(trial.readings, folder, "readings");
    trial_path(identity, folder, "whole.identity");
    trial_child_well(make_store, NULL, 20 * SECONDS);
    trial_child_well(look_at_whole, NULL, SECONDS);
    trial_child_well(dump_whole, dump, SECONDS);
    trial.dump = *dump;
    trial.newest = pinned_rev();
    readings_load(&trial.truth, trial.readings);
    const time_t begun = time(NULL);
    for (unsigned round = 0; round < count; round++) {
        play(&tally, round, dice_next(&dice));
        if (tally.rounds % SHOWN_EVERY == 0)
            print(&tally, time(NULL) - begun);
    }
    print(&tally, time(NULL) - begun);
    for (unsigned i = 0; i < MUTATION_FAMILIES; i++)
        assert_int_equal(tally.findings[i][MISSED], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mutations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
