/* What the server knows of itself, for people: as members of the Status reply. The numbers that
 * outlive a server are in the shared memory (struct state_figures, struct state_times): the
 * supervisor and the threads that tell kernels count there. */
#ifndef EMSA_TOOLS_EMSAD_FIGURES_H
#define EMSA_TOOLS_EMSAD_FIGURES_H

#include <jansson.h>
#include <sys/types.h>

#include "fs/fs.h"

/* Adds views, readers, requests, restarts, pauses and times to a reply; times are nanoseconds.
 * ERR_NOMEM. */
int figures_add(json_t *reply, struct fs *fs);

/* The pid, or 0 if no such process is left. */
pid_t figures_living(pid_t pid);

#endif
