#include "store/schema.h"

#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/name.h"

static void release_words(struct type_words *words)
{
    for (size_t i = 0; i < words->count; i++)
        free(words->words[i]);
    free(words->words);
}

static void release_key(struct schema_key *key)
{
    free(key->default_value);
    free(key->pattern);
    free(key->description);
    release_words(&key->required);
    release_words(&key->in);
    release_words(&key->values);
    release_words(&key->schemes);
}

void schema_release(struct schema *schema)
{
    for (size_t i = 0; i < schema->count; i++)
        release_key(&schema->keys[i]);
    free(schema->keys);
    free(schema->description);
    *schema = (struct schema){0};
}

/* Where the name stands, or would. */
static size_t place_of(const struct schema *schema, const char *name)
{
    size_t low = 0, high = schema->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (strcmp(schema->keys[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct schema_key *schema_find(const struct schema *schema, const char *name)
{
    const size_t at = place_of(schema, name);
    return at < schema->count && strcmp(schema->keys[at].name, name) == 0 ? &schema->keys[at]
                                                                          : NULL;
}

/* Room for one more: what a list has is the next power of two of what is in it. */
static void *room_for_one(void *list, size_t count, size_t size)
{
    if (count & (count - 1))
        return list;
    return realloc(list, (count ? count * 2 : 1) * size);
}

int schema_add(struct schema *schema, struct schema_key **out, const char *name)
{
    const int error = name_check(NAME_KEY, name, strlen(name));
    if (error)
        return error;
    if (schema_find(schema, name))
        return error_set(ERR_INVALID, "key '%s' is declared twice", name);
    if (schema->count == SCHEMA_KEYS_MAX)
        return error_set(ERR_INVALID, "a schema has at most %u keys", SCHEMA_KEYS_MAX);
    struct schema_key *keys = room_for_one(schema->keys, schema->count, sizeof(*keys));
    if (!keys)
        return error_set(ERR_NOMEM, "no memory for a schema of %zu keys", schema->count + 1);
    schema->keys = keys;
    const size_t at = place_of(schema, name);
    memmove(keys + at + 1, keys + at, (schema->count - at) * sizeof(*keys));
    keys[at] = (struct schema_key){.type = TYPE_STRING};
    memcpy(keys[at].name, name, strlen(name) + 1);
    schema->count++;
    *out = &keys[at];
    return 0;
}

int schema_word(struct type_words *words, const char *word)
{
    if (words->count == SCHEMA_WORDS_MAX)
        return error_set(ERR_INVALID, "more than %u words in a list", SCHEMA_WORDS_MAX);
    char **list = room_for_one(words->words, words->count, sizeof(*list));
    if (!list)
        return error_set(ERR_NOMEM, "no memory for a list of %zu words", words->count + 1);
    words->words = list;
    list[words->count] = strdup(word);
    if (!list[words->count])
        return error_set(ERR_NOMEM, "no memory for a word");
    words->count++;
    return 0;
}
