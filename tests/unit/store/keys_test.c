/* Keys: known bytes, every one parses back, order of bytes is order of numbers, damage is refused.
 */
#include "tests/unit/store/db_support.h"

#define BYTES(key, text)                                                                           \
    do {                                                                                           \
        struct slice slice_ = (key);                                                               \
        assert_int_equal(slice_.size, sizeof(text) - 1);                                           \
        assert_memory_equal(slice_.data, text, sizeof(text) - 1);                                  \
    } while (0)

static const uint8_t holder[PUBLIC_KEY_SIZE] = "0123456789abcdef0123456789abcdef";
static const uint8_t mark[FINGERPRINT_SIZE] = "fedcba9876543210";

static void known_bytes(void **state)
{
    (void)state;
    struct key room;
    BYTES(key_meta(&room, "head"), "head");
    BYTES(key_commit(&room, 0x0102), "\0\0\0\0\0\0\x01\x02");
    BYTES(key_operation(&room, 1, 2), "\0\0\0\0\0\0\0\x01\0\0\0\x02");
    BYTES(key_environment(&room, "prod"), "prod");
    BYTES(key_place(&room, 3, "api"), "\0\0\0\x03"
                                      "api");
    BYTES(key_current(&room, 3, 4, "PORT"), "\0\0\0\x03\0\0\0\x04PORT");
    BYTES(key_history(&room, 3, 5, 6), "\0\0\0\x03\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\x06");
    BYTES(key_expiry(&room, 2, 3, 4), "\0\0\0\0\0\0\0\x02\0\0\0\x03\0\0\0\0\0\0\0\x04");
    BYTES(key_name_environment(&room, 7), "E\0\0\0\x07");
    BYTES(key_name_service(&room, 7), "S\0\0\0\x07");
    BYTES(key_name_service_text(&room, "api"), "sapi");
    BYTES(key_name_entry(&room, 8), "N\0\0\0\0\0\0\0\x08");
    BYTES(key_name_entry_text(&room, 9, "PORT"), "n\0\0\0\x09PORT");
    BYTES(key_pair(&room, 1, 2, 3), "K\0\0\0\x01\0\0\0\x02\0\0\0\x03");
    BYTES(key_wrapped(&room, 1, 2, 3, holder), "W\0\0\0\x01\0\0\0\x02\0\0\0\x03"
                                               "0123456789abcdef0123456789abcdef");
    BYTES(key_identity(&room, holder), "I0123456789abcdef0123456789abcdef");
}

static void known_bytes_of_relations(void **state)
{
    (void)state;
    struct key room;
    BYTES(key_outcome(&room, 1, 2), "\0\0\0\0\0\0\0\x01\0\0\0\x02");
    BYTES(key_presence(&room, 3, 4, 1, 2), "\0\0\0\x03\0\0\0\x04\0\0\0\0\0\0\0\x01\0\0\0\x02");
    BYTES(key_reference(&room, 3, "api", "PORT", 5), "\0\0\0\x03\x03"
                                                     "api\x04PORT\0\0\0\0\0\0\0\x05");
    BYTES(key_share(&room, 3, "api", "PORT", "web"), "\0\0\0\x03\x03"
                                                     "api\x04PORT\x03web");
    BYTES(key_lock(&room, 3, "api", "PORT"), "\0\0\0\x03\x03"
                                             "api\x04PORT");
    BYTES(key_lock(&room, 3, "", ""), "\0\0\0\x03\0\0");
    BYTES(key_tag(&room, "v1.2"), "v1.2");
    BYTES(key_schema(&room, 3, 5), "\0\0\0\x03\0\0\0\x05");
    BYTES(key_leak_value(&room, mark, 3, 5), "F"
                                             "fedcba9876543210\0\0\0\x03\0\0\0\0\0\0\0\x05");
    BYTES(key_leak_place(&room, 3, 5), "P\0\0\0\x03\0\0\0\0\0\0\0\x05");
}

