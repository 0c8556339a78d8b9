/* An identity: who may open secrets (X25519) and who wrote (Ed25519). Both pairs come from one
 * 32-byte seed, so that one short thing is kept, sealed, printed or split. */
#ifndef EMSA_STORE_IDENTITY_H
#define EMSA_STORE_IDENTITY_H

#include <stddef.h>

struct identity; /* private parts in the locked arena (store/secret.h) */

/* "emsa1" and 64 hex digits each of both public keys, and the NUL */
#define IDENTITY_TEXT_MAX 160

/* A new random identity. Owned by the caller: identity_free. ERR_NOMEM. */
int identity_new(struct identity **out);

/* Wipes and frees. NULL is allowed. */
void identity_free(struct identity *identity);

/* Writes the identity to a new file, mode 0600, and makes it durable (file and folder). ERR_REFUSED
 * when the file exists (an identity is never overwritten), ERR_IO, ERR_FULL, ERR_DENIED; nothing is
 * left behind on failure. */
int identity_write(const struct identity *identity, const char *path);

/* Reads an identity from an open descriptor, which stays open; the path is for messages only.
 * ERR_NO_KEY if the content is no identity, ERR_FORMAT if it is of a newer form, ERR_IO. */
int identity_read(struct identity **out, int fd, const char *path);

/* Opens the file, for identity_read; the descriptor is the caller's. Never waits. ERR_NOT_FOUND,
 * ERR_DENIED; ERR_REFUSED when group or others may read it, and when it is no file. */
int identity_open(int *fd, const char *path);

/* identity_open and identity_read. */
int identity_load(struct identity **out, const char *path);

/* The public text of an identity, for grants and messages. */
void identity_public(const struct identity *identity, char text[static IDENTITY_TEXT_MAX]);

#endif
