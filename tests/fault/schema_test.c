/* A schema for which there is no memory, at every point of its life: each step says so, nothing is
 * half done, and the next try is whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/schema.h"
#include "tests/fault/inject.h"

#define SCHEMA_CLEANUP __attribute__((cleanup(schema_release)))

/* strdup is one of those that fail. */
static int text(char **out, const char *from)
{
    *out = strdup(from);
    return *out ? 0 : error_set(ERR_NOMEM, "no memory for a text");
}

static int fill(struct schema *schema)
{
    struct schema_key *key;
    int error = text(&schema->description, "what it is for");
    if (!error)
        error = schema_add(schema, &key, "NAME");
    if (!error)
        error = text(&key->pattern, "([a-z]+)-\\1");
    if (!error)
        error = text(&key->default_value, "ab-ab");
    if (!error) {
        key->has_default = true;
        key->default_size = 5;
        error = schema_add(schema, &key, "LEVEL");
    }
    if (!error) {
        key->type = TYPE_ENUM;
        error = schema_word(&key->values, "debug");
    }
    if (!error)
        error = schema_word(&key->values, "info");
    if (!error)
        error = schema_word(&key->in, "dev");
    return error;
}

static int no_fault(void *arg, const char *key, const char *member, const char *what)
{
    (void)arg;
    fail_msg("%s of %s: %s", member, key, what);
    return 0;
}

static int ask(const struct schema *schema, const char *key, const char *value,
               enum verdict expected)
{
    enum verdict verdict;
    char said[TYPE_TEXT_MAX];
    const struct schema_subject subject = {
        .environment = "dev", .key = key, .is_there = true, .value = value, .size = strlen(value)};
    const int error = schema_judge(schema, &verdict, said, &subject);
    if (!error)
        assert_int_equal(verdict, expected);
    return error;
}

static int live(void)
{
    SCHEMA_CLEANUP struct schema schema = {.service = "billing"}, again = {0};
    BYTES_CLEANUP struct bytes bytes = BYTES_INIT(65536);
    int error = fill(&schema);
    if (!error)
        error = schema_check(&schema, no_fault, NULL);
    if (!error) {
        schema_encode(&bytes, &schema);
        error = bytes.error;
    }
    if (!error) {
        error = schema_decode(&again, bytes.data, bytes.size);
        assert_true(!error || (again.count == 0 && !again.keys));
    }
    if (!error)
        error = ask(&again, "NAME", "abc-abc", VERDICT_VALID);
    if (!error)
        error = ask(&again, "NAME", "abc-abd", VERDICT_WRONG);
    return error ? error : ask(&again, "LEVEL", "info", VERDICT_VALID);
}

static void without_memory(void **state)
{
    (void)state;
    unsigned tries = 0;
    for (bool has_failed = true; has_failed;) {
        inject_arm(INJECT_MEMORY, INJECT_REFUSE, ++tries, false);
        const int error = live();
        has_failed = inject_disarm(NULL);
        assert_int_equal(error, has_failed ? -ERR_NOMEM : 0);
    }
    printf("%u places without memory\n", tries - 1);
    assert_true(tries > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(without_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
