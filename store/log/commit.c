#include "store/log/commit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/codec.h"
#include "store/db/keys.h"
#include "store/error.h"
#include "store/limits.h"

#define COMMIT_FORMAT 1
#define SUM_SIZE (4 + 4 + 4 + HASH_SIZE)
#define HEADER_MAX (8192 + COMMIT_OPERATIONS_MAX * (size_t)SUM_SIZE)

#define SIGNATURE_ED25519 1
#define SIGNATURE_FIELD_SIZE (SIGNING_KEY_SIZE + HASH_SIZE + SIGNATURE_SIZE)

static void take_signature(struct signature *out, const unsigned char *field)
{
    struct decoder in = DECODER(field, SIGNATURE_FIELD_SIZE);
    take_copy(&in, out->key, SIGNING_KEY_SIZE);
    take_copy(&in, out->text_hash, HASH_SIZE);
    take_copy(&in, out->bytes, SIGNATURE_SIZE);
}

static void put_signature(struct bytes *out, const struct signature *signature)
{
    put_u8(out, signature ? SIGNATURE_ED25519 : 0);
    put_u32(out, signature ? SIGNATURE_FIELD_SIZE : 0);
    if (!signature)
        return;
    bytes_append(out, signature->key, SIGNING_KEY_SIZE);
    bytes_append(out, signature->text_hash, HASH_SIZE);
    bytes_append(out, signature->bytes, SIGNATURE_SIZE);
}

int header_decode(struct header *out, struct slice body)
{
    struct decoder in = DECODER(body.data, body.size);
    struct header found = {0};
    size_t fields, signature;
    const unsigned format = take_u8(&in);
    const unsigned flags = take_u8(&in);
    const unsigned zero = take_u16(&in);
    if (!in.failed && (format != COMMIT_FORMAT || flags || zero))
        return error_set(ERR_FORMAT, "a commit of format %u is not known to this version", format);
    take_copy(&in, found.store_id, STORE_ID_SIZE);
    found.rev = take_u64(&in);
    take_copy(&in, found.parent, HASH_SIZE);
    found.time = take_i64(&in);
    found.operations = take_u32(&in);
    take_copy(&in, found.request_id, REQUEST_ID_SIZE);
    found.author = (const char *)take_short(&in, &found.author_size, AUTHOR_MAX);
    found.reason = (const char *)take_long(&in, &found.reason_size, REASON_MAX);
    found.scope_count = take_u32(&in);
    if (found.scope_count > COMMIT_OPERATIONS_MAX)
        return error_set(ERR_CORRUPT, "a commit's header has too many scopes");
    found.scopes = take_bytes(&in, found.scope_count * (size_t)SUM_SIZE);
    take_long(&in, &fields, HEADER_MAX);
    const unsigned type = take_u8(&in);
    const unsigned char *signed_by = take_long(&in, &signature, HEADER_MAX);
    found.is_signed = type == SIGNATURE_ED25519;
    if (!in.failed && (fields || type > SIGNATURE_ED25519 ||
                       signature != (found.is_signed ? SIGNATURE_FIELD_SIZE : 0)))
        return error_set(ERR_FORMAT, "a commit has parts that are not known to this version");
    if (found.is_signed && !in.failed)
        take_signature(&found.signature, signed_by);
    const int error = decoder_end(&in, "commit header");
    if (!error)
        *out = found;
    return error;
}

void header_hash(uint8_t out[static HASH_SIZE], struct slice body)
{
    const struct hash_part part = {body.data, body.size};
    hash_parts(out, "emsa-commit-1", &part, 1);
}

struct scope_sum header_scope(const struct header *header, uint32_t index)
{
    struct decoder in = DECODER(header->scopes + index * (size_t)SUM_SIZE, SUM_SIZE);
    struct scope_sum sum;
    sum.environment = take_u32(&in);
    sum.service = take_u32(&in);
    sum.count = take_u32(&in);
    take_copy(&in, sum.hash, HASH_SIZE);
    return sum;
}

bool header_touches(const struct header *header, uint32_t environment, uint32_t service)
{
    uint32_t low = 0, high = header->scope_count;
    const uint32_t wanted = service == COMMIT_ANY_SERVICE ? 0 : service;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const struct scope_sum sum = header_scope(header, middle);
        if (sum.environment < environment ||
            (sum.environment == environment && sum.service < wanted))
            low = middle + 1;
        else
            high = middle;
    }
    if (low == header->scope_count)
        return false;
    const struct scope_sum sum = header_scope(header, low);
    return sum.environment == environment &&
           (service == COMMIT_ANY_SERVICE || sum.service == service);
}

void leaves_release(struct leaves *leaves)
{
    free(leaves->items);
    *leaves = (struct leaves){0};
}

int leaves_add(struct leaves *leaves, const struct leaf *leaf)
{
    if (leaves->count == leaves->capacity) {
        const size_t capacity = leaves->capacity ? leaves->capacity * 2 : 16;
        struct leaf *items = realloc(leaves->items, capacity * sizeof *items);
        if (!items)
            return error_set(ERR_NOMEM, "no memory for a commit of %zu operations", capacity);
        leaves->items = items;
        leaves->capacity = capacity;
    }
    leaves->items[leaves->count++] = *leaf;
    return 0;
}

static int leaf_order(const void *a, const void *b)
{
    const struct leaf *left = a, *right = b;
    if (left->environment != right->environment)
        return left->environment < right->environment ? -1 : 1;
    if (left->service != right->service)
        return left->service < right->service ? -1 : 1;
    return left->op < right->op ? -1 : left->op > right->op;
}

