/*
 * The memory of libyaml. What it reads may be a secret, and its buffers grow by moving: each copy
 * that it gives back would stay in the heap as it was. libyaml calls its own allocator by name, and
 * a program's definition of such a name stands before the library's, so these four take its place:
 * every block knows its size and is wiped before it goes. yaml_memory_wipes tells whether that
 * holds in this build.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "tools/emsa/yaml.h"

struct block {
    size_t size;
    max_align_t data[];
};

static _Thread_local size_t wiped;

size_t yaml_memory_wiped(void)
{
    return wiped;
}

static struct block *block_of(void *pointer)
{
    return (struct block *)((char *)pointer - offsetof(struct block, data));
}

/* Declared in a header that libyaml keeps to itself. */
void *yaml_malloc(size_t size);
void *yaml_realloc(void *pointer, size_t size);
void yaml_free(void *pointer);
yaml_char_t *yaml_strdup(const yaml_char_t *text);

void *yaml_malloc(size_t size)
{
    if (size > SIZE_MAX - sizeof(struct block))
        return NULL;
    struct block *block = malloc(sizeof *block + (size > 0 ? size : 1));
    if (block == NULL)
        return NULL;
    block->size = size;
    return (char *)block + offsetof(struct block, data);
}

void yaml_free(void *pointer)
{
    if (pointer == NULL)
        return;
    struct block *block = block_of(pointer);
    wiped += block->size;
    explicit_bzero(block->data, block->size);
    free(block);
}

void *yaml_realloc(void *pointer, size_t size)
{
    void *moved = yaml_malloc(size);
    if (moved == NULL || pointer == NULL)
        return moved;
    size_t kept = block_of(pointer)->size;
    memcpy(moved, pointer, kept < size ? kept : size);
    yaml_free(pointer);
    return moved;
}

yaml_char_t *yaml_strdup(const yaml_char_t *text)
{
    if (text == NULL)
        return NULL;
    size_t size = strlen((const char *)text) + 1;
    yaml_char_t *copy = yaml_malloc(size);
    return copy != NULL ? memcpy(copy, text, size) : NULL;
}
