#include "tools/emsad/credentials.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/log.h"
#include "tools/emsad/channel.h"

#define SEND_MILLISECONDS 5000
#define AGAIN_MILLISECONDS 100
#define FOR_ROOT_ALONE 0600
#define BUFFER_SIZE (4 * 1024 * 1024) /* a whole value at once, also for who reads it late */

int credentials_begin(struct credentials *credentials, const char *path, const char *environment)
{
    credentials->path = path;
    credentials->environment = environment;
    if (path[0] == '\0')
        return 0;
    return socket_file_listen(&credentials->listener, &credentials->file, path, FOR_ROOT_ALONE,
                              SOMAXCONN, "credentials");
}

int credentials_descriptor(const struct credentials *credentials)
{
    bool may = credentials->count < CREDENTIALS_HELD_MAX && credentials->again < 0;
    return may ? credentials->listener : -1;
}

static int hand(const struct credentials *credentials, size_t index, const struct child *server,
                bool is_spoilt)
{
    struct channel_message message = {.kind = CHANNEL_CREDENTIAL,
                                      .view = credentials->held[index].id,
                                      .flags = is_spoilt ? CHANNEL_SPOILT : 0};
    (void)snprintf(message.text, sizeof message.text, "%s", credentials->environment);
    return channel_send(server->channel, &message, &credentials->held[index].fd, 1,
                        SEND_MILLISECONDS);
}

int credentials_accept(struct credentials *credentials, const struct child *server)
{
    int error = 0, size = BUFFER_SIZE;
    while (error == 0 && credentials->count < CREDENTIALS_HELD_MAX) {
        int fd = accept4(credentials->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
            if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
                return 0;
            /* whoever waits still waits, and would have us come back at once and without end */
            log_warning("cannot accept who asks for a credential: %s", strerror(errno));
            credentials->again = deadline_in(AGAIN_MILLISECONDS);
            return 0;
        }
        /* Where that is not allowed it goes out in pieces. */
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
        credentials->held[credentials->count].fd = fd;
        credentials->held[credentials->count].id = ++credentials->last_id;
        error = hand(credentials, credentials->count++, server, false);
    }
    return error;
}

int credentials_served(struct credentials *credentials, const struct child *server)
{
    int error = 0;
    for (size_t i = 0; error == 0 && i < credentials->count; i++)
        error = hand(credentials, i, server, true);
    return error;
}

void credentials_lent(struct credentials *credentials, uint32_t id)
{
    for (size_t i = 0; i < credentials->count; i++)
        if (credentials->held[i].id == id) {
            descriptor_close(&credentials->held[i].fd);
            credentials->held[i] = credentials->held[--credentials->count];
            return;
        }
}

void credentials_hide(struct credentials *credentials)
{
    if (credentials->listener >= 0)
        socket_file_hide(&credentials->file, credentials->path);
    descriptor_close(&credentials->listener);
}

void credentials_end(struct credentials *credentials)
{
    credentials_hide(credentials);
    while (credentials->count > 0)
        descriptor_close(&credentials->held[--credentials->count].fd);
}
