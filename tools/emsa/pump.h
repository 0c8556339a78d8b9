/* Values on their way out of this process: into a pipe that the other side reads. */
#ifndef EMSA_TOOLS_EMSA_PUMP_H
#define EMSA_TOOLS_EMSA_PUMP_H

#include <pthread.h>
#include <signal.h>

#include "tools/emsa/client.h"

struct pump {
    int read_end;
    int write_end;
    const struct piece *pieces;
    size_t count;
    pthread_t thread;
    bool started;
    struct sigaction
        pipe_action; /* SIGPIPE as it was: a reader that stops early is no death of ours */
};

/* Makes the pipe. ERR_IO. pump_end in any case. */
int pump_begin(struct pump *pump, const struct piece *pieces, size_t count);

/* Writes everything, or as much as the reader wants, and closes the write end. */
void pump_run(struct pump *pump);

/* The same from a thread of its own, for a reader in this process. ERR_IO. */
int pump_start(struct pump *pump);

/* Closes what is open (which ends a thread that still writes) and waits for the thread. */
void pump_end(struct pump *pump);

#endif
