/*
 * Who the notifier is. What it does to a view on a mount of its own reaches the server as requests
 * like anybody's, which carry the id of the thread that asks. Each lane writes its own here before
 * its first, and what it is about to do before each. Whoever else asks to write is refused.
 *
 * A shared memory of its own, so that the notifier holds none that a server trusts for anything
 * else: the worst that a notifier could do with it is to have names seen too early, which it could
 * do by keeping silent as well. The supervisor makes it, hands it to both, and empties it when a
 * notifier was reaped (another process may be given the same ids).
 */
#ifndef EMSA_FS_ROSTER_H
#define EMSA_FS_ROSTER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define ROSTER_SLOTS 16384u

struct roster_slot {           /* one lane */
    _Atomic uint32_t view;     /* 0: free */
    _Atomic uint32_t tid;      /* as the kernel writes it into requests */
    _Atomic uint64_t node;     /* what it is about to make or remove; 0: nothing */
    _Atomic uint64_t parent;   /* the directory of that */
    _Atomic uint64_t position; /* of that in its step (fs/step.h) */
    _Atomic uint64_t revealed; /* no mount could be had: names up to here are to be seen all the
                                  same, of the step that ends at revision */
    _Atomic uint64_t revision;
};

struct roster {
    struct roster_slot slots[ROSTER_SLOTS];
};

/* A sealed-size memfd, zeroed; the caller closes it. ERR_IO, ERR_NOMEM. */
int roster_create(int *fd);

/* Maps it, to be written by who enters and clears, to be read only by a server. The descriptor
 * stays the caller's. ERR_FORMAT: it is none; ERR_IO. */
int roster_map(struct roster **out, int fd, bool to_write);
void roster_unmap(struct roster *roster);

/* A thread of the notifier enters itself for a view. One of a notifier before it, which nobody
 * could reap, may be at its last deed: waits for it, for a second at most. NULL: there is no room.
 */
struct roster_slot *roster_enter(struct roster *roster, uint32_t view, uint32_t tid);
/* Whoever has the slot now stays, if that is another. NULL is nothing. */
void roster_leave(struct roster_slot *slot, uint32_t tid);

/* The lane of a view, or NULL. roster may be NULL: then there is none. */
const struct roster_slot *roster_find(const struct roster *roster, uint32_t view);

/* Nobody is in it any more. */
void roster_clear(struct roster *roster);

#endif
