#include "tools/emsa/wanted.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "store/error.h"

int wanted_add(struct wanted *wanted, const char *name)
{
    if (wanted->count == wanted->capacity) {
        size_t capacity = wanted->capacity == 0 ? 8 : wanted->capacity * 2;
        struct wanted_name *list = realloc(wanted->list, capacity * sizeof *list);
        if (list == NULL)
            return error_set(ERR_NOMEM, "no memory for names");
        wanted->list = list;
        wanted->capacity = capacity;
    }
    snprintf(wanted->list[wanted->count++].text, sizeof wanted->list->text, "%s", name);
    return 0;
}

/* How much of a key is left without the word that says what kind of address it is. */
static size_t stem_of(const char *key)
{
    static const char *const endings[] = {"URL",      "URI",  "ADDR",    "ADDRESS", "ENDPOINT",
                                          "DSN",      "HOST", "SERVER",  "SERVERS", "ORIGIN",
                                          "HOSTPORT", "BASE", "BROKERS", "BROKER",  "TARGET"};
    size_t length = strlen(key);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t size = strlen(endings[i]);
        if (length < size || strcasecmp(key + length - size, endings[i]) != 0)
            continue;
        if (length == size)
            return 0;
        if (strchr("_-.", key[length - size - 1]) != NULL)
            return length - size - 1;
    }
    return length;
}

/* The first label of a host, as keys are written: db-1.internal is DB_1. */
static void host_stem(char out[static KEY_NAME_MAX + 1], const char *host, size_t size)
{
    size_t at = 0;
    if (isdigit((unsigned char)host[0])) { /* an address: its numbers are no name */
        snprintf(out, KEY_NAME_MAX + 1, "SERVER");
        return;
    }
    for (; at < size && at < SERVICE_NAME_MAX && host[at] != '.' && host[at] != ':'; at++)
        out[at] = isalnum((unsigned char)host[at]) ? (char)toupper((unsigned char)host[at]) : '_';
    out[at] = '\0';
}

int wanted_add_part(struct wanted *wanted, const char *key, const char *part, size_t size)
{
    char name[KEY_NAME_MAX + 1], host[KEY_NAME_MAX + 1];
    const char *ending = memchr(part, ':', size) != NULL ? "_ADDR" : "_HOST";
    size_t stem = stem_of(key);
    size_t most = KEY_NAME_MAX - strlen(ending);
    if (stem == 0) {
        host_stem(host, part, size);
        key = host;
        stem = strlen(host);
    }
    snprintf(name, sizeof name, "%.*s%s", (int)(stem < most ? stem : most), key, ending);
    return wanted_add(wanted, name);
}

static int compare(const void *left, const void *right)
{
    return strcmp(((const struct wanted_name *)left)->text,
                  ((const struct wanted_name *)right)->text);
}

void wanted_most(struct wanted *wanted, char out[static KEY_NAME_MAX + 1])
{
    size_t best = 0, most = 0;
    qsort(wanted->list, wanted->count, sizeof *wanted->list, compare);
    for (size_t first = 0, next; first < wanted->count; first = next) {
        for (next = first + 1;
             next < wanted->count && compare(&wanted->list[first], &wanted->list[next]) == 0;)
            next++;
        if (next - first > most) {
            most = next - first;
            best = first;
        }
    }
    memcpy(out, wanted->list[best].text, KEY_NAME_MAX + 1);
}

void wanted_release(struct wanted *wanted)
{
    free(wanted->list);
    *wanted = (struct wanted){0};
}
