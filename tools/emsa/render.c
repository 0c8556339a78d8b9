#include "tools/emsa/render.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "store/encode.h"
#include "store/error.h"
#include "tools/emsa/hidden.h"

bool is_variable_name(const char *key)
{
    if (!isalpha((unsigned char)key[0]) && key[0] != '_')
        return false;
    for (; *key != '\0'; key++)
        if (!isalnum((unsigned char)*key) && *key != '_')
            return false;
    return true;
}

bool is_utf8(const unsigned char *data, size_t size)
{
    bool good = true;
    for (size_t i = 0; good && i < size;)
        i += utf8_next(data + i, size - i, &good);
    return good;
}

static int no_nul(const char *key, const unsigned char *value, size_t size, const char *form)
{
    if (size == 0 || memchr(value, '\0', size) == NULL)
        return 0;
    return error_set(ERR_INVALID, "'%s' holds a NUL byte, which %s cannot say: use --format json",
                     key, form);
}

static bool is_bare(const unsigned char *value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!isascii(value[i]) || (!isalnum(value[i]) && strchr("_./:@%+,=-", value[i]) == NULL))
            return false;
    return true;
}

/* Between single quotes every byte is itself, to all parsers, but for quotes, carriage returns
 * (files of both line ends are one), and backslashes before what some of them take as escaped. */
static bool is_single(const unsigned char *value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (value[i] == '\'' || value[i] == '\r')
            return false;
        if (value[i] == '\\' && (i + 1 == size || value[i + 1] == '\\'))
            return false;
    }
    return true;
}

static int append_double(struct secret *out, const unsigned char *value, size_t size)
{
    int error = hidden_append(out, "\"", 1);
    for (size_t i = 0; error == 0 && i < size; i++) {
        switch (value[i]) {
        case '\n':
            error = hidden_append(out, "\\n", 2);
            break;
        case '\r':
            error = hidden_append(out, "\\r", 2);
            break;
        case '\\':
        case '"':
        case '$':
            error = hidden_append(out, "\\", 1);
            if (error == 0)
                error = hidden_append(out, &value[i], 1);
            break;
        default:
            error = hidden_append(out, &value[i], 1);
        }
    }
    return error < 0 ? error : hidden_append(out, "\"", 1);
}

static int append_quoted(struct secret *out, const unsigned char *value, size_t size)
{
    int error = hidden_append(out, "'", 1);
    if (error == 0)
        error = hidden_append(out, value, size);
    return error < 0 ? error : hidden_append(out, "'", 1);
}

int render_dotenv(struct secret *out, const char *key, const unsigned char *value, size_t size)
{
    int error = no_nul(key, value, size, "a dotenv file");
    if (error == 0)
        error = hidden_append_text(out, key);
    if (error == 0)
        error = hidden_append(out, "=", 1);
    if (error < 0)
        return error;
    if (is_bare(value, size))
        error = hidden_append(out, value, size);
    else if (is_single(value, size))
        error = append_quoted(out, value, size);
    else
        error = append_double(out, value, size);
    return error < 0 ? error : hidden_append(out, "\n", 1);
}

int render_shell(struct secret *out, const char *key, const unsigned char *value, size_t size)
{
    int error = no_nul(key, value, size, "a shell");
    if (error == 0)
        error = hidden_append_text(out, "export ");
    if (error == 0)
        error = hidden_append_text(out, key);
    if (error == 0)
        error = hidden_append_text(out, "='");
    for (size_t i = 0; error == 0 && i < size; i++)
        error =
            value[i] == '\'' ? hidden_append_text(out, "'\\''") : hidden_append(out, &value[i], 1);
    return error < 0 ? error : hidden_append_text(out, "'\n");
}

int render_json(struct secret *out, const unsigned char *value, size_t size)
{
    if (is_utf8(value, size))
        return hidden_append_encoded(out, TEMPLATE_JSON, value, size);
    int error = hidden_append_text(out, "{\"base64\": \"");
    if (error == 0)
        error = hidden_append_encoded(out, TEMPLATE_BASE64, value, size);
    return error < 0 ? error : hidden_append_text(out, "\"}");
}

int render_entry(struct secret *out, json_t *entry, const unsigned char *value, size_t size)
{
    char numbers[128], end[48] = "";
    const json_t *expires = json_object_get(entry, "expires");
    const char *path = json_string_value(json_object_get(entry, "path"));
    const char *kind = json_string_value(json_object_get(entry, "kind"));
    if (expires != NULL)
        snprintf(end, sizeof end, ", \"expires\": %lld", (long long)json_integer_value(expires));
    snprintf(numbers, sizeof numbers, "\", \"size\": %zu, \"rev\": %lld, \"time\": %lld", size,
             (long long)json_integer_value(json_object_get(entry, "rev")),
             (long long)json_integer_value(json_object_get(entry, "time")));
    const char *head[] = {"{\"path\": \"",
                          path != NULL ? path : "",
                          "\", \"kind\": \"",
                          kind != NULL ? kind : "",
                          numbers,
                          end,
                          ", \"value\": "};
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++) {
        int error = hidden_append_text(out, head[i]);
        if (error < 0)
            return error;
    }
    int error = render_json(out, value, size);
    return error < 0 ? error : hidden_append_text(out, "}\n");
}
