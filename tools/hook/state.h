/* What the runtime says of a container that is being made: its state (OCI runtime specification),
 * on standard input, and config.json of its bundle. */
#ifndef EMSA_TOOLS_HOOK_STATE_H
#define EMSA_TOOLS_HOOK_STATE_H

#include <jansson.h>
#include <limits.h>
#include <sys/types.h>

struct state {
    json_t *object;      /* owned */
    json_t *annotations; /* borrowed from it; NULL: there are none */
    pid_t pid;           /* of the container's first process, as this namespace calls it */
    const char *bundle;  /* borrowed from it */
};

/* Reads a state to its end. ERR_INVALID: it is none, or not of a container that is being made here
 * (another stage of hooks: its pid would mean another process); ERR_IO, also when it does not end
 * within ten seconds. state_release in any case. */
int state_read(struct state *out, int fd);
void state_release(struct state *state);

/* The container's root directory, as its first process sees it now: an absolute path. ERR_INVALID,
 * ERR_NOT_FOUND, ERR_IO: config.json does not say it. */
int state_root(const struct state *state, char out[static PATH_MAX]);

#endif
