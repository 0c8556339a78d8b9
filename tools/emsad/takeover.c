#include "tools/emsad/takeover.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/address.h"
#include "tools/common/descriptor.h"
#include "tools/common/log.h"
#include "tools/emsad/channel.h"

#define ANSWER_MILLISECONDS 10000 /* for each message of the server */

/* The call, ended by its NUL; the answer comes over the channel, so that there is none to parse. */
static const char call[] = "{\"method\":\"io.emsa.TakeOver\",\"oneway\":true,"
                           "\"parameters\":{\"channel\":0}}";

static int reach(int *out, const char *path)
{
    struct address address;
    if (address_make(&address, path) < 0)
        return 1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int found = fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&address.name, address.size);
    address_release(&address);
    if (found < 0) {
        descriptor_close(&fd);
        return 1;
    }
    *out = fd;
    return 0;
}

/* Sends the call, with the other end of a new channel beside it. */
static int ask(int *out, const char *path)
{
    int server DESCRIPTOR_CLEANUP = -1;
    int pair[2], on = 1;
    if (reach(&server, path) != 0)
        return 1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return error_system(errno, "cannot make a channel to the server");
    bool is_sent = setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0 &&
                   descriptor_send(server, call, sizeof call, &pair[1], 1) == sizeof call;
    descriptor_close(&pair[1]);
    if (!is_sent) {
        descriptor_close(&pair[0]);
        return 1;
    }
    *out = pair[0];
    return 0;
}

/* HELLO, and whose it is, by the kernel's word. 1: the channel was closed. ERR_BUSY: nothing
 * comes. */
static int meet(int channel, const char *store, pid_t *pid)
{
    struct channel_message message = {0};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec part = {.iov_base = &message, .iov_len = sizeof message};
    struct msghdr received = {.msg_iov = &part,
                              .msg_iovlen = 1,
                              .msg_control = &control,
                              .msg_controllen = sizeof control};
    int late = descriptor_wait(channel, POLLIN, deadline_in(ANSWER_MILLISECONDS));
    if (late != 0)
        return late < 0 ? late
                        : error_set(ERR_BUSY,
                                    "the store's server has no supervisor and does not answer: it "
                                    "is stopped or stuck; have it go on (kill -CONT), or end it "
                                    "(kill -KILL): fuser -v '%s/owner.lock' shows it",
                                    store);
    if (recvmsg(channel, &received, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0)
        return 1;
    const struct cmsghdr *header = CMSG_FIRSTHDR(&received);
    if (header == NULL || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_CREDENTIALS)
        return error_set(ERR_IO, "nobody says whose the store's server is");
    struct ucred sender;
    memcpy(&sender, CMSG_DATA(header), sizeof sender);
    if (message.kind != CHANNEL_HELLO || message.flags != CHANNEL_VERSION)
        return error_set(ERR_FORMAT,
                         "the store's server (process %d) is of another version than this program, "
                         "which cannot follow its supervisor: start the one that it is of, or end "
                         "it (kill %d), and this one begins anew",
                         (int)sender.pid, (int)sender.pid);
    *pid = sender.pid;
    int off = 0; /* what follows has no room for it */
    if (setsockopt(channel, SOL_SOCKET, SO_PASSCRED, &off, sizeof off) < 0)
        return error_system(errno, "cannot hear the server");
    return sender.pid > 0 ? 0 : error_set(ERR_IO, "the server lives out of sight");
}

static int next(int channel, struct channel_message *message,
                struct channel_descriptors *descriptors)
{
    int64_t deadline = deadline_in(ANSWER_MILLISECONDS);
    for (;;) {
        int outcome = channel_receive(channel, message, descriptors);
        if (outcome == 1)
            return error_set(ERR_IO, "the server ended while it was taken over");
        if (outcome != 2)
            return outcome;
        outcome = descriptor_wait(channel, POLLIN, deadline);
        if (outcome != 0)
            return outcome < 0 ? outcome : error_set(ERR_IO, "the server hands over nothing");
    }
}

static int take(struct supervisor *supervisor, const struct channel_message *message,
                struct channel_descriptors *given)
{
    switch (message->kind) {
    case CHANNEL_HELD:
        return holdings_inherit(&supervisor->holdings, message, given);
    case CHANNEL_VIEW:
        return views_adopt(&supervisor->views, message, &given->fd[0]);
    case CHANNEL_GONE:
        views_end(&supervisor->views, message->view);
        return 0;
    case CHANNEL_HANDED:
        return 1;
    default:
        return 0; /* said to whoever listens, and asked again when it matters */
    }
}

static int take_all(struct supervisor *supervisor, int channel, struct channel_message *held)
{
    for (;;) {
        struct channel_message message;
        struct channel_descriptors given;
        int error = next(channel, &message, &given);
        if (error < 0)
            return error;
        if (message.kind == CHANNEL_HELD)
            *held = message;
        error = take(supervisor, &message, &given);
        channel_descriptors_release(&given);
        if (error != 0)
            return error < 0 ? error : 0;
    }
}

/* The other end is held by the server alone. */
static bool is_hung_up(int channel)
{
    struct pollfd entry = {.fd = channel, .events = 0};
    return poll(&entry, 1, 0) != 0;
}

static int adopt(struct supervisor *supervisor, int *channel)
{
    pid_t pid;
    static struct channel_message held;
    int error = meet(*channel, supervisor->holdings.place.store, &pid);
    if (error != 0)
        return error;
    int process DESCRIPTOR_CLEANUP = (int)syscall(SYS_pidfd_open, pid, 0);
    if (process < 0)
        return error_system(errno, "cannot watch the server (process %d)", (int)pid);
    if (is_hung_up(*channel)) /* then the pid may have been given to another before it was opened */
        return error_set(ERR_IO, "the server ended while it was taken over");
    error = take_all(supervisor, *channel, &held);
    if (error == 0 && supervisor->holdings.memory == NULL)
        error = error_set(ERR_IO, "the server handed over less than it holds");
    if (error < 0)
        return error;
    child_adopt(&supervisor->server, pid, &process, channel);
    supervisor->is_on_demand = supervisor->is_on_demand && (held.flags & CHANNEL_ON_DEMAND) != 0;
    if (supervisor->views.last_id < held.view)
        supervisor->views.last_id = held.view;
    if (supervisor->threads == 0)
        supervisor->threads = held.threads;
    if (supervisor->views_each == 0)
        supervisor->views_each = held.views_each;
    return 0;
}

int takeover_ask(struct supervisor *supervisor)
{
    int channel DESCRIPTOR_CLEANUP = -1;
    int error = ask(&channel, supervisor->holdings.place.socket);
    if (error == 0)
        error = adopt(supervisor, &channel);
    return error;
}
