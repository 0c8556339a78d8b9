#include "fs/seat.h"

#include <stdlib.h>

#include "store/error.h"

#define CAPACITY_FIRST 32u

/* Where a view is looked for first. Ids count up, and are spread by the upper half of a product. */
static uint32_t home(const struct seats *seats, uint32_t view)
{
    const uint64_t product = (uint64_t)view * 0x9E3779B97F4A7C15u;
    return (uint32_t)(product >> 32) & (seats->capacity - 1);
}

static uint32_t next(const struct seats *seats, uint32_t at)
{
    return (at + 1) & (seats->capacity - 1);
}

/* The view's seat, or the free one that it would have. There is always a free one. */
static struct seat *seat_of(struct seats *seats, uint32_t view)
{
    uint32_t at = home(seats, view);
    for (;; at = next(seats, at)) {
        seats->looks++;
        if (!seats->items[at].view || seats->items[at].view == view)
            return &seats->items[at];
    }
}

static int grow(struct seats *seats)
{
    struct seats larger = {.capacity = seats->capacity ? 2 * seats->capacity : CAPACITY_FIRST,
                           .count = seats->count,
                           .looks = seats->looks};
    larger.items = calloc(larger.capacity, sizeof(struct seat));
    if (!larger.items)
        return error_set(ERR_NOMEM, "no memory for a view");
    for (uint32_t i = 0; i < seats->capacity; i++)
        if (seats->items[i].view)
            *seat_of(&larger, seats->items[i].view) = seats->items[i];
    free(seats->items);
    *seats = larger;
    return 0;
}

int seats_put(struct seats *seats, uint32_t view, uint32_t place)
{
    uint32_t was;
    const bool is_there = seats_find(seats, &was, view);
    const int error = !is_there && 2 * (seats->count + 1) > seats->capacity ? grow(seats) : 0;
    if (error)
        return error;
    *seat_of(seats, view) = (struct seat){.view = view, .place = place};
    seats->count += !is_there;
    return 0;
}

bool seats_find(struct seats *seats, uint32_t *place, uint32_t view)
{
    if (!seats->capacity)
        return false;
    const struct seat *seat = seat_of(seats, view);
    if (!seat->view)
        return false;
    *place = seat->place;
    return true;
}

/* Those behind a seat that became free are sat anew, up to the next free one: none of them may have
 * a free one between itself and where it is looked for first. */
void seats_remove(struct seats *seats, uint32_t view)
{
    uint32_t place;
    if (!seats_find(seats, &place, view))
        return;
    struct seat *seat = seat_of(seats, view);
    *seat = (struct seat){0};
    seats->count--;
    uint32_t at = next(seats, (uint32_t)(seat - seats->items));
    for (; seats->items[at].view; at = next(seats, at)) {
        const struct seat moved = seats->items[at];
        seats->items[at] = (struct seat){0};
        *seat_of(seats, moved.view) = moved;
    }
}

void seats_release(struct seats *seats)
{
    free(seats->items);
    *seats = (struct seats){0};
}
