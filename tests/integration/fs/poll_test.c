/* poll, select and epoll on open files: always readable, POLLPRI and POLLERR when the value is
 * newer than what was read, and a wake-up for whoever sleeps, whoever died meanwhile. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/integration/fs/values.h"
#include "tests/integration/fs/world.h"

#define QUIET (POLLIN | POLLRDNORM)
#define NEWS (QUIET | POLLPRI | POLLERR)
#define ASKED (QUIET | POLLPRI)

/* Nobody waits so long where things work: it makes a hang a fault that says where. */
#define PATIENCE_MS 60000

static struct world world;
static const char *const keys[] = {"prod/a/PLAIN", "prod/a/SECRET"};
static unsigned count;

static int make_view(const struct view_options *view)
{
    world_make(&world, view);
    world_environment_add(&world, "prod");
    world_set(&world, keys[0], "0000", 4);
    world_set_secret(&world, keys[1], "0000", 4);
    world_commit(&world);
    return 0;
}

static int make(void **state)
{
    (void)state;
    return make_view(NULL);
}

static int make_cached(void **state)
{
    (void)state;
    struct view_options view = {.cache = 1};
    return make_view(&view);
}

static int end(void **state)
{
    (void)state;
    world_end(&world);
    return 0;
}

static void gather(int which)
{
    char value[16];
    int size = snprintf(value, sizeof(value), "%u", ++count);
    if (which == 0)
        world_set(&world, keys[which], value, (size_t)size);
    else
        world_set_secret(&world, keys[which], value, (size_t)size);
}

static void set(int which)
{
    gather(which);
    world_commit(&world);
}

