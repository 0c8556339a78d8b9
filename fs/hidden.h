/*
 * The hidden directory `.emsa`, in every directory of places: never listed, always there to be
 * entered. What it holds is one row each in hidden.c.
 *
 *     rev     the revision that last changed anything here (of the root: the newest; for a
 *             consumer: anything that it sees)
 *     env     a service's variables, for whoever reads such files        } as of that revision:
 *     json    a service's values, all of them                            } store/render.h
 *     head    a link to at/ and that revision
 *     at/     every revision, as directories by number (fs/past.h), and every tag, as a link to one
 *             of those. It lists nothing: a walk through all that ever was would be nobody's wish
 *
 * rev, env, json and head are nodes of a revision (fs/node.h), and their names are looked up at
 * every open: so one open is one snapshot, with its own exact size, for as long as it is held.
 *
 * There is no env or json of an environment or of the root: their work would be bounded by nothing,
 * and a request must not take long.
 */
#ifndef EMSA_FS_HIDDEN_H
#define EMSA_FS_HIDDEN_H

#include "fs/tree.h"

#define HIDDEN_NAME ".emsa"

/* All return 0, NOT_THERE or a failure; *out is set on 0 only. */

/* The hidden directory of a directory of places. */
int hidden_of(struct snapshot *snapshot, struct place *out, const struct node *directory);

/* Whose revisions those are that say when a directory last changed: administrators have that of
 * anything done in it, consumers that of what they see in it. */
enum hidden_for { HIDDEN_FOR_ALL, HIDDEN_FOR_CONSUMER };

/* A name in `.emsa` or in at/. ERR_FULL: there is that revision, and no id for it. */
int hidden_lookup(struct snapshot *snapshot, struct place *out, const struct node *parent,
                  const char *name, enum hidden_for whom);

/* The revision that last changed the directory that `.emsa` or at/ is of. */
int hidden_revision(struct snapshot *snapshot, uint64_t *rev, const struct node *node,
                    enum hidden_for whom);

/* The revision that a name in at/ says; false: it is none. */
bool hidden_parse_revision(uint64_t *rev, const char *name);

/* What stands at a node that is `.emsa`, at/, a text or a link. */
int hidden_find(struct snapshot *snapshot, struct place *out, const struct node *node, uint64_t id);

/* The next name in such a directory, and the id of its place in the list, from 1 on. */
int hidden_next(struct snapshot *snapshot, struct place *out, const struct node *directory,
                const char *after, uint64_t *id, enum hidden_for whom);
/* The name that has this place. */
int hidden_name(char name[static KEY_NAME_MAX + 1], uint64_t id);

/* Where a link leads. */
#define HIDDEN_LINK_MAX 32
size_t hidden_target(char out[static HIDDEN_LINK_MAX], const struct node *node);

#endif
