/*
 * The key pairs of services that are placed for the first time. A pair takes three multiplications
 * on a curve, a tenth of a millisecond, which is most of what placing a service costs: where a
 * commit places many, two threads make them.
 */
#ifndef EMSA_STORE_MODEL_PAIRS_H
#define EMSA_STORE_MODEL_PAIRS_H

#include "store/crypto/keyring.h"
#include "store/model/plan.h"

struct pairs {                /* of one environment, made ahead in the order of the plan */
    struct wrapped_key *keys; /* owned */
    size_t count, next;
};

/* Makes that of the service whose pair step number from of the plan is, and of all that follow it
 * there before one of another environment does, for the environment's public key. What was made
 * before is forgotten. ERR_NOMEM; ERR_INVALID: it is no public key. */
int pairs_make(struct pairs *pairs, const struct plan *plan, size_t from,
               const uint8_t store_id[static 16],
               const uint8_t for_public_key[static CRYPTO_KEY_SIZE]);
/* Frees it, and wipes nothing: private halves are wrapped. */
void pairs_release(struct pairs *pairs);

#endif
