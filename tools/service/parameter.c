#include "tools/service/parameter.h"

#include <string.h>

#include "store/error.h"
#include "tools/service/hex.h"

static json_t *given(json_t *parameters, const char *name)
{
    json_t *value = json_object_get(parameters, name);
    return json_is_null(value) ? NULL : value;
}

static int wrong_kind(const char *name, const char *wanted)
{
    return error_set(ERR_INVALID, "the parameter '%s' is not %s", name, wanted);
}

int parameter_text(json_t *parameters, const char *name, const char **out)
{
    json_t *value = given(parameters, name);
    if (value == NULL)
        return 0;
    if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
        return wrong_kind(name, "a text");
    *out = json_string_value(value);
    return 0;
}

int parameter_bool(json_t *parameters, const char *name, bool *out)
{
    json_t *value = given(parameters, name);
    if (value == NULL)
        return 0;
    if (!json_is_boolean(value))
        return wrong_kind(name, "true or false");
    *out = json_is_true(value);
    return 0;
}

int parameter_number(json_t *parameters, const char *name, uint64_t *out, bool *is_given)
{
    json_t *value = given(parameters, name);
    if (is_given != NULL)
        *is_given = value != NULL;
    if (value == NULL)
        return 0;
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return wrong_kind(name, "a whole number from 0 on");
    *out = (uint64_t)json_integer_value(value);
    return 0;
}

int path_of(json_t *text, struct path *out)
{
    if (!json_is_string(text))
        return wrong_kind("path", "a text");
    return path_parse(out, json_string_value(text), json_string_length(text));
}

int parameter_path(json_t *parameters, const char *name, struct path *out)
{
    json_t *value = given(parameters, name);
    if (value == NULL)
        return 0;
    if (!json_is_string(value))
        return wrong_kind(name, "a path");
    return path_of(value, out);
}

int parameter_list(json_t *parameters, const char *name, json_t **out)
{
    json_t *value = given(parameters, name);
    if (!json_is_array(value) || json_array_size(value) == 0)
        return wrong_kind(name, "a list with something in it");
    *out = value;
    return 0;
}

static int request_id(const char *text, uint8_t out[static REQUEST_ID_SIZE])
{
    if (text == NULL)
        return 0;
    return hex_bytes(out, REQUEST_ID_SIZE, text) == 0
               ? 0
               : wrong_kind("request_id", "32 hex digits in lower case");
}

int parameter_environment(json_t *parameters, struct environment_terms *out)
{
    struct environment_terms terms = {0};
    bool has_ttl = false;
    int error = parameter_text(parameters, "base", &terms.base);
    if (error == 0)
        error = parameter_bool(parameters, "protected", &terms.is_protected);
    if (error == 0)
        error = parameter_bool(parameters, "signed", &terms.is_signed);
    if (error == 0)
        error = parameter_number(parameters, "ttl", &terms.ttl, &has_ttl);
    if (error == 0 && has_ttl && terms.ttl == 0)
        error = wrong_kind("ttl", "a time to live: at least a second");
    if (error == 0)
        *out = terms;
    return error;
}

/* What a commit lets pass, by its words. */
static int overrides(json_t *parameters, unsigned *out)
{
    static const struct {
        const char *word;
        enum change_override bit;
    } words[] = {{"schema", OVERRIDE_SCHEMA}, {"lock", OVERRIDE_LOCK}, {"share", OVERRIDE_SHARE}};
    json_t *list = given(parameters, "override"), *item;
    size_t index;
    if (list != NULL && !json_is_array(list))
        return wrong_kind("override", "a list of schema, lock and share");
    json_array_foreach(list, index, item)
    {
        const char *word = json_string_value(item);
        unsigned bit = 0;
        for (size_t i = 0; word != NULL && i < sizeof words / sizeof words[0]; i++)
            if (strcmp(words[i].word, word) == 0)
                bit = words[i].bit;
        if (bit == 0)
            return wrong_kind("override", "a list of schema, lock and share");
        *out |= bit;
    }
    return 0;
}

int parameter_terms(json_t *parameters, struct change_terms *out)
{
    struct change_terms terms = {0};
    const char *id = NULL;
    int error = parameter_text(parameters, "reason", &terms.reason);
    if (error == 0)
        error = parameter_number(parameters, "if_rev", &terms.if_rev, &terms.has_if_rev);
    if (error == 0)
        error = parameter_path(parameters, "if_path", &terms.if_path);
    if (error == 0)
        error = parameter_bool(parameters, "dry_run", &terms.dry_run);
    if (error == 0)
        error = parameter_bool(parameters, "allow_new", &terms.allow_new);
    if (error == 0)
        error = parameter_bool(parameters, "allow_equal", &terms.allow_equal);
    if (error == 0)
        error = overrides(parameters, &terms.override);
    if (error == 0)
        error = parameter_text(parameters, "request_id", &id);
    if (error == 0)
        error = request_id(id, terms.request_id);
    if (error < 0)
        return error;
    if (terms.reason != NULL && strlen(terms.reason) > REASON_MAX)
        return error_set(ERR_INVALID, "the reason is longer than %u bytes: shorten it", REASON_MAX);
    *out = terms;
    return 0;
}
