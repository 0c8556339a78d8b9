#include "store/crypto/seal.h"

#include <sodium.h>
#include <string.h>

_Static_assert(CRYPTO_KEY_SIZE == crypto_scalarmult_BYTES, "X25519 keys");
_Static_assert(CRYPTO_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "sealing keys");
_Static_assert(SEAL_TAG_SIZE == crypto_aead_xchacha20poly1305_ietf_ABYTES, "tags");

/* Every sealing key seals once: see envelope.h. */
static const unsigned char no_nonce[crypto_aead_xchacha20poly1305_ietf_NPUBBYTES];

void derive_key(uint8_t out[static CRYPTO_KEY_SIZE], const uint8_t key[static CRYPTO_KEY_SIZE],
                const char *label, const void *data, size_t size)
{
    /* Labels are ours and data is a PLACE or two public keys: one run over one small buffer. */
    unsigned char message[256];
    size_t length = strlen(label);
    message[0] = (unsigned char)length;
    memcpy(message + 1, label, length);
    if (size > 0)
        memcpy(message + 1 + length, data, size);
    crypto_generichash(out, CRYPTO_KEY_SIZE, message, 1 + length + size, key, CRYPTO_KEY_SIZE);
}

void derive_long(uint8_t out[static CRYPTO_KEY_SIZE], const uint8_t key[static CRYPTO_KEY_SIZE],
                 const char *label, const void *data, size_t size)
{
    const unsigned char length = (unsigned char)strlen(label);
    crypto_generichash_state state;
    crypto_generichash_init(&state, key, CRYPTO_KEY_SIZE, CRYPTO_KEY_SIZE);
    crypto_generichash_update(&state, &length, 1);
    crypto_generichash_update(&state, (const unsigned char *)label, length);
    crypto_generichash_update(&state, data, size);
    crypto_generichash_final(&state, out, CRYPTO_KEY_SIZE);
    sodium_memzero(&state, sizeof(state));
}

void fingerprint(uint8_t out[static FINGERPRINT_SIZE], const uint8_t key[static CRYPTO_KEY_SIZE],
                 const void *value, size_t size)
{
    static const char domain[] = "emsa-fingerprint-1";
    const unsigned char length = sizeof(domain) - 1;
    unsigned char run[256]; /* nearly all values fit: one call then, instead of four */
    crypto_generichash_state state;
    if (size <= sizeof(run) - 1 - length) {
        run[0] = length;
        memcpy(run + 1, domain, length);
        if (size > 0)
            memcpy(run + 1 + length, value, size);
        crypto_generichash(out, FINGERPRINT_SIZE, run, 1 + length + size, key, CRYPTO_KEY_SIZE);
        wipe(run, sizeof(run));
        return;
    }
    crypto_generichash_init(&state, key, CRYPTO_KEY_SIZE, FINGERPRINT_SIZE);
    crypto_generichash_update(&state, &length, 1);
    crypto_generichash_update(&state, (const unsigned char *)domain, length);
    crypto_generichash_update(&state, value, size);
    crypto_generichash_final(&state, out, FINGERPRINT_SIZE);
    wipe(&state, sizeof(state)); /* which holds the key and the end of the value */
}

void seal(unsigned char *out, const uint8_t key[static CRYPTO_KEY_SIZE], const void *ad,
          size_t ad_size, const void *text, size_t size)
{
    crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, text, size, ad, ad_size, NULL, no_nonce,
                                               key);
}

int unseal(unsigned char *out, const uint8_t key[static CRYPTO_KEY_SIZE], const void *ad,
           size_t ad_size, const void *sealed, size_t size)
{
    return crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed, size, ad, ad_size,
                                                      no_nonce, key);
}

int shared_key(uint8_t out[static CRYPTO_KEY_SIZE],
               const uint8_t private_key[static CRYPTO_KEY_SIZE],
               const uint8_t their_public[static CRYPTO_KEY_SIZE],
               const uint8_t ephemeral[static CRYPTO_KEY_SIZE],
               const uint8_t holder[static CRYPTO_KEY_SIZE])
{
    uint8_t point[crypto_scalarmult_BYTES], keys[2 * CRYPTO_KEY_SIZE];
    int failed = crypto_scalarmult(point, private_key, their_public);
    if (!failed) {
        memcpy(keys, ephemeral, CRYPTO_KEY_SIZE);
        memcpy(keys + CRYPTO_KEY_SIZE, holder, CRYPTO_KEY_SIZE);
        derive_key(out, point, "emsa-shared-1", keys, sizeof(keys));
    }
    wipe(point, sizeof(point));
    return failed;
}

void new_pair(uint8_t private_key[static CRYPTO_KEY_SIZE],
              uint8_t public_key[static CRYPTO_KEY_SIZE])
{
    random_bytes(private_key, CRYPTO_KEY_SIZE);
    public_of(public_key, private_key);
}

void public_of(uint8_t public_key[static CRYPTO_KEY_SIZE],
               const uint8_t private_key[static CRYPTO_KEY_SIZE])
{
    crypto_scalarmult_base(public_key, private_key);
}

void wipe(void *data, size_t size)
{
    sodium_memzero(data, size);
}

static unsigned char *write_number(unsigned char *at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        *at++ = (unsigned char)(value >> (8 * i));
    return at;
}

unsigned char *write_u32(unsigned char *at, uint32_t value)
{
    return write_number(at, value, 4);
}

unsigned char *write_u64(unsigned char *at, uint64_t value)
{
    return write_number(at, value, 8);
}

unsigned char *write_owner(unsigned char *at, const struct recipient *owner)
{
    at = write_u32(at, owner->environment);
    at = write_u32(at, owner->service);
    return write_u32(at, owner->generation);
}
