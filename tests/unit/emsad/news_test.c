#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/emsad/news.h"

#define REVISIONS 5000u
#define WAITERS 4u

static struct news news;
static int ends[2];

static int begin(void **state)
{
    (void)state;
    news_init(&news, 5);
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
}

static int end(void **state)
{
    (void)state;
    close(ends[0]);
    close(ends[1]);
    news_release(&news);
    return 0;
}

static void what_was_told_is_not_waited_for(void **state)
{
    (void)state;
    assert_int_equal(news_wait(&news, 0, ends[0]), 0);
    assert_int_equal(news_wait(&news, 5, ends[0]), 0);
    news_tell(&news, 3); /* late, and nothing new */
    assert_int_equal(news_told(&news), 5);
    news_tell(&news, 7);
    assert_int_equal(news_wait(&news, 6, ends[0]), 0);
}

static void a_peer_that_goes_ends_it(void **state)
{
    (void)state;
    assert_int_equal(shutdown(ends[1], SHUT_WR), 0);
    assert_int_equal(news_wait(&news, 6, ends[0]), 1);
    assert_int_equal(news_wait(&news, 5, ends[0]), 1); /* also where there is something to tell */
}

static void so_does_our_own_end(void **state)
{
    (void)state;
    assert_int_equal(shutdown(ends[0], SHUT_RD), 0);
    assert_int_equal(news_wait(&news, 6, ends[0]), 1);
}

static void fill_up(int socket)
{
    char some[4096] = {0};
    while (send(socket, some, sizeof some, MSG_DONTWAIT) > 0)
        ;
}

static void *wait_late(void *arg)
{
    *(int *)arg = news_wait(&news, 5, ends[0]);
    return NULL;
}

static void who_reads_nothing_is_waited_for(void **state)
{
    (void)state;
    pthread_t thread;
    int outcome = -1;
    fill_up(ends[0]);
    assert_int_equal(pthread_create(&thread, NULL, wait_late, &outcome), 0);
    char some[65536];
    while (recv(ends[1], some, sizeof some, MSG_DONTWAIT) > 0)
        ;
    pthread_join(thread, NULL);
    assert_int_equal(outcome, 0);
}

static bool somebody_waits(void)
{
    pthread_mutex_lock(&news.mutex);
    bool waits = news.waiters != NULL;
    pthread_mutex_unlock(&news.mutex);
    return waits;
}

static void *wait_for_six(void *arg)
{
    *(int *)arg = news_wait(&news, 6, ends[0]);
    return NULL;
}

static void the_very_revision_wakes(void **state)
{
    (void)state;
    pthread_t thread;
    int outcome = -1;
    assert_int_equal(pthread_create(&thread, NULL, wait_for_six, &outcome), 0);
    while (!somebody_waits())
        sched_yield();
    news_tell(&news, 5);
    assert_true(somebody_waits());
    news_tell(&news, 6);
    pthread_join(thread, NULL);
    assert_int_equal(outcome, 0);
}

static void *follow(void *arg)
{
    uint64_t *seen = arg;
    while (*seen < REVISIONS && news_wait(&news, *seen + 1, ends[0]) == 0) {
        uint64_t told = news_told(&news);
        if (told <= *seen)
            return NULL;
        *seen = told;
    }
    return NULL;
}

/* No revision is told so that a waiter sleeps through it. */
static void threads_hear_of_each(void **state)
{
    (void)state;
    pthread_t threads[WAITERS];
    uint64_t seen[WAITERS] = {0};
    for (unsigned i = 0; i < WAITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, follow, &seen[i]), 0);
    for (uint64_t rev = 6; rev <= REVISIONS; rev++)
        news_tell(&news, rev);
    for (unsigned i = 0; i < WAITERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(seen[i], REVISIONS);
    }
    assert_null(news.waiters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_told_is_not_waited_for, begin, end),
        cmocka_unit_test_setup_teardown(a_peer_that_goes_ends_it, begin, end),
        cmocka_unit_test_setup_teardown(so_does_our_own_end, begin, end),
        cmocka_unit_test_setup_teardown(who_reads_nothing_is_waited_for, begin, end),
        cmocka_unit_test_setup_teardown(the_very_revision_wakes, begin, end),
        cmocka_unit_test_setup_teardown(threads_hear_of_each, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
