#include "store/log/operation.h"

#include <string.h>

#include "store/codec.h"
#include "store/db/keys.h"
#include "store/error.h"
#include "store/grant.h"

#define OPERATION_FORMAT 1
#define VALUE_FORMAT 1
#define VALUE_PURGED 0 /* the kind of a value that was destroyed */
#define FLAG_FIRST 1u
#define FLAG_SAME 2u
#define FLAG_ALLOWED_EQUAL 4u
#define FLAG_PROTECTED 8u
#define FLAG_OVERRIDE 16u
#define FLAG_SIGNED 32u
#define FLAGS_KNOWN 63u

enum field {
    FIELD_PUBLIC_KEY = 1,
    FIELD_FOR_KEY = 2,
    FIELD_WRAPPED = 3,
    FIELD_SIGNING_KEY = 4,
    FIELD_BASE = 16,
    FIELD_EXPIRES = 17,
    FIELD_CONSUMER = 19,
    FIELD_REVISION = 20,
    FIELD_FROM = 21,
    FIELD_PRINCIPAL = 22,
    FIELD_RIGHTS = 23,
    FIELD_VERSION = 24,
    FIELD_VALUE_KEY = 25,
    FIELD_PURGED = 32,
    FIELD_UNTIL = 33,
    FIELD_REMAINS = 34,
};

/* environment u32, name id u64, rev u64 */
#define FROM_SIZE 20u
/* rev u64, op u32 */
#define VERSION_SIZE 12u

bool operation_has_value(enum operation_kind kind)
{
    return operation_is_set(kind) || kind == OPERATION_SCHEMA_SET || kind == OPERATION_DEFAULT_SET;
}

enum operation_kind operation_value_kind(enum operation_kind kind)
{
    return kind == OPERATION_DEFAULT_SET ? OPERATION_SET_PLAIN : kind;
}

bool operation_is_set(enum operation_kind kind)
{
    return kind >= OPERATION_SET_PLAIN && kind <= OPERATION_SET_TEMPLATE;
}

bool operation_is_of_key(enum operation_kind kind)
{
    return operation_is_set(kind) || kind == OPERATION_REMOVE;
}

bool operation_is_of_default(enum operation_kind kind)
{
    return kind == OPERATION_DEFAULT_SET || kind == OPERATION_DEFAULT_REMOVE;
}

bool operation_is_of_schema(enum operation_kind kind)
{
    return kind == OPERATION_SCHEMA_SET || kind == OPERATION_SCHEMA_REMOVE;
}

uint32_t operation_layer(const struct operation *operation)
{
    const uint32_t bit = operation_is_of_default(operation->kind) ? LAYER_OF_DEFAULTS : 0;
    return operation->environment | bit;
}

bool operation_is_relation(enum operation_kind kind)
{
    return kind >= OPERATION_LOCK && kind <= OPERATION_UNSHARE;
}

bool operation_is_of_tag(enum operation_kind kind)
{
    return kind == OPERATION_TAG || kind == OPERATION_UNTAG;
}

bool operation_is_of_rights(enum operation_kind kind)
{
    return kind == OPERATION_RIGHTS_GRANT || kind == OPERATION_RIGHTS_REVOKE;
}

bool operation_destroys(enum operation_kind kind)
{
    return kind == OPERATION_PURGE || kind == OPERATION_COMPACT;
}

bool operation_makes_keys(enum operation_kind kind)
{
    return kind == OPERATION_ENVIRONMENT_KEY || kind == OPERATION_SERVICE_KEY ||
           kind == OPERATION_GRANT || kind == OPERATION_VALUE_KEY;
}

static bool is_share(enum operation_kind kind)
{
    return kind == OPERATION_SHARE || kind == OPERATION_UNSHARE;
}

