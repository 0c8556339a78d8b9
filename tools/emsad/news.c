#include "tools/emsad/news.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"

struct news_waiter {
    struct news_waiter *next, **self;
    uint64_t rev;
    int wake; /* eventfd */
};

void news_init(struct news *news, uint64_t told)
{
    *news = (struct news){.told = told};
    (void)pthread_mutex_init(&news->mutex, NULL);
}

void news_release(struct news *news)
{
    (void)pthread_mutex_destroy(&news->mutex);
}

void news_tell(struct news *news, uint64_t rev)
{
    uint64_t one = 1;
    pthread_mutex_lock(&news->mutex);
    if (rev > news->told)
        news->told = rev;
    for (struct news_waiter *each = news->waiters; each != NULL; each = each->next) {
        if (each->rev <= news->told) {
            ssize_t written = write(each->wake, &one, sizeof one);
            (void)written; /* a full counter wakes as well */
        }
    }
    pthread_mutex_unlock(&news->mutex);
}

uint64_t news_told(struct news *news)
{
    pthread_mutex_lock(&news->mutex);
    uint64_t told = news->told;
    pthread_mutex_unlock(&news->mutex);
    return told;
}

/* False: it was told already. */
static bool enlist(struct news *news, struct news_waiter *waiter)
{
    pthread_mutex_lock(&news->mutex);
    bool is_early = news->told < waiter->rev;
    if (is_early) {
        waiter->self = &news->waiters;
        waiter->next = news->waiters;
        if (waiter->next != NULL)
            waiter->next->self = &waiter->next;
        news->waiters = waiter;
    }
    pthread_mutex_unlock(&news->mutex);
    return is_early;
}

static void delist(struct news *news, struct news_waiter *waiter)
{
    pthread_mutex_lock(&news->mutex);
    *waiter->self = waiter->next;
    if (waiter->next != NULL)
        waiter->next->self = waiter->self;
    pthread_mutex_unlock(&news->mutex);
}

/* Until wake can be read, or (wake negative) the socket can be written to. 1: the socket has
 * ended. */
static int wait_for(int wake, int socket)
{
    for (;;) {
        struct pollfd entries[] = {
            {.fd = socket, .events = (short)(POLLIN | POLLRDHUP | (wake < 0 ? POLLOUT : 0))},
            {.fd = wake, .events = POLLIN}};
        if (poll(entries, 2, -1) < 0) {
            if (errno == EINTR)
                continue;
            return error_system(errno, "cannot wait for a change");
        }
        if ((entries[0].revents & ~POLLOUT) != 0)
            return 1;
        if (entries[0].revents != 0 || entries[1].revents != 0)
            return 0;
    }
}

int news_wait(struct news *news, uint64_t rev, int socket)
{
    struct news_waiter waiter = {.rev = rev};
    DESCRIPTOR_CLEANUP int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake < 0)
        return error_system(errno, "cannot make an eventfd");
    waiter.wake = wake;
    int outcome = 0;
    if (enlist(news, &waiter)) {
        outcome = wait_for(wake, socket);
        delist(news, &waiter);
    }
    return outcome == 0 ? wait_for(-1, socket) : outcome;
}
