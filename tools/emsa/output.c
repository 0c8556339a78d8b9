#include "tools/emsa/output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "store/error.h"
#include "store/limits.h"

#define SECOND 1000000000
#define NOTE_MAX 8192

int output_bytes(const void *data, size_t size)
{
    const unsigned char *from = data;
    if (fflush(stdout) != 0)
        return error_system(errno, "cannot write to stdout");
    while (size > 0) {
        ssize_t count = write(STDOUT_FILENO, from, size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return error_system(errno, "cannot write to stdout");
        from += count;
        size -= (size_t)count;
    }
    return 0;
}

/* Bytes of the UTF-8 character that begins at text; 1 for what is none. */
static size_t character_size(const unsigned char *text)
{
    size_t size = text[0] < 0xc2 ? 1 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
    for (size_t i = 1; i < size; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 1;
    return size;
}

static bool is_steering(const unsigned char *text, size_t size)
{
    return size == 1 ? text[0] < 0x20 || text[0] >= 0x7f : text[0] == 0xc2 && text[1] < 0xa0;
}

/* Words of ours, with what another machine said or somebody called something in them: to stderr,
 * further lines indented, and nothing that steers a terminal. In one piece, beside what others
 * write there. */
static void say(const char *before, const char *words)
{
    const unsigned char *text = (const unsigned char *)words;
    char *said = NULL;
    size_t said_size;
    FILE *out = open_memstream(&said, &said_size);
    if (out == NULL)
        return;
    fputs(before, out);
    for (size_t size; *text != '\0'; text += size) {
        size = character_size(text);
        if (*text == '\n')
            fputs("\n  ", out);
        else if (is_steering(text, size))
            fputc('?', out);
        else
            fwrite(text, 1, size, out);
    }
    fputc('\n', out);
    if (fclose(out) == 0)
        fwrite(said, 1, said_size, stderr);
    free(said);
}

void output_failure(int error)
{
    const char *text = error_text();
    say("emsa: ", text[0] != '\0' ? text : error_word(error));
}

void output_note(const char *format, ...)
{
    char text[NOTE_MAX];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    say("emsa: note: ", text);
}

void output_tame(char *out, size_t capacity, const char *text)
{
    const unsigned char *from = (const unsigned char *)text;
    size_t used = 0;
    while (*from != '\0') {
        size_t size = character_size(from);
        bool steers = is_steering(from, size);
        if (used + (steers ? 1 : size) >= capacity)
            break;
        if (steers)
            out[used++] = '?';
        for (size_t i = 0; !steers && i < size; i++)
            out[used++] = (char)from[i];
        from += size;
    }
    out[used] = '\0';
}

size_t output_line(char *out, size_t capacity, const char *text)
{
    char line[REASON_MAX + 1];
    size_t length = strcspn(text, "\r\n");
    snprintf(line, sizeof line, "%.*s", (int)length, text);
    output_tame(out, capacity, line);
    return length;
}

void output_first_line(char *out, size_t capacity, const char *text)
{
    if (text[output_line(out, capacity - sizeof " ...", text)] != '\0')
        memcpy(out + strlen(out), " ...", sizeof " ...");
}

const char *output_member(json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

int output_json(json_t *object)
{
    if (object == NULL)
        return error_set(ERR_NOMEM, "no memory for a JSON text");
    int failed = json_dumpf(object, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
    putchar('\n');
    json_decref(object);
    return failed != 0 ? error_set(ERR_IO, "cannot write to stdout") : 0;
}

int output_flush(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    fprintf(stderr, "emsa: cannot write to stdout: %s\n", strerror(errno));
    return -1;
}

bool output_is_terminal(void)
{
    return isatty(STDOUT_FILENO) == 1;
}

bool output_coloured(void)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    return output_is_terminal() && (no_colour == NULL || no_colour[0] == '\0') &&
           (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

const char *time_text(char out[static TIME_TEXT_MAX], int64_t nanoseconds)
{
    time_t seconds = (time_t)(nanoseconds / SECOND);
    struct tm parts;
    if (localtime_r(&seconds, &parts) == NULL ||
        strftime(out, TIME_TEXT_MAX, "%Y-%m-%d %H:%M:%S", &parts) == 0)
        snprintf(out, TIME_TEXT_MAX, "%" PRId64, nanoseconds);
    return out;
}

const char *number_text(char out[static SIZE_TEXT_MAX], int64_t number)
{
    snprintf(out, SIZE_TEXT_MAX, "%" PRId64, number);
    return out;
}

const char *plural_text(uint64_t number)
{
    return number == 1 ? "" : "s";
}

/* So much of a key tells it from any other that one meets, and can be compared by eye. */
#define KEY_DIGITS 16

const char *output_author(char out[static AUTHOR_TEXT_MAX], json_t *object)
{
    json_t *signer = json_object_get(object, "signer");
    const char *key = json_string_value(json_object_get(signer, "key"));
    const char *name = json_string_value(json_object_get(signer, "name"));
    char author[256];
    output_tame(author, sizeof author, output_member(object, "author"));
    if (author[0] == '\0')
        out[0] = '\0';
    else if (key == NULL)
        snprintf(out, AUTHOR_TEXT_MAX, "%s, unsigned", author);
    else if (name != NULL)
        snprintf(out, AUTHOR_TEXT_MAX, "%s, signed by id:%s", author, name);
    else
        snprintf(out, AUTHOR_TEXT_MAX, "%s, signed by %s%.*s", author,
                 json_is_true(json_object_get(signer, "known")) ? "" : "an unknown key ",
                 KEY_DIGITS, key);
    return out;
}
