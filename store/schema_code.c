/* The bytes of a schema, as FORMAT.md has them: one encoding each. */
#include <stdlib.h>
#include <string.h>

#include "store/codec.h"
#include "store/error.h"
#include "store/name.h"
#include "store/schema.h"

#define SCHEMA_FORMAT 1u
#define IS_STRICT 1u

/* Of a key: what it is, and which fields follow. */
enum {
    IS_SECRET = 1u << 0,
    IS_DEPRECATED = 1u << 1,
    IS_FIXED = 1u << 2,
    IS_REQUIRED = 1u << 3,
    HAS_DEFAULT = 1u << 4,
    HAS_MIN = 1u << 5,
    HAS_MAX = 1u << 6,
    HAS_MIN_LENGTH = 1u << 7,
    HAS_MAX_LENGTH = 1u << 8,
    HAS_PATTERN = 1u << 9,
    HAS_DESCRIPTION = 1u << 10,
    FLAGS_ALL = (1u << 11) - 1,
};

/* --- encoding --- */

/* An empty text is none. */
static bool has(const char *text)
{
    return text && text[0];
}

static void put_text(struct bytes *out, const char *text)
{
    put_long(out, text, text ? strlen(text) : 0);
}

static void put_words(struct bytes *out, const struct type_words *words)
{
    put_u16(out, (uint16_t)words->count);
    for (size_t i = 0; i < words->count; i++)
        put_text(out, words->words[i]);
}

static uint16_t flags_of(const struct schema_key *key)
{
    return (uint16_t)((key->is_secret ? IS_SECRET : 0) | (key->is_deprecated ? IS_DEPRECATED : 0) |
                      (key->is_fixed ? IS_FIXED : 0) | (key->is_required ? IS_REQUIRED : 0) |
                      (key->has_default ? HAS_DEFAULT : 0) | (key->has_min ? HAS_MIN : 0) |
                      (key->has_max ? HAS_MAX : 0) | (key->has_min_length ? HAS_MIN_LENGTH : 0) |
                      (key->has_max_length ? HAS_MAX_LENGTH : 0) |
                      (has(key->pattern) ? HAS_PATTERN : 0) |
                      (has(key->description) ? HAS_DESCRIPTION : 0));
}

static void put_key(struct bytes *out, const struct schema_key *key)
{
    put_short(out, key->name, strlen(key->name));
    put_u8(out, (uint8_t)key->type);
    put_u16(out, flags_of(key));
    if (key->has_default)
        put_long(out, key->default_value, key->default_size);
    if (key->has_min)
        put_i64(out, key->min);
    if (key->has_max)
        put_i64(out, key->max);
    if (key->has_min_length)
        put_u32(out, key->min_length);
    if (key->has_max_length)
        put_u32(out, key->max_length);
    if (has(key->pattern))
        put_text(out, key->pattern);
    if (has(key->description))
        put_text(out, key->description);
    put_words(out, &key->required);
    put_words(out, &key->in);
    put_words(out, &key->values);
    put_words(out, &key->schemes);
}

void schema_encode(struct bytes *out, const struct schema *schema)
{
    put_u8(out, SCHEMA_FORMAT);
    put_u8(out, schema->is_strict ? IS_STRICT : 0);
    put_short(out, schema->service, strlen(schema->service));
    put_text(out, schema->description);
    put_u16(out, (uint16_t)schema->count);
    for (size_t i = 0; i < schema->count; i++)
        put_key(out, &schema->keys[i]);
}

/* --- decoding: the first failure sticks --- */

struct reader {
    struct decoder in;
    int error;
};

static bool is_over(const struct reader *reader)
{
    return reader->error || reader->in.failed;
}

/* A copy, ended. */
static char *copy_of(struct reader *reader, const void *data, size_t size)
{
    char *copy = malloc(size + 1);
    if (!copy) {
        reader->error = error_set(ERR_NOMEM, "no memory for a schema");
        return NULL;
    }
    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = '\0';
    return copy;
}

/* A text without a NUL; NULL once failed. */
static char *take_string(struct reader *reader, size_t maximum)
{
    size_t size;
    const unsigned char *data = take_long(&reader->in, &size, maximum);
    if (!data || is_over(reader))
        return NULL;
    if (size > 0 && memchr(data, '\0', size)) {
        reader->in.failed = true;
        return NULL;
    }
    return copy_of(reader, data, size);
}

/* One that is not empty, since that is none. */
static char *take_some(struct reader *reader, size_t maximum)
{
    char *text = take_string(reader, maximum);
    if (text && !text[0])
        reader->in.failed = true;
    return text;
}

