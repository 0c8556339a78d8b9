/* Schemas: what is wrong with one, its bytes, and its verdict of what there is. */
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

#define SCHEMA_CLEANUP __attribute__((cleanup(schema_release)))

static struct schema_key *key(struct schema *schema, const char *name, enum value_type type)
{
    struct schema_key *added;
    assert_int_equal(schema_add(schema, &added, name), 0);
    added->type = type;
    return added;
}

static void words(struct type_words *list, const char *text)
{
    char copy[256], *save = NULL;
    assert_true(strlen(text) < sizeof(copy));
    memcpy(copy, text, strlen(text) + 1);
    for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
        assert_int_equal(schema_word(list, word), 0);
}

static void with_default(struct schema_key *at, const char *value)
{
    at->has_default = true;
    at->default_size = strlen(value);
    at->default_value = at->default_size ? strdup(value) : NULL;
}

static struct schema empty_schema(void)
{
    return (struct schema){.service = "billing"};
}

/* The example that the manual has, and a bit of everything. */
static struct schema whole_schema(void)
{
    struct schema schema = empty_schema();
    schema.is_strict = true;
    schema.description = strdup("who owes what");
    struct schema_key *at = key(&schema, "PORT", TYPE_PORT);
    with_default(at, "8080");
    at = key(&schema, "DATABASE_URL", TYPE_URL);
    at->is_secret = at->is_required = true;
    at->description = strdup("where the ledger lives");
    words(&at->schemes, "postgres postgresql");
    at = key(&schema, "LOG_LEVEL", TYPE_ENUM);
    words(&at->values, "debug info warn error");
    with_default(at, "info");
    at = key(&schema, "DEBUG", TYPE_BOOL);
    words(&at->in, "dev staging");
    at = key(&schema, "RATE_LIMIT", TYPE_INT);
    at->has_min = at->has_max = true;
    at->min = 1;
    at->max = 100000;
    at = key(&schema, "TLS_CERT", TYPE_PEM);
    words(&at->required, "prod");
    at = key(&schema, "NAME", TYPE_STRING);
    at->pattern = strdup("[a-z]+");
    at->has_min_length = at->has_max_length = at->is_fixed = true;
    at->min_length = 2;
    at->max_length = 8;
    at = key(&schema, "OLD", TYPE_STRING);
    at->is_deprecated = true;
    at = key(&schema, "EMPTY", TYPE_STRING);
    with_default(at, "");
    return schema;
}

/* --- what is wrong with one --- */

struct told {
    char text[4096];
    size_t count;
    int answer;
};

static int note(void *arg, const char *name, const char *member, const char *text)
{
    struct told *told = arg;
    const size_t at = strlen(told->text);
    snprintf(told->text + at, sizeof(told->text) - at, "%s.%s %s\n", name, member, text);
    told->count++;
    return told->answer;
}

static void finds(const struct schema *schema, const char *expected)
{
    struct told told = {0};
    assert_int_equal(schema_check(schema, note, &told), 0);
    assert_string_equal(told.text, expected);
}

static void good_schemas(void **state)
{
    (void)state;
    SCHEMA_CLEANUP struct schema whole = whole_schema(), empty = empty_schema();
    finds(&whole, "");
    finds(&empty, "");
}

static void order_and_limits_of_keys(void **state)
{
    (void)state;
    SCHEMA_CLEANUP struct schema schema = empty_schema();
    struct schema_key *at;
    char name[16];
    for (unsigned i = 0; i < SCHEMA_KEYS_MAX; i++) {
        snprintf(name, sizeof(name), "K%u", (i * 2654435761u) % 1000003u);
        const int error = schema_add(&schema, &at, name);
        assert_int_equal(error, 0);
    }
    for (size_t i = 1; i < schema.count; i++)
        assert_true(strcmp(schema.keys[i - 1].name, schema.keys[i].name) < 0);
    assert_ptr_equal(schema_find(&schema, schema.keys[77].name), &schema.keys[77]);
    assert_null(schema_find(&schema, "NONE"));
    assert_int_equal(schema_add(&schema, &at, "NONE"), -ERR_INVALID);
    schema_release(&schema);
    assert_int_equal(schema_add(&schema, &at, "A"), 0);
    assert_int_equal(schema_add(&schema, &at, "A"), -ERR_INVALID);
    assert_int_equal(schema_add(&schema, &at, "a b"), -ERR_INVALID);
    assert_int_equal(schema.count, 1);
    at = &schema.keys[0];
    for (unsigned i = 0; i < SCHEMA_WORDS_MAX; i++)
        assert_int_equal(schema_word(&at->values, "w"), 0);
    assert_int_equal(schema_word(&at->values, "w"), -ERR_INVALID);
}