static void all_parse_back(void **state)
{
    (void)state;
    struct key room;
    uint64_t rev, name_id;
    uint32_t op, environment, service, generation;
    char text[KEY_NAME_MAX + 1];
    uint8_t key[PUBLIC_KEY_SIZE];
    assert_int_equal(key_commit_parse(key_commit(&room, UINT64_MAX), &rev), 0);
    assert_true(rev == UINT64_MAX);
    assert_int_equal(key_operation_parse(key_operation(&room, 12, 34), &rev, &op), 0);
    assert_true(rev == 12 && op == 34);
    assert_int_equal(key_environment_parse(key_environment(&room, "prod"), text), 0);
    assert_string_equal(text, "prod");
    assert_int_equal(key_place_parse(key_place(&room, 5, "api"), &environment, text), 0);
    assert_true(environment == 5);
    assert_string_equal(text, "api");
    assert_int_equal(
        key_current_parse(key_current(&room, 5, 6, "PORT"), &environment, &service, text), 0);
    assert_true(environment == 5 && service == 6);
    assert_string_equal(text, "PORT");
    assert_int_equal(
        key_history_parse(key_history(&room, 5, 1ull << 39, 77), &environment, &name_id, &rev), 0);
    assert_true(environment == 5 && name_id == 1ull << 39 && rev == 77);
    int64_t moment;
    assert_int_equal(
        key_expiry_parse(key_expiry(&room, INT64_MAX, 6, 78), &moment, &environment, &name_id), 0);
    assert_true(moment == INT64_MAX && environment == 6 && name_id == 78);
    assert_int_equal(
        key_expiry_parse(key_expiry(&room, -1, 6, 78), &moment, &environment, &name_id),
        -(int)ERR_CORRUPT);
    assert_int_equal(key_name_environment_parse(key_name_environment(&room, 3), &environment), 0);
    assert_int_equal(key_name_service_parse(key_name_service(&room, 3), &service), 0);
    assert_true(environment == 3 && service == 3);
    assert_int_equal(key_name_service_text_parse(key_name_service_text(&room, "web"), text), 0);
    assert_string_equal(text, "web");
    assert_int_equal(key_name_entry_parse(key_name_entry(&room, 44), &name_id), 0);
    assert_true(name_id == 44);
    assert_int_equal(
        key_name_entry_text_parse(key_name_entry_text(&room, 8, "URL"), &service, text), 0);
    assert_true(service == 8);
    assert_string_equal(text, "URL");
    assert_int_equal(key_identity_parse(key_identity(&room, holder), key), 0);
    assert_memory_equal(key, holder, sizeof(key));
    assert_int_equal(key_pair_parse(key_pair(&room, 1, 2, 3), &environment, &service, &generation),
                     0);
    assert_true(environment == 1 && service == 2 && generation == 3);
    memset(key, 0, sizeof(key));
    assert_int_equal(key_wrapped_parse(key_wrapped(&room, 4, 5, 6, holder), &environment, &service,
                                       &generation, key),
                     0);
    assert_true(environment == 4 && service == 5 && generation == 6);
    assert_memory_equal(key, holder, sizeof(key));
}

