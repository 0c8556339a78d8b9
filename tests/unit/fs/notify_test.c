/* The server's half of telling kernels, against a notifier played by the test. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "fs/effect.h"
#include "fs/notify.h"
#include "fs/target.h"
#include "store/change.h"
#include "store/identity.h"
#include "tests/support/store/trial.h"

static struct store *store;
static struct state *memory;
static struct marks marks;
static struct views views;
static struct polls *polls;
static struct notify *notify;
static int peer = -1; /* the notifier's end */

/* How long a commit waits for a view goes by this clock, which the test may stop: no busy machine
 * makes a view late then. */
uint64_t __real_target_now(void);
uint64_t __wrap_target_now(void);
static _Atomic uint64_t stopped_at;
static atomic_uint asked; /* how often somebody looked at it */

uint64_t __wrap_target_now(void)
{
    uint64_t at = atomic_load(&stopped_at);
    atomic_fetch_add(&asked, 1);
    return at ? at : __real_target_now();
}

static void clock_stop(void)
{
    atomic_store(&stopped_at, __real_target_now());
}

static int make_store(void **state)
{
    (void)state;
    struct author author = {.name = "uid 0 (root)"};
    struct identity *identity;
    static char path[TRIAL_PATH_MAX];
    struct store_options options = {.path = trial_path(path, trial_folder(), "store"),
                                    .lock_fd = -1};
    assert_int_equal(secret_setup(4u << 20), 0);
    assert_int_equal(identity_new(&identity), 0);
    assert_int_equal(store_create(path, identity, &author), 0);
    identity_free(identity);
    return store_open(&store, &options);
}

static int close_store(void **state)
{
    (void)state;
    store_close(store);
    secret_teardown();
    return 0;
}

static void connect_peer(void)
{
    int ends[2];
    if (peer >= 0)
        close(peer);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    peer = ends[0];
    assert_int_equal(notify_connect(notify, ends[1]), 0);
}

static int make(void **state)
{
    (void)state;
    clock_stop();
    memory = calloc(1, sizeof(*memory));
    marks_init(&marks, memory);
    views_init(&views);
    assert_int_equal(polls_new(&polls, memory, store, &views), 0);
    return notify_new(&notify, store, memory, &marks, polls);
}

static int end(void **state)
{
    (void)state;
    notify_free(notify);
    polls_free(polls);
    views_release(&views);
    marks_release(&marks);
    free(memory);
    close(peer);
    peer = -1;
    return 0;
}

static uint64_t commit(const char *environment)
{
    struct change_terms terms = {.author = {.name = "uid 0 (root)"}, .allow_new = true};
    struct change_result result;
    struct change *change;
    assert_int_equal(change_new(&change, store), 0);
    assert_int_equal(change_environment_add(change, environment, NULL), 0);
    assert_int_equal(change_commit(change, &terms, &result), 0);
    change_free(change);
    uint64_t rev = result.rev;
    change_result_release(&result);
    return rev;
}

static struct message hear(void)
{
    unsigned char packet[MESSAGE_MAX];
    struct message message;
    ssize_t n = recv(peer, packet, sizeof(packet), 0);
    assert_true(n >= (ssize_t)sizeof(message));
    memcpy(&message, packet, sizeof(message));
    assert_int_equal(message.size, (size_t)n - sizeof(message));
    return message;
}

static void confirm(struct message message)
{
    message.size = 0;
    assert_int_equal(send(peer, &message, sizeof(message), 0), sizeof(message));
}

static uint64_t commit_key(const char *text, bool is_new_place)
{
    struct change_terms terms = {.author = {.name = "uid 0 (root)"}, .allow_new = true};
    struct change_result result;
    struct change *change;
    struct path path;
    assert_int_equal(path_parse(&path, text, strlen(text)), 0);
    assert_int_equal(change_new(&change, store), 0);
    if (is_new_place)
        assert_int_equal(change_environment_add(change, path.environment, NULL), 0);
    assert_int_equal(change_set_plain(change, &path, "x", 1), 0);
    assert_int_equal(change_commit(change, &terms, &result), 0);
    change_free(change);
    uint64_t rev = result.rev;
    change_result_release(&result);
    return rev;
}

