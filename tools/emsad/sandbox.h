/* What a child of the supervisor may still do. Each step is one-way. */
#ifndef EMSA_TOOLS_EMSAD_SANDBOX_H
#define EMSA_TOOLS_EMSAD_SANDBOX_H

#include <sys/types.h>

#include "tools/emsad/calls.h"

/* For the supervisor, and thus for all that it starts: no program gives it new privileges, and
 * calls that it never makes fail. It mounts, starts processes and changes user, so more is not to
 * be had. ERR_IO, ERR_DENIED: it goes on without. */
int sandbox_supervisor(void);

/* For the server, while it has one thread: becomes uid and gid for good if it is root (and they are
 * another's), keeps no capability, reads and writes no folder but the store's, and makes no call
 * but those of calls.c. ERR_DENIED, ERR_IO: it must end. */
int sandbox_server(uid_t uid, gid_t gid, const char *store);

/* For the notifier: root without any capability but those with which it passes by file modes
 * (CAP_DAC_OVERRIDE, CAP_FOWNER), and without any folder: it reaches no file but on the mounts of
 * views that it is handed. */
int sandbox_notifier(void);

/* For a process beside the server (annex.h): nobody, if it is root; it opens no file and makes no
 * socket, connection or listener; it takes clients from the listener that it is given. */
int sandbox_annex(enum calls_role role);

/* For the audit process, while it has one thread: becomes the store's owner as the server does, and
 * keeps no capability; it opens files of its folder (which is made, if it is not there), and reads
 * of /proc. look is called in between, when there is nothing left to give up but what its thread
 * (sandbox_look) needs; NULL: there is none. */
int sandbox_audit(uid_t uid, gid_t gid, const char *folder, int (*look)(void));

/* For the one thread that calls it: CAP_SYS_PTRACE, if the process has it, and no call but readlink
 * and what a thread lives by (audit_look.h). */
int sandbox_look(void);

#endif
