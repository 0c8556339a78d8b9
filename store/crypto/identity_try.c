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

static int open_key(const struct identity *identity, const uint8_t store_id[static 16],
                    struct wrapped_key *wrapped)
{
    static const struct keyring_source source = {.public_key = its_public_key,
                                                 .wrapped = the_wrapped};
    struct keyring *keyring;
    struct identity *copy;
    int error = keyring_new(&keyring, store_id, &source);
    if (error)
        return error;
    error = identity_from_seed(&copy, identity->name, identity_secrets(identity)->seed);
    if (!error) {
        keyring_add(keyring, copy);
        error = keyring_check(keyring, wrapped, &wrapped->owner);
    }
    keyring_free(keyring);
    return error;
}

int identity_opens(const struct identity *identity, const uint8_t store_id[static 16],
                   const struct identity_key *key)
{
    struct wrapped_key wrapped = {.owner = {.environment = key->environment,
                                            .service = key->service,
                                            .generation = key->generation}};
    _Static_assert(IDENTITY_WRAPPED_SIZE == WRAPPED_KEY_SIZE, "one size");
    memcpy(wrapped.owner.public_key, key->public_key, sizeof wrapped.owner.public_key);
    memcpy(wrapped.for_public_key, identity->x25519, sizeof wrapped.for_public_key);
    memcpy(wrapped.data, key->wrapped, sizeof wrapped.data);
    return open_key(identity, store_id, &wrapped);
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
    struct recipient owner = {.environment = 1, .generation = 1};
    struct wrapped_key made;
    int error = keyring_make(store_id, &owner, &made, identity->x25519);
    if (!error) {
        made.owner = owner;
        error = open_key(identity, store_id, &made);
    }
    return error ? error : try_signing(identity);
}
