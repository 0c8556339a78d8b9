/*
 * The server: owns the store, holds the keys, answers FUSE and the control socket.
 *
 * May hold: everything that SETUP hands over, and what it opens itself in the store's folder.
 * Never: mounts, makes a socket that leaves the machine, starts a program, looks at another process
 * (sandbox.c). It runs as the store's owner.
 */
#ifndef EMSA_TOOLS_EMSAD_SERVER_H
#define EMSA_TOOLS_EMSAD_SERVER_H

/* Runs the role on the channel until it is told to stop, or the supervisor is gone. Returns the
 * process's exit status. */
int server_run(int channel);

#endif