static void relations_parse_back(void **state)
{
    (void)state;
    struct key room;
    uint64_t rev, name_id;
    uint32_t chunk, layer;
    char service[SERVICE_NAME_MAX + 1], key[KEY_NAME_MAX + 1], consumer[SERVICE_NAME_MAX + 1];
    uint8_t fingerprint[FINGERPRINT_SIZE];
    assert_int_equal(key_outcome_parse(key_outcome(&room, 12, UINT32_MAX), &rev, &chunk), 0);
    assert_true(rev == 12 && chunk == UINT32_MAX);
    uint32_t service_id = 0;
    assert_int_equal(key_presence_parse(key_presence(&room, 7, 8, 1ull << 40, 9), &layer,
                                        &service_id, &rev, &chunk),
                     0);
    assert_true(layer == 7 && service_id == 8 && rev == 1ull << 40 && chunk == 9);
    assert_int_equal(key_reference_parse(key_reference(&room, 9, "api", "PORT", 1ull << 39), &layer,
                                         service, key, &name_id),
                     0);
    assert_true(layer == 9 && name_id == 1ull << 39);
    assert_string_equal(service, "api");
    assert_string_equal(key, "PORT");
    assert_int_equal(
        key_share_parse(key_share(&room, 8, "db", "URL", "*"), &layer, service, key, consumer), 0);
    assert_true(layer == 8);
    assert_string_equal(service, "db");
    assert_string_equal(key, "URL");
    assert_string_equal(consumer, "*");
    assert_int_equal(key_tag_parse(key_tag(&room, "v1.2"), service), 0);
    assert_string_equal(service, "v1.2");
    char principal[PRINCIPAL_MAX + 1];
    assert_int_equal(
        key_grant_parse(key_grant(&room, 4, 5, "user:a"), &layer, &service_id, principal), 0);
    assert_true(layer == 4 && service_id == 5);
    assert_string_equal(principal, "user:a");
    assert_int_equal(key_lock_parse(key_lock(&room, 7, "db", ""), &layer, service, key), 0);
    assert_true(layer == 7);
    assert_string_equal(service, "db");
    assert_string_equal(key, "");
    assert_int_equal(key_schema_parse(key_schema(&room, 8, 88), &layer, &service_id), 0);
    assert_true(layer == 8 && service_id == 88);
    assert_int_equal(
        key_leak_value_parse(key_leak_value(&room, mark, 6, 66), fingerprint, &layer, &name_id), 0);
    assert_true(layer == 6 && name_id == 66);
    assert_memory_equal(fingerprint, mark, sizeof(mark));
    assert_int_equal(key_leak_place_parse(key_leak_place(&room, 5, 55), &layer, &name_id), 0);
    assert_true(layer == 5 && name_id == 55);
}

static void fill(char *name, char letter, size_t size)
{
    memset(name, letter, size);
    name[size] = '\0';
}

static void longest_names_fit(void **state)
{
    (void)state;
    struct key room;
    char name[KEY_NAME_MAX + 1], text[KEY_NAME_MAX + 1];
    char owner[SERVICE_NAME_MAX + 1], other[SERVICE_NAME_MAX + 1];
    char found_owner[SERVICE_NAME_MAX + 1], found_other[SERVICE_NAME_MAX + 1];
    uint32_t environment, service;
    uint64_t name_id;
    fill(name, 'k', KEY_NAME_MAX);
    fill(owner, 's', SERVICE_NAME_MAX);
    fill(other, 'c', SERVICE_NAME_MAX);
    assert_int_equal(key_share_parse(key_share(&room, 1, owner, name, other), &environment,
                                     found_owner, text, found_other),
                     0);
    assert_string_equal(found_owner, owner);
    assert_string_equal(text, name);
    assert_string_equal(found_other, other);
    assert_int_equal(key_reference_parse(key_reference(&room, 1, owner, name, NAME_ID_MAX),
                                         &environment, found_owner, text, &name_id),
                     0);
    assert_true(name_id == NAME_ID_MAX);
    assert_string_equal(text, name);
    assert_int_equal(
        key_current_parse(key_current(&room, 1, 2, name), &environment, &service, text), 0);
    assert_string_equal(text, name);
}

static int order(struct slice a, struct slice b)
{
    size_t least = a.size < b.size ? a.size : b.size;
    int result = memcmp(a.data, b.data, least);
    return result ? result : (int)a.size - (int)b.size;
}

static void order_of_bytes_is_order_of_numbers(void **state)
{
    (void)state;
    struct key a, b;
    assert_true(order(key_commit(&a, 255), key_commit(&b, 256)) < 0);
    assert_true(order(key_operation(&a, 1, UINT32_MAX), key_operation(&b, 2, 0)) < 0);
    assert_true(order(key_current(&a, 1, 2, ""), key_current(&b, 1, 2, "A")) < 0);
    assert_true(order(key_current(&a, 1, 2, "zzz"), key_current(&b, 1, 3, "")) < 0);
    assert_true(order(key_history(&a, 1, 2, UINT64_MAX), key_history(&b, 1, 3, 0)) < 0);
}

