#include "store/crypto/keyring.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "store/crypto/cache.h"
#include "store/crypto/private.h"
#include "store/crypto/seal.h"
#include "store/error.h"

/* 8,192 keys: every service of a large host and the commits that its secrets are of; less than 1
 * MiB. */
#define CACHE_ENTRIES 8192u

/* Versions that are read again and again; less than 256 KiB, and 384 of ordinary memory. */
#define VALUE_ENTRIES 2048u

/* Generations are dense from 1; more than that many of one environment is a broken log. */
#define GENERATIONS_MAX 10000u

#define AD_SIZE 92
enum { AT_EPHEMERAL = 0, AT_COMMITMENT = 32, AT_SEALED = 64 };

#define LABEL_COMMITMENT "emsa-key-commitment-1"
#define LABEL_KEY "emsa-key-1"
#define LABEL_FINGERPRINT_KEY "emsa-fingerprint-key-1"

struct keyring {
    uint8_t store_id[16];
    struct keyring_source source;
    struct key_cache *cache;
    struct key_cache *values;  /* by commitment */
    pthread_mutex_t mutex;     /* keyring_add against itself; who fills in fingerprint first */
    struct secret fingerprint; /* the key of fingerprints; whole once has_fingerprint is true */
    _Atomic bool has_fingerprint;
    /* Filled in order and never emptied, so that readers need no lock: what stands below count is
     * whole. */
    struct identity *identities[KEYRING_IDENTITIES];
    _Atomic unsigned count;
};

int keyring_new(struct keyring **out, const uint8_t store_id[static 16],
                const struct keyring_source *source)
{
    int error = crypto_setup();
    if (error)
        return error;
    struct keyring *keyring = calloc(1, sizeof(*keyring));
    if (!keyring)
        return error_set(ERR_NOMEM, "cannot get memory for keys");
    error = key_cache_new(&keyring->cache, CACHE_ENTRIES, 0);
    if (!error)
        error = key_cache_new(&keyring->values, VALUE_ENTRIES, sizeof(struct value_head));
    if (error) {
        key_cache_free(keyring->cache);
        free(keyring);
        return error;
    }
    memcpy(keyring->store_id, store_id, sizeof(keyring->store_id));
    keyring->source = *source;
    pthread_mutex_init(&keyring->mutex, NULL);
    *out = keyring;
    return 0;
}

void keyring_free(struct keyring *keyring)
{
    if (!keyring)
        return;
    for (unsigned i = 0; i < atomic_load(&keyring->count); i++)
        identity_free(keyring->identities[i]);
    key_cache_free(keyring->cache);
    key_cache_free(keyring->values);
    secret_release(&keyring->fingerprint);
    pthread_mutex_destroy(&keyring->mutex);
    free(keyring);
}

void keyring_add(struct keyring *keyring, struct identity *identity)
{
    pthread_mutex_lock(&keyring->mutex);
    unsigned count = atomic_load(&keyring->count);
    if (count < KEYRING_IDENTITIES) {
        keyring->identities[count] = identity;
        atomic_store(&keyring->count, count + 1);
        identity = NULL;
    }
    pthread_mutex_unlock(&keyring->mutex);
    identity_free(identity);
}

bool keyring_identity(const struct keyring *keyring, uint8_t out[static CRYPTO_KEY_SIZE],
                      unsigned index)
{
    if (index >= atomic_load(&keyring->count))
        return false;
    memcpy(out, keyring->identities[index]->x25519, CRYPTO_KEY_SIZE);
    return true;
}

bool keyring_has_identity(const struct keyring *keyring)
{
    return atomic_load(&keyring->count) > 0;
}

static void write_ad(unsigned char out[static AD_SIZE], const uint8_t store_id[static 16],
                     const struct wrapped_key *wrapped)
{
    memcpy(out, store_id, 16);
    unsigned char *at = write_owner(out + 16, &wrapped->owner);
    memcpy(at, wrapped->owner.public_key, CRYPTO_KEY_SIZE);
    memcpy(at + CRYPTO_KEY_SIZE, wrapped->for_public_key, CRYPTO_KEY_SIZE);
}

