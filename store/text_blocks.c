#include "store/text_blocks.h"

#include <stdlib.h>
#include <string.h>

/* Most have a few texts, and some a hundred thousand. */
#define SMALLEST ((size_t)1024)
#define LARGEST ((size_t)256 * 1024)

struct text_block {
    struct text_block *before;
    size_t used;
    size_t size;
    char data[];
};

static struct text_block *block_with(struct text_blocks *blocks, size_t size)
{
    struct text_block *last = blocks->last;
    if (last && last->size - last->used >= size)
        return last;
    size_t room = last ? 4 * last->size : SMALLEST;
    if (room > LARGEST)
        room = LARGEST;
    if (room < size)
        room = size;
    struct text_block *block = malloc(sizeof *block + room);
    if (!block)
        return NULL;
    *block = (struct text_block){.before = last, .size = room};
    blocks->last = block;
    return block;
}

const char *text_blocks_copy(struct text_blocks *blocks, const void *data, size_t size)
{
    struct text_block *block = block_with(blocks, size + 1);
    if (!block)
        return NULL;
    char *copy = block->data + block->used;
    if (size)
        memcpy(copy, data, size);
    copy[size] = '\0';
    block->used += size + 1;
    return copy;
}

const char *text_blocks_again(struct text_blocks *blocks, const char *before, const char *text)
{
    return before && strcmp(before, text) == 0 ? before
                                               : text_blocks_copy(blocks, text, strlen(text));
}

void text_blocks_release(struct text_blocks *blocks)
{
    while (blocks->last) {
        struct text_block *before = blocks->last->before;
        free(blocks->last);
        blocks->last = before;
    }
}
