/*
 * What a commit costs that a thousand views of one service each are told of, counted: over a store
 * that the test plays, and a notifier that confirms whatever it hears.
 */
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

#include "fs/target.h"
#include "store/error.h"

#define VIEWS 1000u
#define NEWEST 5u

/* The store: revision 5 sets one key in each of the first `services` services of environment 1. */
static unsigned services;
static struct {
    unsigned outcome, begun, other;
} asked;

int __wrap_history_outcome(struct snapshot *snapshot, struct outcome *out, uint64_t rev,
                           uint32_t index);
int __wrap_snapshot_begin(struct snapshot *snapshot);
void __wrap_snapshot_end(struct snapshot *snapshot);
uint64_t __wrap_snapshot_revision(const struct snapshot *snapshot);
int __wrap_snapshot_name(struct snapshot *snapshot, uint32_t *service, char *key, uint64_t name_id);
int __wrap_snapshot_service_name(struct snapshot *snapshot, char *name, uint32_t service);
int __wrap_snapshot_environment_name(struct snapshot *snapshot, char *name, uint32_t environment);
int __wrap_history_service_id(struct snapshot *snapshot, uint32_t *service, const char *name);

int __wrap_history_outcome(struct snapshot *snapshot, struct outcome *out, uint64_t rev,
                           uint32_t index)
{
    (void)snapshot;
    asked.outcome++;
    if (rev != NEWEST || index >= services)
        return NOT_THERE;
    *out = (struct outcome){.rev = rev,
                            .index = index,
                            .kind = OUTCOME_KEY,
                            .mark = '~',
                            .environment = 1,
                            .service = index + 1,
                            .name_id = index + 1};
    return 0;
}

int __wrap_snapshot_begin(struct snapshot *snapshot)
{
    (void)snapshot;
    asked.begun++;
    return 0;
}

void __wrap_snapshot_end(struct snapshot *snapshot)
{
    (void)snapshot;
}

uint64_t __wrap_snapshot_revision(const struct snapshot *snapshot)
{
    (void)snapshot;
    return NEWEST;
}

int __wrap_snapshot_name(struct snapshot *snapshot, uint32_t *service, char *key, uint64_t name_id)
{
    (void)snapshot;
    asked.other++;
    *service = (uint32_t)name_id;
    (void)snprintf(key, KEY_NAME_MAX + 1, "K");
    return 0;
}

int __wrap_snapshot_service_name(struct snapshot *snapshot, char *name, uint32_t service)
{
    (void)snapshot;
    asked.other++;
    (void)snprintf(name, SERVICE_NAME_MAX + 1, "s%u", service);
    return 0;
}

int __wrap_snapshot_environment_name(struct snapshot *snapshot, char *name, uint32_t environment)
{
    (void)snapshot;
    asked.other++;
    (void)snprintf(name, ENVIRONMENT_NAME_MAX + 1, "e%u", environment);
    return 0;
}

int __wrap_history_service_id(struct snapshot *snapshot, uint32_t *service, const char *name)
{
    (void)snapshot;
    asked.other++;
    *service = (uint32_t)strtoul(name + 1, NULL, 10);
    return 0;
}

/* The views: one of each service, all of which know revision 4. */
static struct view_options options[VIEWS];
static struct scope scopes[VIEWS];
static struct view_slot slots[VIEWS];
static struct targets targets;
static struct post post;
static int notifier = -1;

static int make(void **state)
{
    (void)state;
    int ends[2];
    bool is_fresh;
    memset(&targets, 0, sizeof(targets));
    memset(slots, 0, sizeof(slots));
    post_init(&post);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    post_connect(&post, ends[0]);
    (void)post_socket(&post, &is_fresh);
    notifier = ends[1];
    targets.post = &post;
    for (uint32_t i = 0; i < VIEWS; i++) {
        options[i] = (struct view_options){
            .id = i + 1, .extent = VIEW_SERVICE, .layout = LAYOUT_FLAT, .environment = "e1"};
        (void)snprintf(options[i].service, sizeof(options[i].service), "s%u", i + 1);
        scope_init(&scopes[i], &options[i], NULL);
        assert_int_equal(targets_add(&targets, i + 1, &scopes[i], &slots[i], NEWEST - 1), 0);
    }
    targets.goal = NEWEST;
    memset(&asked, 0, sizeof(asked));
    return 0;
}

static int end(void **state)
{
    (void)state;
    targets_release(&targets);
    post_release(&post);
    close(notifier);
    return 0;
}

/* Confirms all that was sent. How many those were. */
static unsigned confirm(void)
{
    static union {
        struct message message;
        unsigned char room[MESSAGE_MAX];
    } packet;
    unsigned count = 0;
    while (recv(notifier, &packet, sizeof(packet), MSG_DONTWAIT) > 0) {
        assert_true(targets_confirmed(&targets, &packet.message));
        count++;
    }
    return count;
}

static unsigned tell_all(void)
{
    unsigned confirmed = 0, more;
    do {
        assert_int_equal(targets_pump(&targets), 0);
        more = confirm();
        confirmed += more;
    } while (more);
    assert_true(targets_told(&targets, false) == NEWEST);
    assert_true(targets_heard(&targets, false) == NEWEST);
    return confirmed;
}

