#include "tools/emsa/dotenv.h"

#include <stdbool.h>
#include <string.h>

struct reader {
    const char *text;
    size_t size;
    size_t at;
    unsigned line;
    struct assignments *out;
};

#define END (-1)

/* The character at an offset from here; a CR before a newline is not there: files of both kinds are
 * equal. */
static int peek(struct reader *reader)
{
    if (reader->at + 1 < reader->size && reader->text[reader->at] == '\r' &&
        reader->text[reader->at + 1] == '\n')
        reader->at++;
    return reader->at < reader->size ? (unsigned char)reader->text[reader->at] : END;
}

static int take(struct reader *reader)
{
    int c = peek(reader);
    if (c != END)
        reader->at++;
    if (c == '\n')
        reader->line++;
    return c;
}

static bool is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r';
}

static void skip_blanks(struct reader *reader)
{
    while (is_blank(peek(reader)))
        take(reader);
}

static void skip_line(struct reader *reader)
{
    while (peek(reader) != END && peek(reader) != '\n')
        take(reader);
}

/* To the next statement: over blanks, empty lines and comments. */
static bool next_statement(struct reader *reader)
{
    for (;;) {
        int c = peek(reader);
        if (c == END)
            return false;
        if (c == '#')
            skip_line(reader);
        else if (is_blank(c) || c == '\n')
            take(reader);
        else
            return true;
    }
}

static int append(struct reader *reader, int c)
{
    char byte = (char)c;
    return assignments_append(reader->out, &byte, 1);
}

/* A byte that stands for itself, also where the value will be interpolated. */
static int append_literal(struct reader *reader, int c)
{
    int error = c == '$' && reader->out->for_interpolation ? append(reader, '$') : 0;
    return error < 0 ? error : append(reader, c);
}

/* Up to the end of the line, or to a blank and '#'; blanks at the end are not part of it. Appended
 * run by run: what stands in the file stands in the value. */
static int read_bare(struct reader *reader, const char *key)
{
    size_t begin = reader->at;
    size_t end = begin;
    if (peek(reader) == '#')
        assignments_note(
            reader->out, reader->line,
            "the value of '%s' begins with '#': a comment there needs quotes before it", key);
    begin = end = reader->at;
    for (;;) {
        int c = peek(reader);
        size_t here = reader->at;
        if (c == END || c == '\n')
            break;
        if (c == ' ' && here + 1 < reader->size && reader->text[here + 1] == '#') {
            skip_line(reader);
            break;
        }
        take(reader);
        if (!is_blank(c))
            end = reader->at;
    }
    return assignments_append(reader->out, reader->text + begin, end - begin);
}

/* Up to three more digits of an octal number. */
static int read_octal(struct reader *reader)
{
    int value = 0;
    for (int i = 0; i < 3 && peek(reader) >= '0' && peek(reader) <= '7'; i++)
        value = value * 8 + (take(reader) - '0');
    return value & 0xff;
}

/* The rarer ones, which compose knows; emsa-dotenv(5) leaves them as they are. */
static int unescape_rare(struct reader *reader, int c)
{
    static const char letters[] = "abfv", bytes[] = "\a\b\f\v";
    const char *found = c > 0 ? strchr(letters, c) : NULL;
    if (found != NULL)
        return bytes[found - letters];
    return c == '0' ? read_octal(reader) : END;
}

/* What a backslash and c stand for in double quotes; END: for themselves. */
static int unescape(struct reader *reader, int c)
{
    switch (c) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case '\\':
    case '"':
    case '$':
        return c;
    default:
        return reader->out->for_interpolation ? unescape_rare(reader, c) : END;
    }
}

static int append_escaped(struct reader *reader, int quote)
{
    int c = take(reader);
    int meant = quote == '"' ? unescape(reader, c) : c == '\'' ? c : END;
    if (c == END)
        return 0; /* the missing quote is told by the caller */
    if (meant != END)
        return append_literal(reader, meant);
    int error = append(reader, '\\');
    if (error < 0)
        return error;
    return quote == '\'' ? append_literal(reader, c) : append(reader, c);
}

static int read_quoted(struct reader *reader, const char *key)
{
    unsigned line = reader->line;
    int quote = take(reader);
    for (;;) {
        int error = 0;
        int c = take(reader);
        if (c == quote)
            return 0;
        if (c == END)
            return assignments_fail(reader->out, line,
                                    "the quote before the value of '%s' is never closed", key);
        error = c == '\\'       ? append_escaped(reader, quote)
                : quote == '\'' ? append_literal(reader, c)
                                : append(reader, c);
        if (error < 0)
            return error;
    }
}

/* Only a comment may follow a quoted value. */
static int end_line(struct reader *reader, const char *key)
{
    skip_blanks(reader);
    int c = peek(reader);
    if (c == '#')
        skip_line(reader);
    else if (c != END && c != '\n')
        return assignments_fail(reader->out, reader->line,
                                "something stands behind the quoted value of '%s'", key);
    return 0;
}

static bool ends_key(int c)
{
    return c == END || c == '\n' || c == '=' || c == ':' || is_blank(c);
}

static void skip_export(struct reader *reader)
{
    static const char word[] = "export";
    size_t length = sizeof word - 1;
    if (reader->size - reader->at > length &&
        memcmp(reader->text + reader->at, word, length) == 0 &&
        is_blank((unsigned char)reader->text[reader->at + length])) {
        reader->at += length;
        skip_blanks(reader);
    }
}

static int keep_bare(struct reader *reader, size_t begin, size_t length, unsigned line)
{
    struct assignment *assignment;
    int error = assignments_begin(reader->out, reader->text + begin, length, line, &assignment);
    if (error < 0)
        return error;
    assignment->bare = true;
    return assignments_end(reader->out, assignment);
}

static int read_statement(struct reader *reader)
{
    struct assignment *assignment;
    unsigned line = reader->line;
    skip_export(reader);
    size_t begin = reader->at;
    while (!ends_key(peek(reader)))
        take(reader);
    size_t length = reader->at - begin;
    skip_blanks(reader);
    int c = peek(reader);
    if (reader->out->for_interpolation && (c == '\n' || c == END))
        return keep_bare(reader, begin, length, line);
    /* the line itself stays out of the message: it may be a secret */
    if (c != '=' && c != ':')
        return assignments_fail(reader->out, line, "no '=' after the first word of the line");
    take(reader);
    skip_blanks(reader);
    int error = assignments_begin(reader->out, reader->text + begin, length, line, &assignment);
    if (error < 0)
        return error;
    c = peek(reader);
    if (c == '"' || c == '\'') {
        error = read_quoted(reader, assignment->key);
        if (error == 0)
            error = end_line(reader, assignment->key);
    } else {
        error = read_bare(reader, assignment->key);
    }
    return error < 0 ? error : assignments_end(reader->out, assignment);
}

static unsigned line_of(const char *text, const char *at)
{
    unsigned line = 1;
    for (; text < at; text++)
        line += *text == '\n';
    return line;
}

int dotenv_parse(struct assignments *out, const char *text, size_t size)
{
    struct reader reader = {.text = text, .size = size, .line = 1, .out = out};
    const char *nul = size > 0 ? memchr(text, '\0', size) : NULL;
    if (nul != NULL)
        return assignments_fail(out, line_of(text, nul), "a NUL byte: this is no dotenv file");
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        reader.at = 3;
    while (next_statement(&reader)) {
        int error = read_statement(&reader);
        if (error < 0)
            return error;
    }
    return 0;
}
