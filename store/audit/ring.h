/* The inside of the ring: its layout, and the rows of its table (rows.c). */
#ifndef EMSA_STORE_AUDIT_RING_INSIDE_H
#define EMSA_STORE_AUDIT_RING_INSIDE_H

#include <stdatomic.h>

#include "store/audit_ring.h"

struct ring_place {
    _Atomic uint64_t number; /* one more than the count of those before it, when it is whole */
    struct audit_event event;
};

#define ROW_KEYS 4

/* One thing by one user that happened again and again. A row is made by whoever claims it, counted
 * by anybody, and freed by the audit process alone, while its number is nought: all of that by one
 * word, so that no count goes to what a row was before. */
struct ring_row {
    _Atomic uint64_t word;          /* rows.c */
    _Atomic uint64_t key[ROW_KEYS]; /* what it counts */
    _Atomic int64_t since, last;
    _Atomic int32_t pid;       /* of the last */
    struct audit_event sample; /* written before it is told, and not after */
};

struct audit_ring {
    _Atomic uint64_t magic;
    _Alignas(64) _Atomic uint64_t head; /* events so far */
    _Alignas(
        64) _Atomic uint64_t tail; /* of them, taken out; the audit process's, as what follows */
    _Atomic uint64_t unsent;
    _Atomic uint32_t sink, sink_failing;
    _Alignas(64) _Atomic uint32_t asleep;
    _Atomic uint32_t is_required;
    _Atomic uint32_t failing;
    _Atomic int32_t process;
    _Atomic uint64_t written, counted, lost, refused;
    _Atomic uint64_t used; /* rows */
    _Alignas(64) struct ring_place places[AUDIT_RING_PLACES];
    struct ring_row rows[AUDIT_RING_ROWS + AUDIT_RING_SPARE];
};

/* False: there is no row of it. */
bool row_count(struct audit_ring *, const struct audit_event *event);

enum row_maker { ROW_OF_SERVER = 1, ROW_OF_AUDIT = 3 };

struct row_make {
    const struct audit_event *event;
    bool is_counted; /* its number is 1, else nought */
    enum row_maker maker;
};

/* Makes one. False: there is no room. */
bool row_make(struct audit_ring *, const struct row_make *what);

/* The row that counts all of a kind that a user did. False: there is no room. */
bool row_of_user(struct audit_ring *, const struct audit_event *event, enum row_maker maker);

/* Frees what a dead maker had in its hands. */
void rows_mend(struct audit_ring *, enum row_maker maker);

uint64_t rows_used(const struct audit_ring *);

#endif
