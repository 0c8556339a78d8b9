/*
 * kill -9 at any moment. A child commits without end, each commit with a request id of its own, and
 * tells of every commit that returned. It is killed after a number of these, at whatever moment of
 * the next commits: nothing waits for that moment, and every one must do. Then the store is opened
 * by another child, which finds everything that was told of, sends the first request that was not
 * told of again, and finds it done exactly once.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/store/dice.h"
#include "tests/support/store/sample.h"
#include "tests/support/store/trial.h"

#define ROUNDS 200u
#define ROUNDS_A_STORE 25u /* then a new one: what is verified again each time stays small */
#define ACKNOWLEDGED_MAX 30u
#define KEYS 40u
#define MOMENT_MAX 2000000u /* nanoseconds: a few commits */

struct told { /* one commit that returned, as it comes through the pipe */
    uint64_t number;
    uint64_t rev;
};

struct round {
    const char *path;
    int pipe;
    uint64_t first; /* the number of its first commit; numbers go on from round to round */
    uint64_t told;  /* how many of this round were told of */
    uint64_t rev;   /* before the round */
};

/* Commit number n: a plain and a secret value that say n, one service, sometimes a removal. */
static int commit_number(struct store *store, struct change_result *result, uint64_t n)
{
    char reason[32], plain[64], secret[64], gone[64], was_gone[64];
    snprintf(reason, sizeof(reason), "commit %llu", (unsigned long long)n);
    snprintf(plain, sizeof(plain), "prod/billing/PLAIN_%llu", (unsigned long long)(n % KEYS));
    snprintf(secret, sizeof(secret), "prod/billing/SECRET_%llu", (unsigned long long)(n % KEYS));
    snprintf(gone, sizeof(gone), "prod/passing/KEY_%llu", (unsigned long long)n);
    snprintf(was_gone, sizeof(was_gone), "prod/passing/KEY_%llu", (unsigned long long)(n - 1));
    const struct sample_step steps[] = {
        {SET, plain, n}, {SECRET, secret, n}, {SET, gone, n}, {DROP, was_gone, 0}};
    return sample_commit(store, result, reason, n, steps, n > 1 ? 4 : 3);
}

static int commit_without_end(void *arg)
{
    struct round *round = arg;
    struct store *store = sample_open(round->path, true);
    for (uint64_t n = round->first;; n++) {
        struct change_result result = {0};
        MUST_DO(commit_number(store, &result, n));
        struct told told = {.number = n, .rev = result.rev};
        change_result_release(&result);
        MUST(write(round->pipe, &told, sizeof(told)) == (ssize_t)sizeof(told), "cannot tell");
    }
}

/* Revision rev is commit number n, with its values as they were then. */
static void expect_commit(struct snapshot *snapshot, uint64_t rev, uint64_t n)
{
    struct commit_info commit;
    char reason[32];
    snprintf(reason, sizeof(reason), "commit %llu", (unsigned long long)n);
    MUST_DO(history_commit(snapshot, &commit, rev));
    MUST(strcmp(commit.reason, reason) == 0, "revision %llu is '%s', not '%s'",
         (unsigned long long)rev, commit.reason, reason);
    for (uint32_t op = 0; op < 2; op++) {
        struct operation_info done;
        struct entry entry;
        const unsigned char *data = NULL;
        size_t size = 0;
        SECRET_CLEANUP struct secret scratch = {0};
        uint32_t at = op;
        /* A service that was made has an operation of its own before the values. */
        do
            MUST_DO(history_operation(snapshot, &done, rev, at++));
        while (done.kind != (op == 0 ? OPERATION_SET_PLAIN : OPERATION_SET_SECRET));
        MUST_DO(snapshot_entry_at(snapshot, &entry, done.environment, done.name_id, rev));
        MUST_DO(snapshot_value(snapshot, &data, &size, &entry, &scratch));
        MUST(value_is(data, size, n), "commit %llu has another value", (unsigned long long)n);
    }
}

static void expect_all(struct store *store, const struct round *round, uint64_t count)
{
    struct snapshot *snapshot = NULL;
    MUST_DO(snapshot_new(&snapshot, store));
    MUST_DO(snapshot_begin(snapshot));
    MUST(snapshot_revision(snapshot) == round->rev + count, "revision %llu, not %llu",
         (unsigned long long)snapshot_revision(snapshot), (unsigned long long)(round->rev + count));
    for (uint64_t i = 0; i < count; i++)
        expect_commit(snapshot, round->rev + 1 + i, round->first + i);
    snapshot_end(snapshot);
    snapshot_free(snapshot);
}

