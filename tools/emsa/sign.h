/*
 * Every change that the command asks for is signed on its way out, here and nowhere else, whichever
 * verb it is of and whoever does it: a server, or this process. With what: --sign FILE (or
 * ssh-agent), else $EMSA_SIGN_IDENTITY, else the store's own identity where this user may read it;
 * "none" for nothing. The private key is read when there is something to sign, into locked memory,
 * and wiped right after.
 */
#ifndef EMSA_TOOLS_EMSA_SIGN_H
#define EMSA_TOOLS_EMSA_SIGN_H

#include "store/change.h"
#include "store/secret.h"
#include "tools/emsa/session.h"

/* Opens what signs, before this process becomes somebody else, who may not read it. A file that
 * somebody named must be there: ERR_NOT_FOUND, ERR_DENIED, ERR_REFUSED. */
int sign_open(struct session *session);
void sign_close(struct session *session);

/* Whether somebody named what signs, and "none" is not it. */
bool sign_is_named(const struct session *session);

/* What signs: its public key (Ed25519); and a message signed with it, which begins with a domain of
 * ours. As identity_read. */
int sign_key(struct session *session, uint8_t key[static SIGNING_KEY_SIZE]);
int sign_message(struct session *session, uint8_t out[static SIGNATURE_SIZE], const void *message,
                 size_t size);

struct signing_pieces { /* what goes out beside a call */
    struct secret seed;
    struct piece *pieces; /* owned; NULL: those that came */
    size_t count;
};

/* Signs the call, if it is a change and there is something to sign with: its parameters get the
 * signature, and its values the seed before them. ERR_NO_KEY: the file is no identity. */
int sign_call(struct session *session, const char *method, json_t *parameters,
              const struct piece *pieces, size_t count, struct signing_pieces *out);
void sign_release(struct signing_pieces *pieces);
#define SIGNING_CLEANUP __attribute__((cleanup(sign_release)))

#endif
