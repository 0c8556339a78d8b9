#include "tools/emsa/render.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "tools/emsa/base64.h"
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

/* How many bytes a character that begins with lead has, and the least point it may stand for. */
static size_t utf8_length(unsigned char lead, unsigned *least)
{
    *least = lead < 0xe0 ? 0x80 : lead < 0xf0 ? 0x800 : 0x10000;
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead < 0xe0)
        return 2;
    if (lead >= 0xe0 && lead < 0xf0)
        return 3;
    return lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

bool is_utf8(const unsigned char *data, size_t size)
{
    for (size_t i = 0; i < size;) {
        unsigned least;
        size_t length = utf8_length(data[i], &least);
        if (length == 0 || length > size - i)
            return false;
        unsigned point = length == 1 ? data[i] : data[i] & (0xffu >> (length + 1));
        for (size_t n = 1; n < length; n++) {
            if ((data[i + n] & 0xc0) != 0x80)
                return false;
            point = point << 6 | (data[i + n] & 63u);
        }
        if (length > 1 &&
            (point < least || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)))
            return false;
        i += length;
    }
    return true;
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

static int append_json_byte(struct secret *out, unsigned char c)
{
    char escape[8];
    switch (c) {
    case '"':
        return hidden_append_text(out, "\\\"");
    case '\\':
        return hidden_append_text(out, "\\\\");
    case '\n':
        return hidden_append_text(out, "\\n");
    case '\r':
        return hidden_append_text(out, "\\r");
    case '\t':
        return hidden_append_text(out, "\\t");
    default:
        if (c >= 0x20 && c != 0x7f)
            return hidden_append(out, &c, 1);
        snprintf(escape, sizeof escape, "\\u%04x", c);
        return hidden_append_text(out, escape);
    }
}

static int append_json_text(struct secret *out, const unsigned char *value, size_t size)
{
    int error = hidden_append(out, "\"", 1);
    for (size_t i = 0; error == 0 && i < size; i++)
        error = append_json_byte(out, value[i]);
    return error < 0 ? error : hidden_append(out, "\"", 1);
}

int render_json(struct secret *out, const unsigned char *value, size_t size)
{
    if (is_utf8(value, size))
        return append_json_text(out, value, size);
    int error = hidden_append_text(out, "{\"base64\": \"");
    if (error == 0)
        error = base64_encode(out, value, size);
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
