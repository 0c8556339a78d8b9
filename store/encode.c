#include "store/encode.h"

#include <stdint.h>
#include <string.h>

/* Where out is NULL, bytes are counted and not written: a size and what is written cannot differ.
 */
struct sink {
    unsigned char *out;
    size_t size;
};

static void put(struct sink *sink, unsigned char byte)
{
    if (sink->out)
        sink->out[sink->size] = byte;
    sink->size++;
}

static void put_bytes(struct sink *sink, const void *data, size_t size)
{
    if (sink->out && size > 0)
        memcpy(sink->out + sink->size, data, size);
    sink->size += size;
}

/* Not isalnum: the locale must not decide. */
static bool is_unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static void put_url(struct sink *sink, const unsigned char *data, size_t size)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < size; i++) {
        if (is_unreserved(data[i])) {
            put(sink, data[i]);
        } else {
            put(sink, '%');
            put(sink, (unsigned char)digits[data[i] >> 4]);
            put(sink, (unsigned char)digits[data[i] & 15]);
        }
    }
}

static void put_base64(struct sink *sink, const unsigned char *data, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t bits = (uint32_t)data[i] << 16;
        if (left > 1)
            bits |= (uint32_t)data[i + 1] << 8;
        if (left > 2)
            bits |= data[i + 2];
        put(sink, (unsigned char)digits[bits >> 18 & 63]);
        put(sink, (unsigned char)digits[bits >> 12 & 63]);
        put(sink, left > 1 ? (unsigned char)digits[bits >> 6 & 63] : '=');
        put(sink, left > 2 ? (unsigned char)digits[bits & 63] : '=');
    }
}

/* How many bytes follow a lead byte, and between what the first of them must be (Unicode, table
 * 3-7): that alone keeps out overlong forms, surrogates and what is past the end. -1: no lead. */
static int utf8_follow(unsigned char lead, unsigned char *least, unsigned char *most)
{
    *least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    *most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (lead < 0x80)
        return 0;
    if (lead < 0xc2 || lead > 0xf4)
        return -1;
    return lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
}

size_t utf8_next(const unsigned char *data, size_t size, bool *good)
{
    unsigned char least, most;
    int follow = utf8_follow(data[0], &least, &most);
    size_t length = 1;
    for (int i = 0; i < follow; i++, length++) {
        if (length == size || data[length] < least || data[length] > most)
            break;
        least = 0x80;
        most = 0xbf;
    }
    *good = follow >= 0 && length == (size_t)follow + 1;
    return length;
}

static void put_json_control(struct sink *sink, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    static const char shorts[] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    put(sink, '\\');
    if (c < sizeof(shorts) && shorts[c]) {
        put(sink, (unsigned char)shorts[c]);
    } else {
        put_bytes(sink, "u00", 3);
        put(sink, (unsigned char)digits[c >> 4]);
        put(sink, (unsigned char)digits[c & 15]);
    }
}

static void put_json(struct sink *sink, const unsigned char *data, size_t size)
{
    put(sink, '"');
    for (size_t i = 0, length; i < size; i += length) {
        bool good;
        length = utf8_next(data + i, size - i, &good);
        if (data[i] < 0x20) {
            put_json_control(sink, data[i]);
        } else if (data[i] == '"' || data[i] == '\\') {
            put(sink, '\\');
            put(sink, data[i]);
        } else if (good) {
            put_bytes(sink, data + i, length);
        } else {
            put_bytes(sink, "\xef\xbf\xbd", 3);
        }
    }
    put(sink, '"');
}

static size_t filtered(enum template_filter filter, unsigned char *out, const void *data,
                       size_t size)
{
    struct sink sink = {.out = out};
    switch (filter) {
    case TEMPLATE_AS_IS:
        put_bytes(&sink, data, size);
        break;
    case TEMPLATE_URL:
        put_url(&sink, data, size);
        break;
    case TEMPLATE_JSON:
        put_json(&sink, data, size);
        break;
    case TEMPLATE_BASE64:
        put_base64(&sink, data, size);
        break;
    }
    return sink.size;
}

size_t encode_size(enum template_filter filter, const void *data, size_t size)
{
    if (filter == TEMPLATE_AS_IS)
        return size;
    if (filter == TEMPLATE_BASE64)
        return (size + 2) / 3 * 4;
    return filtered(filter, NULL, data, size);
}

void encode(enum template_filter filter, unsigned char *out, const void *data, size_t size)
{
    if (out)
        filtered(filter, out, data, size);
}
