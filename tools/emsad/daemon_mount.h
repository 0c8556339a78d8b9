/* What stands behind --mount: a directory, and of what it is. */
#ifndef EMSA_TOOLS_EMSAD_DAEMON_MOUNT_H
#define EMSA_TOOLS_EMSAD_DAEMON_MOUNT_H

#include "tools/emsad/options.h"

/*
 * "DIR": everything; "ENV[/SERVICE]:DIR[,OPTION]...": that part of it, which need not be there. A
 * DIR that is to have a colon in it begins with '/' or '.'; one of a part has no comma in it. The
 * directory points into memory that is never given back. ERR_INVALID, with what is wrong;
 * ERR_NOMEM.
 */
int daemon_mount_parse(struct daemon_mount *out, const char *text);

#endif
