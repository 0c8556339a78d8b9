/* What is hashed ahead is what would be hashed in its place, and is given once. */
#include "tests/unit/store/model_support.h"

#include <stdio.h>

#include "store/model/digests.h"

#define WISHES 200

static void gather_values(struct gather *gather, size_t count)
{
    struct path path = {.environment = "prod", .service = "web"};
    for (size_t i = 0; i < count; i++) {
        char value[32];
        const int size = snprintf(value, sizeof value, "value-%zu", i);
        snprintf(path.key, sizeof path.key, "K%zu", i);
        /* every tenth brings none */
        const enum operation_kind kind = i % 10 == 9 ? OPERATION_REMOVE : OPERATION_SET_PLAIN;
        assert_int_equal(gather_add(gather, kind, &path, i % 10 == 9 ? NULL : value,
                                    i % 10 == 9 ? 0 : (size_t)size, NULL),
                         0);
    }
}

static void check_digest(const struct digest *digest, const struct wish *wish)
{
    struct bytes body BYTES_CLEANUP = BYTES_INIT(1024);
    uint8_t expected[HASH_SIZE];
    assert_non_null(digest);
    value_head_encode(&body, OPERATION_SET_PLAIN, digest->salt);
    bytes_append(&body, wish->value, wish->size);
    value_digest(expected, (struct slice){body.data, body.size});
    assert_memory_equal(digest->hash, expected, HASH_SIZE);
}

static void each_is_that_of_its_wish(void **state)
{
    (void)state;
    struct gather gather = {0};
    struct digests digests;
    uint8_t salts[WISHES][SALT_SIZE] = {{0}};
    gather_values(&gather, WISHES);
    digests_begin(&digests, &gather);
    for (size_t i = 0; i < WISHES; i++) {
        const struct wish *wish = &gather.wishes[i];
        const struct digest *digest = digests_take(&digests, wish, OPERATION_SET_PLAIN);
        if (i % 10 == 9) {
            assert_null(digest);
            continue;
        }
        check_digest(digest, wish);
        memcpy(salts[i], digest->salt, SALT_SIZE);
        for (size_t n = 0; n < i; n++)
            assert_memory_not_equal(salts[n], salts[i], SALT_SIZE);
    }
    digests_release(&digests);
    gather_release(&gather);
}

static void a_salt_is_given_once(void **state)
{
    (void)state;
    struct gather gather = {0};
    struct digests digests;
    gather_values(&gather, WISHES);
    digests_begin(&digests, &gather);
    assert_null(digests_take(&digests, &gather.wishes[3], OPERATION_SET_TEMPLATE));
    assert_non_null(digests_take(&digests, &gather.wishes[3], OPERATION_SET_PLAIN));
    assert_null(digests_take(&digests, &gather.wishes[3], OPERATION_SET_PLAIN));
    digests_release(&digests);
    gather_release(&gather);
}

/* Wishes that came later, or stand elsewhere, and those of a change that is too small. */
static void others_have_none(void **state)
{
    (void)state;
    struct gather gather = {0};
    struct digests digests;
    gather_values(&gather, WISHES);
    digests_begin(&digests, &gather);
    gather_values(&gather, WISHES); /* the list moves */
    assert_non_null(digests_take(&digests, &gather.wishes[0], OPERATION_SET_PLAIN));
    assert_null(digests_take(&digests, &gather.wishes[WISHES], OPERATION_SET_PLAIN));
    assert_null(digests_take(&digests, gather_keep(&gather), OPERATION_SET_PLAIN));
    digests_release(&digests);
    gather_release(&gather);
    gather_values(&gather, 2);
    digests_begin(&digests, &gather);
    assert_null(digests_take(&digests, &gather.wishes[0], OPERATION_SET_PLAIN));
    digests_release(&digests);
    gather_release(&gather);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_that_of_its_wish),
        cmocka_unit_test(a_salt_is_given_once),
        cmocka_unit_test(others_have_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
