/* Sealed texts: the layout is in store/FORMAT.md, "Sealed text". */
#include "store/sealed.h"

#include <sodium.h>
#include <string.h>

#include "store/codec.h"
#include "store/crypto/seal.h"
#include "store/crypto/sealed_open.h"
#include "store/crypto/signature.h"
#include "store/error.h"
#include "store/limits.h"

#define PREFIX "emsa-sealed-"
#define VERSION 1
#define CHECK_SIZE 16
#define INNER_SIZE (CRYPTO_KEY_SIZE + 8) /* before the value: data key, length */
#define BLANKS " \t\r\n"
#define BODY_MAX (VALUE_MAX + VALUE_MAX / 8 + 4096)

#define LABEL_COMMITMENT "emsa-sealed-commitment-1"
#define LABEL_KEY "emsa-sealed-key-1"
#define DOMAIN_CHECK "emsa-sealed-check-1"

_Static_assert(SEALED_KEY_SIZE == CRYPTO_KEY_SIZE, "");
_Static_assert(BODY_MAX / 3 * 4 + 64 < SEALED_TEXT_MAX, "the longest value has a text");

static void check_of(uint8_t out[static CHECK_SIZE], const struct bytes *body, size_t size)
{
    uint8_t hash[BLAKE_SIZE];
    const struct hash_part part = {body->data, size};
    hash_parts(hash, DOMAIN_CHECK, &part, 1);
    memcpy(out, hash, CHECK_SIZE);
}

/* --- making --- */

/* What is sealed: data key, length, the value and zeros. */
static int write_inner(struct secret *inner, const struct secret *value,
                       const uint8_t key[static CRYPTO_KEY_SIZE])
{
    const size_t size = INNER_SIZE + envelope_padded(value->size);
    const int error = secret_alloc(inner, size);
    if (error)
        return error;
    memcpy(inner->data, key, CRYPTO_KEY_SIZE);
    write_u64(inner->data + CRYPTO_KEY_SIZE, value->size);
    if (value->size > 0)
        memcpy(inner->data + INNER_SIZE, value->data, value->size);
    inner->size = size;
    return 0;
}

static void put_head(struct bytes *body, const struct sealed_for *owner, const struct path *key,
                     const uint8_t digest[static HASH_SIZE],
                     const uint8_t ephemeral[static CRYPTO_KEY_SIZE])
{
    static const uint8_t zeros[3];
    put_u8(body, VERSION);
    bytes_append(body, zeros, sizeof zeros);
    bytes_append(body, owner->store_id, STORE_ID_SIZE);
    put_u32(body, owner->environment);
    put_u32(body, owner->service);
    put_u32(body, owner->generation);
    put_short(body, key->environment, strlen(key->environment));
    put_short(body, key->service, strlen(key->service));
    put_short(body, key->key, strlen(key->key));
    bytes_append(body, digest, HASH_SIZE);
    bytes_append(body, ephemeral, CRYPTO_KEY_SIZE);
}

/* The commitment, and what is sealed, behind a head. */
static void put_sealed(struct bytes *body, const struct secret *inner,
                       const uint8_t kek[static CRYPTO_KEY_SIZE])
{
    uint8_t commitment[BLAKE_SIZE], key[CRYPTO_KEY_SIZE];
    if (body->error)
        return;
    derive_long(commitment, kek, LABEL_COMMITMENT, body->data, body->size);
    bytes_append(body, commitment, sizeof commitment);
    const size_t head = body->size;
    put_u32(body, (uint32_t)(inner->size + SEAL_TAG_SIZE));
    unsigned char *room = bytes_reserve(body, inner->size + SEAL_TAG_SIZE);
    if (!room)
        return;
    derive_key(key, kek, LABEL_KEY, NULL, 0);
    seal(room, key, body->data, head, inner->data, inner->size);
    wipe(key, sizeof key);
    body->size += inner->size + SEAL_TAG_SIZE;
}

static int put_body(struct bytes *body, const struct sealed_for *owner, const struct path *path,
                    const struct secret *value)
{
    SECRET_CLEANUP struct secret inner = {0};
    uint8_t private_key[CRYPTO_KEY_SIZE], ephemeral[CRYPTO_KEY_SIZE], kek[CRYPTO_KEY_SIZE];
    uint8_t key[CRYPTO_KEY_SIZE], digest[HASH_SIZE], check[CHECK_SIZE];
    random_bytes(key, sizeof key);
    secret_digest(digest, key, value->data, value->size);
    int error = write_inner(&inner, value, key);
    wipe(key, sizeof key);
    if (error)
        return error;
    new_pair(private_key, ephemeral);
    if (shared_key(kek, private_key, owner->public_key, ephemeral, owner->public_key))
        error = error_set(ERR_INVALID, "what the server says is no public key");
    wipe(private_key, sizeof private_key);
    if (error)
        return error;
    put_head(body, owner, path, digest, ephemeral);
    put_sealed(body, &inner, kek);
    wipe(kek, sizeof kek);
    if (!body->error)
        check_of(check, body, body->size);
    bytes_append(body, check, body->error ? 0 : sizeof check);
    return body->error;
}

