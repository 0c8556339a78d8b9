/*
 * Key material that comes back without a human. The supervisor has the identity copied, by the
 * kernel, into sealed memory of its own: it reads nothing of it and maps nothing, and holds only
 * the descriptor. So each next server, also after an upgrade or a takeover, opens secrets, whatever
 * has become of the file: a credential of systemd's, a disk that is gone, a file that was wiped.
 * While a server lives it keeps the memory locked; between two, for some milliseconds, it is what
 * any memory is.
 */
#ifndef EMSA_TOOLS_EMSAD_KEY_H
#define EMSA_TOOLS_EMSAD_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/common/place.h"

/* What the credential is called where no other name is given. */
#define KEY_CREDENTIAL "emsa-identity"

/* Names the identity that systemd passed, if it did: name in $CREDENTIALS_DIRECTORY. NULL is the
 * usual one, which need not be there, and which $EMSA_IDENTITY comes before. ERR_NOT_FOUND: no such
 * credential; ERR_INVALID. */
int key_find(struct place_of_store *place, const char *name);

/* Where the identity's key file is: as named, else $EMSA_IDENTITY_KEY, else the credential
 * KEY_FILE_CREDENTIAL, where there is one. 1: none was named; ERR_INVALID. */
#define KEY_FILE_CREDENTIAL "emsa-identity-key"
int key_find_key(char out[static PATH_MAX], const char *named);

/* Sealed memory with such content, the caller's. ERR_IO, ERR_FULL. */
int key_make(int *fd, const void *data, size_t size);

/* Whether it is such memory, which nobody can change any more. */
bool key_is_sealed(int fd);

/* Puts a sealed copy in place of an open file; on failure that stays. ERR_IO, ERR_INVALID: too
 * large to be an identity. */
int key_seal(int *fd);

/* For a server: keeps what is behind fd locked in memory for as long as this process lives. What
 * cannot be locked is not. */
void key_hold(int fd);

#endif