static void faults_of_types(void **state)
{
    (void)state;
    SCHEMA_CLEANUP struct schema schema = {.service = "a b"};
    struct schema_key *at = key(&schema, "A_ENUM", TYPE_ENUM);
    with_default(at, "x");
    at = key(&schema, "B_WORDS", TYPE_ENUM);
    words(&at->values, "a a");
    at = key(&schema, "C_RANGE", TYPE_URL);
    at->has_min = at->has_max = true;
    at->min = 2;
    at->max = 1;
    words(&at->values, "x");
    words(&at->schemes, "HTTP");
    at = key(&schema, "D_LENGTH", TYPE_STRING);
    at->has_min_length = at->has_max_length = true;
    at->min_length = 2;
    at->max_length = 1;
    at->pattern = strdup("(");
    with_default(at, "x");
    words(&at->schemes, "http");
    at = key(&schema, "E_PATTERN", TYPE_INT);
    at->pattern = strdup("");
    at = key(&schema, "F_TEXT", TYPE_BOOL);
    at->description = strdup("\xff");
    finds(&schema,
          ".service service name 'a b' is not allowed: use letters, digits, '_', '.' and '-', "
          "first a "
          "letter or digit\n"
          "A_ENUM.values is missing: an enum lists what it may be\n"
          "B_WORDS.values has 'a' twice\n"
          "C_RANGE.min is for numbers and durations, and this is a url\n"
          "C_RANGE.max is for numbers and durations, and this is a url\n"
          "C_RANGE.min is above max\n"
          "C_RANGE.values is for the type enum, and this is a url\n"
          "C_RANGE.schemes names 'HTTP', which is none: lower-case letters, digits, '+', '-' and "
          "'.', "
          "first a "
          "letter\n"
          "D_LENGTH.min_length is above max_length\n"
          "D_LENGTH.pattern must be a regular expression: column 2: missing closing parenthesis\n"
          "D_LENGTH.schemes is for the type url, and this is a string\n"
          "E_PATTERN.pattern is for the types string and regex, and this is a int\n"
          "E_PATTERN.pattern is empty: leave it out\n"
          "F_TEXT.description is not UTF-8\n");
}

static void faults_of_places_and_defaults(void **state)
{
    (void)state;
    SCHEMA_CLEANUP struct schema schema = empty_schema();
    struct schema_key *at = key(&schema, "A", TYPE_PORT);
    with_default(at, "8080\n");
    at = key(&schema, "B", TYPE_STRING);
    at->is_secret = true;
    with_default(at, "hunter2");
    at = key(&schema, "C", TYPE_STRING);
    at->is_required = at->is_deprecated = true;
    words(&at->required, "prod");
    at = key(&schema, "D", TYPE_STRING);
    words(&at->required, "prod staging");
    words(&at->in, "staging a/b all");
    at = key(&schema, "E", TYPE_BOOL);
    words(&at->in, "staging");
    with_default(at, "true");
    finds(&schema, "A.default must be a port (1 to 65535): it ends in a newline\n"
                   "B.default is plain, and the key is a secret: set it where it is needed\n"
                   "C.required is both everywhere and a list\n"
                   "C.required cannot be: what is deprecated is on its way out\n"
                   "D.in has what is none: environment name 'a/b' is not allowed: use letters, "
                   "digits, '_', '.' and "
                   "'-', first a letter or digit\n"
                   "D.in names 'all', where nothing runs: leave 'in' out instead\n"
                   "D.required names 'prod', where 'in' does not let it be\n"
                   "E.default shows everywhere, and 'in' does not let it: set it where it is "
                   "needed\n");
}

