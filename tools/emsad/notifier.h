/*
 * The notifier's process: the loop around fs/notifier.h.
 *
 * May hold: the /dev/fuse descriptors, for writing invalidations; root's way past file modes.
 * Never: opens the store, holds a key, answers a request.
 */
#ifndef EMSA_TOOLS_EMSAD_NOTIFIER_H
#define EMSA_TOOLS_EMSAD_NOTIFIER_H

/* Runs the role on the channel until the supervisor is gone. Returns the process's exit status. */
int notifier_run(int channel);

#endif
