/* A walk over what a snapshot holds beneath a place, in byte order of names, parents before what is
 * in them. It can be taken up again after any place that it gave, so that a long list travels in
 * pieces. */
#ifndef EMSA_TOOLS_SERVICE_WALK_H
#define EMSA_TOOLS_SERVICE_WALK_H

#include "store/name.h"
#include "store/snapshot.h"

struct walk {
    struct snapshot *snapshot;
    enum path_depth scope;          /* what lies beneath this depth of at is given */
    enum path_depth deepest;        /* nothing deeper is */
    struct path at;                 /* the place given last */
    struct environment environment; /* as far as at goes */
    struct service service;
    struct entry entry;
    bool only_itself; /* the scope is a key */
};

/* after, when it is not the root, is the place to go on after, and must lie in the scope; it need
 * not be there any more. ERR_NOT_FOUND: the scope is not there; ERR_INVALID. */
int walk_start(struct walk *walk, struct snapshot *snapshot, const struct path *scope,
               enum path_depth deepest, const struct path *after);

/* The next place; path_depth(&walk->at) says what it is. NOT_THERE past the last. */
int walk_step(struct walk *walk);

/* The environment or service that was given last is passed by: nothing in it is given. */
void walk_pass(struct walk *walk);

#endif
