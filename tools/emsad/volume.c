/*
 * One thread, one loop: what the supervisor says, what the server answers, what runtimes ask.
 */
#include "tools/emsad/volume.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/resource.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/exit_status.h"
#include "tools/common/log.h"
#include "tools/emsad/channel.h"
#include "tools/emsad/sandbox.h"
#include "tools/volume/plugin.h"

#define LISTENER_MILLISECONDS 5000
#define ASK_MILLISECONDS 250 /* between two times of asking for connections */

struct volume {
    int channel;           /* to the supervisor; borrowed */
    struct plugin *plugin; /* NULL: the listener has not come yet */
    int64_t ask;           /* when to ask next for connections to the server; -1: they are there */
};

static int take(struct volume *volume, const struct channel_message *message,
                struct channel_descriptors *descriptors)
{
    if (message->kind == CHANNEL_LISTENER && volume->plugin == NULL) {
        int listener = descriptors->fd[0];
        descriptors->fd[0] = -1;
        return plugin_new(&volume->plugin, listener);
    }
    if (message->kind == CHANNEL_VOLUME && volume->plugin != NULL) {
        plugin_connect(volume->plugin, descriptors->fd, (size_t)descriptors->count);
        return 0;
    }
    return error_set(ERR_IO, "the supervisor sent what a volume plugin does not take");
}

/* All that the supervisor has said. 1: it is gone. */
static int listen_to_supervisor(struct volume *volume)
{
    for (;;) {
        struct channel_message message;
        struct channel_descriptors descriptors;
        int outcome = channel_receive(volume->channel, &message, &descriptors);
        if (outcome != 0)
            return outcome == 2 ? 0 : outcome;
        outcome = take(volume, &message, &descriptors);
        channel_descriptors_release(&descriptors);
        if (outcome < 0)
            return outcome;
    }
}

/* With a new server the supervisor brings connections by itself; that some are lost while the
 * server lives only this process knows. */
static void ask_for_connections(struct volume *volume)
{
    if (!plugin_is_short(volume->plugin)) {
        volume->ask = -1;
        return;
    }
    if (volume->ask >= 0 && deadline_left(volume->ask) > 0)
        return;
    volume->ask = deadline_in(ASK_MILLISECONDS);
    /* a supervisor that does not read has been asked often enough; that it is gone is seen */
    (void)channel_send_plain(volume->channel, CHANNEL_VOLUME, 0, 0);
}

static int patience(struct volume *volume, struct pollfd entries[static PLUGIN_ENTRIES])
{
    if (volume->plugin == NULL)
        return LISTENER_MILLISECONDS;
    int left = plugin_poll(volume->plugin, entries);
    int ask = deadline_left(volume->ask);
    return left < 0 || (ask >= 0 && ask < left) ? ask : left;
}

/* One turn. 1: the supervisor is gone. */
static int turn(struct volume *volume)
{
    struct pollfd entries[1 + PLUGIN_ENTRIES] = {{.fd = volume->channel, .events = POLLIN}};
    for (size_t i = 1; i < 1 + PLUGIN_ENTRIES; i++)
        entries[i].fd = -1;
    int count = poll(entries, 1 + PLUGIN_ENTRIES, patience(volume, entries + 1));
    if (count < 0)
        return errno == EINTR ? 0 : error_system(errno, "cannot wait for work");
    if (count == 0 && volume->plugin == NULL)
        return error_set(ERR_IO, "the supervisor says nothing");
    int outcome = entries[0].revents != 0 ? listen_to_supervisor(volume) : 0;
    if (outcome != 0 || volume->plugin == NULL)
        return outcome;
    plugin_turn(volume->plugin);
    ask_for_connections(volume);
    return 0;
}

/* Each client is a descriptor; what a shell allows by default is fewer than may come. */
static void allow_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* with fewer, the others wait to be accepted */
}

int volume_run(int channel)
{
    struct volume volume = {.channel = channel, .ask = -1};
    log_setup("emsad volume");
    allow_descriptors();
    json_object_seed(0); /* from a file, while one can be opened */
    int outcome = sandbox_annex(CALLS_VOLUME);
    while (outcome == 0)
        outcome = turn(&volume);
    if (outcome < 0)
        log_error("%s", error_text());
    plugin_free(volume.plugin);
    return exit_status(outcome < 0 ? outcome : 0);
}
