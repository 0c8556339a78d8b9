/* The text of a request, as it is written; follow.c reads it. */
#include "store/request.h"

#include <string.h>

#include "store/codec.h"
#include "store/crypto/signature.h"
#include "store/log/operation.h"
#include "store/log/request_tree.h"

void request_begin(struct bytes *out, const uint8_t store_id[static STORE_ID_SIZE],
                   const uint8_t request_id[static REQUEST_ID_SIZE], const char *method)
{
    put_u32(out, REQUEST_FORMAT); /* and three zeros */
    bytes_append(out, store_id, STORE_ID_SIZE);
    bytes_append(out, request_id, REQUEST_ID_SIZE);
    put_short(out, method, strlen(method));
}

void request_put_bool(struct bytes *out, bool value)
{
    put_u8(out, value ? TREE_TRUE : TREE_FALSE);
}

void request_put_number(struct bytes *out, int64_t value)
{
    put_u8(out, TREE_NUMBER);
    put_i64(out, value);
}

void request_put_text(struct bytes *out, const char *text, size_t size)
{
    put_u8(out, TREE_TEXT);
    put_long(out, text, size);
}

void request_put_list(struct bytes *out, size_t count)
{
    put_u8(out, TREE_LIST);
    put_u32(out, (uint32_t)count);
}

void request_put_object(struct bytes *out, size_t count)
{
    put_u8(out, TREE_OBJECT);
    put_u32(out, (uint32_t)count);
}

void request_put_name(struct bytes *out, const char *name)
{
    put_short(out, name, strlen(name));
}

void request_put_digest(struct bytes *out, const uint8_t digest[static HASH_SIZE])
{
    put_u8(out, TREE_DIGEST);
    bytes_append(out, digest, HASH_SIZE);
}

void request_digest(uint8_t out[static HASH_SIZE], uint8_t salt[static SALT_SIZE],
                    const uint8_t seed[static REQUEST_SEED_SIZE], uint32_t number,
                    enum operation_kind kind, const void *value, size_t size)
{
    request_salt(salt, seed, number);
    value_digest_of(out, kind, salt, value, size);
}
