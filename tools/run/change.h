/*
 * How a change is noticed: an inotify watch on the service's directory, and, since a mount may die
 * and be followed by another in its place, the mount table (which wakes whoever polls it). Nothing
 * is looked at until one of them says so. Events come in number, a commit's: what counts is whether
 * `.emsa/head` leads elsewhere by then.
 */
#ifndef EMSA_TOOLS_RUN_CHANGE_H
#define EMSA_TOOLS_RUN_CHANGE_H

#include <poll.h>
#include <stdbool.h>
#include <sys/types.h>

#include "tools/run/place.h"

struct change {
    const char *directory; /* borrowed */
    int inotify;
    int watch;    /* -1: there is nothing to watch just now */
    int table;    /* the mount table; -1: this container shows none */
    dev_t device; /* of the mount that is watched */
    bool is_gone; /* that there is no view was told */
};

#define CHANGE_INIT                                                                                \
    {                                                                                              \
        .inotify = -1, .watch = -1, .table = -1                                                    \
    }

#define CHANGE_POLLS 2

/* Watches the place, which is in or below the directory. RUN_REFUSED, with what is wrong said. */
int change_begin(struct change *out, const char *directory, const struct place *place);
void change_end(struct change *change);

/* What to poll for; a descriptor is -1 where there is none. */
void change_polls(const struct change *change, struct pollfd out[static CHANGE_POLLS]);

/* After a poll: true: the place is to be looked at again, and *out is it, opened, to be closed by
 * the caller. A mount that is gone is told of once, and is no reason to end. */
bool change_look(struct change *change, const struct pollfd polls[static CHANGE_POLLS],
                 struct place *out);

#endif
