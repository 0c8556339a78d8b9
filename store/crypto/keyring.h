/*
 * The private keys a process can use now, and how it gets to them: identity -> environment key -> service
 * key -> shared key of one (commit, service) -> data key of one version. Keys live in the locked arena; the
 * shared keys are cached (bounded, oldest out first), never plaintexts: a cached read costs 1 us, a cold one
 * one X25519. Wrapped private keys come from the log through the callback, so this room knows no database.
 * Any thread may call; its lock is held for a lookup, never across X25519.
 */
#ifndef EMSA_STORE_CRYPTO_KEYRING_H
#define EMSA_STORE_CRYPTO_KEYRING_H

#include "store/crypto/envelope.h"
#include "store/identity.h"

struct keyring;

/* A private key wrapped for somebody: an environment's for an identity, a service's for its environment. */
struct wrapped_key {
    struct recipient owner;           /* whose private key is inside */
    uint8_t for_public_key[CRYPTO_KEY_SIZE]; /* who can open it */
    uint8_t data[112];                /* ephemeral public key, commitment, sealed key with tag; FORMAT.md */
};

/* Looks a wrapped key up (in the caller's read transaction, passed as context to each opening call).
 * 0, positive: none, negative: failure. */
typedef int (*keyring_find)(void *context, struct wrapped_key *out, const struct recipient *wanted,
                            const uint8_t for_public_key[static CRYPTO_KEY_SIZE]);

int keyring_new(struct keyring **out, const uint8_t store_id[static 16], keyring_find find);
void keyring_free(struct keyring *);
/* Takes the identity over. */
void keyring_add(struct keyring *, struct identity *identity);
bool keyring_has_identity(const struct keyring *);

/* A new key pair for owner (generation filled in by the caller), its private half wrapped for the holder of
 * for_public_key. Fills owner->public_key and *out; the private half is wiped. */
int keyring_make(const uint8_t store_id[static 16], struct recipient *owner, struct wrapped_key *out,
                 const uint8_t for_public_key[static CRYPTO_KEY_SIZE]);

/* The shared key for an ephemeral public key sent to owner. ERR_NO_KEY when the way to it is not open. */
int keyring_shared(struct keyring *, uint8_t out[static CRYPTO_KEY_SIZE], void *context,
                   const struct recipient *owner, const uint8_t ephemeral[static CRYPTO_KEY_SIZE]);

/* The public keys of an identity. */
void identity_keys(const struct identity *, uint8_t x25519[static 32], uint8_t ed25519[static 32]);

#endif