static void walks_of_relations_start_before_all(void **state)
{
    (void)state;
    struct key a, b;
    assert_true(order(key_outcome(&a, 1, UINT32_MAX), key_outcome(&b, 2, 0)) < 0);
    assert_true(order(key_reference(&a, 1, "", "", 0), key_reference(&b, 1, "a", "A", 1)) < 0);
    assert_true(order(key_reference(&a, 1, "a", "", 0), key_reference(&b, 1, "a", "A", 1)) < 0);
    assert_true(order(key_reference(&a, 1, "a", "A", 0), key_reference(&b, 1, "a", "A", 1)) < 0);
    assert_true(
        order(key_reference(&a, 1, "a", "A", UINT64_MAX), key_reference(&b, 1, "a", "B", 0)) < 0);
    assert_true(order(key_share(&a, 1, "a", "A", ""), key_share(&b, 1, "a", "A", "*")) < 0);
    assert_true(order(key_share(&a, 1, "", "", ""), key_share(&b, 1, "a", "A", "*")) < 0);
    /* Of another name, though its text goes on as this one's key does. */
    assert_true(order(key_share(&a, 1, "a", "Azz", "z"), key_share(&b, 1, "aA", "", "")) < 0);
    assert_true(order(key_lock(&a, 1, "", ""), key_lock(&b, 1, "a", "")) < 0);
    assert_true(order(key_lock(&a, 1, "a", ""), key_lock(&b, 1, "a", "A")) < 0);
    assert_true(order(key_grant(&a, 1, 0, ""), key_grant(&b, 1, 0, "user:a")) < 0);
    assert_true(order(key_grant(&a, 1, 0, "user:z"), key_grant(&b, 1, 1, "")) < 0);
    assert_true(order(key_schema(&a, 1, 0), key_schema(&b, 1, 1)) < 0);
    assert_true(order(key_schema(&a, 1, UINT32_MAX), key_schema(&b, 2, 0)) < 0);
    assert_true(order(key_leak_value(&a, mark, 0, 0), key_leak_value(&b, mark, 1, 1)) < 0);
    assert_true(order(key_leak_value(&a, mark, 1, UINT64_MAX), key_leak_place(&b, 0, 0)) < 0);
}

