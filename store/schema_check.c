/* What is wrong with a schema itself: all of it at once, each fault at the member that it is about.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "store/encode.h"
#include "store/error.h"
#include "store/name.h"
#include "store/schema.h"
#include "store/type.h"

struct inspection {
    const struct schema *schema;
    const char *key; /* that is looked at; "": the schema */
    int (*fault)(void *arg, const char *key, const char *member, const char *text);
    void *arg;
    size_t faults;
    int error; /* the first failure: nothing is looked at after it */
};

#define FAULT_TEXT_MAX 512

__attribute__((format(printf, 3, 4))) static void say(struct inspection *at, const char *member,
                                                      const char *format, ...)
{
    char text[FAULT_TEXT_MAX];
    va_list arguments;
    if (at->error)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    at->faults++;
    at->error = at->fault(at->arg, at->key, member, text);
}

static bool names(const struct type_words *words, const char *word)
{
    for (size_t i = 0; i < words->count; i++)
        if (strcmp(words->words[i], word) == 0)
            return true;
    return false;
}

static bool is_text(const char *text)
{
    const size_t size = strlen(text);
    bool good = true;
    for (size_t at = 0; at < size && good;)
        at += utf8_next((const unsigned char *)text + at, size - at, &good);
    return good;
}

static void look_at_description(struct inspection *at, const char *text)
{
    if (text && strlen(text) > SCHEMA_DESCRIPTION_MAX)
        say(at, "description", "has %zu bytes, at most %u are allowed", strlen(text),
            SCHEMA_DESCRIPTION_MAX);
    if (text && !is_text(text))
        say(at, "description", "is not UTF-8");
}

/* What every list must be; then its words by what they stand for. */
static void look_at_words(struct inspection *at, const char *member, const struct type_words *words)
{
    if (words->count > SCHEMA_WORDS_MAX)
        say(at, member, "has %zu words, at most %u are allowed", words->count, SCHEMA_WORDS_MAX);
    for (size_t i = 0; i < words->count; i++) {
        const struct type_words before = {.words = words->words, .count = i};
        if (strlen(words->words[i]) > SCHEMA_WORD_MAX)
            say(at, member, "has a word of %zu bytes, at most %u are allowed",
                strlen(words->words[i]), SCHEMA_WORD_MAX);
        else if (names(&before, words->words[i]))
            say(at, member, "has '%s' twice", words->words[i]);
    }
}

static void look_at_environments(struct inspection *at, const char *member,
                                 const struct type_words *words)
{
    look_at_words(at, member, words);
    for (size_t i = 0; i < words->count; i++) {
        if (name_check(NAME_ENVIRONMENT, words->words[i], strlen(words->words[i])))
            say(at, member, "has what is none: %s", error_text());
        else if (strcmp(words->words[i], "all") == 0)
            say(at, member, "names 'all', where nothing runs: leave '%s' out instead", member);
    }
}

/* RFC 3986, section 3.1. */
static bool is_scheme(const char *word)
{
    const size_t length = strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789+-.");
    return word[0] >= 'a' && word[0] <= 'z' && word[length] == '\0';
}

static void look_at_schemes(struct inspection *at, const struct schema_key *key)
{
    look_at_words(at, "schemes", &key->schemes);
    if (key->schemes.count > 0 && key->type != TYPE_URL)
        say(at, "schemes", "is for the type url, and this is a %s", type_name(key->type));
    for (size_t i = 0; i < key->schemes.count; i++)
        if (!is_scheme(key->schemes.words[i]))
            say(at, "schemes",
                "names '%.64s', which is none: lower-case letters, digits, '+', '-' and '.', first "
                "a "
                "letter",
                key->schemes.words[i]);
}

static void look_at_values(struct inspection *at, const struct schema_key *key)
{
    look_at_words(at, "values", &key->values);
    if (key->type == TYPE_ENUM && key->values.count == 0)
        say(at, "values", "is missing: an enum lists what it may be");
    if (key->type != TYPE_ENUM && key->values.count > 0)
        say(at, "values", "is for the type enum, and this is a %s", type_name(key->type));
}

