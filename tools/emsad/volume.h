/*
 * The volume plugin's process: what docker and podman call to have a service as a volume.
 *
 * May hold: a listening socket that is root's alone, which the supervisor made; one end of some
 * connections over which the server takes calls about volumes, and no others. Runs as nobody.
 * Never: has the store, a key or a mount, sees a value, opens a file, makes a socket or a
 * connection of its own.
 */
#ifndef EMSA_TOOLS_EMSAD_VOLUME_H
#define EMSA_TOOLS_EMSAD_VOLUME_H

/* Runs the role on the channel until the supervisor is gone. Returns the process's exit status. */
int volume_run(int channel);

#endif
