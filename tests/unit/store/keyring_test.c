/* The keyring: the way from an identity to a service's key, and everything that must bar it. */
#include "tests/unit/store/crypto_support.h"

#include <pthread.h>

#include "store/crypto/cache.h"
#include "store/crypto/seal.h"

static void check_is_open(struct world *world, const struct recipient *owner, int expected)
{
    assert_int_equal(keyring_check(world->keyring, &world->log, owner), expected);
}

static void the_way_is_open(void **state)
{
    struct world *world = *state;
    uint8_t ephemeral[CRYPTO_KEY_SIZE], point[CRYPTO_KEY_SIZE], ours[CRYPTO_KEY_SIZE],
        theirs[CRYPTO_KEY_SIZE];
    assert_true(keyring_has_identity(world->keyring));
    check_is_open(world, &world->environment, 0);
    check_is_open(world, &world->service, 0);
    /* both halves of an exchange agree */
    new_pair(ephemeral, point);
    assert_int_equal(
        shared_key(ours, ephemeral, world->service.public_key, point, world->service.public_key),
        0);
    assert_int_equal(keyring_shared(world->keyring, theirs, &world->log, &world->service, point),
                     0);
    assert_memory_equal(ours, theirs, sizeof(ours));
    size_t asked = world->log.asked;
    assert_int_equal(keyring_shared(world->keyring, theirs, &world->log, &world->service, point),
                     0);
    assert_int_equal(world->log.asked, asked); /* cached */
    assert_memory_equal(ours, theirs, sizeof(ours));
}

static void no_identity_or_a_stranger_opens_nothing(void **state)
{
    struct world *world = *state;
    struct keyring *empty = NULL;
    struct identity *stranger = NULL;
    assert_int_equal(keyring_new(&empty, test_store_id, &log_source), 0);
    assert_false(keyring_has_identity(empty));
    assert_int_equal(keyring_check(empty, &world->log, &world->service), ERR(ERR_NO_KEY));
    assert_int_equal(identity_new(&stranger), 0);
    keyring_add(empty, stranger);
    assert_int_equal(keyring_check(empty, &world->log, &world->service), ERR(ERR_NO_KEY));
    assert_int_equal(keyring_check(empty, &world->log, &world->environment), ERR(ERR_NO_KEY));
    keyring_free(empty);
    struct recipient unknown = {.environment = 5, .service = 6, .generation = 1};
    check_is_open(world, &unknown, ERR(ERR_NO_KEY));
}

static void later_generations_are_found(void **state)
{
    struct world *world = *state;
    struct recipient next = log_make(&world->log, 1, 0, 2, world->identity_key);
    struct recipient service = log_make(&world->log, 1, 2, 2, next.public_key);
    check_is_open(world, &service, 0);
    /* a generation that was not granted to us bars only itself */
    uint8_t nobody[CRYPTO_KEY_SIZE], nobodys[CRYPTO_KEY_SIZE];
    new_pair(nobody, nobodys);
    struct recipient hidden = log_make(&world->log, 1, 0, 3, nobodys);
    struct recipient under = log_make(&world->log, 1, 7, 1, hidden.public_key);
    check_is_open(world, &under, ERR(ERR_NO_KEY));
    struct recipient after = log_make(&world->log, 1, 0, 4, world->identity_key);
    struct recipient above = log_make(&world->log, 1, 8, 1, after.public_key);
    check_is_open(world, &above, 0);
}

