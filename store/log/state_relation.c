#include "store/log/state_relation.h"

#include <string.h>

#include "store/db/keys.h"
#include "store/error.h"
#include "store/grant.h"
#include "store/log/record.h"

#define MARK_BITS 3u
#define FLAG_SECRET 4u
#define OUTCOME_SIZE 20u

/* A record that says no more than that it is there. */
static void put_nothing(struct txn *txn, enum database database, struct slice key)
{
    struct record record;
    record_begin(&record);
    txn_put(txn, database, key, record_body(&record));
}

int state_next_reference(struct txn *txn, struct state_reference *at)
{
    struct key key;
    struct slice found, body;
    const int error =
        txn_seek(txn, &found, &body, DB_REFERENCE,
                 key_reference(&key, at->layer, at->service, at->key, at->name_id), true);
    return error ? error
                 : key_reference_parse(found, &at->layer, at->service, at->key, &at->name_id);
}

bool state_has_reference(struct txn *txn, const struct state_reference *is)
{
    struct key key;
    struct slice body;
    return !txn_get(txn, &body, DB_REFERENCE,
                    key_reference(&key, is->layer, is->service, is->key, is->name_id));
}

void state_put_reference(struct txn *txn, const struct state_reference *is)
{
    struct key key;
    put_nothing(txn, DB_REFERENCE,
                key_reference(&key, is->layer, is->service, is->key, is->name_id));
}

void state_delete_reference(struct txn *txn, const struct state_reference *is)
{
    struct key key;
    txn_delete(txn, DB_REFERENCE,
               key_reference(&key, is->layer, is->service, is->key, is->name_id));
}

/* Which operation said so: what shares and locks hold. */
static int read_source(uint64_t *rev, uint32_t *op, struct decoder *in, const char *what)
{
    const uint64_t found_rev = take_u64(in);
    const uint32_t found_op = take_u32(in);
    const int error = decoder_end(in, what);
    if (error)
        return error;
    *rev = found_rev;
    *op = found_op;
    return 0;
}

static void put_source(struct txn *txn, enum database database, struct slice key, uint64_t rev,
                       uint32_t op)
{
    struct record record;
    struct bytes *out = record_begin(&record);
    put_u64(out, rev);
    put_u32(out, op);
    txn_put(txn, database, key, record_body(&record));
}

static struct slice share_key(struct key *key, const struct state_share *share)
{
    return key_share(key, share->layer, share->service, share->key, share->consumer);
}

int state_share(struct txn *txn, struct state_share *share)
{
    struct key key;
    struct decoder in;
    const int error = record_get(txn, &in, DB_SHARE, share_key(&key, share), "share");
    return error ? error : read_source(&share->rev, &share->op, &in, "share record");
}

int state_next_share(struct txn *txn, struct state_share *at)
{
    struct key key;
    struct slice found, body;
    struct decoder in;
    int error = txn_seek(txn, &found, &body, DB_SHARE, share_key(&key, at), true);
    if (!error)
        error = key_share_parse(found, &at->layer, at->service, at->key, at->consumer);
    if (!error)
        error = record_open(&in, body, "share");
    return error ? error : read_source(&at->rev, &at->op, &in, "share record");
}

void state_put_share(struct txn *txn, const struct state_share *share)
{
    struct key key;
    put_source(txn, DB_SHARE, share_key(&key, share), share->rev, share->op);
}

void state_delete_share(struct txn *txn, const struct state_share *share)
{
    struct key key;
    txn_delete(txn, DB_SHARE, share_key(&key, share));
}

static struct slice lock_key(struct key *key, const struct state_lock *lock)
{
    return key_lock(key, lock->environment, lock->service, lock->key);
}

int state_lock(struct txn *txn, struct state_lock *lock)
{
    struct key key;
    struct decoder in;
    const int error = record_get(txn, &in, DB_LOCK, lock_key(&key, lock), "lock");
    return error ? error : read_source(&lock->rev, &lock->op, &in, "lock record");
}

