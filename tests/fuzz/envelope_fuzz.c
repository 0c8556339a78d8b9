/* Envelopes, with the keyring's keys at hand: anything is refused, and a true one opens only as it
 * is. Keys are new in each process, so the first byte says what is done to a true envelope made
 * here: 0, the rest of the input is taken for an envelope; else the rest is laid over the true one
 * (xor, from the offset that its first two bytes say). */
#include <stdlib.h>
#include <string.h>

#include "store/crypto/envelope.h"
#include "store/crypto/keyring.h"
#include "store/error.h"
#include "tests/fuzz/target.h"

static const uint8_t store_id[16] = {1};
static struct wrapped_key wrapped;
static struct recipient service = {.environment = 1, .service = 2, .generation = 1};
static struct keyring *keyring;
static struct bytes envelope = BYTES_INIT(4096);
static struct place place = {.environment = 1, .service = 2, .name_id = 3, .rev = 4, .kind = 2};

static int find_public(void *context, struct recipient *owner)
{
    (void)context;
    if (owner->environment != 1 || owner->service != 2 || owner->generation != 1)
        return 1;
    memcpy(owner->public_key, service.public_key, CRYPTO_KEY_SIZE);
    return 0;
}

static int find_wrapped(void *context, struct wrapped_key *out)
{
    (void)context;
    if (memcmp(out->for_public_key, wrapped.for_public_key, CRYPTO_KEY_SIZE) != 0)
        return 1;
    memcpy(out->data, wrapped.data, WRAPPED_KEY_SIZE);
    return 0;
}

static void start(void)
{
    static const struct keyring_source source = {find_public, find_wrapped, NULL};
    struct identity *identity;
    struct sealer *sealer;
    SECRET_CLEANUP struct secret value = {0};
    uint8_t key[32], sign[32];
    if (secret_setup(8u << 20) || identity_new(&identity))
        abort();
    identity_keys(identity, key, sign);
    if (keyring_make(store_id, &service, &wrapped, key) ||
        keyring_new(&keyring, store_id, &source) || sealer_new(&sealer) ||
        secret_copy(&value, "the value", 9) ||
        envelope_seal(sealer, &envelope, &place, &value, &service, 1))
        abort();
    keyring_add(keyring, identity);
    sealer_free(sealer);
}

static void open_it(const uint8_t *data, size_t size, bool is_true)
{
    SECRET_CLEANUP struct secret out = {0};
    size_t length;
    int error = envelope_open(keyring, NULL, &out, &place, data, size);
    if (is_true != (error == 0))
        abort();
    if (error == 0 ? out.size != 9 || memcmp(out.data, "the value", 9) != 0 : out.size != 0)
        abort();
    if (envelope_length(keyring, NULL, &length, &place, data, size) == 0 && length != 9)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!keyring)
        start();
    if (size == 0 || data[0] == 0) {
        open_it(data + (size > 0), size - (size > 0), false);
        return 0;
    }
    if (size < 3)
        return 0;
    uint8_t changed[4096];
    memcpy(changed, envelope.data, envelope.size);
    size_t at = ((size_t)data[1] << 8 | data[2]) % envelope.size;
    for (size_t i = 3; i < size && at < envelope.size; i++, at++)
        changed[at] ^= data[i];
    open_it(changed, envelope.size, memcmp(changed, envelope.data, envelope.size) == 0);
    return 0;
}
