#include "tools/emsad/notifier.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "fs/notifier.h"
#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/exit_status.h"
#include "tools/common/log.h"
#include "tools/emsad/channel.h"
#include "tools/emsad/sandbox.h"

#define ASK_MILLISECONDS 1000 /* for the supervisor to take a question */

struct work {
    int channel;
    struct notifier *notifier;
    bool has_server; /* false: its socket has ended, and the next is to come from the supervisor */
    bool has_supervisor; /* false: it is gone; the work goes on for as long as the server does */
};

/* From a lane's thread, which goes on when the answer comes, or asks again when none does. Only one
 * that is gone is nobody: one that is stopped, or busy, takes questions again. */
static int ask(void *arg, uint32_t view)
{
    const struct work *work = arg;
    int error = channel_send_plain(work->channel, CHANNEL_HANDLE, view, ASK_MILLISECONDS);
    struct pollfd end = {.fd = work->channel};
    if (error < 0 && poll(&end, 1, 0) > 0 && (end.revents & (POLLHUP | POLLERR)) != 0)
        return NOTIFIER_NOBODY;
    return NOTIFIER_LATER;
}

static void warn(void *arg, const char *text)
{
    (void)arg;
    log_warning("%s", text);
}

/* The first message is the roster. Views may come before the server's socket does: until then it is
 * one that has ended. */
static int begin(struct work *work, int roster)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return error_system(errno, "cannot make a socket");
    descriptor_close(&pair[1]);
    const struct notifier_options options = {
        .socket = pair[0], .roster = roster, .ask = ask, .alarm = warn, .arg = work};
    return notifier_new(&work->notifier, &options);
}

static int handle(struct work *work, const struct channel_message *message, int *fd)
{
    if (message->kind == CHANNEL_ROSTER && work->notifier == NULL)
        return begin(work, *fd);
    if (work->notifier == NULL)
        return error_set(ERR_IO, "the supervisor began with something else than ROSTER");
    int given = *fd;
    *fd = -1;
    switch (message->kind) {
    case CHANNEL_NOTIFIER:
        work->has_server = true;
        return notifier_server(work->notifier, given);
    case CHANNEL_VIEW:
        return notifier_view_add(work->notifier, message->view, given);
    case CHANNEL_GONE:
        notifier_view_remove(work->notifier, message->view);
        return 0;
    case CHANNEL_HANDLE:
        notifier_mount(work->notifier, message->view, given);
        return 0;
    case CHANNEL_ASK: /* a full channel is full of what says the same */
        (void)channel_send_plain(work->channel, CHANNEL_ANSWERED, 0, 0);
        return 0;
    default:
        return error_set(ERR_IO, "the supervisor sent what a notifier does not take");
    }
}

/* All that the supervisor has said. 1: it is gone. */
static int listen_to_supervisor(struct work *work)
{
    for (;;) {
        struct channel_message message;
        struct channel_descriptors descriptors;
        int outcome = channel_receive(work->channel, &message, &descriptors);
        if (outcome != 0)
            return outcome == 2 ? 0 : outcome;
        outcome = handle(work, &message, &descriptors.fd[0]);
        channel_descriptors_release(&descriptors);
        if (outcome < 0)
            return outcome;
    }
}

static int run(struct work *work)
{
    while (work->has_supervisor || work->has_server) {
        struct pollfd entries[] = {
            {.fd = work->has_supervisor ? work->channel : -1, .events = POLLIN},
            {.fd = work->has_server ? notifier_socket(work->notifier) : -1, .events = POLLIN}};
        if (poll(entries, 2, -1) < 0) {
            if (errno == EINTR)
                continue;
            return error_system(errno, "cannot wait for work");
        }
        int outcome;
        if (entries[0].revents !=
            0) { /* may replace the socket: what is known of the old one is void */
            outcome = listen_to_supervisor(work);
            if (outcome < 0)
                return outcome;
            work->has_supervisor = outcome == 0;
        } else if (entries[1].revents != 0) {
            outcome = notifier_work(work->notifier);
            if (outcome < 0)
                return outcome;
            work->has_server = outcome == 0;
        }
    }
    return 0;
}

int notifier_run(int channel)
{
    struct work work = {.channel = channel, .has_supervisor = true};
    log_setup("emsad notifier");
    int error = sandbox_notifier();
    if (error == 0) /* who does not hear it is gone, as is seen at once */
        (void)channel_send_plain(channel, CHANNEL_ENTERED, 0, 0);
    if (error == 0)
        error = run(&work);
    if (error < 0)
        log_error("%s", error_text());
    notifier_free(work.notifier);
    return exit_status(error);
}
