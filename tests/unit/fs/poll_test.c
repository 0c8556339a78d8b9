/* Who polls, over a real store; the kernel is played by the test, at the other end of the view's
 * connection. */
#include <errno.h>
#include <linux/fuse.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "fs/node.h"
#include "fs/notify.h"
#include "fs/pin.h"
#include "fs/poll.h"
#include "fs/view_slot.h"
#include "store/change.h"
#include "store/identity.h"
#include "tests/support/store/dice.h"
#include "tests/support/store/trial.h"

#define VIEWS 3

static struct store *store;
static struct snapshot *snapshot;
static struct state *memory;
static struct views views;
static struct polls *polls;
static int kernels[VIEWS + 1]; /* the other end of each view, by id from 1 */
static uint32_t hint;
static unsigned count; /* makes values that differ */

static struct path path_of(const char *text)
{
    struct path path;
    assert_int_equal(path_parse(&path, text, strlen(text)), 0);
    return path;
}

static uint64_t commit(struct change *change)
{
    struct change_terms terms = {.author = {.name = "uid 0 (root)"}, .allow_new = true};
    struct change_result result;
    assert_int_equal(change_commit(change, &terms, &result), 0);
    change_free(change);
    uint64_t rev = result.rev;
    change_result_release(&result);
    return rev;
}

static uint64_t set(const char *text)
{
    struct change *change;
    struct path path = path_of(text);
    char value[16];
    int size = snprintf(value, sizeof(value), "%u", ++count);
    assert_int_equal(change_new(&change, store), 0);
    assert_int_equal(change_set_plain(change, &path, value, (size_t)size), 0);
    return commit(change);
}

static uint64_t unset(const char *text)
{
    struct change *change;
    struct path path = path_of(text);
    assert_int_equal(change_new(&change, store), 0);
    assert_int_equal(change_remove(change, &path), 0);
    return commit(change);
}

static uint64_t node_of(const char *service_name, const char *key)
{
    struct environment environment;
    struct service service;
    struct entry entry;
    assert_int_equal(snapshot_begin(snapshot), 0);
    assert_int_equal(snapshot_environment(snapshot, &environment, "prod"), 0);
    assert_int_equal(snapshot_service(snapshot, &service, environment.id, service_name), 0);
    assert_int_equal(snapshot_entry(snapshot, &entry, environment.id, service.id, key), 0);
    snapshot_end(snapshot);
    return node_key(entry.environment, entry.name_id);
}

static int make_store(void **state)
{
    (void)state;
    struct author author = {.name = "uid 0 (root)"};
    struct identity *identity;
    struct change *change;
    static char path[TRIAL_PATH_MAX];
    struct store_options options = {.path = trial_path(path, trial_folder(), "store"),
                                    .lock_fd = -1};
    assert_int_equal(secret_setup(4u << 20), 0);
    assert_int_equal(identity_new(&identity), 0);
    assert_int_equal(store_create(path, identity, &author), 0);
    identity_free(identity);
    assert_int_equal(store_open(&store, &options), 0);
    assert_int_equal(change_new(&change, store), 0);
    assert_int_equal(change_environment_add(change, "prod", NULL), 0);
    commit(change);
    return snapshot_new(&snapshot, store);
}

static int close_store(void **state)
{
    (void)state;
    snapshot_free(snapshot);
    store_close(store);
    secret_teardown();
    return 0;
}

static int make(void **state)
{
    (void)state;
    memory = calloc(1, sizeof(*memory));
    views_init(&views);
    for (uint32_t id = 1; id <= VIEWS; id++) {
        struct view_options options = {.id = id};
        int ends[2];
        uint32_t slot;
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
        assert_int_equal(views_add(&views, &slot, &options, NULL, ends[1]), 0);
        kernels[id] = ends[0];
    }
    hint = 0;
    memory->published = store_revision(store);
    return polls_new(&polls, memory, store, &views);
}

static int end(void **state)
{
    (void)state;
    polls_free(polls);
    views_release(&views);
    for (uint32_t id = 1; id <= VIEWS; id++)
        close(kernels[id]);
    free(memory);
    return 0;
}

/* The next server, over the same memory. */
static void follow(void)
{
    polls_free(polls);
    assert_int_equal(polls_new(&polls, memory, store, &views), 0);
}

/* What a view's kernel was told next: its own handle; 0: nothing more. */
static uint64_t woken(uint32_t view)
{
    struct {
        struct fuse_out_header header;
        struct fuse_notify_poll_wakeup_out body;
    } packet;
    ssize_t n = recv(kernels[view], &packet, sizeof(packet), MSG_DONTWAIT);
    if (n < 0)
        return 0;
    assert_int_equal(n, sizeof(packet));
    assert_int_equal(packet.header.len, sizeof(packet));
    assert_int_equal(packet.header.error, FUSE_NOTIFY_POLL);
    assert_int_equal(packet.header.unique, 0);
    return packet.body.kh;
}

