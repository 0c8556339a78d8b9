/* The system call filters of a process (sandbox.c says why they are as they are). */
#ifndef EMSA_TOOLS_EMSAD_FILTER_H
#define EMSA_TOOLS_EMSAD_FILTER_H

#include "tools/emsad/calls.h"

/* For good, for this thread and those that it starts: what calls.h has for the role is allowed, the
 * rest does not exist (ENOSYS) and is told to the kernel's log, and what only an attacker calls
 * ends the process. Where the kernel has no filters, a warning in the log and 0. No_new_privs must
 * be set. ERR_NOMEM, ERR_IO. */
int filter_enter(enum calls_role role);

/* For the supervisor: what it never does on any version fails (EPERM). It is no list of what is
 * allowed: children inherit it, and so does the next binary of an upgrade, which may call what this
 * one does not know. ERR_IO. */
int filter_supervisor(void);

#endif
