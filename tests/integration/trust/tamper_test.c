/*
 * A store of 1,000 commits, changed by chance in other hands (mutate.h), so many times, each time
 * from the whole one. Then either it is not opened, or all that any reader gets of it, now and as
 * of before, is the right value or an error; and so it is after one more commit. Whatever changed a
 * record (an independent dump says whether anything did) is told of: by a store that does not open,
 * by an alarm when it does, or by verification. There are no exceptions.
 *
 * EMSA_TEST_MUTATIONS says how many; EMSA_TEST_FIRST how many of the seed are passed over before,
 * so that parts of one row can be played beside each other. With TMPDIR in memory a round takes
 * some milliseconds.
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
#include "tests/integration/trust/image.h"
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
#define WRITTEN_OF 8u /* one more commit is made on one in so many: see write_once */

struct judged { /* what a child found; shared with it */
    enum mutation_family family;
    char what[MUTATION_TEXT_MAX];
    bool is_mutated;
    bool is_dumped; /* the dump came to an end: else it differs */
    bool differs;   /* from the whole store's */
    bool opens;     /* the store does, pin and all */
    int verdict;    /* of verification */
    uint64_t alarms;
    size_t lies;     /* values read that are not what they were */
    size_t failures; /* that said that they can't be read */
    size_t read;
    size_t late_lies; /* after one more commit */
    bool is_tried;    /* to make that */
    bool is_written;
};

static struct {
    char whole[TRIAL_PATH_MAX], old[TRIAL_PATH_MAX], hurt[TRIAL_PATH_MAX],
        hurt_data[TRIAL_PATH_MAX], pin[TRIAL_PATH_MAX], readings[TRIAL_PATH_MAX];
    struct dump dump;
    struct image data, pin_data;
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
    records_dump(arg, trial.whole, true);
    return 0;
}

/* --- one mutation --- */

static int dump_it(void *arg)
{
    struct dump dump;
    (void)arg;
    if (!freopen("/dev/null", "w", stderr)) /* what it dies of is no news */
        return 1;
    records_dump(&dump, trial.hurt, true);
    trial.judged->differs = memcmp(&dump, &trial.dump, sizeof dump) != 0;
    trial.judged->is_dumped = true;
    return 0;
}

static int stop_at_first(void *arg, uint64_t done, uint64_t total)
{
    const struct verify_report *report = arg;
    (void)done;
    (void)total;
    return report->faults > 0;
}

static int verify(struct store *store)
{
    struct verify_report report = {0};
    const struct verify_options options = {.progress = stop_at_first, .arg = &report};
    const int verdict = verify_store(store, &options, &report);
    MUST(!verdict || verdict == -ERR_CORRUPT || verdict == -ERR_FORMAT, "verify says '%s'",
         error_word(verdict));
    return verdict;
}

static int open_hurt(struct store **out, bool is_examined)
{
    const struct store_options options = {.path = trial.hurt,
                                          .lock_fd = -1,
                                          .pin_fd = pin_open(trial.pin),
                                          .is_examined = is_examined};
    const int error = store_open(out, &options);
    MUST(!error || error == -ERR_CORRUPT || error == -ERR_FORMAT, "open says '%s'",
         error_word(error));
    return error;
}

/* What is not opened can be looked at, and says why. Where not even that, there is nothing to say.
 */
static void examine(struct judged *judged)
{
    struct store *store;
    judged->verdict = open_hurt(&store, true);
    if (judged->verdict)
        return;
    judged->verdict = verify(store);
    store_close(store);
}

static size_t read_all(struct judged *judged, struct store *store)
{
    struct readings found = {0};
    readings_take(&found, store, trial.newest);
    judged->read = found.count;
    judged->failures += found.failures;
    const size_t lies = readings_lies(&trial.truth, &found);
    readings_release(&found);
    return lies;
}

/* A writer takes pages that the file says are free, and moves others. */
static void write_once(struct judged *judged, struct store *store)
{
    struct change_result result = {0};
    judged->is_tried = true;
    /* A tag is no value. Damage may refuse it. */
    judged->is_written =
        SAMPLE_COMMIT(store, &result, "late", 0, {GRANT_TO, "late/alpha", 1, "user:later", 0}) == 0;
    change_result_release(&result);
    judged->late_lies = read_all(judged, store);
}

static int judge_it(void *arg)
{
    struct judged *judged = trial.judged;
    struct dice dice = dice_new(*(const uint64_t *)arg);
    struct store *store;
    struct identity *identity;
    struct store_status status;
    judged->family = mutate(judged->what, &dice, trial.hurt, trial.old);
    judged->is_mutated = true;
    const bool is_to_write = dice_once_in(&dice, WRITTEN_OF);
    MUST_DO(secret_setup(SAMPLE_SECRETS_MAX));
    if (open_hurt(&store, false)) {
        examine(judged);
        return 0;
    }
    judged->opens = true;
    judged->alarms = store_status(store, &status) ? 1 : status.alarms;
    MUST_DO(sample_identity(&identity, trial.whole));
    judged->failures += store_unlock(store, identity) != 0;
    judged->lies = read_all(judged, store);
    const size_t read = judged->read;
    if (!judged->alarms)
        judged->verdict = verify(store);
    if (is_to_write)
        write_once(judged, store);
    judged->read = read;
    store_close(store);
    return 0;
}