int state_next_lock(struct txn *txn, struct state_lock *at)
{
    struct key key;
    struct slice found, body;
    struct decoder in;
    int error = txn_seek(txn, &found, &body, DB_LOCK, lock_key(&key, at), true);
    if (!error)
        error = key_lock_parse(found, &at->environment, at->service, at->key);
    if (!error)
        error = record_open(&in, body, "lock");
    return error ? error : read_source(&at->rev, &at->op, &in, "lock record");
}

void state_put_lock(struct txn *txn, const struct state_lock *lock)
{
    struct key key;
    put_source(txn, DB_LOCK, lock_key(&key, lock), lock->rev, lock->op);
}

void state_delete_lock(struct txn *txn, const struct state_lock *lock)
{
    struct key key;
    txn_delete(txn, DB_LOCK, lock_key(&key, lock));
}

static int read_tag(struct state_tag *tag, struct decoder *in)
{
    const uint64_t rev = take_u64(in);
    const int error = read_source(&tag->said_rev, &tag->said_op, in, "tag record");
    if (!error)
        tag->rev = rev;
    return error;
}

int state_tag(struct txn *txn, struct state_tag *tag)
{
    struct key key;
    struct decoder in;
    const int error = record_get(txn, &in, DB_TAG, key_tag(&key, tag->name), "tag");
    return error ? error : read_tag(tag, &in);
}

int state_next_tag(struct txn *txn, struct state_tag *at)
{
    struct key key = {0};
    struct slice found, body;
    struct decoder in;
    int error = txn_seek(txn, &found, &body, DB_TAG, key_tag(&key, at->name), at->name[0] != '\0');
    if (!error)
        error = key_tag_parse(found, at->name);
    if (!error)
        error = record_open(&in, body, "tag");
    return error ? error : read_tag(at, &in);
}

void state_put_tag(struct txn *txn, const struct state_tag *tag)
{
    struct key key;
    struct record record;
    struct bytes *out = record_begin(&record);
    put_u64(out, tag->rev);
    put_u64(out, tag->said_rev);
    put_u32(out, tag->said_op);
    txn_put(txn, DB_TAG, key_tag(&key, tag->name), record_body(&record));
}

void state_delete_tag(struct txn *txn, const char *name)
{
    struct key key;
    txn_delete(txn, DB_TAG, key_tag(&key, name));
}

static struct slice grant_key(struct key *key, const struct state_grant *grant)
{
    return key_grant(key, grant->environment, grant->service, grant->principal);
}

static int read_grant(struct state_grant *grant, struct decoder *in)
{
    const unsigned rights = take_u16(in);
    const int error = read_source(&grant->rev, &grant->op, in, "grant record");
    if (!error)
        grant->rights = rights;
    return error;
}

int state_grant(struct txn *txn, struct state_grant *grant)
{
    struct key key;
    struct decoder in;
    const int error = record_get(txn, &in, DB_GRANT, grant_key(&key, grant), "grant");
    return error ? error : read_grant(grant, &in);
}

int state_next_grant(struct txn *txn, struct state_grant *at)
{
    struct key key;
    struct slice found, body;
    struct decoder in;
    int error = txn_seek(txn, &found, &body, DB_GRANT, grant_key(&key, at), true);
    if (!error)
        error = key_grant_parse(found, &at->environment, &at->service, at->principal);
    if (!error)
        error = record_open(&in, body, "grant");
    return error ? error : read_grant(at, &in);
}

int state_grant_reads(struct txn *txn, uint32_t environment, uint32_t service,
                      const char *principal)
{
    struct state_grant grant = {.environment = environment, .service = service};
    memcpy(grant.principal, principal, strlen(principal));
    const int found = state_grant(txn, &grant);
    return found < 0 ? found : !found && grant.rights & GRANT_READ;
}

void state_put_grant(struct txn *txn, const struct state_grant *grant)
{
    struct key key;
    struct record record;
    struct bytes *out = record_begin(&record);
    put_u16(out, (uint16_t)grant->rights);
    put_u64(out, grant->rev);
    put_u32(out, grant->op);
    txn_put(txn, DB_GRANT, grant_key(&key, grant), record_body(&record));
}

void state_delete_grant(struct txn *txn, const struct state_grant *grant)
{
    struct key key;
    txn_delete(txn, DB_GRANT, grant_key(&key, grant));
}

