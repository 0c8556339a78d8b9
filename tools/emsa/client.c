#include "tools/emsa/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/varlink.h"
#include "tools/emsa/answer.h"
#include "tools/emsa/local.h"
#include "tools/emsa/pump.h"
#include "tools/emsa/remote.h"

#define OPEN_DEADLINE 10000 /* ms: a server that restarts, or another command that ends */
#define OPEN_PAUSE_MAX 50
/* How often a server may end with our call in its hands: so often that nobody loses one to an
 * administrator who kills servers in a loop (160 a second cost one call in 5,000 with 16), and not
 * for ever, if it is the call that they die of: those are started ever more slowly, so the time is
 * up first. */
#define ATTEMPTS_MAX 64
#define ATTEMPTS_LEAST 5
#define ATTEMPTS_MILLISECONDS 5000

#define BROKEN 1 /* the connection ended without an answer */

struct client {
    const struct place_of_store *place; /* NULL: on another machine */
    struct varlink *link;               /* one of the three */
    struct local *local;
    struct remote *remote;
    int (*prove)(void *arg, struct client *); /* NULL: nothing is proven */
    void *prove_arg;
    bool is_proven; /* on the present connection */
    bool is_held;   /* no other one is made */
};

static bool is_stranger(const struct place_of_store *place)
{
    return !place->is_named && geteuid() != 0;
}

/* Who is not root and named no store means the system's, or has none yet. */
static int no_server(const struct place_of_store *place, int error)
{
    enum error_code code = (enum error_code) - error;
    error_set(code,
              code == ERR_DENIED ? "no permission to ask the system's server at '%s'"
                                 : "no server of the system answers at '%s'",
              place->socket);
    error_add(code, "a store of your own: emsa --store ~/.local/share/emsa init");
    return error_add(code, "and then: export EMSA_STORE=~/.local/share/emsa");
}

static int try_open(struct client *client)
{
    int error = varlink_connect(&client->link, client->place->socket);
    if (error == 0)
        return 0;
    if (is_stranger(client->place) && (error == -ERR_NOT_FOUND || error == -ERR_DENIED))
        return no_server(client->place, error);
    if (error != -ERR_NOT_FOUND)
        return error;
    return local_open(&client->local, client->place);
}

/* Somebody who owns the store and has no socket yet is a server that starts, or another command. */
static int open_way(struct client *client)
{
    int64_t deadline = deadline_in(OPEN_DEADLINE);
    for (int pause = 1;; pause = pause * 2 < OPEN_PAUSE_MAX ? pause * 2 : OPEN_PAUSE_MAX) {
        int error = try_open(client);
        if (error != -ERR_BUSY)
            return error;
        if (deadline_left(deadline) == 0)
            return error_add(ERR_BUSY,
                             "it does not answer at '%s': see to that process, then try again",
                             client->place->socket);
        poll(NULL, 0, pause);
    }
}

static int client_new(struct client **out, const struct place_of_store *place)
{
    *out = calloc(1, sizeof **out);
    if (*out == NULL)
        return error_set(ERR_NOMEM, "no memory for a connection");
    (*out)->place = place;
    return 0;
}

int client_open(struct client **out, const struct place_of_store *place)
{
    struct client *client;
    int error = client_new(&client, place);
    if (error < 0)
        return error;
    error = open_way(client);
    if (error < 0) {
        client_close(client);
        return error;
    }
    *out = client;
    return 0;
}

int client_connect(struct client **out, const struct place_of_store *place)
{
    struct client *client;
    int error = client_new(&client, place);
    if (error < 0)
        return error;
    error = varlink_connect(&client->link, place->socket);
    if (error < 0) {
        client_close(client);
        return error;
    }
    *out = client;
    return 0;
}

int client_reach(struct client **out, const char *host, const char *store)
{
    struct client *client;
    int error = client_new(&client, NULL);
    if (error < 0)
        return error;
    error = remote_open(&client->remote, host, store);
    if (error < 0) {
        client_close(client);
        return error;
    }
    *out = client;
    return 0;
}

