#include "store/log/state.h"

#include <string.h>

#include "store/codec.h"
#include "store/db/keys.h"
#include "store/error.h"
#include "store/log/record.h"

#define ALIVE 1
#define FLAG_PROTECTED 1u
#define FLAG_SIGNED 2u

static int get_meta(struct txn *txn, struct decoder *in, const char *name)
{
    struct key key;
    const int found = record_get(txn, in, DB_META, key_meta(&key, name), name);
    return found > 0 ? error_set(ERR_CORRUPT, "the store has no '%s' record", name) : found;
}

int state_store_id(struct txn *txn, uint8_t out[static STORE_ID_SIZE])
{
    struct decoder in;
    int error = get_meta(txn, &in, "store");
    if (error)
        return error;
    const uint32_t format = take_u32(&in);
    if (!in.failed && format != STORE_FORMAT)
        return error_set(ERR_FORMAT, "the store is of format %u; this version knows format %d",
                         format, STORE_FORMAT);
    const unsigned char *id = take_bytes(&in, STORE_ID_SIZE);
    error = decoder_end(&in, "store record");
    if (!error)
        memcpy(out, id, STORE_ID_SIZE);
    return error;
}

int state_head(struct txn *txn, struct head *out)
{
    struct decoder in;
    struct head head;
    int error = get_meta(txn, &in, "head");
    if (error)
        return error;
    head.rev = take_u64(&in);
    take_copy(&in, head.hash, HASH_SIZE);
    head.time = take_i64(&in);
    error = decoder_end(&in, "head record");
    if (!error)
        *out = head;
    return error;
}

int state_counters(struct txn *txn, struct counters *out)
{
    struct decoder in;
    struct counters counters;
    int error = get_meta(txn, &in, "counters");
    if (error)
        return error;
    counters.environment_id = take_u32(&in);
    counters.service_id = take_u32(&in);
    counters.name_id = take_u64(&in);
    counters.entry_id = take_u64(&in);
    counters.environments = take_u64(&in);
    counters.services = take_u64(&in);
    counters.entries = take_u64(&in);
    error = decoder_end(&in, "counters record");
    if (!error)
        *out = counters;
    return error;
}

void state_put_store_id(struct txn *txn, const uint8_t id[static STORE_ID_SIZE])
{
    struct key key;
    struct record record;
    struct bytes *out = record_begin(&record);
    put_u32(out, STORE_FORMAT);
    bytes_append(out, id, STORE_ID_SIZE);
    txn_put(txn, DB_META, key_meta(&key, "store"), record_body(&record));
}

void state_put_head(struct txn *txn, const struct head *head)
{
    struct key key;
    struct record record;
    struct bytes *out = record_begin(&record);
    put_u64(out, head->rev);
    bytes_append(out, head->hash, HASH_SIZE);
    put_i64(out, head->time);
    txn_put(txn, DB_META, key_meta(&key, "head"), record_body(&record));
}

void state_put_counters(struct txn *txn, const struct counters *counters)
{
    struct key key;
    struct record record;
    struct bytes *out = record_begin(&record);
    put_u32(out, counters->environment_id);
    put_u32(out, counters->service_id);
    put_u64(out, counters->name_id);
    put_u64(out, counters->entry_id);
    put_u64(out, counters->environments);
    put_u64(out, counters->services);
    put_u64(out, counters->entries);
    txn_put(txn, DB_META, key_meta(&key, "counters"), record_body(&record));
}

/* Whether it lives; a value that is neither fails the decoder. */
static bool take_alive(struct decoder *in)
{
    const unsigned value = take_u8(in);
    if (value > ALIVE)
        in->failed = true;
    return value == ALIVE;
}

static int read_environment(struct environment_state *out, struct decoder *in, const char *name)
{
    struct environment_state state = {0};
    state.alive = take_alive(in);
    state.is.id = take_u32(in);
    state.before = take_u32(in);
    state.is.made_rev = take_u64(in);
    state.is.changed_rev = take_u64(in);
    state.is.shown_rev = take_u64(in);
    state.is.made_time = take_i64(in);
    state.is.listed_time = take_i64(in);
    state.is.base = take_u32(in);
    const unsigned flags = take_u8(in);
    state.is.expires = take_i64(in);
    memcpy(state.is.name, name, strlen(name) + 1);
    const int error = decoder_end(in, "environment record");
    if (!error && (flags > (FLAG_PROTECTED | FLAG_SIGNED) || flags == FLAG_SIGNED))
        return error_set(ERR_FORMAT,
                         "environment '%s' has a flag that is not known to this version", name);
    state.is.is_protected = flags & FLAG_PROTECTED;
    state.is.is_signed = flags & FLAG_SIGNED;
    if (!error)
        *out = state;
    return error;
}