/* The private half, wrapped by hand from the table in keyring.h. */
static void wrap_by_hand(struct log *log, const struct recipient *owner,
                         const uint8_t private_key[static CRYPTO_KEY_SIZE],
                         const uint8_t holder[static CRYPTO_KEY_SIZE])
{
    struct wrapped_key *wrapped = &log->keys[log->count++];
    uint8_t ephemeral[CRYPTO_KEY_SIZE], kek[CRYPTO_KEY_SIZE], key[CRYPTO_KEY_SIZE];
    unsigned char ad[16 + 12 + 32 + 32];
    *wrapped = (struct wrapped_key){.owner = *owner};
    memcpy(wrapped->for_public_key, holder, CRYPTO_KEY_SIZE);
    memcpy(ad, test_store_id, 16);
    memcpy(write_owner(ad + 16, owner), owner->public_key, 32);
    memcpy(ad + 60, holder, 32);
    new_pair(ephemeral, wrapped->data);
    assert_int_equal(shared_key(kek, ephemeral, holder, wrapped->data, holder), 0);
    derive_key(wrapped->data + 32, kek, "emsa-key-commitment-1", ad, sizeof(ad));
    derive_key(key, kek, "emsa-key-1", NULL, 0);
    seal(wrapped->data + 64, key, ad, sizeof(ad), private_key, CRYPTO_KEY_SIZE);
}

static void one_key_may_be_wrapped_for_many(void **state)
{
    struct world *world = *state;
    uint8_t nobody[CRYPTO_KEY_SIZE], nobodys[CRYPTO_KEY_SIZE], private_key[CRYPTO_KEY_SIZE];
    struct recipient owner = {.environment = 1, .service = 20, .generation = 1};
    new_pair(nobody, nobodys);
    struct recipient closed = log_make(&world->log, 1, 0, 2, nobodys);
    struct recipient open = log_make(&world->log, 1, 0, 3, world->identity_key);
    new_pair(private_key, owner.public_key);
    wrap_by_hand(&world->log, &owner, private_key, closed.public_key);
    check_is_open(world, &owner, ERR(ERR_NO_KEY));
    wrap_by_hand(&world->log, &owner, private_key, open.public_key);
    check_is_open(world, &owner, 0); /* by the second, though the first is barred */
}

static void a_private_key_that_is_not_its_public_keys_is_refused(void **state)
{
    struct world *world = *state;
    uint8_t private_key[CRYPTO_KEY_SIZE], other[CRYPTO_KEY_SIZE];
    struct recipient owner = {.environment = 1, .service = 21, .generation = 1};
    new_pair(private_key, other);
    new_pair(other, owner.public_key);
    wrap_by_hand(&world->log, &owner, private_key, world->environment.public_key);
    check_is_open(world, &owner, ERR(ERR_CORRUPT));
}

static void every_flipped_bit_of_a_wrapped_key_is_refused(void **state)
{
    struct world *world = *state;
    uint8_t *data = world->log.keys[0].data;
    for (size_t bit = 0; bit < WRAPPED_KEY_SIZE * 8; bit++) {
        data[bit / 8] ^= (unsigned char)(1u << (bit % 8));
        int error = keyring_check(world->keyring, &world->log, &world->environment);
        /* X25519 ignores the top bit of a public key; the derivation does not */
        if (error != ERR(ERR_CORRUPT))
            fail_msg("bit %zu flipped: %d", bit, error);
        data[bit / 8] ^= (unsigned char)(1u << (bit % 8));
    }
    check_is_open(world, &world->environment, 0);
}

static void keys_do_not_move(void **state)
{
    struct world *world = *state;
    struct wrapped_key *keys = world->log.keys; /* 0: environment, 1: service 2, 2: service 3 */
    struct wrapped_key kept = keys[1];
    memcpy(keys[1].data, keys[2].data, WRAPPED_KEY_SIZE); /* another service's key */
    check_is_open(world, &world->service, ERR(ERR_CORRUPT));
    keys[1] = kept;
    memcpy(keys[1].owner.public_key, keys[2].owner.public_key, CRYPTO_KEY_SIZE);
    check_is_open(world, &world->service, ERR(ERR_CORRUPT)); /* not the half of that public key */
    keys[1] = kept;
    struct keyring *other = NULL; /* another store's keyring, the same identity by another way */
    uint8_t id[16] = {9};
    struct identity *identity = NULL;
    uint8_t key[32], sign[32];
    assert_int_equal(identity_new(&identity), 0);
    identity_keys(identity, key, sign);
    struct recipient granted = log_make(&world->log, 4, 4, 1, key);
    assert_int_equal(keyring_new(&other, id, &log_source), 0);
    keyring_add(other, identity);
    assert_int_equal(keyring_check(other, &world->log, &granted), ERR(ERR_CORRUPT));
    keyring_free(other);
    check_is_open(world, &world->service, 0);
}

