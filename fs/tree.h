/* What stands at a node, in one snapshot: the only file of fs/ that asks the store about places. */
#ifndef EMSA_FS_TREE_H
#define EMSA_FS_TREE_H

#include "fs/node.h"
#include "fs/step.h"
#include "store/snapshot.h"

/* What is neither an environment, nor a service, nor a key: in `.emsa` (fs/hidden.h), or a
 * directory of the past (fs/past.h). */
struct corner {
    struct node node;
    int64_t time;                    /* that it shows */
    char name[SERVICE_NAME_MAX + 1]; /* where it was come to by one; else "" */
};

struct place { /* what stands at a node */
    enum node_kind kind;
    uint64_t id; /* its node id */
    union {
        struct environment environment;
        struct service service;
        struct entry entry; /* of a key, and of a past one */
        struct corner corner;
    };
};

/* All return 0, NOT_THERE or a failure; *out is set on 0 only. */

int tree_find(struct snapshot *snapshot, struct place *out, uint64_t id);

/* What stood last at the node of a key that was removed: for who holds it open. left: what the view
 * showed before it was moved to where there is nothing yet; 0: it was not. */
int tree_find_removed(struct snapshot *snapshot, struct place *out, uint64_t id, uint64_t left);

/* A name in a directory, as administrators have it. NOT_THERE too when the directory itself is
 * gone, or is none. */
int tree_lookup(struct snapshot *snapshot, struct place *out, uint64_t parent, const char *name);

/* Whether a view shows a place that the snapshot has: NOT_THERE where its name is not in step yet.
 * is_watched: its directory was there before, and may be watched, however new the store has it. */
int tree_shown(struct snapshot *snapshot, const struct place *place, const struct step *step,
               bool is_watched);

/* Where a walk through a directory stands: after the entry called name ("" before the first). */
struct walk {
    struct node directory;
    char name[KEY_NAME_MAX + 1];
    bool for_consumer; /* false from walk_begin on; whose revisions `.emsa` has (fs/hidden.h) */
};

/* Begins where an offset says (node_offset). NOT_THERE: the directory is gone. */
int walk_begin(struct snapshot *snapshot, struct walk *walk, uint64_t directory, uint64_t offset);

/* The next entry, in byte order, and the offset behind it. NOT_THERE: no more. */
int walk_next(struct snapshot *snapshot, struct walk *walk, struct place *out, uint64_t *offset);

const char *place_name(const struct place *place);

bool place_is_directory(const struct place *place);

/* Whether a name leads to the same place for as long as nobody says otherwise: not so in `.emsa`,
 * where it leads to another one after each change. */
bool place_stays(const struct place *place);

#endif
