/*
 * The ring between those who are watched and the audit process: memory that outlives both. The
 * supervisor makes it, every server writes into it, one audit process at a time takes out of it.
 *
 * Writers never wait and take no lock: a place is claimed by counting up, and is told by its own
 * number when it is whole. While less than half of the ring is taken every event has a place of its
 * own. From there on reads and denials that were seen a short while ago are only counted, in the
 * table beside it, by (kind, door, uid, view, what, revision): the other half is for what is seen
 * for the first time, and for all that is no read. Where even that is taken an event goes into the
 * table at once, with all that it says; where the table is full, into the row of its user, which
 * has the number only; and what finds no row is counted as lost. So no denial and no first read is
 * lost before some 8,000 different ones wait for an audit process that does not come.
 *
 * A writer that dies between claiming and telling leaves a hole: the next server mends it. A server
 * that was taken over can write what it likes into the ring, and so lose or invent events; neither
 * the audit process nor the next server falls over it.
 */
#ifndef EMSA_STORE_AUDIT_RING_H
#define EMSA_STORE_AUDIT_RING_H

#include <stdbool.h>
#include <stddef.h>

#include "store/audit.h"

#define AUDIT_RING_PLACES 8192u
#define AUDIT_RING_ROWS 8192u /* of the table */
#define AUDIT_RING_SPARE 512u /* and more, of users */

struct audit_ring;

/* A memfd of its final size, zeroed; the caller closes it. ERR_IO, ERR_NOMEM. */
int audit_ring_create(int *fd);

/* Maps it. ERR_FORMAT: of a version with another layout; ERR_IO. */
int audit_ring_map(struct audit_ring **out, int fd);
void audit_ring_unmap(struct audit_ring *); /* NULL is allowed */

/* A server that begins: fills the holes of one that died. Nobody else may write meanwhile. */
void audit_ring_mend(struct audit_ring *);

/* Readers are to wait for a place (up to a second, then they are refused) instead of being counted
 * as lost. */
void audit_ring_require(struct audit_ring *, bool is_required);

/* Puts an event in; one without a time gets it. Any thread of the server. 0, or 1: there is no
 * place, and the ring is required: what the event is of must not be done. */
int audit_ring_put(struct audit_ring *, struct audit_event *event);

/* For the audit process, of which there is one at a time. First of all: mends what the one before
 * left. */
void audit_ring_begin(struct audit_ring *);

/* Takes the oldest event out. False: there is none. It stays until audit_ring_drop. */
bool audit_ring_peek(struct audit_ring *, struct audit_event *out);
void audit_ring_drop(struct audit_ring *);

/* Counts an event in the table instead of writing it down. False: it was not seen lately, and is
 * known from now on, where there is room; with is_counted it is counted then (the caller cannot
 * write it down now), else the caller writes it down. */
bool audit_ring_count(struct audit_ring *, const struct audit_event *event, bool is_counted);

/* Calls for each row with a number that is not nought, which is nought then: count, since and time
 * are set. What tells failure (negative) keeps its number and ends it. Rows that counted nothing
 * since the last time are free again. */
int audit_ring_sweep(struct audit_ring *, int (*each)(void *arg, const struct audit_event *event),
                     void *arg);
bool audit_ring_has_rows(const struct audit_ring *);

/* How many were lost since it was asked last. audit_ring_give_back: they could not be told. */
uint64_t audit_ring_take_lost(struct audit_ring *);
void audit_ring_give_back(struct audit_ring *, uint64_t lost);

/* Waits until there is something, or milliseconds are over (-1: for ever), or somebody calls
 * audit_ring_wake. */
void audit_ring_wait(struct audit_ring *, int milliseconds);
void audit_ring_wake(struct audit_ring *);

/* What people are told: any process. */
struct audit_ring_status {
    uint64_t waiting; /* events that are not written down yet, rows too */
    uint64_t written; /* lines, since the daemon began */
    uint64_t counted; /* events that were only counted */
    uint64_t lost;
    uint64_t refused; /* reads, for want of a place (required) */
    uint32_t failing; /* errno of the last line that could not be written; 0: none */
    uint32_t is_required;
    int32_t process; /* the last that took something out; 0: none yet */
    uint32_t sink;   /* where lines go besides, as audit_ring_sent was told */
    uint64_t unsent;
    uint32_t sink_failing;
};
void audit_ring_status(const struct audit_ring *, struct audit_ring_status *out);

/* The audit process says how it fares. */
void audit_ring_wrote(struct audit_ring *, uint64_t lines);
void audit_ring_failed(struct audit_ring *, int errno_value);

/* The same of the second place that lines go to (its own number, tools/emsad/line_sink.h): how many
 * did not get there, and why not the last; 0: it did. */
void audit_ring_sent(struct audit_ring *, uint32_t sink, uint64_t unsent, int errno_value);

#endif
