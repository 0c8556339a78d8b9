/* An identity: who may open secrets (X25519) and who wrote (Ed25519). Both pairs come from one
 * 32-byte seed, so that one short thing is kept, sealed, printed or split. Its file, and the ways
 * in which that is locked, are store/identity_file.h. */
#ifndef EMSA_STORE_IDENTITY_H
#define EMSA_STORE_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

struct identity; /* private parts in the locked arena (store/secret.h) */

/* "emsa1" and 64 hex digits each of both public keys, and the NUL */
#define IDENTITY_TEXT_MAX 160
/* A name as a user's is (store/name.h, identity_name_check), and the NUL */
#define IDENTITY_NAME_MAX 64
/* The name that an identity has where nobody gave it one. */
#define IDENTITY_NAME_USUAL "administrator"
#define IDENTITY_PUBLIC_LENGTH 133u

/* A new random identity, of the usual name. Owned by the caller: identity_free. ERR_NOMEM. */
int identity_new(struct identity **out);

/* The same, of that name. ERR_INVALID. */
int identity_new_named(struct identity **out, const char *name);

/* Wipes and frees. NULL is allowed. */
void identity_free(struct identity *identity);

/* Writes the identity, not locked, to a new file, mode 0600, and makes it durable (file and
 * folder). ERR_REFUSED when the file exists (an identity is never overwritten), ERR_IO, ERR_FULL,
 * ERR_DENIED; nothing is left behind on failure. */
int identity_write(const struct identity *identity, const char *path);

/* Reads an identity from an open descriptor, which stays open; the path is for messages only.
 * ERR_NO_KEY if the content is no identity, or one that is locked; ERR_CORRUPT if it is damaged,
 * ERR_FORMAT if it is of another form, ERR_IO. */
int identity_read(struct identity **out, int fd, const char *path);

/* Opens the file, for identity_read; the descriptor is the caller's. Never waits. ERR_NOT_FOUND,
 * ERR_DENIED; ERR_REFUSED when group or others may read it, and when it is no file. */
int identity_open(int *fd, const char *path);

/* identity_open and identity_read. */
int identity_load(struct identity **out, const char *path);

/* Whether it can do what it is for: opens a key that is wrapped for its public half, and checks
 * what it signed. ERR_NO_KEY: it can't. */
int identity_try(const struct identity *identity);

/* The private key of a place of a store, wrapped for an identity. */
#define IDENTITY_WRAPPED_SIZE 112
struct identity_key {
    uint32_t environment, service, generation; /* whose; service 0: the environment's */
    uint8_t public_key[32];                    /* the place's */
    uint8_t wrapped[IDENTITY_WRAPPED_SIZE];
};

/* Whether the identity opens it, and what comes out is that place's. 0; ERR_CORRUPT: it does not;
 * ERR_NOMEM. */
int identity_opens(const struct identity *identity, const uint8_t store_id[static 16],
                   const struct identity_key *key);

/* The public text of an identity, for grants and messages. */
void identity_public(const struct identity *identity, char text[static IDENTITY_TEXT_MAX]);

/* The same of two public keys. */
void identity_public_text(char text[static IDENTITY_TEXT_MAX],
                          const unsigned char x25519[static 32],
                          const unsigned char ed25519[static 32]);

/* Its name, which lives as long as it does. */
const char *identity_name(const struct identity *identity);

/* Reads such a text: both public keys. ERR_INVALID. */
int identity_public_parse(unsigned char x25519[static 32], unsigned char ed25519[static 32],
                          const char *text, size_t size);

#endif
