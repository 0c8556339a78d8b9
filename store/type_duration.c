/* Durations, as Go's time.ParseDuration documents them: numbers, each with a unit, with or without
 * a fraction, one after another. Not negative: nothing waits so long. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store/type_parts.h"

static const struct unit {
    const char *name;
    int64_t nanoseconds;
} units[] = {
    /* of two that begin alike the longer one is first */
    {"ns", 1},           {"us", 1000},      {"\xc2\xb5s", 1000}, /* U+00B5, the micro sign */
    {"\xce\xbcs", 1000},                                         /* U+03BC, the Greek letter */
    {"ms", 1000000},     {"s", 1000000000}, {"m", 60000000000},  {"h", 3600000000000},
};

struct walk {
    const unsigned char *data;
    size_t size, at;
};

static bool has_digit(const struct walk *walk)
{
    return walk->at < walk->size && type_is_digit(walk->data[walk->at]);
}

/* Digits from here on. False: more than 64 bits; there need not be any. */
static bool take_whole(struct walk *walk, int64_t *out)
{
    int64_t number = 0;
    for (; has_digit(walk); walk->at++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, walk->data[walk->at] - '0', &number))
            return false;
    *out = number;
    return true;
}

static const struct unit *take_unit(struct walk *walk)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        const size_t size = strlen(units[i].name);
        if (walk->size - walk->at >= size &&
            memcmp(walk->data + walk->at, units[i].name, size) == 0) {
            walk->at += size;
            return &units[i];
        }
    }
    return NULL;
}

/* What the digits behind a point come to, whole nanoseconds only: 18 digits are more than an hour
 * has, and what follows them is less than one. */
static int64_t fraction_of(const unsigned char *digits, size_t size, int64_t unit)
{
    __int128 sum = 0, scale = 1;
    for (size_t i = 0; i < size && i < 18; i++) {
        sum = sum * 10 + (digits[i] - '0');
        scale *= 10;
    }
    return (int64_t)(sum * unit / scale);
}

/* One number with its unit, added. */
static bool take_part(struct walk *walk, int64_t *sum)
{
    const size_t begin = walk->at;
    int64_t number, part;
    if (!take_whole(walk, &number))
        return false;
    size_t digits = walk->at - begin, point = walk->at;
    if (walk->at < walk->size && walk->data[walk->at] == '.') {
        point = ++walk->at;
        while (has_digit(walk))
            walk->at++;
        digits += walk->at - point;
    }
    const size_t end = walk->at;
    const struct unit *unit = digits > 0 ? take_unit(walk) : NULL;
    return unit && !__builtin_mul_overflow(number, unit->nanoseconds, &part) &&
           !__builtin_add_overflow(
               part, fraction_of(walk->data + point, end - point, unit->nanoseconds), &part) &&
           !__builtin_add_overflow(*sum, part, sum);
}

static bool duration_of(int64_t *out, const unsigned char *data, size_t size)
{
    struct walk walk = {.data = data, .size = size, .at = size > 0 && data[0] == '+' ? 1 : 0};
    int64_t sum = 0;
    if (walk.at == size)
        return false;
    if (size - walk.at == 1 && data[walk.at] == '0') { /* the only number without a unit */
        *out = 0;
        return true;
    }
    while (walk.at < walk.size)
        if (!take_part(&walk, &sum))
            return false;
    *out = sum;
    return true;
}

int type_duration(int64_t *out, const char *text, size_t size)
{
    return duration_of(out, (const unsigned char *)text, size) ? 0 : TYPE_NONE;
}

int type_look_duration(struct type_look *look)
{
    return duration_of(&look->number, look->data, look->size) ? 0 : TYPE_FAULT;
}

const char *type_duration_text(char out[static TYPE_DURATION_MAX], int64_t nanoseconds)
{
    static const struct unit shown[] = {{"h", 3600000000000}, {"m", 60000000000}, {"s", 1000000000},
                                        {"ms", 1000000},      {"us", 1000},       {"ns", 1}};
    size_t at = 0;
    memcpy(out, "0s", sizeof("0s"));
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        const int64_t count = nanoseconds / shown[i].nanoseconds;
        nanoseconds %= shown[i].nanoseconds;
        if (count > 0)
            at += (size_t)snprintf(out + at, TYPE_DURATION_MAX - at, "%" PRId64 "%s", count,
                                   shown[i].name);
    }
    return out;
}