enum finding {            /* what became of one */
               UNCHANGED, /* no record is another, and all is read as before */
               REFUSED,   /* the store does not open: damage, its seal, or its pin; and verification
                             says so */
               ALARMED,   /* it opens with an alarm: what is read is right, or an error */
               FOUND,     /* verification found it */
               MISSED,    /* the test fails */
               FINDINGS
};
static const char *const findings[FINDINGS] = {"changed nothing", "not opened", "alarms", "found",
                                               "missed"};

static enum finding finding_of(const struct judged *judged)
{
    if (!judged->opens)
        return judged->verdict ? REFUSED : MISSED;
    if (judged->lies || judged->late_lies)
        return MISSED;
    if (judged->alarms)
        return ALARMED;
    if (judged->verdict)
        return FOUND;
    if (!judged->is_dumped || judged->differs)
        return MISSED;
    return judged->read == trial.truth.count && !judged->failures ? UNCHANGED : MISSED;
}

struct tally {
    unsigned rounds, findings[MUTATION_FAMILIES][FINDINGS], tried, written;
};

static int mutate_again(void *arg)
{
    struct dice dice = dice_new(*(const uint64_t *)arg);
    char what[MUTATION_TEXT_MAX];
    mutate(what, &dice, trial.hurt, trial.old);
    return 0;
}

static void put_back(void)
{
    image_restore(&trial.data, trial.hurt_data);
    image_restore(&trial.pin_data, trial.pin);
}

static void play(struct tally *tally, unsigned round, uint64_t seed)
{
    struct judged *judged = trial.judged;
    *judged = (struct judged){0};
    put_back();
    const int status = trial_child(judge_it, &seed, SECONDS);
    MUST(WIFEXITED(status) && WEXITSTATUS(status) == 0, "round %u, %s: %s", round, judged->what,
         trial_end(status));
    /* What opens in silence has to be the same by somebody else's account too. One more commit
     * would differ, so it is mutated once more. */
    if (judged->opens && !judged->alarms && !judged->verdict) {
        put_back();
        trial_child(mutate_again, &seed, SECONDS);
        trial_child(dump_it, NULL, SECONDS);
    }
    const enum finding finding = finding_of(judged);
    if (finding == MISSED)
        printf("round %u, %s: %s; %zu of %zu values are read, %zu wrong, %zu after a commit\n",
               round, judged->what,
               judged->opens ? "opened, and nothing is found"
                             : "not opened, and verification finds nothing",
               judged->read, trial.truth.count, judged->lies, judged->late_lies);
    tally->findings[judged->family][finding]++;
    tally->tried += judged->is_tried;
    tally->written += judged->is_written;
    tally->rounds++;
}

static void print(const struct tally *tally, time_t seconds)
{
    printf("%u mutations in %lld s\n", tally->rounds, (long long)seconds);
    for (unsigned i = 0; i < MUTATION_FAMILIES; i++) {
        printf("  %-8s", mutation_families[i]);
        for (unsigned j = 0; j < FINDINGS; j++)
            printf("  %u %s", tally->findings[i][j], findings[j]);
        printf("\n");
    }
    printf("  written to, and read again: %u of %u\n", tally->written, tally->tried);
    fflush(stdout);
}

static void test_mutations(void **state)
{
    const char *given = getenv("EMSA_TEST_MUTATIONS");
    const unsigned count = given ? (unsigned)strtoul(given, NULL, 10) : trial_scaled(MUTATIONS);
    const char *passed = getenv("EMSA_TEST_FIRST");
    const unsigned first = passed ? (unsigned)strtoul(passed, NULL, 10) : 0;
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
    trial_path(trial.hurt_data, trial.hurt, "data.mdb");
    trial_path(trial.pin, folder, "pin");
    trial_path(trial.readings, folder, "readings");
    trial_path(identity, folder, "whole.identity");
    trial_child_well(make_store, NULL, 20 * SECONDS);
    trial_child_well(look_at_whole, NULL, SECONDS);
    trial_child_well(dump_whole, dump, SECONDS);
    trial.dump = *dump;
    trial.newest = pinned_rev();
    readings_load(&trial.truth, trial.readings);
    trial_copy_folder(trial.hurt, trial.whole);
    image_take(&trial.data, trial.hurt_data);
    image_take(&trial.pin_data, trial.pin);
    for (unsigned round = 0; round < first; round++)
        dice_next(&dice);
    const time_t begun = time(NULL);
    for (unsigned round = first; round < first + count; round++) {
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
