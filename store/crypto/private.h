/* The inside of an identity and of its file, for keyring and the files of identity only. */
#ifndef EMSA_STORE_CRYPTO_PRIVATE_H
#define EMSA_STORE_CRYPTO_PRIVATE_H

#include <stdint.h>

#include "store/crypto/hash.h"
#include "store/identity.h"
#include "store/identity_file.h"
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
    char name[IDENTITY_NAME_MAX];
};

static inline struct identity_secrets *identity_secrets(const struct identity *identity)
{
    return (struct identity_secrets *)(void *)identity->memory.data;
}

/* An identity from its seed. ERR_NOMEM. */
int identity_from_seed(struct identity **out, const char *name,
                       const uint8_t seed[static SEED_SIZE]);

#define SLOT_SALT_SIZE 16
#define SLOT_SEALED_SIZE (SEED_SIZE + 16)

struct slot {
    struct identity_slot is;
    uint8_t salt[SLOT_SALT_SIZE];
    uint8_t sealed[SLOT_SEALED_SIZE]; /* of a plain one: the seed */
};

struct identity_file {
    char *path;           /* for messages, and where a changed one goes */
    int lock_fd;          /* of one that is to be changed; else -1 */
    struct secret memory; /* IDENTITY_SLOTS_MAX struct slot */
    size_t count;
    uint8_t x25519[32], ed25519[32];
    char name[IDENTITY_NAME_MAX];
    uint8_t digest[BLAKE_SIZE], mac[BLAKE_SIZE]; /* of one that was read */
};

static inline struct slot *identity_file_slots(const struct identity_file *file)
{
    return (struct slot *)(void *)file->memory.data;
}

/* Room for a file's content, without any. */
int identity_file_alloc(struct identity_file **out, const char *path);

/* Seals the identity's seed in slot, whose kind and cost are filled in. key: NULL for a plain one.
 * ERR_NOMEM. */
int slot_seal(struct slot *slot, const struct identity *identity, const struct secret *key);

/* The seed, if key opens the slot: 0, positive: it does not; ERR_NOMEM. */
int slot_open(uint8_t seed[static SEED_SIZE], const struct slot *slot,
              const struct identity_file *file, const struct secret *key);

/* What a line of a slot begins with: its kind, cost and salt. Returns the length. */
#define SLOT_HEAD_MAX 96
size_t slot_head(char out[static SLOT_HEAD_MAX], const struct slot *slot);
/* 0, or ERR_REFUSED with what is wrong; path NULL: ERR_INVALID, it is being asked for. */
int slot_check_cost(const struct identity_cost *cost, const char *path);

/* The text of a file, with its check: the bytes that are written. */
int identity_text_write(struct secret *out, const struct identity_file *file,
                        const struct identity *identity);

/* Fills an empty file from text; file->path is for messages. */
int identity_text_parse(struct identity_file *file, const struct secret *text);

/* What binds the text of which digest is the hash to a seed. */
void identity_mac(uint8_t out[static BLAKE_SIZE], const uint8_t seed[static SEED_SIZE],
                  const uint8_t digest[static BLAKE_SIZE]);

#endif
