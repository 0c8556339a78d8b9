/*
 * The supervisor: what emsad is to whoever starts it.
 *
 * May hold: root; the owner lock, the listening socket, every /dev/fuse descriptor with its INIT,
 * the memory that outlives a server, the identity (sealed, unread). Never: opens LMDB, parses what
 * came from outside, has a mapping of a key, answers a reader or a caller.
 */
#ifndef EMSA_TOOLS_EMSAD_SUPERVISOR_H
#define EMSA_TOOLS_EMSAD_SUPERVISOR_H

#include "tools/emsad/options.h"

/* Runs until it is told to end, or cannot begin. Returns the process's exit status. */
int supervisor_run(const struct daemon_options *options);

#endif
