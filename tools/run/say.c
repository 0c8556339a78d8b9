#include "tools/run/say.h"

#include <stdarg.h>
#include <stdio.h>

int say(const char *format, ...)
{
    char line[3 * 4096]; /* two paths and some words */
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "emsa-run: %s\n", line);
    return RUN_REFUSED;
}

void say_lines(const char *lines)
{
    (void)fputs(lines, stderr);
}
