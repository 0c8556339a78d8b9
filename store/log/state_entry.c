/* The half of state.h that is about keys: their entries and history; then key pairs, identities,
 * requests. */
#include "store/log/state.h"

#include <string.h>

#include "store/db/keys.h"
#include "store/error.h"
#include "store/log/record.h"

#define KIND_REMOVED 0
#define FLAG_EXPIRES 1u

/* The end of an entry or a moment: there only where the flag says so, so that one record has one
 * encoding. */
static void put_expires(struct bytes *out, int64_t expires)
{
    if (expires)
        put_i64(out, expires);
}

static int64_t take_expires(struct decoder *in, unsigned flags)
{
    const int64_t expires = flags & FLAG_EXPIRES ? take_i64(in) : 0;
    in->failed |= (flags & FLAG_EXPIRES) && expires <= 0;
    return expires;
}

static int read_current(struct entry *out, struct decoder *in, uint32_t environment,
                        uint32_t service, const char *key)
{
    struct entry entry = {.environment = environment, .service = service};
    const unsigned kind = take_u8(in);
    const unsigned flags = take_u16(in);
    entry.name_id = take_u64(in);
    entry.entry_id = take_u64(in);
    entry.rev = take_u64(in);
    entry.op = take_u32(in);
    entry.first_rev = take_u64(in);
    entry.time = take_i64(in);
    entry.first_time = take_i64(in);
    entry.stored_size = take_u32(in);
    entry.expires = take_expires(in, flags);
    const int error = decoder_end(in, "entry record");
    if (error)
        return error;
    if ((kind != ENTRY_PLAIN && kind != ENTRY_SECRET) || flags > FLAG_EXPIRES)
        return error_set(ERR_FORMAT, "'%s' is of a kind that is not known to this version", key);
    entry.kind = (enum entry_kind)kind;
    memcpy(entry.key, key, strlen(key) + 1);
    *out = entry;
    return 0;
}

int state_current(struct txn *txn, struct entry *out, uint32_t environment, uint32_t service,
                  const char *text)
{
    struct key key;
    struct decoder in;
    if (strlen(text) > KEY_NAME_MAX)
        return NOT_THERE;
    const int found =
        record_get(txn, &in, DB_CURRENT, key_current(&key, environment, service, text), "entry");
    return found ? found : read_current(out, &in, environment, service, text);
}

int state_next_current(struct txn *txn, struct entry *out, uint32_t environment, uint32_t service,
                       const char *after)
{
    struct key key;
    struct slice found, body;
    struct decoder in;
    uint32_t found_environment, found_service;
    char text[KEY_NAME_MAX + 1];
    int error = txn_seek(txn, &found, &body, DB_CURRENT,
                         key_current(&key, environment, service, after), true);
    if (!error)
        error = key_current_parse(found, &found_environment, &found_service, text);
    if (error)
        return error;
    if (found_environment != environment || found_service != service)
        return NOT_THERE;
    error = record_open(&in, body, "entry");
    return error ? error : read_current(out, &in, environment, service, text);
}

void state_put_current(struct txn *txn, const struct entry *entry)
{
    struct key key;
    struct record record;
    struct bytes *out = record_begin(&record);
    put_u8(out, (uint8_t)entry->kind);
    put_u16(out, entry->expires ? FLAG_EXPIRES : 0);
    put_u64(out, entry->name_id);
    put_u64(out, entry->entry_id);
    put_u64(out, entry->rev);
    put_u32(out, entry->op);
    put_u64(out, entry->first_rev);
    put_i64(out, entry->time);
    put_i64(out, entry->first_time);
    put_u32(out, entry->stored_size);
    put_expires(out, entry->expires);
    txn_put(txn, DB_CURRENT, key_current(&key, entry->environment, entry->service, entry->key),
            record_body(&record));
}

void state_delete_current(struct txn *txn, uint32_t environment, uint32_t service, const char *text)
{
    struct key key;
    txn_delete(txn, DB_CURRENT, key_current(&key, environment, service, text));
}

static int read_moment(struct moment *out, struct decoder *in, uint32_t environment,
                       uint64_t name_id, uint64_t rev)
{
    struct moment moment = {.entry = {.environment = environment, .name_id = name_id, .rev = rev}};
    struct entry *entry = &moment.entry;
    const unsigned kind = take_u8(in);
    const unsigned flags = take_u16(in);
    entry->entry_id = take_u64(in);
    entry->op = take_u32(in);
    entry->first_rev = take_u64(in);
    entry->time = take_i64(in);
    entry->first_time = take_i64(in);
    entry->stored_size = take_u32(in);
    entry->expires = take_expires(in, flags);
    const int error = decoder_end(in, "history record");
    if (error)
        return error;
    if ((kind != ENTRY_PLAIN && kind != ENTRY_SECRET && kind != KIND_REMOVED) ||
        flags > FLAG_EXPIRES)
        return error_set(ERR_FORMAT,
                         "a history record is of a kind that is not known to this version");
    moment.removed = kind == KIND_REMOVED;
    entry->kind = (enum entry_kind)kind;
    *out = moment;
    return 0;
}