static void a_schema_that_is_too_large(void **state)
{
    (void)state;
    SCHEMA_CLEANUP struct schema schema = empty_schema();
    char name[16], *text = malloc(SCHEMA_DESCRIPTION_MAX + 2);
    memset(text, 'a', SCHEMA_DESCRIPTION_MAX + 1);
    text[SCHEMA_DESCRIPTION_MAX + 1] = '\0';
    for (int i = 0; i < 1100; i++) {
        snprintf(name, sizeof(name), "K%d", i);
        key(&schema, name, TYPE_STRING)->description = strdup(text + 1);
    }
    finds(&schema, ". has more than 1048576 bytes: shorten its descriptions and defaults\n");
    schema.description = text;
    finds(&schema, ".description has 1025 bytes, at most 1024 are allowed\n"
                   ". has more than 1048576 bytes: shorten its descriptions and defaults\n");
}

static void a_fault_that_ends_it(void **state)
{
    (void)state;
    SCHEMA_CLEANUP struct schema schema = empty_schema();
    key(&schema, "A", TYPE_ENUM);
    key(&schema, "B", TYPE_ENUM);
    struct told told = {.answer = -ERR_BUSY};
    assert_int_equal(schema_check(&schema, note, &told), -ERR_BUSY);
    assert_int_equal(told.count, 1);
}

/* --- bytes --- */

static void encode(struct bytes *out, const struct schema *schema)
{
    schema_encode(out, schema);
    assert_int_equal(out->error, 0);
}

static void bytes_and_back(void **state)
{
    (void)state;
    SCHEMA_CLEANUP struct schema whole = whole_schema(), again = {0};
    BYTES_CLEANUP struct bytes first = BYTES_INIT(65536), second = BYTES_INIT(65536);
    encode(&first, &whole);
    assert_int_equal(schema_decode(&again, first.data, first.size), 0);
    encode(&second, &again);
    assert_int_equal(first.size, second.size);
    assert_memory_equal(first.data, second.data, first.size);
    finds(&again, "");
    const struct schema_key *at = schema_find(&again, "DATABASE_URL");
    assert_non_null(at);
    assert_true(again.is_strict && at->is_secret && at->is_required && !at->has_default);
    assert_string_equal(at->schemes.words[1], "postgresql");
    assert_string_equal(at->description, "where the ledger lives");
    at = schema_find(&again, "NAME");
    assert_true(at->is_fixed && at->min_length == 2 && at->max_length == 8);
    assert_string_equal(at->pattern, "[a-z]+");
    at = schema_find(&again, "EMPTY");
    assert_true(at->has_default && !at->default_value && at->default_size == 0);
    at = schema_find(&again, "PORT");
    assert_memory_equal(at->default_value, "8080", 4);
}

/* As FORMAT.md has it, byte by byte. */
static void bytes_of_a_small_one(void **state)
{
    (void)state;
    SCHEMA_CLEANUP struct schema schema = {.service = "a", .is_strict = true};
    struct schema_key *at = key(&schema, "K", TYPE_INT);
    at->is_secret = at->has_min = true;
    at->min = -2;
    words(&at->in, "dev");
    static const unsigned char expected[] = "\1\1"            /* format, strict */
                                            "\1a\0\0\0\0\1\0" /* service, no description, one key */
                                            "\1K\2\x21\0"     /* name, int, secret and min */
                                            "\xfe\xff\xff\xff\xff\xff\xff\xff" /* min */
                                            "\0\0"                             /* required */
                                            "\1\0\3\0\0\0dev"                  /* in */
                                            "\0\0\0\0";                        /* values, schemes */
    BYTES_CLEANUP struct bytes bytes = BYTES_INIT(256);
    encode(&bytes, &schema);
    assert_int_equal(bytes.size, sizeof(expected) - 1);
    assert_memory_equal(bytes.data, expected, sizeof(expected) - 1);
}

