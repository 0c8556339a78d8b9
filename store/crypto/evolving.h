/*
 * A key that evolves and forgets: each line of the audit record is authenticated with the next one,
 * and none can be had from one that follows. Who has the first can check all of it; who takes over
 * this machine has the present one, and can forge nothing that was written before.
 *
 *   next  = derive(key, "emsa-audit-next-1", "")          (derive as in envelope.h)
 *   MAC   = derive(key, "emsa-audit-line-1", chain)
 *   a key sealed to an auditor, 80 bytes: ephemeral X25519 public key E (32), then
 *           seal(derive(KEK, "emsa-audit-key-1", ""), auditor's public key, key) (48)
 *   KEK   = derive(X25519(ephemeral private, auditor's public), "emsa-shared-1", E + auditor's)
 */
#ifndef EMSA_STORE_CRYPTO_EVOLVING_H
#define EMSA_STORE_CRYPTO_EVOLVING_H

#include <stdint.h>

#include "store/crypto/hash.h"
#include "store/identity.h"

#define EVOLVING_SIZE 32
#define EVOLVING_SEALED_SIZE 80

struct evolving { /* the caller wipes it: evolving_wipe */
    uint8_t key[EVOLVING_SIZE];
};

/* A new random one, and the same sealed to the X25519 key of an auditor. ERR_INVALID: that is no
 * public key; ERR_IO. */
int evolving_new(struct evolving *out, uint8_t sealed[static EVOLVING_SEALED_SIZE],
                 const uint8_t auditor[static EVOLVING_SIZE]);

/* Opens it. ERR_NO_KEY: it is not for this identity, or is not what was sealed. */
int evolving_open(struct evolving *out, const uint8_t sealed[static EVOLVING_SEALED_SIZE],
                  const struct identity *identity);

/* The next one, in its place. */
void evolving_step(struct evolving *);

void evolving_mac(const struct evolving *, uint8_t out[static BLAKE_SIZE],
                  const uint8_t chain[static BLAKE_SIZE]);
void evolving_wipe(struct evolving *);

#endif