static void wrong_keys_of_relations_are_refused(void **state)
{
    (void)state;
    struct key room;
    uint64_t name_id = 1;
    uint32_t layer = 2;
    char service[SERVICE_NAME_MAX + 1] = "kept", key[KEY_NAME_MAX + 1] = "too";
    char consumer[SERVICE_NAME_MAX + 1] = "also";
    uint8_t fingerprint[FINGERPRINT_SIZE];
    struct slice slice = key_share(&room, 1, "a", "A", "web");
    slice.size--;
    assert_int_equal(key_share_parse(slice, &layer, service, key, consumer), ERR(ERR_CORRUPT));
    assert_int_equal(key_lock_parse(key_share(&room, 1, "a", "A", "b"), &layer, service, key),
                     ERR(ERR_CORRUPT));
    char name[KEY_NAME_MAX + 1];
    fill(name, 's', SERVICE_NAME_MAX + 1);
    assert_int_equal(key_lock_parse(key_lock(&room, 1, name, "A"), &layer, service, key),
                     ERR(ERR_CORRUPT));
    assert_int_equal(key_tag_parse(key_tag(&room, name), service), ERR(ERR_CORRUPT));
    char principal[PRINCIPAL_MAX + 1], long_one[PRINCIPAL_MAX + 2];
    uint32_t service_id, environment;
    fill(long_one, 'u', PRINCIPAL_MAX + 1);
    assert_int_equal(
        key_grant_parse(key_grant(&room, 1, 2, long_one), &environment, &service_id, principal),
        ERR(ERR_CORRUPT));
    assert_int_equal(key_grant_parse(key_schema(&room, 1, 2), &environment, &service_id, principal),
                     0);
    slice = key_schema(&room, 1, 2);
    slice.size--;
    assert_int_equal(key_grant_parse(slice, &environment, &service_id, principal),
                     ERR(ERR_CORRUPT));
    assert_int_equal(
        key_share_parse(key_share(&room, 1, "a", "A", name), &layer, service, key, consumer),
        ERR(ERR_CORRUPT));
    assert_int_equal(
        key_reference_parse(key_reference(&room, 1, name, "A", 3), &layer, service, key, &name_id),
        ERR(ERR_CORRUPT));
    slice = (struct slice){(const unsigned char *)"\0\0\0\1\1a\2b\0", 9};
    assert_int_equal(key_lock_parse(slice, &layer, service, key), ERR(ERR_CORRUPT));
    slice = (struct slice){(const unsigned char *)"\0\0\0\1", 4};
    assert_int_equal(key_lock_parse(slice, &layer, service, key), ERR(ERR_CORRUPT));
    assert_int_equal(
        key_leak_value_parse(key_leak_place(&room, 1, 1), fingerprint, &layer, &name_id),
        ERR(ERR_CORRUPT));
    assert_int_equal(key_leak_place_parse(key_leak_value(&room, mark, 1, 1), &layer, &name_id),
                     ERR(ERR_CORRUPT));
    assert_int_equal(key_outcome_parse(key_commit(&room, 1), &name_id, &layer), ERR(ERR_CORRUPT));
    assert_true(name_id == 1 && layer == 2);
    assert_string_equal(service, "kept");
    assert_string_equal(key, "too");
    assert_string_equal(consumer, "also");
}

static void wrong_keys_are_refused(void **state)
{
    (void)state;
    struct key room;
    uint64_t rev = 1;
    uint32_t op = 2, service = 3, generation = 4;
    char text[KEY_NAME_MAX + 1] = "kept";
    uint8_t key[PUBLIC_KEY_SIZE];
    struct slice slice = key_operation(&room, 1, 1);
    slice.size--;
    assert_int_equal(key_operation_parse(slice, &rev, &op), ERR(ERR_CORRUPT));
    assert_int_equal(key_commit_parse(key_operation(&room, 1, 1), &rev), ERR(ERR_CORRUPT));
    assert_true(rev == 1 && op == 2);
    assert_int_equal(key_name_service_parse(key_name_environment(&room, 1), &service),
                     ERR(ERR_CORRUPT));
    assert_int_equal(
        key_pair_parse(key_wrapped(&room, 1, 1, 1, holder), &op, &service, &generation),
        ERR(ERR_CORRUPT));
    assert_int_equal(key_identity_parse(key_pair(&room, 1, 1, 1), key), ERR(ERR_CORRUPT));
    slice = (struct slice){(const unsigned char *)"\0\0\0\1\0\0\0\1a\0b", 11};
    assert_int_equal(key_current_parse(slice, &op, &service, text), ERR(ERR_CORRUPT));
    char name[KEY_NAME_MAX + 1];
    memset(name, 'k', KEY_NAME_MAX);
    name[KEY_NAME_MAX] = '\0';
    assert_int_equal(key_place_parse(key_place(&room, 1, name), &op, text), ERR(ERR_CORRUPT));
    assert_string_equal(text, "kept");
    slice = (struct slice){(const unsigned char *)"", 0};
    assert_int_equal(key_commit_parse(slice, &rev), ERR(ERR_CORRUPT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_bytes),
        cmocka_unit_test(known_bytes_of_relations),
        cmocka_unit_test(all_parse_back),
        cmocka_unit_test(relations_parse_back),
        cmocka_unit_test(longest_names_fit),
        cmocka_unit_test(order_of_bytes_is_order_of_numbers),
        cmocka_unit_test(walks_of_relations_start_before_all),
        cmocka_unit_test(wrong_keys_are_refused),
        cmocka_unit_test(wrong_keys_of_relations_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
