/*
 * One thread, one loop. Whoever can reach the port may try what he likes, so everything has a
 * bound: connections, the memory of each, and its life as a whole (a client that sends a byte now
 * and then is never idle). The oldest make room before there is none. An answer ends the
 * connection. The server is asked a few times a second at most, however many ask here.
 */
#include "tools/emsad/metrics.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/exit_status.h"
#include "tools/common/log.h"
#include "tools/emsad/channel.h"
#include "tools/emsad/meter.h"
#include "tools/emsad/sandbox.h"
#include "tools/service/metrics.h"

#define CLIENTS_MAX 64u
#define CLIENTS_AT_EASE 48u /* with more than these, the oldest is ended for each new one */
#define CLIENT_BYTES 16384u
#define LIFE_MILLISECONDS 15000  /* of a connection, as a whole */
#define IDLE_SECONDS 5           /* and while nothing comes or goes */
#define ANSWER_MILLISECONDS 2000 /* for the server to answer */
#define FRESH_MILLISECONDS 100   /* how long an answer serves others too */
#define LISTENER_MILLISECONDS 5000

struct client {
    int fd;      /* -1: free */
    int64_t end; /* the moment when it has had its time */
};

struct exporting {
    int channel; /* to the supervisor; borrowed */
    int server;  /* -1: there is none just now */
    struct MHD_Daemon *http;
    struct client clients[CLIENTS_MAX];
    unsigned client_count;
    bool has_text;
    size_t size;
    int64_t fresh; /* until when text need not be asked for again, nor that there is none */
    char text[METRICS_BYTES_MAX];
};

/* What the server says */

static void lose_server(struct exporting *exporting)
{
    descriptor_close(&exporting->server);
    exporting->fresh = 0;
}

/* An answer to an earlier question, which came too late, is not that to the next. What a server
 * said that has ended is not said any more. */
static void drop_late_answers(struct exporting *exporting)
{
    char late;
    ssize_t size;
    do
        size = recv(exporting->server, &late, sizeof late, MSG_DONTWAIT);
    while (size > 0);
    if (size == 0 || errno != EAGAIN)
        lose_server(exporting);
}

static bool ask_server(struct exporting *exporting)
{
    if (exporting->server >= 0)
        drop_late_answers(exporting);
    if (exporting->server < 0)
        return false;
    if (send(exporting->server, "?", 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ||
        descriptor_wait(exporting->server, POLLIN, deadline_in(ANSWER_MILLISECONDS)) != 0)
        return false;
    ssize_t size = recv(exporting->server, exporting->text, sizeof exporting->text, MSG_DONTWAIT);
    if (size <= 0) {
        lose_server(exporting);
        return false;
    }
    exporting->size = (size_t)size;
    return exporting->text[0] != METER_NONE;
}

static void refresh(struct exporting *exporting)
{
    if (exporting->fresh != 0 && deadline_left(exporting->fresh) > 0)
        return;
    exporting->has_text = ask_server(exporting);
    exporting->fresh = deadline_in(FRESH_MILLISECONDS);
}

/* What clients ask */

struct header {
    const char *name, *value;
};

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned status, const char *text,
                             size_t size, const struct header *also)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return MHD_NO;
    (void)MHD_add_response_header(response, "Connection", "close");
    (void)MHD_add_response_header(response, "Content-Type",
                                  status == MHD_HTTP_OK ? METRICS_CONTENT_TYPE
                                                        : "text/plain; charset=utf-8");
    if (also != NULL)
        (void)MHD_add_response_header(response, also->name, also->value);
    enum MHD_Result queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result reply_line(struct MHD_Connection *connection, unsigned status,
                                  const char *line, const struct header *also)
{
    return reply(connection, status, line, strlen(line), also);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_size, void **seen)
{
    static const struct header allowed = {"Allow", "GET, HEAD"}, later = {"Retry-After", "1"};
    struct exporting *exporting = arg;
    (void)version, (void)data, (void)data_size, (void)seen;
    if (strcmp(url, "/metrics") != 0)
        return reply_line(connection, MHD_HTTP_NOT_FOUND, "not here: metrics are at /metrics\n",
                          NULL);
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return reply_line(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "metrics are read only\n",
                          &allowed);
    refresh(exporting);
    if (!exporting->has_text)
        return reply_line(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                          "the server does not answer, or is being replaced: ask again\n", &later);
    return reply(connection, MHD_HTTP_OK, exporting->text, exporting->size, NULL);
}

/* Who they are, and how long they may stay */

static void end_client(const struct client *client)
{
    (void)shutdown(client->fd, SHUT_RDWR); /* which libmicrohttpd sees, and closes it */
}

static struct client *oldest_client(struct exporting *exporting)
{
    struct client *oldest = NULL;
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        struct client *each = &exporting->clients[i];
        if (each->fd >= 0 && each->end >= 0 && (oldest == NULL || each->end < oldest->end))
            oldest = each;
    }
    return oldest;
}

