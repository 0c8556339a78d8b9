/* The ring: what is kept, what is counted, what is mended, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/audit/ring.h"

struct world {
    struct audit_ring *ring;
    uint64_t reads, denials, others, rows;
    int refuse; /* of sweep: rows to take before it fails; -1: all */
};

static int begin(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    int fd;
    assert_non_null(world);
    assert_int_equal(audit_ring_create(&fd), 0);
    assert_int_equal(audit_ring_map(&world->ring, fd), 0);
    close(fd);
    world->refuse = -1;
    *state = world;
    return 0;
}

static int end(void **state)
{
    struct world *world = *state;
    audit_ring_unmap(world->ring);
    free(world);
    return 0;
}

static int put(struct world *world, enum audit_kind kind, uint32_t uid, uint64_t name)
{
    struct audit_event event = {
        .time = 1000 + (int64_t)name, .kind = kind, .uid = uid, .environment = 1, .name_id = name};
    return audit_ring_put(world->ring, &event);
}

static void note(struct world *world, const struct audit_event *event)
{
    uint64_t count = event->count == 0 ? 1 : event->count;
    if (event->kind == AUDIT_READ)
        world->reads += count;
    else if (event->kind == AUDIT_DENIED)
        world->denials += count;
    else if (event->kind != AUDIT_NONE)
        world->others += count;
}

static void take_all(struct world *world)
{
    struct audit_event event;
    while (audit_ring_peek(world->ring, &event)) {
        note(world, &event);
        audit_ring_drop(world->ring);
    }
}

static int note_row(void *arg, const struct audit_event *event)
{
    struct world *world = arg;
    if (world->refuse == 0)
        return -1;
    if (world->refuse > 0)
        world->refuse--;
    note(world, event);
    world->rows++;
    assert_true(event->since <= event->time);
    return 0;
}

static void in_order(void **state)
{
    struct world *world = *state;
    struct audit_event event;
    for (uint64_t i = 1; i <= 3; i++)
        assert_int_equal(put(world, AUDIT_READ, 7, i), 0);
    for (uint64_t i = 1; i <= 3; i++) {
        assert_true(audit_ring_peek(world->ring, &event));
        assert_true(audit_ring_peek(world->ring, &event)); /* it stays until it is dropped */
        assert_int_equal(event.name_id, i);
        assert_int_equal(event.uid, 7);
        audit_ring_drop(world->ring);
    }
    assert_false(audit_ring_peek(world->ring, &event));
    audit_ring_drop(world->ring);
    assert_int_equal(put(world, AUDIT_READ, 7, 4), 0);
    assert_true(audit_ring_peek(world->ring, &event));
    assert_int_equal(event.name_id, 4);
}

/* Nobody takes anything out: of 1,000,000 reads of 1,000 things and some denials none is lost. */
static void nothing_lost(void **state)
{
    struct world *world = *state;
    struct audit_ring_status status;
    for (unsigned i = 0; i < 1000000; i++)
        assert_int_equal(put(world, AUDIT_READ, i % 3, i % 1000), 0);
    for (unsigned i = 0; i < 500; i++)
        assert_int_equal(put(world, AUDIT_DENIED, 9, 100000 + i), 0);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(put(world, AUDIT_COMMIT, 9, i), 0);
    audit_ring_status(world->ring, &status);
    assert_int_equal(status.lost, 0);
    assert_true(audit_ring_has_rows(world->ring));
    take_all(world);
    assert_int_equal(audit_ring_sweep(world->ring, note_row, world), 0);
    assert_int_equal(world->reads, 1000000);
    assert_int_equal(world->denials, 500);
    assert_int_equal(world->others, 10);
    /* what is not counted again is free after the next sweep */
    assert_int_equal(audit_ring_sweep(world->ring, note_row, world), 0);
    assert_false(audit_ring_has_rows(world->ring));
}

/* More different ones than there is room for: each user's are still counted. */
static void of_users(void **state)
{
    struct world *world = *state;
    struct audit_ring_status status;
    for (unsigned i = 0; i < 100000; i++)
        assert_int_equal(put(world, AUDIT_DENIED, 4, i), 0);
    assert_int_equal(put(world, AUDIT_DENIED, 5, 1), 0);
    audit_ring_status(world->ring, &status);
    assert_int_equal(status.lost, 0);
    take_all(world);
    assert_int_equal(audit_ring_sweep(world->ring, note_row, world), 0);
    assert_int_equal(world->denials, 100001);
    assert_int_equal(audit_ring_take_lost(world->ring), 0);
}

/* What has no row when there is no place is lost, and said so. */
static void lost(void **state)
{
    struct world *world = *state;
    for (unsigned i = 0; i < AUDIT_RING_PLACES + 5; i++)
        assert_int_equal(put(world, AUDIT_COMMIT, 0, i), 0);
    assert_int_equal(audit_ring_take_lost(world->ring), 5);
    audit_ring_give_back(world->ring, 5);
    assert_int_equal(audit_ring_take_lost(world->ring), 5);
    assert_int_equal(audit_ring_take_lost(world->ring), 0);
    take_all(world);
    assert_int_equal(world->others, AUDIT_RING_PLACES);
}