static bool kind_known(unsigned kind)
{
    switch (kind) {
    case OPERATION_SET_PLAIN:
    case OPERATION_SET_SECRET:
    case OPERATION_SET_LINK:
    case OPERATION_SET_TEMPLATE:
    case OPERATION_REMOVE:
    case OPERATION_LOCK:
    case OPERATION_UNLOCK:
    case OPERATION_SHARE:
    case OPERATION_UNSHARE:
    case OPERATION_ENVIRONMENT_ADD:
    case OPERATION_ENVIRONMENT_REMOVE:
    case OPERATION_SERVICE_ADD:
    case OPERATION_SERVICE_REMOVE:
    case OPERATION_SCHEMA_SET:
    case OPERATION_SCHEMA_REMOVE:
    case OPERATION_DEFAULT_SET:
    case OPERATION_DEFAULT_REMOVE:
    case OPERATION_TAG:
    case OPERATION_UNTAG:
    case OPERATION_RIGHTS_GRANT:
    case OPERATION_RIGHTS_REVOKE:
    case OPERATION_IDENTITY:
    case OPERATION_ENVIRONMENT_KEY:
    case OPERATION_SERVICE_KEY:
    case OPERATION_GRANT:
    case OPERATION_VALUE_KEY:
    case OPERATION_PURGE:
    case OPERATION_COMPACT:
        return true;
    default:
        return false;
    }
}

static unsigned flags_of(const struct operation *operation)
{
    return (operation->first ? FLAG_FIRST : 0) | (operation->is_same ? FLAG_SAME : 0) |
           (operation->is_allowed_equal ? FLAG_ALLOWED_EQUAL : 0) |
           (operation->is_protected ? FLAG_PROTECTED : 0) |
           (operation->is_signed ? FLAG_SIGNED : 0) | (operation->is_override ? FLAG_OVERRIDE : 0);
}

/* The place of a set in the log. */
static void put_version(struct bytes *out, enum field tag, uint64_t rev, uint32_t op)
{
    if (!rev)
        return;
    put_u8(out, (uint8_t)tag);
    put_u16(out, VERSION_SIZE);
    put_u64(out, rev);
    put_u32(out, op);
}

static void put_revision(struct bytes *out, enum field tag, uint64_t rev)
{
    if (!rev)
        return;
    put_u8(out, (uint8_t)tag);
    put_u16(out, sizeof rev);
    put_u64(out, rev);
}

static void put_field(struct bytes *out, enum field tag, const void *data, size_t size)
{
    if (!data)
        return;
    put_u8(out, (uint8_t)tag);
    put_u16(out, (uint16_t)size);
    bytes_append(out, data, size);
}

void operation_encode(struct bytes *out, const struct operation *operation)
{
    put_u8(out, OPERATION_FORMAT);
    put_u8(out, (uint8_t)operation->kind);
    put_u8(out, (uint8_t)flags_of(operation));
    put_u8(out, 0);
    put_u32(out, operation->environment);
    put_u32(out, operation->service);
    put_u32(out, operation->turn);
    put_u64(out, operation->name_id);
    put_u64(out, operation->entry_id);
    put_u32(out, operation->stored_size);
    bytes_append(out, operation->digest, HASH_SIZE);
    put_short(out, operation->name, operation->name_size);
    put_field(out, FIELD_PUBLIC_KEY, operation->public_key, CRYPTO_KEY_SIZE);
    put_field(out, FIELD_FOR_KEY, operation->for_key, CRYPTO_KEY_SIZE);
    put_field(out, FIELD_WRAPPED, operation->wrapped, WRAPPED_KEY_SIZE);
    put_field(out, FIELD_SIGNING_KEY, operation->signing_key, CRYPTO_KEY_SIZE);
    if (operation->base) {
        put_u8(out, FIELD_BASE);
        put_u16(out, sizeof operation->base);
        put_u32(out, operation->base);
    }
    if (operation->expires) {
        put_u8(out, FIELD_EXPIRES);
        put_u16(out, sizeof operation->expires);
        put_i64(out, operation->expires);
    }
    put_field(out, FIELD_CONSUMER, operation->consumer, operation->consumer_size);
    put_revision(out, FIELD_REVISION, operation->tagged);
    if (operation->from.environment) {
        put_u8(out, FIELD_FROM);
        put_u16(out, FROM_SIZE);
        put_u32(out, operation->from.environment);
        put_u64(out, operation->from.name_id);
        put_u64(out, operation->from.rev);
    }
    put_field(out, FIELD_PRINCIPAL, operation->principal, operation->principal_size);
    if (operation->rights) {
        put_u8(out, FIELD_RIGHTS);
        put_u16(out, sizeof(uint16_t));
        put_u16(out, (uint16_t)operation->rights);
    }
    put_version(out, FIELD_VERSION, operation->sealed_rev, operation->sealed_op);
    put_field(out, FIELD_VALUE_KEY, operation->value_key, VALUE_WRAP_SIZE);
    put_version(out, FIELD_PURGED, operation->purged_rev, operation->purged_op);
    put_revision(out, FIELD_UNTIL, operation->until);
    put_field(out, FIELD_REMAINS, operation->remains, HASH_SIZE);
}