static int open_key(int which)
{
    int fd = open(world_path(&world, keys[which]), O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

/* What poll says at once. */
static int now(int fd, short events)
{
    struct pollfd one = {.fd = fd, .events = events};
    int n = poll(&one, 1, 0);
    assert_int_equal(n, one.revents != 0);
    return one.revents;
}

static void reread(int fd)
{
    char got[64], expected[16];
    int size = snprintf(expected, sizeof(expected), "%u", count);
    assert_int_equal(pread(fd, got, sizeof(got), 0), size);
    assert_memory_equal(got, expected, (size_t)size);
}

/* Levels */

static void a_change_is_news_until_it_is_read(void **state)
{
    (void)state;
    for (int which = 0; which < 2; which++) {
        set(which);
        int fd = open_key(which), other = open_key(which);
        assert_int_equal(now(fd, ASKED), QUIET); /* opened and not read: nothing is newer */
        reread(fd);
        assert_int_equal(now(fd, ASKED), QUIET);
        set(!which);
        assert_int_equal(now(fd, ASKED), QUIET);
        set(which);
        assert_int_equal(now(fd, ASKED), NEWS);
        assert_int_equal(now(fd, ASKED), NEWS); /* asking is not reading */
        char byte;
        assert_int_equal(pread(fd, &byte, 1, 1), count >= 10);
        assert_int_equal(now(fd, ASKED), NEWS); /* nor is reading on */
        reread(fd);
        assert_int_equal(now(fd, ASKED), QUIET);
        assert_int_equal(now(other, ASKED), NEWS); /* each for itself */
        close(fd);
        close(other);
    }
}

/* Who doesn't ask for changes sees an ordinary file: POLLERR would be a failure to him. */
static void who_asks_for_data_only_is_not_disturbed(void **state)
{
    (void)state;
    set(0);
    int fd = open_key(0);
    set(0);
    assert_int_equal(now(fd, POLLIN), POLLIN);
    assert_int_equal(now(fd, POLLOUT), POLLOUT);
    assert_int_equal(now(fd, POLLIN | POLLOUT), POLLIN | POLLOUT);
    assert_int_equal(now(fd, POLLPRI), POLLPRI | POLLERR);
    assert_int_equal(now(fd, 0), 0); /* less, before it reads on */
    reread(fd);
    assert_int_equal(now(fd, POLLIN), POLLIN);
    assert_int_equal(now(fd, POLLPRI), 0);
    assert_int_equal(now(fd, 0), 0);
    close(fd);
}

static void removal_is_news_and_so_is_the_return(void **state)
{
    (void)state;
    char got[16];
    world_set(&world, "prod/a/GOING", "x", 1);
    world_commit(&world);
    int fd = open(world_path(&world, "prod/a/GOING"), O_RDONLY);
    assert_int_equal(pread(fd, got, sizeof(got), 0), 1);
    assert_int_equal(now(fd, ASKED), QUIET);
    world_remove(&world, "prod/a/GOING");
    world_commit(&world);
    assert_int_equal(now(fd, ASKED), NEWS);
    assert_int_equal(pread(fd, got, sizeof(got), 0), 1);
    assert_int_equal(now(fd, ASKED), NEWS); /* there is nothing newer to read */
    world_set(&world, "prod/a/GOING", "yy", 2);
    world_commit(&world);
    assert_int_equal(now(fd, ASKED), NEWS);
    assert_int_equal(pread(fd, got, sizeof(got), 0), 2);
    assert_int_equal(now(fd, ASKED), QUIET);
    close(fd);
}

static void directories_are_as_everywhere(void **state)
{
    (void)state;
    int fd = open(world_path(&world, "prod/a"), O_RDONLY | O_DIRECTORY), set_fd = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    set(0);
    assert_int_equal(now(fd, ASKED), QUIET);
    assert_int_equal(epoll_ctl(set_fd, EPOLL_CTL_ADD, fd, &event), -1);
    assert_int_equal(errno, EPERM);
    close(fd);
    close(set_fd);
}

/* Sleepers */

struct sleeper {
    pthread_t thread;
    int fd;
    bool by_select;
    atomic_int tid;
    int answer; /* what poll said; of select: POLLPRI if it is in exceptfds */
};

static void *sleep_in_poll(void *arg)
{
    struct sleeper *sleeper = arg;
    atomic_store(&sleeper->tid, (int)syscall(SYS_gettid));
    if (sleeper->by_select) {
        fd_set except;
        struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
        FD_ZERO(&except);
        FD_SET(sleeper->fd, &except);
        if (select(sleeper->fd + 1, NULL, NULL, &except, &patience) == 1)
            sleeper->answer = POLLPRI;
    } else {
        struct pollfd one = {.fd = sleeper->fd, .events = POLLPRI};
        if (poll(&one, 1, PATIENCE_MS) == 1)
            sleeper->answer = one.revents;
    }
    return NULL;
}

/* Returns when it sleeps: in the kernel's poll or select, and not for the answer to a request. */
static void sleeper_start(struct sleeper *sleeper, int fd, bool by_select)
{
    *sleeper = (struct sleeper){.fd = fd, .by_select = by_select};
    assert_int_equal(pthread_create(&sleeper->thread, NULL, sleep_in_poll, sleeper), 0);
    char path[64], where[64];
    do {
        sched_yield();
        snprintf(path, sizeof(path), "/proc/self/task/%d/wchan", atomic_load(&sleeper->tid));
        FILE *file = fopen(path, "re");
        size_t n = file ? fread(where, 1, sizeof(where) - 1, file) : 0;
        where[n] = 0;
        if (file)
            fclose(file);
    } while (!strstr(where, "poll") && !strstr(where, "select"));
}

static void sleeper_woke(struct sleeper *sleeper)
{
    pthread_join(sleeper->thread, NULL);
    assert_int_equal(sleeper->answer, sleeper->by_select ? POLLPRI : POLLPRI | POLLERR);
}

static int epoll_of(int fd, uint32_t events)
{
    struct epoll_event event = {.events = events};
    int set_fd = epoll_create1(EPOLL_CLOEXEC);
    assert_int_equal(epoll_ctl(set_fd, EPOLL_CTL_ADD, fd, &event), 0);
    return set_fd;
}

static uint32_t epoll_next(int set_fd, int patience)
{
    struct epoll_event event = {0};
    return epoll_wait(set_fd, &event, 1, patience) == 1 ? event.events : 0;
}

/* All ways to sleep on one key at once, and on one open file. */
struct ward {
    int fds[4], level, edge, shared;
    struct sleeper poll, select;
};

static void ward_begin(struct ward *ward, int which)
{
    for (int i = 0; i < 4; i++)
        ward->fds[i] = open_key(which);
    ward->level = epoll_of(ward->fds[0], EPOLLPRI);
    ward->edge = epoll_of(ward->fds[1], EPOLLPRI | EPOLLET);
    ward->shared = epoll_of(ward->fds[2], EPOLLPRI | EPOLLET);
    assert_int_equal(epoll_next(ward->level, 0), 0);
    assert_int_equal(epoll_next(ward->edge, 0), 0);
    assert_int_equal(epoll_next(ward->shared, 0), 0);
    sleeper_start(&ward->poll, ward->fds[2], false);
    sleeper_start(&ward->select, ward->fds[3], true);
}

static void ward_ends(struct ward *ward)
{
    assert_int_equal(epoll_next(ward->level, PATIENCE_MS), EPOLLPRI | EPOLLERR);
    assert_int_equal(epoll_next(ward->edge, PATIENCE_MS), EPOLLPRI | EPOLLERR);
    assert_int_equal(epoll_next(ward->shared, PATIENCE_MS), EPOLLPRI | EPOLLERR);
    sleeper_woke(&ward->poll);
    sleeper_woke(&ward->select);
    assert_int_equal(epoll_next(ward->level, 0), EPOLLPRI | EPOLLERR);
    reread(ward->fds[0]);
    assert_int_equal(epoll_next(ward->level, 0), 0);
    close(ward->level);
    close(ward->edge);
    close(ward->shared);
    for (int i = 0; i < 4; i++)
        close(ward->fds[i]);
}

static void sleepers_wake(void **state)
{
    (void)state;
    struct ward ward;
    for (int i = 0; i < 20; i++) {
        ward_begin(&ward, i % 2);
        set(!(i % 2)); /* not theirs */
        assert_int_equal(epoll_next(ward.edge, 0), 0);
        set(i % 2);
        ward_ends(&ward);
    }
}

static void every_change_is_an_edge(void **state)
{
    (void)state;
    int fd = open_key(0), set_fd = epoll_of(fd, EPOLLPRI | EPOLLET);
    assert_int_equal(epoll_next(set_fd, 0), 0);
    for (int i = 0; i < 50; i++) {
        set(0);
        assert_int_equal(epoll_next(set_fd, PATIENCE_MS), EPOLLPRI | EPOLLERR);
        assert_int_equal(epoll_next(set_fd, 0), 0);
        if (i % 3 == 0)
            reread(fd);
    }
    close(set_fd);
    close(fd);
}

static void sleepers_outlive_the_server(void **state)
{
    (void)state;
    struct ward ward;
    for (int i = 0; i < 5; i++) {
        ward_begin(&ward, i % 2);
        world_server_kill(&world);
        world_server_start(&world);
        assert_int_equal(epoll_next(ward.edge, 0), 0);
        set(i % 2);
        ward_ends(&ward);
    }
}

static void sleepers_outlive_server_and_notifier(void **state)
{
    (void)state;
    struct ward ward;
    for (int i = 0; i < 5; i++) {
        ward_begin(&ward, i % 2);
        world_notifier_kill(&world);
        world_server_kill(&world);
        world_notifier_start(&world);
        world_server_start(&world);
        set(i % 2);
        ward_ends(&ward);
    }
}

/* Committed, and dead before anybody was told. */
static void sleepers_are_woken_by_the_next_server(void **state)
{
    (void)state;
    struct ward ward;
    ward_begin(&ward, 0);
    world_notifier_kill(&world);
    gather(0);
    world_commit_late(&world);
    world_server_kill(&world);
    world_notifier_start(&world);
    world_server_start(&world);
    ward_ends(&ward);
}

static void a_duplicate_sleeps_on_the_same_file(void **state)
{
    (void)state;
    int fd = open_key(0), copy = dup(fd), other = dup(fd);
    struct sleeper first, second;
    sleeper_start(&first, fd, false);
    sleeper_start(&second, copy, true);
    close(other); /* the file is still open */
    set(0);
    sleeper_woke(&first);
    sleeper_woke(&second);
    close(fd);
    close(copy);
}

/* Many come and go: what they leave behind is nothing, and the last is woken as the first was. */
static void many_come_and_go(void **state)
{
    (void)state;
    int fds[300], sets[300];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 300; i++) {
            fds[i] = open_key(0);
            sets[i] = epoll_of(fds[i], EPOLLPRI);
        }
        set(0);
        for (int i = 0; i < 300; i++) {
            assert_int_equal(epoll_next(sets[i], PATIENCE_MS), EPOLLPRI | EPOLLERR);
            close(sets[i]);
            close(fds[i]);
        }
    }
}

