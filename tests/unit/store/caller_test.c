/* What a caller signs: every part of it counts, and it is no other message that is signed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "store/caller.h"
#include "store/request.h"
#include "store/secret.h"

static struct caller_claim claim;
static struct identity *identity;

static int begin(void **state)
{
    (void)state;
    if (secret_setup(1 << 20) != 0 || identity_new(&identity) != 0)
        return -1;
    memset(&claim, 0x5a, sizeof claim);
    claim.uid = 1000;
    identity_signing_key(identity, claim.key);
    return 0;
}

static int end(void **state)
{
    (void)state;
    identity_free(identity);
    secret_teardown();
    return 0;
}

static void sign(uint8_t out[static SIGNATURE_SIZE], const struct caller_claim *of)
{
    unsigned char message[CALLER_MESSAGE_SIZE];
    caller_message(message, of);
    identity_sign(identity, out, message, sizeof message);
}

static void every_part_counts(void **state)
{
    uint8_t signature[SIGNATURE_SIZE];
    (void)state;
    sign(signature, &claim);
    assert_true(caller_is_proven(&claim, signature));
    unsigned char *bytes = (unsigned char *)&claim;
    for (size_t i = 0; i < sizeof claim; i++) {
        bytes[i] ^= 1;
        assert_false(caller_is_proven(&claim, signature));
        bytes[i] ^= 1;
    }
    for (size_t i = 0; i < sizeof signature; i++) {
        signature[i] ^= 1;
        assert_false(caller_is_proven(&claim, signature));
        signature[i] ^= 1;
    }
}

/* As store/FORMAT.md has it. */
static void layout(void **state)
{
    unsigned char message[CALLER_MESSAGE_SIZE];
    static const unsigned char uid[] = {0xe8, 3, 0, 0};
    (void)state;
    caller_message(message, &claim);
    assert_memory_equal(message, "emsa-caller-1", 13);
    assert_memory_equal(message + 13, claim.store_id, 16);
    assert_memory_equal(message + 29, claim.challenge, 32);
    assert_memory_equal(message + 61, uid, 4);
    assert_memory_equal(message + 65, claim.key, 32);
}

static void a_request_is_no_proof(void **state)
{
    struct signature signature;
    (void)state;
    request_sign(&signature, identity, &claim, sizeof claim);
    assert_false(caller_is_proven(&claim, signature.bytes));
    sign(signature.bytes, &claim);
    assert_false(request_is_signed(&signature, &claim, sizeof claim));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_part_counts),
                                       cmocka_unit_test(layout),
                                       cmocka_unit_test(a_request_is_no_proof)};
    return cmocka_run_group_tests(tests, begin, end);
}
