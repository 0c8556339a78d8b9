/*
 * Rows: what happens again and again, counted. The word of a row is, from the top: its turn (24
 * bits, one more at each life), its state (2: free, live, or who is at making it), its number (38).
 * A count is one exchange of the whole word, so it fails where the row has been freed since, or
 * belongs to something else by now.
 */
#include <unistd.h>

#include "store/audit/ring.h"

#define STATE_SHIFT 38
#define TURN_SHIFT 40
#define NUMBER_MASK ((1ull << STATE_SHIFT) - 1)
#define STATE_MASK (3ull << STATE_SHIFT)
#define LIVE (2ull << STATE_SHIFT)
#define PROBES 32u

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 29;
}

static uint64_t hash_text(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash;
}

static void key_of(uint64_t key[static ROW_KEYS], const struct audit_event *event)
{
    key[0] = (uint64_t)event->uid << 32 | (uint64_t)event->kind << 8 | event->door;
    key[1] = (uint64_t)event->view << 32 | event->environment;
    key[2] = event->name_id ^ mix(hash_text(event->text), hash_text(event->method)) ^
             hash_text(event->identity) ^ (uint64_t)event->service << 40;
    key[3] = event->rev;
}

static uint64_t hash_key(const uint64_t key[static ROW_KEYS])
{
    uint64_t hash = 0;
    for (unsigned i = 0; i < ROW_KEYS; i++)
        hash = mix(hash, key[i]);
    return mix(hash, hash >> 32);
}

static bool is_key(const struct ring_row *row, const uint64_t key[static ROW_KEYS])
{
    for (unsigned i = 0; i < ROW_KEYS; i++)
        if (atomic_load_explicit(&row->key[i], memory_order_relaxed) != key[i])
            return false;
    return true;
}

struct region { /* of the table */
    struct ring_row *rows;
    uint64_t count;
};

static struct region common(struct audit_ring *ring)
{
    return (struct region){.rows = ring->rows, .count = AUDIT_RING_ROWS};
}

static struct region spare(struct audit_ring *ring)
{
    return (struct region){.rows = ring->rows + AUDIT_RING_ROWS, .count = AUDIT_RING_SPARE};
}

static bool count_in(struct audit_ring *ring, struct region region, const uint64_t key[ROW_KEYS],
                     const struct audit_event *event)
{
    uint64_t hash = hash_key(key);
    for (unsigned probe = 0; probe < PROBES; probe++) {
        struct ring_row *row = &region.rows[(hash + probe) % region.count];
        uint64_t word = atomic_load(&row->word);
        while ((word & STATE_MASK) == LIVE && is_key(row, key)) {
            if (!atomic_compare_exchange_weak(&row->word, &word, word + 1))
                continue;
            int64_t none = 0;
            atomic_compare_exchange_strong(&row->since, &none, event->time);
            atomic_store(&row->last, event->time);
            atomic_store(&row->pid, event->pid);
            atomic_fetch_add(&ring->counted, 1);
            return true;
        }
    }
    return false;
}

static void fill(struct ring_row *row, const uint64_t key[ROW_KEYS],
                 const struct audit_event *event, bool is_counted)
{
    for (unsigned i = 0; i < ROW_KEYS; i++)
        atomic_store_explicit(&row->key[i], key[i], memory_order_relaxed);
    audit_event_copy(&row->sample, event);
    atomic_store(&row->since, is_counted ? event->time : 0);
    atomic_store(&row->last, event->time);
    atomic_store(&row->pid, event->pid);
}

static uint64_t making(enum row_maker maker)
{
    return (uint64_t)maker << STATE_SHIFT;
}

static bool make_in(struct audit_ring *ring, struct region region, const uint64_t key[ROW_KEYS],
                    const struct row_make *what)
{
    const struct audit_event *event = what->event;
    bool is_counted = what->is_counted;
    uint64_t hash = hash_key(key);
    for (unsigned probe = 0; probe < PROBES; probe++) {
        struct ring_row *row = &region.rows[(hash + probe) % region.count];
        uint64_t word = atomic_load(&row->word);
        if ((word & STATE_MASK) != 0 ||
            !atomic_compare_exchange_strong(&row->word, &word, word | making(what->maker)))
            continue;
        fill(row, key, event, is_counted);
        atomic_store(&row->word, word | LIVE | (is_counted ? 1 : 0));
        atomic_fetch_add(&ring->used, 1);
        if (is_counted)
            atomic_fetch_add(&ring->counted, 1);
        return true;
    }
    return false;
}

