#include "tools/emsa/hidden.h"

#include <string.h>

#define LEAST 4096u

static int make_room(struct secret *out, size_t size)
{
    if (out->capacity - out->size >= size)
        return 0;
    size_t wanted = out->size + size;
    size_t capacity = out->capacity + out->capacity / 2;
    if (capacity < LEAST)
        capacity = LEAST;
    if (capacity < wanted)
        capacity = wanted;
    return out->data == NULL ? secret_alloc(out, capacity) : secret_grow(out, capacity);
}

int hidden_append(struct secret *out, const void *data, size_t size)
{
    if (size == 0)
        return 0;
    int error = make_room(out, size);
    if (error < 0)
        return error;
    memcpy(out->data + out->size, data, size);
    out->size += size;
    return 0;
}

int hidden_append_text(struct secret *out, const char *text)
{
    return hidden_append(out, text, strlen(text));
}

int hidden_append_encoded(struct secret *out, enum template_filter filter, const void *data,
                          size_t size)
{
    size_t wanted = encode_size(filter, data, size);
    if (wanted == 0)
        return 0;
    int error = make_room(out, wanted);
    if (error < 0)
        return error;
    encode(filter, out->data + out->size, data, size);
    out->size += wanted;
    return 0;
}
