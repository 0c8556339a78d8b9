/* The table of types, and what is asked of all of them alike. What each type is stands in the file
 * of its family. */
#include "store/type.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "store/type_parts.h"

static int look_enum(struct type_look *look);

static const struct type_row {
    const char *name;
    const char *what; /* "must be ..." */
    int (*look)(struct type_look *);
    bool is_line; /* blanks at its ends and line ends are what is wrong, where there are some */
    bool has_range, has_pattern;
} types[] = {
    [TYPE_STRING] = {"string", "text", type_look_string, .has_pattern = true},
    [TYPE_INT] = {"int", "a whole number", type_look_int, .is_line = true, .has_range = true},
    [TYPE_BOOL] = {"bool", "true or false", type_look_bool, .is_line = true},
    [TYPE_ENUM] = {"enum", NULL, look_enum, .is_line = true},
    [TYPE_URL] = {"url", "a url (scheme://host)", type_look_url, .is_line = true},
    [TYPE_PORT] = {"port", "a port (1 to 65535)", type_look_port, .is_line = true,
                   .has_range = true},
    [TYPE_DURATION] = {"duration", "a duration (as 1h30m, 250ms)", type_look_duration,
                       .is_line = true, .has_range = true},
    [TYPE_HOSTNAME] = {"hostname", "a host name or an IP address", type_look_hostname,
                       .is_line = true},
    [TYPE_EMAIL] = {"email", "an email address", type_look_email, .is_line = true},
    [TYPE_REGEX] = {"regex", "a regular expression", type_look_regex, .has_pattern = true},
    [TYPE_JSON] = {"json", "JSON", type_look_json},
    [TYPE_PEM] = {"pem", "PEM", type_look_pem},
    [TYPE_BASE64] = {"base64", "base64", type_look_base64, .is_line = true},
};

static const struct type_row *row_of(enum value_type type)
{
    return &types[type >= TYPE_STRING && type <= TYPE_LAST ? type : TYPE_STRING];
}

const char *type_name(enum value_type type)
{
    return row_of(type)->name;
}

int type_find(enum value_type *out, const char *name)
{
    for (int i = TYPE_STRING; i <= TYPE_LAST; i++) {
        if (strcmp(types[i].name, name) == 0) {
            *out = (enum value_type)i;
            return 0;
        }
    }
    return TYPE_NONE;
}

bool type_has_range(enum value_type type)
{
    return row_of(type)->has_range;
}

bool type_has_pattern(enum value_type type)
{
    return row_of(type)->has_pattern;
}

bool type_is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