/* Confirms all that comes until the view knows rev. Returns how much that was. */
static unsigned hear_until(uint64_t rev)
{
    unsigned messages = 0;
    while (notify_published(notify) < rev) {
        struct pollfd fd = {.fd = peer, .events = POLLIN};
        if (poll(&fd, 1, 1) == 1) {
            confirm(hear());
            messages++;
        }
    }
    return messages;
}

struct publishing {
    uint64_t rev;
    int result;
};

static void *publish(void *arg)
{
    struct publishing *publishing = arg;
    publishing->result = notify_publish(notify, publishing->rev);
    return NULL;
}

static void without_views_it_costs_nothing(void **state)
{
    (void)state;
    assert_int_equal(notify_start(notify), 0);
    uint64_t rev = commit("none");
    assert_int_equal(notify_publish(notify, rev), 0);
    assert_true(notify_published(notify) == rev);
}

static void returns_when_all_have_confirmed(void **state)
{
    (void)state;
    pthread_t thread;
    connect_peer();
    assert_int_equal(notify_view_add(notify, 1, NULL), 0);
    assert_int_equal(notify_view_add(notify, 2, NULL), 0);
    assert_int_equal(notify_start(notify), 0);
    struct publishing publishing = {.rev = commit("both"), .result = 77};
    assert_int_equal(pthread_create(&thread, NULL, publish, &publishing), 0);
    struct message one = hear(), two = hear();
    assert_true(one.kind == MESSAGE_CHANGE && two.kind == MESSAGE_CHANGE && one.view != two.view);
    assert_true(one.b == publishing.rev);
    confirm(one);
    /* the other's kernel has it now, and so its names may come */
    struct message names = hear();
    assert_true(names.kind == MESSAGE_NAMES && names.view == two.view && names.size > 0);
    assert_true(names.b == publishing.rev);
    confirm(names);
    assert_true(notify_published(notify) < publishing.rev);
    confirm(two);
    names = hear();
    assert_true(names.kind == MESSAGE_NAMES && names.view == one.view);
    assert_true(notify_published(notify) < publishing.rev);
    confirm(names);
    pthread_join(thread, NULL);
    assert_int_equal(publishing.result, 0);
    assert_true(notify_published(notify) == publishing.rev);
}

/* Who hears of a new key in one view finds its name in the other. */
static void events_wait_for_the_names_of_the_others(void **state)
{
    (void)state;
    pthread_t thread;
    uint64_t before = commit_key("keys/a/KEY", true);
    connect_peer();
    assert_int_equal(notify_start(notify), 0);
    assert_int_equal(notify_publish(notify, before), 0); /* the views know it */
    assert_int_equal(notify_view_add(notify, 1, NULL), 0);
    assert_int_equal(notify_view_add(notify, 2, NULL), 0);
    struct publishing publishing = {.rev = commit_key("keys/a/NEW", false), .result = 77};
    assert_int_equal(pthread_create(&thread, NULL, publish, &publishing), 0);
    confirm(hear());
    confirm(hear());
    struct message names[2] = {hear(), hear()};
    assert_true(names[0].kind == MESSAGE_NAMES && names[1].kind == MESSAGE_NAMES);
    bool first = names[1].view == 1;
    confirm(names[first]); /* of view 1: view 2 may go on, and view 1 may not */
    struct message events = hear();
    assert_true(events.kind == MESSAGE_EVENTS && events.view == 2);
    confirm(events);
    confirm(names[!first]);
    events = hear();
    assert_true(events.kind == MESSAGE_EVENTS && events.view == 1);
    confirm(events);
    pthread_join(thread, NULL);
    assert_int_equal(publishing.result, 0);
}