int state_schema(struct txn *txn, struct state_schema *schema)
{
    struct key key;
    struct decoder in;
    const int error =
        record_get(txn, &in, DB_SCHEMA, key_schema(&key, schema->layer, schema->service), "schema");
    return error ? error : read_source(&schema->rev, &schema->op, &in, "schema record");
}

int state_next_schema(struct txn *txn, struct state_schema *at)
{
    struct key key;
    struct slice found, body;
    struct decoder in;
    int error =
        txn_seek(txn, &found, &body, DB_SCHEMA, key_schema(&key, at->layer, at->service), true);
    if (!error)
        error = key_schema_parse(found, &at->layer, &at->service);
    if (!error)
        error = record_open(&in, body, "schema");
    return error ? error : read_source(&at->rev, &at->op, &in, "schema record");
}

void state_put_schema(struct txn *txn, const struct state_schema *schema)
{
    struct key key;
    put_source(txn, DB_SCHEMA, key_schema(&key, schema->layer, schema->service), schema->rev,
               schema->op);
}

void state_delete_schema(struct txn *txn, const struct state_schema *schema)
{
    struct key key;
    txn_delete(txn, DB_SCHEMA, key_schema(&key, schema->layer, schema->service));
}

static const char marks[] = {'+', '~', '-'};

static int read_outcome(struct outcome *out, struct decoder *in)
{
    const unsigned kind = take_u8(in);
    const unsigned flags = take_u8(in);
    const unsigned mark = flags & MARK_BITS;
    if (kind < OUTCOME_KEY || kind > OUTCOME_ENVIRONMENT || mark >= sizeof marks ||
        flags > (MARK_BITS | FLAG_SECRET))
        return error_set(ERR_FORMAT, "an outcome is of a kind that is not known to this version");
    out->kind = (enum outcome_kind)kind;
    out->mark = marks[mark];
    out->is_secret = flags & FLAG_SECRET;
    out->incarnation = take_u16(in);
    out->environment = take_u32(in);
    out->service = take_u32(in);
    out->name_id = take_u64(in);
    return 0;
}

int state_outcomes(struct txn *txn, struct outcome out[static OUTCOMES_A_CHUNK], size_t *count,
                   uint64_t rev, uint32_t chunk)
{
    struct key key;
    struct decoder in;
    int error = record_get(txn, &in, DB_OUTCOME, key_outcome(&key, rev, chunk), "outcome");
    if (error)
        return error;
    const size_t found = in.left / OUTCOME_SIZE;
    if (in.left % OUTCOME_SIZE || !found || found > OUTCOMES_A_CHUNK)
        return error_set(ERR_CORRUPT, "the outcomes of revision %llu are damaged",
                         (unsigned long long)rev);
    for (size_t i = 0; i < found; i++) {
        out[i] = (struct outcome){.rev = rev, .index = chunk * OUTCOMES_A_CHUNK + (uint32_t)i};
        error = read_outcome(&out[i], &in);
        if (error)
            return error;
    }
    *count = found;
    return 0;
}

void state_put_outcomes(struct txn *txn, const struct outcome *outcomes, size_t count, uint64_t rev,
                        uint32_t chunk)
{
    unsigned char room[1 + OUTCOMES_A_CHUNK * OUTCOME_SIZE];
    struct record record;
    struct key key;
    record_begin(&record);
    const struct slice head = record_body(&record);
    struct bytes out = {.data = room, .capacity = sizeof room, .limit = sizeof room};
    bytes_append(&out, head.data, head.size);
    for (size_t i = 0; i < count; i++) {
        const struct outcome *is = &outcomes[i];
        const unsigned mark = is->mark == '+' ? 0 : is->mark == '~' ? 1 : 2;
        put_u8(&out, (uint8_t)is->kind);
        put_u8(&out, (uint8_t)(mark | (is->is_secret ? FLAG_SECRET : 0)));
        put_u16(&out, is->incarnation);
        put_u32(&out, is->environment);
        put_u32(&out, is->service);
        put_u64(&out, is->name_id);
    }
    txn_put(txn, DB_OUTCOME, key_outcome(&key, rev, chunk), (struct slice){out.data, out.size});
}
