/* What stands at a node, in one snapshot: the only file of fs/ that asks the store about places. */
#ifndef EMSA_FS_TREE_H
#define EMSA_FS_TREE_H

#include "fs/node.h"
#include "fs/step.h"
#include "store/snapshot.h"

struct place { /* what stands at a node */
    enum node_kind kind;
    uint64_t id; /* its node id */
    union {
        struct environment environment;
        struct service service;
        struct entry entry;
    };
};

/* All return 0, NOT_THERE or a failure; *out is set on 0 only. */

int tree_find(struct snapshot *snapshot, struct place *out, uint64_t id);

/* What stood last at the node of a key that was removed: for who holds it open. */
int tree_find_removed(struct snapshot *snapshot, struct place *out, uint64_t id);

/* A name in a directory. NOT_THERE too when the directory itself is gone, or is none. */
int tree_lookup(struct snapshot *snapshot, struct place *out, uint64_t parent, const char *name);

/* Whether a view shows a place that the snapshot has: NOT_THERE where its name is not in step yet.
 */
int tree_shown(struct snapshot *snapshot, const struct place *place, const struct step *step);

/* Where a walk through a directory stands: after the entry called name ("" before the first). */
struct walk {
    struct node directory;
    char name[KEY_NAME_MAX + 1];
};

/* Begins where an offset says (node_offset). NOT_THERE: the directory is gone. */
int walk_begin(struct snapshot *snapshot, struct walk *walk, uint64_t directory, uint64_t offset);

/* The next entry, in byte order, and the offset behind it. NOT_THERE: no more. */
int walk_next(struct snapshot *snapshot, struct walk *walk, struct place *out, uint64_t *offset);

const char *place_name(const struct place *place);

#endif
