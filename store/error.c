#include "store/error.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* One buffer a thread, so that a failure needs no memory of its own. */
static __thread struct {
    char text[ERROR_TEXT_MAX];
    size_t length;
} last;

/* A row for each code: index is the code. */
static const char *const words[ERR_COUNT] = {
    [ERR_NOMEM] = "no-memory", [ERR_IO] = "io",
    [ERR_CORRUPT] = "corrupt", [ERR_FORMAT] = "format",
    [ERR_FULL] = "full",       [ERR_NO_KEY] = "no-key",
    [ERR_INVALID] = "invalid", [ERR_NOT_FOUND] = "not-found",
    [ERR_REFUSED] = "refused", [ERR_CONFLICT] = "conflict",
    [ERR_DENIED] = "denied",   [ERR_BUSY] = "busy",
    [ERR_PURGED] = "purged",
};

/* Where text that went on past its end is cut: before its last line break, else at its end. */
static size_t cut(const char *text, size_t length)
{
    const char *line_end = memrchr(text, '\n', length);
    return line_end && line_end > text ? (size_t)(line_end - text) : length;
}

/* Makes text the last one; whole is what vsnprintf said of it. */
static void replace_text(const char *text, int whole)
{
    size_t length = whole < 0 ? 0 : strnlen(text, ERROR_TEXT_MAX - 1);
    size_t kept = whole >= ERROR_TEXT_MAX ? cut(text, length) : length;
    memcpy(last.text, text, kept);
    last.text[kept] = '\0';
    last.length = kept;
}

int(error_set)(enum error_code code, const char *format, ...)
{
    int saved = errno;
    /* A buffer of its own first: the arguments may point into the text that is replaced. */
    char text[ERROR_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    replace_text(text, vsnprintf(text, sizeof(text), format, arguments));
    va_end(arguments);
    errno = saved;
    return -(int)code;
}

static enum error_code code_of_errno(int errno_value)
{
    switch (errno_value) {
    case ENOMEM:
        return ERR_NOMEM;
    case ENOSPC:
    case EDQUOT:
        return ERR_FULL;
    case EACCES:
    case EPERM:
        return ERR_DENIED;
    case ENOENT:
        return ERR_NOT_FOUND;
    default:
        return ERR_IO;
    }
}

int(error_system)(int errno_value, const char *format, ...)
{
    char text[ERROR_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    const char *words_for_it = strerrordesc_np(errno_value);
    if (!words_for_it)
        return error_set(code_of_errno(errno_value), "%s: error %d", text, errno_value);
    return error_set(code_of_errno(errno_value), "%s: %c%s", text,
                     tolower((unsigned char)words_for_it[0]), words_for_it + 1);
}

int(error_add)(enum error_code code, const char *format, ...)
{
    int saved = errno;
    char text[ERROR_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    int whole = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    size_t length = strlen(text);
    if (last.length == 0) {
        replace_text(text, whole);
    } else if (last.length + 1 + length < sizeof(last.text)) {
        last.text[last.length] = '\n';
        memcpy(last.text + last.length + 1, text, length);
        last.length += 1 + length;
        last.text[last.length] = '\0';
    }
    errno = saved;
    return -(int)code;
}

const char *error_text(void)
{
    return last.text;
}

void error_clear(void)
{
    last.text[0] = '\0';
    last.length = 0;
}

const char *error_word(int error)
{
    if (error < 0 && error > -ERR_COUNT)
        error = -error;
    return error > 0 && error < ERR_COUNT ? words[error] : "unknown";
}

enum error_code error_from_word(const char *word)
{
    for (int code = 1; code < ERR_COUNT; code++)
        if (strcmp(word, words[code]) == 0)
            return (enum error_code)code;
    return (enum error_code)0;
}
