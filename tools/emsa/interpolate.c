#include "tools/emsa/interpolate.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "store/error.h"

#define DEPTH_MAX 16
#define SHOWN_MAX 200

struct expression { /* what stands between "${" and its "}" */
    const char *name;
    size_t length;
    bool colon; /* an empty value counts as none */
    char kind;  /* '-', '?', '+', or 0 */
    const char *text;
    size_t size;
};

static bool begins_name(char c)
{
    return isalpha((unsigned char)c) || c == '_';
}

static size_t name_length(const char *text, size_t size)
{
    size_t length = 0;
    if (size == 0 || !begins_name(text[0]))
        return 0;
    while (length < size && (isalnum((unsigned char)text[length]) || text[length] == '_'))
        length++;
    return length;
}

/* How many bytes "{...}" is, from its '{' to the '}' that closes it; 0 where none does. */
static size_t braced_length(const char *text, size_t size)
{
    unsigned open = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '{')
            open++;
        else if (text[i] == '}' && --open == 0)
            return i + 1;
    }
    return 0;
}

static int parse_expression(struct expression *out, const char *text, size_t size)
{
    *out = (struct expression){.name = text, .length = name_length(text, size)};
    if (out->length == 0)
        return error_set(ERR_INVALID, "a '${' without a name behind it ('$$' is a dollar)");
    const char *at = text + out->length, *end = text + size;
    if (at == end)
        return 0;
    out->colon = *at == ':';
    at += out->colon;
    if (at == end || memchr("-?+", *at, 3) == NULL)
        return error_set(ERR_INVALID,
                         "'${%.*s' goes on with none of ':-', '-', ':?', '?', ':+', '+' and '}'",
                         (int)out->length, out->name);
    out->kind = *at++;
    out->text = at;
    out->size = (size_t)(end - at);
    return 0;
}

static int expand(const struct interpolation *how, const char *text, size_t size, unsigned depth);

static int missing(const struct expression *expression)
{
    size_t size = expression->size < SHOWN_MAX ? expression->size : SHOWN_MAX;
    return error_set(ERR_INVALID, "'%.*s' is required, and not set%s%.*s", (int)expression->length,
                     expression->name, size > 0 ? ": " : "", (int)size,
                     size > 0 ? expression->text : "");
}

static int substitute(const struct interpolation *how, const struct expression *expression,
                      unsigned depth)
{
    size_t key = how->lookup(how->context, expression->name, expression->length);
    bool holds =
        key != INTAKE_NONE && !(expression->colon && how->intake->keys[key].value.size == 0);
    if (expression->kind == '+' ? holds : expression->kind == '-' && !holds)
        return expand(how, expression->text, expression->size, depth + 1);
    if (expression->kind == '+')
        return 0;
    if (expression->kind == '?' && !holds)
        return missing(expression);
    if (key != INTAKE_NONE)
        return intake_reference(how->intake, key);
    if (how->unset != NULL)
        how->unset(how->context, expression->name, expression->length);
    return 0;
}

/* What begins with the '$' at text; how many bytes it took. */
static int expand_one(const struct interpolation *how, const char *text, size_t size,
                      unsigned depth, size_t *taken)
{
    struct expression expression = {0};
    if (size > 1 && text[1] == '$') {
        *taken = 2;
        return intake_text(how->intake, "$", 1);
    }
    if (size > 1 && text[1] == '{') {
        size_t length = braced_length(text + 1, size - 1);
        if (length == 0)
            return error_set(ERR_INVALID, "a '${' that is never closed ('$$' is a dollar)");
        int error = parse_expression(&expression, text + 2, length - 2);
        *taken = 1 + length;
        return error < 0 ? error : substitute(how, &expression, depth);
    }
    expression = (struct expression){.name = text + 1, .length = name_length(text + 1, size - 1)};
    *taken = 1 + expression.length;
    return expression.length == 0 ? intake_text(how->intake, "$", 1)
                                  : substitute(how, &expression, depth);
}

static int expand(const struct interpolation *how, const char *text, size_t size, unsigned depth)
{
    const char *end = text + size;
    if (depth > DEPTH_MAX)
        return error_set(ERR_INVALID, "'${' within '${' more than %d deep", DEPTH_MAX);
    while (text < end) {
        const char *dollar = memchr(text, '$', (size_t)(end - text));
        size_t taken = 0;
        const char *until = dollar != NULL ? dollar : end;
        int error = intake_text(how->intake, text, (size_t)(until - text));
        if (error == 0 && dollar != NULL)
            error = expand_one(how, dollar, (size_t)(end - dollar), depth, &taken);
        if (error < 0)
            return error;
        text = until + taken;
    }
    return 0;
}

int interpolate(const struct interpolation *how, const char *text, size_t size)
{
    return expand(how, text, size, 0);
}
