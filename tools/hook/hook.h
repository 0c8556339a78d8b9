/* All of the hook, for a container of which the runtime tells. */
#ifndef EMSA_TOOLS_HOOK_HOOK_H
#define EMSA_TOOLS_HOOK_HOOK_H

/* Reads the container's state from state_fd and puts the view that it wants into it. store is
 * --store's argument or NULL. 1: it wants none. Whatever fails is a reason not to start it. */
int hook_run(int state_fd, const char *store);

#endif
