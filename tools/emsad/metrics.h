/*
 * The metrics' process: GET /metrics over HTTP.
 *
 * May hold: a listening socket, which the supervisor made; one end of a socket whose other end
 * writes the metrics down (the server). Runs as nobody. Never: has the store, a key or a mount,
 * opens a file, makes a socket or a connection of its own.
 */
#ifndef EMSA_TOOLS_EMSAD_METRICS_H
#define EMSA_TOOLS_EMSAD_METRICS_H

/* Runs the role on the channel until the supervisor is gone. Returns the process's exit status. */
int metrics_run(int channel);

#endif
