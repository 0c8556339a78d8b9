/* Envelopes: what is sealed opens in its place and nowhere else, and not when a bit of it is
 * changed. */
#include "tests/unit/store/crypto_support.h"

static void seal_value(struct bytes *out, const struct place *place, const void *data, size_t size,
                       const struct recipient recipients[], size_t count)
{
    struct sealer *sealer = NULL;
    SECRET_CLEANUP struct secret value = {0};
    assert_int_equal(secret_copy(&value, data, size), 0);
    assert_int_equal(sealer_new(&sealer), 0);
    assert_int_equal(envelope_seal(sealer, out, place, &value, recipients, count), 0);
    assert_int_equal(out->size, envelope_size(size, count));
    sealer_free(sealer);
}

static void round_trips(void **state)
{
    struct world *world = *state;
    static const size_t sizes[] = {0,    1,    7,    63,    64,     65,       4095,
                                   4096, 4097, 5000, 65536, 100000, VALUE_MAX};
    unsigned short numbers[3] = {(unsigned short)test_seed(), 2, 3};
    unsigned char *data = malloc(VALUE_MAX);
    for (size_t i = 0; i < VALUE_MAX; i++)
        data[i] = (unsigned char)nrand48(numbers);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        BYTES_CLEANUP struct bytes out = BYTES_INIT(4u << 20);
        SECRET_CLEANUP struct secret opened = {0};
        struct place place = place_of(2);
        size_t length = 99;
        seal_value(&out, &place, data, sizes[i], &world->service, 1);
        assert_int_equal(
            envelope_length(world->keyring, &world->log, &length, &place, out.data, out.size), 0);
        assert_int_equal(length, sizes[i]);
        assert_int_equal(
            envelope_open(world->keyring, &world->log, &opened, &place, out.data, out.size), 0);
        assert_int_equal(opened.size, sizes[i]);
        assert_memory_equal(opened.data, data, sizes[i]);
        if (sizes[i] >= 32)
            assert_null(memmem(out.data, out.size, data, 32));
    }
    free(data);
}

static void padding_hides_sizes_cheaply(void **state)
{
    (void)state;
    assert_int_equal(envelope_padded(0), 64);
    assert_int_equal(envelope_padded(7), envelope_padded(40));
    assert_int_equal(envelope_padded(65), 128);
    assert_int_equal(envelope_padded(4096), 4096);
    assert_int_equal(envelope_padded(4097), 4608);
    assert_int_equal(envelope_padded(VALUE_MAX), VALUE_MAX);
    size_t before = 0;
    for (size_t size = 0; size <= VALUE_MAX; size++) {
        size_t padded = envelope_padded(size);
        if (padded < size || padded < before || (size > 4096 && (padded - size) * 8 > size))
            fail_msg("%zu is padded to %zu", size, padded);
        before = padded;
    }
}

static void every_flipped_bit_is_refused(void **state)
{
    struct world *world = *state;
    struct place place = place_of(2);
    BYTES_CLEANUP struct bytes out = BYTES_INIT(4u << 20);
    SECRET_CLEANUP struct secret opened = {0};
    struct recipient recipients[] = {world->service, world->other};
    seal_value(&out, &place, "a value", 7, recipients, 2);
    for (size_t bit = 0; bit < out.size * 8; bit++) {
        out.data[bit / 8] ^= (unsigned char)(1u << (bit % 8));
        int error = envelope_open(world->keyring, &world->log, &opened, &place, out.data, out.size);
        if (error >= 0 || opened.size != 0)
            fail_msg("bit %zu flipped: opened all the same", bit);
        out.data[bit / 8] ^= (unsigned char)(1u << (bit % 8));
    }
    assert_int_equal(
        envelope_open(world->keyring, &world->log, &opened, &place, out.data, out.size), 0);
}

static void every_shorter_one_is_refused(void **state)
{
    struct world *world = *state;
    struct place place = place_of(2);
    BYTES_CLEANUP struct bytes out = BYTES_INIT(4u << 20);
    SECRET_CLEANUP struct secret opened = {0};
    seal_value(&out, &place, "a value", 7, &world->service, 1);
    for (size_t size = 0; size < out.size; size++) {
        unsigned char *exact =
            malloc(size ? size : 1); /* so that a sanitizer sees one byte too far */
        memcpy(exact, out.data, size);
        size_t length;
        assert_int_equal(envelope_open(world->keyring, &world->log, &opened, &place, exact, size),
                         ERR(ERR_CORRUPT));
        assert_int_equal(envelope_length(world->keyring, &world->log, &length, &place, exact, size),
                         ERR(ERR_CORRUPT));
        free(exact);
    }
}

