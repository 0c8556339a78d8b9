#include "store/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"

#define FIRST_CAPACITY 256u

static int grow(struct bytes *bytes, size_t needed)
{
    size_t capacity = bytes->capacity ? bytes->capacity : FIRST_CAPACITY;
    while (capacity < needed)
        capacity = capacity <= SIZE_MAX / 2 ? capacity * 2 : needed;
    if (capacity > bytes->limit)
        capacity = bytes->limit;
    unsigned char *data = realloc(bytes->data, capacity);
    if (!data)
        return error_set(ERR_NOMEM, "cannot get %zu bytes of memory", capacity);
    bytes->data = data;
    bytes->capacity = capacity;
    return 0;
}

unsigned char *bytes_reserve(struct bytes *bytes, size_t size)
{
    if (bytes->error)
        return NULL;
    if (size > bytes->limit || bytes->size > bytes->limit - size) {
        bytes->error = error_set(ERR_INVALID, "more than %zu bytes", bytes->limit);
        return NULL;
    }
    /* An empty reservation still gives a place to point at. */
    size_t needed = bytes->size + size;
    if (needed > bytes->capacity || !bytes->data)
        bytes->error = grow(bytes, needed ? needed : 1);
    return bytes->error ? NULL : bytes->data + bytes->size;
}

void bytes_append(struct bytes *bytes, const void *data, size_t size)
{
    if (size == 0)
        return;
    unsigned char *place = bytes_reserve(bytes, size);
    if (!place)
        return;
    memcpy(place, data, size);
    bytes->size += size;
}

void bytes_append_text(struct bytes *bytes, const char *text)
{
    bytes_append(bytes, text, strlen(text));
}

void bytes_append_format(struct bytes *bytes, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length > 0) {
        /* vsnprintf closes with a NUL, so it gets a buffer of its own: the limit is for content
         * only. */
        char *text = malloc((size_t)length + 1);
        if (text) {
            vsnprintf(text, (size_t)length + 1, format, again);
            bytes_append(bytes, text, (size_t)length);
            free(text);
        } else if (!bytes->error) {
            bytes->error = error_set(ERR_NOMEM, "cannot get %d bytes of memory", length);
        }
    }
    va_end(again);
}

void bytes_reset(struct bytes *bytes)
{
    bytes->size = 0;
    bytes->error = 0;
}

void bytes_release(struct bytes *bytes)
{
    if (!bytes)
        return;
    free(bytes->data);
    *bytes = BYTES_INIT(bytes->limit);
}
