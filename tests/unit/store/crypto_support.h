/* A log in memory for tests of store/crypto: public keys and wrapped keys, found as a transaction
 * would. */
#ifndef EMSA_TESTS_UNIT_STORE_CRYPTO_SUPPORT_H
#define EMSA_TESTS_UNIT_STORE_CRYPTO_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/crypto/envelope.h"
#include "store/crypto/hash.h"
#include "store/crypto/keyring.h"
#include "store/error.h"
#include "store/limits.h"

#define ERR(code) (-(int)(code))
#define KEYS_MAX 64

struct log {
    struct wrapped_key keys[KEYS_MAX]; /* owner with its public key, and what is wrapped for whom */
    size_t count;
    size_t asked; /* how often something was looked up */
};

static const uint8_t test_store_id[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static inline bool same_owner(const struct recipient *a, const struct recipient *b)
{
    return a->environment == b->environment && a->service == b->service &&
           a->generation == b->generation;
}

static inline int log_public_key(void *context, struct recipient *owner)
{
    struct log *log = context;
    log->asked++;
    for (size_t i = 0; i < log->count; i++)
        if (same_owner(&log->keys[i].owner, owner)) {
            memcpy(owner->public_key, log->keys[i].owner.public_key, CRYPTO_KEY_SIZE);
            return 0;
        }
    return 1;
}

static inline int log_wrapped(void *context, struct wrapped_key *out)
{
    struct log *log = context;
    log->asked++;
    for (size_t i = 0; i < log->count; i++)
        if (same_owner(&log->keys[i].owner, &out->owner) &&
            memcmp(log->keys[i].for_public_key, out->for_public_key, CRYPTO_KEY_SIZE) == 0) {
            memcpy(out->data, log->keys[i].data, WRAPPED_KEY_SIZE);
            return 0;
        }
    return 1;
}

static const struct keyring_source log_source = {log_public_key, log_wrapped, NULL};

static inline struct recipient log_make(struct log *log, uint32_t environment, uint32_t service,
                                        uint32_t generation,
                                        const uint8_t holder[static CRYPTO_KEY_SIZE])
{
    struct recipient owner = {
        .environment = environment, .service = service, .generation = generation};
    assert_true(log->count < KEYS_MAX);
    assert_int_equal(keyring_make(test_store_id, &owner, &log->keys[log->count++], holder), 0);
    return owner;
}

/* identity -> environment 1 -> services 2 and 3 */
struct world {
    struct log log;
    uint8_t identity_key[32], sign_key[32];
    struct recipient environment, service, other;
    struct keyring *keyring;
};

static inline int make_world(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct identity *identity = NULL;
    assert_int_equal(identity_new(&identity), 0);
    identity_keys(identity, world->identity_key, world->sign_key);
    world->environment = log_make(&world->log, 1, 0, 1, world->identity_key);
    world->service = log_make(&world->log, 1, 2, 1, world->environment.public_key);
    world->other = log_make(&world->log, 1, 3, 1, world->environment.public_key);
    assert_int_equal(keyring_new(&world->keyring, test_store_id, &log_source), 0);
    keyring_add(world->keyring, identity);
    *state = world;
    return 0;
}

static inline int free_world(void **state)
{
    struct world *world = *state;
    size_t used = 0, locked = 0;
    keyring_free(world->keyring);
    free(world);
    secret_usage(&used, &locked);
    assert_int_equal(used, 0); /* no key is left behind */
    return 0;
}

static inline int start_secrets(void **state)
{
    (void)state;
    return secret_setup(64u << 20);
}

static inline int end_secrets(void **state)
{
    size_t used = 0, locked = 0;
    (void)state;
    secret_usage(&used, &locked);
    assert_int_equal(used, 0); /* nothing secret is left behind */
    secret_teardown();
    return 0;
}

static inline struct place place_of(uint32_t service)
{
    struct place place = {.environment = 1,
                          .service = service,
                          .name_id = 77,
                          .entry_id = 12,
                          .rev = 900,
                          .op = 3,
                          .kind = 2,
                          .flags = 0};
    memcpy(place.store_id, test_store_id, sizeof(place.store_id));
    return place;
}

static inline unsigned test_seed(void)
{
    const char *given = getenv("EMSA_TEST_SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)getpid();
    print_message("seed %u (EMSA_TEST_SEED)\n", seed);
    return seed;
}

#endif