static void opens_in_its_place_only(void **state)
{
    struct world *world = *state;
    const struct place place = place_of(2);
    BYTES_CLEANUP struct bytes out = BYTES_INIT(4u << 20);
    SECRET_CLEANUP struct secret opened = {0};
    seal_value(&out, &place, "a value", 7, &world->service, 1);
    struct place others[9];
    for (size_t i = 0; i < 9; i++)
        others[i] = place;
    others[0].store_id[15] ^= 1;
    others[1].environment++;
    others[2].service++;
    others[3].name_id++;
    others[4].entry_id++;
    others[5].rev++;
    others[6].op++;
    others[7].kind++;
    others[8].flags++;
    for (size_t i = 0; i < 9; i++) {
        size_t length;
        assert_int_equal(
            envelope_open(world->keyring, &world->log, &opened, &others[i], out.data, out.size),
            ERR(ERR_CORRUPT));
        assert_int_equal(
            envelope_length(world->keyring, &world->log, &length, &others[i], out.data, out.size),
            ERR(ERR_CORRUPT));
    }
}

/* Opening again trusts nothing that it did not authenticate itself. */
static void opens_again_for(struct world *world, size_t count)
{
    const struct place place = place_of(2);
    BYTES_CLEANUP struct bytes out = BYTES_INIT(4u << 20);
    SECRET_CLEANUP struct secret opened = {0};
    struct recipient recipients[] = {world->service, world->other};
    seal_value(&out, &place, "a value", 7, recipients, count);
    assert_int_equal(envelope_reopen(world->keyring, &opened, &place, 7, out.data, out.size), 1);
    assert_int_equal(
        envelope_open(world->keyring, &world->log, &opened, &place, out.data, out.size), 0);
    secret_clear(&opened);
    assert_int_equal(envelope_reopen(world->keyring, &opened, &place, 7, out.data, out.size), 0);
    assert_int_equal(opened.size, 7);
    assert_memory_equal(opened.data, "a value", 7);
    for (size_t bit = 0; bit < out.size * 8; bit++) {
        out.data[bit / 8] ^= (unsigned char)(1u << (bit % 8));
        if (envelope_reopen(world->keyring, &opened, &place, 7, out.data, out.size) == 0)
            fail_msg("for %zu, bit %zu flipped: opened all the same", count, bit);
        out.data[bit / 8] ^= (unsigned char)(1u << (bit % 8));
    }
    struct place other = place;
    other.name_id++;
    assert_int_equal(envelope_reopen(world->keyring, &opened, &other, 7, out.data, out.size),
                     ERR(ERR_CORRUPT));
    assert_int_equal(opened.size, 0);
    assert_int_equal(envelope_reopen(world->keyring, &opened, &place, 6, out.data, out.size),
                     ERR(ERR_CORRUPT));
    assert_int_equal(envelope_reopen(world->keyring, &opened, &place, 65, out.data, out.size),
                     ERR(ERR_CORRUPT));
    assert_int_equal(envelope_reopen(world->keyring, &opened, &place, 7, out.data, 10),
                     ERR(ERR_CORRUPT));
}

static void opens_again(void **state)
{
    struct world *world = *state;
    opens_again_for(world, 1);
    opens_again_for(world, 2);
}

/* A host that was granted one service's key only, made for it here. */
static struct keyring *make_host(struct world *world, struct recipient *service)
{
    struct identity *host = NULL;
    struct keyring *keyring = NULL;
    uint8_t key[32], sign[32];
    assert_int_equal(identity_new(&host), 0);
    identity_keys(host, key, sign);
    *service = log_make(&world->log, 9, 4, 1, key);
    assert_int_equal(keyring_new(&keyring, test_store_id, &log_source), 0);
    keyring_add(keyring, host);
    return keyring;
}

