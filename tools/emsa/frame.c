#include "tools/emsa/frame.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/json_text.h"
#include "tools/common/varlink.h"

#define HEAD_SIZE 12
#define VALUES_MAX (512u * 1024u * 1024u)

void frame_release(struct frame *frame)
{
    json_decref(frame->object);
    secret_release(&frame->values);
    *frame = (struct frame){0};
}

static int write_all(int fd, const void *data, size_t size)
{
    const char *at = data;
    while (size > 0) {
        ssize_t count = write(fd, at, size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return error_system(errno, "cannot write to the other side");
        at += count;
        size -= (size_t)count;
    }
    return 0;
}

/* 1: the end, before any of it. */
static int read_all(int fd, void *data, size_t size)
{
    char *at = data;
    size_t left = size;
    while (left > 0) {
        ssize_t count = read(fd, at, left);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return error_system(errno, "cannot read from the other side");
        if (count == 0)
            return left == size
                       ? 1
                       : error_set(ERR_IO, "the other side closed in the midst of a message");
        at += count;
        left -= (size_t)count;
    }
    return 0;
}

/* The rest of what has begun. */
static int read_rest(int fd, void *data, size_t size)
{
    int error = read_all(fd, data, size);
    return error == 1 ? error_set(ERR_IO, "the other side closed in the midst of a message")
                      : error;
}

static void put(unsigned char *to, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (unsigned char)(value >> (8 * (size - 1 - i)));
}

static uint64_t take(const unsigned char *from, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | from[i];
    return value;
}

int frame_send(int fd, const json_t *object, const struct piece *pieces, size_t count)
{
    unsigned char head[HEAD_SIZE];
    uint64_t total = 0;
    char *text;
    for (size_t i = 0; i < count; i++)
        total += pieces[i].size;
    int error = json_text(&text, object, JSON_COMPACT, "");
    if (error < 0)
        return error;
    size_t size = strlen(text);
    if (size > VARLINK_MESSAGE_MAX || total > VALUES_MAX)
        error = error_set(ERR_INVALID, "a message of %zu bytes with values of %llu is too large",
                          size, (unsigned long long)total);
    put(head, size, 4);
    put(head + 4, total, 8);
    if (error == 0)
        error = write_all(fd, head, sizeof head);
    if (error == 0)
        error = write_all(fd, text, size);
    for (size_t i = 0; i < count && error == 0; i++)
        error = write_all(fd, pieces[i].data, pieces[i].size);
    free(text);
    return error;
}

static int read_object(int fd, json_t **out, size_t size)
{
    json_error_t reason;
    char *text = malloc(size > 0 ? size : 1);
    if (text == NULL)
        return error_set(ERR_NOMEM, "no memory for a message");
    int error = read_rest(fd, text, size);
    if (error == 0) {
        *out = json_loadb(text, size, JSON_REJECT_DUPLICATES, &reason);
        if (!json_is_object(*out))
            error = error_set(ERR_INVALID, "what came is no JSON object");
    }
    free(text);
    return error;
}

int frame_receive(int fd, struct frame *out)
{
    unsigned char head[HEAD_SIZE];
    int error = read_all(fd, head, sizeof head);
    if (error != 0)
        return error;
    uint64_t size = take(head, 4), values = take(head + 4, 8);
    if (size > VARLINK_MESSAGE_MAX || values > VALUES_MAX)
        return error_set(ERR_INVALID, "what came is no message, or too large");
    struct frame frame = {0};
    error = read_object(fd, &frame.object, size);
    if (error == 0 && values > 0)
        error = secret_alloc(&frame.values, values);
    if (error == 0 && values > 0)
        error = read_rest(fd, frame.values.data, values);
    if (error < 0) {
        frame_release(&frame);
        return error;
    }
    frame.values.size = values;
    *out = frame;
    return 0;
}