static void a_late_view_is_waited_for_once(void **state)
{
    (void)state;
    atomic_store(&stopped_at, 0);
    connect_peer();
    assert_int_equal(notify_view_add(notify, 1, NULL), 0);
    assert_int_equal(notify_start(notify), 0);
    uint64_t first = commit("late1");
    assert_int_equal(notify_publish(notify, first), 1);
    uint64_t second = commit("late2");
    assert_int_equal(notify_publish(notify, second), 1); /* at once */
    hear_until(second);
    /* it has caught up, so the next one is waited for again */
    pthread_t thread;
    while (notify_published(notify) < second)
        sched_yield();
    clock_stop();
    struct publishing publishing = {.rev = commit("late3"), .result = 77};
    assert_int_equal(pthread_create(&thread, NULL, publish, &publishing), 0);
    hear_until(publishing.rev);
    pthread_join(thread, NULL);
    assert_int_equal(publishing.result, 0);
}

/* A view that was late is not given up after a tenth of a second for ever: with several views,
 * whose names wait for each other, too. */
static void one_that_comes_back_is_trusted_again(void **state)
{
    (void)state;
    pthread_t thread;
    char name[16];
    atomic_store(&stopped_at, 0);
    connect_peer();
    assert_int_equal(notify_view_add(notify, 1, NULL), 0);
    assert_int_equal(notify_view_add(notify, 2, NULL), 0);
    assert_int_equal(notify_start(notify), 0);
    struct publishing publishing = {.rev = commit("once"), .result = 77};
    assert_int_equal(notify_publish(notify, publishing.rev), 1);
    for (int i = 0; i < 4; i++)
        confirm(hear());
    while (notify_published(notify) < publishing.rev)
        sched_yield();
    clock_stop();
    for (int round = 0; round < 101; round++) {
        (void)snprintf(name, sizeof(name), "good%d", round);
        publishing = (struct publishing){.rev = commit(name), .result = 77};
        assert_int_equal(pthread_create(&thread, NULL, publish, &publishing), 0);
        confirm(hear());
        if (round == 100) { /* now it takes twice as long as one that is not trusted may */
            atomic_fetch_add(&stopped_at, 200000000u);
            for (unsigned since = atomic_load(&asked); atomic_load(&asked) - since < 10;)
                sched_yield();
        }
        for (int i = 0; i < 3; i++)
            confirm(hear());
        pthread_join(thread, NULL);
        assert_int_equal(publishing.result, 0);
    }
}

static void a_new_notifier_is_told_what_the_old_one_owed(void **state)
{
    (void)state;
    pthread_t thread;
    connect_peer();
    assert_int_equal(notify_view_add(notify, 1, NULL), 0);
    assert_int_equal(notify_start(notify), 0);
    struct publishing publishing = {.rev = commit("owed"), .result = 77};
    assert_int_equal(pthread_create(&thread, NULL, publish, &publishing), 0);
    struct message first = hear();
    connect_peer();
    struct message again = hear();
    assert_true(again.b == first.b && again.a != first.a);
    confirm(again);
    hear_until(publishing.rev);
    pthread_join(thread, NULL);
    assert_int_equal(publishing.result, 0);
}

static void a_new_server_tells_what_the_old_one_owed(void **state)
{
    (void)state;
    assert_int_equal(notify_view_add(notify, 1, NULL), 0);
    notify_free(notify);
    commit("between1");
    uint64_t newest = commit("between2");
    assert_int_equal(notify_new(&notify, store, memory, &marks, polls), 0);
    connect_peer();
    assert_int_equal(notify_view_add(notify, 1, NULL), 0);
    assert_int_equal(notify_start(notify), 0);
    struct message message = hear();
    assert_true(message.b == newest);
    assert_true(notify_published(notify) < newest);
    confirm(message);
    hear_until(newest);
}

static void a_view_that_ends_is_not_waited_for(void **state)
{
    (void)state;
    pthread_t thread;
    connect_peer();
    assert_int_equal(notify_view_add(notify, 1, NULL), 0);
    assert_int_equal(notify_start(notify), 0);
    struct publishing publishing = {.rev = commit("ends"), .result = 77};
    assert_int_equal(pthread_create(&thread, NULL, publish, &publishing), 0);
    hear();
    notify_view_remove(notify, 1);
    pthread_join(thread, NULL);
    assert_int_equal(publishing.result, 0);
    struct message message;
    do
        message = hear();
    while (message.kind != MESSAGE_END);
}