void client_close(struct client *client)
{
    if (client == NULL)
        return;
    varlink_free(client->link);
    local_close(client->local);
    remote_close(client->remote);
    free(client);
}

bool client_is_local(const struct client *client)
{
    return client->local != NULL;
}

struct local *client_local(const struct client *client)
{
    return client->local;
}

const char *client_identity_problem(const struct client *client)
{
    return client->local != NULL ? local_identity_problem(client->local) : NULL;
}

static void collect_parts(const struct call *call, unsigned char *to, size_t size)
{
    for (size_t i = 0; i < call->part_count; i++) {
        const struct value_part *part = &call->parts[i];
        const void *data = part->is_secret ? part->secret.data : part->plain.data;
        size_t bytes = part->is_secret ? part->secret.size : part->plain.size;
        if (bytes == 0 || bytes > size)
            continue;
        memcpy(to, data, bytes);
        to += bytes;
        size -= bytes;
    }
}

static int take_local(struct call *call, struct answer *out)
{
    unsigned char *room;
    size_t size;
    out->reply = json_incref(call->reply);
    out->mount_fd = call->output_fd;
    call->output_fd = -1;
    int error = answer_room(out, &room, &size);
    if (error == 0)
        collect_parts(call, room, size);
    return error;
}

/* In this process the store is opened by root or its owner, who hold all rights: the groups of
 * somebody in more of them do not matter. */
#define NGROUPS_HELD 256

static int ask_local(struct client *client, const char *method, json_t *parameters,
                     const struct piece *pieces, size_t piece_count, struct answer *out)
{
    struct pump pump;
    gid_t groups[NGROUPS_HELD];
    const int group_count = getgroups(NGROUPS_HELD, groups);
    struct call call = {.caller = {.uid = getuid(),
                                   .gid = getgid(),
                                   .pid = getpid(),
                                   .groups = groups,
                                   .group_count = group_count > 0 ? (size_t)group_count : 0},
                        .method = method,
                        .parameters = parameters,
                        .input = -1,
                        .input_deadline = -1,
                        .output_fd = -1};
    int error = pump_begin(&pump, pieces, piece_count);
    if (error == 0 && piece_count > 0) {
        call.input = pump.read_end;
        error = pump_start(&pump);
    }
    if (error == 0)
        error = service_call(local_dispatcher(client->local), &call);
    pump_end(&pump);
    if (error == 0)
        error =
            call.error != NULL ? answer_failure(call.error, call.reply) : take_local(&call, out);
    call_release(&call);
    return error;
}

/* Sends the call and its values. */
static int send_call(struct varlink *link, const char *method, json_t *parameters,
                     struct pump *pump)
{
    bool has_values = pump->count > 0;
    if (has_values)
        json_object_set_new(parameters, "values", json_integer(0));
    json_t *message = json_pack("{s:s, s:O}", "method", method, "parameters", parameters);
    if (message == NULL)
        return error_set(ERR_NOMEM, "no memory for a message");
    int error = varlink_send(link, message, &pump->read_end, has_values ? 1 : 0, -1);
    json_decref(message);
    descriptor_close(&pump->read_end);
    if (error == 0)
        pump_run(pump);
    return error == -ERR_IO ? BROKEN : error;
}