static void keys_that_are_none_are_refused(void **state)
{
    struct world *world = *state;
    static const uint8_t zeros[CRYPTO_KEY_SIZE];
    uint8_t one[CRYPTO_KEY_SIZE] = {1}, out[CRYPTO_KEY_SIZE]; /* a point of small order */
    struct recipient owner = {.environment = 1, .service = 9, .generation = 1};
    struct wrapped_key wrapped;
    assert_int_equal(keyring_make(test_store_id, &owner, &wrapped, zeros), ERR(ERR_INVALID));
    assert_int_equal(keyring_make(test_store_id, &owner, &wrapped, one), ERR(ERR_INVALID));
    assert_int_equal(keyring_shared(world->keyring, out, &world->log, &world->service, zeros),
                     ERR(ERR_CORRUPT));
    assert_int_equal(keyring_shared(world->keyring, out, &world->log, &world->service, one),
                     ERR(ERR_CORRUPT));
}

/* The store's own pair, with a private key that is known. */
static void give_fingerprint_key(struct world *world)
{
    struct recipient owner = FINGERPRINT_OWNER;
    uint8_t private_key[CRYPTO_KEY_SIZE];
    for (size_t i = 0; i < sizeof(private_key); i++)
        private_key[i] = (uint8_t)i;
    public_of(owner.public_key, private_key);
    wrap_by_hand(&world->log, &owner, private_key, world->identity_key);
}

static void check_fingerprint(struct world *world, const void *value, size_t size,
                              const char *expected)
{
    uint8_t out[FINGERPRINT_SIZE];
    char text[2 * FINGERPRINT_SIZE + 1];
    assert_int_equal(keyring_fingerprint(world->keyring, &world->log, out, value, size), 0);
    for (size_t i = 0; i < sizeof(out); i++)
        snprintf(text + 2 * i, 3, "%02x", out[i]);
    assert_string_equal(text, expected);
}

/* python3: F = hashlib.blake2b(bytes([22]) + b"emsa-fingerprint-key-1", key=bytes(range(32)),
 * digest_size=32).digest(); hashlib.blake2b(bytes([18]) + b"emsa-fingerprint-1" + value, key=F,
 * digest_size=16) */
static void fingerprints_known_answers(void **state)
{
    struct world *world = *state;
    static const char secret[] = "e4e7e0fe0c22c0f1eacbd5cef46f86c5";
    static const char nothing[] = "7baa66a282615112edba98cfa1a6b4f9";
    unsigned char large[5000];
    for (size_t i = 0; i < sizeof(large); i++)
        large[i] = (unsigned char)(i % 251);
    give_fingerprint_key(world);
    check_fingerprint(world, "S3cret-of-production", 20, secret);
    check_fingerprint(world, "S3cret-of-production\n", 21, secret);
    check_fingerprint(world, "S3cret-of-production\r\n", 22, secret);
    check_fingerprint(world, "", 0, nothing);
    check_fingerprint(world, "\n", 1, nothing);
    check_fingerprint(world, "\r\n", 2, nothing);
    check_fingerprint(world, large, sizeof(large), "1c806b90bef4c3b05a5baed3879a5c4b");
}

