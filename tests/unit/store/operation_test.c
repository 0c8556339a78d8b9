#include "tests/unit/store/model_support.h"

#include "store/grant.h"
#include "store/log/operation.h"

static uint8_t public_key[32], for_key[32], signing_key[32], wrapped[WRAPPED_KEY_SIZE];

static struct operation make(enum operation_kind kind)
{
    struct operation operation = {.kind = kind,
                                  .first = true,
                                  .environment = 3,
                                  .service = 0x010203,
                                  .turn = 7,
                                  .name_id = 0x0102030405,
                                  .entry_id = 9,
                                  .stored_size = 1048576,
                                  .name = "LOG_LEVEL",
                                  .name_size = 9};
    memset(operation.digest, 0xd1, sizeof operation.digest);
    memset(public_key, 1, sizeof public_key);
    memset(for_key, 2, sizeof for_key);
    memset(wrapped, 3, sizeof wrapped);
    memset(signing_key, 4, sizeof signing_key);
    const bool is_wrapped = kind == OPERATION_SERVICE_KEY || kind == OPERATION_GRANT;
    if (kind == OPERATION_IDENTITY || kind == OPERATION_ENVIRONMENT_KEY ||
        kind == OPERATION_SERVICE_KEY)
        operation.public_key = public_key;
    if (is_wrapped) {
        operation.for_key = for_key;
        operation.wrapped = wrapped;
    }
    if (kind == OPERATION_IDENTITY)
        operation.signing_key = signing_key;
    if (operation_is_of_key(kind) || kind == OPERATION_ENVIRONMENT_ADD ||
        kind == OPERATION_ENVIRONMENT_REMOVE)
        operation.expires = 0x0102030405060708;
    if (kind == OPERATION_ENVIRONMENT_ADD) {
        operation.base = 0x090807;
        operation.is_protected = true;
    }
    if (kind == OPERATION_SHARE || kind == OPERATION_UNSHARE) {
        operation.consumer = "billing";
        operation.consumer_size = 7;
    }
    if (kind == OPERATION_TAG)
        operation.tagged = 0x0102030405060708;
    if (operation_is_of_rights(kind)) {
        operation.principal = "user:ci";
        operation.principal_size = 7;
        operation.rights = GRANT_READ | GRANT_ADMIN;
    }
    operation.is_same = operation_is_of_key(kind);
    operation.is_allowed_equal = operation_is_set(kind) || kind == OPERATION_DEFAULT_SET;
    operation.is_override = operation_is_of_schema(kind);
    return operation;
}

static struct slice encode(struct bytes *out, const struct operation *operation)
{
    bytes_reset(out);
    operation_encode(out, operation);
    assert_int_equal(out->error, 0);
    return (struct slice){out->data, out->size};
}

static void same_material(const uint8_t *a, const uint8_t *b, size_t size)
{
    assert_int_equal(a == NULL, b == NULL);
    if (a)
        assert_memory_equal(a, b, size);
}

static const enum operation_kind kinds[] = {OPERATION_SET_PLAIN,
                                            OPERATION_SET_SECRET,
                                            OPERATION_SET_LINK,
                                            OPERATION_SET_TEMPLATE,
                                            OPERATION_REMOVE,
                                            OPERATION_LOCK,
                                            OPERATION_UNLOCK,
                                            OPERATION_SHARE,
                                            OPERATION_UNSHARE,
                                            OPERATION_ENVIRONMENT_ADD,
                                            OPERATION_ENVIRONMENT_REMOVE,
                                            OPERATION_SERVICE_ADD,
                                            OPERATION_SERVICE_REMOVE,
                                            OPERATION_SCHEMA_SET,
                                            OPERATION_SCHEMA_REMOVE,
                                            OPERATION_DEFAULT_SET,
                                            OPERATION_DEFAULT_REMOVE,
                                            OPERATION_TAG,
                                            OPERATION_UNTAG,
                                            OPERATION_RIGHTS_GRANT,
                                            OPERATION_RIGHTS_REVOKE,
                                            OPERATION_IDENTITY,
                                            OPERATION_ENVIRONMENT_KEY,
                                            OPERATION_SERVICE_KEY,
                                            OPERATION_GRANT};