static void bytes_that_are_wrong(void **state)
{
    (void)state;
    SCHEMA_CLEANUP struct schema whole = whole_schema();
    struct schema out = {.count = 7};
    BYTES_CLEANUP struct bytes bytes = BYTES_INIT(65536);
    encode(&bytes, &whole);
    for (size_t size = 0; size < bytes.size; size++)
        assert_int_equal(schema_decode(&out, bytes.data, size), -ERR_CORRUPT);
    bytes_append(&bytes, "", 1);
    assert_int_equal(schema_decode(&out, bytes.data, bytes.size), -ERR_CORRUPT);
    bytes.data[0] = 2;
    assert_int_equal(schema_decode(&out, bytes.data, bytes.size - 1), -ERR_FORMAT);
    bytes.data[0] = 1;
    bytes.data[1] = 2;
    assert_int_equal(schema_decode(&out, bytes.data, bytes.size - 1), -ERR_FORMAT);
    assert_int_equal(out.count, 7);
    static const struct {
        const char *bytes;
        size_t size;
        int error;
    } rows[] = {
        {"\1\0\1a\0\0\0\0\1\0\1K\16\0\0\0\0\0\0\0\0\0\0", 23,
         ERR_FORMAT}, /* a type beyond the last */
        {"\1\0\1a\0\0\0\0\1\0\1K\0\0\0\0\0\0\0\0\0\0\0", 23, ERR_FORMAT}, /* type 0 */
        {"\1\0\1a\0\0\0\0\1\0\1K\1\0\x8\0\0\0\0\0\0\0\0", 23,
         ERR_FORMAT},                             /* a flag beyond the last */
        {"\1\0\1/\0\0\0\0\0\0", 10, ERR_CORRUPT}, /* no name of a service */
        {"\1\0\1a\0\0\0\0\1\0\1/\1\0\0\0\0\0\0\0\0\0\0", 23, ERR_CORRUPT}, /* no name of a key */
        {"\1\0\1a\0\0\0\0\1\0\1K\1\0\2\0\0\0\0\0\0\0\0\0\0\0\0", 27,
         ERR_CORRUPT},                              /* an empty pattern */
        {"\1\0\1a\1\0\0\0\0\0\0", 11, ERR_CORRUPT}, /* a NUL in a text */
        {"\1\0\1a\0\0\0\0\2\0\1K\1\0\0\0\0\0\0\0\0\0\0\1K\1\0\0\0\0\0\0\0\0\0\0", 36, ERR_CORRUPT},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(schema_decode(&out, rows[i].bytes, rows[i].size), -(int)rows[i].error);
    assert_int_equal(out.count, 7);
}

/* --- verdicts --- */

static void judges(const struct schema *schema, const struct schema_subject *subject,
                   enum verdict expected, const char *words_expected)
{
    enum verdict verdict;
    char text[TYPE_TEXT_MAX];
    assert_int_equal(schema_judge(schema, &verdict, text, subject), 0);
    assert_string_equal(text, words_expected);
    assert_int_equal(verdict, expected);
}

#define THERE(environment_, key_, value_)                                                          \
    &(struct schema_subject)                                                                       \
    {                                                                                              \
        .environment = environment_, .key = key_, .is_there = true, .value = value_,               \
        .size = strlen(value_)                                                                     \
    }
#define ABSENT(environment_, key_)                                                                 \
    &(struct schema_subject)                                                                       \
    {                                                                                              \
        .environment = environment_, .key = key_                                                   \
    }

static void verdicts_in_their_order(void **state)
{
    (void)state;
    SCHEMA_CLEANUP struct schema schema = whole_schema();
    judges(&schema, THERE("prod", "PORT", "80"), VERDICT_VALID, "");
    judges(&schema, ABSENT("prod", "PORT"), VERDICT_VALID, "");
    judges(&schema, THERE("prod", "PORT", "0"), VERDICT_WRONG, "must be a port (1 to 65535)");
    judges(&schema, ABSENT("prod", "DATABASE_URL"), VERDICT_MISSING, "is required, and not there");
    judges(&schema, THERE("prod", "DATABASE_URL", "x"), VERDICT_PLAIN,
           "must be a secret, and is plain");
    struct schema_subject secret = {
        .environment = "prod", .key = "DATABASE_URL", .is_there = true, .is_secret = true};
    judges(&schema, &secret, VERDICT_UNCHECKED, "is a secret that cannot be looked at here");
    secret.value = "postgres://a";
    secret.size = 12;
    judges(&schema, &secret, VERDICT_VALID, "");
    secret.size = 1;
    judges(&schema, &secret, VERDICT_WRONG,
           "must be a url (scheme://host): it begins with no scheme (as https:)");
    judges(&schema, THERE("prod", "OTHER", "x"), VERDICT_UNDECLARED,
           "is not declared, and the schema is strict");
    judges(&schema, ABSENT("prod", "OTHER"), VERDICT_VALID, "");
    judges(&schema, THERE("prod", "OLD", "x"), VERDICT_VALID, "");
    judges(&schema, THERE("prod", "DEBUG", "no"), VERDICT_ELSEWHERE,
           "may exist in dev, staging only");
    judges(&schema, THERE("dev", "DEBUG", "no"), VERDICT_WRONG, "must be true or false");
    judges(&schema, ABSENT("prod", "TLS_CERT"), VERDICT_MISSING, "is required, and not there");
    judges(&schema, ABSENT("dev", "TLS_CERT"), VERDICT_VALID, "");
    judges(&schema, THERE("dev", "NAME", "Abc"), VERDICT_WRONG, "must match [a-z]+");
    judges(&schema, THERE("dev", "NAME", "a"), VERDICT_WRONG, "must have 2 to 8 bytes");
    schema.is_strict = false;
    judges(&schema, THERE("prod", "OTHER", "x"), VERDICT_VALID, "");
}

static void previews_count_as_their_base(void **state)
{
    (void)state;
    SCHEMA_CLEANUP struct schema schema = whole_schema();
    struct schema_subject subject = {.environment = "preview-17",
                                     .base = "dev",
                                     .key = "DEBUG",
                                     .is_there = true,
                                     .value = "true",
                                     .size = 4};
    judges(&schema, &subject, VERDICT_VALID, "");
    subject.base = "prod";
    judges(&schema, &subject, VERDICT_ELSEWHERE, "may exist in dev, staging only");
    subject =
        (struct schema_subject){.environment = "preview-17", .base = "prod", .key = "TLS_CERT"};
    judges(&schema, &subject, VERDICT_MISSING, "is required, and not there");
}

/* What is required everywhere, and may be in some environments only, is required in those. */
static void required_where_it_may_be(void **state)
{
    (void)state;
    SCHEMA_CLEANUP struct schema schema = empty_schema();
    struct schema_key *at = key(&schema, "K", TYPE_STRING);
    at->is_required = true;
    words(&at->in, "dev");
    finds(&schema, "");
    judges(&schema, ABSENT("dev", "K"), VERDICT_MISSING, "is required, and not there");
    judges(&schema, ABSENT("prod", "K"), VERDICT_VALID, "");
}

static void long_lists_are_cut(void **state)
{
    (void)state;
    SCHEMA_CLEANUP struct schema schema = empty_schema();
    struct schema_key *at = key(&schema, "K", TYPE_STRING);
    enum verdict verdict;
    char text[TYPE_TEXT_MAX], name[32];
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof(name), "environment-%d", i);
        words(&at->in, name);
    }
    assert_int_equal(schema_judge(&schema, &verdict, text, THERE("prod", "K", "")), 0);
    assert_int_equal(strlen(text), TYPE_TEXT_MAX - 1);
    assert_string_equal(text + TYPE_TEXT_MAX - 4, "...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_schemas),
        cmocka_unit_test(order_and_limits_of_keys),
        cmocka_unit_test(faults_of_types),
        cmocka_unit_test(faults_of_places_and_defaults),
        cmocka_unit_test(a_schema_that_is_too_large),
        cmocka_unit_test(a_fault_that_ends_it),
        cmocka_unit_test(bytes_and_back),
        cmocka_unit_test(bytes_of_a_small_one),
        cmocka_unit_test(bytes_that_are_wrong),
        cmocka_unit_test(verdicts_in_their_order),
        cmocka_unit_test(previews_count_as_their_base),
        cmocka_unit_test(required_where_it_may_be),
        cmocka_unit_test(long_lists_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