static void consumers_open_what_is_shared_with_them(void **state)
{
    struct world *world = *state;
    struct place place = place_of(2);
    BYTES_CLEANUP struct bytes shared = BYTES_INIT(4u << 20);
    BYTES_CLEANUP struct bytes own = BYTES_INIT(4u << 20);
    SECRET_CLEANUP struct secret opened = {0};
    struct recipient host_service;
    struct keyring *host = make_host(world, &host_service);
    struct recipient recipients[] = {world->service, host_service};
    seal_value(&shared, &place, "for both", 8, recipients, 2);
    seal_value(&own, &place, "for one", 7, recipients, 1);
    assert_int_equal(envelope_open(host, &world->log, &opened, &place, shared.data, shared.size),
                     0);
    assert_memory_equal(opened.data, "for both", 8);
    assert_int_equal(envelope_open(host, &world->log, &opened, &place, own.data, own.size),
                     ERR(ERR_NO_KEY));
    assert_int_equal(opened.size, 0);
    keyring_free(host);
}

static void wrong_use_is_refused(void **state)
{
    struct world *world = *state;
    struct place place = place_of(2);
    struct sealer *sealer = NULL;
    SECRET_CLEANUP struct secret value = {0};
    BYTES_CLEANUP struct bytes out = BYTES_INIT(4u << 20);
    struct recipient bad = {.environment = 1, .service = 2, .generation = 1};
    assert_int_equal(secret_alloc(&value, VALUE_MAX + 64), 0);
    assert_int_equal(sealer_new(&sealer), 0);
    assert_int_equal(envelope_seal(sealer, &out, &place, &value, &world->service, 0),
                     ERR(ERR_INVALID));
    assert_int_equal(envelope_seal(sealer, &out, &place, &value, &bad, 1), ERR(ERR_INVALID));
    value.size = VALUE_MAX + 1;
    assert_int_equal(envelope_seal(sealer, &out, &place, &value, &world->service, 1),
                     ERR(ERR_INVALID));
    sealer_free(sealer);
}

static void newer_format_is_said_to_be_one(void **state)
{
    struct world *world = *state;
    struct place place = place_of(2);
    BYTES_CLEANUP struct bytes out = BYTES_INIT(4u << 20);
    SECRET_CLEANUP struct secret opened = {0};
    seal_value(&out, &place, "a value", 7, &world->service, 1);
    out.data[0] = 3;
    assert_int_equal(
        envelope_open(world->keyring, &world->log, &opened, &place, out.data, out.size),
        ERR(ERR_FORMAT));
}

static void one_commit_has_one_ephemeral_key_a_service(void **state)
{
    struct world *world = *state;
    struct sealer *sealer = NULL;
    SECRET_CLEANUP struct secret value = {0};
    BYTES_CLEANUP struct bytes out = BYTES_INIT(4u << 20);
    struct place place = place_of(2);
    size_t size = envelope_size(5, 1);
    assert_int_equal(secret_copy(&value, "12345", 5), 0);
    assert_int_equal(sealer_new(&sealer), 0);
    /* the same value in the same place twice: nothing but the key to open it with is alike */
    assert_int_equal(envelope_seal(sealer, &out, &place, &value, &world->service, 1), 0);
    assert_int_equal(envelope_seal(sealer, &out, &place, &value, &world->service, 1), 0);
    assert_memory_equal(out.data + 76, out.data + size + 76, 32);
    assert_memory_not_equal(out.data + 8, out.data + size + 8, 32);
    assert_memory_not_equal(out.data + 108, out.data + size + 108, 48);
    assert_memory_not_equal(out.data + 156, out.data + size + 156, 64);
    for (uint32_t service = 100; service < 140; service++) { /* the table of pairs grows */
        struct recipient many = world->service;
        many.service = service;
        assert_int_equal(envelope_seal(sealer, &out, &place, &value, &many, 1), 0);
    }
    sealer_free(sealer);
    SECRET_CLEANUP struct secret opened = {0};
    assert_int_equal(envelope_open(world->keyring, &world->log, &opened, &place, out.data, size),
                     0);
    size_t asked = world->log.asked;
    assert_int_equal(
        envelope_open(world->keyring, &world->log, &opened, &place, out.data + size, size), 0);
    assert_int_equal(world->log.asked, asked); /* by the cached shared key */
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, make_world, free_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(round_trips),
        cmocka_unit_test(padding_hides_sizes_cheaply),
        WITH(every_flipped_bit_is_refused),
        WITH(every_shorter_one_is_refused),
        WITH(opens_in_its_place_only),
        WITH(opens_again),
        WITH(consumers_open_what_is_shared_with_them),
        WITH(wrong_use_is_refused),
        WITH(newer_format_is_said_to_be_one),
        WITH(one_commit_has_one_ephemeral_key_a_service),
    };
    return cmocka_run_group_tests(tests, start_secrets, end_secrets);
}
