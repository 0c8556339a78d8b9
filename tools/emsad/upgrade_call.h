/* `emsad upgrade`: asks the daemon of a store to take the binary that now lies at its path, and
 * waits until that has proved itself, or not. */
#ifndef EMSA_TOOLS_EMSAD_UPGRADE_CALL_H
#define EMSA_TOOLS_EMSAD_UPGRADE_CALL_H

#include <stdbool.h>

/* Prints how long readers waited. ERR_NOT_FOUND: no daemon; ERR_DENIED; ERR_BUSY: one is under way,
 * or there is no supervisor; ERR_IO: the binary from before serves again. */
int upgrade_call(const char *store);

#endif