int state_environment(struct txn *txn, struct environment_state *out, const char *name)
{
    struct key key;
    struct decoder in;
    if (strlen(name) > ENVIRONMENT_NAME_MAX)
        return NOT_THERE;
    const int found =
        record_get(txn, &in, DB_ENVIRONMENT, key_environment(&key, name), "environment");
    return found ? found : read_environment(out, &in, name);
}

int state_next_environment(struct txn *txn, struct environment_state *out, const char *after)
{
    struct key key;
    struct slice found, body;
    struct decoder in;
    char name[ENVIRONMENT_NAME_MAX + 1];
    int error = txn_seek(txn, &found, &body, DB_ENVIRONMENT, key_environment(&key, after), true);
    if (!error)
        error = key_environment_parse(found, name);
    if (!error)
        error = record_open(&in, body, "environment");
    return error ? error : read_environment(out, &in, name);
}

void state_put_environment(struct txn *txn, const struct environment_state *state)
{
    struct key key;
    struct record record;
    struct bytes *out = record_begin(&record);
    put_u8(out, state->alive ? ALIVE : 0);
    put_u32(out, state->is.id);
    put_u32(out, state->before);
    put_u64(out, state->is.made_rev);
    put_u64(out, state->is.changed_rev);
    put_u64(out, state->is.shown_rev);
    put_i64(out, state->is.made_time);
    put_i64(out, state->is.listed_time);
    put_u32(out, state->is.base);
    put_u8(out,
           (state->is.is_protected ? FLAG_PROTECTED : 0) | (state->is.is_signed ? FLAG_SIGNED : 0));
    put_i64(out, state->is.expires);
    txn_put(txn, DB_ENVIRONMENT, key_environment(&key, state->is.name), record_body(&record));
}

/* What the record of an environment's id says. Each of the three may be NULL. */
static int get_environment_id(struct txn *txn, char *name, uint32_t *before, uint32_t *base,
                              uint32_t id)
{
    struct key key;
    struct decoder in;
    char text[ENVIRONMENT_NAME_MAX + 1];
    int error = record_get(txn, &in, DB_NAME, key_name_environment(&key, id), "environment name");
    if (error)
        return error;
    const uint32_t earlier = take_u32(&in);
    const uint32_t beneath = take_u32(&in);
    take_text(&in, text, sizeof text);
    error = decoder_end(&in, "environment name record");
    if (error)
        return error;
    if (before)
        *before = earlier;
    if (base)
        *base = beneath;
    if (name)
        memcpy(name, text, sizeof text);
    return 0;
}

int state_environment_name(struct txn *txn, char name[static ENVIRONMENT_NAME_MAX + 1],
                           uint32_t *before, uint32_t id)
{
    return get_environment_id(txn, name, before, NULL, id);
}

int state_environment_base(struct txn *txn, uint32_t *base, uint32_t id)
{
    return get_environment_id(txn, NULL, NULL, base, id);
}

void state_put_environment_name(struct txn *txn, const struct environment_state *state)
{
    struct key key;
    struct record record;
    struct bytes *out = record_begin(&record);
    put_u32(out, state->before);
    put_u32(out, state->is.base);
    put_short(out, state->is.name, strlen(state->is.name));
    txn_put(txn, DB_NAME, key_name_environment(&key, state->is.id), record_body(&record));
}

static int read_place(struct place_state *out, struct decoder *in, uint32_t environment,
                      const char *name)
{
    struct place_state state = {0};
    state.alive = take_alive(in);
    state.is.environment = environment;
    state.is.id = take_u32(in);
    state.is.incarnation = take_u16(in);
    state.is.made_rev = take_u64(in);
    state.is.changed_rev = take_u64(in);
    state.is.shown_rev = take_u64(in);
    state.is.made_time = take_i64(in);
    state.is.listed_time = take_i64(in);
    memcpy(state.is.name, name, strlen(name) + 1);
    const int error = decoder_end(in, "service record");
    if (!error)
        *out = state;
    return error;
}

int state_place(struct txn *txn, struct place_state *out, uint32_t environment, const char *service)
{
    struct key key;
    struct decoder in;
    if (strlen(service) > SERVICE_NAME_MAX)
        return NOT_THERE;
    const int found =
        record_get(txn, &in, DB_PLACE, key_place(&key, environment, service), "service");
    return found ? found : read_place(out, &in, environment, service);
}

int state_next_place(struct txn *txn, struct place_state *out, uint32_t environment,
                     const char *after)
{
    struct key key;
    struct slice found, body;
    struct decoder in;
    uint32_t found_environment;
    char name[SERVICE_NAME_MAX + 1];
    int error = txn_seek(txn, &found, &body, DB_PLACE, key_place(&key, environment, after), true);
    if (!error)
        error = key_place_parse(found, &found_environment, name);
    if (error)
        return error;
    if (found_environment != environment)
        return NOT_THERE;
    error = record_open(&in, body, "service");
    return error ? error : read_place(out, &in, environment, name);
}