static void fingerprints_cover_all_but_one_newline(void **state)
{
    (void)state;
    assert_int_equal(fingerprint_covers("", 0), 0);
    assert_int_equal(fingerprint_covers("\n", 1), 0);
    assert_int_equal(fingerprint_covers("\r\n", 2), 0);
    assert_int_equal(fingerprint_covers("\n\n", 2), 1);
    assert_int_equal(fingerprint_covers("a\n", 2), 1);
    assert_int_equal(fingerprint_covers("a\r\n", 3), 1);
    assert_int_equal(fingerprint_covers("a\r\n\r\n", 5), 3);
    assert_int_equal(fingerprint_covers("a\r", 2), 2);
    assert_int_equal(fingerprint_covers("a\n\r", 3), 3);
}

static void fingerprints_need_their_key_once(void **state)
{
    struct world *world = *state;
    struct keyring *other = NULL;
    uint8_t out[FINGERPRINT_SIZE] = {7}, again[FINGERPRINT_SIZE];
    static const uint8_t untouched[FINGERPRINT_SIZE] = {7};
    assert_int_equal(keyring_fingerprint(world->keyring, &world->log, out, "value", 5),
                     ERR(ERR_NO_KEY)); /* the log has no such pair */
    give_fingerprint_key(world);
    assert_int_equal(keyring_new(&other, test_store_id, &log_source), 0);
    assert_int_equal(keyring_fingerprint(other, &world->log, out, "value", 5), ERR(ERR_NO_KEY));
    assert_memory_equal(out, untouched, sizeof(out));
    keyring_free(other);
    assert_int_equal(keyring_fingerprint(world->keyring, &world->log, out, "value", 5), 0);
    const size_t asked = world->log.asked;
    assert_int_equal(keyring_fingerprint(world->keyring, &world->log, again, "value", 5), 0);
    assert_int_equal(world->log.asked, asked);
    assert_memory_equal(out, again, sizeof(out));
    assert_int_equal(keyring_fingerprint(world->keyring, &world->log, again, "valuf", 5), 0);
    assert_memory_not_equal(out, again, sizeof(out));
}

/* RFC 7748, section 6.1: Alice's private key and both public keys. */
static void x25519_known_answer(void **state)
{
    (void)state;
    static const uint8_t private_key[] =
        "\x77\x07\x6d\x0a\x73\x18\xa5\x7d\x3c\x16\xc1\x72\x51\xb2\x66\x45"
        "\xdf\x4c\x2f\x87\xeb\xc0\x99\x2a\xb1\x77\xfb\xa5\x1d\xb9\x2c\x2a";
    static const uint8_t expected[] =
        "\x85\x20\xf0\x09\x89\x30\xa7\x54\x74\x8b\x7d\xdc\xb4\x3e\xf7\x5a"
        "\x0d\xbf\x3a\x0d\x26\x38\x1a\xf4\xeb\xa4\xa9\x8e\xaa\x9b\x4e\x6a";
    uint8_t public_key[CRYPTO_KEY_SIZE];
    public_of(public_key, private_key);
    assert_memory_equal(public_key, expected, sizeof(public_key));
}

static void cache_is_bounded_and_keeps_what_is_used(void **state)
{
    (void)state;
    struct key_cache *cache = NULL;
    assert_int_equal(key_cache_new(&cache, 64, sizeof(uint32_t)), 0);
    uint8_t key[CRYPTO_KEY_SIZE], out[CRYPTO_KEY_SIZE];
    struct recipient often = {.environment = 1, .service = 1, .generation = 1};
    uint8_t ephemeral[CRYPTO_KEY_SIZE] = {7};
    memset(key, 0xab, sizeof(key));
    const uint32_t one = 1;
    uint32_t beside = 0;
    key_cache_put(cache, &often, ephemeral, key, &one);
    for (uint32_t service = 2; service < 5000; service++) {
        struct recipient seldom = {.environment = 1, .service = service, .generation = 1};
        uint8_t other[CRYPTO_KEY_SIZE];
        memset(other, (int)service, sizeof(other));
        key_cache_put(cache, &seldom, ephemeral, other, &service);
        assert_true(key_cache_get(cache, out, &beside, &seldom, ephemeral));
        assert_int_equal(beside, service);
        assert_memory_equal(out, other, sizeof(out));
        assert_true(
            key_cache_get(cache, out, &beside, &often, ephemeral)); /* used, so not pushed out */
    }
    assert_memory_equal(out, key, sizeof(out));
    assert_int_equal(beside, 1);
    size_t left = 0;
    for (uint32_t service = 1; service < 5000; service++) {
        struct recipient owner = {.environment = 1, .service = service, .generation = 1};
        left += key_cache_get(cache, out, NULL, &owner, ephemeral);
    }
    assert_true(left > 8 && left <= 64);
    key_cache_free(cache);
}

