#include "tools/emsa/scalar.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer ones are texts: no number that anybody writes is. */
#define NUMBER_MAX 128
#define WORD_MAX 5u /* the longest of the words below */

static bool is_one_of(const char *text, size_t size, const char *const words[])
{
    if (size > WORD_MAX)
        return false;
    for (; *words != NULL; words++)
        if (strlen(*words) == size && memcmp(*words, text, size) == 0)
            return true;
    return false;
}

static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
static const char *const truths[] = {"true", "True", "TRUE", NULL};
static const char *const lies[] = {"false", "False", "FALSE", NULL};
static const char *const old_bools[] = {"y",  "Y",  "yes", "Yes", "YES", "n",   "N",   "no", "No",
                                        "NO", "on", "On",  "ON",  "off", "Off", "OFF", NULL};
static const char *const endless[] = {".nan",  ".NaN",  ".NAN",  ".inf",  ".Inf",  ".INF", "+.inf",
                                      "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", NULL};

/* A copy without '_', ended; false where it is too long for a number. */
static bool plain_digits(char out[static NUMBER_MAX], const char *text, size_t size)
{
    size_t length = 0;
    if (size >= NUMBER_MAX || memchr(text, '\0', size) != NULL)
        return false;
    for (size_t i = 0; i < size; i++)
        if (text[i] != '_')
            out[length++] = text[i];
    out[length] = '\0';
    return true;
}

static bool digits_of(int base, const char *text)
{
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        int value = isdigit((unsigned char)*text)    ? *text - '0'
                    : isxdigit((unsigned char)*text) ? tolower((unsigned char)*text) - 'a' + 10
                                                     : 99;
        if (value >= base)
            return false;
    }
    return true;
}

/* An integer with or without a sign, in base 2, 8 ("0o17" and "017"), 10 or 16. */
static bool parse_int(const char *text, bool *negative, uint64_t *out)
{
    int base = 10;
    *negative = text[0] == '-';
    if (text[0] == '-' || text[0] == '+')
        text++;
    if (text[0] == '0' && text[1] != '\0') {
        char kind = (char)tolower((unsigned char)text[1]);
        base = kind == 'x' ? 16 : kind == 'b' ? 2 : 8;
        text += kind == 'x' || kind == 'b' || kind == 'o' ? 2 : 1;
    }
    if (!digits_of(base, text))
        return false;
    errno = 0;
    *out = strtoull(text, NULL, base);
    return errno == 0 && (!*negative || *out <= (uint64_t)INT64_MAX + 1);
}

static const char *over_digits(const char *text)
{
    while (isdigit((unsigned char)*text))
        text++;
    return text;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? and within a double's range. */
static bool parse_float(const char *text, double *out)
{
    const char *at = text + (text[0] == '-' || text[0] == '+');
    const char *whole = over_digits(at);
    bool any = whole > at;
    at = whole;
    if (*at == '.') {
        const char *end = over_digits(at + 1);
        any = any || end > at + 1;
        at = end;
    }
    if (!any)
        return false;
    if (*at == 'e' || *at == 'E') {
        at += at[1] == '-' || at[1] == '+' ? 2 : 1;
        if (!isdigit((unsigned char)*at))
            return false;
        at = over_digits(at);
    }
    if (*at != '\0')
        return false;
    errno = 0;
    *out = strtod(text, NULL);
    return errno == 0 || (*out < 1 && *out > -1);
}

static const char *over_date_part(const char *at, const char *end)
{
    const char *begin = at;
    while (at < end && isdigit((unsigned char)*at) && at - begin < 2)
        at++;
    return at > begin ? at : NULL;
}

/* 2006-1-2, alone or with a time behind it. */
static bool is_date(const char *text, size_t size)
{
    const char *end = text + size, *at = text;
    while (at < end && isdigit((unsigned char)*at))
        at++;
    for (int part = 0; part < 2; part++) {
        if (at == NULL || at == end || *at != '-' || (part == 0 && at - text != 4))
            return false;
        at = over_date_part(at + 1, end);
    }
    if (at == NULL)
        return false;
    if (at == end)
        return true;
    return (*at == 'T' || *at == 't' || *at == ' ') && at + 1 < end &&
           isdigit((unsigned char)at[1]) && memchr(at, ':', (size_t)(end - at)) != NULL;
}

enum scalar_type scalar_type(enum scalar_rules rules, const char *text, size_t size)
{
    char number[NUMBER_MAX];
    bool negative;
    uint64_t whole;
    double real;
    if (is_one_of(text, size, nulls))
        return SCALAR_NULL;
    if (is_one_of(text, size, truths) || is_one_of(text, size, lies) ||
        (rules == SCALAR_KUBERNETES && is_one_of(text, size, old_bools)))
        return SCALAR_BOOL;
    if (is_one_of(text, size, endless))
        return SCALAR_ENDLESS;
    if (strchr("+-.0123456789", text[0]) == NULL || text[0] == '\0')
        return SCALAR_TEXT;
    if (is_date(text, size))
        return rules == SCALAR_COMPOSE ? SCALAR_DATE : SCALAR_TEXT;
    if (!plain_digits(number, text, size))
        return SCALAR_TEXT;
    if (parse_int(number, &negative, &whole))
        return SCALAR_INT;
    /* what begins with a point is read with its underscores */
    if (text[0] == '.' && strlen(number) != size)
        return SCALAR_TEXT;
    return parse_float(number, &real) ? SCALAR_FLOAT : SCALAR_TEXT;
}

/* The shortest digits that read back as the same double, with an exponent where compose's language
 * writes one. */
static size_t print_real(char out[static SCALAR_PRINTED_MAX], double real)
{
    char digits[40];
    int precision = 0;
    do
        snprintf(digits, sizeof digits, "%.*e", precision, real);
    while (strtod(digits, NULL) != real && ++precision < 17);
    int exponent = (int)strtol(strchr(digits, 'e') + 1, NULL, 10);
    if (exponent < -4 || exponent >= 21)
        return (size_t)snprintf(out, SCALAR_PRINTED_MAX, "%s", digits);
    if (precision > exponent)
        return (size_t)snprintf(out, SCALAR_PRINTED_MAX, "%.*f", precision - exponent, real);
    /* a whole number: its digits, and zeros for those that the double does not tell */
    const char *sign = digits[0] == '-' ? "-" : "";
    const char *first = digits + strlen(sign);
    size_t length = (size_t)snprintf(out, SCALAR_PRINTED_MAX, "%s%c%.*s", sign, first[0], precision,
                                     precision > 0 ? first + 2 : "");
    for (; precision < exponent; precision++)
        out[length++] = '0';
    out[length] = '\0';
    return length;
}

size_t scalar_print(char out[static SCALAR_PRINTED_MAX], const char *text, size_t size)
{
    char number[NUMBER_MAX];
    bool negative;
    uint64_t whole;
    double real = 0;
    if (is_one_of(text, size, truths))
        return (size_t)snprintf(out, SCALAR_PRINTED_MAX, "true");
    if (is_one_of(text, size, lies))
        return (size_t)snprintf(out, SCALAR_PRINTED_MAX, "false");
    if (!plain_digits(number, text, size))
        number[0] = '\0';
    if (parse_int(number, &negative, &whole))
        return (size_t)snprintf(out, SCALAR_PRINTED_MAX, "%s%" PRIu64,
                                negative && whole > 0 ? "-" : "", whole);
    parse_float(number, &real);
    return print_real(out, real);
}
