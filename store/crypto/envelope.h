/* One sealed value. The format is in store/FORMAT.md, "Envelope". This folder alone includes <sodium.h>. */
#ifndef EMSA_STORE_CRYPTO_ENVELOPE_H
#define EMSA_STORE_CRYPTO_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/bytes.h"
#include "store/secret.h"

#define CRYPTO_KEY_SIZE 32

/* Where a value stands: the associated data. Built from where one looked, never from a record. */
struct place {
    uint8_t store_id[16];
    uint32_t environment;
    uint32_t service;
    uint64_t name_id;
    uint64_t entry_id;
    uint64_t rev;
    uint32_t op;
    uint8_t kind;
    uint8_t flags;
};

/* A service key pair of one generation; who may read (public) and read with (private). */
struct recipient {
    uint32_t environment;
    uint32_t service; /* 0: the environment itself */
    uint32_t generation;
    uint8_t public_key[CRYPTO_KEY_SIZE];
};

/* A sealer lives for one commit: one ephemeral key pair per recipient, so that a reader pays one X25519 for
 * each (commit, service). */
struct sealer;
int sealer_new(struct sealer **out);
void sealer_free(struct sealer *sealer);

/* Appends the envelope of value to out. ERR_NOMEM, ERR_INVALID (over VALUE_MAX, no recipient). */
int envelope_seal(struct sealer *, struct bytes *out, const struct place *place,
                  const struct secret *value, const struct recipient recipients[], size_t count);

/* How many bytes a value of size takes after padding. */
size_t envelope_padded(size_t size);

/* Given (environment, service, generation, ephemeral public key), finds the shared key; see keyring.h. */
struct keyring;

/* Opens the exact length only. ERR_NO_KEY, ERR_CORRUPT. */
int envelope_length(struct keyring *, size_t *length, const struct place *place, const void *envelope,
                    size_t size);
/* Opens the value into secret, which is grown as needed. ERR_NO_KEY, ERR_CORRUPT (and nothing of it in out). */
int envelope_open(struct keyring *, struct secret *out, const struct place *place, const void *envelope,
                  size_t size);

/* Hashes (BLAKE2b-256) of plain things: parts are framed by their lengths. domain separates uses. */
struct hash_part {
    const void *data;
    size_t size;
};
void hash_parts(uint8_t out[static 32], const char *domain, const struct hash_part parts[], size_t count);
/* Salted hash of a value, as the log has it. */
#define SALT_SIZE 16
void random_bytes(void *out, size_t size);
bool equal_constant_time(const void *a, const void *b, size_t size);

#endif
