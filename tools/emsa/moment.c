#include "tools/emsa/moment.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "store/error.h"

#define SECOND INT64_C(1000000000)

int64_t moment_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

const char *moment_text(char out[static MOMENT_TEXT_MAX], int64_t moment)
{
    time_t seconds = (time_t)(moment / SECOND);
    long rest = (long)(moment % SECOND);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    size_t length = strftime(out, MOMENT_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &parts);
    if (rest != 0) {
        length += (size_t)snprintf(out + length, MOMENT_TEXT_MAX - length, ".%09ld", rest);
        while (out[length - 1] == '0')
            length--;
    }
    snprintf(out + length, MOMENT_TEXT_MAX - length, "Z");
    return out;
}

/* Digits of a fixed number, then a character. */
static bool take(const char **text, int digits, char behind, int *out)
{
    int value = 0;
    for (int i = 0; i < digits; i++, (*text)++) {
        if (**text < '0' || **text > '9')
            return false;
        value = value * 10 + (**text - '0');
    }
    *out = value;
    if (behind == '\0')
        return true;
    if (**text != behind)
        return false;
    (*text)++;
    return true;
}

static bool take_fraction(const char **text, int64_t *out)
{
    int64_t unit = SECOND;
    *out = 0;
    if (**text != '.')
        return true;
    for ((*text)++; **text >= '0' && **text <= '9'; (*text)++) {
        unit /= 10;
        if (unit == 0)
            return false;
        *out += (**text - '0') * unit;
    }
    return unit < SECOND;
}

int moment_parse(int64_t *out, const char *text)
{
    struct tm parts = {0}, again;
    int64_t fraction = 0;
    const char *at = text;
    bool good = take(&at, 4, '-', &parts.tm_year) && take(&at, 2, '-', &parts.tm_mon) &&
                take(&at, 2, 'T', &parts.tm_mday) && take(&at, 2, ':', &parts.tm_hour) &&
                take(&at, 2, ':', &parts.tm_min) && take(&at, 2, '\0', &parts.tm_sec) &&
                take_fraction(&at, &fraction) && strcmp(at, "Z") == 0 && parts.tm_year >= 1970 &&
                parts.tm_year < 2200;
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    again = parts;
    time_t seconds = good ? timegm(&again) : 0;
    if (!good || again.tm_mon != parts.tm_mon || again.tm_mday != parts.tm_mday ||
        again.tm_hour != parts.tm_hour || again.tm_min != parts.tm_min)
        return error_set(ERR_INVALID, "'%.64s' is no moment: write it as 2026-11-30T22:00:00Z",
                         text);
    *out = (int64_t)seconds * SECOND + fraction;
    return 0;
}