/* What a field of this tag must hold; 0: it is not known. Names of consumers and principals are of
 * any length up to that. */
static size_t field_size(unsigned tag)
{
    switch (tag) {
    case FIELD_PUBLIC_KEY:
    case FIELD_FOR_KEY:
    case FIELD_SIGNING_KEY:
        return CRYPTO_KEY_SIZE;
    case FIELD_WRAPPED:
        return WRAPPED_KEY_SIZE;
    case FIELD_BASE:
        return sizeof(uint32_t);
    case FIELD_EXPIRES:
        return sizeof(int64_t);
    case FIELD_CONSUMER:
        return SERVICE_NAME_MAX;
    case FIELD_REVISION:
    case FIELD_UNTIL:
        return sizeof(uint64_t);
    case FIELD_FROM:
        return FROM_SIZE;
    case FIELD_PRINCIPAL:
        return PRINCIPAL_MAX;
    case FIELD_RIGHTS:
        return sizeof(uint16_t);
    case FIELD_VERSION:
    case FIELD_PURGED:
        return VERSION_SIZE;
    case FIELD_VALUE_KEY:
        return VALUE_WRAP_SIZE;
    case FIELD_REMAINS:
        return HASH_SIZE;
    default:
        return 0;
    }
}

static bool size_fits(unsigned tag, size_t size)
{
    const bool is_text = tag == FIELD_CONSUMER || tag == FIELD_PRINCIPAL;
    return is_text ? size && size <= field_size(tag) : size == field_size(tag);
}

static uint32_t number_of(const unsigned char *data)
{
    struct decoder in = DECODER(data, sizeof(uint32_t));
    return take_u32(&in);
}

static int64_t moment_of(const unsigned char *data)
{
    struct decoder in = DECODER(data, sizeof(int64_t));
    return take_i64(&in);
}

/* A revision, or a definition as of one; none is written as no field at all. */
static int take_revision(uint64_t *out, const unsigned char *data)
{
    struct decoder in = DECODER(data, sizeof(uint64_t));
    *out = take_u64(&in);
    return *out ? 0 : error_set(ERR_CORRUPT, "operation: it speaks of revision 0");
}

static int take_from(struct copied_from *out, const unsigned char *data)
{
    struct decoder in = DECODER(data, FROM_SIZE);
    out->environment = take_u32(&in);
    out->name_id = take_u64(&in);
    out->rev = take_u64(&in);
    if (out->environment && out->name_id && out->rev)
        return 0;
    return error_set(ERR_CORRUPT, "operation: it is copied from nowhere");
}

static int take_version(uint64_t *rev, uint32_t *op, const unsigned char *data)
{
    struct decoder in = DECODER(data, VERSION_SIZE);
    *rev = take_u64(&in);
    *op = take_u32(&in);
    return *rev ? 0 : error_set(ERR_CORRUPT, "operation: it speaks of a value of no revision");
}

