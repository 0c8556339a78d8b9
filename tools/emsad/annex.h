/*
 * The supervisor's side of a process beside the server that strangers speak to: metrics
 * (tools/emsad/metrics.h), volume (tools/emsad/volume.h). Its listening socket, its start, its
 * pairing with each new server, its end. Where its option is not given there is none.
 *
 * It is not needed by anybody who reads or changes values: that it fails is logged and tried again,
 * and touches nothing else.
 */
#ifndef EMSA_TOOLS_EMSAD_ANNEX_H
#define EMSA_TOOLS_EMSAD_ANNEX_H

#include <stdbool.h>

#include "tools/emsad/channel.h"
#include "tools/emsad/child.h"

struct annex_kind {
    int (*listen)(int *out, const char *place);
    void (*hide)(const char *place);
    enum channel_kind pairs; /* the message that brings an end of a pair, or of several */
    int type;                /* of the pairs' sockets */
    unsigned count;
};

extern const struct annex_kind annex_metrics, annex_volume;

struct annex {
    const struct annex_kind *kind;
    struct child child;
    const char *place; /* as the option takes it; borrowed; NULL: there is no such process */
    int self;          /* the supervisor's executable; borrowed */
    int listener;      /* -1: not made yet */
    unsigned soon;     /* times that it is to be tried again at once, and nothing said of it */
};

#define ANNEX_INIT(which, role)                                                                    \
    {                                                                                              \
        .kind = (which), .child = CHILD_INIT(role), .self = -1, .listener = -1                     \
    }

/* Makes the listening socket and starts the process. Fails only where is_first is set (at a
 * daemon's beginning, where somebody sees it); a supervisor that follows another one may find the
 * place taken for a moment, and tries again. As the kind's listen. */
int annex_begin(struct annex *, const char *place, int self, bool is_first);

/* Its restart_at has come. */
void annex_start(struct annex *);

/* Gives it and the server new channels between them; where either is missing, nothing. A server
 * that does not take it: ERR_IO. */
int annex_pair(struct annex *, const struct child *server);

/* Takes what it has said; true: it wants to be paired anew. */
bool annex_listen(struct annex *);

/* False: that was not it. */
bool annex_reaped(struct annex *, pid_t pid, int wait_status);

/* Has it end: it sees its channel closed. Its place is free when it is reaped. */
void annex_end(struct annex *);

#endif
