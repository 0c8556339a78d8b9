/*
 * Which place of an array a view has: found by its id in a time that does not depend on how many
 * views there are, since every confirmation of each of a thousand asks.
 *
 * No locks in here: the caller's.
 */
#ifndef EMSA_FS_SEAT_H
#define EMSA_FS_SEAT_H

#include <stdbool.h>
#include <stdint.h>

struct seat {
    uint32_t view; /* 0: free */
    uint32_t place;
};

struct seats {          /* zero is empty */
    struct seat *items; /* owned */
    uint32_t capacity;  /* a power of two, at least twice the count; or 0 */
    uint32_t count;
    uint64_t looks; /* how many items were ever looked at: what it costs, counted */
};

/* Gives a view (no 0) a place, also one that has another. ERR_NOMEM: it has what it had. */
int seats_put(struct seats *seats, uint32_t view, uint32_t place);

/* False: it has none; *place untouched. */
bool seats_find(struct seats *seats, uint32_t *place, uint32_t view);

/* A view that has none is fine. */
void seats_remove(struct seats *seats, uint32_t view);

void seats_release(struct seats *seats);

#endif
