/*
 * A directory that is to be mounted on, before that: it holds one file, which says so, and nobody
 * but root can look into it. So no service that comes too early takes it for its configuration.
 */
#ifndef EMSA_TOOLS_COMMON_UNMOUNTED_H
#define EMSA_TOOLS_COMMON_UNMOUNTED_H

#include <stdbool.h>

#define UNMOUNTED_FILE "EMSA_NOT_MOUNTED"

/* Makes such a directory of a name in an open folder, or makes one of it that is there and empty,
 * or is one. path is for messages. ERR_REFUSED: there is something else in it; ERR_INVALID: it is
 * no directory; ERR_NOT_FOUND, ERR_DENIED, ERR_IO. */
int unmounted_make(int folder, const char *name, const char *path);

/* Removes one that was made so, and is nothing else; what cannot be removed stays. */
void unmounted_remove(int folder, const char *name);

/* What is in a directory, beside that file: 0: nothing; 1: something; 2: it cannot be looked at. */
int unmounted_look(const char *path);

#endif
