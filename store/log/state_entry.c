/* The part of state.h that is about spots and presence: what is in effect, what was, what ends. */
#include "store/log/state.h"

#include <string.h>

#include "store/db/keys.h"
#include "store/error.h"
#include "store/log/record.h"

#define FLAG_EXPIRES 1u

/* What `current` and `history` have in common, after the kind. */
static void put_spot(struct bytes *out, const struct spot *spot)
{
    put_u64(out, spot->rev);
    put_i64(out, spot->time);
    put_u64(out, spot->first_rev);
    put_i64(out, spot->first_time);
    if (!spot_is_own(spot))
        return;
    put_u64(out, spot->entry_id);
    put_u32(out, spot->op);
    put_u32(out, spot->stored_size);
    if (spot->expires) /* there only where the flag says so: one record has one encoding */
        put_i64(out, spot->expires);
}

static void take_spot(struct spot *spot, struct decoder *in, unsigned flags)
{
    spot->rev = take_u64(in);
    spot->time = take_i64(in);
    spot->first_rev = take_u64(in);
    spot->first_time = take_i64(in);
    if (!spot_is_own(spot))
        return;
    spot->entry_id = take_u64(in);
    spot->op = take_u32(in);
    spot->stored_size = take_u32(in);
    spot->expires = flags & FLAG_EXPIRES ? take_i64(in) : 0;
    in->failed |= (flags & FLAG_EXPIRES) && spot->expires <= 0;
}

static bool is_known(const struct spot *spot, unsigned flags)
{
    return spot->kind <= SPOT_KIND_LAST && flags <= (spot_is_own(spot) ? FLAG_EXPIRES : 0);
}

static int read_current(struct spot *out, struct decoder *in, uint32_t environment,
                        uint32_t service, const char *key)
{
    struct spot spot = {.environment = environment, .service = service};
    spot.kind = take_u8(in);
    const unsigned flags = take_u16(in);
    spot.name_id = take_u64(in);
    spot.since = take_u64(in);
    take_spot(&spot, in, flags);
    if (!in->failed && (!is_known(&spot, flags) || spot.kind == SPOT_NONE))
        return error_set(ERR_FORMAT, "'%s' is of a kind that is not known to this version", key);
    const int error = decoder_end(in, "entry record");
    if (error)
        return error;
    memcpy(spot.key, key, strlen(key) + 1);
    *out = spot;
    return 0;
}

