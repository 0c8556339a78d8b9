/*
 * The leak guard: finds out that a value which is to be set is equal to a secret, of an environment
 * that has nothing to do with this one, or of this one where the value would be plain. What is kept
 * for it are fingerprints under a key of the store's own (keyring.h), never values.
 *
 * An environment's family is the environment itself, its base, and what else stands on that base.
 * Secrets may be equal within a family.
 *
 * The guard sees what it has the key for: where no identity at hand opens that, leak_judge is
 * ERR_NO_KEY, and a secret that is set goes without a fingerprint (leak_forget) until it is set
 * again.
 */
#ifndef EMSA_STORE_MODEL_LEAK_H
#define EMSA_STORE_MODEL_LEAK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/crypto/hash.h"
#include "store/db/txn.h"
#include "store/model/core.h"

/* Shorter values are equal by chance, and are guessed. */
#define LEAK_LEAST 12u

/*
 * Whether the guard looks at such a value: it has LEAK_LEAST bytes or more without one final
 * newline, and does not look like what is equal in many places with good reason: a number: digits
 * with a sign before them, dots in them (so an IPv4 address too) or an exponent; a host name: two
 * or more labels of a-z, 0-9 and inner '-', up to 63 bytes each and 253 together, the last
 * beginning with a letter; one word of lower-case letters, as enumerations and short host names
 * have. (Words of truth and ports are shorter.) A label with digits and capitals in it is a host
 * name too by the letter of RFC 1123, but so is nearly every token and every key in hex, which are
 * what the guard is for: they are looked at.
 */
bool leak_is_telling(const void *value, size_t size);

/* In a write transaction: the value at the place is a secret of that fingerprint now, whatever it
 * was before; it is none any more. 0 or a failure. */
int leak_note(struct txn *, uint32_t environment, uint64_t name_id,
              const uint8_t fingerprint[static FINGERPRINT_SIZE]);
int leak_forget(struct txn *, uint32_t environment, uint64_t name_id);

/* The next place after *environment and *name_id (both 0: the first), in that order, whose secret
 * has the fingerprint. 0, NOT_THERE, or a failure. */
int leak_find(struct txn *, uint32_t *environment, uint64_t *name_id,
              const uint8_t fingerprint[static FINGERPRINT_SIZE]);

/* Whether two secrets are told apart by their fingerprints alone: 1: they are others; 0: they may
 * be equal, or one of them is not what is set at its place now, or has no fingerprint. are_set:
 * both are known to be what is set, and it is not looked up. */
struct definition;
int leak_differ(struct txn *, const struct definition *a, const struct definition *b, bool are_set);

enum leak_case {
    LEAK_NONE,      /* nothing is said against the value */
    LEAK_ELSEWHERE, /* equal to a secret of an environment that is not of the family */
    LEAK_PLAIN,     /* would be plain, and is equal to a secret of the family */
};

struct leak_value {   /* a value that is to be set */
    const void *data; /* borrowed; a secret's stays in the arena */
    size_t size;
    bool is_secret;
};

struct leak_verdict {
    enum leak_case which;
    /* Whose secret it is; of several, one of LEAK_ELSEWHERE before one of LEAK_PLAIN, then the
     * lowest ids. 0 with LEAK_NONE. */
    uint32_t environment;
    uint64_t name_id;
    /* For leak_note, where the value is set as a secret: false: leak_forget. */
    bool has_fingerprint;
    uint8_t fingerprint[FINGERPRINT_SIZE];
};

/* Judges a value that is to be set at (environment, name id; 0: a name that is new), against the
 * secrets that the transaction sees. What stands at that place itself now is not held against it.
 * ERR_NO_KEY: it can't be told (a plain value is equal to none where no secret has a fingerprint);
 * failures of the store. */
int leak_judge(struct store *, struct txn *, struct leak_verdict *out, uint32_t environment,
               uint64_t name_id, const struct leak_value *value);

#endif