/* A row that could not be told keeps its number. */
static void kept_rows(void **state)
{
    struct world *world = *state;
    for (unsigned i = 0; i < 100; i++) {
        const struct audit_event event = {.time = 5, .kind = AUDIT_READ, .name_id = i};
        (void)audit_ring_count(world->ring, &event, true);
        assert_true(audit_ring_count(world->ring, &event, true));
    }
    world->refuse = 30;
    assert_int_equal(audit_ring_sweep(world->ring, note_row, world), -1);
    assert_int_equal(world->rows, 30);
    world->refuse = -1;
    assert_int_equal(audit_ring_sweep(world->ring, note_row, world), 0);
    assert_int_equal(world->rows, 100);
    assert_int_equal(world->reads, 200);
}

/* A writer that died between claiming and telling; another one, at making a row. */
static void mended(void **state)
{
    struct world *world = *state;
    struct audit_event event;
    assert_int_equal(put(world, AUDIT_READ, 1, 1), 0);
    atomic_fetch_add(&world->ring->head, 1);
    assert_int_equal(put(world, AUDIT_READ, 1, 2), 0);
    atomic_store(&world->ring->rows[3].word, 1ull << 38);
    take_all(world);
    assert_int_equal(world->reads, 1);
    assert_false(audit_ring_peek(world->ring, &event)); /* it waits for the hole */
    audit_ring_mend(world->ring);
    assert_int_equal(atomic_load(&world->ring->rows[3].word), 0);
    take_all(world);
    assert_int_equal(world->reads, 2);
}

static void *take_one(void *arg)
{
    struct world *world = arg;
    audit_ring_wait(world->ring, -1); /* there is something: at once */
    audit_ring_drop(world->ring);
    return NULL;
}

/* Where it is required a read waits for a place; others never do, and a disk is not waited for. */
static void required(void **state)
{
    struct world *world = *state;
    struct audit_ring_status status;
    pthread_t thread;
    audit_ring_require(world->ring, true);
    for (unsigned i = 0; i < AUDIT_RING_PLACES; i++)
        assert_int_equal(put(world, AUDIT_COMMIT, 0, i), 0);
    for (unsigned i = 0; i < AUDIT_RING_ROWS + AUDIT_RING_SPARE; i++)
        atomic_store(&world->ring->rows[i].word, 2ull << 38 | 1);
    assert_int_equal(put(world, AUDIT_DENIED, 3, 3), 0);
    assert_int_equal(audit_ring_take_lost(world->ring), 1);
    audit_ring_failed(world->ring, 28);
    assert_int_equal(put(world, AUDIT_READ, 3, 3), 0);
    assert_int_equal(audit_ring_take_lost(world->ring), 1);
    audit_ring_wrote(world->ring, 1);
    assert_int_equal(put(world, AUDIT_READ, 3, 3), 1);
    audit_ring_status(world->ring, &status);
    assert_int_equal(status.refused, 1);
    assert_int_equal(status.lost, 0);
    assert_int_equal(pthread_create(&thread, NULL, take_one, world), 0);
    assert_int_equal(put(world, AUDIT_READ, 3, 3), 0);
    pthread_join(thread, NULL);
}

#define WRITERS 4u
#define EACH 100000u

static void *write_many(void *arg)
{
    struct world *world = arg;
    for (unsigned i = 0; i < EACH; i++)
        (void)put(world, i % 50 == 0 ? AUDIT_DENIED : AUDIT_READ, i % 7, i % 400);
    return NULL;
}

/* Writers beside each other and beside who takes out: all is there, once. */
static void beside(void **state)
{
    struct world *world = *state;
    pthread_t threads[WRITERS];
    for (unsigned i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, world), 0);
    for (unsigned i = 0; i < 200; i++) {
        take_all(world);
        assert_int_equal(audit_ring_sweep(world->ring, note_row, world), 0);
    }
    for (unsigned i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    take_all(world);
    assert_int_equal(audit_ring_sweep(world->ring, note_row, world), 0);
    assert_int_equal(audit_ring_take_lost(world->ring), 0);
    assert_int_equal(world->reads + world->denials, WRITERS * EACH);
    assert_int_equal(world->denials, WRITERS * EACH / 50);
}

/* A server that was taken over counts as it likes, and would have who maps the ring find none. */
static void hostile(void **state)
{
    struct world *world = *state;
    int fd;
    assert_int_equal(audit_ring_create(&fd), 0);
    assert_int_not_equal(ftruncate(fd, 0), 0);
    close(fd);
    assert_int_equal(put(world, AUDIT_DENIED, 1, 1), 0);
    take_all(world);
    atomic_store(&world->ring->head, UINT64_MAX);
    audit_ring_mend(world->ring);
    assert_int_equal(audit_ring_take_lost(world->ring), 1);
    assert_int_equal(put(world, AUDIT_DENIED, 1, 2), 0);
    take_all(world);
    assert_int_equal(world->denials, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {TEST(in_order), TEST(nothing_lost), TEST(of_users),
                                       TEST(lost),     TEST(kept_rows),    TEST(mended),
                                       TEST(required), TEST(beside),       TEST(hostile)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
