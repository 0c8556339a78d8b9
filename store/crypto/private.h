/* The inside of an identity, for keyring and identity only. */
#ifndef EMSA_STORE_CRYPTO_PRIVATE_H
#define EMSA_STORE_CRYPTO_PRIVATE_H

#include <stdint.h>

#include "store/identity.h"
#include "store/secret.h"

#define SEED_SIZE 32

struct identity_secrets { /* in locked memory */
    uint8_t seed[SEED_SIZE];
    uint8_t x25519[32];  /* private key */
    uint8_t ed25519[64]; /* libsodium's form: seed and public key */
};

struct identity {
    struct secret memory; /* one struct identity_secrets */
    uint8_t x25519[32];   /* public */
    uint8_t ed25519[32];
};

static inline struct identity_secrets *identity_secrets(const struct identity *identity)
{
    return (struct identity_secrets *)(void *)identity->memory.data;
}

#endif
