#include "store/log/remains.h"

#include <string.h>

#include "store/codec.h"
#include "store/error.h"
#include "store/template.h"

void remains_make(struct bytes *out, struct slice body)
{
    const unsigned char *text;
    struct template_piece piece;
    struct template template = {0};
    if (value_decode(&text, &template.size, OPERATION_SET_TEMPLATE, body)) {
        error_clear();
        return;
    }
    template.text = (const char *)text;
    for (size_t from = 0; !template_next(&template, &piece); from = template.at)
        if (piece.kind == TEMPLATE_REFERENCE)
            bytes_append(out, template.text + from, template.at - from);
    if (template.at != template.size)
        error_clear();
}

struct slice remains_in(struct slice body)
{
    return (struct slice){(const unsigned char *)body.data + VALUE_PURGED_SIZE,
                          body.size - VALUE_PURGED_SIZE};
}

bool remains_is_bare(struct slice remains)
{
    struct template_piece piece;
    struct template template = {.text = (const char *)remains.data, .size = remains.size};
    int found;
    while (!(found = template_next(&template, &piece)))
        if (piece.kind != TEMPLATE_REFERENCE)
            return false;
    if (found < 0)
        error_clear();
    return found == TEMPLATE_END;
}

void remains_add(uint8_t sum[static HASH_SIZE], uint64_t set_rev, uint32_t set_op,
                 struct slice remains)
{
    unsigned char room[12];
    struct bytes place = {.data = room, .capacity = sizeof room, .limit = sizeof room};
    uint8_t before[HASH_SIZE];
    memcpy(before, sum, HASH_SIZE);
    put_u64(&place, set_rev);
    put_u32(&place, set_op);
    const struct hash_part parts[] = {
        {before, HASH_SIZE}, {room, sizeof room}, {remains.data, remains.size}};
    hash_parts(sum, "emsa-remains-1", parts, 3);
}
