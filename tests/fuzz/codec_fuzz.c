/* The decoder: the input's first half says which fields are asked for, the rest is the record.
 * Nothing is read outside of it, and nothing comes after a failure. */
#include <stdlib.h>
#include <string.h>

#include "store/codec.h"
#include "tests/fuzz/target.h"

static void take_one(struct decoder *in, uint8_t which, const uint8_t *start, const uint8_t *end)
{
    size_t size = 0;
    char text[16];
    unsigned char copy[24];
    const unsigned char *data = start;
    switch (which % 9) {
    case 0:
        take_u8(in);
        break;
    case 1:
        take_u16(in);
        break;
    case 2:
        take_u32(in);
        break;
    case 3:
        take_u64(in);
        break;
    case 4:
        take_i64(in);
        break;
    case 5:
        data = take_short(in, &size, which);
        break;
    case 6:
        data = take_long(in, &size, (size_t)which << 4);
        break;
    case 7:
        take_text(in, text, sizeof(text));
        if (strnlen(text, sizeof(text)) == sizeof(text))
            abort();
        break;
    default:
        take_copy(in, copy, which % sizeof(copy));
    }
    if (size > 0 && (data < start || data + size > end))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t fields = size / 2;
    struct decoder in = DECODER(data + fields, size - fields);
    for (size_t i = 0; i < fields; i++) {
        bool had_failed = in.failed;
        size_t left = in.left;
        take_one(&in, data[i], data + fields, data + size);
        if (in.left > left || (had_failed && (in.left != left || !in.failed)))
            abort();
    }
    int error = decoder_end(&in, "record");
    if ((error == 0) != (!in.failed && in.left == 0))
        abort();
    return 0;
}