static int wrap(const uint8_t store_id[static 16], struct wrapped_key *out,
                const uint8_t private_key[static CRYPTO_KEY_SIZE])
{
    uint8_t ephemeral[CRYPTO_KEY_SIZE], kek[CRYPTO_KEY_SIZE], key[CRYPTO_KEY_SIZE];
    unsigned char ad[AD_SIZE];
    new_pair(ephemeral, out->data + AT_EPHEMERAL);
    int failed = shared_key(kek, ephemeral, out->for_public_key, out->data + AT_EPHEMERAL,
                            out->for_public_key);
    if (!failed) {
        write_ad(ad, store_id, out);
        derive_key(out->data + AT_COMMITMENT, kek, LABEL_COMMITMENT, ad, sizeof(ad));
        derive_key(key, kek, LABEL_KEY, NULL, 0);
        seal(out->data + AT_SEALED, key, ad, sizeof(ad), private_key, CRYPTO_KEY_SIZE);
    }
    wipe(ephemeral, sizeof(ephemeral));
    wipe(kek, sizeof(kek));
    wipe(key, sizeof(key));
    return failed
               ? error_set(ERR_INVALID, "a key can't be wrapped: the holder's public key is none")
               : 0;
}

/* The private key inside, with the holder's private key; it must be the half of owner.public_key.
 */
static int unwrap(const uint8_t store_id[static 16], uint8_t out[static CRYPTO_KEY_SIZE],
                  const struct wrapped_key *wrapped,
                  const uint8_t holder_private[static CRYPTO_KEY_SIZE])
{
    uint8_t kek[CRYPTO_KEY_SIZE], key[CRYPTO_KEY_SIZE], check[CRYPTO_KEY_SIZE];
    unsigned char ad[AD_SIZE];
    const uint8_t *ephemeral = wrapped->data + AT_EPHEMERAL;
    int failed = shared_key(kek, holder_private, ephemeral, ephemeral, wrapped->for_public_key);
    if (!failed) {
        write_ad(ad, store_id, wrapped);
        derive_key(check, kek, LABEL_COMMITMENT, ad, sizeof(ad));
        derive_key(key, kek, LABEL_KEY, NULL, 0);
        failed = !equal_constant_time(check, wrapped->data + AT_COMMITMENT, CRYPTO_KEY_SIZE) ||
                 unseal(out, key, ad, sizeof(ad), wrapped->data + AT_SEALED,
                        WRAPPED_KEY_SIZE - AT_SEALED);
    }
    if (!failed) {
        public_of(check, out);
        failed = memcmp(check, wrapped->owner.public_key, CRYPTO_KEY_SIZE) != 0;
    }
    wipe(kek, sizeof(kek));
    wipe(key, sizeof(key));
    if (!failed)
        return 0;
    wipe(out, CRYPTO_KEY_SIZE);
    return error_set(ERR_CORRUPT,
                     "the key of environment %u, service %u, generation %u can't be "
                     "opened: it is damaged",
                     (unsigned)wrapped->owner.environment, (unsigned)wrapped->owner.service,
                     (unsigned)wrapped->owner.generation);
}

static int no_key(const struct recipient *owner)
{
    return error_set(ERR_NO_KEY, "no key at hand for environment %u, service %u, generation %u",
                     (unsigned)owner->environment, (unsigned)owner->service,
                     (unsigned)owner->generation);
}

/* A caller of the log, in one transaction. */
struct reader {
    struct keyring *keyring;
    void *context;
    bool is_tentative; /* in a write transaction, which may come to nothing: keeps nothing */
};

static int find_private(struct reader *reader, uint8_t out[static CRYPTO_KEY_SIZE],
                        const struct recipient *owner);

/* What is wrapped for one holder: 0, positive: nothing is, or a failure. */
static int find_wrapped(struct reader *reader, struct wrapped_key *wrapped,
                        const uint8_t public_key[static CRYPTO_KEY_SIZE])
{
    memcpy(wrapped->for_public_key, public_key, CRYPTO_KEY_SIZE);
    return reader->keyring->source.wrapped(reader->context, wrapped);
}