static void hash_scope(struct scope_sum *sum, const struct bytes *joined)
{
    unsigned char scope[8];
    struct bytes head = {.data = scope, .capacity = sizeof scope, .limit = sizeof scope};
    put_u32(&head, sum->environment);
    put_u32(&head, sum->service);
    const struct hash_part parts[] = {{scope, sizeof scope}, {joined->data, joined->size}};
    hash_parts(sum->hash, "emsa-scope-1", parts, 2);
}

int leaves_sum(struct leaves *leaves, int (*sum)(void *arg, const struct scope_sum *), void *arg)
{
    BYTES_CLEANUP struct bytes joined = BYTES_INIT(COMMIT_OPERATIONS_MAX * (size_t)HASH_SIZE);
    if (leaves->count)
        qsort(leaves->items, leaves->count, sizeof *leaves->items, leaf_order);
    for (size_t i = 0; i < leaves->count;) {
        struct scope_sum scope = {.environment = leaves->items[i].environment,
                                  .service = leaves->items[i].service};
        bytes_reset(&joined);
        for (; i < leaves->count && leaves->items[i].environment == scope.environment &&
               leaves->items[i].service == scope.service;
             i++) {
            bytes_append(&joined, leaves->items[i].hash, HASH_SIZE);
            scope.count++;
        }
        if (joined.error)
            return joined.error;
        hash_scope(&scope, &joined);
        const int stop = sum(arg, &scope);
        if (stop)
            return stop;
    }
    return 0;
}

int64_t time_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int draft_begin(struct draft *draft, struct txn *txn, int64_t now)
{
    *draft = (struct draft){.txn = txn, .record = BYTES_INIT(HEADER_MAX)};
    int error = state_store_id(txn, draft->store_id);
    if (!error)
        error = state_head(txn, &draft->head);
    if (error)
        return error;
    memcpy(draft->parent, draft->head.hash, HASH_SIZE);
    draft->head.rev++;
    /* Times in the log only go forward, so that "as of" has one answer. */
    draft->head.time = now > draft->head.time ? now : draft->head.time + 1;
    return 0;
}

int draft_add(struct draft *draft, const struct operation *operation, struct slice value)
{
    struct leaf leaf = {.environment = operation->environment,
                        .service = operation->service,
                        .op = (uint32_t)draft->leaves.count};
    bytes_reset(&draft->record);
    operation_encode(&draft->record, operation);
    if (draft->record.error)
        return draft->record.error;
    const struct slice body = {draft->record.data, draft->record.size};
    operation_leaf(leaf.hash, draft->store_id, draft->head.rev, leaf.op, body);
    struct key key;
    const struct slice place = key_operation(&key, draft->head.rev, leaf.op);
    txn_append(draft->txn, DB_LOG, place, body);
    if (value.data)
        txn_append(draft->txn, DB_VALUE, place, value);
    return leaves_add(&draft->leaves, &leaf);
}

static int put_sum(void *arg, const struct scope_sum *sum)
{
    struct bytes *out = arg;
    put_u32(out, sum->environment);
    put_u32(out, sum->service);
    put_u32(out, sum->count);
    bytes_append(out, sum->hash, HASH_SIZE);
    return out->error;
}

/* The number of scopes stands before them and is known after them: written over its place. */
static int put_scopes(struct bytes *out, struct leaves *leaves)
{
    const size_t place = out->size;
    put_u32(out, 0);
    const int error = leaves_sum(leaves, put_sum, out);
    if (error || out->error)
        return error ? error : out->error;
    const size_t count = (out->size - place - 4) / SUM_SIZE;
    struct bytes number = {.data = out->data + place, .capacity = 4, .limit = 4};
    put_u32(&number, (uint32_t)count);
    return number.error;
}

int draft_finish(struct draft *draft, const struct author *author, const char *reason,
                 const uint8_t request_id[static REQUEST_ID_SIZE])
{
    static const uint8_t no_request[REQUEST_ID_SIZE];
    struct bytes *out = &draft->record;
    if (!reason)
        reason = "";
    if (strlen(reason) > REASON_MAX)
        return error_set(ERR_INVALID, "the reason is longer than %u bytes", REASON_MAX);
    bytes_reset(out);
    put_u8(out, COMMIT_FORMAT);
    put_u8(out, 0);
    put_u16(out, 0);
    bytes_append(out, draft->store_id, STORE_ID_SIZE);
    put_u64(out, draft->head.rev);
    bytes_append(out, draft->parent, HASH_SIZE);
    put_i64(out, draft->head.time);
    put_u32(out, (uint32_t)draft->leaves.count);
    bytes_append(out, request_id, REQUEST_ID_SIZE);
    put_short(out, author->name, strnlen(author->name, AUTHOR_MAX));
    put_long(out, reason, strlen(reason));
    const int error = put_scopes(out, &draft->leaves);
    put_long(out, "", 0); /* fields to come: checkpoints, a fresh-until time */
    put_signature(out, draft->signature);
    if (error || out->error)
        return error ? error : out->error;

    const struct slice body = {out->data, out->size};
    header_hash(draft->head.hash, body);
    struct key key;
    txn_append(draft->txn, DB_COMMIT, key_commit(&key, draft->head.rev), body);
    if (draft->signature)
        txn_append(draft->txn, DB_SIGNED, key_commit(&key, draft->head.rev), draft->request);
    state_put_head(draft->txn, &draft->head);
    if (memcmp(request_id, no_request, REQUEST_ID_SIZE) != 0)
        state_put_request(draft->txn, request_id, draft->head.rev);
    return txn_error(draft->txn);
}

void draft_release(struct draft *draft)
{
    leaves_release(&draft->leaves);
    bytes_release(&draft->record);
}
