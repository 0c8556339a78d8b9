#include "store/model/gather.h"

#include <stdlib.h>
#include <string.h>

#include "store/crypto/envelope.h"
#include "store/error.h"
#include "store/limits.h"
#include "store/request.h"
#include "store/sealed.h"

const char *gather_copy(struct gather *gather, const void *data, size_t size)
{
    const char *copy = text_blocks_copy(&gather->texts, data, size);
    if (!copy)
        error_set(ERR_NOMEM, "no memory to gather a change");
    return copy;
}

struct kept_wish {
    struct kept_wish *next;
    struct wish wish;
    struct definition resealed; /* what its own points at, if at anything */
};

struct wish *gather_keep(struct gather *gather)
{
    struct kept_wish *kept = calloc(1, sizeof *kept);
    if (!kept) {
        error_set(ERR_NOMEM, "no memory to gather a change");
        return NULL;
    }
    kept->next = gather->kept;
    gather->kept = kept;
    return &kept->wish;
}

struct wish *gather_keep_resealed(struct gather *gather, const struct definition *definition)
{
    struct wish *made = gather_keep(gather);
    if (!made)
        return NULL;
    gather->kept->resealed = *definition;
    made->resealed = &gather->kept->resealed;
    return made;
}

struct kept_sealed {
    struct kept_sealed *next;
    struct sealed sealed;
};

const struct sealed *gather_keep_sealed(struct gather *gather, struct sealed *sealed)
{
    struct kept_sealed *kept = calloc(1, sizeof *kept);
    if (!kept) {
        error_set(ERR_NOMEM, "no memory to gather a change");
        return NULL;
    }
    kept->sealed = *sealed;
    *sealed = (struct sealed){.head = 0};
    kept->next = gather->sealed;
    gather->sealed = kept;
    return &kept->sealed;
}

static int grow(struct gather *gather)
{
    if (gather->count < gather->capacity)
        return 0;
    const size_t capacity = gather->capacity ? gather->capacity * 2 : 8;
    struct wish *wishes = realloc(gather->wishes, capacity * sizeof *wishes);
    if (!wishes)
        return error_set(ERR_NOMEM, "no memory to gather a change");
    gather->wishes = wishes;
    gather->capacity = capacity;
    return 0;
}

/* The next value's number. NULL: no memory. */
static struct asked_value *next_value(struct gather *gather, struct wish *wish)
{
    if (gather->value_count == gather->value_capacity) {
        const uint32_t capacity = gather->value_capacity ? gather->value_capacity * 2 : 8;
        struct asked_value *values = realloc(gather->values, capacity * sizeof *values);
        if (!values) {
            error_set(ERR_NOMEM, "no memory to gather a change");
            return NULL;
        }
        gather->values = values;
        gather->value_capacity = capacity;
    }
    wish->number = ++gather->value_count;
    return &gather->values[wish->number - 1];
}

int gather_number(struct gather *gather, struct wish *wish, const uint8_t digest[static HASH_SIZE])
{
    struct asked_value *value = next_value(gather, wish);
    if (!value)
        return -ERR_NOMEM;
    *value = (struct asked_value){.digest = {0}};
    memcpy(value->digest, digest, HASH_SIZE);
    return 0;
}

/* Its salt and digest are made at once, for they are asked for before anything else is done with
 * it. */
static int number_value(struct gather *gather, struct wish *wish)
{
    struct asked_value *value = next_value(gather, wish);
    if (!value)
        return -ERR_NOMEM;
    if (wish->kind == OPERATION_SET_SECRET)
        request_digest_secret(value->digest, gather->seed.data, wish->number, wish->secret.data,
                              wish->secret.size);
    else
        request_digest(value->digest, value->salt, gather->seed.data, wish->number, wish->kind,
                       wish->value, wish->size);
    return 0;
}

int gather_add(struct gather *gather, enum operation_kind kind, const struct path *path,
               const void *value, size_t size, struct secret *secret)
{
    const size_t stored = secret ? envelope_padded(size) : size;
    if (gather->count >= COMMIT_OPERATIONS_MAX)
        return error_set(ERR_INVALID, "more than %u operations in one commit; split it",
                         COMMIT_OPERATIONS_MAX);
    if (stored > COMMIT_BYTES_MAX - gather->value_bytes)
        return error_set(ERR_INVALID, "more than %u bytes of values in one commit; split it",
                         COMMIT_BYTES_MAX);
    int error = grow(gather);
    if (error)
        return error;
    const struct wish *before = gather->count ? &gather->wishes[gather->count - 1] : NULL;
    struct wish wish = {.kind = kind, .size = size};
    /* wishes come in runs of one service */
    wish.environment =
        text_blocks_again(&gather->texts, before ? before->environment : NULL, path->environment);
    wish.service =
        text_blocks_again(&gather->texts, before ? before->service : NULL, path->service);
    wish.key = gather_copy(gather, path->key, strlen(path->key));
    if (value)
        wish.value = (const unsigned char *)gather_copy(gather, value, size);
    if (!wish.environment || !wish.service || !wish.key || (value && !wish.value))
        return error_set(ERR_NOMEM, "no memory to gather a change");
    if (secret)
        wish.secret = *secret;
    if (gather->seed.data && (value || secret)) {
        error = number_value(gather, &wish);
        if (error)
            return error;
    }
    if (secret)
        *secret = (struct secret){0};
    gather->value_bytes += stored;
    gather->additions += kind != OPERATION_REMOVE && kind != OPERATION_SERVICE_REMOVE &&
                         kind != OPERATION_ENVIRONMENT_REMOVE && kind != GATHER_REMOVE_ALL &&
                         kind != GATHER_REMOVE_DUE && kind != OPERATION_UNSHARE &&
                         kind != OPERATION_SCHEMA_REMOVE && kind != OPERATION_UNLOCK &&
                         kind != OPERATION_UNTAG && kind != OPERATION_RIGHTS_REVOKE;
    gather->wishes[gather->count++] = wish;
    return 0;
}

void gather_release(struct gather *gather)
{
    for (size_t i = 0; i < gather->count; i++)
        secret_release(&gather->wishes[i].secret);
    free(gather->wishes);
    while (gather->kept) {
        struct kept_wish *next = gather->kept->next;
        secret_release(&gather->kept->wish.secret);
        secret_release(&gather->kept->wish.data_key);
        free(gather->kept);
        gather->kept = next;
    }
    while (gather->sealed) {
        struct kept_sealed *next = gather->sealed->next;
        sealed_release(&gather->sealed->sealed);
        free(gather->sealed);
        gather->sealed = next;
    }
    text_blocks_release(&gather->texts);
    free(gather->values);
    secret_release(&gather->seed);
    *gather = (struct gather){0};
}