static int look_at_what_is_left(void *arg)
{
    struct round *round = arg;
    struct store *store = sample_open(round->path, true);
    MUST_DO(sample_verify(store, true));
    const uint64_t told = round->rev + round->told;
    const uint64_t found = store_revision(store);
    MUST(found == told || found == told + 1, "revision %llu after %llu was told",
         (unsigned long long)found, (unsigned long long)told);
    expect_all(store, round, found - round->rev);
    for (int again = 0; again < 2; again++) {
        struct change_result result = {0};
        MUST_DO(commit_number(store, &result, round->first + round->told));
        MUST(result.rev == told + 1, "repeated: revision %llu, not %llu",
             (unsigned long long)result.rev, (unsigned long long)told + 1);
        MUST(result.repeated == (found == told + 1 || again == 1), "repeated is %d",
             result.repeated);
        change_result_release(&result);
    }
    expect_all(store, round, round->told + 1);
    MUST_DO(sample_verify(store, true));
    store_close(store);
    return found == told + 1 ? 2 : 0;
}

/* Starts the committing child, kills it, and returns how many commits it told of. */
static uint64_t run_and_kill(struct round *round, struct dice *dice)
{
    int ends[2];
    struct told told;
    uint64_t count = 0, wanted = dice_roll(dice, ACKNOWLEDGED_MAX);
    MUST(pipe(ends) == 0, "no pipe");
    fflush(NULL);
    pid_t child = fork();
    MUST(child >= 0, "cannot fork");
    if (child == 0) {
        close(ends[0]);
        round->pipe = ends[1];
        _exit(commit_without_end(round));
    }
    close(ends[1]);
    for (; count < wanted; count++) {
        MUST(read(ends[0], &told, sizeof(told)) == (ssize_t)sizeof(told),
             "the child ended by itself");
        MUST(told.number == round->first + count, "told of %llu", (unsigned long long)told.number);
    }
    /* Off the processor, which the child may need: any moment of its next commits. */
    const struct timespec moment = {.tv_nsec = (long)dice_roll(dice, MOMENT_MAX)};
    ppoll(NULL, 0, &moment, NULL);
    MUST(kill(child, SIGKILL) == 0, "cannot kill");
    int status;
    MUST(waitpid(child, &status, 0) == child && WIFSIGNALED(status), "the child ended by itself");
    while (read(ends[0], &told, sizeof(told)) == (ssize_t)sizeof(told)) {
        MUST(told.number == round->first + count, "told of %llu", (unsigned long long)told.number);
        count++;
    }
    close(ends[0]);
    return count;
}

static int make_store(void *arg)
{
    const char *path = arg;
    struct change_result result = {0};
    sample_create(path);
    struct store *store = sample_open(path, false);
    MUST_DO(SAMPLE_COMMIT(store, &result, "a place", 0, {ADD, "prod", 0}));
    MUST(result.rev == 2, "the first change is revision %llu", (unsigned long long)result.rev);
    change_result_release(&result);
    store_close(store);
    return 0;
}

static void test_killed_at_any_moment(void **state)
{
    (void)state;
    struct dice dice = dice_new(dice_seed());
    const char *folder = trial_folder();
    unsigned unacknowledged = 0, rounds = trial_scaled(ROUNDS);
    uint64_t commits = 0;
    char path[TRIAL_PATH_MAX], name[32];
    struct round round = {.path = path};
    for (unsigned i = 0; i < rounds; i++) {
        if (i % ROUNDS_A_STORE == 0) {
            snprintf(name, sizeof(name), "store-%u", i);
            trial_path(path, folder, name);
            trial_child_well(make_store, path, 60);
            round.first = 1;
            round.rev = 2;
        }
        round.told = run_and_kill(&round, &dice);
        int status = trial_child(look_at_what_is_left, &round, 60);
        MUST(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 2),
             "round %u, %llu told: %s", i, (unsigned long long)round.told, trial_end(status));
        unacknowledged += WEXITSTATUS(status) == 2;
        commits += round.told + 1;
        round.first += round.told + 1;
        round.rev += round.told + 1;
    }
    printf("%u rounds, %llu commits, %u durable and never acknowledged\n", rounds,
           (unsigned long long)commits, unacknowledged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_killed_at_any_moment)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
