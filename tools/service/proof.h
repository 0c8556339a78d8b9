/*
 * What a caller has proven of itself on its connection: that it holds an identity. It asks for a
 * challenge (CallerChallenge) and signs it (CallerProve; what, says store/caller.h); from then on
 * it has what was granted to "id:NAME" besides what its user and groups have, until the connection
 * ends. Only the key is kept: whose it is, and what that one may, is looked up for each call, so
 * that what was taken away is gone at once.
 *
 * A change that is committed by such rights must be signed by the same identity (store/request.h):
 * the log says by whose right it was made, and who hands a call of somebody else's on has none.
 */
#ifndef EMSA_TOOLS_SERVICE_PROOF_H
#define EMSA_TOOLS_SERVICE_PROOF_H

#include <jansson.h>
#include <stdbool.h>

#include "store/caller.h"

#define PROOF_CHALLENGE "CallerChallenge"
#define PROOF_ANSWER "CallerProve"

struct proof {     /* of one connection; zeros: nothing is proven. One thread at a time */
    bool is_asked; /* there is a challenge, for one answer */
    bool is_proven;
    uint8_t challenge[CALLER_CHALLENGE_SIZE];
    uint8_t key[SIGNING_KEY_SIZE]; /* Ed25519 */
};

/* Whether a call may use the rights of what was proven: it changes nothing, or is signed by it. */
bool proof_counts(const struct proof *proof, const char *method, json_t *parameters);

#endif
