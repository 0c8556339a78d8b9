/*
 * Which nodes of secrets may have pages in a page cache; nodes as the kernel has them (fs/scope.h).
 *
 * A handle of a secret is direct_io, and yet mmap, sendfile, splice and readahead bring its pages
 * in. Such a READ marks its node before it is answered; the notifier sweeps the node (invalidates
 * it) after the answer; when a sweep that began after the last such READ is confirmed, the mark
 * goes. So a mark outlives a server that dies anywhere between, and the next one sweeps what is
 * still marked.
 *
 * Each such READ has a turn, and none the same as another: a sweep names the turn that it covers,
 * and its confirmation removes the mark only if no READ came after it.
 */
#ifndef EMSA_FS_MARK_H
#define EMSA_FS_MARK_H

#include <pthread.h>
#include <stdbool.h>

#include "fs/state.h"

struct marks {
    pthread_mutex_t
        lock; /* over the slots; held for some loads and stores only, never over a call */
    struct state *state;
    uint32_t used; /* how many slots are taken */
    uint32_t turn; /* the last one that was given */
};

/* Counts what a server before left. */
void marks_init(struct marks *marks, struct state *state);
void marks_release(struct marks *marks);

/* Marks a node and returns its turn; 0 when all slots are taken (it is to be swept all the same,
 * and is forgotten if this server dies first). */
uint32_t marks_add(struct marks *marks, uint32_t view, uint64_t node);

/* The node's turn, 0 if it has no mark. */
uint32_t marks_turn(struct marks *marks, uint32_t view, uint64_t node);

/* A sweep of that turn is done. */
void marks_swept(struct marks *marks, uint32_t view, uint64_t node, uint32_t turn);

/* Forgets a view that has ended. */
void marks_drop_view(struct marks *marks, uint32_t view);

/* The first mark in or after slot *at; moves *at behind it. False: no more. */
bool marks_next(struct marks *marks, uint32_t *at, struct mark_slot *out);

#endif
