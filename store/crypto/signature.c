#include "store/crypto/signature.h"

#include <sodium.h>
#include <string.h>

#include "store/crypto/private.h"
#include "store/crypto/seal.h"

#define LABEL_SALT "emsa-request-salt-1"
#define LABEL_KEY "emsa-request-key-1"
#define LABEL_ASKED "emsa-asked-1"
#define DOMAIN_TEXT "emsa-request-1"
/* An identity's key may sign other things one day: none of them begins like this. */
#define DOMAIN_SIGNATURE "emsa-signature-1"
#define SIGNED_SIZE (sizeof DOMAIN_SIGNATURE - 1 + HASH_SIZE)

_Static_assert(SIGNATURE_SIZE == crypto_sign_BYTES, "");
_Static_assert(SIGNING_KEY_SIZE == crypto_sign_PUBLICKEYBYTES, "");
_Static_assert(REQUEST_SEED_SIZE == CRYPTO_KEY_SIZE, "a seed is a key to derive from");

static void numbered(uint8_t out[static CRYPTO_KEY_SIZE], const char *label,
                     const uint8_t seed[static REQUEST_SEED_SIZE], uint32_t number)
{
    unsigned char bytes[4];
    write_u32(bytes, number);
    derive_key(out, seed, label, bytes, sizeof bytes);
}

void request_salt(uint8_t out[static SALT_SIZE], const uint8_t seed[static REQUEST_SEED_SIZE],
                  uint32_t number)
{
    uint8_t all[CRYPTO_KEY_SIZE];
    numbered(all, LABEL_SALT, seed, number);
    memcpy(out, all, SALT_SIZE);
}

int request_seal(struct sealer *sealer, struct bytes *out, const struct place *place,
                 const struct secret *value, const struct recipient recipients[], size_t count,
                 const uint8_t seed[static REQUEST_SEED_SIZE], uint32_t number)
{
    uint8_t key[CRYPTO_KEY_SIZE];
    numbered(key, LABEL_KEY, seed, number);
    const int error = envelope_seal_with(sealer, out, place, value, recipients, count, key);
    wipe(key, sizeof key);
    return error;
}

void secret_digest(uint8_t out[static HASH_SIZE], const uint8_t key[static CRYPTO_KEY_SIZE],
                   const void *value, size_t size)
{
    derive_long(out, key, LABEL_ASKED, value, size);
}

void request_digest_secret(uint8_t out[static HASH_SIZE],
                           const uint8_t seed[static REQUEST_SEED_SIZE], uint32_t number,
                           const void *value, size_t size)
{
    uint8_t key[CRYPTO_KEY_SIZE];
    numbered(key, LABEL_KEY, seed, number);
    secret_digest(out, key, value, size);
    wipe(key, sizeof key);
}

void signature_text_hash(uint8_t out[static HASH_SIZE], const void *text, size_t size)
{
    const struct hash_part part = {text, size};
    hash_parts(out, DOMAIN_TEXT, &part, 1);
}

static void write_signed(unsigned char out[static SIGNED_SIZE],
                         const uint8_t hash[static HASH_SIZE])
{
    memcpy(out, DOMAIN_SIGNATURE, SIGNED_SIZE - HASH_SIZE);
    memcpy(out + SIGNED_SIZE - HASH_SIZE, hash, HASH_SIZE);
}

void request_sign(struct signature *out, const struct identity *identity, const void *text,
                  size_t size)
{
    unsigned char message[SIGNED_SIZE];
    memcpy(out->key, identity->ed25519, SIGNING_KEY_SIZE);
    signature_text_hash(out->text_hash, text, size);
    write_signed(message, out->text_hash);
    crypto_sign_detached(out->bytes, NULL, message, sizeof message,
                         identity_secrets(identity)->ed25519);
}

bool signature_holds(const struct signature *signature)
{
    unsigned char message[SIGNED_SIZE];
    write_signed(message, signature->text_hash);
    return crypto_sign_verify_detached(signature->bytes, message, sizeof message, signature->key) ==
           0;
}

bool request_is_signed(const struct signature *signature, const void *text, size_t size)
{
    uint8_t hash[HASH_SIZE];
    signature_text_hash(hash, text, size);
    return memcmp(hash, signature->text_hash, HASH_SIZE) == 0 && signature_holds(signature);
}
