#include "tools/emsa/ttl.h"

#include <stdbool.h>

#include "store/error.h"
#include "store/limits.h"

/* In the order in which they may follow each other. */
static const struct {
    char letter;
    uint64_t seconds;
} units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
#define UNITS (sizeof units / sizeof units[0])

static int wrong(const char *text)
{
    return error_set(ERR_INVALID,
                     "'%.64s' of --ttl is no time to live: write 30s, 90m, 1h30m or 7d (seconds, "
                     "minutes, hours, days)",
                     text);
}

/* One number and its unit, which comes after those up to *unit. 1: the number is over every bound.
 */
static int part(uint64_t *total, size_t *unit, const char **at)
{
    uint64_t number = 0;
    const char *digit = *at;
    for (; *digit >= '0' && *digit <= '9'; digit++)
        if (number <= TTL_MAX)
            number = number * 10 + (uint64_t)(*digit - '0');
    if (digit == *at)
        return -ERR_INVALID;
    while (*unit < UNITS && units[*unit].letter != *digit)
        ++*unit;
    if (*unit == UNITS)
        return -ERR_INVALID;
    *at = digit + 1;
    if (number > TTL_MAX)
        return 1;
    *total += number * units[*unit].seconds;
    ++*unit;
    return 0;
}

int ttl_parse(uint64_t *out, const char *text)
{
    uint64_t total = 0;
    size_t unit = 0;
    bool is_over = false;
    const char *at = text;
    do {
        const int found = part(&total, &unit, &at);
        if (found < 0)
            return wrong(text);
        is_over |= found > 0;
    } while (*at != '\0');
    if (is_over || total > TTL_MAX)
        return error_set(
            ERR_INVALID,
            "'%.64s' of --ttl is over ten years (%ud): set it for good, and replace it "
            "when it is time",
            text, TTL_MAX / 86400);
    if (total == 0)
        return error_set(ERR_INVALID,
                         "'%.64s' of --ttl is no time at all: at least 1s, or remove the key "
                         "(emsa rm)",
                         text);
    *out = total;
    return 0;
}

void ttl_give(json_t *operations, uint64_t seconds)
{
    size_t index;
    json_t *operation;
    if (seconds == 0)
        return;
    json_array_foreach(operations, index, operation)
        json_object_set_new(operation, "ttl", json_integer((json_int_t)seconds));
}
