/* The part of state.h that is about key pairs, identities and requests. */
#include "store/log/state.h"

#include <string.h>

#include "store/db/keys.h"
#include "store/error.h"
#include "store/log/record.h"

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

int state_signer(struct txn *txn, struct identity_state *out,
                 const uint8_t signing_key[static CRYPTO_KEY_SIZE], uint64_t rev)
{
    struct identity_state identity;
    const uint8_t *after = NULL;
    uint8_t last[CRYPTO_KEY_SIZE];
    for (;;) {
        const int found = state_next_identity(txn, &identity, after);
        if (found)
            return found;
        if (identity.rev < rev && memcmp(identity.signing_key, signing_key, CRYPTO_KEY_SIZE) == 0) {
            *out = identity;
            return 0;
        }
        memcpy(last, identity.public_key, CRYPTO_KEY_SIZE);
        after = last;
    }
}

static int read_identity(struct identity_state *out, struct decoder *in)
{
    out->rev = take_u64(in);
    take_copy(in, out->signing_key, CRYPTO_KEY_SIZE);
    size_t size;
    const unsigned char *name = take_short(in, &size, PRINCIPAL_NAME_MAX);
    const int error = decoder_end(in, "identity record");
    if (!error) {
        memcpy(out->name, name, size);
        out->name[size] = '\0';
    }
    return error;
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
    put_short(out, state->name, strlen(state->name));
    txn_put(txn, DB_KEY, key_identity(&key, state->public_key), record_body(&record));
    out = record_begin(&record);
    bytes_append(out, state->public_key, CRYPTO_KEY_SIZE);
    txn_put(txn, DB_KEY, key_identity_name(&key, state->name), record_body(&record));
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