static void test_every_kind_comes_back(void **state)
{
    (void)state;
    BYTES_CLEANUP struct bytes bytes = BYTES_INIT(4096);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct operation given = make(kinds[i]);
        struct operation found;
        assert_int_equal(operation_decode(&found, encode(&bytes, &given)), 0);
        assert_int_equal(found.kind, given.kind);
        assert_true(found.first);
        assert_int_equal(found.is_same, given.is_same);
        assert_int_equal(found.is_allowed_equal, given.is_allowed_equal);
        assert_int_equal(found.is_protected, given.is_protected);
        assert_int_equal(found.is_override, given.is_override);
        assert_int_equal(found.base, given.base);
        assert_int_equal(found.consumer_size, given.consumer_size);
        if (given.consumer)
            assert_memory_equal(found.consumer, given.consumer, given.consumer_size);
        assert_int_equal(found.rights, given.rights);
        assert_int_equal(found.principal_size, given.principal_size);
        if (given.principal)
            assert_memory_equal(found.principal, given.principal, given.principal_size);
        assert_int_equal(found.environment, given.environment);
        assert_int_equal(found.service, given.service);
        assert_int_equal(found.turn, given.turn);
        assert_int_equal(found.name_id, given.name_id);
        assert_int_equal(found.entry_id, given.entry_id);
        assert_int_equal(found.stored_size, given.stored_size);
        assert_memory_equal(found.digest, given.digest, HASH_SIZE);
        assert_int_equal(found.name_size, 9);
        assert_memory_equal(found.name, "LOG_LEVEL", 9);
        same_material(found.public_key, given.public_key, 32);
        same_material(found.for_key, given.for_key, 32);
        same_material(found.wrapped, given.wrapped, WRAPPED_KEY_SIZE);
        same_material(found.signing_key, given.signing_key, 32);
        assert_int_equal(found.expires, given.expires);
        assert_int_equal(found.tagged, given.tagged);
        assert_int_equal(found.from.environment, 0);
    }
}

static void expect(const struct operation *given, size_t offset, unsigned char value,
                   enum error_code code)
{
    BYTES_CLEANUP struct bytes bytes = BYTES_INIT(4096);
    struct operation found;
    encode(&bytes, given);
    assert_true(offset < bytes.size);
    bytes.data[offset] = value;
    assert_int_equal(operation_decode(&found, (struct slice){bytes.data, bytes.size}), ERR(code));
}

/* What was copied from where: of sets only. */
static void test_provenance(void **state)
{
    (void)state;
    BYTES_CLEANUP struct bytes bytes = BYTES_INIT(4096);
    struct operation given = make(OPERATION_SET_LINK), found;
    const size_t field = 68 + 1 + 9 + 3 + 8;
    given.from = (struct copied_from){.environment = 3, .name_id = 0x0504030201, .rev = 9};
    const struct slice body = encode(&bytes, &given);
    assert_int_equal(body.size, field + 3 + 20);
    assert_memory_equal(body.data + field,
                        "\x15\x14\0\x03\0\0\0\x01\x02\x03\x04\x05\0\0\0\x09\0\0\0\0\0\0\0", 23);
    assert_int_equal(operation_decode(&found, body), 0);
    assert_int_equal(found.from.environment, 3);
    assert_int_equal(found.from.name_id, 0x0504030201);
    assert_int_equal(found.from.rev, 9);
    for (size_t cut = field + 1; cut < body.size; cut++)
        assert_int_equal(operation_decode(&found, (struct slice){body.data, cut}),
                         ERR(ERR_CORRUPT));
    expect(&given, field + 3, 0, ERR_CORRUPT);      /* of no environment */
    expect(&given, field + 3 + 12, 0, ERR_CORRUPT); /* as of revision 0 */
    expect(&given, field, 20, ERR_CORRUPT);         /* a field of another kind */
    given.is_same = given.is_allowed_equal = false;
    expect(&given, 1, OPERATION_REMOVE, ERR_CORRUPT);
}

/* Who holds which right; what a later version may know of either is refused and not guessed. */
static void test_rights(void **state)
{
    (void)state;
    const struct operation grant = make(OPERATION_RIGHTS_GRANT);
    const struct operation tag = make(OPERATION_UNTAG);
    const size_t principal = 68 + 1 + 9 + 3, rights = principal + 7 + 3;
    expect(&grant, 1, OPERATION_UNTAG, ERR_CORRUPT);
    expect(&tag, 1, OPERATION_RIGHTS_REVOKE, ERR_CORRUPT);
    expect(&grant, principal, 'U', ERR_FORMAT);
    expect(&grant, principal + 5, 0, ERR_FORMAT);
    expect(&grant, rights, 64, ERR_FORMAT);
    expect(&grant, rights + 1, 1, ERR_FORMAT);
    expect(&grant, rights, 0, ERR_CORRUPT);
    expect(&grant, rights - 3, 21, ERR_CORRUPT); /* fields out of order */
    struct operation half = grant;
    half.principal = NULL;
    BYTES_CLEANUP struct bytes bytes = BYTES_INIT(4096);
    struct operation found;
    assert_int_equal(operation_decode(&found, encode(&bytes, &half)), ERR(ERR_CORRUPT));
    half = grant;
    half.rights = 0;
    assert_int_equal(operation_decode(&found, encode(&bytes, &half)), ERR(ERR_CORRUPT));
}

