#include "tools/emsa/yaml_write.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "store/encode.h"
#include "tools/emsa/hidden.h"
#include "tools/emsa/scalar.h"

#define BARE_MAX 1024u /* longer ones are quoted: a key without quotes may have so many */

/* The character that begins at data, which is_utf8 holds of. */
static uint32_t character(const unsigned char *data, size_t size)
{
    static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t value = data[0] & masks[size];
    for (size_t i = 1; i < size; i++)
        value = value << 6 | (data[i] & 0x3f);
    return value;
}

/* Whether a character stands as itself within quotes: YAML's printable ones, but for what it takes
 * for a line's end, and the mark that some readers drop. */
static bool is_printable(uint32_t c)
{
    if (c < 0x20)
        return c == '\t' || c == '\n';
    if (c == 0x7f || (c >= 0x80 && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfeff)
        return false;
    return c < 0xfffe || c > 0xffff;
}

struct traits {
    bool is_utf8, has_nul;
    bool has_line; /* a newline */
    bool has_tab;
    bool is_printable; /* everything in it is */
};

static struct traits look(const unsigned char *data, size_t size)
{
    struct traits traits = {.is_utf8 = true, .is_printable = true};
    for (size_t i = 0; i < size && traits.is_utf8;) {
        size_t length = utf8_next(data + i, size - i, &traits.is_utf8);
        uint32_t c = traits.is_utf8 ? character(data + i, length) : 0;
        traits.has_nul |= traits.is_utf8 && c == 0;
        traits.has_line |= c == '\n';
        traits.has_tab |= c == '\t';
        traits.is_printable &= is_printable(c);
        i += length;
    }
    return traits;
}

bool yaml_holds(const unsigned char *data, size_t size)
{
    struct traits traits = look(data, size);
    return traits.is_utf8 && !traits.has_nul;
}

static bool is_word(const unsigned char *data, size_t size, const char *word)
{
    return size == strlen(word) && memcmp(data, word, size) == 0;
}

/* Hours, dates and numbers in the forms that some readers know: 1:30, 2026-11-30, 1_000. */
static bool is_like_number(const unsigned char *data, size_t size)
{
    unsigned dots = 0;
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '\0' || strchr("0123456789.:_-+eExXoOTZabcdefABCDEF ", data[i]) == NULL)
            return false;
        dots += data[i] == '.';
    }
    return dots < 2; /* an address */
}

/* What other readers of YAML take for a number of another form, a date, true, false or nothing is
 * quoted: a program that reads and writes the file leaves the text as it is then. Whole numbers and
 * true and false as everybody writes them stay bare. */
static bool means_more(const unsigned char *data, size_t size)
{
    const char *text = (const char *)data;
    size_t digits = 0;
    while (digits < size && data[digits] >= '0' && data[digits] <= '9')
        digits++;
    if (digits == size && size < 16 && (size == 1 || data[0] != '0'))
        return false;
    if (is_word(data, size, "true") || is_word(data, size, "false"))
        return false;
    return (digits > 0 && is_like_number(data, size)) ||
           (size == 1 && strchr("yYnN", data[0]) != NULL) ||
           scalar_type(SCALAR_COMPOSE, text, size) != SCALAR_TEXT ||
           scalar_type(SCALAR_KUBERNETES, text, size) != SCALAR_TEXT;
}

/* Whether the text stands without quotes, also within {}. */
static bool is_bare(const unsigned char *data, size_t size)
{
    if (size == 0 || size > BARE_MAX || data[0] == ' ' || data[size - 1] == ' ' ||
        strchr("-?:,[]{}#&*!|>'\"%@`.=<~+", data[0]) != NULL || data[size - 1] == ':')
        return false;
    for (size_t i = 0; i < size; i++) {
        if (data[i] < 0x20 || data[i] > 0x7e || strchr(",[]{}", data[i]) != NULL ||
            (data[i] == ':' && strchr(" ?", data[i + 1 < size ? i + 1 : i]) != NULL) ||
            (data[i] == '#' && i > 0 && data[i - 1] == ' '))
            return false;
    }
    return true;
}

static int write_single(struct secret *out, const unsigned char *data, size_t size)
{
    int error = hidden_append_text(out, "'");
    for (size_t i = 0; i < size && error == 0;) {
        const unsigned char *quote = memchr(data + i, '\'', size - i);
        size_t run = quote != NULL ? (size_t)(quote - data) + 1 - i : size - i;
        error = hidden_append(out, data + i, run);
        if (error == 0 && quote != NULL)
            error = hidden_append_text(out, "'");
        i += run;
    }
    return error < 0 ? error : hidden_append_text(out, "'");
}

static void escape(char out[static 16], uint32_t c)
{
    static const char letters[] = "\nn\tt\rr\"\"\\\\";
    out[0] = '\0';
    for (size_t i = 0; letters[i] != '\0'; i += 2)
        if ((uint32_t)(unsigned char)letters[i] == c)
            snprintf(out, 16, "\\%c", letters[i + 1]);
    if (out[0] == '\0')
        snprintf(out, 16, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
}

static int write_double(struct secret *out, const unsigned char *data, size_t size)
{
    int error = hidden_append_text(out, "\"");
    for (size_t i = 0; i < size && error == 0;) {
        bool good = true;
        char escaped[16];
        size_t length = utf8_next(data + i, size - i, &good);
        uint32_t c = character(data + i, length);
        if (is_printable(c) && c != '"' && c != '\\' && c != '\n' && c != '\t') {
            error = hidden_append(out, data + i, length);
        } else {
            escape(escaped, c);
            error = hidden_append_text(out, escaped);
        }
        i += length;
    }
    return error < 0 ? error : hidden_append_text(out, "\"");
}

/* A block keeps every line as it is. Its first line tells how far it is indented, and so must have
 * something in it and begin with no blank. */
static bool is_block(const unsigned char *data, size_t size, const struct traits *traits)
{
    return traits->has_line && traits->is_printable && size > 1 && data[0] != ' ' &&
           data[0] != '\n' && data[0] != '\t';
}

static int write_block(struct secret *out, const unsigned char *data, size_t size, unsigned indent)
{
    bool ends = data[size - 1] == '\n', twice = ends && data[size - 2] == '\n';
    int error = hidden_append_text(out, twice ? "|+" : ends ? "|" : "|-");
    size -= ends; /* the newline behind the scalar is the caller's */
    for (size_t i = 0; i <= size && error == 0;) {
        const unsigned char *line = i < size ? memchr(data + i, '\n', size - i) : NULL;
        size_t run = line != NULL ? (size_t)(line - data) - i : size - i;
        error = hidden_append_text(out, "\n");
        for (unsigned n = 0; n < indent && run > 0 && error == 0; n++)
            error = hidden_append_text(out, " ");
        if (error == 0)
            error = hidden_append(out, data + i, run);
        i += run + 1;
    }
    return error;
}

int yaml_write(struct secret *out, const unsigned char *data, size_t size, unsigned indent)
{
    struct traits traits = look(data, size);
    if (is_bare(data, size) && !means_more(data, size))
        return hidden_append(out, data, size);
    if (indent > 0 && is_block(data, size, &traits))
        return write_block(out, data, size, indent);
    if (traits.is_printable && !traits.has_line && !traits.has_tab)
        return write_single(out, data, size);
    return write_double(out, data, size);
}