static void client_came(struct exporting *exporting, struct client **out, int fd)
{
    if (++exporting->client_count > CLIENTS_AT_EASE) {
        struct client *oldest = oldest_client(exporting);
        if (oldest != NULL) {
            end_client(oldest);
            oldest->end = -1;
        }
    }
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        struct client *each = &exporting->clients[i];
        if (each->fd >= 0)
            continue;
        *each = (struct client){.fd = fd, .end = deadline_in(LIFE_MILLISECONDS)};
        *out = each;
        return;
    }
    (void)shutdown(fd, SHUT_RDWR); /* one more than there may be: it was counted nowhere */
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct exporting *exporting = arg;
    struct client *client = *context;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        if (info != NULL)
            client_came(exporting, &client, info->connect_fd);
        *context = client;
        return;
    }
    exporting->client_count--;
    if (client != NULL)
        client->fd = -1;
}

/* Ends those that have had their time. Milliseconds until the next one has; -1: there is none. */
static int end_old_clients(struct exporting *exporting)
{
    for (;;) {
        struct client *oldest = oldest_client(exporting);
        if (oldest == NULL)
            return -1;
        int left = deadline_left(oldest->end);
        if (left > 0)
            return left;
        end_client(oldest);
        oldest->end = -1;
    }
}

static void on_log(void *arg, const char *format, va_list arguments)
{
    (void)arg, (void)format, (void)arguments; /* of what clients do; nobody wants to read it */
}

/* The loop */

static int begin_http(struct exporting *exporting, int listener)
{
    exporting->http = MHD_start_daemon(
        MHD_USE_EPOLL, 0, NULL, NULL, on_request, exporting, MHD_OPTION_EXTERNAL_LOGGER, on_log,
        NULL, MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT, CLIENTS_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CLIENT_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
        IDLE_SECONDS, MHD_OPTION_NOTIFY_CONNECTION, on_connection, exporting, MHD_OPTION_END);
    if (exporting->http != NULL)
        return 0;
    descriptor_close(&listener);
    return error_set(ERR_IO, "cannot serve HTTP");
}

static int take(struct exporting *exporting, const struct channel_message *message, int *fd)
{
    int given = *fd;
    *fd = -1;
    if (message->kind == CHANNEL_LISTENER && exporting->http == NULL)
        return begin_http(exporting, given);
    if (message->kind == CHANNEL_METRICS) {
        lose_server(exporting);
        exporting->server = given;
        return 0;
    }
    descriptor_close(&given);
    return error_set(ERR_IO, "the supervisor sent what a metrics process does not take");
}

/* All that the supervisor has said. 1: it is gone. */
static int listen_to_supervisor(struct exporting *exporting)
{
    for (;;) {
        struct channel_message message;
        struct channel_descriptors descriptors;
        int outcome = channel_receive(exporting->channel, &message, &descriptors);
        if (outcome != 0)
            return outcome == 2 ? 0 : outcome;
        outcome = take(exporting, &message, &descriptors.fd[0]);
        channel_descriptors_release(&descriptors);
        if (outcome < 0)
            return outcome;
    }
}

static int patience(struct exporting *exporting)
{
    MHD_UNSIGNED_LONG_LONG idle;
    int life = end_old_clients(exporting);
    if (MHD_get_timeout(exporting->http, &idle) != MHD_YES || idle > LIFE_MILLISECONDS)
        return life;
    return life < 0 || (int)idle < life ? (int)idle : life;
}

/* One turn. 1: the supervisor is gone. */
static int turn(struct exporting *exporting)
{
    const union MHD_DaemonInfo *info =
        exporting->http == NULL ? NULL
                                : MHD_get_daemon_info(exporting->http, MHD_DAEMON_INFO_EPOLL_FD);
    struct pollfd entries[] = {{.fd = exporting->channel, .events = POLLIN},
                               {.fd = info == NULL ? -1 : info->epoll_fd, .events = POLLIN},
                               {.fd = exporting->server, .events = POLLIN}};
    int wait = info == NULL ? LISTENER_MILLISECONDS : patience(exporting);
    int count = poll(entries, 3, wait);
    if (count < 0)
        return errno == EINTR ? 0 : error_system(errno, "cannot wait for work");
    if (count == 0 && info == NULL)
        return error_set(ERR_IO, "the supervisor says nothing");
    if (entries[2].revents != 0)
        drop_late_answers(exporting);
    int outcome = entries[0].revents != 0 ? listen_to_supervisor(exporting) : 0;
    if (outcome == 0 && exporting->http != NULL)
        (void)MHD_run(exporting->http);
    return outcome;
}

int metrics_run(int channel)
{
    static struct exporting exporting = {.server = -1};
    log_setup("emsad metrics");
    exporting.channel = channel;
    for (unsigned i = 0; i < CLIENTS_MAX; i++)
        exporting.clients[i].fd = -1;
    int outcome = sandbox_annex(CALLS_METRICS);
    while (outcome == 0)
        outcome = turn(&exporting);
    if (outcome < 0)
        log_error("%s", error_text());
    if (exporting.http != NULL)
        MHD_stop_daemon(exporting.http);
    descriptor_close(&exporting.server);
    return exit_status(outcome < 0 ? outcome : 0);
}
