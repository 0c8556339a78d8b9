/* An identity in shares: any so many of them give it back, and fewer tell nothing of it. One line
 * of text each, to be printed or written down; its layout stands in store/FORMAT.md, "Identity". */
#ifndef EMSA_STORE_IDENTITY_SHARE_H
#define EMSA_STORE_IDENTITY_SHARE_H

#include "store/identity.h"
#include "store/secret.h"

#define IDENTITY_SHARES_MAX 16u
/* A line with its end, and the NUL */
#define IDENTITY_SHARE_TEXT_MAX 224u

/* Fills out (count empty secrets) with a line each, of which needed give the identity back.
 * ERR_INVALID unless 2 <= needed <= count <= IDENTITY_SHARES_MAX; ERR_NOMEM, none is filled. */
int identity_share_make(struct secret out[], const struct identity *identity, unsigned needed,
                        unsigned count);

/* The identity that lines are shares of; lines that begin with '#' and empty ones are passed over.
 * ERR_NO_KEY: there is none, or there are too few, with how many are missing; ERR_CORRUPT: one of
 * them does not match its check, or all do and what comes of them is no identity of theirs;
 * ERR_INVALID: they are of different identities. */
int identity_share_combine(struct identity **out, const struct secret *lines);

#endif
