/*
 * From the seed: X25519 private key = derive(seed, "emsa-identity-x25519-1", ""), Ed25519 seed =
 * derive(seed, "emsa-identity-ed25519-1", "").
 */
#include "store/identity.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/crypto/keyring.h"
#include "store/crypto/private.h"
#include "store/crypto/seal.h"
#include "store/error.h"
#include "store/name.h"

_Static_assert(SEED_SIZE == CRYPTO_KEY_SIZE, "a seed is a key to derive from");
_Static_assert(sizeof(((struct identity_secrets *)0)->ed25519) == crypto_sign_SECRETKEYBYTES, "");
_Static_assert(crypto_sign_SEEDBYTES == CRYPTO_KEY_SIZE, "");

static int identity_alloc(struct identity **out, const char *name)
{
    int error = crypto_setup();
    if (error)
        return error;
    struct identity *identity = calloc(1, sizeof(*identity));
    if (!identity)
        return error_set(ERR_NOMEM, "cannot get memory for an identity");
    error = secret_alloc(&identity->memory, sizeof(struct identity_secrets));
    if (error) {
        free(identity);
        return error;
    }
    identity->memory.size = sizeof(struct identity_secrets);
    memcpy(identity->name, name, strlen(name) + 1);
    *out = identity;
    return 0;
}

/* Makes both pairs from the seed. */
static void fill(struct identity *identity)
{
    struct identity_secrets *secrets = identity_secrets(identity);
    uint8_t sign_seed[CRYPTO_KEY_SIZE];
    derive_key(secrets->x25519, secrets->seed, "emsa-identity-x25519-1", NULL, 0);
    public_of(identity->x25519, secrets->x25519);
    derive_key(sign_seed, secrets->seed, "emsa-identity-ed25519-1", NULL, 0);
    crypto_sign_seed_keypair(identity->ed25519, secrets->ed25519, sign_seed);
    wipe(sign_seed, sizeof(sign_seed));
}

int identity_from_seed(struct identity **out, const char *name,
                       const uint8_t seed[static SEED_SIZE])
{
    int error = identity_alloc(out, name);
    if (error)
        return error;
    memcpy(identity_secrets(*out)->seed, seed, SEED_SIZE);
    fill(*out);
    return 0;
}

int identity_new_named(struct identity **out, const char *name)
{
    int error = identity_name_check(name, strlen(name));
    if (!error)
        error = identity_alloc(out, name);
    if (error)
        return error;
    random_bytes(identity_secrets(*out)->seed, SEED_SIZE);
    fill(*out);
    return 0;
}

int identity_new(struct identity **out)
{
    return identity_new_named(out, IDENTITY_NAME_USUAL);
}

void identity_free(struct identity *identity)
{
    if (!identity)
        return;
    secret_release(&identity->memory);
    free(identity);
}

void identity_keys(const struct identity *identity, uint8_t x25519[static 32],
                   uint8_t ed25519[static 32])
{
    memcpy(x25519, identity->x25519, 32);
    memcpy(ed25519, identity->ed25519, 32);
}

void identity_public_text(char text[static IDENTITY_TEXT_MAX], const uint8_t x25519[static 32],
                          const uint8_t ed25519[static 32])
{
    memcpy(text, "emsa1", 5);
    sodium_bin2hex(text + 5, 65, x25519, 32);
    sodium_bin2hex(text + 69, 65, ed25519, 32);
}

void identity_public(const struct identity *identity, char text[static IDENTITY_TEXT_MAX])
{
    identity_public_text(text, identity->x25519, identity->ed25519);
}

const char *identity_name(const struct identity *identity)
{
    return identity->name;
}
