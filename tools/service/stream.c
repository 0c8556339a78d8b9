#include "tools/service/stream.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"

#define STREAM_BUFFER (64u * 1024u)

int stream_begin(struct stream *stream, int fd, int deadline)
{
    *stream = (struct stream){.fd = fd, .deadline = deadline_in(deadline)};
    return secret_alloc(&stream->buffer, STREAM_BUFFER);
}

void stream_end(struct stream *stream)
{
    secret_release(&stream->buffer);
}

/* Some bytes, at least one, at most size. */
static int read_some(struct stream *stream, void *out, size_t size, size_t *got)
{
    if (stream->fd < 0)
        return error_set(ERR_INVALID, "an operation has neither a value nor a stream of values");
    for (;;) {
        int waited = descriptor_wait(stream->fd, POLLIN, stream->deadline);
        if (waited < 0)
            return waited;
        if (waited > 0)
            return error_set(ERR_IO, "the values did not come in time");
        ssize_t count = read(stream->fd, out, size);
        if (count > 0) {
            *got = (size_t)count;
            return 0;
        }
        if (count == 0)
            return error_set(ERR_INVALID, "the stream of values ended before its last value");
        if (errno != EINTR && errno != EAGAIN)
            return error_system(errno, "cannot read the stream of values");
    }
}

const unsigned char *stream_ready(struct stream *stream, size_t size)
{
    if (stream->buffer.data == NULL || stream->buffer.size - stream->at < size)
        return NULL;
    const unsigned char *data = stream->buffer.data + stream->at;
    stream->at += size;
    return data;
}

int stream_take(struct stream *stream, void *out, size_t size)
{
    unsigned char *to = out;
    while (size > 0) {
        size_t ready = stream->buffer.size - stream->at;
        size_t got;
        int error = 0;
        if (ready > 0) {
            got = ready < size ? ready : size;
            memcpy(to, stream->buffer.data + stream->at, got);
            stream->at += got;
        } else if (size >= STREAM_BUFFER) {
            error = read_some(stream, to, size, &got);
        } else {
            stream->at = 0;
            error = read_some(stream, stream->buffer.data, STREAM_BUFFER, &stream->buffer.size);
            got = 0;
        }
        if (error < 0)
            return error;
        to += got;
        size -= got;
    }
    return 0;
}