struct reading {
    struct world *world;
    const struct bytes *envelopes;
};

enum { ENVELOPES = 20 };

/* The first of all threads makes the key. */
static bool has_fingerprint(struct reading *reading, struct log *log)
{
    static const uint8_t expected[FINGERPRINT_SIZE] = {0xfc, 0x7e, 0x27, 0x02, 0x20, 0x58,
                                                       0xd9, 0x2c, 0xc0, 0xa3, 0x92, 0x25,
                                                       0xa1, 0xa7, 0x5c, 0xbe};
    uint8_t out[FINGERPRINT_SIZE];
    return keyring_fingerprint(reading->world->keyring, log, out, "value", 5) == 0 &&
           memcmp(out, expected, sizeof(out)) == 0;
}

static void *read_all(void *arg)
{
    struct reading *reading = arg;
    struct log log = reading->world->log; /* a transaction of its own */
    SECRET_CLEANUP struct secret out = {0};
    struct place place = place_of(2);
    for (int i = 0; i < 300; i++) {
        const struct bytes *envelope = &reading->envelopes[i % ENVELOPES];
        if (envelope_open(reading->world->keyring, &log, &out, &place, envelope->data,
                          envelope->size) ||
            out.size != 5 || memcmp(out.data, "value", 5) != 0 || !has_fingerprint(reading, &log))
            return (void *)1;
        secret_clear(&out);
    }
    return NULL;
}

static void many_threads_read(void **state)
{
    struct world *world = *state;
    struct bytes envelopes[ENVELOPES];
    SECRET_CLEANUP struct secret value = {0};
    struct place place = place_of(2);
    struct reading reading = {world, envelopes};
    pthread_t threads[4];
    give_fingerprint_key(world);
    assert_int_equal(secret_copy(&value, "value", 5), 0);
    for (int i = 0; i < ENVELOPES; i++) { /* each its own commit */
        struct sealer *sealer = NULL;
        envelopes[i] = BYTES_INIT(4096);
        assert_int_equal(sealer_new(&sealer), 0);
        assert_int_equal(envelope_seal(sealer, &envelopes[i], &place, &value, &world->service, 1),
                         0);
        sealer_free(sealer);
    }
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_all, &reading), 0);
    for (int i = 0; i < 4; i++) {
        void *bad = NULL;
        pthread_join(threads[i], &bad);
        assert_null(bad);
    }
    for (int i = 0; i < ENVELOPES; i++)
        bytes_release(&envelopes[i]);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, make_world, free_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(the_way_is_open),
        WITH(no_identity_or_a_stranger_opens_nothing),
        WITH(later_generations_are_found),
        WITH(one_key_may_be_wrapped_for_many),
        WITH(a_private_key_that_is_not_its_public_keys_is_refused),
        WITH(every_flipped_bit_of_a_wrapped_key_is_refused),
        WITH(keys_do_not_move),
        WITH(keys_that_are_none_are_refused),
        WITH(fingerprints_known_answers),
        cmocka_unit_test(fingerprints_cover_all_but_one_newline),
        WITH(fingerprints_need_their_key_once),
        cmocka_unit_test(x25519_known_answer),
        cmocka_unit_test(cache_is_bounded_and_keeps_what_is_used),
        WITH(many_threads_read),
    };
    return cmocka_run_group_tests(tests, start_secrets, end_secrets);
}
