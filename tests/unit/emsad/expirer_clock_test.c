/*
 * The thread that waits for moments, and a clock that is set back and forth under it. Clock, timer
 * and store are played: a clock that is really set is everybody's. The timer is as the kernel's: it
 * comes when the clock says its moment, at once where that is past, and who asked to be told that
 * the clock was set (TFD_TIMER_CANCEL_ON_SET) is, by ECANCELED.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "tools/emsad/expirer.h"

#define SECOND 1000000000ll
#define HOUR (3600 * SECOND)
#define START (4000000000ll * SECOND) /* in 2096, so that no real clock is meant */
#define PATIENCE 30                   /* s: a call that does not come is a fault then */

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int64_t clock;
    int timer;         /* an eventfd: readable when it has come, or the clock was set */
    int64_t armed;     /* its moment; 0: none */
    bool is_told;      /* that the clock is set */
    bool was_set;      /* and it was */
    unsigned settings; /* how often the timer was set */
    unsigned calls;
    unsigned early;     /* calls with nothing due */
    int64_t moments[4]; /* what ends, 0: nothing */
} played = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

int __real_clock_gettime(clockid_t clock, struct timespec *out);
int __wrap_clock_gettime(clockid_t clock, struct timespec *out);
int __wrap_timerfd_create(int clock, int flags);
int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *when,
                           struct itimerspec *old);
ssize_t __real_read(int fd, void *data, size_t size);
ssize_t __wrap_read(int fd, void *data, size_t size);
int __wrap_service_expire(struct dispatcher *dispatcher, int64_t *next, int64_t now);
bool __wrap_service_is_lost(const struct dispatcher *dispatcher);

int __wrap_clock_gettime(clockid_t clock, struct timespec *out)
{
    if (clock != CLOCK_REALTIME)
        return __real_clock_gettime(clock, out);
    pthread_mutex_lock(&played.mutex);
    out->tv_sec = (time_t)(played.clock / SECOND);
    out->tv_nsec = (long)(played.clock % SECOND);
    pthread_mutex_unlock(&played.mutex);
    return 0;
}

int __wrap_timerfd_create(int clock, int flags)
{
    assert_int_equal(clock, CLOCK_REALTIME);
    assert_true(flags & TFD_NONBLOCK);
    return played.timer = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

/* With the lock. */
static void timer_comes(bool does_it)
{
    uint64_t count = 1;
    ssize_t n = does_it ? write(played.timer, &count, sizeof count)
                        : __real_read(played.timer, &count, sizeof count);
    (void)n; /* it was so already */
}

int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *when, struct itimerspec *old)
{
    assert_true(fd == played.timer && flags & TFD_TIMER_ABSTIME && old == NULL);
    pthread_mutex_lock(&played.mutex);
    played.armed = when->it_value.tv_sec * SECOND + when->it_value.tv_nsec;
    const bool was_set = played.was_set;
    played.is_told = flags & TFD_TIMER_CANCEL_ON_SET;
    played.was_set = false;
    timer_comes(played.armed != 0 && played.armed <= played.clock);
    played.settings++;
    pthread_cond_broadcast(&played.changed);
    pthread_mutex_unlock(&played.mutex);
    errno = ECANCELED; /* it is set all the same */
    return was_set ? -1 : 0;
}

ssize_t __wrap_read(int fd, void *data, size_t size)
{
    pthread_mutex_lock(&played.mutex);
    const bool was_set = fd == played.timer && played.was_set;
    played.was_set = played.was_set && !was_set;
    const ssize_t n = __real_read(fd, data, size);
    pthread_mutex_unlock(&played.mutex);
    if (!was_set)
        return n;
    errno = ECANCELED;
    return -1;
}

/* As the real one: what is due goes, and the first of the others is told. */
int __wrap_service_expire(struct dispatcher *dispatcher, int64_t *next, int64_t now)
{
    unsigned due = 0;
    int64_t first = 0;
    (void)dispatcher;
    pthread_mutex_lock(&played.mutex);
    for (size_t i = 0; i < 4; i++) {
        int64_t *moment = &played.moments[i];
        if (*moment == 0)
            continue;
        due += *moment <= now;
        if (*moment <= now)
            *moment = 0;
        else if (first == 0 || *moment < first)
            first = *moment;
    }
    if (played.calls++ > 0 && due == 0) /* the first only looks */
        played.early++;
    pthread_cond_broadcast(&played.changed);
    pthread_mutex_unlock(&played.mutex);
    *next = first;
    return 0;
}

