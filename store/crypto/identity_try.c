/* A wrapped key and a signature, made for an identity and opened by it. */
#include <sodium.h>
#include <string.h>

#include "store/crypto/keyring.h"
#include "store/crypto/private.h"
#include "store/crypto/seal.h"
#include "store/error.h"

static int its_public_key(void *context, struct recipient *owner)
{
    const struct wrapped_key *made = context;
    memcpy(owner->public_key, made->owner.public_key, sizeof(owner->public_key));
    return 0;
}

static int the_wrapped(void *context, struct wrapped_key *out)
{
    const struct wrapped_key *made = context;
    memcpy(out->data, made->data, sizeof(out->data));
    return 0;
}

static int try_opening(struct keyring *keyring, const uint8_t store_id[static 16],
                       const struct identity *identity)
{
    struct recipient owner = {.environment = 1, .generation = 1};
    struct wrapped_key made;
    struct identity *copy;
    int error = keyring_make(store_id, &owner, &made, identity->x25519);
    if (!error)
        error = identity_from_seed(&copy, identity->name, identity_secrets(identity)->seed);
    if (error)
        return error;
    keyring_add(keyring, copy);
    return keyring_check(keyring, &made, &owner);
}

static int try_signing(const struct identity *identity)
{
    uint8_t text[32], signature[crypto_sign_BYTES];
    random_bytes(text, sizeof(text));
    crypto_sign_detached(signature, NULL, text, sizeof(text), identity_secrets(identity)->ed25519);
    return crypto_sign_verify_detached(signature, text, sizeof(text), identity->ed25519)
               ? error_set(ERR_NO_KEY, "identity '%s' does not sign", identity->name)
               : 0;
}

int identity_try(const struct identity *identity)
{
    static const uint8_t store_id[16];
    static const struct keyring_source source = {.public_key = its_public_key,
                                                 .wrapped = the_wrapped};
    struct keyring *keyring;
    int error = keyring_new(&keyring, store_id, &source);
    if (error)
        return error;
    error = try_opening(keyring, store_id, identity);
    keyring_free(keyring);
    return error ? error : try_signing(identity);
}