/* Who asks for the newest at or before a revision would take a damaged key, or a page that the tree
 * does not lead to, for nothing, and an older value for the right one. So the record that follows
 * is looked at as well: it is whole, and lies after what was asked for. */
static int check_following(struct txn *txn, struct slice found, struct slice asked)
{
    struct slice next, body;
    const int error = txn_seek(txn, &next, &body, DB_HISTORY, found, true);
    if (error)
        return error == TXN_NOT_FOUND ? 0 : error;
    const size_t size = next.size < asked.size ? next.size : asked.size;
    const int order = memcmp(next.data, asked.data, size);
    if (order > 0 || (!order && next.size > asked.size))
        return 0;
    return error_set(ERR_CORRUPT, "the history is out of order");
}

int state_moment(struct txn *txn, struct moment *out, uint32_t environment, uint64_t name_id,
                 uint64_t rev)
{
    struct key key;
    struct slice found, body;
    struct decoder in;
    uint32_t found_environment;
    uint64_t found_name, found_rev;
    const struct slice asked = key_history(&key, environment, name_id, rev);
    int error = txn_seek_back(txn, &found, &body, DB_HISTORY, asked);
    if (!error)
        error = check_following(txn, found, asked);
    if (!error)
        error = key_history_parse(found, &found_environment, &found_name, &found_rev);
    if (error)
        return error;
    if (found_environment != environment || found_name != name_id)
        return NOT_THERE;
    error = record_open(&in, body, "history");
    return error ? error : read_moment(out, &in, environment, name_id, found_rev);
}

void state_put_moment(struct txn *txn, const struct moment *moment)
{
    struct key key;
    struct record record;
    const struct entry *entry = &moment->entry;
    struct bytes *out = record_begin(&record);
    put_u8(out, moment->removed ? KIND_REMOVED : (uint8_t)entry->kind);
    put_u16(out, entry->expires ? FLAG_EXPIRES : 0);
    put_u64(out, entry->entry_id);
    put_u32(out, entry->op);
    put_u64(out, entry->first_rev);
    put_i64(out, entry->time);
    put_i64(out, entry->first_time);
    put_u32(out, entry->stored_size);
    put_expires(out, entry->expires);
    txn_put(txn, DB_HISTORY, key_history(&key, entry->environment, entry->name_id, entry->rev),
            record_body(&record));
}

static int read_expiry(struct expiry *out, struct slice found, struct decoder *in)
{
    struct expiry expiry;
    int error = key_expiry_parse(found, &expiry.moment, &expiry.environment, &expiry.name_id);
    expiry.rev = take_u64(in);
    expiry.op = take_u32(in);
    if (!error)
        error = decoder_end(in, "expiry record");
    if (!error)
        *out = expiry;
    return error;
}

int state_next_expiry(struct txn *txn, struct expiry *out, const struct expiry *after)
{
    struct key key = {0};
    struct slice found, body, from = {key.data, 0};
    struct decoder in;
    if (after)
        from = key_expiry(&key, after->moment, after->environment, after->name_id);
    int error = txn_seek(txn, &found, &body, DB_EXPIRY, from, after != NULL);
    if (!error)
        error = record_open(&in, body, "expiry");
    return error ? error : read_expiry(out, found, &in);
}

int state_expiry(struct txn *txn, struct expiry *out, const struct entry *entry)
{
    struct key key;
    struct decoder in;
    const struct slice asked = key_expiry(&key, entry->expires, entry->environment, entry->name_id);
    const int error = record_get(txn, &in, DB_EXPIRY, asked, "expiry");
    return error ? error : read_expiry(out, asked, &in);
}

void state_put_expiry(struct txn *txn, const struct entry *entry)
{
    struct key key;
    struct record record;
    struct bytes *out = record_begin(&record);
    put_u64(out, entry->rev);
    put_u32(out, entry->op);
    txn_put(txn, DB_EXPIRY, key_expiry(&key, entry->expires, entry->environment, entry->name_id),
            record_body(&record));
}

void state_delete_expiry(struct txn *txn, const struct entry *entry)
{
    struct key key;
    txn_delete(txn, DB_EXPIRY,
               key_expiry(&key, entry->expires, entry->environment, entry->name_id));
}

static int read_public_key(uint8_t out[static CRYPTO_KEY_SIZE], struct decoder *in)
{
    take_u64(in); /* rev and op: where the log says so */
    take_u32(in);
    const unsigned char *found = take_bytes(in, CRYPTO_KEY_SIZE);
    const int error = decoder_end(in, "public key record");
    if (!error)
        memcpy(out, found, CRYPTO_KEY_SIZE);
    return error;
}