/* Anything in any order, against a model: a file is ready if it changed since it was read. */
#define FILES 12

static void anything_in_any_order(void **state)
{
    (void)state;
    struct {
        int fd, key;
        bool news;
        int edge;
    } files[FILES];
    uint64_t seed = (uint64_t)getpid() * 2654435761u;
    const char *given = getenv("EMSA_SEED");
    if (given)
        seed = strtoull(given, NULL, 0);
    printf("EMSA_SEED=%llu\n", (unsigned long long)seed);
    for (int i = 0; i < FILES; i++)
        files[i].fd = -1;
    for (int step = 0; step < 1500; step++) {
        uint64_t dice = number_next(&seed);
        int i = (int)((dice >> 8) % FILES), what = (int)(dice % 100), key = (int)((dice >> 32) % 2);
        if (files[i].fd < 0) {
            files[i].fd = open_key(key);
            files[i].key = key;
            files[i].news = false;
            files[i].edge = epoll_of(files[i].fd, EPOLLPRI | EPOLLET);
        } else if (what < 30) {
            set(key);
            for (int j = 0; j < FILES; j++) {
                if (files[j].fd >= 0 && files[j].key == key) {
                    files[j].news = true;
                    assert_int_equal(epoll_next(files[j].edge, PATIENCE_MS), EPOLLPRI | EPOLLERR);
                }
            }
        } else if (what < 55) {
            char got[64];
            assert_true(pread(files[i].fd, got, sizeof(got), 0) > 0);
            files[i].news = false;
        } else if (what < 58) {
            world_server_kill(&world);
            world_server_start(&world);
        } else if (what < 65) {
            close(files[i].edge);
            close(files[i].fd);
            files[i].fd = -1;
        } else {
            assert_int_equal(now(files[i].fd, ASKED), files[i].news ? NEWS : QUIET);
        }
    }
    for (int i = 0; i < FILES; i++) {
        if (files[i].fd >= 0) {
            close(files[i].edge);
            close(files[i].fd);
        }
    }
}

