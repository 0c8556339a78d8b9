/*
 * One way into an identity's file. AD = H("emsa-identity-slot-2", name, both public keys, the
 * slot's head as it stands in its line); sealed = seal(K, AD, seed), with
 *     passphrase  K = Argon2id(passphrase, salt, passes, memory), 32 bytes
 *     key-file    K = derive(H("emsa-identity-key-file-2", the file's bytes),
 *                            "emsa-identity-key-2", salt)
 * A salt is drawn for each slot that is made, so a K seals once. Poly1305 does not commit to a key:
 * the seed that comes out must give the public keys in the file.
 */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "store/crypto/private.h"
#include "store/crypto/seal.h"
#include "store/error.h"

_Static_assert(SLOT_SALT_SIZE == crypto_pwhash_argon2id_SALTBYTES, "");
_Static_assert(SLOT_SEALED_SIZE == SEED_SIZE + SEAL_TAG_SIZE, "");

struct slot_key { /* in the arena */
    uint8_t key[CRYPTO_KEY_SIZE];
};

size_t slot_head(char out[static SLOT_HEAD_MAX], const struct slot *slot)
{
    char salt[2 * SLOT_SALT_SIZE + 1];
    int length;
    sodium_bin2hex(salt, sizeof(salt), slot->salt, SLOT_SALT_SIZE);
    if (slot->is.kind == IDENTITY_PASSPHRASE)
        length = snprintf(out, SLOT_HEAD_MAX, "passphrase %" PRIu32 " %" PRIu32 " %s ",
                          slot->is.cost.passes, slot->is.cost.memory, salt);
    else if (slot->is.kind == IDENTITY_KEY_FILE)
        length = snprintf(out, SLOT_HEAD_MAX, "key-file %s ", salt);
    else
        length = snprintf(out, SLOT_HEAD_MAX, "plain ");
    return (size_t)length;
}

int slot_check_cost(const struct identity_cost *cost, const char *path)
{
    const bool is_low =
        cost->passes < IDENTITY_PASSES_FLOOR || cost->memory < IDENTITY_MEMORY_FLOOR;
    const bool is_high =
        cost->passes > IDENTITY_PASSES_CEILING || cost->memory > IDENTITY_MEMORY_CEILING;
    if (!is_low && !is_high)
        return 0;
    return error_set(path ? ERR_REFUSED : ERR_INVALID,
                     "identity '%s': %" PRIu32 " passes over %" PRIu32
                     " KiB for its passphrase are %s: %u to %u passes over %u to %u KiB are taken; "
                     "do not give it the passphrase",
                     path ? path : "new", cost->passes, cost->memory,
                     is_low ? "too few, it could be guessed" : "too many, it would take all memory",
                     IDENTITY_PASSES_FLOOR, IDENTITY_PASSES_CEILING, IDENTITY_MEMORY_FLOOR,
                     IDENTITY_MEMORY_CEILING);
}

static void slot_ad(uint8_t out[static BLAKE_SIZE], const struct slot *slot, const char *name,
                    const uint8_t x25519[static 32], const uint8_t ed25519[static 32])
{
    char head[SLOT_HEAD_MAX];
    uint8_t keys[64];
    memcpy(keys, x25519, 32);
    memcpy(keys + 32, ed25519, 32);
    const struct hash_part parts[] = {
        {name, strlen(name)}, {keys, sizeof(keys)}, {head, slot_head(head, slot)}};
    hash_parts(out, "emsa-identity-slot-2", parts, 3);
}

static int stretch(uint8_t out[static CRYPTO_KEY_SIZE], const struct slot *slot,
                   const struct secret *key)
{
    const int failed = crypto_pwhash_argon2id(
        out, CRYPTO_KEY_SIZE, (const char *)key->data, key->size, slot->salt, slot->is.cost.passes,
        (size_t)slot->is.cost.memory << 10, crypto_pwhash_argon2id_ALG_ARGON2ID13);
    return failed
               ? error_set(ERR_NOMEM,
                           "no memory to try a passphrase: it takes %" PRIu32 " KiB for a moment",
                           slot->is.cost.memory)
               : 0;
}

/* The key that seals a slot, into the arena. */
static int slot_key(struct secret *out, const struct slot *slot, const struct secret *key)
{
    int error = secret_alloc(out, sizeof(struct slot_key));
    if (error)
        return error;
    out->size = sizeof(struct slot_key);
    if (slot->is.kind == IDENTITY_PASSPHRASE)
        return stretch(out->data, slot, key);
    struct hash_part part = {.data = key->data, .size = key->size};
    uint8_t hash[BLAKE_SIZE];
    hash_parts(hash, "emsa-identity-key-file-2", &part, 1);
    derive_key(out->data, hash, "emsa-identity-key-2", slot->salt, SLOT_SALT_SIZE);
    wipe(hash, sizeof(hash));
    return 0;
}

int slot_seal(struct slot *slot, const struct identity *identity, const struct secret *key)
{
    SECRET_CLEANUP struct secret sealing = {0};
    uint8_t ad[BLAKE_SIZE];
    const uint8_t *seed = identity_secrets(identity)->seed;
    if (slot->is.kind == IDENTITY_PLAIN) {
        memcpy(slot->sealed, seed, SEED_SIZE);
        return 0;
    }
    random_bytes(slot->salt, SLOT_SALT_SIZE);
    int error = slot_key(&sealing, slot, key);
    if (error)
        return error;
    slot_ad(ad, slot, identity->name, identity->x25519, identity->ed25519);
    seal(slot->sealed, sealing.data, ad, sizeof(ad), seed, SEED_SIZE);
    return 0;
}

int slot_open(uint8_t seed[static SEED_SIZE], const struct slot *slot,
              const struct identity_file *file, const struct secret *key)
{
    SECRET_CLEANUP struct secret sealing = {0};
    uint8_t ad[BLAKE_SIZE];
    if (slot->is.kind == IDENTITY_PLAIN) {
        memcpy(seed, slot->sealed, SEED_SIZE);
        return 0;
    }
    int error = slot_key(&sealing, slot, key);
    if (error)
        return error;
    slot_ad(ad, slot, file->name, file->x25519, file->ed25519);
    return unseal(seed, sealing.data, ad, sizeof(ad), slot->sealed, SLOT_SEALED_SIZE) ? 1 : 0;
}
