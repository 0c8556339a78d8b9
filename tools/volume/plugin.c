#include "tools/volume/plugin.h"

#include <inttypes.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "store/bytes.h"
#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/volume/reply.h"
#include "tools/volume/request.h"

#define CLIENTS_MAX                                                                                \
    1024u /* a runtime that is kept waiting when it has connected has asked in vain */
#define CLIENT_BYTES 16384u
#define READING_MILLISECONDS 2000 /* for a whole request */
#define LEAVING_MILLISECONDS 2000 /* for who was answered to read it */
#define FULL_MILLISECONDS 250     /* for either, where there is no room for others */
#define CONTENT_TYPE "application/vnd.docker.plugins.v1.1+json"

enum stage { STAGE_FREE, STAGE_READING, STAGE_WAITING, STAGE_LEAVING };

struct client {
    enum stage stage;
    bool is_ended; /* its socket is shut: libmicrohttpd sees that, and closes it */
    bool
        is_late; /* it has had its time, and what has come of it meanwhile is looked at once more */
    bool has_reply;
    int fd;
    struct plugin *plugin;
    struct MHD_Connection *connection; /* while it is suspended */
    int64_t end;                       /* of the answer, when it connected */
    int64_t since;                     /* when the stage began */
    struct bytes body;
    struct request request;
    struct reply reply;
};

struct plugin {
    struct MHD_Daemon *http;
    struct courier *courier;
    struct client clients[CLIENTS_MAX];
    unsigned client_count;
    bool is_resumed; /* an answer came that libmicrohttpd has not seen yet */
};

/* Answers */

static void enter(struct client *client, enum stage stage)
{
    client->stage = stage;
    client->is_late = false;
    client->since = deadline_in(0);
}

/* The reply that the client has goes out, and ends the connection. */
static enum MHD_Result answer(struct client *client, struct MHD_Connection *connection)
{
    const char *text = reply_text(&client->reply);
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return MHD_NO;
    (void)MHD_add_response_header(response, "Connection", "close");
    (void)MHD_add_response_header(response, "Content-Type", CONTENT_TYPE);
    enum MHD_Result queued = MHD_queue_response(connection, client->reply.status, response);
    MHD_destroy_response(response);
    enter(client, STAGE_LEAVING);
    return queued;
}

static enum MHD_Result refuse(struct client *client, struct MHD_Connection *connection)
{
    reply_fail(&client->reply, error_text());
    return answer(client, connection);
}

/* The server has answered, or did not. */
static void on_done(void *arg, const json_t *said, bool is_repeated)
{
    struct client *client = arg;
    if (said == NULL)
        reply_fail(&client->reply, error_text());
    else
        reply_make(&client->reply, &client->request, said, is_repeated);
    client->has_reply = true;
    client->plugin->is_resumed = true;
    MHD_resume_connection(client->connection); /* on_request is called once more */
}

/* Requests */

/* What can be said before the body has come. ERR_INVALID. */
static int look(struct MHD_Connection *connection, const char *method)
{
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
    if (strcmp(method, MHD_HTTP_METHOD_POST) != 0)
        return error_set(ERR_INVALID, "'%.16s' is no method of a volume plugin: it takes POST",
                         method);
    if (length != NULL && strtoumax(length, NULL, 10) > REQUEST_BODY_MAX)
        return error_set(ERR_INVALID, "a request has at most %u bytes", REQUEST_BODY_MAX);
    return 0;
}

/* The whole request is there. */
static enum MHD_Result begin(struct client *client, struct MHD_Connection *connection,
                             const char *path)
{
    static const unsigned char nothing;
    int error =
        client->body.error == -ERR_INVALID
            ? error_set(ERR_INVALID, "a request has at most %u bytes", REQUEST_BODY_MAX)
        : client->body.error != 0
            ? error_set(ERR_NOMEM, "cannot take a request: out of memory")
            : request_read(&client->request, path,
                           client->body.size > 0 ? client->body.data : &nothing, client->body.size);
    if (error == 0 && client->request.method == NULL) {
        reply_make(&client->reply, &client->request, NULL, false);
        return answer(client, connection);
    }
    if (error == 0)
        error = courier_call(client->plugin->courier, client->request.method,
                             client->request.parameters, client->end, client);
    if (error < 0)
        return refuse(client, connection);
    enter(client, STAGE_WAITING);
    client->connection = connection;
    MHD_suspend_connection(connection);
    return MHD_YES;
}

/* Called when the head of a request is there, for each piece of its body, when it is whole, and
 * when the connection goes on. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_size, void **seen)
{
    (void)arg, (void)version;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct client *client = info == NULL ? NULL : info->socket_context;
    if (client == NULL || client->stage == STAGE_LEAVING)
        return MHD_NO;
    if (*seen == NULL) {
        *seen = client;
        return look(connection, method) < 0 ? refuse(client, connection) : MHD_YES;
    }
    if (*data_size > 0) {
        bytes_append(&client->body, data, *data_size);
        *data_size = 0;
        return MHD_YES;
    }
    return client->has_reply ? answer(client, connection) : begin(client, connection, url);
}

/* Who they are, and how long they may stay */

