#include "tools/emsad/line_form.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "store/audit_record.h"

#define IDENTIFIER "emsa-audit"
/* Of every line: `journalctl MESSAGE_ID=...` finds them. */
#define MESSAGE_ID "6d0b5f4c3a1e4f5a9a5be2c7d8e10f42"
#define FIELD_NAME_MAX 32u

/* What people look for first is loudest. */
static int priority_of(const char *line, size_t size)
{
    static const struct {
        const char *event;
        int priority;
    } table[] = {{"read", LOG_INFO},     {"commit", LOG_INFO},   {"denied", LOG_WARNING},
                 {"lost", LOG_ERR},      {"rights", LOG_NOTICE}, {"start", LOG_NOTICE},
                 {"stop", LOG_NOTICE},   {"unlock", LOG_NOTICE}, {"begin", LOG_NOTICE},
                 {"auditor", LOG_NOTICE}};
    char event[16] = "";
    (void)audit_line_field(line, size, "event", event, sizeof event);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(event, table[i].event) == 0)
            return table[i].priority;
    return LOG_NOTICE;
}

/* A value with bytes that end a text is preceded by its length. */
static void put_field(struct bytes *out, const char *name, const char *value, size_t size)
{
    uint8_t length[8];
    if (memchr(value, '\n', size) == NULL) {
        bytes_append_format(out, "%s=", name);
    } else {
        for (unsigned i = 0; i < sizeof length; i++)
            length[i] = (uint8_t)((uint64_t)size >> 8 * i);
        bytes_append_format(out, "%s\n", name);
        bytes_append(out, length, sizeof length);
    }
    bytes_append(out, value, size);
    bytes_append(out, "\n", 1);
}

/* Up to the name of a field; what is behind it is left out. */
static size_t size_before(const char *line, size_t size, const char *mark)
{
    const char *at = memmem(line, size, mark, strlen(mark));
    return at != NULL ? (size_t)(at - line) : size;
}

/* "read open uid=0 ...": what there is to say, without what proves it. */
static void put_message(struct bytes *out, const char *line, size_t size)
{
    size_t end = size_before(line, size, " chain="), begin = size_before(line, end, "event=");
    begin = begin == end ? 0 : begin + strlen("event=");
    put_field(out, "MESSAGE", line + begin, end - begin);
}

/* False: of that name there is no field. */
static bool name_field(char out[static FIELD_NAME_MAX], const char *name, size_t size)
{
    size_t used = (size_t)snprintf(out, FIELD_NAME_MAX, "EMSA_");
    if (size == 0 || used + size >= FIELD_NAME_MAX)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (name[i] < 'a' || name[i] > 'z')
            return false;
        out[used + i] = (char)toupper((unsigned char)name[i]);
    }
    out[used + size] = '\0';
    return true;
}

static void put_word(struct bytes *out, const char *word, size_t size)
{
    const char *equals = memchr(word, '=', size);
    char name[FIELD_NAME_MAX], key[FIELD_NAME_MAX], value[AUDIT_LINE_MAX];
    size_t length = equals != NULL ? (size_t)(equals - word) : 0;
    if (!name_field(name, word, length))
        return;
    (void)snprintf(key, sizeof key, "%.*s", (int)length, word);
    if (audit_line_field(word, size, key, value, sizeof value))
        put_field(out, name, value, strlen(value));
}

void line_form_journald(struct bytes *out, const char *line, size_t size, const char *store)
{
    put_message(out, line, size);
    bytes_append_format(out,
                        "PRIORITY=%d\nSYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=" IDENTIFIER
                        "\nMESSAGE_ID=" MESSAGE_ID "\n",
                        priority_of(line, size), LOG_FAC(LOG_AUTHPRIV));
    put_field(out, "EMSA_STORE", store, strlen(store));
    for (size_t at = 0; at < size;) {
        const char *space = memchr(line + at, ' ', size - at);
        size_t end = space == NULL ? size : (size_t)(space - line);
        put_word(out, line + at, end - at);
        at = end + 1;
    }
}

void line_form_syslog(struct bytes *out, const char *line, size_t size, pid_t pid, time_t now)
{
    char text[32];
    struct tm parts;
    if (localtime_r(&now, &parts) == NULL ||
        strftime(text, sizeof text, "%b %e %H:%M:%S", &parts) == 0)
        (void)snprintf(text, sizeof text, "Jan  1 00:00:00");
    bytes_append_format(out, "<%d>%s " IDENTIFIER "[%d]: ", LOG_AUTHPRIV | priority_of(line, size),
                        text, (int)pid);
    bytes_append(out, line, size_before(line, size, " mac="));
}
