/* The part of state.h that is about identities by name, who holds which keys, keys of secrets that
 * were wrapped later, and what could be read by who may not any more. */
#include <string.h>

#include "store/db/keys.h"
#include "store/error.h"
#include "store/log/record.h"
#include "store/log/state.h"

int state_identity_named(struct txn *txn, struct identity_state *out, const char *name)
{
    struct key key;
    struct decoder in;
    uint8_t public_key[CRYPTO_KEY_SIZE];
    int error = record_get(txn, &in, DB_KEY, key_identity_name(&key, name), "identity's name");
    if (error)
        return error;
    take_copy(&in, public_key, sizeof public_key);
    error = decoder_end(&in, "identity's name record");
    return error ? error : state_identity(txn, out, public_key);
}

int state_next_pair(struct txn *txn, struct recipient *at)
{
    struct key key;
    struct slice found, body;
    uint32_t environment, service, generation;
    int error = txn_seek(
        txn, &found, &body, DB_KEY,
        key_pair(&key, at->environment, at->service, at->generation ? UINT32_MAX : 0), true);
    if (error)
        return error;
    if (found.data[0] != key.data[0])
        return NOT_THERE;
    error = key_pair_parse(found, &environment, &service, &generation);
    return error ? error : state_public_key(txn, at, environment, service);
}

int state_next_wrapped_key(struct txn *txn, struct wrapped_key *at)
{
    struct key key;
    struct slice found, body;
    struct wrapped_key next = {.owner = at->owner};
    struct recipient *owner = &next.owner;
    int error = txn_seek(txn, &found, &body, DB_KEY,
                         key_wrapped(&key, owner->environment, owner->service, owner->generation,
                                     at->for_public_key),
                         true);
    if (error)
        return error;
    if (found.data[0] != key.data[0])
        return NOT_THERE;
    error = key_wrapped_parse(found, &owner->environment, &owner->service, &owner->generation,
                              next.for_public_key);
    if (error)
        return error;
    if (owner->environment != at->owner.environment || owner->service != at->owner.service ||
        owner->generation != at->owner.generation)
        return NOT_THERE;
    error = state_wrapped_key(txn, &next);
    if (!error)
        *at = next;
    return error;
}

static struct key_value_wrap key_of(const struct value_wrap *wrap)
{
    return (struct key_value_wrap){.rev = wrap->rev,
                                   .op = wrap->op,
                                   .environment = wrap->owner.environment,
                                   .service = wrap->owner.service,
                                   .generation = wrap->owner.generation};
}

static int read_wrap(uint8_t out[static VALUE_WRAP_SIZE], struct decoder *in)
{
    const unsigned char *data = take_bytes(in, VALUE_WRAP_SIZE);
    const int error = decoder_end(in, "record of a secret's key");
    if (!error)
        memcpy(out, data, VALUE_WRAP_SIZE);
    return error;
}

int state_value_wrap(struct txn *txn, struct value_wrap *at)
{
    struct key key;
    struct decoder in;
    const struct key_value_wrap wanted = key_of(at);
    const int error = record_get(txn, &in, DB_KEY, key_value_wrap(&key, &wanted), "a secret's key");
    return error ? error : read_wrap(at->data, &in);
}

int state_next_value_wrap(struct txn *txn, struct value_wrap *at)
{
    struct key key;
    struct slice found, body;
    struct decoder in;
    struct key_value_wrap next = key_of(at);
    int error = txn_seek(txn, &found, &body, DB_KEY, key_value_wrap(&key, &next), true);
    if (error)
        return error;
    if (found.data[0] != key.data[0])
        return NOT_THERE;
    error = key_value_wrap_parse(found, &next);
    if (!error && (next.rev != at->rev || next.op != at->op))
        return NOT_THERE;
    if (!error)
        error = record_open(&in, body, "a secret's key");
    if (!error)
        error = read_wrap(at->data, &in);
    if (!error)
        at->owner = (struct recipient){.environment = next.environment,
                                       .service = next.service,
                                       .generation = next.generation};
    return error;
}

void state_put_value_wrap(struct txn *txn, const struct value_wrap *wrap)
{
    struct key key;
    struct record record;
    struct bytes *out = record_begin(&record);
    const struct key_value_wrap at = key_of(wrap);
    bytes_append(out, wrap->data, VALUE_WRAP_SIZE);
    txn_put(txn, DB_KEY, key_value_wrap(&key, &at), record_body(&record));
}

static int read_exposure(struct exposure *out, struct slice body)
{
    struct decoder in;
    size_t size;
    int error = record_open(&in, body, "what could be read");
    if (error)
        return error;
    const unsigned char *principal = take_short(&in, &size, PRINCIPAL_MAX);
    error = decoder_end(&in, "record of what could be read");
    if (!error) {
        memcpy(out->principal, principal, size);
        out->principal[size] = '\0';
    }
    return error;
}

int state_exposure(struct txn *txn, struct exposure *at)
{
    struct key key;
    struct slice body;
    const int error = txn_get(txn, &body, DB_KEY,
                              key_exposure(&key, at->environment, at->service, at->rev, at->op));
    return error ? error : read_exposure(at, body);
}

int state_next_exposure(struct txn *txn, struct exposure *at)
{
    struct key key;
    struct slice found, body;
    struct exposure next;
    int error = txn_seek(txn, &found, &body, DB_KEY,
                         key_exposure(&key, at->environment, at->service, at->rev, at->op), true);
    if (error)
        return error;
    if (found.data[0] != key.data[0])
        return NOT_THERE;
    error = key_exposure_parse(found, &next.environment, &next.service, &next.rev, &next.op);
    if (!error)
        error = read_exposure(&next, body);
    if (!error)
        *at = next;
    return error;
}

void state_put_exposure(struct txn *txn, const struct exposure *exposure)
{
    struct key key;
    struct record record;
    struct bytes *out = record_begin(&record);
    put_short(out, exposure->principal, strlen(exposure->principal));
    txn_put(
        txn, DB_KEY,
        key_exposure(&key, exposure->environment, exposure->service, exposure->rev, exposure->op),
        record_body(&record));
}
