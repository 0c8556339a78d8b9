/*
 * The identity of a running daemon, opened by a caller who knows its passphrase. What was opened
 * goes to the supervisor in sealed memory, in the place of the locked file, so that each next
 * server opens secrets without a human: also after a crash, an upgrade or a takeover. That is what
 * it costs: from then on, until the daemon ends, the machine's memory holds what the passphrase
 * guards, and root can find it there. The passphrase itself is kept by nobody.
 */
#ifndef EMSA_TOOLS_EMSAD_UNLOCKING_H
#define EMSA_TOOLS_EMSAD_UNLOCKING_H

#include "store/secret.h"

/* host is a struct host. 1: secrets are open already. ERR_NO_KEY: a wrong passphrase, or one of
 * another store; ERR_NOT_FOUND: the daemon was started without an identity; ERR_BUSY: somebody
 * tries one. Any thread; takes the memory that Argon2id needs. */
int unlocking_open(void *host, const struct secret *passphrase, char *identity);

#endif