bool __wrap_service_is_lost(const struct dispatcher *dispatcher)
{
    (void)dispatcher;
    return false;
}

/* With the lock: until so many were counted. */
static void wait_count(const unsigned *count, unsigned wanted)
{
    struct timespec deadline;
    __real_clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += PATIENCE;
    while (*count < wanted)
        if (pthread_cond_timedwait(&played.changed, &played.mutex, &deadline) == ETIMEDOUT) {
            pthread_mutex_unlock(&played.mutex);
            fail_msg("nothing was done for %d seconds", PATIENCE);
        }
}

static void wait_calls(unsigned calls)
{
    pthread_mutex_lock(&played.mutex);
    wait_count(&played.calls, calls);
    assert_int_equal(played.calls, calls);
    assert_int_equal(played.early, 0);
    pthread_mutex_unlock(&played.mutex);
}

/* Sets the clock. Where that wakes the thread, it is waited for: it sets its timer then. */
static void set_clock(int64_t clock)
{
    pthread_mutex_lock(&played.mutex);
    const unsigned settings = played.settings;
    played.clock = clock;
    played.was_set = played.is_told;
    const bool wakes = played.is_told || (played.armed != 0 && played.armed <= clock);
    timer_comes(wakes);
    wait_count(&played.settings, settings + wakes);
    pthread_mutex_unlock(&played.mutex);
}

static void ends_at(size_t which, int64_t moment)
{
    pthread_mutex_lock(&played.mutex);
    played.moments[which] = moment;
    pthread_mutex_unlock(&played.mutex);
}

/* A thread that has looked once and sleeps. */
static _Atomic int64_t due;

static struct expirer *start(void)
{
    struct expirer *expirer;
    assert_int_equal(expirer_start(&expirer, NULL, &due), 0);
    pthread_mutex_lock(&played.mutex);
    wait_count(&played.settings, 1);
    pthread_mutex_unlock(&played.mutex);
    wait_calls(1);
    return expirer;
}

static int begin(void **state)
{
    *state = NULL;
    played.clock = START;
    played.armed = 0;
    played.is_told = played.was_set = false;
    played.settings = played.calls = played.early = 0;
    memset(played.moments, 0, sizeof played.moments);
    return 0;
}

/* What became past by it goes at once. */
static void it_is_set_forth(void **state)
{
    (void)state;
    ends_at(0, START + HOUR);
    ends_at(1, START + 3 * HOUR);
    struct expirer *expirer = start();
    set_clock(START + 2 * HOUR);
    wait_calls(2);
    assert_int_equal(played.moments[0], 0);
    assert_int_equal(played.moments[1], START + 3 * HOUR);
    set_clock(START + 3 * HOUR); /* to the moment itself */
    wait_calls(3);
    expirer_stop(expirer);
}

/* What was near is far: it stays until the clock says its moment, however that comes. */
static void it_is_set_back(void **state)
{
    (void)state;
    ends_at(0, START + SECOND);
    struct expirer *expirer = start();
    set_clock(START - HOUR);
    set_clock(START - 2 * HOUR);
    set_clock(START + SECOND - 1);
    wait_calls(1);
    set_clock(START + SECOND);
    wait_calls(2);
    expirer_stop(expirer);
}

/* What went does not go again, and what is noticed then ends by the clock that there is then. */
static void it_is_set_back_and_forth(void **state)
{
    (void)state;
    ends_at(0, START + 10 * HOUR);
    ends_at(1, START + HOUR);
    struct expirer *expirer = start();
    set_clock(START + 2 * HOUR);
    wait_calls(2);
    set_clock(START - HOUR);
    ends_at(2, START);
    expirer_notice(expirer, START);
    set_clock(START - 1);
    wait_calls(2);
    set_clock(START);
    wait_calls(3);
    assert_int_equal(played.moments[0], START + 10 * HOUR);
    set_clock(START + 11 * HOUR);
    wait_calls(4);
    set_clock(START); /* nothing ends any more */
    set_clock(START + 12 * HOUR);
    expirer_stop(expirer);
    wait_calls(4);
}

#define TEST(function) cmocka_unit_test_setup(function, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_is_set_forth),
        TEST(it_is_set_back),
        TEST(it_is_set_back_and_forth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
