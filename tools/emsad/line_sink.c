#include "tools/emsad/line_sink.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/emsad/line_form.h"

#define BUSY_MILLISECONDS 50     /* until one that has its hands full is asked again */
#define ABSENT_MILLISECONDS 1000 /* and one that is not there */

struct line_sink {
    int fd;
    enum line_sink_kind kind;
    struct sockaddr_un address;
    const char *store; /* borrowed */
    struct bytes datagram;
    unsigned char queue[LINE_SINK_QUEUE]; /* each with its size before it */
    size_t begin, end;                    /* of what waits */
    struct line_sink_status status;
};

static const struct {
    const char *word, *socket;
} kinds[] = {
    [LINE_SINK_NONE] = {"none", ""},
    [LINE_SINK_JOURNALD] = {"journald", "/run/systemd/journal/socket"},
    [LINE_SINK_SYSLOG] = {"syslog", "/dev/log"},
};

const char *line_sink_word(uint32_t kind)
{
    return kinds[kind < sizeof kinds / sizeof kinds[0] ? kind : LINE_SINK_NONE].word;
}

int line_sink_parse(struct line_sink_place *out, const char *text)
{
    const char *colon = strchr(text, ':');
    size_t length = colon != NULL ? (size_t)(colon - text) : strlen(text);
    struct line_sink_place place = {.kind = LINE_SINK_NONE};
    size_t kind = 0;
    while (kind < sizeof kinds / sizeof kinds[0] &&
           (strlen(kinds[kind].word) != length || memcmp(kinds[kind].word, text, length) != 0))
        kind++;
    if (kind == sizeof kinds / sizeof kinds[0] || (kind == LINE_SINK_NONE && colon != NULL))
        return error_set(ERR_INVALID,
                         "'%s' is no second place for the audit record: it is journald, syslog, "
                         "either with ':SOCKET', or none",
                         text);
    const char *socket = colon != NULL ? colon + 1 : kinds[kind].socket;
    if (colon != NULL && socket[0] != '/')
        return error_set(ERR_INVALID, "'%s' is no absolute path of a socket", socket);
    if (strlen(socket) >= sizeof place.socket)
        return error_set(ERR_INVALID, "the path of a socket has at most %zu bytes",
                         sizeof place.socket - 1);
    place.kind = (enum line_sink_kind)kind;
    memcpy(place.socket, socket, strlen(socket) + 1);
    *out = place;
    return 0;
}

int line_sink_open(struct line_sink **out, const struct line_sink_place *place, const char *store)
{
    struct line_sink *sink = calloc(1, sizeof *sink);
    if (sink == NULL)
        return error_set(ERR_NOMEM, "no memory for the second audit sink");
    sink->kind = place->kind;
    sink->store = store;
    sink->datagram = BYTES_INIT(LINE_FORM_MAX);
    sink->address.sun_family = AF_UNIX;
    memcpy(sink->address.sun_path, place->socket, sizeof place->socket);
    sink->fd = -1;
    if (place->kind != LINE_SINK_NONE)
        sink->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (place->kind != LINE_SINK_NONE && sink->fd < 0) {
        int error = error_system(errno, "cannot make a socket for the second audit sink");
        line_sink_close(sink);
        return error;
    }
    if (place->kind == LINE_SINK_SYSLOG)
        tzset(); /* its times are local */
    *out = sink;
    return 0;
}

void line_sink_close(struct line_sink *sink)
{
    if (sink == NULL)
        return;
    if (sink->fd >= 0)
        close(sink->fd);
    bytes_release(&sink->datagram);
    free(sink);
}

/* False: it was not taken. What no socket would ever take is taken for sent, and counted. */
static bool send_one(struct line_sink *sink, const void *data, size_t size)
{
    ssize_t sent = sendto(sink->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL,
                          (const struct sockaddr *)&sink->address, sizeof sink->address);
    sink->status.failing = sent < 0 ? errno : 0;
    if (sent < 0 && errno != EMSGSIZE)
        return false;
    if (sent < 0)
        sink->status.unsent++;
    return true;
}

static void enqueue(struct line_sink *sink, const void *data, size_t size)
{
    uint32_t length = (uint32_t)size;
    if (sink->begin > 0) {
        memmove(sink->queue, sink->queue + sink->begin, sink->end - sink->begin);
        sink->end -= sink->begin;
        sink->begin = 0;
    }
    if (sizeof length + size > sizeof sink->queue - sink->end) {
        sink->status.unsent++;
        return;
    }
    memcpy(sink->queue + sink->end, &length, sizeof length);
    memcpy(sink->queue + sink->end + sizeof length, data, size);
    sink->end += sizeof length + size;
}

int line_sink_push(struct line_sink *sink)
{
    while (sink->begin < sink->end) {
        uint32_t length;
        memcpy(&length, sink->queue + sink->begin, sizeof length);
        if (!send_one(sink, sink->queue + sink->begin + sizeof length, length))
            return sink->status.failing == EAGAIN || sink->status.failing == ENOBUFS
                       ? BUSY_MILLISECONDS
                       : ABSENT_MILLISECONDS;
        sink->begin += sizeof length + length;
    }
    sink->begin = sink->end = 0;
    return -1;
}

void line_sink_give(struct line_sink *sink, const char *line, size_t size)
{
    struct bytes *datagram = &sink->datagram;
    if (sink->kind == LINE_SINK_NONE)
        return;
    bytes_reset(datagram);
    if (sink->kind == LINE_SINK_JOURNALD)
        line_form_journald(datagram, line, size, sink->store);
    else
        line_form_syslog(datagram, line, size, getpid(), time(NULL));
    if (datagram->error != 0)
        sink->status.unsent++;
    else if (sink->begin < sink->end || !send_one(sink, datagram->data, datagram->size))
        enqueue(sink, datagram->data, datagram->size); /* in their order */
}

void line_sink_status(const struct line_sink *sink, struct line_sink_status *out)
{
    *out = sink->status;
}
