/* Sealed texts: what is sealed opens with the service's key and no other, is what was sealed, and a
 * text of which anything was changed is none. */
#include "tests/unit/store/crypto_support.h"

#include "store/crypto/sealed_open.h"
#include "store/crypto/signature.h"

static const struct path key_path = {"prod", "billing", "PASSWORD"};

static struct sealed_for owner_of(const struct recipient *recipient)
{
    struct sealed_for owner = {.environment = recipient->environment,
                               .service = recipient->service,
                               .generation = recipient->generation};
    memcpy(owner.store_id, test_store_id, sizeof owner.store_id);
    memcpy(owner.public_key, recipient->public_key, sizeof owner.public_key);
    return owner;
}

static void seal_text(struct bytes *out, const struct recipient *recipient, const void *data,
                      size_t size)
{
    SECRET_CLEANUP struct secret value = {0};
    const struct sealed_for owner = owner_of(recipient);
    assert_int_equal(secret_copy(&value, data, size), 0);
    assert_int_equal(sealed_make(out, &owner, &key_path, &value), 0);
}

/* The error of reading and opening it; what comes out is that value. */
static int open_text(struct world *world, const void *text, size_t size, const void *data,
                     size_t data_size)
{
    SECRET_CLEANUP struct secret value = {0}, key = {0};
    struct sealed sealed;
    uint8_t digest[HASH_SIZE];
    int error = sealed_read(&sealed, text, size);
    if (!error)
        error = sealed_open(world->keyring, &world->log, &value, &key, &sealed);
    if (!error) {
        assert_int_equal(value.size, data_size);
        assert_memory_equal(value.data, data, data_size);
        assert_int_equal(key.size, CRYPTO_KEY_SIZE);
        secret_digest(digest, key.data, value.data, value.size);
        assert_memory_equal(digest, sealed.digest, HASH_SIZE);
        assert_string_equal(sealed.path.key, key_path.key);
        assert_string_equal(sealed.path.service, key_path.service);
        assert_string_equal(sealed.path.environment, key_path.environment);
    } else {
        assert_int_equal(value.size, 0);
        assert_int_equal(key.size, 0);
    }
    sealed_release(&sealed);
    return error;
}

static void round_trips(void **state)
{
    struct world *world = *state;
    static const size_t sizes[] = {0, 1, 64, 65, 4096, 4097, 100000, VALUE_MAX};
    unsigned short numbers[3] = {(unsigned short)test_seed(), 2, 3};
    unsigned char *data = malloc(VALUE_MAX);
    for (size_t i = 0; i < VALUE_MAX; i++)
        data[i] = (unsigned char)nrand48(numbers);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        BYTES_CLEANUP struct bytes text = BYTES_INIT(SEALED_TEXT_MAX);
        seal_text(&text, &world->service, data, sizes[i]);
        assert_int_equal(open_text(world, text.data, text.size, data, sizes[i]), 0);
    }
    free(data);
}

static void blanks_mean_nothing(void **state)
{
    struct world *world = *state;
    BYTES_CLEANUP struct bytes text = BYTES_INIT(SEALED_TEXT_MAX);
    BYTES_CLEANUP struct bytes folded = BYTES_INIT(SEALED_TEXT_MAX);
    seal_text(&text, &world->service, "value", 5);
    bytes_append_text(&folded, " \n");
    for (size_t i = 0; i < text.size; i++) {
        bytes_append(&folded, text.data + i, 1);
        if (i > 20 && i % 30 == 0)
            bytes_append_text(&folded, "\r\n  ");
    }
    bytes_append_text(&folded, "\n");
    assert_int_equal(open_text(world, folded.data, folded.size, "value", 5), 0);
}

static void every_changed_character_is_refused(void **state)
{
    struct world *world = *state;
    BYTES_CLEANUP struct bytes text = BYTES_INIT(SEALED_TEXT_MAX);
    seal_text(&text, &world->service, "value", 5);
    for (size_t i = 0; i < text.size; i++) {
        const unsigned char was = text.data[i];
        text.data[i] = was == 'A' ? 'B' : 'A';
        assert_int_not_equal(open_text(world, text.data, text.size, "", 0), 0);
        text.data[i] = was;
        assert_int_not_equal(open_text(world, text.data, i, "", 0), 0);
    }
    text.data[12] = '2';
    assert_int_equal(open_text(world, text.data, text.size, "", 0), ERR(ERR_FORMAT));
    assert_int_equal(open_text(world, "a value", 7, "", 0), ERR(ERR_INVALID));
    assert_int_equal(open_text(world, "", 0, "", 0), ERR(ERR_INVALID));
}

/* Whoever changes a text, and makes its check anew, has what the key does not open. */
static void what_is_forged_does_not_open(void **state)
{
    struct world *world = *state;
    BYTES_CLEANUP struct bytes text = BYTES_INIT(SEALED_TEXT_MAX);
    struct sealed sealed;
    seal_text(&text, &world->service, "value", 5);
    assert_int_equal(sealed_read(&sealed, text.data, text.size), 0);
    for (size_t i = 0; i < sealed.body.size - 16; i++) {
        SECRET_CLEANUP struct secret value = {0}, key = {0};
        sealed.body.data[i] ^= 1;
        assert_int_equal(sealed_open(world->keyring, &world->log, &value, &key, &sealed),
                         i >= sealed.head + 32 && i < sealed.sealed_at ? 0 : ERR(ERR_CORRUPT));
        sealed.body.data[i] ^= 1;
    }
    sealed_release(&sealed);
}

static void only_its_own_key_opens_it(void **state)
{
    struct world *world = *state;
    BYTES_CLEANUP struct bytes text = BYTES_INIT(SEALED_TEXT_MAX);
    SECRET_CLEANUP struct secret value = {0}, key = {0};
    struct sealed sealed;
    seal_text(&text, &world->service, "value", 5);
    assert_int_equal(sealed_read(&sealed, text.data, text.size), 0);
    sealed.service = world->other.service;
    assert_int_equal(sealed_open(world->keyring, &world->log, &value, &key, &sealed),
                     ERR(ERR_CORRUPT));
    sealed.service = 99;
    assert_int_equal(sealed_open(world->keyring, &world->log, &value, &key, &sealed),
                     ERR(ERR_NO_KEY));
    sealed_release(&sealed);
}

static void wrong_use_is_refused(void **state)
{
    struct world *world = *state;
    BYTES_CLEANUP struct bytes text = BYTES_INIT(SEALED_TEXT_MAX);
    SECRET_CLEANUP struct secret value = {0};
    struct sealed_for owner = owner_of(&world->service);
    assert_int_equal(secret_copy(&value, "x", 1), 0);
    assert_int_equal(sealed_make(&text, &owner, &(struct path){"prod", "billing", ""}, &value),
                     ERR(ERR_INVALID));
    memset(owner.public_key, 0, sizeof owner.public_key);
    assert_int_equal(sealed_make(&text, &owner, &key_path, &value), ERR(ERR_INVALID));
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, make_world, free_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(round_trips),
        WITH(blanks_mean_nothing),
        WITH(every_changed_character_is_refused),
        WITH(what_is_forged_does_not_open),
        WITH(only_its_own_key_opens_it),
        WITH(wrong_use_is_refused),
    };
    return cmocka_run_group_tests(tests, start_secrets, end_secrets);
}
