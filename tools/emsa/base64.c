#include "tools/emsa/base64.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "store/error.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int digit(unsigned char c)
{
    const char *found = c == '\0' ? NULL : strchr(digits, c);
    return found != NULL ? (int)(found - digits) : -1;
}

/* Four digits; how many bytes they are, or -1. */
static int decode_four(unsigned char out[3], const unsigned char in[4], bool last)
{
    uint32_t bits = 0;
    int padding = 0;
    for (int i = 0; i < 4; i++) {
        int value = digit(in[i]);
        if (in[i] == '=' && last && i >= 2)
            padding++;
        else if (value < 0 || padding > 0)
            return -1;
        bits = bits << 6 | (uint32_t)(value < 0 ? 0 : value);
    }
    if ((padding == 1 && (bits & 0xff) != 0) || (padding == 2 && (bits & 0xffff) != 0))
        return -1; /* bits that no encoder leaves */
    out[0] = (unsigned char)(bits >> 16);
    out[1] = (unsigned char)(bits >> 8);
    out[2] = (unsigned char)bits;
    return 3 - padding;
}

int base64_decode(struct secret *text, size_t size)
{
    unsigned char *from = size > 0 ? text->data + (text->size - size) : NULL;
    unsigned char *to = from;
    if (size % 4 != 0)
        return error_set(ERR_INVALID, "base64 of a length that is no multiple of 4");
    for (size_t i = 0; i < size; i += 4) {
        unsigned char three[3];
        int count = decode_four(three, from + i, i + 4 == size);
        if (count < 0)
            return error_set(ERR_INVALID, "something in base64 that does not belong there");
        memcpy(to, three, (size_t)count);
        to += count;
    }
    if (size > 0) {
        size_t now = (size_t)(to - text->data);
        explicit_bzero(to, text->size - now);
        text->size = now;
    }
    return 0;
}
