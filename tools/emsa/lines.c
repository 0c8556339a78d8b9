#include "tools/emsa/lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "store/error.h"

#define CHUNK (256u * 1024u)

/* Moves what is left to the front and reads more behind it. */
static int fill(struct lines *lines)
{
    struct secret *buffer = &lines->buffer;
    size_t left = buffer->size - lines->at;
    if (buffer->data != NULL && lines->at > 0)
        memmove(buffer->data, buffer->data + lines->at, left);
    buffer->size = left;
    lines->at = 0;
    if (left > LINE_SIZE_MAX)
        return error_set(ERR_INVALID, "a line of more than %u bytes", LINE_SIZE_MAX);
    int error = 0;
    if (buffer->data == NULL)
        error = secret_alloc(buffer, CHUNK);
    else if (buffer->capacity == left)
        error = secret_grow(buffer, buffer->capacity + buffer->capacity / 2);
    if (error < 0)
        return error;
    for (;;) {
        ssize_t count = read(lines->fd, buffer->data + left, buffer->capacity - left);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return error_system(errno, "cannot read the file");
        buffer->size = left + (size_t)count;
        lines->ended = count == 0;
        return 0;
    }
}

int lines_next(struct lines *lines, const char **text, size_t *size)
{
    size_t looked = 0;
    for (;;) {
        size_t left = lines->buffer.size - lines->at;
        const unsigned char *begin = left > 0 ? lines->buffer.data + lines->at : NULL;
        const unsigned char *end =
            left > looked ? memchr(begin + looked, '\n', left - looked) : NULL;
        if (end != NULL || (lines->ended && left > 0)) {
            *text = (const char *)begin;
            *size = end != NULL ? (size_t)(end - begin) : left;
            lines->at += *size + (end != NULL ? 1 : 0);
            lines->number++;
            return 0;
        }
        if (lines->ended)
            return 1;
        looked = left;
        int error = fill(lines);
        if (error < 0)
            return error;
    }
}

int lines_rewind(struct lines *lines)
{
    if (lseek(lines->fd, 0, SEEK_SET) < 0)
        return error_set(ERR_INVALID, "it is read twice, and so must be a file, not a pipe");
    secret_clear(&lines->buffer);
    lines->at = 0;
    lines->number = 0;
    lines->ended = false;
    return 0;
}

void lines_release(struct lines *lines)
{
    secret_release(&lines->buffer);
}