static uint64_t open_now(uint32_t view)
{
    return pin_take(memory, view, store_revision(store), &hint);
}

static void a_change_wakes_once(void **state)
{
    (void)state;
    uint64_t rev = set("prod/web/A"), node = node_of("web", "A");
    uint64_t handle = open_now(1);
    assert_true(polls_add(polls, 1, handle, node, 77, 0));
    polls_judge(polls, 1, rev);
    assert_int_equal(woken(1), 0);
    rev = set("prod/web/A");
    polls_judge(polls, 1, rev);
    assert_int_equal(woken(1), 77);
    assert_int_equal(woken(1), 0);
    polls_judge(polls, 1, rev);
    assert_int_equal(woken(1), 0);
    /* unread, and changed again: that is news to who waits for edges */
    rev = set("prod/web/A");
    polls_judge(polls, 1, rev);
    assert_int_equal(woken(1), 77);
}

static void others_sleep_on(void **state)
{
    (void)state;
    set("prod/web/A");
    set("prod/web/B");
    uint64_t a = node_of("web", "A"), b = node_of("web", "B");
    polls_add(polls, 1, open_now(1), a, 1, 0);
    polls_add(polls, 1, open_now(1), b, 2, 0);
    polls_add(polls, 2, open_now(2), b, 3, 0);
    uint64_t rev = set("prod/web/B");
    polls_judge(polls, 1, rev);
    assert_int_equal(woken(1), 2);
    assert_int_equal(woken(1), 0);
    assert_int_equal(woken(2), 0); /* its kernel has not been told yet */
    polls_judge(polls, 3, rev);
    polls_judge(polls, 2, rev);
    assert_int_equal(woken(2), 3);
    assert_int_equal(woken(3), 0);
}

static void what_was_read_already_wakes_nobody(void **state)
{
    (void)state;
    set("prod/web/A");
    uint64_t handle = open_now(1);
    polls_add(polls, 1, handle, node_of("web", "A"), 5, 0);
    uint64_t rev = set("prod/web/A");
    pin_set(memory, handle, rev);
    polls_judge(polls, 1, rev);
    assert_int_equal(woken(1), 0);
}

/* A poll that comes between the commit and the telling does not take the wake-up from who sleeps on
 * the same open file. */
static void a_poll_in_between_takes_no_wake_up(void **state)
{
    (void)state;
    set("prod/web/A");
    uint64_t handle = open_now(1), node = node_of("web", "A");
    polls_add(polls, 1, handle, node, 5, 0);
    uint64_t rev = set("prod/web/A");
    memory->published = rev;
    polls_add(polls, 1, handle, node, 5, 0);
    polls_judge(polls, 1, rev);
    assert_int_equal(woken(1), 5);
}

static void a_removal_wakes_once_and_the_return_again(void **state)
{
    (void)state;
    set("prod/web/GOING");
    uint64_t handle = open_now(1);
    polls_add(polls, 1, handle, node_of("web", "GOING"), 9, 0);
    uint64_t rev = unset("prod/web/GOING");
    polls_judge(polls, 1, rev);
    assert_int_equal(woken(1), 9);
    rev = set("prod/web/OTHER");
    polls_judge(polls, 1, rev);
    assert_int_equal(woken(1), 0);
    rev = set("prod/web/GOING");
    polls_judge(polls, 1, rev);
    assert_int_equal(woken(1), 9);
    assert_int_equal(woken(1), 0);
}

static void changed_or_not(void **state)
{
    (void)state;
    bool changed;
    uint64_t rev = set("prod/web/A"), node = node_of("web", "A");
    struct {
        uint64_t rev;
        bool changed;
    } rows[] = {{rev, false}, {rev + 5, false}, {rev - 1, true}};
    assert_int_equal(snapshot_begin(snapshot), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(poll_changed(snapshot, &changed, node, rows[i].rev), 0);
        assert_int_equal(changed, rows[i].changed);
    }
    assert_true(poll_changed(snapshot, &changed, NODE_ROOT, rev) < 0);
    assert_true(poll_changed(snapshot, &changed, 0xffffffffffffffffull, rev) < 0);
    snapshot_end(snapshot);
    unset("prod/web/A");
    assert_int_equal(snapshot_begin(snapshot), 0);
    assert_int_equal(poll_changed(snapshot, &changed, node, rev), 0);
    assert_true(changed);
    snapshot_end(snapshot);
}

