/* A command that is run for changes: after the first of them, and once more for all that came while
 * it ran; never twice at a time. It is told what changed by its environment:
 *
 *   EMSA_REV        the newest revision
 *   EMSA_FIRST_REV  the oldest one since it was run last
 *   EMSA_PATHS      what changed, each path once, separated by blanks (no name holds one)
 *   EMSA_MORE       1 where that would be too long, and paths are left out
 */
#ifndef EMSA_TOOLS_EMSA_ERRAND_H
#define EMSA_TOOLS_EMSA_ERRAND_H

#include <jansson.h>
#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

struct errand {
    const char *const *words; /* borrowed; ends with NULL; NULL: there is no command */
    const char *store;        /* for $EMSA_STORE of the command, or NULL; borrowed */
    sigset_t mask;            /* signals that the command shall have blocked */
    pid_t pid;                /* 0: it does not run */
    int not_run;              /* the exit status when it could not be run, as env(1) has it */
    uint64_t first_rev, rev;  /* of what is to be told next; 0: nothing is */
    json_t *paths;            /* the same; a set, in the order of the changes */
};

/* Something changed. ERR_NOMEM. */
int errand_add(struct errand *errand, uint64_t rev, const char *path);

/* Runs the command if there is something to tell and it does not run. ERR_NOT_FOUND: there is no
 * such command; ERR_DENIED, ERR_IO: it cannot be run. */
int errand_start(struct errand *errand);

/* After SIGCHLD: whether it has ended is seen, and how, if not well, said on standard error. */
void errand_reap(struct errand *errand);

void errand_release(struct errand *errand);

#endif
