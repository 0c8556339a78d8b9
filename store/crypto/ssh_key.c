#include "store/ssh_key.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "store/codec.h"
#include "store/error.h"

#define TYPE_SIZE (sizeof SSH_KEY_TYPE - 1)
#define NAME_SHOWN 40 /* of a type that is not ours */

_Static_assert(SSH_KEY_DATA_SIZE == 4 + TYPE_SIZE + 4 + SSH_KEY_SIZE, "");
_Static_assert(SSH_KEY_SIZE == crypto_sign_PUBLICKEYBYTES, "");
_Static_assert(SSH_SIGNATURE_SIZE == crypto_sign_BYTES, "");

const unsigned char *ssh_string(struct decoder *in, size_t *size)
{
    const unsigned char *length = take_bytes(in, 4);
    *size = length == NULL ? 0
                           : (size_t)length[0] << 24 | (size_t)length[1] << 16 |
                                 (size_t)length[2] << 8 | length[3];
    return length == NULL ? NULL : take_bytes(in, *size);
}

static bool is_ours(const unsigned char *type, size_t size)
{
    return type != NULL && size == TYPE_SIZE && memcmp(type, SSH_KEY_TYPE, TYPE_SIZE) == 0;
}

/* A type's name as it may be shown: it is whoever's who wrote the file, or the agent's. */
static void tame(char out[static NAME_SHOWN + 1], const unsigned char *type, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < size && used < NAME_SHOWN; i++)
        out[used++] = type[i] > ' ' && type[i] < 0x7f ? (char)type[i] : '?';
    out[used] = '\0';
}

/* The type and then exactly so many bytes. */
static int read_typed(uint8_t *out, size_t wanted, const void *data, size_t size, const char *what)
{
    char name[NAME_SHOWN + 1];
    struct decoder in = DECODER(data, size);
    size_t type_size, found;
    const unsigned char *type = ssh_string(&in, &type_size);
    if (type != NULL && type_size > 0 && !is_ours(type, type_size)) {
        tame(name, type, type_size);
        return error_set(ERR_INVALID,
                         "this is a %s of type '%s', and an identity is an Ed25519 key "
                         "('ssh-keygen -t ed25519' makes one)",
                         what, name);
    }
    const unsigned char *bytes = ssh_string(&in, &found);
    if (bytes == NULL || found != wanted || in.left > 0)
        return error_set(ERR_INVALID, "this is no %s of ssh", what);
    memcpy(out, bytes, wanted);
    return 0;
}

int ssh_key_read(uint8_t key[static SSH_KEY_SIZE], const void *data, size_t size)
{
    return read_typed(key, SSH_KEY_SIZE, data, size, "key");
}

int ssh_signature_read(uint8_t out[static SSH_SIGNATURE_SIZE], const void *data, size_t size)
{
    return read_typed(out, SSH_SIGNATURE_SIZE, data, size, "signature");
}

void ssh_key_write(unsigned char out[static SSH_KEY_DATA_SIZE],
                   const uint8_t key[static SSH_KEY_SIZE])
{
    memset(out, 0, SSH_KEY_DATA_SIZE);
    out[3] = TYPE_SIZE;
    memcpy(out + 4, SSH_KEY_TYPE, TYPE_SIZE);
    out[4 + TYPE_SIZE + 3] = SSH_KEY_SIZE;
    memcpy(out + 4 + TYPE_SIZE + 4, key, SSH_KEY_SIZE);
}

void ssh_key_fingerprint(char out[static SSH_FINGERPRINT_MAX],
                         const uint8_t key[static SSH_KEY_SIZE])
{
    static const char mark[] = "SHA256:";
    unsigned char data[SSH_KEY_DATA_SIZE], hash[crypto_hash_sha256_BYTES];
    ssh_key_write(data, key);
    crypto_hash_sha256(hash, data, sizeof data);
    memcpy(out, mark, sizeof mark);
    sodium_bin2base64(out + sizeof mark - 1, SSH_FINGERPRINT_MAX - (sizeof mark - 1), hash,
                      sizeof hash, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
}

int ssh_key_public(char text[static IDENTITY_TEXT_MAX], const uint8_t key[static SSH_KEY_SIZE])
{
    unsigned char x25519[32];
    if (crypto_sign_ed25519_pk_to_curve25519(x25519, key) != 0)
        return error_set(ERR_INVALID, "the key is none that anybody could have made");
    identity_public_text(text, x25519, key);
    return 0;
}

bool ssh_key_signed(const uint8_t key[static SSH_KEY_SIZE],
                    const uint8_t signature[static SSH_SIGNATURE_SIZE], const void *message,
                    size_t size)
{
    return crypto_sign_verify_detached(signature, message, size, key) == 0;
}
