/*
 * Between the wire and the handlers: the table for libfuse, whose rows turn the id in a request
 * into a node of the view, and the way back. Handlers see node ids alone (and 1 to 3, fs/scope.h):
 * an id that a consumer's view does not have is 0 for them, which nothing has, so none of them can
 * forget to ask whether it may.
 *
 * What an id of the wire is stays so for ever. Each thread remembers some of those that it gave out
 * or was asked about, so that a read deciphers nothing and asks nothing. In an administrators' view
 * all this is a branch.
 */
#ifndef EMSA_FS_GATE_H
#define EMSA_FS_GATE_H

#include "fs/server.h"

/* A node as the kernel of the view in hand is to know it. */
uint64_t gate_out(struct worker *worker, uint64_t node);

#endif