static void put_text(struct bytes *out, const struct bytes *body)
{
    const size_t size = sodium_base64_encoded_len(body->size, sodium_base64_VARIANT_ORIGINAL);
    bytes_append_format(out, PREFIX "%d:", VERSION);
    char *room = (char *)bytes_reserve(out, size);
    if (!room)
        return;
    sodium_bin2base64(room, size, body->data, body->size, sodium_base64_VARIANT_ORIGINAL);
    out->size += size - 1; /* without its NUL */
}

int sealed_make(struct bytes *out, const struct sealed_for *owner, const struct path *key,
                const struct secret *value)
{
    struct bytes body = BYTES_INIT(BODY_MAX);
    int error = crypto_setup();
    if (error)
        return error;
    if (value->size > VALUE_MAX)
        return error_set(ERR_INVALID, "the value has %zu bytes; a value holds up to %u",
                         value->size, VALUE_MAX);
    if (path_depth(key) != PATH_KEY)
        return error_set(ERR_INVALID, "what is sealed is the value of a key");
    error = put_body(&body, owner, key, value);
    if (!error)
        put_text(out, &body);
    bytes_release(&body);
    return error ? error : out->error;
}

/* --- reading --- */

void sealed_release(struct sealed *sealed)
{
    bytes_release(&sealed->body);
    *sealed = (struct sealed){.head = 0};
}

static int damaged(void)
{
    return error_set(ERR_CORRUPT, "the sealed text is damaged: it is not whole, or was changed");
}

static void skip_blanks(const char **text, size_t *size)
{
    while (*size && strchr(BLANKS, **text) && **text) {
        (*text)++;
        (*size)--;
    }
}

/* Past the word and the number that every sealed text begins with. */
static int skip_prefix(const char **text, size_t *size)
{
    unsigned version = 0;
    size_t digits = 0;
    skip_blanks(text, size);
    if (*size < sizeof PREFIX - 1 || memcmp(*text, PREFIX, sizeof PREFIX - 1) != 0)
        return error_set(ERR_INVALID, "it is no sealed text (emsa seal makes one)");
    *text += sizeof PREFIX - 1;
    *size -= sizeof PREFIX - 1;
    while (digits < *size && digits < 4 && (*text)[digits] >= '0' && (*text)[digits] <= '9')
        version = version * 10 + (unsigned)((*text)[digits++] - '0');
    if (digits == 0 || digits == *size || (*text)[digits] != ':')
        return damaged();
    if (version != VERSION)
        return error_set(ERR_FORMAT, "a sealed text of version %u, which is not known here",
                         version);
    *text += digits + 1;
    *size -= digits + 1;
    return 0;
}

