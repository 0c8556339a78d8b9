/* Types: the first byte says which, the second whether a parameter (the words of an enum, the
 * schemes of a url, a pattern) stands before the value, up to the first NUL. A fault has a text,
 * what is right has none, and what a value looks like it is. */
#include <stdlib.h>
#include <string.h>

#include "store/encode.h"
#include "store/type.h"
#include "tests/fuzz/target.h"

static void must(bool right)
{
    if (!right)
        abort();
}

static void must_be_text(const char *text)
{
    const size_t size = strlen(text);
    bool good = true;
    must(size > 0 && size < TYPE_TEXT_MAX);
    for (size_t at = 0; at < size && good;)
        at += utf8_next((const unsigned char *)text + at, size - at, &good);
    must(good);
}

static void check(enum value_type type, const struct type_bounds *bounds, const uint8_t *value,
                  size_t size)
{
    char text[TYPE_TEXT_MAX];
    const int fault = type_check(text, type, bounds, value, size);
    must(fault == 0 || fault == TYPE_FAULT);
    if (fault)
        must_be_text(text);
}

static void guess(const uint8_t *value, size_t size)
{
    static const struct type_bounds nothing;
    char text[TYPE_TEXT_MAX];
    const enum value_type type = type_guess(value, size);
    must(type >= TYPE_STRING && type <= TYPE_LAST && type != TYPE_ENUM && type != TYPE_REGEX);
    must(type == TYPE_STRING || type_check(text, type, &nothing, value, size) == 0);
}

static void duration(const uint8_t *value, size_t size)
{
    int64_t first, again;
    char text[TYPE_DURATION_MAX];
    if (type_duration(&first, (const char *)value, size))
        return;
    must(first >= 0);
    type_duration_text(text, first);
    must(type_duration(&again, text, strlen(text)) == 0 && first == again);
}

/* What schema_check lets into a schema is UTF-8; so is a parameter here. */
static bool is_text(const char *text)
{
    const size_t size = strlen(text);
    bool good = true;
    for (size_t at = 0; at < size && good;)
        at += utf8_next((const unsigned char *)text + at, size - at, &good);
    return good;
}

static void with_parameter(enum value_type type, const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, '\0', size) : NULL;
    char parameter[256], *list[] = {parameter};
    const size_t length = end ? (size_t)(end - data) : sizeof(parameter);
    if (length >= sizeof(parameter))
        return;
    memcpy(parameter, data, length + 1);
    const struct type_words words = {list, 1};
    const struct type_bounds bounds = {
        .pattern = length > 0 ? parameter : NULL, .values = &words, .schemes = &words};
    if (is_text(parameter))
        check(type, &bounds, data + length + 1, size - length - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct type_bounds nothing;
    if (size < 2)
        return 0;
    const enum value_type type = (enum value_type)(TYPE_STRING + data[0] % TYPE_LAST);
    if (data[1] & 1) {
        with_parameter(type, data + 2, size - 2);
    } else {
        check(type, &nothing, data + 2, size - 2);
        guess(data + 2, size - 2);
        duration(data + 2, size - 2);
    }
    return 0;
}
