/* The stream of values that comes with a call: one run of bytes, of which the parameters name the
 * sizes. It may hold secrets, so its buffer is in the locked arena. */
#ifndef EMSA_TOOLS_SERVICE_STREAM_H
#define EMSA_TOOLS_SERVICE_STREAM_H

#include <stdint.h>

#include "store/secret.h"

struct stream {
    int fd;
    int64_t deadline;
    struct secret buffer;
    size_t at;
};

/* fd is borrowed, or -1 for an empty stream; deadline in milliseconds from now, -1: none.
 * ERR_NOMEM. */
int stream_begin(struct stream *stream, int fd, int deadline);
void stream_end(struct stream *stream);

/* Exactly size bytes. ERR_INVALID: the stream ended before; ERR_IO: broken, or the deadline passed.
 */
int stream_take(struct stream *stream, void *out, size_t size);

/* The same bytes where they lie, taken, where all of them are here already; NULL: stream_take
 * brings them. Borrowed until the stream is asked again. */
const unsigned char *stream_ready(struct stream *stream, size_t size);

#endif
