#include "tools/service/signing.h"

#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "tools/service/hex.h"
#include "tools/service/parameter.h"

struct signing {
    struct bytes *out;
    signing_digest digest;
    void *arg;
    uint32_t number; /* of the value that comes next */
};

static int not_signable(void)
{
    return error_set(ERR_INVALID, "the call has a parameter that cannot be signed");
}

/* --- any value of JSON --- */

static int put_tree(struct bytes *out, json_t *value);

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of those members that stand in the text, in their order; owned. */
static const char **names_of(json_t *object, bool (*is_left_out)(const char *), size_t *count)
{
    const char **names = malloc((json_object_size(object) + 1) * sizeof *names), *name;
    json_t *value;
    *count = 0;
    if (names == NULL) {
        error_set(ERR_NOMEM, "no memory to sign");
        return NULL;
    }
    json_object_foreach(object, name, value)
    {
        if (!json_is_null(value) && (is_left_out == NULL || !is_left_out(name)))
            names[(*count)++] = name;
    }
    qsort(names, *count, sizeof *names, by_name);
    return names;
}

static int put_object(struct bytes *out, json_t *object)
{
    size_t count;
    const char **names = names_of(object, NULL, &count);
    int error = names == NULL ? -ERR_NOMEM : 0;
    if (error == 0)
        request_put_object(out, count);
    for (size_t i = 0; error == 0 && i < count; i++) {
        request_put_name(out, names[i]);
        error = put_tree(out, json_object_get(object, names[i]));
    }
    free(names);
    return error;
}

static int put_list(struct bytes *out, json_t *list)
{
    size_t index;
    json_t *item;
    request_put_list(out, json_array_size(list));
    json_array_foreach(list, index, item)
    {
        int error = put_tree(out, item);
        if (error < 0)
            return error;
    }
    return 0;
}

static int put_tree(struct bytes *out, json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_TRUE:
    case JSON_FALSE:
        request_put_bool(out, json_is_true(value));
        break;
    case JSON_INTEGER:
        request_put_number(out, json_integer_value(value));
        break;
    case JSON_STRING:
        request_put_text(out, json_string_value(value), json_string_length(value));
        break;
    case JSON_ARRAY:
        return put_list(out, value);
    case JSON_OBJECT:
        return put_object(out, value);
    default:
        return not_signable();
    }
    return out->error;
}

/* --- the operations of a Set, with digests for values --- */

static enum operation_kind kind_of(json_t *operation)
{
    static const struct {
        const char *word;
        enum operation_kind kind;
    } kinds[] = {{"plain", OPERATION_SET_PLAIN}, {"secret", OPERATION_SET_SECRET},
                 {"sealed", SIGNING_SEALED},     {"template", OPERATION_SET_TEMPLATE},
                 {"link", OPERATION_SET_LINK},   {"schema", OPERATION_SCHEMA_SET}};
    const char *word = json_string_value(json_object_get(operation, "kind"));
    for (size_t i = 0; word != NULL && i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(word, kinds[i].word) == 0)
            return kinds[i].kind;
    return (enum operation_kind)0;
}

static int put_digest(struct signing *signing, enum operation_kind kind, json_t *given,
                      json_t *size)
{
    uint8_t digest[HASH_SIZE];
    int error = signing->digest(signing->arg, digest, ++signing->number, kind, given,
                                json_is_integer(size) && json_integer_value(size) > 0
                                    ? (size_t)json_integer_value(size)
                                    : 0);
    if (error == 0)
        request_put_digest(signing->out, digest);
    return error;
}

static int put_digests(struct signing *signing, enum operation_kind kind, json_t *sizes)
{
    size_t index;
    json_t *size;
    request_put_list(signing->out, json_array_size(sizes));
    json_array_foreach(sizes, index, size)
    {
        int error = put_digest(signing, kind, NULL, size);
        if (error < 0)
            return error;
    }
    return 0;
}

/* Sizes are those of values, which for a secret nobody is to know; what stands for a value is put
 * where its member would be. */
static bool is_value(const char *name)
{
    return strcmp(name, "size") == 0 || strcmp(name, "sizes") == 0 || strcmp(name, "value") == 0 ||
           strcmp(name, "values") == 0;
}

static json_t *member(json_t *operation, const char *name)
{
    json_t *value = json_object_get(operation, name);
    return json_is_null(value) ? NULL : value;
}

static int put_member(struct signing *signing, json_t *operation, const char *name)
{
    json_t *value = member(operation, name);
    request_put_name(signing->out, name);
    if (kind_of(operation) == OPERATION_SCHEMA_SET && strcmp(name, "schema") == 0)
        return put_digest(signing, OPERATION_SCHEMA_SET, value, NULL);
    return put_tree(signing->out, value);
}

