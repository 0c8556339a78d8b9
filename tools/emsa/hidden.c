#include "tools/emsa/hidden.h"

#include <string.h>

#define LEAST 4096u

int hidden_append(struct secret *out, const void *data, size_t size)
{
    if (size == 0)
        return 0;
    if (out->capacity - out->size < size) {
        size_t wanted = out->size + size;
        size_t capacity = out->capacity + out->capacity / 2;
        if (capacity < LEAST)
            capacity = LEAST;
        if (capacity < wanted)
            capacity = wanted;
        int error = out->data == NULL ? secret_alloc(out, capacity) : secret_grow(out, capacity);
        if (error < 0)
            return error;
    }
    memcpy(out->data + out->size, data, size);
    out->size += size;
    return 0;
}

int hidden_append_text(struct secret *out, const char *text)
{
    return hidden_append(out, text, strlen(text));
}