/* Where the kernel keeps the pages, reads are not seen: news stays news until the file is opened
 * again, and then the new value is read. */
static void with_cache_it_is_news_until_opened_again(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        set(0);
        int fd = open_key(0);
        reread(fd);
        int set_fd = epoll_of(fd, EPOLLPRI | EPOLLET);
        struct sleeper sleeper;
        assert_int_equal(now(fd, ASKED), QUIET);
        sleeper_start(&sleeper, fd, i % 2);
        set(0);
        sleeper_woke(&sleeper);
        assert_int_equal(epoll_next(set_fd, PATIENCE_MS), EPOLLPRI | EPOLLERR);
        reread(fd);
        assert_int_equal(now(fd, ASKED), NEWS);
        int again = open_key(0);
        reread(again);
        assert_int_equal(now(again, ASKED), QUIET);
        close(again);
        close(set_fd);
        close(fd);
    }
}

/* The kernel can't be told while there is no notifier; who opens again finds the new value, whole.
 */
static void with_cache_nobody_reads_old_pages_after_the_news(void **state)
{
    (void)state;
    char got[16];
    world_set(&world, keys[0], "short", 5);
    world_commit(&world);
    int fd = open_key(0);
    assert_int_equal(read(fd, got, sizeof(got)), 5);
    world_notifier_kill(&world);
    world_set(&world, keys[0], "rather long", 11);
    world_commit_late(&world);
    assert_int_equal(now(fd, ASKED), NEWS);
    int again = open_key(0);
    assert_int_equal(read(again, got, sizeof(got)), 11);
    assert_memory_equal(got, "rather long", 11);
    assert_int_equal(now(again, ASKED), QUIET);
    close(again);
    close(fd);
    world_server_kill(&world);
    world_notifier_start(&world);
    world_server_start(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_news_until_it_is_read),
        cmocka_unit_test(who_asks_for_data_only_is_not_disturbed),
        cmocka_unit_test(removal_is_news_and_so_is_the_return),
        cmocka_unit_test(directories_are_as_everywhere),
        cmocka_unit_test(sleepers_wake),
        cmocka_unit_test(every_change_is_an_edge),
        cmocka_unit_test(sleepers_outlive_the_server),
        cmocka_unit_test(sleepers_outlive_server_and_notifier),
        cmocka_unit_test(sleepers_are_woken_by_the_next_server),
        cmocka_unit_test(a_duplicate_sleeps_on_the_same_file),
        cmocka_unit_test(many_come_and_go),
        cmocka_unit_test(anything_in_any_order),
    };
    const struct CMUnitTest cached[] = {
        cmocka_unit_test(with_cache_it_is_news_until_opened_again),
        cmocka_unit_test(with_cache_nobody_reads_old_pages_after_the_news),
    };
    int faults = cmocka_run_group_tests_name("poll", tests, make, end);
    return faults + cmocka_run_group_tests_name("poll with cache", cached, make_cached, end);
}
