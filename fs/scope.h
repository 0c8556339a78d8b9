/*
 * What of the tree a view has: all of it, or one environment, or one service of one.
 *
 * A consumer's view is one of *names*. Its own directories, from its root down to the environment
 * or service that it is of, belong to the view: they stand as long as it does, whether the place is
 * in the store or not (it may come later, go, and come again as another one), and the kernel knows
 * them by numbers of their own. A place that is not there is an empty directory.
 *
 *     wire id   tree                          flat
 *     1         the root                      the environment's or service's directory
 *     2         the environment's directory
 *     3         the service's directory
 *
 * Nothing else is there. So what such directories hold is known without asking the store: a name is
 * compared with the view's own, and what exists elsewhere takes as long as what does not.
 *
 * Every other id that a consumer's kernel sees ("on the wire") is a node id (fs/node.h) enciphered
 * by a keyed permutation of the view's own: node ids are made of the store's numbers, which count
 * up, and would tell how many environments, services and names there are, and since when. It is the
 * inode's number too. So are the offsets of directories (name ids). Numbers of generations are the
 * view's as well. What deciphers to a node that the view does not have is no node at all: handlers
 * see 0, which nothing can have.
 *
 * Within fs/ all ids are node ids, and 1 to 3 for a view's own directories; ids on the wire are
 * those of requests and answers (fs/gate.h) and of what the notifier is told, who knows nothing of
 * this. An administrators' view has node ids on the wire.
 *
 * A consumer's `.emsa` stands in the directory that the view is of (an environment's in its
 * services too) and has the past only as far as the view was given it: every revision, or else
 * those that were the newest of the place within the last minute, for who has just read the name
 * `head`. It has no tags: those are of the whole store. Times and revisions are those of its own
 * values, and move with nothing else; where there are none of its own, the time at which the view
 * was made.
 *
 * A view may be held at a revision (fs/move.h): then the snapshot stands at that one
 * (snapshot_stand), and all here is of it without knowing so, but for what is said where.
 *
 * What a view shows *now* is asked of the store by scope_find, scope_lookup, scope_walk_* and
 * scope_revision alone.
 */
#ifndef EMSA_FS_SCOPE_H
#define EMSA_FS_SCOPE_H

#include <stdatomic.h>

#include "fs/fs.h"
#include "fs/state.h"
#include "fs/tree.h"
#include "store/history.h"

struct scope {
    const struct view_options *options; /* borrowed */
    const struct view_slot *slot;       /* borrowed: how it was moved; NULL: it never is */
    uint32_t generation;                /* of every inode on the wire */
    _Atomic uint32_t service_id;        /* of the service's name, for ever; 0: not known yet */
};

/* options outlive it, and slot does. */
void scope_init(struct scope *out, const struct view_options *options,
                const struct view_slot *slot);

/* NULL is all of it, here and below. */
static inline bool scope_is_all(const struct scope *scope)
{
    return !scope || scope->options->extent == VIEW_ALL;
}

/* Whether options are of a view that can be. ERR_INVALID. */
int scope_check(const struct view_options *options);

/* Ids */

/* What handlers know a node as: the number of a directory of the view's own, or the node. */
uint64_t scope_own(const struct scope *scope, uint64_t node);

/* On the wire. */
uint64_t scope_wire(const struct scope *scope, uint64_t node);
uint64_t scope_offset(const struct scope *scope, uint64_t offset);

/* Back, whether or not the view has it: any number is borne. */
uint64_t scope_decipher(const struct scope *scope, uint64_t wire);
uint64_t scope_offset_back(const struct scope *scope, uint64_t wire);

/* What a deciphered id is in this view: 0 where it has no such node. 0 or a failure of the store.
 * What a view has once, it has for ever: whether anything stands there is another question. */
int scope_admit(const struct scope *scope, struct snapshot *snapshot, uint64_t *node);

/* The tree, as fs/tree.h has it; parent, directory and id may be 1 to 3 */

int scope_find(const struct scope *scope, struct snapshot *snapshot, struct place *out,
               uint64_t id);
int scope_lookup(const struct scope *scope, struct snapshot *snapshot, struct place *out,
                 uint64_t parent, const char *name);
int scope_shown(const struct scope *scope, struct snapshot *snapshot, const struct place *place,
                const struct step *step);

struct scope_walk {
    struct walk walk;
    bool is_own;    /* through a directory that has the next one alone */
    bool is_at_end; /* there is no more */
    uint64_t child; /* of that */
};
int scope_walk_begin(const struct scope *scope, struct snapshot *snapshot, struct scope_walk *walk,
                     uint64_t directory, uint64_t offset);
int scope_walk_next(const struct scope *scope, struct snapshot *snapshot, struct scope_walk *walk,
                    struct place *out, uint64_t *offset);

/* What `..` shows of a directory. */
uint64_t scope_parent(const struct scope *scope, uint64_t id);

/* Whether a name, or that there is none, stays as it is until somebody says otherwise. */
bool scope_stays(const struct scope *scope, const struct place *place);
bool scope_stays_away(const struct scope *scope, uint64_t parent, const char *name);

/* The revision that a view shows. */
uint64_t scope_revision(const struct scope *scope, const struct snapshot *snapshot);

/* What it showed before it was moved last (fs/move.h); 0: it was not. */
uint64_t scope_left(const struct scope *scope);

/* The revision that last changed a directory of a view, as that may know it: a consumer's by what
 * it sees there. NOT_THERE: the place that it is of is not there. */
int scope_changed(const struct scope *scope, struct snapshot *snapshot, uint64_t *rev,
                  const struct place *place);

/* Whether something a view shows may have changed since a revision: false only where surely nothing
 * did. */
bool scope_is_behind(const struct scope *scope, struct snapshot *snapshot, uint64_t rev);

/* What is told */

/* The id of the service's name; 0: it was never used (or the view is of no service). 0 or a
 * failure.
 */
int scope_service(struct scope *scope, struct snapshot *snapshot, uint32_t *id);

/* Whether an outcome is of a directory that belongs to the view: no name comes or goes with it. */
bool scope_is_own(const struct scope *scope, const struct outcome *outcome);

/* A path from the view's root, of a path in the whole tree of something that it has. */
const char *scope_path(const struct scope *scope, const char *path);

#endif