static void take_words(struct reader *reader, struct type_words *out)
{
    const size_t count = take_u16(&reader->in);
    if (count > SCHEMA_WORDS_MAX)
        reader->in.failed = true;
    for (size_t i = 0; i < count && !is_over(reader); i++) {
        char *word = take_string(reader, SCHEMA_WORD_MAX);
        if (word && !reader->error)
            reader->error = schema_word(out, word);
        free(word);
    }
}

static void take_default(struct reader *reader, struct schema_key *key)
{
    const unsigned char *data = take_long(&reader->in, &key->default_size, VALUE_MAX);
    key->has_default = true;
    if (data && key->default_size > 0 && !is_over(reader))
        key->default_value = copy_of(reader, data, key->default_size);
}

static void take_flags(struct reader *reader, struct schema_key *key, unsigned flags)
{
    if (flags & ~(unsigned)FLAGS_ALL)
        reader->error = error_set(ERR_FORMAT, "a schema's key with flags %#x", flags);
    key->is_secret = flags & IS_SECRET;
    key->is_deprecated = flags & IS_DEPRECATED;
    key->is_fixed = flags & IS_FIXED;
    key->is_required = flags & IS_REQUIRED;
    key->has_min = flags & HAS_MIN;
    key->has_max = flags & HAS_MAX;
    key->has_min_length = flags & HAS_MIN_LENGTH;
    key->has_max_length = flags & HAS_MAX_LENGTH;
}

static void take_body(struct reader *reader, struct schema_key *key)
{
    const uint8_t type = take_u8(&reader->in);
    const unsigned flags = take_u16(&reader->in);
    if (is_over(reader))
        return;
    if (type < TYPE_STRING || type > TYPE_LAST)
        reader->error = error_set(ERR_FORMAT, "a schema's key of type %u", type);
    else
        key->type = (enum value_type)type;
    take_flags(reader, key, flags);
    if (flags & HAS_DEFAULT)
        take_default(reader, key);
    if (key->has_min)
        key->min = take_i64(&reader->in);
    if (key->has_max)
        key->max = take_i64(&reader->in);
    if (key->has_min_length)
        key->min_length = take_u32(&reader->in);
    if (key->has_max_length)
        key->max_length = take_u32(&reader->in);
    if (flags & HAS_PATTERN)
        key->pattern = take_some(reader, SCHEMA_PATTERN_MAX);
    if (flags & HAS_DESCRIPTION)
        key->description = take_some(reader, SCHEMA_DESCRIPTION_MAX);
    take_words(reader, &key->required);
    take_words(reader, &key->in);
    take_words(reader, &key->values);
    take_words(reader, &key->schemes);
}

/* Names stand in their order, so that each is there once. */
static void take_key(struct reader *reader, struct schema *out)
{
    char name[KEY_NAME_MAX + 1];
    struct schema_key *key;
    take_text(&reader->in, name, sizeof(name));
    if (is_over(reader))
        return;
    if (name_check(NAME_KEY, name, strlen(name)) ||
        (out->count > 0 && strcmp(out->keys[out->count - 1].name, name) >= 0)) {
        reader->in.failed = true;
        return;
    }
    reader->error = schema_add(out, &key, name);
    if (!reader->error)
        take_body(reader, key);
}

static void take_schema(struct reader *reader, struct schema *out)
{
    const uint8_t format = take_u8(&reader->in), flags = take_u8(&reader->in);
    if (!reader->in.failed && (format != SCHEMA_FORMAT || (flags & ~IS_STRICT)))
        reader->error = error_set(ERR_FORMAT, "a schema of format %u, flags %#x", format, flags);
    out->is_strict = flags & IS_STRICT;
    take_text(&reader->in, out->service, sizeof(out->service));
    if (!is_over(reader) && name_check(NAME_SERVICE, out->service, strlen(out->service)))
        reader->in.failed = true;
    out->description = take_string(reader, SCHEMA_DESCRIPTION_MAX);
    if (out->description && !out->description[0]) { /* none and an empty one are the same */
        free(out->description);
        out->description = NULL;
    }
    const size_t count = take_u16(&reader->in);
    if (count > SCHEMA_KEYS_MAX)
        reader->in.failed = true;
    for (size_t i = 0; i < count && !is_over(reader); i++)
        take_key(reader, out);
}

int schema_decode(struct schema *out, const void *data, size_t size)
{
    struct reader reader = {.in = DECODER(data, size)};
    struct schema schema = {0};
    take_schema(&reader, &schema);
    const int error = reader.error ? reader.error : decoder_end(&reader.in, "a schema");
    if (error) {
        schema_release(&schema);
        return error;
    }
    *out = schema;
    return 0;
}