/* Killed after the kernel was told and before who sleeps was woken. */
static void the_next_server_wakes_whom_the_dead_one_did_not(void **state)
{
    (void)state;
    set("prod/web/A");
    uint64_t handle = open_now(2);
    polls_add(polls, 2, handle, node_of("web", "A"), 11, 0);
    follow();
    polls_judge_all(polls);
    assert_int_equal(woken(2), 0);
    memory->published = set("prod/web/A");
    follow();
    polls_judge_all(polls);
    assert_int_equal(woken(2), 11);
    polls_drop(polls, 2, handle);
    follow();
    polls_judge_all(polls);
    assert_int_equal(woken(2), 0);
}

/* The same, as a server does it that starts. */
static void a_start_judges_what_it_finds(void **state)
{
    (void)state;
    struct marks marks;
    struct notify *notify;
    set("prod/web/A");
    polls_add(polls, 3, open_now(3), node_of("web", "A"), 12, 0);
    memory->published = set("prod/web/A");
    follow();
    marks_init(&marks, memory);
    assert_int_equal(notify_new(&notify, store, memory, &marks, polls), 0);
    assert_int_equal(notify_start(notify), 0);
    struct pollfd kernel = {.fd = kernels[3], .events = POLLIN};
    assert_int_equal(poll(&kernel, 1, 60000), 1);
    assert_int_equal(woken(3), 12);
    notify_free(notify);
    marks_release(&marks);
}

static void a_view_that_ended_meanwhile_is_forgotten(void **state)
{
    (void)state;
    set("prod/web/A");
    uint64_t node = node_of("web", "A");
    polls_add(polls, 1, open_now(1), node, 1, 0);
    polls_add(polls, 2, open_now(2), node, 2, 0);
    uint32_t slot;
    struct view *view = views_find(&views, &slot, 1);
    views_remove(&views, view);
    views_put(&views, view);
    follow();
    polls_judge_all(polls);
    for (uint32_t i = 0; i < memory->poll_high; i++)
        assert_int_not_equal(memory->polls[i].view, 1);
    polls_judge(polls, 2, set("prod/web/A"));
    assert_int_equal(woken(2), 2);
}

static void a_released_one_is_forgotten(void **state)
{
    (void)state;
    set("prod/web/A");
    uint64_t node = node_of("web", "A"), first = open_now(1);
    polls_add(polls, 1, first, node, 1, 0);
    polls_drop(polls, 2, first); /* not that view's */
    pin_drop(memory, first, &hint);
    hint = (uint32_t)first;
    uint64_t second = open_now(1);
    assert_true((uint32_t)second == (uint32_t)first && second != first);
    /* the RELEASE of the first was overtaken */
    polls_add(polls, 1, second, node, 2, 0);
    polls_drop(polls, 1, first);
    uint64_t rev = set("prod/web/A");
    polls_judge(polls, 1, rev);
    assert_int_equal(woken(1), 2);
    assert_int_equal(woken(1), 0);
    polls_drop(polls, 1, second);
    polls_drop(polls, 1, second);
    rev = set("prod/web/A");
    polls_judge(polls, 1, rev);
    assert_int_equal(woken(1), 0);
}

static void a_full_table_says_so(void **state)
{
    (void)state;
    set("prod/web/A");
    uint64_t node = node_of("web", "A"), last = 0;
    for (uint32_t i = 0; i < POLL_SLOTS; i++)
        assert_true(polls_add(polls, 1 + i % 2, last = open_now(1 + i % 2), node, i + 1, 0));
    assert_false(polls_add(polls, 1, open_now(1), node, 1, 0));
    assert_true(polls_add(polls, 2, last, node, POLL_SLOTS, 0)); /* is there already */
    polls_drop(polls, 2, last);
    assert_true(polls_add(polls, 3, open_now(3), node, 5, 0));
    follow();
    assert_false(polls_add(polls, 1, open_now(1), node, 1, 0));
    polls_drop_view(polls, 1);
    assert_true(polls_add(polls, 1, open_now(1), node, 6, 0));
    polls_drop_view(polls, 2);
    uint64_t rev = set("prod/web/A");
    for (uint32_t id = 1; id <= VIEWS; id++)
        polls_judge(polls, id, rev);
    assert_int_equal(woken(1), 6);
    assert_int_equal(woken(1), 0);
    assert_int_equal(woken(2), 0);
    assert_int_equal(woken(3), 5);
}

/* Anything in any order, against the plainest table: who is woken by a change of all keys. */
#define HANDLES 200

struct model {
    uint64_t handle; /* 0: closed */
    uint32_t view;
    bool polled;
};

