#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "store/audit/ring.h"
#include "store/error.h"

#define MAGIC 0x3167646172736d65u
#define CACHE_LINE 64u
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) /* a fault in it would end who reads */
#define WAIT_TURNS 1000u /* milliseconds for a place, where it is required */

int audit_ring_create(int *fd)
{
    int made = memfd_create("emsa-audit", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (made < 0)
        return error_system(errno, "cannot make the memory of the audit ring");
    if (ftruncate(made, (off_t)sizeof(struct audit_ring)) < 0 ||
        fcntl(made, F_ADD_SEALS, SEALS) < 0) {
        int error = error_system(errno, "cannot make the memory of the audit ring");
        close(made);
        return error;
    }
    *fd = made;
    return 0;
}

int audit_ring_map(struct audit_ring **out, int fd)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return error_system(errno, "cannot look at the audit ring");
    if (status.st_size != (off_t)sizeof(struct audit_ring))
        return error_set(ERR_FORMAT, "the audit ring is of another version of emsad");
    void *at = mmap(NULL, sizeof(struct audit_ring), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        return error_system(errno, "cannot map the audit ring");
    struct audit_ring *ring = at;
    uint64_t none = 0;
    if (!atomic_compare_exchange_strong(&ring->magic, &none, MAGIC) && none != MAGIC) {
        munmap(at, sizeof(struct audit_ring));
        return error_set(ERR_FORMAT, "the audit ring is of another version of emsad");
    }
    *out = ring;
    return 0;
}

void audit_ring_unmap(struct audit_ring *ring)
{
    if (ring)
        munmap(ring, sizeof(*ring));
}

void audit_ring_mend(struct audit_ring *ring)
{
    uint64_t tail = atomic_load(&ring->tail), head = atomic_load(&ring->head);
    if (head - tail > AUDIT_RING_PLACES) { /* of a server that was taken over: nobody counts so */
        atomic_store(&ring->head, head = tail);
        atomic_fetch_add(&ring->lost, 1);
    }
    for (uint64_t at = tail; at < head; at++) {
        struct ring_place *place = &ring->places[at % AUDIT_RING_PLACES];
        if (atomic_load(&place->number) == at + 1)
            continue;
        place->event.kind = AUDIT_NONE;
        atomic_store(&place->number, at + 1);
    }
    rows_mend(ring, ROW_OF_SERVER);
}

void audit_ring_require(struct audit_ring *ring, bool is_required)
{
    atomic_store(&ring->is_required, is_required);
}

void audit_ring_wake(struct audit_ring *ring)
{
    if (atomic_exchange(&ring->asleep, 0))
        (void)syscall(SYS_futex, &ring->asleep, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* The next place was last in the cache of the audit process's core: it is fetched while the reader
 * is answered, so that the next event need not wait for it. */
static void fetch(const struct ring_place *place)
{
    for (size_t at = 0; at <= offsetof(struct ring_place, event.text); at += CACHE_LINE)
        __builtin_prefetch((const char *)place + at, 1);
}

/* False: that many places are taken already. */
static bool push(struct audit_ring *ring, const struct audit_event *event, uint64_t places)
{
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    do {
        if (head - atomic_load_explicit(&ring->tail, memory_order_acquire) >= places)
            return false;
    } while (!atomic_compare_exchange_weak(&ring->head, &head, head + 1));
    struct ring_place *place = &ring->places[head % AUDIT_RING_PLACES];
    audit_event_copy(&place->event, event);
    atomic_store(&place->number, head + 1);
    if (atomic_load(&ring->asleep))
        audit_ring_wake(ring);
    fetch(&ring->places[(head + 1) % AUDIT_RING_PLACES]);
    return true;
}

static bool is_countable(const struct audit_event *event)
{
    return event->kind == AUDIT_READ || event->kind == AUDIT_DENIED;
}

/* False: it is kept nowhere. */
static bool put_once(struct audit_ring *ring, const struct audit_event *event)
{
    if (push(ring, event, AUDIT_RING_PLACES / 2))
        return true;
    if (!is_countable(event))
        return push(ring, event, AUDIT_RING_PLACES);
    if (row_count(ring, event)) {
        audit_ring_wake(ring);
        return true;
    }
    bool has_place = push(ring, event, AUDIT_RING_PLACES);
    const struct row_make row = {.event = event, .is_counted = !has_place, .maker = ROW_OF_SERVER};
    bool has_row = row_make(ring, &row);
    return has_place || has_row || row_of_user(ring, event, ROW_OF_SERVER);
}

static void stamp(struct audit_event *event)
{
    struct timespec now;
    if (event->time != 0)
        return;
    clock_gettime(CLOCK_REALTIME_COARSE, &now); /* no system call */
    event->time = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int audit_ring_put(struct audit_ring *ring, struct audit_event *event)
{
    stamp(event);
    if (put_once(ring, event))
        return 0;
    /* a place is waited for, and never a disk */
    bool is_required = event->kind == AUDIT_READ && atomic_load(&ring->is_required) &&
                       atomic_load(&ring->failing) == 0;
    for (unsigned turn = 0; is_required && turn < WAIT_TURNS; turn++) {
        (void)poll(NULL, 0, 1);
        if (put_once(ring, event))
            return 0;
    }
    atomic_fetch_add(is_required ? &ring->refused : &ring->lost, 1);
    return is_required;
}

/* The next place, whole; or NULL. */
static struct ring_place *oldest(struct audit_ring *ring)
{
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    struct ring_place *place = &ring->places[tail % AUDIT_RING_PLACES];
    return atomic_load(&place->number) == tail + 1 ? place : NULL;
}

bool audit_ring_peek(struct audit_ring *ring, struct audit_event *out)
{
    const struct ring_place *place = oldest(ring);
    if (place == NULL)
        return false;
    audit_event_copy(out, &place->event);
    return true;
}

void audit_ring_drop(struct audit_ring *ring)
{
    if (oldest(ring))
        atomic_fetch_add(&ring->tail, 1);
}

uint64_t audit_ring_take_lost(struct audit_ring *ring)
{
    return atomic_exchange(&ring->lost, 0);
}

void audit_ring_give_back(struct audit_ring *ring, uint64_t lost)
{
    atomic_fetch_add(&ring->lost, lost);
}

void audit_ring_wait(struct audit_ring *ring, int milliseconds)
{
    struct timespec time = {.tv_sec = milliseconds / 1000,
                            .tv_nsec = (long)(milliseconds % 1000) * 1000000};
    atomic_store(&ring->asleep, 1);
    if (oldest(ring) == NULL)
        (void)syscall(SYS_futex, &ring->asleep, FUTEX_WAIT, 1, milliseconds < 0 ? NULL : &time,
                      NULL, 0);
    atomic_store(&ring->asleep, 0);
}

void audit_ring_wrote(struct audit_ring *ring, uint64_t lines)
{
    atomic_fetch_add(&ring->written, lines);
    atomic_store(&ring->failing, 0);
}

void audit_ring_failed(struct audit_ring *ring, int errno_value)
{
    atomic_store(&ring->failing, (uint32_t)errno_value);
}

void audit_ring_sent(struct audit_ring *ring, uint32_t sink, uint64_t unsent, int errno_value)
{
    atomic_store(&ring->sink, sink);
    atomic_store(&ring->unsent, unsent);
    atomic_store(&ring->sink_failing, (uint32_t)errno_value);
}

void audit_ring_status(const struct audit_ring *ring, struct audit_ring_status *out)
{
    uint64_t tail = atomic_load(&ring->tail);
    *out = (struct audit_ring_status){.waiting = atomic_load(&ring->head) - tail + rows_used(ring),
                                      .written = atomic_load(&ring->written),
                                      .counted = atomic_load(&ring->counted),
                                      .lost = atomic_load(&ring->lost),
                                      .refused = atomic_load(&ring->refused),
                                      .failing = atomic_load(&ring->failing),
                                      .is_required = atomic_load(&ring->is_required),
                                      .process = atomic_load(&ring->process),
                                      .sink = atomic_load(&ring->sink),
                                      .unsent = atomic_load(&ring->unsent),
                                      .sink_failing = atomic_load(&ring->sink_failing)};
}
