/* Asking the server for a view: Mount, at the control socket of a daemon that runs. None is started
 * here: a container that comes before the daemon does not start. */
#ifndef EMSA_TOOLS_HOOK_ASK_H
#define EMSA_TOOLS_HOOK_ASK_H

#include "tools/common/process.h"
#include "tools/hook/wanted.h"

/* A detached mount (the caller's) of what is wanted, with the owner that the process's namespace
 * calls so: mapped where the kernel can, else made for it. store is --store's argument or NULL.
 * ERR_BUSY: nobody answers; what Mount refuses, in the server's words; ERR_IO. */
int ask_mount(int *mount_fd, const char *store, const struct wanted *wanted,
              const struct process *process);

#endif