int state_current(struct txn *txn, struct spot *out, uint32_t environment, uint32_t service,
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

int state_next_current(struct txn *txn, struct spot *out, uint32_t environment, uint32_t service,
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

void state_put_current(struct txn *txn, const struct spot *spot)
{
    struct key key;
    struct record record;
    struct bytes *out = record_begin(&record);
    put_u8(out, (uint8_t)spot->kind);
    put_u16(out, spot->expires ? FLAG_EXPIRES : 0);
    put_u64(out, spot->name_id);
    put_u64(out, spot->since);
    put_spot(out, spot);
    txn_put(txn, DB_CURRENT, key_current(&key, spot->environment, spot->service, spot->key),
            record_body(&record));
}

void state_delete_current(struct txn *txn, uint32_t environment, uint32_t service, const char *text)
{
    struct key key;
    txn_delete(txn, DB_CURRENT, key_current(&key, environment, service, text));
}

static int read_moment(struct spot *out, struct decoder *in, uint32_t environment, uint64_t name_id,
                       uint64_t rev)
{
    struct spot spot = {.environment = environment, .name_id = name_id, .since = rev};
    spot.kind = take_u8(in);
    const unsigned flags = take_u16(in);
    if (spot.kind != SPOT_NONE)
        take_spot(&spot, in, flags);
    if (!in->failed && !is_known(&spot, flags))
        return error_set(ERR_FORMAT,
                         "a history record is of a kind that is not known to this version");
    const int error = decoder_end(in, "history record");
    if (!error)
        *out = spot;
    return error;
}

/* Who asks for the newest at or before a revision would take a damaged key, or a page that the tree
 * does not lead to, for nothing, and an older value for the right one. So the record that follows
 * is looked at as well: it is whole, and lies after what was asked for. */
static int check_following(struct txn *txn, enum database database, struct slice found,
                           struct slice asked)
{
    struct slice next, body;
    const int error = txn_seek(txn, &next, &body, database, found, true);
    if (error)
        return error == TXN_NOT_FOUND ? 0 : error;
    const size_t size = next.size < asked.size ? next.size : asked.size;
    const int order = memcmp(next.data, asked.data, size);
    if (order > 0 || (!order && next.size > asked.size))
        return 0;
    return error_set(ERR_CORRUPT, "the history is out of order");
}

int state_moment_after(struct txn *txn, uint64_t *next, uint32_t environment, uint64_t name_id,
                       uint64_t rev)
{
    struct slice found_key, body;
    struct key key;
    uint64_t found_id, found_rev;
    uint32_t layer;
    int found = txn_seek(txn, &found_key, &body, DB_HISTORY,
                         key_history(&key, environment, name_id, rev), true);
    if (!found)
        found = key_history_parse(found_key, &layer, &found_id, &found_rev);
    if (!found && (layer != environment || found_id != name_id))
        found = TXN_NOT_FOUND;
    if (!found)
        *next = found_rev;
    return found;
}

int state_moment(struct txn *txn, struct spot *out, uint32_t environment, uint64_t name_id,
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
        error = check_following(txn, DB_HISTORY, found, asked);
    if (!error)
        error = key_history_parse(found, &found_environment, &found_name, &found_rev);
    if (error)
        return error;
    if (found_environment != environment || found_name != name_id)
        return NOT_THERE;
    error = record_open(&in, body, "history");
    return error ? error : read_moment(out, &in, environment, name_id, found_rev);
}

void state_put_moment(struct txn *txn, const struct spot *spot)
{
    struct key key;
    struct record record;
    struct bytes *out = record_begin(&record);
    put_u8(out, (uint8_t)spot->kind);
    put_u16(out, spot->kind != SPOT_NONE && spot->expires ? FLAG_EXPIRES : 0);
    if (spot->kind != SPOT_NONE)
        put_spot(out, spot);
    txn_put(txn, DB_HISTORY, key_history(&key, spot->environment, spot->name_id, spot->since),
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

int state_expiry(struct txn *txn, struct expiry *out)
{
    struct key key;
    struct decoder in;
    const struct slice asked = key_expiry(&key, out->moment, out->environment, out->name_id);
    const int error = record_get(txn, &in, DB_EXPIRY, asked, "expiry");
    return error ? error : read_expiry(out, asked, &in);
}

void state_put_expiry(struct txn *txn, const struct expiry *expiry)
{
    struct key key;
    struct record record;
    struct bytes *out = record_begin(&record);
    put_u64(out, expiry->rev);
    put_u32(out, expiry->op);
    txn_put(txn, DB_EXPIRY, key_expiry(&key, expiry->moment, expiry->environment, expiry->name_id),
            record_body(&record));
}

void state_delete_expiry(struct txn *txn, const struct expiry *expiry)
{
    struct key key;
    txn_delete(txn, DB_EXPIRY,
               key_expiry(&key, expiry->moment, expiry->environment, expiry->name_id));
}

static int read_presence(struct presence *out, struct slice body)
{
    struct decoder in;
    struct presence presence = *out;
    int error = record_open(&in, body, "presence");
    if (error)
        return error;
    const unsigned is_there = take_u8(&in);
    presence.is_there = is_there == 1;
    presence.incarnation = take_u16(&in);
    in.failed |= is_there > 1;
    error = decoder_end(&in, "presence record");
    if (!error)
        *out = presence;
    return error;
}

int state_presence(struct txn *txn, struct presence *out, uint32_t environment, uint32_t service,
                   uint64_t rev)
{
    struct key key;
    struct slice found, body;
    struct presence presence;
    const struct slice asked = key_presence(&key, environment, service, rev, UINT32_MAX);
    int error = txn_seek_back(txn, &found, &body, DB_PRESENCE, asked);
    if (!error)
        error = check_following(txn, DB_PRESENCE, found, asked);
    if (!error)
        error = key_presence_parse(found, &presence.environment, &presence.service, &presence.rev,
                                   &presence.op);
    if (error)
        return error;
    if (presence.environment != environment || presence.service != service)
        return NOT_THERE;
    error = read_presence(&presence, body);
    if (!error)
        *out = presence;
    return error;
}

int state_presence_of(struct txn *txn, struct presence *out)
{
    struct key key;
    struct slice body;
    const int error =
        txn_get(txn, &body, DB_PRESENCE,
                key_presence(&key, out->environment, out->service, out->rev, out->op));
    return error ? error : read_presence(out, body);
}

void state_put_presence(struct txn *txn, const struct presence *presence)
{
    struct key key;
    struct record record;
    struct bytes *out = record_begin(&record);
    put_u8(out, presence->is_there);
    put_u16(out, presence->incarnation);
    txn_put(
        txn, DB_PRESENCE,
        key_presence(&key, presence->environment, presence->service, presence->rev, presence->op),
        record_body(&record));
}