/* A tag has the revision that it names, and nothing else has one. */
static void test_tags(void **state)
{
    (void)state;
    const struct operation tag = make(OPERATION_TAG), untag = make(OPERATION_UNTAG);
    const size_t field = 68 + 1 + 9;
    expect(&tag, 1, OPERATION_UNTAG, ERR_CORRUPT);
    expect(&untag, 1, OPERATION_TAG, ERR_CORRUPT);
    expect(&tag, field, 21, ERR_CORRUPT);
    expect(&tag, field + 1, 7, ERR_CORRUPT);
    struct operation none = tag;
    none.tagged = 1;
    expect(&none, field + 3, 0, ERR_CORRUPT); /* revision 0 */
}

/* The offsets of FORMAT.md. */
static void test_layout(void **state)
{
    (void)state;
    BYTES_CLEANUP struct bytes bytes = BYTES_INIT(4096);
    const struct operation given = make(OPERATION_SET_PLAIN);
    const unsigned char head[] = {1, 1, 7, 0, 3, 0, 0, 0, 3, 2, 1, 0, 7, 0, 0, 0, 5,  4,
                                  3, 2, 1, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0};
    encode(&bytes, &given);
    assert_int_equal(bytes.size, 68 + 1 + 9 + 1 + 2 + 8);
    assert_memory_equal(bytes.data, head, sizeof head);
    assert_memory_equal(bytes.data + 78, "\x11\x08\0\x08\x07\x06\x05\x04\x03\x02\x01", 11);
    assert_memory_equal(bytes.data + 36, given.digest, 32);
    assert_memory_equal(bytes.data + 68, "\x09LOG_LEVEL", 10);
}

static void test_what_is_cut_or_longer_is_refused(void **state)
{
    (void)state;
    BYTES_CLEANUP struct bytes bytes = BYTES_INIT(4096);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct operation given = make(kinds[i]);
        struct operation found = {.turn = 4711};
        const struct slice body = encode(&bytes, &given);
        for (size_t size = 0; size < body.size; size++) {
            if (given.expires && (size == 68 + 1 + 9 || (given.base && size == 68 + 1 + 9 + 3 + 4)))
                continue; /* the same without an end, or a base, and whole */
            /* A copy of its own, so that a sanitizer sees a read past the end. */
            unsigned char *copy = malloc(size + 1);
            memcpy(copy, body.data, size);
            const int error = operation_decode(&found, (struct slice){copy, size});
            free(copy);
            assert_int_equal(error, ERR(ERR_CORRUPT));
            assert_int_equal(found.turn, 4711);
        }
        bytes_append(&bytes, "", 1);
        assert_true(operation_decode(&found, (struct slice){bytes.data, bytes.size}) < 0);
    }
}