void state_put_place(struct txn *txn, const struct place_state *state)
{
    struct key key;
    struct record record;
    struct bytes *out = record_begin(&record);
    put_u8(out, state->alive ? ALIVE : 0);
    put_u32(out, state->is.id);
    put_u16(out, state->is.incarnation);
    put_u64(out, state->is.made_rev);
    put_u64(out, state->is.changed_rev);
    put_u64(out, state->is.shown_rev);
    put_i64(out, state->is.made_time);
    put_i64(out, state->is.listed_time);
    txn_put(txn, DB_PLACE, key_place(&key, state->is.environment, state->is.name),
            record_body(&record));
}

int state_service_name(struct txn *txn, char name[static SERVICE_NAME_MAX + 1], uint32_t id)
{
    struct key key;
    struct decoder in;
    char text[SERVICE_NAME_MAX + 1];
    int error = record_get(txn, &in, DB_NAME, key_name_service(&key, id), "service name");
    if (error)
        return error;
    take_text(&in, text, sizeof text);
    error = decoder_end(&in, "service name record");
    if (!error)
        memcpy(name, text, sizeof text);
    return error;
}

int state_service_id(struct txn *txn, uint32_t *id, const char *name)
{
    struct key key;
    struct decoder in;
    if (strlen(name) > SERVICE_NAME_MAX)
        return NOT_THERE;
    int error = record_get(txn, &in, DB_NAME, key_name_service_text(&key, name), "service id");
    if (error)
        return error;
    const uint32_t found = take_u32(&in);
    error = decoder_end(&in, "service id record");
    if (!error)
        *id = found;
    return error;
}

void state_put_service_name(struct txn *txn, uint32_t id, const char *name)
{
    struct key key;
    struct record record;
    struct bytes *out = record_begin(&record);
    put_short(out, name, strlen(name));
    txn_put(txn, DB_NAME, key_name_service(&key, id), record_body(&record));
    out = record_begin(&record);
    put_u32(out, id);
    txn_put(txn, DB_NAME, key_name_service_text(&key, name), record_body(&record));
}

int state_name(struct txn *txn, uint32_t *service, char key_text[static KEY_NAME_MAX + 1],
               uint64_t id)
{
    struct key key;
    struct decoder in;
    size_t size;
    int error = record_get(txn, &in, DB_NAME, key_name_entry(&key, id), "name");
    if (error)
        return error;
    const uint32_t owner = take_u32(&in);
    const unsigned char *text = take_short(&in, &size, KEY_NAME_MAX);
    error = decoder_end(&in, "name record");
    if (error)
        return error;
    *service = owner;
    memcpy(key_text, text, size);
    key_text[size] = '\0';
    return 0;
}

int state_name_id(struct txn *txn, uint64_t *id, uint32_t service, const char *text)
{
    struct key key;
    struct decoder in;
    if (strlen(text) > KEY_NAME_MAX)
        return NOT_THERE;
    int error = record_get(txn, &in, DB_NAME, key_name_entry_text(&key, service, text), "name id");
    if (error)
        return error;
    const uint64_t found = take_u64(&in);
    error = decoder_end(&in, "name id record");
    if (!error)
        *id = found;
    return error;
}

int state_next_name(struct txn *txn, uint64_t *id, char text[static KEY_NAME_MAX + 1],
                    uint32_t service)
{
    struct key key;
    struct slice found, body;
    struct decoder in;
    uint32_t found_service;
    char name[KEY_NAME_MAX + 1];
    int error =
        txn_seek(txn, &found, &body, DB_NAME, key_name_entry_text(&key, service, text), true);
    if (error)
        return error;
    if (found.data[0] != key.data[0]) /* ids and names of another sort */
        return NOT_THERE;
    error = key_name_entry_text_parse(found, &found_service, name);
    if (error)
        return error;
    if (found_service != service)
        return NOT_THERE;
    error = record_open(&in, body, "name id");
    if (error)
        return error;
    const uint64_t found_id = take_u64(&in);
    error = decoder_end(&in, "name id record");
    if (error)
        return error;
    *id = found_id;
    memcpy(text, name, strlen(name) + 1);
    return 0;
}

void state_put_name(struct txn *txn, uint64_t id, uint32_t service, const char *text)
{
    struct key key;
    struct record record;
    struct bytes *out = record_begin(&record);
    put_u32(out, service);
    put_short(out, text, strlen(text));
    txn_put(txn, DB_NAME, key_name_entry(&key, id), record_body(&record));
    out = record_begin(&record);
    put_u64(out, id);
    txn_put(txn, DB_NAME, key_name_entry_text(&key, service, text), record_body(&record));
}
