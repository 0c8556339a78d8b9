/* Key pairs come in the order of the plan, whoever made them. */
#include "tests/unit/store/model_support.h"

#include "store/model/pairs.h"

#define SERVICES 60 /* enough for a thread */

static const uint8_t some_store[16] = {1};

static void plan_pairs(struct plan *plan, uint32_t environment, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct operation operation = {.kind = OPERATION_SERVICE_KEY,
                                      .environment = environment,
                                      .service = (uint32_t)i + 1,
                                      .turn = 1,
                                      .name = ""};
        assert_int_equal(plan_add(plan, &operation, NULL), 0);
        operation.kind = OPERATION_SET_PLAIN; /* what lies between */
        assert_int_equal(plan_add(plan, &operation, NULL), 0);
    }
}

static void public_key(uint8_t out[static CRYPTO_KEY_SIZE])
{
    struct recipient owner = {.environment = 1, .service = 1, .generation = 1};
    struct wrapped_key key;
    uint8_t base[CRYPTO_KEY_SIZE] = {9}; /* a point that anybody may wrap for */
    assert_int_equal(keyring_make(some_store, &owner, &key, base), 0);
    memcpy(out, owner.public_key, CRYPTO_KEY_SIZE);
}

static void they_come_in_order(void **state)
{
    (void)state;
    struct plan plan = {0};
    struct pairs pairs = {0};
    struct wrapped_key key, before = {0};
    uint8_t holder[CRYPTO_KEY_SIZE];
    public_key(holder);
    plan_pairs(&plan, 1, SERVICES);
    plan_pairs(&plan, 2, SERVICES);
    plan_pairs(&plan, 1, 1); /* behind those of another: begun anew */
    assert_false(pairs_left(&pairs));
    assert_int_equal(pairs_begin(&pairs, &plan, 0, some_store, holder), 0);
    for (uint32_t i = 1; i <= SERVICES; i++) {
        assert_true(pairs_left(&pairs));
        assert_int_equal(pairs_next(&pairs, &key), 0);
        assert_int_equal(key.owner.environment, 1);
        assert_int_equal(key.owner.service, i);
        assert_int_equal(key.owner.generation, 1);
        assert_memory_equal(key.for_public_key, holder, CRYPTO_KEY_SIZE);
        assert_memory_not_equal(key.owner.public_key, before.owner.public_key, CRYPTO_KEY_SIZE);
        before = key;
    }
    assert_false(pairs_left(&pairs)); /* the other environment's are for another key */
    pairs_release(&pairs);
    plan_release(&plan);
}

static void they_may_be_left(void **state)
{
    (void)state;
    struct plan plan = {0};
    struct pairs pairs = {0};
    struct wrapped_key key;
    uint8_t holder[CRYPTO_KEY_SIZE];
    public_key(holder);
    plan_pairs(&plan, 1, SERVICES);
    assert_int_equal(pairs_begin(&pairs, &plan, 0, some_store, holder), 0);
    assert_int_equal(pairs_next(&pairs, &key), 0);
    assert_int_equal(pairs_begin(&pairs, &plan, 2, some_store, holder), 0); /* anew */
    assert_int_equal(pairs_next(&pairs, &key), 0);
    assert_int_equal(key.owner.service, 2);
    pairs_release(&pairs);
    plan_release(&plan);
}

static void a_key_that_is_none_is_told(void **state)
{
    (void)state;
    static const uint8_t zeros[CRYPTO_KEY_SIZE];
    struct plan plan = {0};
    struct pairs pairs = {0};
    struct wrapped_key key;
    plan_pairs(&plan, 1, SERVICES);
    assert_int_equal(pairs_begin(&pairs, &plan, 0, some_store, zeros), 0);
    assert_int_equal(pairs_next(&pairs, &key), ERR(ERR_INVALID));
    pairs_release(&pairs);
    plan_release(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_come_in_order),
        cmocka_unit_test(they_may_be_left),
        cmocka_unit_test(a_key_that_is_none_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