static void test_what_is_unknown_is_refused(void **state)
{
    (void)state;
    struct operation plain = make(OPERATION_SET_PLAIN);
    const struct operation remove = make(OPERATION_REMOVE);
    const struct operation share = make(OPERATION_SHARE);
    const struct operation environment = make(OPERATION_ENVIRONMENT_ADD);
    const struct operation pair = make(OPERATION_SERVICE_KEY);
    const size_t fields = 68 + 1 + 9;
    expect(&plain, 0, 2, ERR_FORMAT);  /* format */
    expect(&plain, 1, 10, ERR_FORMAT); /* kind */
    expect(&plain, 1, 99, ERR_FORMAT);
    expect(&plain, 2, 64, ERR_FORMAT);  /* flag */
    expect(&plain, 2, 32, ERR_CORRUPT); /* signed, of what is not protected */
    expect(&plain, 2, 8, ERR_CORRUPT);  /* a key that is protected */
    expect(&remove, 2, 4, ERR_CORRUPT); /* a removal that was allowed to be equal */
    expect(&pair, 2, 2, ERR_CORRUPT);   /* a key pair that left a value as it was */
    expect(&plain, 3, 1, ERR_FORMAT);
    expect(&pair, fields + 3 + 32, 99, ERR_FORMAT);     /* tag of the second field */
    expect(&pair, fields + 3 + 32, 1, ERR_CORRUPT);     /* twice, out of order */
    expect(&pair, fields + 1, 31, ERR_CORRUPT);         /* size of the first */
    expect(&pair, 1, OPERATION_SET_PLAIN, ERR_CORRUPT); /* fields that do not fit */
    expect(&plain, 1, OPERATION_SERVICE_KEY, ERR_CORRUPT);
    plain.is_same = plain.is_allowed_equal = false;
    expect(&plain, 1, OPERATION_SERVICE_ADD, ERR_CORRUPT); /* which never expires */
    expect(&plain, 1, OPERATION_DEFAULT_SET, ERR_CORRUPT); /* neither does a default, */
    expect(&plain, 1, OPERATION_DEFAULT_REMOVE, ERR_CORRUPT);
    expect(&plain, 1, OPERATION_SCHEMA_SET, ERR_CORRUPT); /* nor a schema */
    expect(&plain, 1, OPERATION_SHARE, ERR_CORRUPT);
    expect(&share, 1, OPERATION_LOCK, ERR_CORRUPT);
    expect(&share, fields + 3, 0, ERR_CORRUPT); /* a consumer's name with a NUL */
    expect(&share, fields + 1, 0, ERR_CORRUPT); /* and an empty one */
    expect(&environment, 1, OPERATION_ENVIRONMENT_REMOVE, ERR_CORRUPT); /* with a base */
    expect(&plain, fields + 3 + 7, 0x80, ERR_CORRUPT);                  /* before 1970 */
    expect(&plain, fields + 1, 7, ERR_CORRUPT);
    expect(&plain, fields, 18, ERR_FORMAT);
}

static void test_leaf_binds_everything(void **state)
{
    (void)state;
    uint8_t id[STORE_ID_SIZE] = {1}, other[STORE_ID_SIZE] = {2};
    uint8_t leaf[HASH_SIZE], again[HASH_SIZE];
    const struct slice body = {(const unsigned char *)"body", 4};
    operation_leaf(leaf, id, 5, 6, body);
    operation_leaf(again, id, 5, 6, body);
    assert_memory_equal(leaf, again, HASH_SIZE);
    operation_leaf(again, other, 5, 6, body);
    assert_memory_not_equal(leaf, again, HASH_SIZE);
    operation_leaf(again, id, 6, 6, body);
    assert_memory_not_equal(leaf, again, HASH_SIZE);
    operation_leaf(again, id, 5, 7, body);
    assert_memory_not_equal(leaf, again, HASH_SIZE);
    operation_leaf(again, id, 5, 6, (struct slice){(const unsigned char *)"bode", 4});
    assert_memory_not_equal(leaf, again, HASH_SIZE);
}

static void test_values(void **state)
{
    (void)state;
    BYTES_CLEANUP struct bytes one = BYTES_INIT(100), two = BYTES_INIT(100);
    uint8_t digest[HASH_SIZE], other[HASH_SIZE];
    const unsigned char *data;
    size_t size;
    const uint8_t salt[SALT_SIZE] = {1, 2, 3}, another[SALT_SIZE] = {1, 2, 4};
    value_head_encode(&one, OPERATION_SET_PLAIN, salt);
    bytes_append(&one, "info", 4);
    value_head_encode(&two, OPERATION_SET_PLAIN, another);
    bytes_append(&two, "info", 4);
    const struct slice body = {one.data, one.size};
    assert_int_equal(value_decode(&data, &size, OPERATION_SET_PLAIN, body), 0);
    assert_int_equal(size, 4);
    assert_memory_equal(data, "info", 4);
    value_digest(digest, body);
    value_digest(other, (struct slice){two.data, two.size});
    assert_memory_not_equal(digest, other, HASH_SIZE); /* salted */
    assert_int_equal(value_decode(&data, &size, OPERATION_SET_SECRET, body), ERR(ERR_CORRUPT));
    for (size_t cut = 0; cut < VALUE_HEAD_SIZE; cut++)
        assert_int_equal(
            value_decode(&data, &size, OPERATION_SET_PLAIN, (struct slice){one.data, cut}),
            ERR(ERR_CORRUPT));
    one.data[0] = 2;
    assert_int_equal(value_decode(&data, &size, OPERATION_SET_PLAIN, body), ERR(ERR_FORMAT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_comes_back),
        cmocka_unit_test(test_provenance),
        cmocka_unit_test(test_tags),
        cmocka_unit_test(test_rights),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_what_is_cut_or_longer_is_refused),
        cmocka_unit_test(test_what_is_unknown_is_refused),
        cmocka_unit_test(test_leaf_binds_everything),
        cmocka_unit_test(test_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
