#include "tools/emsa/when.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

#include "store/error.h"

#define SECOND INT64_C(1000000000)

/* 0, or not of that form. span: how long what was written lasts, in seconds. */
static int read_date(int64_t *out, int64_t *span, const char *text)
{
    static const struct {
        const char *form;
        int64_t span;
    } forms[] = {{"%Y-%m-%d", 86400},      {"%Y-%m-%d %H:%M", 60},    {"%Y-%m-%dT%H:%M", 60},
                 {"%Y-%m-%d %H:%M:%S", 1}, {"%Y-%m-%dT%H:%M:%S", 1},  {"%Y-%m-%d %H:%MZ", 60},
                 {"%Y-%m-%dT%H:%MZ", 60},  {"%Y-%m-%d %H:%M:%SZ", 1}, {"%Y-%m-%dT%H:%M:%SZ", 1}};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct tm day = {.tm_isdst = -1};
        const char *end = strptime(text, forms[i].form, &day);
        if (end == NULL || *end != '\0')
            continue;
        const bool is_utc = strchr(forms[i].form, 'Z') != NULL;
        const time_t seconds = is_utc ? timegm(&day) : mktime(&day);
        if (seconds < 0 || seconds > INT64_MAX / SECOND - 86400)
            return -1;
        *out = (int64_t)seconds * SECOND;
        *span = forms[i].span;
        return 0;
    }
    return -1;
}

static int64_t unit_of(char letter)
{
    switch (letter) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return 86400;
    case 'w':
        return 7 * 86400;
    default:
        return 0;
    }
}

/* 90m, 1h30m, 7d. */
static int read_ago(int64_t *out, const char *text)
{
    int64_t total = 0;
    struct timespec now;
    do {
        int64_t number = 0;
        const size_t digits = strspn(text, "0123456789");
        for (size_t i = 0; i < digits; i++)
            number = number > INT32_MAX ? number : number * 10 + (text[i] - '0');
        const int64_t unit = unit_of(text[digits]);
        if (digits == 0 || unit == 0)
            return -1;
        total += number * unit;
        text += digits + 1;
    } while (*text != '\0');
    clock_gettime(CLOCK_REALTIME, &now);
    const int64_t seconds = total < now.tv_sec ? now.tv_sec - total : 0;
    *out = seconds * SECOND + now.tv_nsec;
    return 0;
}

int when_parse(int64_t *out, const char *option, const char *text, bool is_end)
{
    int64_t moment, span;
    if (read_date(&moment, &span, text) == 0) {
        *out = is_end ? moment + span * SECOND - 1 : moment;
        return 0;
    }
    if (read_ago(&moment, text) == 0) {
        *out = moment;
        return 0;
    }
    return error_set(ERR_INVALID,
                     "'%.64s' of --%s is no time: write 2026-11-30, '2026-11-30 14:05' or how long "
                     "ago (90m, 12h, 7d)",
                     text, option);
}
