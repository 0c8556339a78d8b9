/*
 * The thread that waits for moments, with a store that is only played: when it calls, that it calls
 * again after a failure and tells of it once, and that it sleeps while nothing ends. What is waited
 * for here are its calls, never the clock; that it sleeps is told by the time that it used up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/emsad/expirer.h"

#define SECOND 1000000000ll

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t called;
    unsigned calls;
    int64_t now;        /* of the last call */
    unsigned failures;  /* so many calls fail yet */
    int64_t moments[8]; /* what ends, 0: nothing */
} played = {.mutex = PTHREAD_MUTEX_INITIALIZER, .called = PTHREAD_COND_INITIALIZER};

int __wrap_service_expire(struct dispatcher *dispatcher, int64_t *next, int64_t now);
bool __wrap_service_is_lost(const struct dispatcher *dispatcher);

/* As the real one: what is due goes, and the first of the others is told. */
int __wrap_service_expire(struct dispatcher *dispatcher, int64_t *next, int64_t now)
{
    int error = 0;
    int64_t first = 0;
    (void)dispatcher;
    pthread_mutex_lock(&played.mutex);
    played.calls++;
    played.now = now;
    if (played.failures > 0) {
        played.failures--;
        error = error_set(ERR_FULL, "the played disk is full");
    }
    for (size_t i = 0; i < 8 && !error; i++) {
        int64_t *moment = &played.moments[i];
        if (*moment <= now)
            *moment = 0;
        else if (first == 0 || *moment < first)
            first = *moment;
    }
    pthread_cond_broadcast(&played.called);
    pthread_mutex_unlock(&played.mutex);
    if (!error)
        *next = first;
    return error;
}

bool __wrap_service_is_lost(const struct dispatcher *dispatcher)
{
    (void)dispatcher;
    return false;
}

static int64_t clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

static void wait_calls(unsigned calls)
{
    pthread_mutex_lock(&played.mutex);
    while (played.calls < calls)
        pthread_cond_wait(&played.called, &played.mutex);
    pthread_mutex_unlock(&played.mutex);
}

static unsigned calls(void)
{
    pthread_mutex_lock(&played.mutex);
    const unsigned count = played.calls;
    pthread_mutex_unlock(&played.mutex);
    return count;
}

static int64_t last_now(void)
{
    pthread_mutex_lock(&played.mutex);
    const int64_t now = played.now;
    pthread_mutex_unlock(&played.mutex);
    return now;
}

static void ends_at(size_t which, int64_t moment)
{
    pthread_mutex_lock(&played.mutex);
    played.moments[which] = moment;
    pthread_mutex_unlock(&played.mutex);
}

static int begin(void **state)
{
    pthread_mutex_lock(&played.mutex);
    played.calls = played.failures = 0;
    memset(played.moments, 0, sizeof played.moments);
    pthread_mutex_unlock(&played.mutex);
    *state = NULL;
    return 0;
}

static _Atomic int64_t due;

static struct expirer *start(void)
{
    struct expirer *expirer;
    assert_int_equal(expirer_start(&expirer, NULL, &due), 0);
    wait_calls(1); /* it looks at once */
    return expirer;
}

static void it_comes_at_the_moment(void **state)
{
    (void)state;
    const int64_t first = clock_now() + SECOND / 5, second = first + SECOND / 10;
    ends_at(0, second);
    ends_at(1, first);
    struct expirer *expirer = start();
    wait_calls(2);
    assert_true(last_now() >= first);
    wait_calls(3);
    assert_true(last_now() >= second);
    expirer_stop(expirer);
    assert_int_equal(calls(), 3);
}

static void a_sooner_one_is_noticed(void **state)
{
    (void)state;
    const int64_t far = clock_now() + 3600 * SECOND;
    ends_at(0, far);
    struct expirer *expirer = start();
    const int64_t soon = clock_now() + SECOND / 10;
    ends_at(1, soon);
    expirer_notice(expirer, soon);
    ends_at(2, far + SECOND);
    expirer_notice(expirer, far + SECOND); /* later ones wake nobody */
    wait_calls(2);
    assert_true(last_now() >= soon);
    expirer_notice(expirer, 1); /* long past */
    wait_calls(3);
    expirer_stop(expirer);
    assert_int_equal(calls(), 3);
}

/* The lines that the log has, while body is done. */
static size_t lines_of_log(void (*body)(void))
{
    FILE *log = tmpfile();
    assert_non_null(log);
    const int kept = dup(STDERR_FILENO);
    assert_true(dup2(fileno(log), STDERR_FILENO) >= 0);
    body();
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    close(kept);
    rewind(log);
    size_t lines = 0;
    for (int c; (c = fgetc(log)) != EOF;)
        lines += c == '\n';
    fclose(log);
    return lines;
}

static void fail_three_times(void)
{
    played.failures = 3;
    ends_at(0, 1);
    struct expirer *expirer = start();
    expirer_notice(expirer, clock_now() + 3600 * SECOND); /* no reason to try sooner */
    wait_calls(4);
    expirer_stop(expirer);
    assert_int_equal(calls(), 4);
    assert_int_equal(played.moments[0], 0);
}

static void a_failure_is_tried_again(void **state)
{
    (void)state;
    /* What failed, in two lines, and that it went well in the end. */
    const size_t lines = lines_of_log(fail_three_times);
    assert_true(lines == 3 || lines == 2); /* the last one, where the end came first */
}

static void it_ends_while_it_waits_to_try_again(void **state)
{
    (void)state;
    played.failures = 1000000;
    ends_at(0, 1);
    struct expirer *expirer = start();
    wait_calls(2);
    expirer_stop(expirer);
    assert_true(calls() < 4);
}

static void what_cannot_be_removed_is_no_reason_not_to_serve(void **state)
{
    (void)state;
    played.failures = 1;
    assert_int_equal(expirer_first(NULL), 0);
    assert_int_equal(expirer_first(NULL), 0);
    assert_int_equal(calls(), 2);
}

/* Nothing ends, or not for long: no call, and as good as no processor time. */
static void it_sleeps(void **state)
{
    (void)state;
    struct expirer *expirer = start();
    struct timespec before, after;
    expirer_notice(expirer, clock_now() + 3600 * SECOND);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    poll(NULL, 0, 300);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    expirer_stop(expirer);
    assert_int_equal(calls(), 1);
    const int64_t used = (after.tv_sec - before.tv_sec) * SECOND + (after.tv_nsec - before.tv_nsec);
    assert_true(used < SECOND / 10);
}

#define TEST(function) cmocka_unit_test_setup(function, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_comes_at_the_moment),
        TEST(a_sooner_one_is_noticed),
        TEST(a_failure_is_tried_again),
        TEST(it_ends_while_it_waits_to_try_again),
        TEST(what_cannot_be_removed_is_no_reason_not_to_serve),
        TEST(it_sleeps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
