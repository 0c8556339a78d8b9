#include "store/crypto/evolving.h"

#include <string.h>

#include "store/crypto/private.h"
#include "store/crypto/seal.h"
#include "store/error.h"

_Static_assert(EVOLVING_SIZE == CRYPTO_KEY_SIZE, "keys to derive from");
_Static_assert(EVOLVING_SEALED_SIZE == 2 * CRYPTO_KEY_SIZE + SEAL_TAG_SIZE, "E and the sealed key");

static void sealing_key(uint8_t out[static CRYPTO_KEY_SIZE], uint8_t shared[CRYPTO_KEY_SIZE])
{
    derive_key(out, shared, "emsa-audit-key-1", NULL, 0);
    wipe(shared, CRYPTO_KEY_SIZE);
}

int evolving_new(struct evolving *out, uint8_t sealed[static EVOLVING_SEALED_SIZE],
                 const uint8_t auditor[static EVOLVING_SIZE])
{
    uint8_t private_key[CRYPTO_KEY_SIZE], shared[CRYPTO_KEY_SIZE], key[CRYPTO_KEY_SIZE];
    int error = crypto_setup();
    if (error)
        return error;
    new_pair(private_key, sealed);
    int failed = shared_key(shared, private_key, auditor, sealed, auditor);
    wipe(private_key, sizeof(private_key));
    if (failed)
        return error_set(ERR_INVALID, "the auditor's public key is none");
    sealing_key(key, shared);
    random_bytes(out->key, sizeof(out->key));
    seal(sealed + CRYPTO_KEY_SIZE, key, auditor, EVOLVING_SIZE, out->key, sizeof(out->key));
    wipe(key, sizeof(key));
    return 0;
}

int evolving_open(struct evolving *out, const uint8_t sealed[static EVOLVING_SEALED_SIZE],
                  const struct identity *identity)
{
    uint8_t shared[CRYPTO_KEY_SIZE], key[CRYPTO_KEY_SIZE], opened[EVOLVING_SIZE];
    const struct identity_secrets *secrets = identity_secrets(identity);
    int failed = shared_key(shared, secrets->x25519, sealed, sealed, identity->x25519);
    if (!failed) {
        sealing_key(key, shared);
        failed = unseal(opened, key, identity->x25519, EVOLVING_SIZE, sealed + CRYPTO_KEY_SIZE,
                        EVOLVING_SIZE + SEAL_TAG_SIZE);
        wipe(key, sizeof(key));
    }
    if (!failed)
        memcpy(out->key, opened, sizeof(opened));
    wipe(opened, sizeof(opened));
    return failed ? error_set(ERR_NO_KEY, "the audit key is not sealed for this identity") : 0;
}

void evolving_step(struct evolving *key)
{
    uint8_t next[EVOLVING_SIZE];
    derive_key(next, key->key, "emsa-audit-next-1", NULL, 0);
    memcpy(key->key, next, sizeof(next));
    wipe(next, sizeof(next));
}

void evolving_mac(const struct evolving *key, uint8_t out[static BLAKE_SIZE],
                  const uint8_t chain[static BLAKE_SIZE])
{
    derive_key(out, key->key, "emsa-audit-line-1", chain, BLAKE_SIZE);
}

void evolving_wipe(struct evolving *key)
{
    wipe(key, sizeof(*key));
}
