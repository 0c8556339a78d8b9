/* The steps of a plan that are about keys: pairs are made, their private halves wrapped for those
 * who are granted them, and keys of secrets wrapped for newer pairs. For seal.c. */
#ifndef EMSA_STORE_MODEL_SEAL_KEY_H
#define EMSA_STORE_MODEL_SEAL_KEY_H

#include "store/crypto/keyring.h"
#include "store/log/index.h"
#include "store/model/core.h"
#include "store/model/pairs.h"
#include "store/model/plan.h"

struct seal_keys { /* of one commit */
    struct store *store;
    struct txn *txn; /* the commit's */
    const struct plan *plan;
    struct pairs pairs;       /* of services that are placed first, made meanwhile */
    struct wrapped_key *made; /* owned: the pair made last, for each of its holders */
    size_t count, next;       /* next: that no grant has taken yet */
    struct value_wrap wrap;   /* of a secret, the last one */
    struct kept_key *kept;    /* owned: of all pairs and grants, where they were made ahead */
};

/* Makes all pairs and grants of the plan now, before the values, which may be for them: the
 * operations are filled in and applied to the index, and what they borrow lives until
 * seal_keys_release. plan: keys->plan. */
int seal_keys_ahead(struct seal_keys *keys, struct index *index, struct plan *plan);

/* Whether that was done to such an operation. */
bool seal_key_is_made(const struct seal_keys *keys, enum operation_kind kind);

/* Fills in the operation (one of a pair, a grant or a secret's key), which is step op of the plan:
 * generations that are not told yet, and what is wrapped, which is borrowed until the next call.
 * sealer: for secrets' keys. The failures of keyring_grant and envelope_wrap. */
int seal_key(struct seal_keys *, struct sealer *sealer, struct operation *operation, uint32_t op);

/* Whether a secret's key could be wrapped now: what seal_key would return for that operation. */
int seal_key_try(struct store *, struct txn *, const struct operation *value_key);

void seal_keys_release(struct seal_keys *);

#endif
