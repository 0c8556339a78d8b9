/* Hashes: known answers (from another implementation of BLAKE2b), framing, and part by part as in
 * one go. */
#include "tests/unit/store/crypto_support.h"

static void hex(char *out, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        snprintf(out + 2 * i, 3, "%02x", data[i]);
}

static void known_answers(void **state)
{
    (void)state;
    uint8_t out[BLAKE_SIZE];
    char text[2 * BLAKE_SIZE + 1];
    struct hash_part parts[] = {{"hello", 5}, {"", 0}, {"world", 5}};
    assert_int_equal(crypto_setup(), 0);
    /* python3: hashlib.blake2b(bytes([9]) + b"emsa-test" + for each part: len.to_bytes(8, "little")
     * + part, digest_size=32) */
    hash_parts(out, "emsa-test", parts, 3);
    hex(text, out, sizeof(out));
    assert_string_equal(text, "a3af895e461eef6cf294865afbbf6f3c0a9a4f479695c34ad0c25086a6992157");
    /* hashlib.blake2b(b"\4meta\4\0head" + b"body", digest_size=16) */
    hash_record(out, "meta", "head", 4, "body", 4);
    hex(text, out, RECORD_HASH_SIZE);
    assert_string_equal(text, "49296c3ed989416677be2dac6e1bced6");
    /* the same, body = bytes(i % 251 for i in range(5000)) */
    unsigned char body[5000];
    for (size_t i = 0; i < sizeof(body); i++)
        body[i] = (unsigned char)(i % 251);
    hash_record(out, "meta", "head", 4, body, sizeof(body));
    hex(text, out, RECORD_HASH_SIZE);
    assert_string_equal(text, "20053761657ad2595ac6a84db3b95450");
}

static void framing_tells_parts_apart(void **state)
{
    (void)state;
    uint8_t a[BLAKE_SIZE], b[BLAKE_SIZE];
    struct hash_part one[] = {{"ab", 2}, {"c", 1}}, other[] = {{"a", 1}, {"bc", 2}};
    hash_parts(a, "d", one, 2);
    hash_parts(b, "d", other, 2);
    assert_memory_not_equal(a, b, sizeof(a));
    hash_parts(b, "e", one, 2);
    assert_memory_not_equal(a, b, sizeof(a));
    struct hasher hasher;
    hasher_begin(&hasher, "d");
    hasher_add(&hasher, "ab", 2);
    hasher_add(&hasher, "c", 1);
    hasher_end(&hasher, b);
    assert_memory_equal(a, b, sizeof(a));
}

/* The short way and the long way of hash_record meet: every size around the border is one function.
 */
static void records_of_all_sizes_differ(void **state)
{
    (void)state;
    static const unsigned char zeros[600];
    uint8_t before[RECORD_HASH_SIZE] = {0}, now[RECORD_HASH_SIZE];
    for (size_t size = 0; size < sizeof(zeros); size++) {
        hash_record(now, "log", "key", 3, zeros, size);
        assert_memory_not_equal(now, before, sizeof(now));
        memcpy(before, now, sizeof(now));
    }
}

static void comparing_and_random(void **state)
{
    (void)state;
    uint8_t a[32], b[32];
    random_bytes(a, sizeof(a));
    random_bytes(b, sizeof(b));
    assert_false(equal_constant_time(a, b, sizeof(a)));
    memcpy(b, a, sizeof(a));
    assert_true(equal_constant_time(a, b, sizeof(a)));
    b[31] ^= 0x80;
    assert_false(equal_constant_time(a, b, sizeof(a)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(framing_tells_parts_apart),
        cmocka_unit_test(records_of_all_sizes_differ),
        cmocka_unit_test(comparing_and_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
