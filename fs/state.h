/* Memory that outlives a server: what open handles are pinned to, which cached pages of secrets are
 * still to be swept, and the revision that the kernels were told of. The supervisor makes it and
 * hands the same to each server it starts; it holds no value and no key. Used by one server at a
 * time. */
#ifndef EMSA_FS_STATE_H
#define EMSA_FS_STATE_H

#include <stdatomic.h>
#include <stdint.h>

/* A sealed-size memfd, zeroed; the caller closes it. ERR_IO, ERR_NOMEM. */
int state_create(int *fd);

/* Inside: what a server sees of it. Private to fs/. */

#define PIN_SLOTS                                                                                  \
    262144u /* open handles on one host: beyond it a handle stays at what it was opened at */
#define MARK_SLOTS 16384u /* nodes of secrets with pages in some page cache at one time */

struct pin_slot {
    _Atomic uint64_t tag; /* fs/pin.c */
    _Atomic uint64_t rev;
};

struct mark_slot {
    uint64_t node; /* 0: free */
    uint32_t view;
    uint32_t turn; /* counts up with each read; a sweep names the turn that it covers */
};

struct state {
    uint64_t magic;
    _Atomic uint64_t
        published; /* every view's kernel was told of all up to here; 0: nothing served yet */
    _Atomic uint32_t
        pin_high;       /* pins from here on were never used (reading them would make pages) */
    uint32_t mark_high; /* and marks from here on are free */
    struct pin_slot pins[PIN_SLOTS];
    struct mark_slot marks[MARK_SLOTS];
};

/* Maps what state_create made. ERR_FORMAT: made by a version with another layout; ERR_IO. */
int state_map(struct state **out, int fd);
void state_unmap(struct state *state);

#endif
