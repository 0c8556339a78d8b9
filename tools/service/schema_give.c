/* A schema as JSON, with its bounds as they are written. */
#include "tools/service/schema_json.h"

static void put(json_t *object, const char *name, json_t *value)
{
    json_object_set_new(object, name, value);
}

static void put_words(json_t *object, const char *name, const struct type_words *words)
{
    if (words->count == 0)
        return;
    json_t *list = json_array();
    for (size_t i = 0; i < words->count; i++)
        json_array_append_new(list, json_string(words->words[i]));
    put(object, name, list);
}

static void put_bound(json_t *object, const char *name, enum value_type type, int64_t bound)
{
    char text[TYPE_DURATION_MAX];
    if (type == TYPE_DURATION)
        put(object, name, json_string(type_duration_text(text, bound)));
    else
        put(object, name, json_integer((json_int_t)bound));
}

static void put_bounds(json_t *object, const struct schema_key *key)
{
    if (key->has_min)
        put_bound(object, "min", key->type, key->min);
    if (key->has_max)
        put_bound(object, "max", key->type, key->max);
    if (key->has_min_length)
        put(object, "min_length", json_integer(key->min_length));
    if (key->has_max_length)
        put(object, "max_length", json_integer(key->max_length));
}

static json_t *key_object(const struct schema_key *key)
{
    json_t *object = json_pack("{s:s}", "type", type_name(key->type));
    if (key->is_secret)
        put(object, "secret", json_true());
    if (key->is_required)
        put(object, "required", json_true());
    put_words(object, "required", &key->required);
    put_words(object, "in", &key->in);
    put_words(object, "values", &key->values);
    put_words(object, "schemes", &key->schemes);
    if (key->pattern != NULL)
        put(object, "pattern", json_string(key->pattern));
    put_bounds(object, key);
    if (key->has_default)
        put(object, "default",
            json_stringn(key->default_size > 0 ? key->default_value : "", key->default_size));
    if (key->is_deprecated)
        put(object, "deprecated", json_true());
    if (key->is_fixed)
        put(object, "promote", json_false());
    if (key->description != NULL)
        put(object, "description", json_string(key->description));
    return object;
}

json_t *schema_to_json(const struct schema *schema)
{
    json_t *keys = json_object();
    json_t *object = json_pack("{s:s}", "service", schema->service);
    if (schema->is_strict)
        put(object, "strict", json_true());
    if (schema->description != NULL)
        put(object, "description", json_string(schema->description));
    for (size_t i = 0; i < schema->count; i++)
        put(keys, schema->keys[i].name, key_object(&schema->keys[i]));
    if (object == NULL || json_object_set_new(object, "keys", keys) < 0 ||
        json_object_size(keys) != schema->count) {
        json_decref(object);
        return NULL;
    }
    return object;
}