static int open_by_identity(struct reader *reader, uint8_t out[static CRYPTO_KEY_SIZE],
                            struct wrapped_key *wrapped)
{
    struct keyring *keyring = reader->keyring;
    unsigned count = atomic_load(&keyring->count);
    for (unsigned i = 0; i < count; i++) {
        const struct identity *identity = keyring->identities[i];
        int result = find_wrapped(reader, wrapped, identity->x25519);
        if (result == 0)
            return unwrap(keyring->store_id, out, wrapped, identity_secrets(identity)->x25519);
        if (result < 0)
            return result;
    }
    return 1;
}

/* By any generation of the environment's own key. */
static int open_by_environment(struct reader *reader, uint8_t out[static CRYPTO_KEY_SIZE],
                               struct wrapped_key *wrapped)
{
    struct keyring *keyring = reader->keyring;
    struct recipient environment = {.environment = wrapped->owner.environment};
    for (uint32_t generation = 1; generation <= GENERATIONS_MAX; generation++) {
        environment.generation = generation;
        int result = keyring->source.public_key(reader->context, &environment);
        if (result)
            return result;
        result = find_wrapped(reader, wrapped, environment.public_key);
        if (result < 0)
            return result;
        if (result > 0)
            continue;
        uint8_t holder[CRYPTO_KEY_SIZE];
        result = find_private(reader, holder, &environment);
        if (result == 0)
            result = unwrap(keyring->store_id, out, wrapped, holder);
        wipe(holder, sizeof(holder));
        if (result != -ERR_NO_KEY)
            return result;
    }
    return 1;
}

static const uint8_t own_key[CRYPTO_KEY_SIZE]; /* where the cache has an owner's private key */

/* At most one step deep: a service's key is opened by its environment's, that by an identity. */
static int find_private(struct reader *reader, uint8_t out[static CRYPTO_KEY_SIZE],
                        const struct recipient *owner)
{
    struct keyring *keyring = reader->keyring;
    if (!reader->is_tentative && key_cache_get(keyring->cache, out, NULL, owner, own_key))
        return 0;
    if (!keyring_has_identity(keyring))
        return no_key(owner);
    struct wrapped_key wrapped = {.owner = *owner};
    int result = keyring->source.public_key(reader->context, &wrapped.owner);
    if (result == 0)
        result = open_by_identity(reader, out, &wrapped);
    if (result > 0 && owner->service != 0)
        result = open_by_environment(reader, out, &wrapped);
    if (result == 0 && !reader->is_tentative)
        key_cache_put(keyring->cache, owner, own_key, out, NULL);
    return result > 0 ? no_key(owner) : result;
}

int keyring_check(struct keyring *keyring, void *context, const struct recipient *owner)
{
    struct reader reader = {.keyring = keyring, .context = context};
    uint8_t key[CRYPTO_KEY_SIZE];
    int error = find_private(&reader, key, owner);
    wipe(key, sizeof(key));
    return error;
}

int keyring_shared(struct keyring *keyring, uint8_t out[static CRYPTO_KEY_SIZE], void *context,
                   const struct recipient *owner, const uint8_t ephemeral[static CRYPTO_KEY_SIZE])
{
    /* All zeros is how the cache names an owner's private key, and no public key. */
    if (equal_constant_time(ephemeral, own_key, CRYPTO_KEY_SIZE))
        return error_set(ERR_CORRUPT, "a secret can't be opened: its public key is none");
    if (key_cache_get(keyring->cache, out, NULL, owner, ephemeral))
        return 0;
    struct reader reader = {.keyring = keyring, .context = context};
    struct recipient holder = *owner;
    uint8_t key[CRYPTO_KEY_SIZE];
    int error = find_private(&reader, key, owner);
    if (error)
        return error;
    /* The private key was held against this public key when it was opened; asking for it again is
     * cheaper than making it again. */
    error = keyring->source.public_key(context, &holder);
    if (error > 0)
        error = no_key(owner);
    if (!error && shared_key(out, key, ephemeral, ephemeral, holder.public_key))
        error = error_set(ERR_CORRUPT, "a secret can't be opened: its public key is none");
    wipe(key, sizeof(key));
    if (!error)
        key_cache_put(keyring->cache, owner, ephemeral, out, NULL);
    return error;
}

/* A commitment names one key, whoever it is wrapped for. */
static const struct recipient nobody;