static void sweeps_are_asked_for_until_confirmed(void **state)
{
    (void)state;
    connect_peer();
    assert_int_equal(notify_start(notify), 0);
    uint32_t turn = marks_add(&marks, 1, 1234);
    notify_sweep(notify, 1, 1234, turn);
    struct message message = hear();
    assert_true(message.kind == MESSAGE_SWEEP && message.a == 1234 && message.b == turn);
    connect_peer(); /* it died before it was done */
    do
        message = hear();
    while (message.a != 1234);
    confirm(message);
    while (marks_turn(&marks, 1, 1234))
        sched_yield();
}

/* More than the socket takes: the rest follows as it is read. */
/* A view whose lane is stuck has more pages to be swept than fit the socket: each is asked for
 * once, and then somebody sleeps. */
static void sweeps_do_not_go_round(void **state)
{
    (void)state;
    enum { NODES = 2000 };
    unsigned heard = 0;
    for (uint64_t node = 1; node <= NODES; node++)
        marks_add(&marks, 1, node);
    connect_peer();
    assert_int_equal(notify_view_add(notify, 1, NULL), 0);
    assert_int_equal(notify_start(notify), 0);
    struct pollfd entry = {.fd = peer, .events = POLLIN};
    while (heard <= 2 * NODES && poll(&entry, 1, heard < NODES ? -1 : 200) == 1) {
        (void)hear();
        heard++;
    }
    assert_true(heard >= NODES &&
                heard <= 2 * NODES); /* twice: for the socket, and for the start */
}

static void much_is_told_in_pieces(void **state)
{
    (void)state;
    struct change_terms terms = {.author = {.name = "uid 0 (root)"}, .allow_new = true};
    struct change_result result;
    struct change *change;
    struct path path;
    char text[64];
    connect_peer();
    assert_int_equal(notify_view_add(notify, 1, NULL), 0);
    assert_int_equal(notify_start(notify), 0);
    assert_int_equal(change_new(&change, store), 0);
    assert_int_equal(change_environment_add(change, "large", NULL), 0);
    assert_int_equal(path_parse(&path, "large/service", strlen("large/service")), 0);
    assert_int_equal(change_service_add(change, &path), 0);
    assert_int_equal(change_commit(change, &terms, &result), 0);
    change_free(change);
    change_result_release(&result);
    assert_int_equal(change_new(&change, store), 0);
    for (int i = 0; i < 20000; i++) { /* of a directory that was there */
        int n = snprintf(text, sizeof(text), "large/service/KEY_NUMBER_%d", i);
        assert_int_equal(path_parse(&path, text, (size_t)n), 0);
        assert_int_equal(change_set_plain(change, &path, "x", 1), 0);
    }
    assert_int_equal(change_commit(change, &terms, &result), 0);
    change_free(change);
    pthread_t thread;
    struct publishing publishing = {.rev = result.rev, .result = 77};
    change_result_release(&result);
    assert_int_equal(pthread_create(&thread, NULL, publish, &publishing), 0);
    unsigned messages = hear_until(publishing.rev);
    pthread_join(thread, NULL);
    assert_int_equal(publishing.result, 0);
    assert_true(messages > MESSAGES_IN_FLIGHT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_views_it_costs_nothing, make, end),
        cmocka_unit_test_setup_teardown(returns_when_all_have_confirmed, make, end),
        cmocka_unit_test_setup_teardown(events_wait_for_the_names_of_the_others, make, end),
        cmocka_unit_test_setup_teardown(a_late_view_is_waited_for_once, make, end),
        cmocka_unit_test_setup_teardown(one_that_comes_back_is_trusted_again, make, end),
        cmocka_unit_test_setup_teardown(a_new_notifier_is_told_what_the_old_one_owed, make, end),
        cmocka_unit_test_setup_teardown(a_new_server_tells_what_the_old_one_owed, make, end),
        cmocka_unit_test_setup_teardown(a_view_that_ends_is_not_waited_for, make, end),
        cmocka_unit_test_setup_teardown(sweeps_are_asked_for_until_confirmed, make, end),
        cmocka_unit_test_setup_teardown(sweeps_do_not_go_round, make, end),
        cmocka_unit_test_setup_teardown(much_is_told_in_pieces, make, end),
    };
    return cmocka_run_group_tests(tests, make_store, close_store);
}
