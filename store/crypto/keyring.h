/*
 * The private keys a process can use now, and how it gets to them: identity -> environment key ->
 * service key -> shared key of one (commit, service) -> data key of one version. Keys live in the
 * locked arena; private keys, shared keys and the keys of values are cached (bounded, oldest out
 * first), never plaintexts: a cached read costs about 1 us, a cold one one X25519 more. Public keys
 * and wrapped private keys come from the log through callbacks, so this room knows no database. Any
 * thread may call; a lock is held for a lookup, never across X25519 or a callback.
 *
 * A wrapped key, 112 bytes (derive, seal and OWNER as in envelope.h):
 *   offset  size  what
 *        0    32  ephemeral X25519 public key E, new for each
 *       32    32  commitment: derive(KEK, "emsa-key-commitment-1", AD)
 *       64    48  seal(derive(KEK, "emsa-key-1", ""), AD, private key)
 * KEK = derive(X25519(ephemeral private, holder's public), "emsa-shared-1", E + holder's public
 * key) AD, 92 bytes: store id (16), OWNER (12), owner's public key (32), holder's public key (32)
 * What comes out is used only if its public key is the owner's public key in the log.
 */
#ifndef EMSA_STORE_CRYPTO_KEYRING_H
#define EMSA_STORE_CRYPTO_KEYRING_H

#include "store/crypto/envelope.h"
#include "store/identity.h"

struct keyring;

#define WRAPPED_KEY_SIZE 112

/* A private key wrapped for somebody: an environment's for an identity, a service's for its
 * environment. */
struct wrapped_key {
    struct recipient owner;                  /* whose private key is inside */
    uint8_t for_public_key[CRYPTO_KEY_SIZE]; /* who can open it */
    uint8_t data[WRAPPED_KEY_SIZE];
};

/* How the keyring asks the log, in the caller's read transaction (context, as given to each opening
 * call). Each returns 0, positive: none, or a failure, which is passed on. */
struct keyring_source {
    /* Fills owner->public_key for owner's environment, service and generation. */
    int (*public_key)(void *context, struct recipient *owner);
    /* Fills out->data: owner's private key as wrapped for the holder of for_public_key (both are in
     * out). */
    int (*wrapped)(void *context, struct wrapped_key *out);
    /* The next of the wraps of at's rev and op, after at's owner (of zeros: the first). NULL: there
     * never are any. */
    int (*next_wrap)(void *context, struct value_wrap *at);
};

/* ERR_NOMEM, ERR_IO. The source is copied. */
int keyring_new(struct keyring **out, const uint8_t store_id[static 16],
                const struct keyring_source *source);
/* No thread may use it any more. NULL is allowed. */
void keyring_free(struct keyring *);

/* Takes the identity over. Any thread, also beside readers. At most KEYRING_IDENTITIES, further
 * ones are freed. */
#define KEYRING_IDENTITIES 8
void keyring_add(struct keyring *, struct identity *identity);
bool keyring_has_identity(const struct keyring *);
/* The public X25519 key of identity number index, from 0; false: there are not so many. */
bool keyring_identity(const struct keyring *, uint8_t out[static CRYPTO_KEY_SIZE], unsigned index);

/* Whether the private key of owner (public_key not needed) can be had: 0, ERR_NO_KEY, ERR_CORRUPT,
 * ... For store_unlock: that a grant is really for this identity. */
int keyring_check(struct keyring *, void *context, const struct recipient *owner);

/* A new key pair for owner (environment, service and generation filled in by the caller), its
 * private half wrapped for the holder of for_public_key. Fills owner->public_key and *out; the
 * private half is wiped. ERR_INVALID when for_public_key is no public key. */
int keyring_make(const uint8_t store_id[static 16], struct recipient *owner,
                 struct wrapped_key *out, const uint8_t for_public_key[static CRYPTO_KEY_SIZE]);

/* The same for several holders: out[i].for_public_key is filled in for each, at least one. */
int keyring_make_for(const uint8_t store_id[static 16], struct recipient *owner,
                     struct wrapped_key out[], size_t count);

/* Wraps the private key of out->owner (environment, service, generation; its public key is filled
 * in) for the holder of out->for_public_key. Fails as keyring_check does, where it can't be had
 * itself; ERR_INVALID as keyring_make. For a write transaction: what it learns is kept by nobody.
 */
int keyring_grant(struct keyring *, void *context, struct wrapped_key *out);

/* As next_wrap of the source. */
int keyring_next_wrap(struct keyring *, void *context, struct value_wrap *at);

/* The shared key for an ephemeral public key sent to owner; the caller wipes it. ERR_NO_KEY when
 * the way to it is not open. */
int keyring_shared(struct keyring *, uint8_t out[static CRYPTO_KEY_SIZE], void *context,
                   const struct recipient *owner, const uint8_t ephemeral[static CRYPTO_KEY_SIZE]);

/* What stands before the value of a version, as its tag covers it: the hash of that, and of an
 * envelope for one recipient, as most are, the bytes themselves, so that who finds the same ones
 * need not hash them; else zeros. */
struct value_head {
    uint8_t hash[BLAKE_SIZE];
    uint8_t bytes[ENVELOPE_HEAD_OF_ONE];
};

/* The keys that values of versions are sealed with, and their heads, kept by commitment when a
 * version was opened, so that opening it again is one step. They are no more than what the shared
 * keys beside them open. keyring_value_key returns false where it has none; the caller wipes the
 * key. */
bool keyring_value_key(struct keyring *, uint8_t out[static CRYPTO_KEY_SIZE],
                       struct value_head *head, const uint8_t commitment[static CRYPTO_KEY_SIZE]);
void keyring_keep_value_key(struct keyring *, const uint8_t commitment[static CRYPTO_KEY_SIZE],
                            const uint8_t key[static CRYPTO_KEY_SIZE],
                            const struct value_head *head);

/*
 * The fingerprint of a value: equal for equal values, and telling nothing of them to who has not
 * the key. BLAKE2b-128, keyed with F, of: length of domain (u8), domain "emsa-fingerprint-1", the
 * value without one final newline ("\n" or "\r\n"). F = derive(private key of FINGERPRINT_OWNER,
 * "emsa-fingerprint-key-1", "") F is kept in the arena from the first call on. ERR_NO_KEY: no
 * identity at hand opens the owner's key; the failures of keyring_check.
 */
#define FINGERPRINT_OWNER ((struct recipient){.generation = 1}) /* the store's own pair */
int keyring_fingerprint(struct keyring *, void *context, uint8_t out[static FINGERPRINT_SIZE],
                        const void *value, size_t size);
/* How much of a value its fingerprint is of: all but one final newline. */
size_t fingerprint_covers(const void *value, size_t size);

/* The public keys of an identity. */
void identity_keys(const struct identity *, uint8_t x25519[static 32], uint8_t ed25519[static 32]);

#endif
