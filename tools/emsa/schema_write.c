/* The YAML of a schema: a key a line, in the order of their names. */
#include <stdio.h>
#include <string.h>

#include "store/encode.h"
#include "tools/emsa/schema_yaml.h"

/* What YAML, or some reader of it, takes for something else than a text. */
static bool is_word_of_yaml(const char *text, size_t size)
{
    static const char *const words[] = {"null", "true", "false", "yes", "no", "on",
                                        "off",  "y",    "n",     "nan", "inf"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i]) == size && strncasecmp(words[i], text, size) == 0)
            return true;
    return false;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Letters, digits and what means nothing anywhere; single blanks within. */
static bool is_plain(const char *text, size_t size)
{
    if (size == 0 || size > 200 || !(is_letter(text[0]) || text[0] == '_') ||
        is_word_of_yaml(text, size))
        return false;
    for (size_t i = 0; i < size; i++) {
        bool good = is_letter(text[i]) || (text[i] >= '0' && text[i] <= '9') ||
                    strchr("_-./@+", text[i]) != NULL ||
                    (text[i] == ' ' && i + 1 < size && text[i + 1] != ' ');
        if (!good || text[i] == '\0')
            return false;
    }
    return true;
}

static unsigned code_of(const unsigned char *text, size_t size)
{
    unsigned code = size == 1 ? text[0] : text[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++)
        code = code << 6 | (text[i] & 0x3fu);
    return code;
}

static bool is_shown(unsigned code)
{
    return code >= 0x20 && code != '"' && code != '\\' && !(code >= 0x7f && code < 0xa0) &&
           code != 0x2028 && code != 0x2029 && code != 0xfeff && code != 0xfffe && code != 0xffff;
}

static void write_character(struct bytes *out, const unsigned char *text, size_t size)
{
    unsigned code = code_of(text, size);
    if (is_shown(code))
        bytes_append(out, text, size);
    else if (code == '"' || code == '\\')
        bytes_append_format(out, "\\%c", (char)code);
    else if (code == '\n' || code == '\t' || code == '\r')
        bytes_append_text(out, code == '\n' ? "\\n" : code == '\t' ? "\\t" : "\\r");
    else if (code < 0x100)
        bytes_append_format(out, "\\x%02x", code);
    else
        bytes_append_format(out, "\\u%04x", code);
}

void yaml_scalar_write(struct bytes *out, const char *text, size_t size)
{
    const unsigned char *from = (const unsigned char *)text;
    if (is_plain(text, size)) {
        bytes_append(out, text, size);
        return;
    }
    bytes_append_text(out, "\"");
    for (size_t at = 0; at < size;) {
        bool good;
        size_t length = utf8_next(from + at, size - at, &good);
        write_character(out, from + at, length);
        at += length;
    }
    bytes_append_text(out, "\"");
}

static void write_text(struct bytes *out, json_t *text)
{
    yaml_scalar_write(out, json_string_value(text), json_string_length(text));
}

static void write_value(struct bytes *out, json_t *value)
{
    size_t index;
    json_t *item;
    if (json_is_string(value)) {
        write_text(out, value);
    } else if (json_is_integer(value)) {
        bytes_append_format(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else if (json_is_array(value)) {
        bytes_append_text(out, "[");
        json_array_foreach(value, index, item)
        {
            bytes_append_text(out, index > 0 ? ", " : "");
            write_text(out, item);
        }
        bytes_append_text(out, "]");
    } else {
        bytes_append_text(out, json_is_true(value) ? "true" : "false");
    }
}

static void write_key(struct bytes *out, const char *name, json_t *key, size_t width, int indent)
{
    const char *member;
    json_t *value;
    bool first = true;
    size_t before = out->size;
    bytes_append_format(out, "%*s", indent + 2, "");
    yaml_scalar_write(out, name, strlen(name));
    bytes_append_text(out, ":");
    size_t used = out->size - before;
    bytes_append_format(out, "%*s{", used < width ? (int)(width - used) + 1 : 1, "");
    json_object_foreach(key, member, value)
    {
        bytes_append_format(out, "%s%s: ", first ? "" : ", ", member);
        write_value(out, value);
        first = false;
    }
    bytes_append_text(out, "}\n");
}

/* Names of usual lengths are in one column. */
static size_t width_of(json_t *keys, int indent)
{
    const char *name;
    json_t *key;
    size_t width = 0;
    json_object_foreach(keys, name, key)
    {
        size_t length = strlen(name) + 3 + (size_t)indent;
        if (length > width && length <= 40)
            width = length;
    }
    return width;
}

void schema_yaml_write(struct bytes *out, json_t *schema, int indent)
{
    json_t *keys = json_object_get(schema, "keys");
    const char *name;
    json_t *key, *value;
    json_object_foreach(schema, name, value)
    {
        if (value == keys)
            continue;
        bytes_append_format(out, "%*s%s: ", indent, "", name);
        write_value(out, value);
        bytes_append_text(out, "\n");
    }
    bytes_append_format(out, "%*skeys:%s\n", indent, "", json_object_size(keys) == 0 ? " {}" : "");
    size_t width = width_of(keys, indent);
    json_object_foreach(keys, name, key) write_key(out, name, key, width, indent);
}