static int decode(struct bytes *body, const char *text, size_t size)
{
    size_t decoded = 0;
    *body = BYTES_INIT(SEALED_TEXT_MAX);
    unsigned char *room = size > 0 && size <= SEALED_TEXT_MAX ? bytes_reserve(body, size) : NULL;
    if (!room)
        return body->error ? body->error : damaged();
    if (sodium_base642bin(room, size, text, size, BLANKS, &decoded, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return damaged();
    body->size = decoded;
    return 0;
}

/* The names are names, or nothing could be set there. */
static bool take_names(struct decoder *in, struct path *path)
{
    char environment[ENVIRONMENT_NAME_MAX + 1], service[SERVICE_NAME_MAX + 1];
    char key[KEY_NAME_MAX + 1];
    take_text(in, environment, sizeof environment);
    take_text(in, service, sizeof service);
    take_text(in, key, sizeof key);
    return !in->failed && path_make(path, environment, service, key) == 0 &&
           path_depth(path) == PATH_KEY;
}

static bool parse(struct sealed *out)
{
    struct bytes *body = &out->body;
    uint8_t check[CHECK_SIZE];
    uint8_t zeros = 0;
    size_t size;
    if (body->size < CHECK_SIZE)
        return false;
    const size_t covered = body->size - CHECK_SIZE;
    check_of(check, body, covered);
    if (memcmp(check, body->data + covered, CHECK_SIZE) != 0)
        return false;
    struct decoder in = DECODER(body->data, covered);
    const bool is_known = take_u8(&in) == VERSION;
    for (int i = 0; i < 3; i++)
        zeros |= take_u8(&in);
    take_copy(&in, out->store_id, STORE_ID_SIZE);
    out->environment = take_u32(&in);
    out->service = take_u32(&in);
    out->generation = take_u32(&in);
    if (!is_known || zeros || !take_names(&in, &out->path))
        return false;
    take_copy(&in, out->digest, HASH_SIZE);
    take_bytes(&in, CRYPTO_KEY_SIZE);
    out->head = covered - in.left;
    take_bytes(&in, BLAKE_SIZE);
    const unsigned char *sealed =
        take_long(&in, &size, INNER_SIZE + envelope_padded(VALUE_MAX) + SEAL_TAG_SIZE);
    if (in.failed || in.left || size < INNER_SIZE + SEAL_TAG_SIZE)
        return false;
    out->sealed_at = (size_t)(sealed - body->data);
    out->padded = size - INNER_SIZE - SEAL_TAG_SIZE;
    return true;
}

int sealed_read(struct sealed *out, const void *text, size_t size)
{
    struct sealed sealed = {.head = 0};
    const char *rest = text;
    int error = crypto_setup();
    if (!error)
        error = skip_prefix(&rest, &size);
    if (!error)
        error = decode(&sealed.body, rest, size);
    if (!error && !parse(&sealed))
        error = damaged();
    if (error)
        sealed_release(&sealed);
    *out = sealed;
    return error;
}

/* --- opening --- */

static int not_what_was_sealed(void)
{
    return error_set(ERR_CORRUPT, "the sealed text is not what was sealed for this service");
}

/* The value and its key out of what was sealed. */
static int take_inner(struct secret *value, struct secret *key, const struct secret *inner,
                      const struct sealed *sealed)
{
    uint8_t digest[HASH_SIZE];
    const unsigned char *data = inner->data + INNER_SIZE;
    struct decoder in = DECODER(inner->data + CRYPTO_KEY_SIZE, 8);
    const uint64_t length = take_u64(&in);
    unsigned char rest = 0;
    if (length > VALUE_MAX || envelope_padded(length) != sealed->padded)
        return not_what_was_sealed();
    for (size_t i = length; i < sealed->padded; i++)
        rest |= data[i];
    secret_digest(digest, inner->data, data, length);
    if (rest || !equal_constant_time(digest, sealed->digest, HASH_SIZE))
        return not_what_was_sealed();
    int error = secret_grow(value, length ? length : 1);
    if (!error)
        error = secret_grow(key, CRYPTO_KEY_SIZE);
    if (error)
        return error;
    memcpy(value->data, data, length);
    value->size = length;
    memcpy(key->data, inner->data, CRYPTO_KEY_SIZE);
    key->size = CRYPTO_KEY_SIZE;
    return 0;
}

static int open_inner(struct secret *inner, const struct sealed *sealed,
                      const uint8_t kek[static CRYPTO_KEY_SIZE])
{
    const unsigned char *body = sealed->body.data;
    uint8_t commitment[BLAKE_SIZE], key[CRYPTO_KEY_SIZE];
    derive_long(commitment, kek, LABEL_COMMITMENT, body, sealed->head);
    if (!equal_constant_time(commitment, body + sealed->head, BLAKE_SIZE))
        return not_what_was_sealed();
    int error = secret_alloc(inner, INNER_SIZE + sealed->padded);
    if (error)
        return error;
    inner->size = INNER_SIZE + sealed->padded; /* so that all of it is wiped */
    derive_key(key, kek, LABEL_KEY, NULL, 0);
    if (unseal(inner->data, key, body, sealed->head + BLAKE_SIZE, body + sealed->sealed_at,
               INNER_SIZE + sealed->padded + SEAL_TAG_SIZE))
        error = not_what_was_sealed();
    wipe(key, sizeof key);
    return error;
}

int sealed_open(struct keyring *keyring, void *context, struct secret *value, struct secret *key,
                const struct sealed *sealed)
{
    SECRET_CLEANUP struct secret inner = {0};
    const struct recipient owner = {.environment = sealed->environment,
                                    .service = sealed->service,
                                    .generation = sealed->generation};
    uint8_t kek[CRYPTO_KEY_SIZE];
    int error = keyring_shared(keyring, kek, context, &owner,
                               sealed->body.data + sealed->head - CRYPTO_KEY_SIZE);
    if (error)
        return error;
    error = open_inner(&inner, sealed, kek);
    wipe(kek, sizeof kek);
    return error ? error : take_inner(value, key, &inner, sealed);
}
