#include "tools/emsad/call.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/exit_status.h"
#include "tools/common/log.h"

#define INVALID_PARAMETER "org.varlink.service.InvalidParameter"
#define PIPE_SIZE                                                                                  \
    (1024 * 1024) /* as much as anybody may ask for: fewer turns for large replies                 \
                   */

static int send_failure(struct varlink *varlink, const char *error, const char *name,
                        const char *text)
{
    json_t *reply = json_pack("{s:s, s:{s:s}}", "error", error, "parameters", name, text);
    if (reply == NULL)
        return error_set(ERR_NOMEM, "cannot make a reply: out of memory");
    int sent = varlink_send(varlink, reply, NULL, 0, CALL_MILLISECONDS);
    json_decref(reply);
    return sent;
}

int call_refuse(struct varlink *varlink, const char *error, const char *text)
{
    return send_failure(varlink, error, "message", text);
}

/* A pipe, which poll and read do not let wait, or memory; not a file of somebody's own file system,
 * which could hold a thread for ever. */
static bool is_stream(int fd)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return false;
    if (S_ISFIFO(status.st_mode))
        return fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
    return S_ISREG(status.st_mode) && fcntl(fd, F_GET_SEALS) >= 0;
}

static bool is_channel(int fd)
{
    int type;
    socklen_t size = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

/* The one descriptor that a call may bring: the stream of its values, or a channel. 1: refused, and
 * told. */
static int take_descriptor(struct varlink *varlink, struct varlink_message *message,
                           const json_t *parameters, int *input, int *channel)
{
    const char *name = json_object_get(parameters, "channel") != NULL ? "channel" : "values";
    int *fd = strcmp(name, "channel") == 0 ? channel : input;
    int taken = varlink_take(message, fd, parameters, name);
    bool is_fit = taken == 0 && (fd == channel ? is_channel(*fd) : is_stream(*fd));
    if (taken < 0 || message->descriptor_count > (taken == 0) || (taken == 0 && !is_fit)) {
        int sent = send_failure(varlink, INVALID_PARAMETER, "parameter", name);
        return sent < 0 ? sent : 1;
    }
    return 0;
}

static size_t total_size(const struct call *call)
{
    size_t total = 0;
    for (size_t i = 0; i < call->part_count; i++)
        total += call->parts[i].is_secret ? call->parts[i].secret.size : call->parts[i].plain.size;
    return total;
}

static int write_part(int fd, const unsigned char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, data, size);
        if (written > 0) {
            data += written;
            size -= (size_t)written;
            continue;
        }
        if (errno == EPIPE)
            return error_set(ERR_IO, "the caller does not want the values");
        if (errno != EAGAIN && errno != EINTR)
            return error_system(errno, "cannot send values");
        int late = descriptor_wait(fd, POLLOUT, deadline_in(CALL_MILLISECONDS));
        if (late < 0)
            return late;
        if (late > 0)
            return error_set(ERR_IO, "the caller does not read the values");
    }
    return 0;
}

/* What the caller does not take is the caller's affair: the connection goes on. */
static void send_parts(int fd, const struct call *call)
{
    int error = 0;
    for (size_t i = 0; i < call->part_count && error == 0; i++) {
        const struct value_part *part = &call->parts[i];
        error = part->is_secret ? write_part(fd, part->secret.data, part->secret.size)
                                : write_part(fd, part->plain.data, part->plain.size);
    }
}

static int make_pipe(int ends[static 2], const struct call *call)
{
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_system(errno, "cannot make a pipe for values");
    /* Only our end: the caller reads as it likes. The two are descriptions of their own. */
    (void)fcntl(ends[1], F_SETFL, O_NONBLOCK);
    if (total_size(call) > 65536)
        (void)fcntl(ends[1], F_SETPIPE_SZ, PIPE_SIZE); /* refused is only slower */
    return 0;
}

static int send_reply(struct varlink *varlink, struct call *call, const int fds[], size_t count,
                      bool continues)
{
    json_t *reply = call->error != NULL
                        ? json_pack("{s:s, s:O}", "error", call->error, "parameters", call->reply)
                        : json_pack(continues ? "{s:O, s:b}" : "{s:O}", "parameters", call->reply,
                                    "continues", 1);
    if (reply == NULL)
        return error_set(ERR_NOMEM, "cannot make a reply: out of memory");
    int sent = varlink_send(varlink, reply, fds, count, CALL_MILLISECONDS);
    json_decref(reply);
    return sent;
}

