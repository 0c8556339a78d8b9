#include "tools/common/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/error.h"

static struct {
    const char *who;
    bool for_journal;
} setup = {.who = "emsa"};

/* $JOURNAL_STREAM names the journal's end by device and inode; it is inherited also where stderr
 * has been turned elsewhere since. */
static bool is_journal(int fd)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat status;
    return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           fstat(fd, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

void log_setup(const char *who)
{
    setup.who = who;
    setup.for_journal = is_journal(STDERR_FILENO);
}

static const char *word(enum log_level level)
{
    switch (level) {
    case LOG_LEVEL_ERROR:
        return "error: ";
    case LOG_LEVEL_WARNING:
        return "warning: ";
    default:
        return "";
    }
}

int log_format(char out[static LOG_LINE_MAX + 1], enum log_level level, int for_journal,
               const char *text, int length)
{
    char priority[8] = "";
    if (for_journal)
        (void)snprintf(priority, sizeof priority, "<%d>", (int)level);
    int size =
        snprintf(out, LOG_LINE_MAX, "%s%s: %s%.*s", priority, setup.who, word(level), length, text);
    if (size < 0)
        return 0;
    if (size > LOG_LINE_MAX - 1)
        size = LOG_LINE_MAX - 1;
    /* A name that a caller sent must not draw on an administrator's terminal. */
    for (int i = 0; i < size; i++)
        if ((unsigned char)out[i] < ' ' || out[i] == 0x7f)
            out[i] = '?';
    out[size++] = '\n';
    out[size] = '\0';
    return size;
}

__attribute__((format(printf, 2, 0))) static void log_lines(enum log_level level,
                                                            const char *format, va_list arguments)
{
    char text[ERROR_TEXT_MAX + 256];
    if (vsnprintf(text, sizeof text, format, arguments) < 0)
        return;
    for (const char *line = text; *line != '\0';) {
        int length = (int)strcspn(line, "\n");
        char out[LOG_LINE_MAX + 1];
        int size = log_format(out, level, setup.for_journal, line, length);
        ssize_t written = write(STDERR_FILENO, out, (size_t)size);
        (void)written; /* there is nobody else to tell */
        line += length;
        if (*line == '\n')
            line++;
    }
}

void log_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_lines(LOG_LEVEL_ERROR, format, arguments);
    va_end(arguments);
}

void log_warning(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_lines(LOG_LEVEL_WARNING, format, arguments);
    va_end(arguments);
}

void log_info(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_lines(LOG_LEVEL_INFO, format, arguments);
    va_end(arguments);
}
