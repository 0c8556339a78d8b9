#include "tools/common/varlink.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "store/bytes.h"
#include "store/error.h"
#include "tools/common/address.h"
#include "tools/common/descriptor.h"
#include "tools/common/json_text.h"

#define CHUNK 16384

_Static_assert(VARLINK_DESCRIPTORS_MAX == 4 && VARLINK_DESCRIPTORS_MAX <= DESCRIPTORS_MAX,
               "initialisers below count on it");

struct varlink {
    int socket;
    size_t maximum;
    size_t values_maximum;      /* of a message */
    size_t descriptors_maximum; /* of a message */
    struct bytes input;         /* what was received and not yet given out */
};

int varlink_new(struct varlink **out, int socket)
{
    struct varlink *made = malloc(sizeof *made);
    if (made == NULL) {
        descriptor_close(&socket);
        return error_set(ERR_NOMEM, "cannot make a connection: out of memory");
    }
    *made = (struct varlink){.socket = socket,
                             .maximum = VARLINK_MESSAGE_MAX,
                             .values_maximum = SIZE_MAX,
                             .descriptors_maximum = VARLINK_DESCRIPTORS_MAX,
                             .input = BYTES_INIT(VARLINK_MESSAGE_MAX + (size_t)CHUNK)};
    *out = made;
    return 0;
}

void varlink_free(struct varlink *varlink)
{
    if (varlink == NULL)
        return;
    descriptor_close(&varlink->socket);
    bytes_release(&varlink->input);
    free(varlink);
}

int varlink_descriptor(const struct varlink *varlink)
{
    return varlink->socket;
}

void varlink_limit(struct varlink *varlink, size_t maximum)
{
    varlink->maximum = maximum < VARLINK_MESSAGE_MAX ? maximum : VARLINK_MESSAGE_MAX;
}

void varlink_limit_values(struct varlink *varlink, size_t maximum)
{
    varlink->values_maximum = maximum;
}

void varlink_without_descriptors(struct varlink *varlink)
{
    varlink->descriptors_maximum = 0;
}

void varlink_with_descriptors(struct varlink *varlink)
{
    varlink->descriptors_maximum = VARLINK_DESCRIPTORS_MAX;
}

static int connect_failure(int reason, const char *path)
{
    if (reason == ENOENT || reason == ECONNREFUSED || reason == ENOTSOCK || reason == ENOTDIR)
        return error_set(ERR_NOT_FOUND, "no server answers at '%s'", path);
    return error_system(reason, "cannot connect to '%s'", path);
}

int varlink_connect(struct varlink **out, const char *path)
{
    struct address address;
    int error = address_make(&address, path);
    if (error < 0)
        return error;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int failed = fd < 0;
    if (!failed) {
        do
            failed = connect(fd, (const struct sockaddr *)&address.name, address.size) < 0;
        while (failed && errno == EINTR);
    }
    int reason = errno;
    address_release(&address);
    if (failed) {
        descriptor_close(&fd);
        return connect_failure(reason, path);
    }
    return varlink_new(out, fd);
}

void varlink_message_release(struct varlink_message *message)
{
    json_decref(message->object);
    message->object = NULL;
    for (size_t i = 0; i < message->descriptor_count; i++)
        descriptor_close(&message->descriptors[i]);
    message->descriptor_count = 0;
}

int varlink_take(struct varlink_message *message, int *fd, const json_t *parameters,
                 const char *name)
{
    const json_t *value = json_object_get(parameters, name);
    if (value == NULL)
        return 1;
    json_int_t index = json_is_integer(value) ? json_integer_value(value) : -1;
    if (index < 0 || (size_t)index >= message->descriptor_count || message->descriptors[index] < 0)
        return error_set(ERR_INVALID, "parameter '%s' names no descriptor of the message", name);
    *fd = message->descriptors[index];
    message->descriptors[index] = -1;
    return 0;
}

static int send_all(int socket, const char *data, size_t size, const int descriptors[],
                    size_t count, int64_t deadline)
{
    while (size > 0) {
        ssize_t sent = descriptor_send(socket, data, size, descriptors, count);
        if (sent > 0) {
            data += sent;
            size -= (size_t)sent;
            count = 0; /* they went with the first byte */
            continue;
        }
        if (sent < 0 && errno == EPIPE)
            return error_set(ERR_IO, "the peer closed the connection");
        if (sent < 0 && errno != EAGAIN)
            return error_system(errno, "cannot send a message");
        int late = descriptor_wait(socket, POLLOUT, deadline);
        if (late < 0)
            return late;
        if (late > 0)
            return error_set(ERR_IO, "the peer does not read what it is sent");
    }
    return 0;
}

int varlink_send(struct varlink *varlink, const json_t *object, const int descriptors[],
                 size_t count, int deadline)
{
    if (count > VARLINK_DESCRIPTORS_MAX)
        return error_set(ERR_INVALID, "a message with %zu descriptors has too many", count);
    char *text;
    int error = json_text(&text, object, JSON_COMPACT, "");
    if (error < 0)
        return error;
    size_t size = strlen(text) + 1;
    error = size > VARLINK_MESSAGE_MAX
                ? error_set(ERR_INVALID, "a message of %zu bytes is too large", size)
                : send_all(varlink->socket, text, size, descriptors, count, deadline_in(deadline));
    free(text);
    return error;
}

