/*
 * The tree as it was at a revision, below `.emsa/at/`: directories by (whose at/, environment,
 * service, revision), files by the outcome that made them what they are (fs/node.h). It is made
 * from what the store has anyway: a revision that nobody looks at costs nothing, and one that is
 * looked at keeps nothing.
 *
 * Nothing here ever changes, so the kernel may keep all of it, and nobody is told of anything.
 *
 * A list is made in pieces, as every list; what may take long in one is a walk past names that were
 * at other revisions and not at this one, a microsecond or two each.
 */
#ifndef EMSA_FS_PAST_H
#define EMSA_FS_PAST_H

#include "fs/tree.h"

/* All return 0, NOT_THERE or a failure; *out is set on 0 only. */

/* The directory of a revision in at/ of what parent is of. NOT_THERE: no such revision, or there
 * was no such place then. ERR_FULL: no id can hold it. */
int past_enter(struct snapshot *snapshot, struct place *out, const struct node *at, uint64_t rev);

/* A name in a directory of the past. */
int past_lookup(struct snapshot *snapshot, struct place *out, const struct node *parent,
                const char *name);

/* What stands at a node of the past. */
int past_find(struct snapshot *snapshot, struct place *out, const struct node *node, uint64_t id);

/* The next in such a directory, and the id to go on behind (of an environment, service or name). */
int past_next(struct snapshot *snapshot, struct place *out, const struct node *directory,
              const char *after, uint64_t *id);

/* When the commit of node's revision was made. NOT_THERE: there was no such place at it. */
int past_time(struct snapshot *snapshot, int64_t *time, const struct node *node);

/* The failure of what no id can hold. */
int past_too_large(uint64_t rev);

#endif