/* Names each descriptor in the reply by its index, sends, and brings the values after it. */
static int reply_to(struct varlink *varlink, struct call *call)
{
    int fds[2], ends[2] = {-1, -1};
    size_t count = 0;
    int error = 0;
    if (call->output_fd >= 0) {
        error = json_object_set_new(call->reply, "mount", json_integer((json_int_t)count));
        fds[count++] = call->output_fd;
    }
    if (error == 0 && call->part_count > 0) {
        error = make_pipe(ends, call);
        if (error == 0)
            error = json_object_set_new(call->reply, "values", json_integer((json_int_t)count));
        fds[count++] = ends[0];
    }
    if (error == 0)
        error = send_reply(varlink, call, fds, count, false);
    descriptor_close(&ends[0]);
    if (error == 0 && ends[1] >= 0)
        send_parts(ends[1], call);
    descriptor_close(&ends[1]);
    return error;
}

void call_end_if_lost(const struct dispatcher *dispatcher)
{
    if (!service_is_lost(dispatcher))
        return;
    log_error("the store's disk failed in a commit: this server ends, to be started anew");
    _exit(EXIT_STATUS_FAILED);
}

/* 0: there is a reply in the call. 1: there is none, and the caller was told. */
static int do_call(struct varlink *varlink, struct dispatcher *dispatcher, struct call *call,
                   bool is_oneway)
{
    int error = service_call(dispatcher, call);
    call_end_if_lost(dispatcher);
    if (error == 0)
        return 0;
    log_error("cannot answer a call of '%s': %s", call->method, error_text());
    if (!is_oneway)
        error = call_refuse(varlink, "io.emsa.Failed", error_text());
    return is_oneway || error == 0 ? 1 : error;
}

static int answer_once(struct varlink *varlink, struct dispatcher *dispatcher, struct call *call,
                       bool is_oneway)
{
    int error = do_call(varlink, dispatcher, call, is_oneway);
    if (error == 0 && !is_oneway)
        error = reply_to(varlink, call);
    call_release(call);
    return error < 0 ? error : 0;
}

/* What there is to tell, and then, for a call that goes on, its next parameters once there may be
 * more. While it waits nothing is in our hands. *parameters become NULL after the last reply. */
static int answer_piece(struct varlink *varlink, struct dispatcher *dispatcher, struct call *call,
                        const struct call_waits *waits, bool is_first)
{
    json_t *next = NULL;
    int error = do_call(varlink, dispatcher, call, false);
    if (error == 0) {
        next = json_incref(call->again);
        if (next == NULL)
            error = reply_to(varlink, call);
        else if (is_first || !call->is_idle)
            error = send_reply(varlink, call, NULL, 0, true);
    }
    uint64_t awaited = call->awaited;
    call_release(call);
    json_decref(call->parameters);
    call->parameters = next;
    return error == 0 && next != NULL ? waits->wait(waits->arg, awaited) : error < 0 ? error : 0;
}

static int answer_on(struct varlink *varlink, struct dispatcher *dispatcher, struct call *call,
                     const struct call_waits *waits)
{
    int error = 0;
    json_incref(call->parameters); /* the first are the message's, the next ones the call's own */
    for (bool is_first = true; error == 0 && call->parameters != NULL; is_first = false)
        error = answer_piece(varlink, dispatcher, call, waits, is_first);
    json_decref(call->parameters);
    return error == -ERR_BUSY ? call_refuse(varlink, "io.emsa.Busy", error_text()) : error;
}

static bool is_flagged(const struct varlink_message *message, const char *flag)
{
    return json_is_true(json_object_get(message->object, flag));
}

int call_answer(struct varlink *varlink, struct varlink_message *message,
                struct dispatcher *dispatcher, const struct caller *caller,
                const struct call_waits *waits)
{
    const char *method = json_string_value(json_object_get(message->object, "method"));
    json_t *given = json_object_get(message->object, "parameters");
    if (method == NULL || (given != NULL && !json_is_object(given))) {
        (void)send_failure(varlink, INVALID_PARAMETER, "parameter",
                           method == NULL ? "method" : "parameters");
        return error_set(ERR_INVALID, "a message is no call");
    }
    json_t *parameters = given != NULL ? json_incref(given) : json_object();
    if (parameters == NULL)
        return error_set(ERR_NOMEM, "cannot take a call: out of memory");
    DESCRIPTOR_CLEANUP int input = -1;
    DESCRIPTOR_CLEANUP int channel = -1;
    int error = take_descriptor(varlink, message, parameters, &input, &channel);
    if (error == 0) {
        struct call call = {.caller = *caller,
                            .method = method,
                            .parameters = parameters,
                            .input = input,
                            .input_deadline = CALL_MILLISECONDS,
                            .channel = &channel,
                            .output_fd = -1};
        error = is_flagged(message, "more")
                    ? answer_on(varlink, dispatcher, &call, waits)
                    : answer_once(varlink, dispatcher, &call, is_flagged(message, "oneway"));
    } else if (error == 1) {
        error = 0; /* refused, and told */
    }
    json_decref(parameters);
    return error;
}