static struct client *come(struct plugin *plugin, int fd)
{
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        struct client *client = &plugin->clients[i];
        if (client->stage != STAGE_FREE)
            continue;
        *client = (struct client){.fd = fd,
                                  .plugin = plugin,
                                  .end = deadline_in(PLUGIN_MILLISECONDS),
                                  .body = BYTES_INIT(REQUEST_BODY_MAX)};
        enter(client, STAGE_READING);
        plugin->client_count++;
        return client;
    }
    return NULL; /* libmicrohttpd takes no more than there is room for */
}

static void leave(struct client *client)
{
    client->plugin->client_count--;
    bytes_release(&client->body);
    request_release(&client->request);
    reply_release(&client->reply);
    client->stage = STAGE_FREE;
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*context != NULL)
            leave(*context);
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    *context = info == NULL ? NULL : come(arg, info->connect_fd);
}

/* Milliseconds that a client may stay yet; -1: until it is answered. */
static int time_of(const struct client *client)
{
    if (client->is_ended || client->stage == STAGE_FREE || client->stage == STAGE_WAITING)
        return -1;
    int patience = client->plugin->client_count >= CLIENTS_MAX ? FULL_MILLISECONDS
                   : client->stage == STAGE_READING            ? READING_MILLISECONDS
                                                               : LEAVING_MILLISECONDS;
    return deadline_left(client->since + patience);
}

/* A process that was kept from running has not looked at what came in time: nobody is ended before
 * another turn. */
static void end(struct client *client)
{
    if (client->is_late) {
        (void)shutdown(client->fd, SHUT_RDWR);
        client->is_ended = true;
    }
    client->is_late = true;
}

/* Ends those who have had their time; milliseconds until the next one has, -1: nobody. */
static int end_clients(struct plugin *plugin)
{
    int least = -1;
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        struct client *client = &plugin->clients[i];
        int left = time_of(client);
        if (left == 0)
            end(client);
        if (left > 0 || (left == 0 && !client->is_ended))
            least = least < 0 || left < least ? left : least;
    }
    return least;
}

/* The loop */

static void on_log(void *arg, const char *format, va_list arguments)
{
    (void)arg, (void)format, (void)arguments; /* of what clients do; nobody wants to read it */
}

static int begin_http(struct plugin *plugin, int listener)
{
    plugin->http = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, plugin,
        MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_LISTEN_SOCKET, listener,
        MHD_OPTION_CONNECTION_LIMIT, CLIENTS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CLIENT_BYTES, MHD_OPTION_NOTIFY_CONNECTION, on_connection, plugin, MHD_OPTION_END);
    if (plugin->http != NULL)
        return 0;
    descriptor_close(&listener);
    return error_set(ERR_IO, "cannot serve HTTP");
}

int plugin_new(struct plugin **out, int listener)
{
    struct plugin *plugin = calloc(1, sizeof *plugin);
    if (plugin == NULL) {
        descriptor_close(&listener);
        return error_set(ERR_NOMEM, "cannot serve volumes: out of memory");
    }
    int error = begin_http(plugin, listener);
    if (error == 0)
        error = courier_new(&plugin->courier, on_done);
    if (error < 0)
        plugin_free(plugin);
    else
        *out = plugin;
    return error;
}

void plugin_free(struct plugin *plugin)
{
    if (plugin == NULL)
        return;
    courier_free(plugin->courier);
    for (unsigned i = 0; i < CLIENTS_MAX; i++) /* it cannot end while one is suspended */
        if (plugin->clients[i].stage == STAGE_WAITING && !plugin->clients[i].has_reply)
            MHD_resume_connection(plugin->clients[i].connection);
    if (plugin->http != NULL)
        MHD_stop_daemon(plugin->http);
    free(plugin);
}

void plugin_connect(struct plugin *plugin, int fds[], size_t count)
{
    courier_connect(plugin->courier, fds, count);
}

bool plugin_is_short(const struct plugin *plugin)
{
    return courier_is_short(plugin->courier);
}

static int shorter(int one, int other)
{
    return one < 0 || (other >= 0 && other < one) ? other : one;
}

int plugin_poll(struct plugin *plugin, struct pollfd entries[static PLUGIN_ENTRIES])
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(plugin->http, MHD_DAEMON_INFO_EPOLL_FD);
    MHD_UNSIGNED_LONG_LONG idle;
    courier_poll(plugin->courier, entries);
    entries[COURIER_LINKS] =
        (struct pollfd){.fd = info == NULL ? -1 : info->epoll_fd, .events = POLLIN};
    int left = shorter(end_clients(plugin), courier_patience(plugin->courier));
    if (MHD_get_timeout(plugin->http, &idle) == MHD_YES && idle < PLUGIN_MILLISECONDS)
        left = shorter(left, (int)idle);
    return plugin->is_resumed ? 0 : left; /* which libmicrohttpd does not count */
}

static bool is_full(const struct plugin *plugin)
{
    return plugin->client_count >= CLIENTS_MAX;
}

void plugin_turn(struct plugin *plugin)
{
    courier_turn(plugin->courier);
    bool was_full = is_full(plugin);
    plugin->is_resumed = false;
    (void)MHD_run(plugin->http);
    if (was_full && !is_full(plugin))
        (void)MHD_run(plugin->http); /* listens again; the one before only made room */
    courier_turn(plugin->courier);   /* what has come goes out in the same turn */
}
