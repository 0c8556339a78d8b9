#include "store/audit/line.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PUBLIC_MARK "emsa1"
#define VALUE_WRITTEN_MAX 1024u /* so that a line has room for all of them */

__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...)
{
    size_t room = sizeof(line->text) - line->size;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line->text + line->size, room, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= room)
        line->is_cut = true;
    else
        line->size += (size_t)length;
}

static void add_name(struct line *line, const char *name)
{
    add(line, "%s%s=", line->size > 0 ? " " : "", name);
}

void line_number(struct line *line, const char *name, uint64_t value)
{
    add_name(line, name);
    add(line, "%" PRIu64, value);
}

void line_text(struct line *line, const char *name, const char *value)
{
    add_name(line, name);
    const size_t most = line->size + VALUE_WRITTEN_MAX - 3;
    for (const unsigned char *at = (const unsigned char *)value; *at != '\0' && line->size <= most;
         at++)
        add(line, *at > ' ' && *at < 0x7f && *at != '%' ? "%c" : "%%%02x", *at);
}

void hex_write(char *out, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * size] = '\0';
}

void line_hex(struct line *line, const char *name, const uint8_t *bytes, size_t size)
{
    add_name(line, name);
    for (size_t i = 0; i < size; i++)
        add(line, "%02x", bytes[i]);
}

void line_time(struct line *line, const char *name, int64_t nanoseconds)
{
    char text[40];
    struct tm parts;
    time_t seconds = (time_t)(nanoseconds / 1000000000);
    if (gmtime_r(&seconds, &parts) == NULL ||
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts) == 0)
        text[0] = '\0';
    add_name(line, name);
    add(line, "%s.%06dZ", text, (int)(nanoseconds % 1000000000 / 1000));
}

static void line_who(struct line *line, const struct audit_event *event,
                     const struct audit_facts *facts)
{
    line_number(line, "uid", event->uid);
    line_number(line, "pid", (uint64_t)(event->pid > 0 ? event->pid : 0));
    if (event->identity[0] != '\0')
        line_text(line, "as", event->identity);
    if (facts != NULL && facts->program != NULL)
        line_text(line, "program", facts->program);
    if (facts != NULL && facts->cgroup != NULL)
        line_text(line, "cgroup", facts->cgroup);
    if (facts != NULL && facts->container != NULL)
        line_text(line, "container", facts->container);
}

/* How the text of an event is called. */
static const char *name_of_text(unsigned kind)
{
    switch (kind) {
    case AUDIT_START:
    case AUDIT_UNLOCK:
    case AUDIT_AUDITOR:
        return "identity";
    case AUDIT_COMMIT:
    case AUDIT_RIGHTS:
    case AUDIT_REBUILD:
        return "hash";
    default:
        return "path";
    }
}

void line_event(struct line *line, const struct audit_event *event, const struct audit_facts *facts)
{
    const char *path = facts != NULL ? facts->path : NULL;
    line_time(line, "time", event->time);
    line_text(line, "event", audit_kind_word(event->kind));
    if (event->door != AUDIT_DOOR_NONE)
        line_text(line, "door", audit_door_word(event->door));
    if (event->method[0] != '\0')
        line_text(line, "method", event->method);
    line_who(line, event, facts);
    if (event->view != 0)
        line_number(line, "view", event->view);
    if (event->environment != 0) {
        line_number(line, "environment", event->environment);
        if (event->service != 0)
            line_number(line, "service", event->service);
        if (event->name_id != 0)
            line_number(line, "name", event->name_id);
    }
    if (event->text[0] != '\0')
        line_text(line, name_of_text(event->kind), event->text);
    else if (path != NULL)
        line_text(line, "path", path);
    if (event->rev != 0)
        line_number(line, "rev", event->rev);
    if (event->count != 0)
        line_number(line, "count", event->count);
    if (event->since != 0)
        line_time(line, "since", event->since);
}

void chain_on(uint8_t chain[static BLAKE_SIZE], const char *text, size_t size)
{
    uint8_t before[BLAKE_SIZE];
    memcpy(before, chain, sizeof(before));
    const struct hash_part parts[] = {{.data = before, .size = sizeof(before)},
                                      {.data = text, .size = size}};
    hash_parts(chain, "emsa-audit-1", parts, 2);
}

void line_close(struct line *line, uint8_t chain[static BLAKE_SIZE], const struct evolving *key)
{
    uint8_t mac[BLAKE_SIZE];
    chain_on(chain, line->text, line->size);
    evolving_mac(key, mac, chain);
    line_hex(line, "chain", chain, BLAKE_SIZE);
    line_hex(line, "mac", mac, sizeof(mac));
    add(line, "\n");
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_read(uint8_t *out, size_t size, const char *text)
{
    for (size_t i = 0; i < size; i++) {
        int high = digit(text[2 * i]), low = high < 0 ? -1 : digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool public_read(uint8_t out[static EVOLVING_SIZE], const char *text)
{
    size_t mark = strlen(PUBLIC_MARK);
    return strncmp(text, PUBLIC_MARK, mark) == 0 && strlen(text) == mark + 128 &&
           hex_read(out, EVOLVING_SIZE, text + mark);
}

#define CHAIN_MARK " chain="
#define MAC_MARK " mac="
#define TAIL (sizeof(CHAIN_MARK) - 1 + HEX_HASH + sizeof(MAC_MARK) - 1 + HEX_HASH)

bool line_parse(struct parsed_line *out, const char *line, size_t size)
{
    char number[24] = "";
    if (size <= TAIL || size >= AUDIT_LINE_MAX || memchr(line, '\0', size) != NULL ||
        !audit_line_field(line, size, "n", number, sizeof(number)))
        return false;
    const char *tail = line + size - TAIL;
    const char *mac = tail + sizeof(CHAIN_MARK) - 1 + HEX_HASH;
    char *end;
    out->number = strtoull(number, &end, 10);
    out->text_size = size - TAIL;
    return strncmp(line, "n=", 2) == 0 && number[0] >= '1' && number[0] <= '9' && *end == '\0' &&
           memcmp(tail, CHAIN_MARK, sizeof(CHAIN_MARK) - 1) == 0 &&
           memcmp(mac, MAC_MARK, sizeof(MAC_MARK) - 1) == 0 &&
           hex_read(out->chain, BLAKE_SIZE, tail + sizeof(CHAIN_MARK) - 1) &&
           hex_read(out->mac, BLAKE_SIZE, mac + sizeof(MAC_MARK) - 1);
}

static void decode(char *out, size_t room, const char *value, size_t size)
{
    size_t made = 0;
    for (size_t i = 0; i < size && made + 1 < room; i++) {
        uint8_t byte = (uint8_t)value[i];
        if (value[i] == '%' && i + 2 < size && hex_read(&byte, 1, value + i + 1))
            i += 2;
        out[made++] = (char)byte;
    }
    out[made] = '\0';
}

bool audit_line_field(const char *line, size_t size, const char *name, char *out, size_t room)
{
    size_t length = strlen(name);
    for (size_t at = 0; at < size;) {
        const char *space = memchr(line + at, ' ', size - at);
        size_t end = space == NULL ? size : (size_t)(space - line);
        if (end - at > length && memcmp(line + at, name, length) == 0 && line[at + length] == '=') {
            decode(out, room, line + at + length + 1, end - at - length - 1);
            return true;
        }
        at = end + 1;
    }
    return false;
}