static void look_at_range(struct inspection *at, const struct schema_key *key)
{
    const bool fits = type_has_range(key->type);
    if (key->has_min && !fits)
        say(at, "min", "is for numbers and durations, and this is a %s", type_name(key->type));
    if (key->has_max && !fits)
        say(at, "max", "is for numbers and durations, and this is a %s", type_name(key->type));
    if (key->has_min && key->has_max && key->min > key->max)
        say(at, "min", "is above max");
    if (key->has_min_length && key->has_max_length && key->min_length > key->max_length)
        say(at, "min_length", "is above max_length");
    if (key->has_min_length && key->min_length > VALUE_MAX)
        say(at, "min_length", "is more than a value may have (%u bytes)", VALUE_MAX);
}

static void look_at_pattern(struct inspection *at, const struct schema_key *key)
{
    char text[TYPE_TEXT_MAX];
    if (!key->pattern)
        return;
    if (!type_has_pattern(key->type))
        say(at, "pattern", "is for the types string and regex, and this is a %s",
            type_name(key->type));
    if (strlen(key->pattern) > SCHEMA_PATTERN_MAX)
        say(at, "pattern", "has %zu bytes, at most %u are allowed", strlen(key->pattern),
            SCHEMA_PATTERN_MAX);
    else if (!key->pattern[0])
        say(at, "pattern", "is empty: leave it out");
    else if (!at->error) {
        const int fault = type_pattern(text, key->pattern);
        if (fault < 0)
            at->error = fault;
        else if (fault)
            say(at, "pattern", "%s", text);
    }
}

/* Where the rest says what a value is, the default is one. */
static void look_at_default(struct inspection *at, const struct schema_key *key, bool is_sound)
{
    char text[TYPE_TEXT_MAX];
    if (!key->has_default)
        return;
    if (key->is_secret)
        say(at, "default", "is plain, and the key is a secret: set it where it is needed");
    if (key->in.count > 0)
        say(at, "default", "shows everywhere, and 'in' does not let it: set it where it is needed");
    if (key->default_size > VALUE_MAX)
        say(at, "default", "has %zu bytes, at most %u are allowed", key->default_size, VALUE_MAX);
    else if (is_sound && !at->error) {
        const void *value = key->default_value ? key->default_value : "";
        const int fault = schema_value(text, key, value, key->default_size);
        if (fault < 0)
            at->error = fault;
        else if (fault)
            say(at, "default", "%s", text);
    }
}

static void look_at_places(struct inspection *at, const struct schema_key *key)
{
    look_at_environments(at, "required", &key->required);
    look_at_environments(at, "in", &key->in);
    if (key->is_required && key->required.count > 0)
        say(at, "required", "is both everywhere and a list");
    if (key->is_deprecated && (key->is_required || key->required.count > 0))
        say(at, "required", "cannot be: what is deprecated is on its way out");
    for (size_t i = 0; key->in.count > 0 && i < key->required.count; i++)
        if (!names(&key->in, key->required.words[i]))
            say(at, "required", "names '%.64s', where 'in' does not let it be",
                key->required.words[i]);
}

static void look_at_key(struct inspection *at, const struct schema_key *key)
{
    at->key = key->name;
    if (key->type < TYPE_STRING || key->type > TYPE_LAST) {
        say(at, "type", "is none of the types");
        return;
    }
    look_at_description(at, key->description);
    look_at_places(at, key);
    const size_t before = at->faults;
    look_at_range(at, key);
    look_at_pattern(at, key);
    look_at_values(at, key);
    look_at_schemes(at, key);
    look_at_default(at, key, at->faults == before);
}

/* It is kept as a value is. */
static void look_at_size(struct inspection *at)
{
    BYTES_CLEANUP struct bytes bytes = BYTES_INIT(VALUE_MAX);
    if (at->error)
        return;
    schema_encode(&bytes, at->schema);
    if (bytes.error == -ERR_INVALID)
        say(at, "", "has more than %u bytes: shorten its descriptions and defaults", VALUE_MAX);
    else
        at->error = bytes.error;
}

int schema_check(const struct schema *schema,
                 int (*fault)(void *arg, const char *key, const char *member, const char *text),
                 void *arg)
{
    struct inspection at = {.schema = schema, .key = "", .fault = fault, .arg = arg};
    if (name_check(NAME_SERVICE, schema->service, strlen(schema->service)))
        say(&at, "service", "%s", error_text());
    look_at_description(&at, schema->description);
    if (schema->count > SCHEMA_KEYS_MAX)
        say(&at, "keys", "has %zu keys, at most %u are allowed", schema->count, SCHEMA_KEYS_MAX);
    for (size_t i = 0; i < schema->count && !at.error; i++)
        look_at_key(&at, &schema->keys[i]);
    at.key = "";
    look_at_size(&at);
    return at.error;
}