/* Who holds a right; a later version may know others than this one, and rights that it does not. */
static int take_principal(struct operation *out, const unsigned char *data, size_t size)
{
    out->principal = (const char *)data;
    out->principal_size = size;
    return principal_check(out->principal, size)
               ? error_set(ERR_FORMAT, "operation: a principal that is not known to this version")
               : 0;
}

static int take_rights(unsigned *out, const unsigned char *data)
{
    struct decoder in = DECODER(data, sizeof(uint16_t));
    *out = take_u16(&in);
    if (!*out)
        return error_set(ERR_CORRUPT, "operation: it grants nothing");
    return *out & ~(unsigned)GRANT_ALL
               ? error_set(ERR_FORMAT, "operation: rights that are not known to this version")
               : 0;
}

/* One field into its member; a tag may come once and in order, so that a record has one encoding.
 */
static int take_field(struct operation *out, struct decoder *in, unsigned *last)
{
    const unsigned tag = take_u8(in);
    const size_t size = take_u16(in);
    const unsigned char *data = take_bytes(in, size);
    if (!data)
        return error_set(ERR_CORRUPT, "operation: a field is cut short");
    if (tag <= *last)
        return error_set(ERR_CORRUPT, "operation: fields are out of order");
    *last = tag;
    if (!field_size(tag))
        return error_set(ERR_FORMAT, "operation: field %u is not known to this version", tag);
    if (!size_fits(tag, size))
        return error_set(ERR_CORRUPT, "operation: field %u has a wrong size", tag);
    switch ((enum field)tag) {
    case FIELD_PUBLIC_KEY:
        out->public_key = data;
        break;
    case FIELD_FOR_KEY:
        out->for_key = data;
        break;
    case FIELD_WRAPPED:
        out->wrapped = data;
        break;
    case FIELD_SIGNING_KEY:
        out->signing_key = data;
        break;
    case FIELD_BASE:
        out->base = number_of(data);
        if (!out->base)
            return error_set(ERR_CORRUPT, "operation: its base is none");
        break;
    case FIELD_CONSUMER:
        out->consumer = (const char *)data;
        out->consumer_size = size;
        if (memchr(data, '\0', size))
            return error_set(ERR_CORRUPT, "operation: a consumer's name with a NUL in it");
        break;
    case FIELD_EXPIRES:
        out->expires = moment_of(data);
        if (out->expires <= 0) /* none is written as no field at all */
            return error_set(ERR_CORRUPT, "operation: it expires before time began");
        break;
    case FIELD_REVISION:
        return take_revision(&out->tagged, data);
    case FIELD_FROM:
        return take_from(&out->from, data);
    case FIELD_PRINCIPAL:
        return take_principal(out, data, size);
    case FIELD_RIGHTS:
        return take_rights(&out->rights, data);
    case FIELD_VERSION:
        return take_version(&out->sealed_rev, &out->sealed_op, data);
    case FIELD_VALUE_KEY:
        out->value_key = data;
        break;
    case FIELD_PURGED:
        return take_version(&out->purged_rev, &out->purged_op, data);
    case FIELD_UNTIL:
        return take_revision(&out->until, data);
    case FIELD_REMAINS:
        out->remains = data;
        break;
    }
    return 0;
}

