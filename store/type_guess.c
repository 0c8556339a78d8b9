/* What a value looks like, for first drafts of schemas. A guess that is wrong is worse than none:
 * it refuses the next value, which somebody needs. So what many things look like (a word, a name
 * with dots, a run of letters and digits) stays a string. */
#include <string.h>

#include "store/type_parts.h"

static bool is_of(enum value_type type, const unsigned char *data, size_t size)
{
    static const struct type_bounds bounds;
    char text[TYPE_TEXT_MAX];
    return type_check(text, type, &bounds, data, size) == 0;
}

static bool has(const unsigned char *data, size_t size, const char *text)
{
    return memmem(data, size, text, strlen(text));
}

static bool ends_with(const unsigned char *data, size_t size, const char *text)
{
    const size_t length = strlen(text);
    return size > length && memcmp(data + size - length, text, length) == 0;
}

/* A name with dots is as often a file's or a package's, but in one of these. */
static bool is_in_domain(const unsigned char *data, size_t size)
{
    static const char *const domains[] = {".com", ".net", ".org", ".internal", ".local", ".svc"};
    for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++)
        if (ends_with(data, size, domains[i]))
            return true;
    return size == 9 && memcmp(data, "localhost", 9) == 0;
}

/* Hex digits, paths and words are base64 by their letters; so small and capital ones, digits and
 * padding have to be there. */
static bool is_plainly_base64(const unsigned char *data, size_t size)
{
    bool has_small = false, has_capital = false, has_digit = false;
    for (size_t i = 0; i < size; i++) {
        has_small |= data[i] >= 'a' && data[i] <= 'z';
        has_capital |= data[i] >= 'A' && data[i] <= 'Z';
        has_digit |= type_is_digit(data[i]);
    }
    return size >= 16 && has_small && has_capital && has_digit && data[size - 1] == '=';
}

enum value_type type_guess(const void *value, size_t size)
{
    const unsigned char *data = size > 0 ? value : (const unsigned char *)"";
    if (is_of(TYPE_BOOL, data, size))
        return TYPE_BOOL;
    if (is_of(TYPE_INT, data, size))
        return TYPE_INT;
    if (is_of(TYPE_DURATION, data, size))
        return TYPE_DURATION;
    if (has(data, size, "://") && is_of(TYPE_URL, data, size))
        return TYPE_URL;
    if (is_of(TYPE_EMAIL, data, size))
        return TYPE_EMAIL;
    if ((type_is_address(data, size) || is_in_domain(data, size)) &&
        is_of(TYPE_HOSTNAME, data, size))
        return TYPE_HOSTNAME;
    if (size > 0 && (data[0] == '{' || data[0] == '[') && is_of(TYPE_JSON, data, size))
        return TYPE_JSON;
    if (has(data, size, "-----BEGIN ") && is_of(TYPE_PEM, data, size))
        return TYPE_PEM;
    if (is_plainly_base64(data, size) && is_of(TYPE_BASE64, data, size))
        return TYPE_BASE64;
    return TYPE_STRING;
}
