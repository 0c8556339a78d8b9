#include "tools/emsa/assignments.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/emsa/hidden.h"

#define MESSAGE_MAX 1024

void assignments_release(struct assignments *assignments)
{
    secret_release(&assignments->text);
    free(assignments->list);
    assignments->list = NULL;
    assignments->count = assignments->capacity = 0;
}

int assignments_fail(const struct assignments *assignments, unsigned line, const char *format, ...)
{
    char text[MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return error_set(ERR_INVALID, "%s, line %u: %s", assignments->file, line, text);
}

void assignments_note(const struct assignments *assignments, unsigned line, const char *format, ...)
{
    char text[MESSAGE_MAX];
    if (assignments->note == NULL)
        return;
    int head = snprintf(text, sizeof text, "%.512s, line %u: ", assignments->file, line);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + head, sizeof text - (size_t)head, format, arguments);
    va_end(arguments);
    assignments->note(text);
}

static struct assignment *find(struct assignments *assignments, const char *key)
{
    for (size_t i = 0; i < assignments->count; i++)
        if (strcmp(assignments->list[i].key, key) == 0)
            return &assignments->list[i];
    return NULL;
}

static int grow(struct assignments *assignments)
{
    if (assignments->count < assignments->capacity)
        return 0;
    size_t capacity = assignments->capacity == 0 ? 64 : assignments->capacity * 2;
    struct assignment *list = realloc(assignments->list, capacity * sizeof *list);
    if (list == NULL)
        return error_set(ERR_NOMEM, "no memory for %zu keys", capacity);
    assignments->list = list;
    assignments->capacity = capacity;
    return 0;
}

int assignments_begin(struct assignments *assignments, const char *key, size_t length,
                      unsigned line, struct assignment **out)
{
    char name[KEY_NAME_MAX + 1];
    if (name_check(NAME_KEY, key, length) < 0) {
        char why[MESSAGE_MAX];
        snprintf(why, sizeof why, "%s", error_text());
        return assignments_fail(assignments, line, "%s", why);
    }
    int error = grow(assignments);
    if (error < 0)
        return error;
    memcpy(name, key, length);
    name[length] = '\0';
    struct assignment *found = find(assignments, name);
    if (found != NULL)
        assignments_note(assignments, line, "'%s' stands in line %u already: the last one holds",
                         name, found->line);
    if (found == NULL || assignments->for_interpolation)
        found = &assignments->list[assignments->count++];
    *found = (struct assignment){.offset = assignments->text.size, .line = line};
    memcpy(found->key, name, length + 1);
    *out = found;
    return 0;
}

int assignments_append(struct assignments *assignments, const void *data, size_t size)
{
    return hidden_append(&assignments->text, data, size);
}

int assignments_end(struct assignments *assignments, struct assignment *assignment)
{
    assignment->size = assignments->text.size - assignment->offset;
    if (assignment->size <= VALUE_MAX)
        return 0;
    return assignments_fail(assignments, assignment->line, "the value of '%s' is over %u bytes",
                            assignment->key, VALUE_MAX);
}

const unsigned char *assignment_value(const struct assignments *assignments,
                                      const struct assignment *assignment)
{
    return assignment->size > 0 ? assignments->text.data + assignment->offset
                                : (const unsigned char *)"";
}