static int check_fields(const struct operation *operation)
{
    const bool is_identity = operation->kind == OPERATION_IDENTITY;
    const bool is_wrapped =
        operation->kind == OPERATION_SERVICE_KEY || operation->kind == OPERATION_GRANT;
    const bool is_public = is_identity || operation->kind == OPERATION_ENVIRONMENT_KEY ||
                           operation->kind == OPERATION_SERVICE_KEY;
    const bool is_made = operation->kind == OPERATION_ENVIRONMENT_ADD;
    const bool may_end = operation_is_of_key(operation->kind) || is_made ||
                         operation->kind == OPERATION_ENVIRONMENT_REMOVE;
    if (operation->expires && !may_end)
        return error_set(ERR_CORRUPT, "operation: what can have no end expires");
    if ((operation->base || operation->is_protected) && !is_made)
        return error_set(ERR_CORRUPT, "operation: what is no environment has a base");
    if (operation->is_signed && !operation->is_protected)
        return error_set(ERR_CORRUPT, "operation: what is not protected is to be signed");
    if (!operation->consumer != !is_share(operation->kind))
        return error_set(ERR_CORRUPT, "operation: its fields do not fit its kind");
    if ((operation->is_same && !operation_is_of_key(operation->kind)) ||
        (operation->is_allowed_equal && !operation_is_set(operation->kind) &&
         operation->kind != OPERATION_DEFAULT_SET))
        return error_set(ERR_CORRUPT, "operation: its flags do not fit its kind");
    if ((operation->from.environment && !operation_has_value(operation->kind)) ||
        !operation->tagged != (operation->kind != OPERATION_TAG))
        return error_set(ERR_CORRUPT, "operation: its fields do not fit its kind");
    if (!operation->principal != !operation_is_of_rights(operation->kind) ||
        !operation->rights != !operation->principal)
        return error_set(ERR_CORRUPT, "operation: its fields do not fit its kind");
    if (!operation->value_key != (operation->kind != OPERATION_VALUE_KEY) ||
        !operation->sealed_rev != !operation->value_key)
        return error_set(ERR_CORRUPT, "operation: its fields do not fit its kind");
    if (!operation->purged_rev != (operation->kind != OPERATION_PURGE) ||
        !operation->until != (operation->kind != OPERATION_COMPACT) ||
        (operation->remains && !operation_destroys(operation->kind)) ||
        (operation->kind == OPERATION_COMPACT && !operation->remains))
        return error_set(ERR_CORRUPT, "operation: its fields do not fit its kind");
    if (!operation->public_key != !is_public || !operation->signing_key != !is_identity ||
        !operation->wrapped != !is_wrapped || !operation->for_key != !is_wrapped)
        return error_set(ERR_CORRUPT, "operation: its fields do not fit its kind");
    return 0;
}

int operation_decode(struct operation *out, struct slice body)
{
    struct decoder in = DECODER(body.data, body.size);
    struct operation found = {0};
    const unsigned format = take_u8(&in);
    const unsigned kind = take_u8(&in);
    const unsigned flags = take_u8(&in);
    const unsigned zero = take_u8(&in);
    if (!in.failed &&
        (format != OPERATION_FORMAT || !kind_known(kind) || flags > FLAGS_KNOWN || zero))
        return error_set(ERR_FORMAT, "operation of format %u, kind %u is not known to this version",
                         format, kind);
    found.kind = (enum operation_kind)kind;
    found.first = flags & FLAG_FIRST;
    found.is_same = flags & FLAG_SAME;
    found.is_allowed_equal = flags & FLAG_ALLOWED_EQUAL;
    found.is_protected = flags & FLAG_PROTECTED;
    found.is_signed = flags & FLAG_SIGNED;
    found.is_override = flags & FLAG_OVERRIDE;
    found.environment = take_u32(&in);
    found.service = take_u32(&in);
    found.turn = take_u32(&in);
    found.name_id = take_u64(&in);
    found.entry_id = take_u64(&in);
    found.stored_size = take_u32(&in);
    take_copy(&in, found.digest, HASH_SIZE);
    found.name = (const char *)take_short(&in, &found.name_size, KEY_NAME_MAX);
    if (!in.failed && memchr(found.name, '\0', found.name_size))
        return error_set(ERR_CORRUPT, "operation: a name with a NUL in it");
    for (unsigned last = 0; !in.failed && in.left;) {
        const int error = take_field(&found, &in, &last);
        if (error)
            return error;
    }
    int error = decoder_end(&in, "operation");
    if (!error)
        error = check_fields(&found);
    if (!error)
        *out = found;
    return error;
}

