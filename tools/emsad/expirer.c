#include "tools/emsad/expirer.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/log.h"
#include "tools/emsad/call.h"

/* From one failed try to the next: a full disk is not emptied by trying. */
#define PAUSE_FIRST 250 /* ms */
#define PAUSE_LAST 30000

struct expirer {
    struct dispatcher *dispatcher; /* borrowed */
    _Atomic int64_t *due;          /* borrowed: what it waits for, for others to see */
    int timer;                     /* timerfd on the clock that the moments are of */
    int wake;                      /* eventfd: look at what is below */
    pthread_t thread;
    pthread_mutex_t mutex; /* protects what is below */
    int64_t next;          /* the first moment known of, 0: none */
    bool is_stopping;
};

static int64_t clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int expirer_first(struct dispatcher *dispatcher)
{
    int64_t next;
    const int error = service_expire(dispatcher, &next, clock_now());
    return service_is_lost(dispatcher) ? error : 0;
}

static void wake(struct expirer *expirer)
{
    uint64_t one = 1;
    ssize_t written = write(expirer->wake, &one, sizeof one);
    (void)written; /* a full counter wakes as well */
}

void expirer_notice(struct expirer *expirer, int64_t moment)
{
    pthread_mutex_lock(&expirer->mutex);
    const bool is_first = expirer->next == 0 || moment < expirer->next;
    if (is_first)
        expirer->next = moment;
    pthread_mutex_unlock(&expirer->mutex);
    if (is_first)
        wake(expirer);
}

/* Takes the next moment where it has come. It is forgotten then: what is noticed from here on is
 * noticed anew. */
static bool take_due(struct expirer *expirer, int64_t now)
{
    pthread_mutex_lock(&expirer->mutex);
    const bool is_due = expirer->next != 0 && expirer->next <= now;
    if (is_due)
        expirer->next = 0;
    pthread_mutex_unlock(&expirer->mutex);
    return is_due;
}

/* Sets the timer to the next moment; no moment, no timer. Setting it also takes away a signal that
 * the clock was set, which was heard by now. */
static void arm(struct expirer *expirer, bool is_pausing)
{
    struct itimerspec when = {0};
    pthread_mutex_lock(&expirer->mutex);
    const int64_t next = is_pausing ? 0 : expirer->next;
    pthread_mutex_unlock(&expirer->mutex);
    atomic_store(expirer->due, next);
    when.it_value.tv_sec = (time_t)(next / 1000000000);
    when.it_value.tv_nsec = (long)(next % 1000000000);
    /* ECANCELED: the clock was set just before; the new time is armed all the same, and the first
     * read tells. */
    if (timerfd_settime(expirer->timer, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &when, NULL) <
            0 &&
        errno != ECANCELED)
        log_error("cannot set a timer for what ends");
}

static bool is_ended(struct expirer *expirer)
{
    pthread_mutex_lock(&expirer->mutex);
    const bool is_ended = expirer->is_stopping;
    pthread_mutex_unlock(&expirer->mutex);
    return is_ended;
}

/* Until a moment comes, the clock is set, something is noticed, or the pause is over. */
static void wait_for(struct expirer *expirer, int pause)
{
    struct pollfd entries[] = {{.fd = expirer->timer, .events = POLLIN},
                               {.fd = expirer->wake, .events = POLLIN}};
    uint64_t count;
    (void)poll(entries, 2, pause);
    for (int i = 0; i < 2; i++)
        if (entries[i].revents != 0 && read(entries[i].fd, &count, sizeof count) < 0)
            errno = 0; /* ECANCELED: the clock was set; EAGAIN: it is not so any more */
}

/* Removes what is due. Milliseconds to wait before it is tried again, -1: it was done. */
static int expire(struct expirer *expirer, int64_t now, int pause, int *told)
{
    int64_t next;
    const int error = service_expire(expirer->dispatcher, &next, now);
    call_end_if_lost(expirer->dispatcher);
    if (error == 0) {
        if (pause > 0)
            log_info("what had ended was removed after all");
        *told = 0;
        if (next != 0)
            expirer_notice(expirer, next);
        return -1;
    }
    if (error != *told)
        log_error(
            "cannot remove what has ended: %s\nit stays until that works: this is tried again, "
            "and not told again",
            error_text());
    *told = error;
    expirer_notice(expirer, now); /* it is due still */
    if (pause < 0)
        return PAUSE_FIRST;
    return pause < PAUSE_LAST / 2 ? pause * 2 : PAUSE_LAST;
}

static void *run(void *arg)
{
    struct expirer *expirer = arg;
    int64_t again = 0; /* on the monotonic clock: when a failed try is made again; 0: none failed */
    int pause = -1, told = 0;
    while (!is_ended(expirer)) {
        const int64_t now = clock_now();
        if (again != 0 && deadline_left(again) == 0)
            again = 0;
        if (again == 0 && take_due(expirer, now)) {
            pause = expire(expirer, now, pause, &told);
            again = pause > 0 ? deadline_in(pause) : 0;
        }
        arm(expirer, again != 0);
        wait_for(expirer, again != 0 ? deadline_left(again) : -1);
    }
    return NULL;
}

static void release(struct expirer *expirer)
{
    descriptor_close(&expirer->timer);
    descriptor_close(&expirer->wake);
    (void)pthread_mutex_destroy(&expirer->mutex);
    free(expirer);
}

int expirer_start(struct expirer **out, struct dispatcher *dispatcher, _Atomic int64_t *due)
{
    struct expirer *expirer = calloc(1, sizeof *expirer);
    if (expirer == NULL)
        return error_set(ERR_NOMEM, "cannot wait for what ends: out of memory");
    expirer->dispatcher = dispatcher;
    expirer->due = due;
    expirer->next = 1; /* to look at once: what it finds says how to go on */
    (void)pthread_mutex_init(&expirer->mutex, NULL);
    expirer->timer = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    expirer->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int error = 0;
    if (expirer->timer < 0 || expirer->wake < 0)
        error = error_system(errno, "cannot make a timer");
    else if (pthread_create(&expirer->thread, NULL, run, expirer) != 0)
        error = error_set(ERR_NOMEM, "cannot start a thread");
    if (error < 0) {
        release(expirer);
        return error;
    }
    *out = expirer;
    return 0;
}

void expirer_stop(struct expirer *expirer)
{
    if (expirer == NULL)
        return;
    pthread_mutex_lock(&expirer->mutex);
    expirer->is_stopping = true;
    pthread_mutex_unlock(&expirer->mutex);
    wake(expirer);
    (void)pthread_join(expirer->thread, NULL);
    release(expirer);
}