bool type_is_alpha(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool type_is_hex(unsigned char c)
{
    return type_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* --- what is said --- */

int type_wrong(struct type_look *look, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(look->detail, sizeof(look->detail), format, arguments);
    va_end(arguments);
    return TYPE_FAULT;
}

int type_wrong_at(struct type_look *look, size_t at, const char *what)
{
    size_t line = 1, column = 1;
    for (size_t i = 0; i < at; i++) {
        if (look->data[i] == '\n') {
            line++;
            column = 1;
        } else if ((look->data[i] & 0xc0) != 0x80) {
            column++;
        }
    }
    if (line > 1)
        return type_wrong(look, "line %zu, column %zu: %s", line, column, what);
    return type_wrong(look, "column %zu: %s", column, what);
}

static bool is_blank(unsigned char c)
{
    return c == ' ' || c == '\t';
}

/* What is often wrong with what should be on one line, and is not seen; NULL: nothing of that sort.
 */
static const char *unseen(const unsigned char *data, size_t size)
{
    if (size == 0)
        return "it is empty";
    if (data[size - 1] == '\n')
        return size > 1 && data[size - 2] == '\r' ? "it ends in a carriage return and a newline"
                                                  : "it ends in a newline";
    if (memchr(data, '\r', size))
        return "it has a carriage return in it";
    if (memchr(data, '\n', size))
        return "it has a newline in it";
    if (is_blank(data[0]) || is_blank(data[size - 1]))
        return "it has a blank at its begin or end";
    if (size > 1 && (data[0] == '"' || data[0] == '\'') && data[0] == data[size - 1])
        return "it has quotes around it";
    return NULL;
}

#define CUT "..."
#define ROOM (TYPE_TEXT_MAX - sizeof(CUT)) /* what is longer is cut, and ends in that */
#define SHOWN_MAX 100u                     /* bytes of a pattern or of one word of an enum */

/* Appends as much as there is room for; no character is cut in two. */
static void append(char text[static TYPE_TEXT_MAX], const char *more)
{
    const size_t at = strlen(text), all = strlen(more);
    if (at > ROOM)
        return;
    size_t size = all < SHOWN_MAX ? all : SHOWN_MAX;
    if (size > ROOM - at)
        size = ROOM - at;
    while (size > 0 && size < all && ((unsigned char)more[size] & 0xc0) == 0x80)
        size--;
    memcpy(text + at, more, size);
    memcpy(text + at + size, size < all ? CUT : "", size < all ? sizeof(CUT) : 1);
}

static void say_values(char text[static TYPE_TEXT_MAX], const struct type_words *values)
{
    memcpy(text, "must be ", sizeof("must be "));
    append(text, values && values->count > 1 ? "one of " : "");
    for (size_t i = 0; values && i < values->count; i++) {
        append(text, i ? ", " : "");
        append(text, values->words[i]);
    }
}

static int say(char text[static TYPE_TEXT_MAX], const struct type_row *row,
               const struct type_look *look)
{
    const char *detail = row->is_line ? unseen(look->data, look->size) : NULL;
    if (!detail)
        detail = look->detail;
    if (row->what)
        snprintf(text, TYPE_TEXT_MAX, "must be %s", row->what);
    else
        say_values(text, look->bounds->values);
    append(text, detail[0] ? ": " : "");
    append(text, detail);
    return TYPE_FAULT;
}

/* --- what all types are asked alike --- */

static int look_enum(struct type_look *look)
{
    const struct type_words *values = look->bounds->values;
    for (size_t i = 0; values && i < values->count; i++) {
        const size_t size = strlen(values->words[i]);
        if (size == look->size && memcmp(values->words[i], look->data, size) == 0)
            return 0;
    }
    return TYPE_FAULT;
}

int type_look_string(struct type_look *look)
{
    if (look->size > 0 && memchr(look->data, '\0', look->size))
        return type_wrong(look, "it has a NUL byte in it");
    return 0;
}

static int look_at_length(char text[static TYPE_TEXT_MAX], const struct type_bounds *bounds,
                          size_t size)
{
    const bool is_short = bounds->has_min_length && size < bounds->min_length;
    if (!is_short && !(bounds->has_max_length && size > bounds->max_length))
        return 0;
    if (bounds->has_min_length && bounds->has_max_length)
        snprintf(text, TYPE_TEXT_MAX, "must have %u to %u bytes", bounds->min_length,
                 bounds->max_length);
    else
        snprintf(text, TYPE_TEXT_MAX, "must have at %s %u bytes", is_short ? "least" : "most",
                 is_short ? bounds->min_length : bounds->max_length);
    return TYPE_FAULT;
}

/* A bound as the value is written. */
static const char *bound_text(char out[static TYPE_DURATION_MAX], enum value_type type,
                              int64_t bound)
{
    if (type == TYPE_DURATION && bound >= 0)
        return type_duration_text(out, bound);
    snprintf(out, TYPE_DURATION_MAX, "%" PRId64, bound);
    return out;
}

static int look_at_range(char text[static TYPE_TEXT_MAX], enum value_type type,
                         const struct type_bounds *bounds, int64_t number)
{
    char min[TYPE_DURATION_MAX], max[TYPE_DURATION_MAX];
    const bool is_low = bounds->has_min && number < bounds->min;
    if (!is_low && !(bounds->has_max && number > bounds->max))
        return 0;
    bound_text(min, type, bounds->min);
    bound_text(max, type, bounds->max);
    if (bounds->has_min && bounds->has_max)
        snprintf(text, TYPE_TEXT_MAX, "must be from %s to %s", min, max);
    else
        snprintf(text, TYPE_TEXT_MAX, "must be at %s %s", is_low ? "least" : "most",
                 is_low ? min : max);
    return TYPE_FAULT;
}

static int look_at_pattern(char text[static TYPE_TEXT_MAX], struct type_look *look)
{
    const int fault = type_look_pattern(look);
    if (fault != TYPE_FAULT)
        return fault;
    memcpy(text, "must match ", sizeof("must match "));
    append(text, look->bounds->pattern);
    append(text, look->detail[0] ? ": " : "");
    append(text, look->detail);
    return TYPE_FAULT;
}

int type_check(char text[static TYPE_TEXT_MAX], enum value_type type,
               const struct type_bounds *bounds, const void *value, size_t size)
{
    const struct type_row *row = row_of(type);
    struct type_look look = {.data = size > 0 ? value : "", .size = size, .bounds = bounds};
    int fault = row->look(&look);
    if (fault)
        return fault < 0 ? fault : say(text, row, &look);
    fault = look_at_length(text, bounds, size);
    if (!fault && row->has_range)
        fault = look_at_range(text, type, bounds, look.number);
    if (!fault && row->has_pattern && bounds->pattern)
        fault = look_at_pattern(text, &look);
    return fault;
}
