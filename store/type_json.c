/* json: RFC 8259, in UTF-8 (section 8.1), without a byte order mark. Looked at in place, with one
 * bit for each array or object that is open, so that a secret is copied nowhere. */
#include <string.h>

#include "store/encode.h"
#include "store/limits.h"
#include "store/type_parts.h"

enum wanted { WANTED_VALUE, WANTED_FIRST, WANTED_KEY, WANTED_FIRST_KEY, WANTED_NEXT };

struct json {
    struct type_look *look;
    size_t at;
    size_t depth;
    uint8_t objects[JSON_DEPTH_MAX / 8]; /* which of those that are open are objects */
};

static bool is_end(const struct json *json)
{
    return json->at == json->look->size;
}

/* 0 at the end, which is a byte that may stand nowhere anyway. */
static unsigned char here(const struct json *json)
{
    return is_end(json) ? 0 : json->look->data[json->at];
}

static bool pass(struct json *json, unsigned char c)
{
    const bool is_here = !is_end(json) && here(json) == c;
    json->at += is_here;
    return is_here;
}

static int wrong(struct json *json, const char *what)
{
    return type_wrong_at(json->look, json->at, is_end(json) ? "it ends too early" : what);
}

static void pass_blanks(struct json *json)
{
    while (here(json) == ' ' || here(json) == '\t' || here(json) == '\n' || here(json) == '\r')
        json->at++;
}

static size_t pass_digits(struct json *json)
{
    const size_t from = json->at;
    while (type_is_digit(here(json)))
        json->at++;
    return json->at - from;
}

/* number = [ minus ] int [ frac ] [ exp ] */
static int look_at_number(struct json *json)
{
    pass(json, '-');
    if (!pass(json, '0') && !pass_digits(json))
        return wrong(json, "a digit was expected");
    if (type_is_digit(here(json)))
        return wrong(json, "a number begins with a 0 that says nothing");
    if (pass(json, '.') && !pass_digits(json))
        return wrong(json, "a digit was expected");
    if (pass(json, 'e') || pass(json, 'E')) {
        if (!pass(json, '+'))
            pass(json, '-');
        if (!pass_digits(json))
            return wrong(json, "a digit was expected");
    }
    return 0;
}

static int look_at_escape(struct json *json)
{
    const unsigned char c = here(json);
    if (c == '\0' || !strchr("\"\\/bfnrtu", c))
        return wrong(json, "no such escape");
    json->at++;
    for (int i = 0; c == 'u' && i < 4; i++, json->at++)
        if (!type_is_hex(here(json)))
            return wrong(json, "a digit of hex was expected");
    return 0;
}

static int look_at_string(struct json *json)
{
    if (!pass(json, '"'))
        return wrong(json, "a string was expected");
    while (!pass(json, '"')) {
        bool good = true;
        if (is_end(json))
            return wrong(json, "");
        if (here(json) < 0x20)
            return wrong(json, "a control character in a string has to be written as an escape");
        if (pass(json, '\\')) {
            const int fault = look_at_escape(json);
            if (fault)
                return fault;
            continue;
        }
        const size_t length =
            utf8_next(json->look->data + json->at, json->look->size - json->at, &good);
        if (!good)
            return wrong(json, "this is not UTF-8");
        json->at += length;
    }
    return 0;
}

static int look_at_word(struct json *json, const char *word)
{
    for (; *word; word++)
        if (!pass(json, (unsigned char)*word))
            return wrong(json, "a value was expected");
    return 0;
}

static bool is_in_object(const struct json *json)
{
    return json->objects[(json->depth - 1) / 8] >> ((json->depth - 1) % 8) & 1;
}

static int open_one(struct json *json, bool is_object)
{
    if (json->depth == JSON_DEPTH_MAX)
        return wrong(json, "too many arrays and objects inside one another");
    const uint8_t bit = (uint8_t)(1u << json->depth % 8);
    json->objects[json->depth / 8] &= (uint8_t)~bit;
    json->objects[json->depth / 8] |= is_object ? bit : 0;
    json->depth++;
    json->at++;
    return 0;
}

static int look_at_value(struct json *json, enum wanted *wanted)
{
    const unsigned char c = here(json);
    *wanted = WANTED_NEXT;
    switch (c) {
    case '{':
        *wanted = WANTED_FIRST_KEY;
        return open_one(json, true);
    case '[':
        *wanted = WANTED_FIRST;
        return open_one(json, false);
    case '"':
        return look_at_string(json);
    case 't':
        return look_at_word(json, "true");
    case 'f':
        return look_at_word(json, "false");
    case 'n':
        return look_at_word(json, "null");
    default:
        return c == '-' || type_is_digit(c) ? look_at_number(json)
                                            : wrong(json, "a value was expected");
    }
}

static int look_at_key(struct json *json, enum wanted *wanted)
{
    const int fault = look_at_string(json);
    if (fault)
        return fault;
    pass_blanks(json);
    *wanted = WANTED_VALUE;
    return pass(json, ':') ? 0 : wrong(json, "a ':' was expected");
}

/* Whether what is open is closed here. */
static bool close_one(struct json *json)
{
    const bool is_closed = pass(json, is_in_object(json) ? '}' : ']');
    json->depth -= is_closed;
    return is_closed;
}

/* After a value: the next one, or the end of what it is in. */
static int look_at_next(struct json *json, enum wanted *wanted)
{
    if (close_one(json))
        return 0;
    *wanted = is_in_object(json) ? WANTED_KEY : WANTED_VALUE;
    return pass(json, ',')      ? 0
           : is_in_object(json) ? wrong(json, "a ',' or '}' was expected")
                                : wrong(json, "a ',' or ']' was expected");
}

static int look_at_all(struct json *json)
{
    enum wanted wanted = WANTED_VALUE;
    int fault = 0;
    do {
        pass_blanks(json);
        if ((wanted == WANTED_FIRST || wanted == WANTED_FIRST_KEY) && close_one(json))
            wanted = WANTED_NEXT;
        else if (wanted == WANTED_KEY || wanted == WANTED_FIRST_KEY)
            fault = look_at_key(json, &wanted);
        else if (wanted == WANTED_NEXT)
            fault = look_at_next(json, &wanted);
        else
            fault = look_at_value(json, &wanted);
    } while (!fault && (json->depth > 0 || wanted != WANTED_NEXT));
    return fault;
}

int type_look_json(struct type_look *look)
{
    struct json json = {.look = look};
    if (look->size == 0)
        return type_wrong(look, "it is empty");
    const int fault = look_at_all(&json);
    pass_blanks(&json);
    if (!fault && !is_end(&json))
        return wrong(&json, "something follows the value");
    return fault;
}