static int read_values(int fd, unsigned char *to, size_t size)
{
    while (size > 0) {
        ssize_t count = read(fd, to, size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return BROKEN;
        to += count;
        size -= (size_t)count;
    }
    return 0;
}

static int take_reply(struct varlink_message *message, struct answer *out)
{
    int fd DESCRIPTOR_CLEANUP = -1;
    unsigned char *room;
    size_t size;
    json_t *reply = json_object_get(message->object, "parameters");
    const char *failure = json_string_value(json_object_get(message->object, "error"));
    if (failure != NULL)
        return answer_failure(failure, reply);
    out->reply = json_is_object(reply) ? json_incref(reply) : json_object();
    int error = varlink_take(message, &out->mount_fd, out->reply, "mount");
    if (error >= 0)
        error = varlink_take(message, &fd, out->reply, "values");
    if (error != 0) /* 1: an answer without values */
        return error < 0 ? error : 0;
    error = answer_room(out, &room, &size);
    return error < 0 ? error : read_values(fd, room, size);
}

static int receive_reply(struct varlink *link, struct answer *out)
{
    struct varlink_message message = {0};
    int error = varlink_receive(link, &message, -1);
    if (error != 0)
        return error == -ERR_IO ? BROKEN : error; /* 1: closed, which is BROKEN too */
    error = take_reply(&message, out);
    varlink_message_release(&message);
    return error;
}

static int ask_server(struct varlink *link, const char *method, json_t *parameters,
                      const struct piece *pieces, size_t piece_count, struct answer *out)
{
    struct pump pump;
    int error = pump_begin(&pump, pieces, piece_count);
    if (error == 0)
        error = send_call(link, method, parameters, &pump);
    if (error == 0)
        error = receive_reply(link, out);
    pump_end(&pump);
    return error;
}

void client_prove_by(struct client *client, int (*prove)(void *arg, struct client *), void *arg)
{
    client->prove = prove;
    client->prove_arg = arg;
}

void client_hold(struct client *client)
{
    client->is_held = true;
}

/* Over the connection that there is. */
static int ask_once(struct client *client, const char *method, json_t *parameters,
                    const struct piece *pieces, size_t piece_count, struct answer *out)
{
    *out = ANSWER_INIT;
    int error;
    if (client->remote != NULL)
        error = remote_ask(client->remote, method, parameters, pieces, piece_count, out);
    else if (client->local != NULL)
        error = ask_local(client, method, parameters, pieces, piece_count, out);
    else
        error = ask_server(client->link, method, parameters, pieces, piece_count, out);
    if (error != 0)
        answer_release(out);
    return error;
}

int client_ask_bare(struct client *client, const char *method, json_t *parameters,
                    struct answer *out)
{
    return ask_once(client, method, parameters, NULL, 0, out);
}

int client_link_ask(struct varlink *link, const char *method, json_t *parameters,
                    struct answer *out)
{
    *out = ANSWER_INIT;
    int error = ask_server(link, method, parameters, NULL, 0, out);
    if (error != 0)
        answer_release(out);
    return error;
}

/* There is a connection, and it knows who asks. */
static int make_ready(struct client *client)
{
    int error = 0;
    if (client->link == NULL && client->local == NULL && client->remote == NULL) {
        client->is_proven = false;
        error = open_way(client);
    }
    if (error == 0 && client->prove != NULL && !client->is_proven) {
        error = client->prove(client->prove_arg, client);
        client->is_proven = error == 0;
    }
    return error;
}

/* A server of somebody else's would hide the reason from who may not read the identity anyway. */
static int add_identity_problem(const struct client *client, int error)
{
    const char *problem = client_identity_problem(client);
    if (error == -ERR_NO_KEY && problem != NULL)
        error_add(ERR_NO_KEY, "%s", problem);
    return error;
}

static int no_answer(const struct client *client, int attempts)
{
    if (client->remote != NULL)
        return error_set(ERR_IO,
                         "the far side's server ended %d times without an answer: see its "
                         "log",
                         attempts);
    return error_set(ERR_IO, "the server at '%s' ended %d times without an answer: see its log",
                     client->place->socket, attempts);
}

int client_ask(struct client *client, const char *method, json_t *parameters,
               const struct piece *pieces, size_t piece_count, struct answer *out)
{
    int64_t deadline = deadline_in(ATTEMPTS_MILLISECONDS);
    int attempt = 0;
    *out = ANSWER_INIT;
    while (attempt < ATTEMPTS_LEAST || (attempt < ATTEMPTS_MAX && deadline_left(deadline) > 0)) {
        attempt++;
        int error = make_ready(client);
        if (error < 0)
            return error;
        if (error == 0)
            error = ask_once(client, method, parameters, pieces, piece_count, out);
        if (error <= 0)
            return add_identity_problem(client, error);
        varlink_free(client->link);
        client->link = NULL;
        client->is_proven = false;
        if (client->is_held)
            return BROKEN;
    }
    return no_answer(client, attempt);
}
