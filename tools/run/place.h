/*
 * Where a service's values stand: the directory of a view, or the only service of the only
 * environment in it. That a view is there is not taken for granted: a directory that was meant to
 * be mounted over and was not would give a command that runs on nothing.
 */
#ifndef EMSA_TOOLS_RUN_PLACE_H
#define EMSA_TOOLS_RUN_PLACE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define PLACE_HEAD_MAX 64

struct place {
    int fd;              /* of the service's directory (O_PATH); -1: none */
    dev_t device;        /* which mount it was */
    char path[PATH_MAX]; /* the same directory, for messages and watches */
};

#define PLACE_INIT                                                                                 \
    {                                                                                              \
        .fd = -1                                                                                   \
    }

/* Opens the service's directory in or below a directory. RUN_REFUSED, with what is wrong said
 * unless is_quiet: nothing is mounted, the mount is dead or no view of emsa, or it is of more or
 * less than one service. */
int place_open(struct place *out, const char *directory, bool is_quiet);
void place_close(struct place *place);

/* What `.emsa/head` leads to: another text after each change of the service's values. -1 with
 * errno. */
int place_head(const struct place *place, char out[static PLACE_HEAD_MAX]);

#endif
