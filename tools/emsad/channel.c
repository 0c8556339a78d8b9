#include "tools/emsad/channel.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "tools/common/descriptor.h"

_Static_assert(SETUP_DESCRIPTORS <= DESCRIPTORS_MAX, "SETUP fits one message");

size_t channel_setup_count(const int fds[static SETUP_DESCRIPTORS])
{
    return fds[SETUP_IDENTITY] < 0       ? SETUP_IDENTITY
           : fds[SETUP_IDENTITY_KEY] < 0 ? SETUP_IDENTITY_KEY
                                         : SETUP_DESCRIPTORS;
}

void channel_descriptors_release(struct channel_descriptors *descriptors)
{
    for (int i = 0; i < SETUP_DESCRIPTORS; i++)
        descriptor_close(&descriptors->fd[i]);
    descriptors->count = 0;
}

/* Most messages have no text, and thousands of views are handed over in a row: SETUP and
 * HELD alone go whole, and AUDIT, which has two texts. */
static size_t size_of(const struct channel_message *message)
{
    if (message->kind == CHANNEL_SETUP || message->kind == CHANNEL_HELD ||
        message->kind == CHANNEL_AUDIT)
        return sizeof *message;
    return offsetof(struct channel_message, text) +
           strnlen(message->text, sizeof message->text - 1) + 1;
}

int channel_send(int channel, const struct channel_message *message, const int fds[], size_t count,
                 int deadline)
{
    int64_t end = deadline_in(deadline);
    while (descriptor_send(channel, message, size_of(message), fds, count) < 0) {
        if (errno != EAGAIN)
            return error_system(errno, "cannot send to another process of emsad");
        int late = descriptor_wait(channel, POLLOUT, end);
        if (late < 0)
            return late;
        if (late > 0)
            return error_set(ERR_IO, "another process of emsad does not read what it is sent");
    }
    return 0;
}

struct channel_message *channel_copy(const struct channel_message *message)
{
    struct channel_message *copy = malloc(size_of(message));
    if (copy != NULL)
        memcpy(copy, message, size_of(message));
    return copy;
}

int channel_send_plain(int channel, enum channel_kind kind, uint32_t view, int deadline)
{
    struct channel_message message = {.kind = kind, .view = view};
    return channel_send(channel, &message, NULL, 0, deadline);
}

static int is_whole(const struct channel_message *message, size_t size)
{
    return size > offsetof(struct channel_message, text) && message->kind > 0 &&
           message->kind < CHANNEL_KIND_COUNT && message->init_size <= sizeof message->init &&
           memchr(message->text, '\0', sizeof message->text) != NULL &&
           memchr(message->identity, '\0', sizeof message->identity) != NULL;
}

int channel_receive(int channel, struct channel_message *out,
                    struct channel_descriptors *descriptors)
{
    struct channel_descriptors taken = {.fd = {-1, -1, -1, -1, -1, -1, -1}};
    _Static_assert(SETUP_DESCRIPTORS == 7, "one -1 for each, or a descriptor 0 would be closed");
    size_t count;
    int is_cut;
    memset(out, 0, sizeof *out);
    ssize_t size =
        descriptor_receive(channel, out, sizeof *out, taken.fd, SETUP_DESCRIPTORS, &count, &is_cut);
    if (size < 0 && errno == EAGAIN)
        return 2;
    if (size == 0 || (size < 0 && errno == ECONNRESET))
        return 1;
    if (size < 0)
        return error_system(errno, "cannot receive from another process of emsad");
    taken.count = (int)count;
    if (is_cut || !is_whole(out, (size_t)size)) {
        channel_descriptors_release(&taken);
        return error_set(ERR_IO, "another process of emsad sent what is no message");
    }
    *descriptors = taken;
    return 0;
}
