/*
 * Who may open a secret of another service: each to whose key it is sealed besides its owner's.
 * Those are the services that it is shared with, and everybody who reaches it, by links and
 * templates and in environments that stand on its own, whose keys identities were granted: of a
 * service, or, where an environment stands on another one, of that environment. (All others are
 * opened by who has the environment's key, and that opens the owner's.)
 *
 * A secret that is set is sealed for all of them (reach_consumers: from the secret to its readers).
 * Where one comes later, by a share, a link, a grant or new keys, the secret's key is wrapped for
 * it (reach_secrets: from the reader to what it reaches).
 */
#ifndef EMSA_STORE_MODEL_REACH_H
#define EMSA_STORE_MODEL_REACH_H

#include "store/log/state.h"
#include "store/model/core.h"
#include "store/model/plan.h"

struct reach_reader {              /* a place of which an identity was granted the key */
    uint32_t environment, service; /* service 0: all of the environment, which has a base */
    uint32_t base;
};

struct reach {
    struct store *store; /* borrowed, as is the next */
    struct txn *txn;
    /* Of a commit in the making, whose texts are not stored yet; NULL: there is none. */
    const struct plan *plan;
    uint64_t plan_rev;
    struct reach_reader *readers; /* owned; in the order of environments and services */
    size_t count;
};

/* Looks for who was granted what. Where count is 0 then, nobody but owners opens anything.
 * ERR_NOMEM, the store's failures; reach_end in any case. */
int reach_begin(struct reach *, struct store *, struct txn *);
void reach_end(struct reach *);

/* Whether a key of exactly that service, or of an environment that stands on another, was granted.
 */
bool reach_reads(const struct reach *, uint32_t environment, uint32_t service);

struct reach_consumers {
    struct reach_consumer {
        uint32_t environment, service;
    } * list; /* owned by the caller: free */
    size_t count, capacity;
};
/* Those of a secret that is defined there, each once, without its owner; what the list had before
 * is forgotten. Definitions and shares are as the transaction has them. ERR_NOMEM, the store's
 * failures. */
int reach_consumers(struct reach *, struct reach_consumers *out, uint32_t environment,
                    uint32_t owner, const char *key);

/* Calls take for each secret that the spot reaches, with where it is defined: itself too, and one
 * perhaps more than once. 0, also where there is no such spot; what take returned, if it was not 0;
 * the store's failures. */
int reach_secrets(struct reach *, uint32_t environment, uint32_t service, const char *key,
                  int (*take)(void *arg, const struct spot *secret), void *arg);

#endif