/* "value" and "values" come behind all that an operation has: the names of the others are before
 * them but "who" and "with", which stand in operations without values. */
static int put_operation(struct signing *signing, json_t *operation)
{
    const enum operation_kind kind = kind_of(operation);
    json_t *value = member(operation, "value"), *sizes = member(operation, "sizes");
    size_t count;
    const char **names = names_of(operation, is_value, &count);
    int error = names == NULL ? -ERR_NOMEM : 0;
    const bool has_value = kind != 0 && kind != OPERATION_SCHEMA_SET;
    if (error == 0 && has_value && count > 0 && strcmp(names[count - 1], "value") > 0)
        error = not_signable();
    if (error == 0)
        request_put_object(signing->out, count + (has_value ? 1 : 0));
    for (size_t i = 0; error == 0 && i < count; i++)
        error = put_member(signing, operation, names[i]);
    if (error == 0 && has_value) {
        request_put_name(signing->out, sizes != NULL ? "values" : "value");
        error = sizes != NULL ? put_digests(signing, kind, sizes)
                              : put_digest(signing, kind, value, member(operation, "size"));
    }
    free(names);
    return error;
}

static int put_operations(struct signing *signing, json_t *operations)
{
    size_t index;
    json_t *operation;
    request_put_list(signing->out, json_array_size(operations));
    json_array_foreach(operations, index, operation)
    {
        int error = json_is_object(operation) ? put_operation(signing, operation) : not_signable();
        if (error < 0)
            return error;
    }
    return 0;
}

/* --- the call --- */

static bool is_of_the_way(const char *name)
{
    return strcmp(name, "values") == 0 || strcmp(name, "signature") == 0;
}

static bool is_set(const char *method)
{
    return strcmp(method, "Set") == 0;
}

int signing_text(struct bytes *out, const uint8_t store_id[static STORE_ID_SIZE],
                 const char *method, json_t *parameters, signing_digest digest, void *arg)
{
    struct change_terms terms;
    struct signing signing = {.out = out, .digest = digest, .arg = arg};
    int error = parameter_terms(parameters, &terms);
    if (error < 0)
        return error;
    size_t count;
    const char **names = names_of(parameters, is_of_the_way, &count);
    if (names == NULL)
        return -ERR_NOMEM;
    request_begin(out, store_id, terms.request_id, method);
    request_put_object(out, count);
    for (size_t i = 0; error == 0 && i < count; i++) {
        json_t *value = json_object_get(parameters, names[i]);
        request_put_name(out, names[i]);
        error = is_set(method) && strcmp(names[i], "operations") == 0 && json_is_array(value)
                    ? put_operations(&signing, value)
                    : put_tree(out, value);
    }
    free(names);
    return error < 0 ? error : out->error;
}

bool signing_has_values(const char *method, json_t *parameters)
{
    size_t index;
    json_t *operation;
    if (!is_set(method))
        return false;
    json_array_foreach(json_object_get(parameters, "operations"), index,
                       operation) if (kind_of(operation) != 0) return true;
    return false;
}

int signing_parameter(json_t *parameters, struct signature *out, bool *given, bool *is_seeded)
{
    json_t *object = member(parameters, "signature");
    *given = object != NULL;
    *is_seeded = false;
    if (object == NULL)
        return 0;
    if (!json_is_object(object) ||
        hex_bytes(out->key, SIGNING_KEY_SIZE, json_string_value(json_object_get(object, "key"))) <
            0 ||
        hex_bytes(out->text_hash, HASH_SIZE, json_string_value(json_object_get(object, "hash"))) <
            0 ||
        hex_bytes(out->bytes, SIGNATURE_SIZE,
                  json_string_value(json_object_get(object, "signature"))) < 0)
        return error_set(ERR_INVALID, "the parameter 'signature' is no signature");
    return parameter_bool(object, "seeded", is_seeded);
}

int signing_add(json_t *parameters, const struct signature *signature, bool is_seeded)
{
    char key[2 * SIGNING_KEY_SIZE + 1], hash[2 * HASH_SIZE + 1], bytes[2 * SIGNATURE_SIZE + 1];
    hex_text(key, signature->key, SIGNING_KEY_SIZE);
    hex_text(hash, signature->text_hash, HASH_SIZE);
    hex_text(bytes, signature->bytes, SIGNATURE_SIZE);
    json_t *object = json_pack("{s:s, s:s, s:s, s:b}", "key", key, "hash", hash, "signature", bytes,
                               "seeded", (int)is_seeded);
    return json_object_set_new(parameters, "signature", object) == 0
               ? 0
               : error_set(ERR_NOMEM, "no memory to sign");
}