/* Each is told in two messages (another value; a touch), and both are found by one look or two. */
static void a_commit_that_a_thousand_see(void **state)
{
    (void)state;
    services = VIEWS;
    const uint64_t before = targets.seats.looks;
    const unsigned confirmed = tell_all();
    assert_int_equal(confirmed, 2 * VIEWS);
    assert_true(targets.seats.looks - before < 2 * confirmed);
    assert_true(asked.outcome <= VIEWS + 1 + 9 * VIEWS); /* the outline's, and each one's own */
    assert_true(asked.other <= 10 * VIEWS);
    assert_true(asked.begun < 20);
}

/* And who is told nothing costs no look at all. */
static void a_commit_that_one_of_a_thousand_sees(void **state)
{
    (void)state;
    services = 1;
    assert_int_equal(tell_all(), 2);
    assert_true(asked.outcome < 20);
    assert_true(asked.other <= VIEWS + 20); /* each one's name, once for ever */
}

/* Whoever goes, those that stay are where they are looked for. */
static void views_that_go(void **state)
{
    (void)state;
    services = VIEWS;
    for (uint32_t view = 1; view <= VIEWS; view += 3)
        targets_remove(&targets, view);
    targets_remove(&targets, 1); /* is gone */
    targets_remove(&targets, VIEWS + 1);
    const uint64_t before = targets.seats.looks;
    const unsigned left = VIEWS - (VIEWS + 2) / 3;
    assert_int_equal(targets.count, left);
    assert_int_equal(tell_all(), 2 * left);
    assert_true(targets.seats.looks - before < 4ul * left);
    for (uint32_t view = 1; view <= VIEWS; view++)
        assert_true(atomic_load(&slots[view - 1].told) == (view % 3 == 1 ? NEWEST - 1 : NEWEST));
    const struct message gone = {.kind = MESSAGE_CHANGE, .view = 1, .b = NEWEST};
    assert_false(targets_confirmed(&targets, &gone));
}

/* Seats */

/* Ids as they are given (they count up), and as they may be after years (with holes). */
static void a_seat_is_found_at_once(void **state)
{
    (void)state;
    static const uint32_t strides[] = {1, 2, 7, 64, 1024, 65536, 0x10001};
    for (size_t i = 0; i < sizeof(strides) / sizeof(strides[0]); i++) {
        struct seats seats = {0};
        uint32_t place;
        for (uint32_t n = 1; n <= VIEWS; n++)
            assert_int_equal(seats_put(&seats, n * strides[i], n), 0);
        const uint64_t before = seats.looks;
        for (uint32_t n = 1; n <= VIEWS; n++)
            assert_true(seats_find(&seats, &place, n * strides[i]) && place == n);
        assert_true(seats.looks - before < 2ul * VIEWS);
        seats_release(&seats);
    }
}

/* Memory, of which there may be no more. */
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
static bool is_full;

void *__wrap_calloc(size_t count, size_t size)
{
    return is_full ? NULL : __real_calloc(count, size);
}

static void without_memory_all_stay_where_they_are(void **state)
{
    (void)state;
    struct seats seats = {0};
    uint32_t count = 0, place;
    is_full = true;
    assert_int_equal(seats_put(&seats, 1, 1), -ERR_NOMEM);
    assert_false(seats_find(&seats, &place, 1));
    is_full = false;
    assert_int_equal(seats_put(&seats, 1, 1), 0);
    is_full = true;
    for (count = 1; seats_put(&seats, count + 1, count + 1) == 0; count++)
        ;
    assert_true(count > 1 && seats.count == count);
    assert_int_equal(seats_put(&seats, 1, 7), 0); /* has a seat */
    for (uint32_t view = 2; view <= count; view++)
        assert_true(seats_find(&seats, &place, view) && place == view);
    assert_false(seats_find(&seats, &place, count + 1));
    is_full = false;
    assert_int_equal(seats_put(&seats, count + 1, 9), 0);
    assert_true(seats_find(&seats, &place, 1) && place == 7);
    seats_release(&seats);
}

/* Against what is known otherwise, in any order. */
static void seats_are_kept_whoever_goes(void **state)
{
    (void)state;
    enum { IDS = 64 };
    struct seats seats = {0};
    uint32_t known[IDS] = {0}, place, random = 1;
    assert_false(seats_find(&seats, &place, 1));
    seats_remove(&seats, 1);
    for (unsigned i = 0; i < 100000; i++) {
        random = random * 1103515245u + 12345u;
        const uint32_t id = (random >> 16) % IDS, view = 1 + id * 32;
        if (random >> 31) {
            assert_int_equal(seats_put(&seats, view, i), 0);
            known[id] = i + 1;
        } else {
            seats_remove(&seats, view);
            known[id] = 0;
        }
        const uint32_t other = (random >> 8) % IDS;
        const bool is_there = seats_find(&seats, &place, 1 + other * 32);
        assert_true(is_there == (known[other] != 0) && (!is_there || place + 1 == known[other]));
    }
    unsigned count = 0;
    for (unsigned id = 0; id < IDS; id++)
        count += known[id] != 0;
    assert_int_equal(seats.count, count);
    seats_release(&seats);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_commit_that_a_thousand_see, make, end),
        cmocka_unit_test_setup_teardown(a_commit_that_one_of_a_thousand_sees, make, end),
        cmocka_unit_test_setup_teardown(views_that_go, make, end),
        cmocka_unit_test(a_seat_is_found_at_once),
        cmocka_unit_test(without_memory_all_stay_where_they_are),
        cmocka_unit_test(seats_are_kept_whoever_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