int varlink_wait(const struct varlink *varlink, int deadline)
{
    if (varlink->input.size > 0)
        return 0;
    return descriptor_wait(varlink->socket, POLLIN, deadline_in(deadline));
}

/* Reads what is there into the input; its descriptors go to the message. 1: end. */
static int fill(struct varlink *varlink, struct varlink_message *message, int64_t deadline)
{
    int late = descriptor_wait(varlink->socket, POLLIN, deadline);
    if (late < 0)
        return late;
    if (late > 0)
        return error_set(ERR_IO, "the peer did not finish its message in time");
    unsigned char *room = bytes_reserve(&varlink->input, CHUNK);
    if (room == NULL)
        return error_set(ERR_NOMEM, "cannot receive a message: out of memory");
    size_t count;
    int is_cut;
    ssize_t size = descriptor_receive(
        varlink->socket, room, CHUNK, message->descriptors + message->descriptor_count,
        varlink->descriptors_maximum - message->descriptor_count, &count, &is_cut);
    if (size < 0)
        return errno == EAGAIN ? 0 : error_system(errno, "cannot receive a message");
    message->descriptor_count += count;
    varlink->input.size += (size_t)size;
    if (is_cut)
        return error_set(
            ERR_INVALID,
            "a message brings more descriptors than the %zu that are taken, or than may be open",
            varlink->descriptors_maximum);
    return size == 0;
}

/* Not more values than this are in a text of JSON: one begins with it, with each list and object,
 * and behind each comma that no string holds. */
static size_t count_values(const unsigned char *text, size_t size)
{
    size_t count = 1;
    bool is_string = false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '"')
            is_string = !is_string;
        else if (is_string)
            i += text[i] == '\\';
        else
            count += text[i] == '{' || text[i] == '[' || text[i] == ',';
    }
    return count;
}

static int parse(json_t **out, const unsigned char *text, size_t size, size_t values_maximum)
{
    json_error_t reason;
    if (values_maximum < size && count_values(text, size) > values_maximum)
        return error_set(ERR_INVALID, "a message has more than %zu values: make it several",
                         values_maximum);
    json_t *object = json_loadb((const char *)text, size, JSON_REJECT_DUPLICATES, &reason);
    if (object == NULL)
        return error_set(ERR_INVALID, "a message is not JSON: %s", reason.text);
    if (!json_is_object(object)) {
        json_decref(object);
        return error_set(ERR_INVALID, "a message is not a JSON object");
    }
    *out = object;
    return 0;
}

/* Finds the end of the first message: the position of its NUL. 1: the peer closed before any of it.
 */
static int receive_text(struct varlink *varlink, struct varlink_message *message, size_t *end,
                        int64_t deadline)
{
    size_t searched = 0;
    for (;;) {
        struct bytes *input = &varlink->input;
        const unsigned char *found =
            input->size > searched ? memchr(input->data + searched, '\0', input->size - searched)
                                   : NULL;
        size_t length = found != NULL ? (size_t)(found - input->data) : input->size;
        if (length >= varlink->maximum)
            return error_set(ERR_INVALID, "a message is larger than %zu bytes", varlink->maximum);
        if (found != NULL) {
            *end = length;
            return 0;
        }
        searched = input->size;
        int ended = fill(varlink, message, deadline);
        if (ended < 0)
            return ended;
        if (ended > 0)
            return input->size == 0
                       ? 1
                       : error_set(ERR_IO, "the peer closed in the middle of a message");
    }
}

/* Forgets the first size bytes of the input; a large buffer is not kept for the next, small
 * message. */
static void consume(struct bytes *input, size_t size)
{
    size_t rest = input->size - size;
    if (rest > 0)
        memmove(input->data, input->data + size, rest);
    input->size = rest;
    if (rest == 0 && input->capacity > 4 * (size_t)CHUNK) {
        size_t limit = input->limit;
        bytes_release(input);
        *input = BYTES_INIT(limit);
    }
}

int varlink_receive(struct varlink *varlink, struct varlink_message *out, int deadline)
{
    struct varlink_message message = {.descriptors = {-1, -1, -1, -1}};
    size_t end = 0;
    int error = receive_text(varlink, &message, &end, deadline_in(deadline));
    if (error == 0)
        error = parse(&message.object, varlink->input.data, end, varlink->values_maximum);
    if (error == 0) {
        consume(&varlink->input, end + 1);
        /* The kernel joins what was sent apart: descriptors could be of this message or of the
         * next. */
        if (message.descriptor_count > 0 && varlink->input.size > 0)
            error = error_set(ERR_INVALID, "a message with descriptors was not waited for");
    }
    if (error != 0) {
        varlink_message_release(&message);
        return error;
    }
    *out = message;
    return 0;
}