int operation_get(struct txn *txn, struct operation *out, uint64_t rev, uint32_t op)
{
    struct slice body;
    struct key key;
    const int found = txn_get(txn, &body, DB_LOG, key_operation(&key, rev, op));
    return found ? found : operation_decode(out, body);
}

void operation_leaf(uint8_t out[static HASH_SIZE], const uint8_t store_id[static STORE_ID_SIZE],
                    uint64_t rev, uint32_t op, struct slice body)
{
    unsigned char number[12];
    for (int i = 0; i < 8; i++)
        number[i] = (unsigned char)(rev >> (8 * i));
    for (int i = 0; i < 4; i++)
        number[8 + i] = (unsigned char)(op >> (8 * i));
    const struct hash_part parts[] = {
        {store_id, STORE_ID_SIZE}, {number, sizeof number}, {body.data, body.size}};
    hash_parts(out, "emsa-operation-1", parts, 3);
}

void value_head_encode(struct bytes *out, enum operation_kind kind,
                       const uint8_t salt[static SALT_SIZE])
{
    put_u8(out, VALUE_FORMAT);
    put_u8(out, (uint8_t)kind);
    bytes_append(out, salt, SALT_SIZE);
}

void value_purged_encode(struct bytes *out, uint64_t rev, uint32_t op)
{
    put_u8(out, VALUE_FORMAT);
    put_u8(out, VALUE_PURGED);
    put_u64(out, rev);
    put_u32(out, op);
}

int value_purged(uint64_t *rev, uint32_t *op, struct slice body)
{
    struct decoder in = DECODER(body.data, body.size);
    if (body.size < 2 || body.data[0] != VALUE_FORMAT || body.data[1] != VALUE_PURGED)
        return 0;
    if (body.size < VALUE_PURGED_SIZE)
        return error_set(ERR_CORRUPT, "a value that was destroyed does not say by what");
    take_u16(&in);
    *rev = take_u64(&in);
    *op = take_u32(&in);
    return 1;
}

int value_decode(const unsigned char **data, size_t *size, enum operation_kind expected,
                 struct slice body)
{
    uint64_t rev;
    uint32_t op;
    const int purged = value_purged(&rev, &op, body);
    if (purged)
        return purged < 0 ? purged
                          : error_set(ERR_PURGED, "the value was destroyed by revision %llu",
                                      (unsigned long long)rev);
    if (body.size < VALUE_HEAD_SIZE)
        return error_set(ERR_CORRUPT, "a value's record is cut short");
    if (body.data[0] != VALUE_FORMAT)
        return error_set(ERR_FORMAT, "a value of format %u is not known to this version",
                         (unsigned)body.data[0]);
    if (body.data[1] != (unsigned)expected)
        return error_set(ERR_CORRUPT, "a value's record is of another kind than its operation");
    *data = body.data + VALUE_HEAD_SIZE;
    *size = body.size - VALUE_HEAD_SIZE;
    return 0;
}

void value_digest_of(uint8_t out[static HASH_SIZE], enum operation_kind kind,
                     const uint8_t salt[static SALT_SIZE], const void *data, size_t size)
{
    unsigned char room[VALUE_HEAD_SIZE];
    struct bytes head = {.data = room, .capacity = sizeof room, .limit = sizeof room};
    struct hasher hasher;
    value_head_encode(&head, kind, salt);
    hasher_begin(&hasher, "emsa-digest-1");
    hasher_add_joined(&hasher, &(struct hash_part){room, sizeof room},
                      &(struct hash_part){data, size});
    hasher_end(&hasher, out);
}

void value_digest(uint8_t out[static HASH_SIZE], struct slice body)
{
    const struct hash_part part = {body.data, body.size};
    hash_parts(out, "emsa-digest-1", &part, 1);
}
