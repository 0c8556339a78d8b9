#include "tools/emsa/flat.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "tools/emsa/base64.h"
#include "tools/emsa/hidden.h"

#define NAME_BYTES_MAX 4096u /* of a member's name: longer than any path */

static int wrong(const char *what)
{
    return error_set(ERR_INVALID, "%s", what);
}

static void skip_blanks(struct flat *flat)
{
    for (; flat->at < flat->size; flat->at++) {
        char c = flat->text[flat->at];
        if (c == '\n')
            flat->line++;
        else if (c != ' ' && c != '\t' && c != '\r')
            return;
    }
}

/* The next character that is no blank; '\0' at the end. */
static char look(struct flat *flat)
{
    skip_blanks(flat);
    return flat->at < flat->size ? flat->text[flat->at] : '\0';
}

int flat_begin(struct flat *flat)
{
    if (look(flat) != '{')
        return wrong("no JSON object ('{') here");
    flat->at++;
    return 0;
}

static int hex4(struct flat *flat, uint32_t *out)
{
    uint32_t value = 0;
    if (flat->size - flat->at < 4)
        return wrong("a text that does not end");
    for (int i = 0; i < 4; i++) {
        unsigned char c = (unsigned char)flat->text[flat->at++];
        if (!isxdigit(c))
            return wrong("four hex digits are missing after '\\u'");
        value = value << 4 | (uint32_t)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
    }
    *out = value;
    return 0;
}

static int append_point(struct secret *out, uint32_t point)
{
    unsigned char utf8[4];
    size_t size;
    if (point < 0x80) {
        utf8[0] = (unsigned char)point;
        size = 1;
    } else if (point < 0x800) {
        utf8[0] = (unsigned char)(0xc0 | point >> 6);
        utf8[1] = (unsigned char)(0x80 | (point & 63));
        size = 2;
    } else if (point < 0x10000) {
        utf8[0] = (unsigned char)(0xe0 | point >> 12);
        utf8[1] = (unsigned char)(0x80 | (point >> 6 & 63));
        utf8[2] = (unsigned char)(0x80 | (point & 63));
        size = 3;
    } else {
        utf8[0] = (unsigned char)(0xf0 | point >> 18);
        utf8[1] = (unsigned char)(0x80 | (point >> 12 & 63));
        utf8[2] = (unsigned char)(0x80 | (point >> 6 & 63));
        utf8[3] = (unsigned char)(0x80 | (point & 63));
        size = 4;
    }
    return hidden_append(out, utf8, size);
}

static int append_unicode(struct flat *flat, struct secret *out)
{
    uint32_t point, low;
    int error = hex4(flat, &point);
    if (error < 0)
        return error;
    if (point >= 0xdc00 && point < 0xe000)
        return wrong("the second half of a surrogate pair without the first");
    if (point >= 0xd800 && point < 0xdc00) {
        if (flat->size - flat->at < 2 || memcmp(flat->text + flat->at, "\\u", 2) != 0)
            return wrong("the first half of a surrogate pair without the second");
        flat->at += 2;
        error = hex4(flat, &low);
        if (error < 0)
            return error;
        if (low < 0xdc00 || low >= 0xe000)
            return wrong("the first half of a surrogate pair without the second");
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
    }
    return append_point(out, point);
}

static int append_escape(struct flat *flat, struct secret *out)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    if (flat->at >= flat->size)
        return wrong("a text that does not end");
    char c = flat->text[flat->at++];
    if (c == 'u')
        return append_unicode(flat, out);
    const char *found = c == '\0' ? NULL : strchr(from, c);
    if (found == NULL)
        return wrong("an escape that JSON does not have");
    return hidden_append(out, &to[found - from], 1);
}

/* Bytes from 0x80 on are taken as they stand: whether they are UTF-8 does not matter to a value. */
static int read_text(struct flat *flat, struct secret *out)
{
    if (look(flat) != '"')
        return wrong("a text in double quotes is missing");
    flat->at++;
    for (;;) {
        size_t begin = flat->at;
        while (flat->at < flat->size && flat->text[flat->at] != '"' &&
               flat->text[flat->at] != '\\' && (unsigned char)flat->text[flat->at] >= 0x20)
            flat->at++;
        int error = hidden_append(out, flat->text + begin, flat->at - begin);
        if (error < 0)
            return error;
        if (flat->at == flat->size)
            return wrong("a text that does not end");
        char c = flat->text[flat->at++];
        if (c == '"')
            return 0;
        if (c != '\\')
            return wrong("a control character in a text: write it as an escape");
        error = append_escape(flat, out);
        if (error < 0)
            return error;
    }
}

int flat_member(struct flat *flat, bool first, struct secret *out)
{
    size_t before = out->size;
    char c = look(flat);
    if (c == '}') {
        flat->at++;
        return 1;
    }
    if (!first && c != ',')
        return wrong("a ',' or '}' is missing");
    if (!first)
        flat->at++;
    int error = read_text(flat, out);
    if (error < 0)
        return error;
    if (out->size - before > NAME_BYTES_MAX)
        return wrong("a name that is too long");
    if (look(flat) != ':')
        return wrong("a ':' is missing after a name");
    flat->at++;
    return 0;
}

static bool is_word(const struct flat *flat, const char *word)
{
    size_t length = strlen(word);
    return flat->size - flat->at >= length && memcmp(flat->text + flat->at, word, length) == 0 &&
           (flat->size - flat->at == length ||
            !isalnum((unsigned char)flat->text[flat->at + length]));
}

