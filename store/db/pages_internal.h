/* The walk over the pages of the file, for pages.c and whole_look.c. */
#ifndef EMSA_STORE_DB_PAGES_INTERNAL_H
#define EMSA_STORE_DB_PAGES_INTERNAL_H

#include <lmdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "store/db/env.h"

struct pages {          /* of the newest transaction; all threads' */
    unsigned char *map; /* read only */
    size_t page;
    uint64_t count, last;          /* pages of the file; the last that is in use */
    uint64_t main_root, free_root; /* the trees of trees and of what is free */
    void *memory;
    _Atomic unsigned char *seen; /* in it, a bit for each */
    const char *why;             /* its head is not right */
};

struct pages_range { /* of keys: low <= key < high; without data: no bound */
    MDB_val low, high;
};

struct pages_tree { /* a record of the tree of trees, as LMDB has it */
    uint64_t root, entries;
    unsigned flags;
};

struct pages_walk { /* one thread's */
    struct pages *pages;
    /* The keys are looked at, too: each page's ascend and lie in its range, so that whoever looks
     * for one finds it. Not for the tree of what is free, whose keys are numbers. */
    bool is_ordered;
    bool is_again; /* a tree is walked over that was before */
    bool is_endless;
    const char *why; /* the first thing that is wrong; it is walked on all the same, wherever LMDB
                        would go */
    unsigned depth;
    /* What is done with each record of a leaf: its flags (NODE_*), and its data. */
    void (*visit)(struct pages_walk *, unsigned flags, MDB_val key, MDB_val data);
    /* Whether a page that is pointed to is left to somebody else; NULL: none is. */
    bool (*leave)(struct pages_walk *, uint64_t number, const struct pages_range *range);
};

#define NODE_BIG 0x01u
#define NODE_TREE 0x02u
#define PAGES_NONE UINT64_MAX /* the root of a tree without records */

/* Maps the file; it is read inside of a guard from here on. ERR_IO, ERR_NOMEM. */
int pages_open(struct pages *out, struct env *env);
void pages_close(struct pages *pages);

/* Finds the newest head, or says why there is none in pages->why. */
void pages_find_head(struct pages *pages);

/* Each page of the subtree at number, which has the keys of the range. */
void pages_walk(struct pages_walk *walk, uint64_t number, const struct pages_range *range);

/* The tree of what is free, and what it says is free; after all other trees. */
void pages_walk_free(struct pages_walk *walk);

void pages_wrong(struct pages_walk *walk, const char *why);

/* How many pages there are beneath this one on the way to a leaf, by the first of each; an estimate
 * of what may be damaged. */
unsigned pages_height(const struct pages *pages, uint64_t number);

/* False: it is no such record. */
bool pages_tree(struct pages_tree *out, unsigned flags, MDB_val data);

/* Whether a key stands behind another one in LMDB's order. */
static inline bool pages_is_after(MDB_val key, MDB_val before)
{
    const size_t least = key.mv_size < before.mv_size ? key.mv_size : before.mv_size;
    const int order = least ? memcmp(key.mv_data, before.mv_data, least) : 0;
    return order > 0 || (order == 0 && key.mv_size > before.mv_size);
}

#endif
