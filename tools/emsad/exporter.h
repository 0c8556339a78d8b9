/*
 * The supervisor's side of the metrics process (tools/emsad/metrics.h): its listening socket, its
 * start, its pairing with each new server, its end. Where --metrics is not given there is none.
 *
 * It is not needed by anybody who reads or changes values: that it fails is logged and tried again,
 * and touches nothing else.
 */
#ifndef EMSA_TOOLS_EMSAD_EXPORTER_H
#define EMSA_TOOLS_EMSAD_EXPORTER_H

#include <stdbool.h>

#include "tools/emsad/child.h"

struct exporter {
    struct child child;
    const char *place; /* as --metrics takes it; borrowed; NULL: there is no such process */
    int self;          /* the supervisor's executable; borrowed */
    int listener;      /* -1: not made yet */
};

#define EXPORTER_INIT                                                                              \
    {                                                                                              \
        .child = CHILD_INIT("metrics"), .self = -1, .listener = -1                                 \
    }

/* Makes the listening socket and starts the process. Fails only where is_first is set (at a
 * daemon's beginning, where somebody sees it); a supervisor that follows another one may find the
 * place taken for a moment, and tries again. As metrics_listen. */
int exporter_begin(struct exporter *, const char *place, int self, bool is_first);

/* Its restart_at has come. */
void exporter_start(struct exporter *);

/* Gives it and the server, which has its store open, a new channel between them; where either is
 * missing, nothing. A server that does not take it: ERR_IO. */
int exporter_pair(struct exporter *, const struct child *server);

/* False: that was not it. */
bool exporter_reaped(struct exporter *, pid_t pid, int wait_status);

/* Has it end: it sees its channel closed. Its place is free when it is reaped. */
void exporter_end(struct exporter *);

#endif