int flat_peek(struct flat *flat, enum flat_kind *kind)
{
    char c = look(flat);
    if (c == '"')
        *kind = FLAT_TEXT;
    else if (c == '-' || isdigit((unsigned char)c))
        *kind = FLAT_NUMBER;
    else if (c == '{')
        *kind = FLAT_OBJECT;
    else if (c == '[')
        *kind = FLAT_ARRAY;
    else if (is_word(flat, "true"))
        *kind = FLAT_TRUE;
    else if (is_word(flat, "false"))
        *kind = FLAT_FALSE;
    else if (is_word(flat, "null"))
        *kind = FLAT_NULL;
    else
        return wrong("no value where one should be");
    return 0;
}

static size_t digits(struct flat *flat)
{
    size_t begin = flat->at;
    while (flat->at < flat->size && isdigit((unsigned char)flat->text[flat->at]))
        flat->at++;
    return flat->at - begin;
}

static bool skip_one_of(struct flat *flat, const char *set)
{
    if (flat->at == flat->size || flat->text[flat->at] == '\0' ||
        strchr(set, flat->text[flat->at]) == NULL)
        return false;
    flat->at++;
    return true;
}

/* As it is written: 8080 and 1.50 keep their form. */
static int read_number(struct flat *flat, struct secret *out)
{
    size_t begin = flat->at;
    skip_one_of(flat, "-");
    bool zero = flat->at < flat->size && flat->text[flat->at] == '0';
    size_t whole = digits(flat);
    if (whole == 0 || (zero && whole > 1))
        return wrong("no number where one should be");
    if (skip_one_of(flat, ".") && digits(flat) == 0)
        return wrong("no number where one should be");
    if (skip_one_of(flat, "eE")) {
        skip_one_of(flat, "+-");
        if (digits(flat) == 0)
            return wrong("no number where one should be");
    }
    return hidden_append(out, flat->text + begin, flat->at - begin);
}

static int read_base64(struct flat *flat, struct secret *out)
{
    static const char expected[] = "base64";
    size_t before = out->size;
    int error = flat_begin(flat);
    if (error == 0)
        error = flat_member(flat, true, out);
    if (error < 0)
        return error;
    bool named = error == 0 && out->size - before == sizeof expected - 1 &&
                 memcmp(out->data + before, expected, sizeof expected - 1) == 0;
    if (!named || look(flat) != '"')
        return wrong("a nested value: only texts, numbers, true, false and {\"base64\": \"...\"} "
                     "can be values");
    out->size = before;
    error = read_text(flat, out);
    if (error == 0)
        error = base64_decode(out, out->size - before);
    if (error < 0)
        return error;
    return flat_member(flat, false, out) == 1 ? 0 : wrong("more than \"base64\" in a nested value");
}

static int read_word(struct flat *flat, struct secret *out, const char *word)
{
    flat->at += strlen(word);
    return hidden_append_text(out, word);
}

int flat_value(struct flat *flat, struct secret *out)
{
    enum flat_kind kind;
    int error = flat_peek(flat, &kind);
    if (error < 0)
        return error;
    switch (kind) {
    case FLAT_TEXT:
        return read_text(flat, out);
    case FLAT_NUMBER:
        return read_number(flat, out);
    case FLAT_TRUE:
        return read_word(flat, out, "true");
    case FLAT_FALSE:
        return read_word(flat, out, "false");
    case FLAT_OBJECT:
        return read_base64(flat, out);
    case FLAT_NULL:
        return wrong("null is no value: leave the key out, or give an empty text");
    default:
        return wrong("a list is no value");
    }
}

int flat_end(struct flat *flat)
{
    skip_blanks(flat);
    return flat->at == flat->size ? 0 : wrong("something stands behind the object");
}

/* The failure's own text, with the place and the key before it. */
static int at_place(const struct assignments *out, unsigned line, const char *key, int error)
{
    char why[256];
    if (error != -ERR_INVALID)
        return error;
    snprintf(why, sizeof why, "%s", error_text());
    if (key != NULL)
        return assignments_fail(out, line, "'%s': %s", key, why);
    return assignments_fail(out, line, "%s", why);
}

static int parse_member(struct flat *flat, struct assignments *out, bool first, bool *ended)
{
    struct assignment *assignment;
    struct secret name SECRET_CLEANUP = {0};
    int error = flat_member(flat, first, &name);
    *ended = error == 1;
    if (error != 0)
        return error < 0 ? at_place(out, flat->line, NULL, error) : 0;
    error = assignments_begin(out, name.size > 0 ? (const char *)name.data : "", name.size,
                              flat->line, &assignment);
    if (error < 0)
        return error;
    error = flat_value(flat, &out->text);
    if (error < 0)
        return at_place(out, flat->line, assignment->key, error);
    return assignments_end(out, assignment);
}

int flat_parse(struct assignments *out, const char *text, size_t size)
{
    struct flat flat = {.text = text, .size = size, .line = 1};
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        flat.at = 3;
    bool ended = false;
    int error = at_place(out, flat.line, NULL, flat_begin(&flat));
    for (bool first = true; error == 0 && !ended; first = false)
        error = parse_member(&flat, out, first, &ended);
    return error < 0 ? error : at_place(out, flat.line, NULL, flat_end(&flat));
}
