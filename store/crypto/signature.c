#include "store/crypto/signature.h"

#include <sodium.h>
#include <string.h>

#include "store/caller.h"
#include "store/crypto/private.h"
#include "store/crypto/seal.h"

#define LABEL_SALT "emsa-request-salt-1"
#define LABEL_KEY "emsa-request-key-1"
#define LABEL_ASKED "emsa-asked-1"
#define DOMAIN_TEXT "emsa-request-1"
/* An identity's key may sign other things one day: none of them begins like this. */
#define DOMAIN_SIGNATURE "emsa-signature-1"
#define SIGNED_SIZE (sizeof DOMAIN_SIGNATURE - 1 + HASH_SIZE)
#define DOMAIN_CALLER "emsa-caller-1"

_Static_assert(SIGNATURE_SIZE == crypto_sign_BYTES, "");
_Static_assert(SIGNING_KEY_SIZE == crypto_sign_PUBLICKEYBYTES, "");
_Static_assert(REQUEST_SEED_SIZE == CRYPTO_KEY_SIZE, "a seed is a key to derive from");
_Static_assert(CALLER_MESSAGE_SIZE == sizeof DOMAIN_CALLER - 1 + STORE_ID_SIZE +
                                          CALLER_CHALLENGE_SIZE + 4 + SIGNING_KEY_SIZE,
               "");
_Static_assert(REQUEST_MESSAGE_SIZE == SIGNED_SIZE, "");

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

int request_check_secret(struct keyring *keyring, void *context, struct secret *scratch,
                         const struct place *place, const void *envelope, size_t size,
                         const uint8_t digest[static HASH_SIZE])
{
    uint8_t key[CRYPTO_KEY_SIZE], found[HASH_SIZE];
    const int error = envelope_open_with_key(keyring, context, scratch, key, place, envelope, size);
    if (error)
        return error;
    secret_digest(found, key, scratch->data, scratch->size);
    wipe(key, sizeof key);
    return memcmp(found, digest, HASH_SIZE) != 0;
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

void request_message(unsigned char out[static REQUEST_MESSAGE_SIZE],
                     uint8_t text_hash[static HASH_SIZE], const void *text, size_t size)
{
    signature_text_hash(text_hash, text, size);
    write_signed(out, text_hash);
}

void identity_signing_key(const struct identity *identity, uint8_t out[static SIGNING_KEY_SIZE])
{
    memcpy(out, identity->ed25519, SIGNING_KEY_SIZE);
}

void identity_sign(const struct identity *identity, uint8_t out[static SIGNATURE_SIZE],
                   const void *message, size_t size)
{
    crypto_sign_detached(out, NULL, message, size, identity_secrets(identity)->ed25519);
}

void request_sign(struct signature *out, const struct identity *identity, const void *text,
                  size_t size)
{
    unsigned char message[SIGNED_SIZE];
    request_message(message, out->text_hash, text, size);
    identity_signing_key(identity, out->key);
    identity_sign(identity, out->bytes, message, sizeof message);
}

void caller_message(unsigned char out[static CALLER_MESSAGE_SIZE], const struct caller_claim *claim)
{
    const size_t domain = sizeof DOMAIN_CALLER - 1;
    memcpy(out, DOMAIN_CALLER, domain);
    out += domain;
    memcpy(out, claim->store_id, STORE_ID_SIZE);
    memcpy(out + STORE_ID_SIZE, claim->challenge, CALLER_CHALLENGE_SIZE);
    out += STORE_ID_SIZE + CALLER_CHALLENGE_SIZE;
    write_u32(out, claim->uid);
    memcpy(out + 4, claim->key, SIGNING_KEY_SIZE);
}

bool caller_is_proven(const struct caller_claim *claim,
                      const uint8_t signature[static SIGNATURE_SIZE])
{
    unsigned char message[CALLER_MESSAGE_SIZE];
    caller_message(message, claim);
    return crypto_sign_verify_detached(signature, message, sizeof message, claim->key) == 0;
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