bool row_count(struct audit_ring *ring, const struct audit_event *event)
{
    uint64_t key[ROW_KEYS];
    key_of(key, event);
    return count_in(ring, common(ring), key, event);
}

bool row_make(struct audit_ring *ring, const struct row_make *what)
{
    uint64_t key[ROW_KEYS];
    key_of(key, what->event);
    return make_in(ring, common(ring), key, what);
}

bool row_of_user(struct audit_ring *ring, const struct audit_event *event, enum row_maker maker)
{
    uint64_t key[ROW_KEYS];
    struct audit_event of_user = {.time = event->time,
                                  .kind = event->kind,
                                  .uid = event->uid,
                                  .gid = event->gid,
                                  .pid = event->pid,
                                  .text = "*"};
    key_of(key, &of_user);
    return count_in(ring, spare(ring), key, &of_user) ||
           make_in(ring, spare(ring), key,
                   &(struct row_make){.event = &of_user, .is_counted = true, .maker = maker});
}

bool audit_ring_count(struct audit_ring *ring, const struct audit_event *event, bool is_counted)
{
    if (row_count(ring, event))
        return true;
    const struct row_make what = {.event = event, .is_counted = is_counted, .maker = ROW_OF_AUDIT};
    if (row_make(ring, &what))
        return false;
    return is_counted && row_of_user(ring, event, ROW_OF_AUDIT);
}

void audit_ring_begin(struct audit_ring *ring)
{
    rows_mend(ring, ROW_OF_AUDIT);
    atomic_store(&ring->process, (int32_t)getpid());
}

void rows_mend(struct audit_ring *ring, enum row_maker maker)
{
    for (unsigned i = 0; i < AUDIT_RING_ROWS + AUDIT_RING_SPARE; i++) {
        uint64_t word = atomic_load(&ring->rows[i].word);
        if ((word & STATE_MASK) == making(maker))
            atomic_store(&ring->rows[i].word, word & ~STATE_MASK);
    }
}

uint64_t rows_used(const struct audit_ring *ring)
{
    return atomic_load(&ring->used);
}

bool audit_ring_has_rows(const struct audit_ring *ring)
{
    return rows_used(ring) > 0;
}

/* Free again, unless somebody counts just now. */
static void free_row(struct audit_ring *ring, struct ring_row *row, uint64_t word)
{
    uint64_t next = ((word >> TURN_SHIFT) + 1) << TURN_SHIFT;
    if (atomic_compare_exchange_strong(&row->word, &word, next))
        atomic_fetch_sub(&ring->used, 1);
}

/* The number goes only when it has been written down: who dies in between tells it twice, and never
 * not at all. */
static int tell(struct ring_row *row, uint64_t number,
                int (*each)(void *arg, const struct audit_event *event), void *arg)
{
    struct audit_event event;
    audit_event_copy(&event, &row->sample);
    int64_t since = atomic_load(&row->since);
    event.count = number;
    event.time = atomic_load(&row->last);
    event.since = since != 0 ? since : event.time;
    event.pid = atomic_load(&row->pid);
    int error = each(arg, &event);
    if (error < 0)
        return error;
    atomic_store(&row->since, 0);
    atomic_fetch_sub(&row->word, number);
    return 0;
}

int audit_ring_sweep(struct audit_ring *ring, int (*each)(void *arg, const struct audit_event *),
                     void *arg)
{
    for (unsigned i = 0; i < AUDIT_RING_ROWS + AUDIT_RING_SPARE; i++) {
        struct ring_row *row = &ring->rows[i];
        uint64_t word = atomic_load(&row->word);
        if ((word & STATE_MASK) != LIVE)
            continue;
        if ((word & NUMBER_MASK) == 0) {
            free_row(ring, row, word);
            continue;
        }
        int error = tell(row, word & NUMBER_MASK, each, arg);
        if (error < 0)
            return error;
    }
    return 0;
}