int state_public_key(struct txn *txn, struct recipient *out, uint32_t environment, uint32_t service)
{
    struct key key;
    struct slice found, body;
    struct decoder in;
    struct recipient recipient;
    int error =
        txn_seek_back(txn, &found, &body, DB_KEY, key_pair(&key, environment, service, UINT32_MAX));
    if (error)
        return error;
    /* What stands before may be a key of another sort. */
    if (found.data[0] != key.data[0])
        return NOT_THERE;
    error =
        key_pair_parse(found, &recipient.environment, &recipient.service, &recipient.generation);
    if (error)
        return error;
    if (recipient.environment != environment || recipient.service != service)
        return NOT_THERE;
    error = record_open(&in, body, "public key");
    if (!error)
        error = read_public_key(recipient.public_key, &in);
    if (!error)
        *out = recipient;
    return error;
}

void state_put_public_key(struct txn *txn, const struct recipient *recipient, uint64_t rev,
                          uint32_t op)
{
    struct key key;
    struct record record;
    struct bytes *out = record_begin(&record);
    put_u64(out, rev);
    put_u32(out, op);
    bytes_append(out, recipient->public_key, CRYPTO_KEY_SIZE);
    txn_put(txn, DB_KEY,
            key_pair(&key, recipient->environment, recipient->service, recipient->generation),
            record_body(&record));
}

int state_pair(struct txn *txn, struct recipient *owner)
{
    struct key key;
    struct decoder in;
    const int error = record_get(
        txn, &in, DB_KEY, key_pair(&key, owner->environment, owner->service, owner->generation),
        "public key");
    return error ? error : read_public_key(owner->public_key, &in);
}

int state_wrapped_key(struct txn *txn, struct wrapped_key *out)
{
    struct key key;
    struct decoder in;
    const struct recipient *owner = &out->owner;
    int error = record_get(txn, &in, DB_KEY,
                           key_wrapped(&key, owner->environment, owner->service, owner->generation,
                                       out->for_public_key),
                           "wrapped key");
    if (error)
        return error;
    const unsigned char *data = take_bytes(&in, sizeof out->data);
    error = decoder_end(&in, "wrapped key record");
    if (!error)
        memcpy(out->data, data, sizeof out->data);
    return error;
}

void state_put_wrapped_key(struct txn *txn, const struct wrapped_key *wrapped)
{
    struct key key;
    struct record record;
    struct bytes *out = record_begin(&record);
    bytes_append(out, wrapped->data, sizeof wrapped->data);
    txn_put(txn, DB_KEY,
            key_wrapped(&key, wrapped->owner.environment, wrapped->owner.service,
                        wrapped->owner.generation, wrapped->for_public_key),
            record_body(&record));
}

static int read_identity(struct identity_state *out, struct decoder *in)
{
    out->rev = take_u64(in);
    take_copy(in, out->signing_key, CRYPTO_KEY_SIZE);
    return decoder_end(in, "identity record");
}

int state_identity(struct txn *txn, struct identity_state *out,
                   const uint8_t public_key[static CRYPTO_KEY_SIZE])
{
    struct key key;
    struct decoder in;
    struct identity_state state;
    int error = record_get(txn, &in, DB_KEY, key_identity(&key, public_key), "identity");
    if (!error)
        error = read_identity(&state, &in);
    if (error)
        return error;
    memcpy(state.public_key, public_key, CRYPTO_KEY_SIZE);
    *out = state;
    return 0;
}

int state_next_identity(struct txn *txn, struct identity_state *out, const uint8_t *after)
{
    static const uint8_t lowest[CRYPTO_KEY_SIZE];
    struct key key;
    struct slice found, body;
    struct decoder in;
    struct identity_state state;
    int error = txn_seek(txn, &found, &body, DB_KEY, key_identity(&key, after ? after : lowest),
                         after != NULL);
    if (error)
        return error;
    if (found.data[0] != key.data[0])
        return NOT_THERE;
    error = key_identity_parse(found, state.public_key);
    if (!error)
        error = record_open(&in, body, "identity");
    if (!error)
        error = read_identity(&state, &in);
    if (!error)
        *out = state;
    return error;
}

void state_put_identity(struct txn *txn, const struct identity_state *state)
{
    struct key key;
    struct record record;
    struct bytes *out = record_begin(&record);
    put_u64(out, state->rev);
    bytes_append(out, state->signing_key, CRYPTO_KEY_SIZE);
    txn_put(txn, DB_KEY, key_identity(&key, state->public_key), record_body(&record));
}

int state_request(struct txn *txn, uint64_t *rev, const uint8_t id[static 16])
{
    struct key key;
    struct decoder in;
    int error = record_get(txn, &in, DB_REQUEST, key_request(&key, id), "request");
    if (error)
        return error;
    const uint64_t found = take_u64(&in);
    error = decoder_end(&in, "request record");
    if (!error)
        *rev = found;
    return error;
}

void state_put_request(struct txn *txn, const uint8_t id[static 16], uint64_t rev)
{
    struct key key;
    struct record record;
    struct bytes *out = record_begin(&record);
    put_u64(out, rev);
    txn_put(txn, DB_REQUEST, key_request(&key, id), record_body(&record));
}
