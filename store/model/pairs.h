/*
 * The key pairs of services that are placed for the first time. A pair takes three multiplications
 * on a curve, a tenth of a millisecond, which is most of what placing a service costs: where a
 * commit places many, a thread makes them while the writer goes on with what lies between them. The
 * writer makes the next one itself, rather than wait for the one that it needs.
 */
#ifndef EMSA_STORE_MODEL_PAIRS_H
#define EMSA_STORE_MODEL_PAIRS_H

#include <pthread.h>
#include <stdbool.h>

#include "store/crypto/keyring.h"
#include "store/model/plan.h"

struct pair {
    struct wrapped_key key; /* its owner, until it is made */
    bool is_made;           /* pairs->lock */
};

struct pairs {         /* of one environment, in the order of the plan; one of zeros has none */
    struct pair *list; /* owned */
    size_t count, next;
    const uint8_t *store_id;
    uint8_t for_public_key[CRYPTO_KEY_SIZE];
    pthread_mutex_t lock; /* held for no work; there while list is */
    pthread_cond_t made;  /* one more is made */
    size_t begun;         /* lock: from here on nobody makes them yet */
    bool has_failed;      /* lock */
    pthread_t thread;
    bool is_running;
};

/* Begins to make that of the service whose pair step number from of the plan is, and of all that
 * follow it there before one of another environment does, for the environment's public key.
 * store_id is borrowed until pairs_release. What was made before is forgotten. ERR_NOMEM. */
int pairs_begin(struct pairs *pairs, const struct plan *plan, size_t from,
                const uint8_t store_id[static 16],
                const uint8_t for_public_key[static CRYPTO_KEY_SIZE]);
/* Whether there is a next one. */
bool pairs_left(const struct pairs *pairs);
/* The next one. ERR_INVALID: the environment's is no public key. */
int pairs_next(struct pairs *pairs, struct wrapped_key *out);
/* Waits for the thread and frees them; wipes nothing: private halves are wrapped. */
void pairs_release(struct pairs *pairs);

#endif