bool keyring_value_key(struct keyring *keyring, uint8_t out[static CRYPTO_KEY_SIZE],
                       struct value_head *head, const uint8_t commitment[static CRYPTO_KEY_SIZE])
{
    return key_cache_get(keyring->values, out, head, &nobody, commitment);
}

void keyring_keep_value_key(struct keyring *keyring,
                            const uint8_t commitment[static CRYPTO_KEY_SIZE],
                            const uint8_t key[static CRYPTO_KEY_SIZE],
                            const struct value_head *head)
{
    key_cache_put(keyring->values, &nobody, commitment, key, head);
}

/* Where two threads come first, both made the same key. */
static int keep_fingerprint_key(struct keyring *keyring, const uint8_t key[static CRYPTO_KEY_SIZE])
{
    int error = 0;
    pthread_mutex_lock(&keyring->mutex);
    if (!keyring->fingerprint.data)
        error = secret_copy(&keyring->fingerprint, key, CRYPTO_KEY_SIZE);
    if (!error)
        atomic_store(&keyring->has_fingerprint, true);
    pthread_mutex_unlock(&keyring->mutex);
    return error;
}

static int make_fingerprint_key(struct keyring *keyring, void *context)
{
    struct reader reader = {.keyring = keyring, .context = context};
    uint8_t private_key[CRYPTO_KEY_SIZE], key[CRYPTO_KEY_SIZE];
    int error = find_private(&reader, private_key, &FINGERPRINT_OWNER);
    if (error)
        return error;
    derive_key(key, private_key, LABEL_FINGERPRINT_KEY, NULL, 0);
    error = keep_fingerprint_key(keyring, key);
    wipe(private_key, sizeof(private_key));
    wipe(key, sizeof(key));
    return error;
}

size_t fingerprint_covers(const void *value, size_t size)
{
    const unsigned char *bytes = value;
    if (size == 0 || bytes[size - 1] != '\n')
        return size;
    return size - (size > 1 && bytes[size - 2] == '\r' ? 2 : 1);
}

int keyring_fingerprint(struct keyring *keyring, void *context,
                        uint8_t out[static FINGERPRINT_SIZE], const void *value, size_t size)
{
    if (!atomic_load(&keyring->has_fingerprint)) {
        int error = make_fingerprint_key(keyring, context);
        if (error)
            return error;
    }
    fingerprint(out, keyring->fingerprint.data, value, fingerprint_covers(value, size));
    return 0;
}

int keyring_make_for(const uint8_t store_id[static 16], struct recipient *owner,
                     struct wrapped_key out[], size_t count)
{
    int error = crypto_setup();
    if (error)
        return error;
    struct recipient made = *owner;
    uint8_t private_key[CRYPTO_KEY_SIZE];
    new_pair(private_key, made.public_key);
    for (size_t i = 0; i < count && !error; i++) {
        out[i].owner = made;
        error = wrap(store_id, &out[i], private_key);
    }
    wipe(private_key, sizeof(private_key));
    if (!error)
        *owner = made;
    return error;
}

int keyring_make(const uint8_t store_id[static 16], struct recipient *owner,
                 struct wrapped_key *out, const uint8_t for_public_key[static CRYPTO_KEY_SIZE])
{
    struct wrapped_key wrapped;
    memcpy(wrapped.for_public_key, for_public_key, CRYPTO_KEY_SIZE);
    const int error = keyring_make_for(store_id, owner, &wrapped, 1);
    if (!error)
        *out = wrapped;
    return error;
}

int keyring_grant(struct keyring *keyring, void *context, struct wrapped_key *out)
{
    struct reader reader = {.keyring = keyring, .context = context, .is_tentative = true};
    struct wrapped_key wrapped = *out;
    uint8_t key[CRYPTO_KEY_SIZE];
    int error = keyring->source.public_key(context, &wrapped.owner);
    if (error)
        return error > 0 ? no_key(&out->owner) : error;
    error = find_private(&reader, key, &wrapped.owner);
    if (error)
        return error;
    error = wrap(keyring->store_id, &wrapped, key);
    wipe(key, sizeof(key));
    if (!error)
        *out = wrapped;
    return error;
}

int keyring_next_wrap(struct keyring *keyring, void *context, struct value_wrap *at)
{
    return keyring->source.next_wrap ? keyring->source.next_wrap(context, at) : 1;
}
