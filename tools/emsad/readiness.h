/*
 * When the daemon is ready, and telling so: its server answers, and the notifier and the audit
 * process are in their sandboxes (the server is, before it opens the store). For that nobody waits
 * longer than a moment: readers are answered already.
 */
#ifndef EMSA_TOOLS_EMSAD_READINESS_H
#define EMSA_TOOLS_EMSAD_READINESS_H

#include "tools/emsad/supervision.h"

/* Attaches the directories of --mount and says that it is ready. ERR_*: what stands in the way of
 * one. */
int readiness_reach(struct supervisor *);

/* The same while it is STARTING, if there is nothing more to wait for. */
void readiness_look(struct supervisor *);

#endif