static void change_all(struct model *model)
{
    uint64_t rev = set("prod/web/A");
    bool expected[HANDLES + 1] = {false};
    for (uint32_t i = 0; i < HANDLES; i++)
        expected[i + 1] = model[i].handle && model[i].polled;
    for (uint32_t view = 1; view <= VIEWS; view++) {
        polls_judge(polls, view, rev);
        for (uint64_t who; (who = woken(view)) != 0;) {
            assert_true(who <= HANDLES && expected[who] && model[who - 1].view == view);
            expected[who] = false;
        }
    }
    for (uint32_t i = 0; i <= HANDLES; i++)
        assert_false(expected[i]);
}

static void anything_in_any_order(void **state)
{
    (void)state;
    static struct model model[HANDLES];
    struct dice dice = dice_new(dice_seed());
    set("prod/web/A");
    uint64_t node = node_of("web", "A");
    for (int step = 0; step < 20000; step++) {
        uint32_t which = (uint32_t)dice_roll(&dice, HANDLES);
        struct model *one = &model[which];
        uint64_t what = dice_roll(&dice, 1000);
        if (what < 5) {
            change_all(model);
        } else if (what < 8) {
            follow();
        } else if (what < 12) {
            uint32_t view = 1 + (uint32_t)dice_roll(&dice, VIEWS);
            polls_drop_view(polls, view);
            pin_drop_view(memory, view);
            for (uint32_t i = 0; i < HANDLES; i++)
                model[i].handle = model[i].view == view ? 0 : model[i].handle;
        } else if (!one->handle) {
            uint32_t view = 1 + (uint32_t)dice_roll(&dice, VIEWS);
            *one = (struct model){.handle = open_now(view), .view = view};
        } else if (what < 600) {
            one->polled = true;
            assert_true(polls_add(polls, one->view, one->handle, node, which + 1, 0));
        } else {
            pin_drop(memory, one->handle, &hint);
            polls_drop(polls, one->view, one->handle);
            one->handle = 0;
        }
    }
    change_all(model);
}

static void no_view_takes_what_is_left_for_others(void **state)
{
    (void)state;
    set("prod/web/A");
    uint64_t node = node_of("web", "A"), last = 0;
    assert_non_null(view_slot_take(memory, 1));
    assert_non_null(view_slot_take(memory, 2));
    for (uint32_t i = 0; i < POLL_SLOTS / 2; i++)
        assert_true(polls_add(polls, 1, last = open_now(1), node, i + 1, 0));
    assert_false(polls_add(polls, 1, open_now(1), node, 1, 0));
    assert_true(polls_add(polls, 1, last, node, 1, 0)); /* is there already */
    assert_true(polls_add(polls, 2, open_now(2), node, 1, 0));
    follow();
    assert_false(polls_add(polls, 1, open_now(1), node, 1, 0));
    assert_true(polls_add(polls, 2, open_now(2), node, 2, 0));
    polls_drop_view(polls, 2);
    polls_drop(polls, 1, last);
    assert_true(polls_add(polls, 1, open_now(1), node, 1, 0));
    assert_false(polls_add(polls, 1, open_now(1), node, 1, 0));
    for (uint32_t view = 1; view <= 2; view++)
        view_slot_drop(view_slot_find(memory, view));
}

static void *churn(void *arg)
{
    uint64_t node = *(uint64_t *)arg;
    uint32_t mine = 0;
    for (int round = 0; round < 5000; round++) {
        uint32_t view = 1 + (uint32_t)round % VIEWS;
        uint64_t handle = pin_take(memory, view, 1, &mine);
        polls_add(polls, view, handle, node, 1, 0);
        pin_drop(memory, handle, &mine);
        polls_drop(polls, view, handle);
    }
    return NULL;
}

static void threads_come_and_go_while_one_judges(void **state)
{
    (void)state;
    uint64_t rev = set("prod/web/A"), node = node_of("web", "A");
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, churn, &node), 0);
    for (int round = 0; round < 500; round++) {
        for (uint32_t view = 1; view <= VIEWS; view++) {
            polls_judge(polls, view, rev);
            while (woken(view))
                ;
        }
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    follow();
    for (uint32_t i = 0; i < memory->poll_high; i++)
        assert_int_equal(memory->polls[i].view, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_change_wakes_once),
        TEST(others_sleep_on),
        TEST(what_was_read_already_wakes_nobody),
        TEST(a_poll_in_between_takes_no_wake_up),
        TEST(a_removal_wakes_once_and_the_return_again),
        TEST(changed_or_not),
        TEST(the_next_server_wakes_whom_the_dead_one_did_not),
        TEST(a_start_judges_what_it_finds),
        TEST(a_view_that_ended_meanwhile_is_forgotten),
        TEST(a_released_one_is_forgotten),
        TEST(a_full_table_says_so),
        TEST(no_view_takes_what_is_left_for_others),
        TEST(anything_in_any_order),
        TEST(threads_come_and_go_while_one_judges),
    };
    return cmocka_run_group_tests(tests, make_store, close_store);
}
