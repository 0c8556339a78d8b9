#include "store/codec.h"

#include <string.h>

#include "store/error.h"

static void put_little(struct bytes *out, uint64_t value, size_t size)
{
    unsigned char *place = bytes_reserve(out, size);
    if (!place)
        return;
    for (size_t i = 0; i < size; i++)
        place[i] = (unsigned char)(value >> (8 * i));
    out->size += size;
}

void put_u8(struct bytes *out, uint8_t value)
{
    put_little(out, value, 1);
}

void put_u16(struct bytes *out, uint16_t value)
{
    put_little(out, value, 2);
}

void put_u32(struct bytes *out, uint32_t value)
{
    put_little(out, value, 4);
}

void put_u64(struct bytes *out, uint64_t value)
{
    put_little(out, value, 8);
}

void put_i64(struct bytes *out, int64_t value)
{
    put_little(out, (uint64_t)value, 8);
}

/* A size that its length field can't hold is a failure, never a cut. */
static int fits(struct bytes *out, size_t size, size_t maximum)
{
    if (size <= maximum)
        return 1;
    if (!out->error)
        out->error = error_set(ERR_INVALID, "a field of %zu bytes, at most %zu", size, maximum);
    return 0;
}

void put_short(struct bytes *out, const void *data, size_t size)
{
    if (!fits(out, size, UINT8_MAX))
        return;
    put_u8(out, (uint8_t)size);
    bytes_append(out, data, size);
}

void put_long(struct bytes *out, const void *data, size_t size)
{
    if (!fits(out, size, UINT32_MAX))
        return;
    put_u32(out, (uint32_t)size);
    bytes_append(out, data, size);
}

const unsigned char *take_bytes(struct decoder *in, size_t size)
{
    if (in->failed || size > in->left) {
        in->failed = true;
        return NULL;
    }
    const unsigned char *data = in->data;
    /* An empty record may have no data at all, and NULL + 0 is undefined. */
    if (size > 0)
        in->data += size;
    in->left -= size;
    return data ? data : (const unsigned char *)"";
}

static uint64_t take_little(struct decoder *in, size_t size)
{
    const unsigned char *data = take_bytes(in, size);
    uint64_t value = 0;
    for (size_t i = 0; data && i < size; i++)
        value |= (uint64_t)data[i] << (8 * i);
    return value;
}

uint8_t take_u8(struct decoder *in)
{
    return (uint8_t)take_little(in, 1);
}

uint16_t take_u16(struct decoder *in)
{
    return (uint16_t)take_little(in, 2);
}

uint32_t take_u32(struct decoder *in)
{
    return (uint32_t)take_little(in, 4);
}

uint64_t take_u64(struct decoder *in)
{
    return take_little(in, 8);
}

int64_t take_i64(struct decoder *in)
{
    return (int64_t)take_little(in, 8);
}

void take_copy(struct decoder *in, void *out, size_t size)
{
    const unsigned char *data = take_bytes(in, size);
    if (data)
        memcpy(out, data, size);
    else
        memset(out, 0, size);
}

static const unsigned char *take_sized(struct decoder *in, size_t *size, size_t length,
                                       size_t maximum)
{
    if (length > maximum)
        in->failed = true;
    const unsigned char *data = take_bytes(in, length);
    *size = data ? length : 0;
    return data;
}

const unsigned char *take_short(struct decoder *in, size_t *size, size_t maximum)
{
    size_t length = take_u8(in);
    return take_sized(in, size, length, maximum);
}

const unsigned char *take_long(struct decoder *in, size_t *size, size_t maximum)
{
    size_t length = take_u32(in);
    return take_sized(in, size, length, maximum);
}

void take_text(struct decoder *in, char *out, size_t capacity)
{
    size_t size = 0;
    const unsigned char *data = take_short(in, &size, capacity - 1);
    if (data && memchr(data, '\0', size)) {
        in->failed = true;
        size = 0;
    }
    if (size > 0)
        memcpy(out, data, size);
    out[size] = '\0';
}

int decoder_end(const struct decoder *in, const char *what)
{
    if (in->failed)
        return error_set(ERR_CORRUPT, "%s: shorter than it says, or a size out of bounds", what);
    if (in->left > 0)
        return error_set(ERR_CORRUPT, "%s: %zu bytes too many", what, in->left);
    return 0;
}
