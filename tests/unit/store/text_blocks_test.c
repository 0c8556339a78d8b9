/* Texts that live together: each stays where it is, whole, however many follow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/text_blocks.h"

#define MANY 20000u

static void texts_stay(void **state)
{
    (void)state;
    struct text_blocks blocks = {0};
    const char **copies = calloc(MANY, sizeof *copies);
    char text[64];
    assert_non_null(copies);
    for (unsigned i = 0; i < MANY; i++) {
        int size = snprintf(text, sizeof text, "text number %u", i);
        copies[i] = text_blocks_copy(&blocks, text, (size_t)size);
        assert_non_null(copies[i]);
    }
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "text number %u", i);
        assert_string_equal(copies[i], text);
    }
    text_blocks_release(&blocks);
    assert_null(blocks.last);
    free(copies);
}

static void a_text_may_have_any_size_and_any_bytes(void **state)
{
    (void)state;
    struct text_blocks blocks = {0};
    const size_t sizes[] = {0, 1, 1023, 1024, 300000, 2, 0};
    char *bytes = malloc(300000);
    const char *copies[7];
    assert_non_null(bytes);
    for (size_t i = 0; i < 300000; i++)
        bytes[i] = (char)(i * 7);
    for (size_t i = 0; i < 7; i++)
        copies[i] = text_blocks_copy(&blocks, bytes, sizes[i]);
    for (size_t i = 0; i < 7; i++) {
        assert_memory_equal(copies[i], bytes, sizes[i]);
        assert_int_equal(copies[i][sizes[i]], 0);
    }
    text_blocks_release(&blocks);
    free(bytes);
}

static void the_one_before_serves_again(void **state)
{
    (void)state;
    struct text_blocks blocks = {0};
    const char *first = text_blocks_again(&blocks, NULL, "prod");
    const char *other = text_blocks_again(&blocks, first, "dev");
    assert_ptr_equal(text_blocks_again(&blocks, first, "prod"), first);
    assert_string_equal(other, "dev");
    assert_ptr_not_equal(text_blocks_again(&blocks, other, "prod"), first);
    text_blocks_release(&blocks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_stay),
        cmocka_unit_test(a_text_may_have_any_size_and_any_bytes),
        cmocka_unit_test(the_one_before_serves_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
