/*
 * What a thread looked up lately, good until the next commit.
 *
 * Whoever reads a file asks about it two or three times in a row (OPEN, READ, GETATTR), and many
 * files are read again and again while nothing changes. What was found was checked against its
 * hash and copied here, so it stays true exactly as long as the store's stamp stays the same, and
 * answering from it is answering from the store. It is good for views that show the same revision:
 * what is held at one has other files of the same ids. No lock: each thread has its own.
 *
 * A file's entry, the size that its attributes show, and the value if it is small: of a secret as
 * it lies in the store, sealed, and so not of one that is put together from others.
 */
#ifndef EMSA_FS_RECENT_H
#define EMSA_FS_RECENT_H

#include <stddef.h>
#include <stdint.h>

#include "store/snapshot.h"

#define RECENT_SLOTS 256u
#define RECENT_BYTES 512u

struct recent {
    uint64_t node;
    uint64_t stamp; /* of the store, when this was read; 0: nothing is here */
    uint64_t as_of; /* what it was read as of; 0: the newest */
    uint64_t rev;   /* that, or the newest then */
    size_t size;
    size_t held; /* bytes of the value, or of its sealed form; 0: not here */
    struct entry entry;
    unsigned char bytes[RECENT_BYTES];
};

struct recents {
    uint64_t as_of; /* what the view in hand is held at; 0: at nothing */
    struct recent slots[RECENT_SLOTS];
};

/* What is remembered of a file, good until recent_note; NULL: nothing that is still true. */
struct recent *recent_find(struct recents *recents, uint64_t node, uint64_t newest);

/* Remembers what a snapshot shows at a node, in the place of something else; the value is to be
 * added. Good until the next. */
struct recent *recent_note(struct recents *recents, uint64_t node, const struct snapshot *snapshot,
                           const struct entry *entry, size_t size);

/* Adds the value, or its sealed form, if it is small enough. An empty value is not kept. */
void recent_hold(struct recent *recent, const unsigned char *bytes, size_t size);

#endif
