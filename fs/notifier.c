#include "fs/notifier.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fs/lane.h"
#include "fs/message.h"
#include "store/error.h"

struct notifier {
    struct lane **lanes; /* owned; by the main loop alone */
    uint32_t count, capacity;
    unsigned char packet[MESSAGE_MAX];
    struct roster *roster;
    struct lane_hooks hooks;
    int (*ask)(void *arg, uint32_t view);
    void (*alarm)(void *arg, const char *text);
    void *arg;

    pthread_mutex_t lock; /* over what follows, which lane threads use */
    int socket;           /* owned; -1 when the server is gone */
    uint32_t generation;  /* counts servers: what one asked is not confirmed to the next */
};

/* A lane's thread: the message is done. Waits where the server does not read, as long as it lives.
 */
static void confirm(void *arg, const struct message *message, uint32_t generation)
{
    struct notifier *notifier = arg;
    struct message reply = *message;
    reply.size = 0;
    pthread_mutex_lock(&notifier->lock);
    if (generation == notifier->generation && notifier->socket >= 0) {
        ssize_t n;
        do
            n = send(notifier->socket, &reply, sizeof(reply), MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
    }
    pthread_mutex_unlock(&notifier->lock);
}

static int ask(void *arg, uint32_t view)
{
    struct notifier *notifier = arg;
    int answer = notifier->ask ? notifier->ask(notifier->arg, view) : NOTIFIER_NOBODY;
    if (answer >= 0)
        return answer;
    return answer == NOTIFIER_LATER ? LANE_LATER : LANE_NOBODY;
}

static void warn(void *arg, const char *text)
{
    struct notifier *notifier = arg;
    if (notifier->alarm)
        notifier->alarm(notifier->arg, text);
}

int notifier_new(struct notifier **out, const struct notifier_options *options)
{
    struct notifier *notifier = calloc(1, sizeof(*notifier));
    if (!notifier) {
        close(options->socket);
        return error_set(ERR_NOMEM, "no memory for the notifier");
    }
    notifier->socket = options->socket;
    notifier->ask = options->ask;
    notifier->alarm = options->alarm;
    notifier->arg = options->arg;
    pthread_mutex_init(&notifier->lock, NULL);
    int error = roster_map(&notifier->roster, options->roster, true);
    if (error) {
        notifier_free(notifier);
        return error;
    }
    notifier->hooks = (struct lane_hooks){.done = confirm,
                                          .ask = options->ask ? ask : NULL,
                                          .alarm = warn,
                                          .roster = notifier->roster,
                                          .arg = notifier};
    *out = notifier;
    return 0;
}

void notifier_free(struct notifier *notifier)
{
    if (!notifier)
        return;
    if (notifier->socket >= 0)
        shutdown(notifier->socket, SHUT_RDWR); /* frees a lane that waits to confirm */
    /* server and supervisor may be gone, and the last descriptors of a view be here */
    for (uint32_t i = 0; i < notifier->count; i++)
        lane_let_go(notifier->lanes[i]);
    for (uint32_t i = 0; i < notifier->count; i++)
        lane_join(notifier->lanes[i]);
    /* the roster stays mapped: a lane that was ended while it was in the kernel leaves it yet */
    if (notifier->socket >= 0)
        close(notifier->socket);
    pthread_mutex_destroy(&notifier->lock);
    free(notifier->lanes);
    free(notifier);
}

static int lane_find(struct notifier *notifier, struct lane **out, uint32_t view)
{
    for (uint32_t i = 0; i < notifier->count; i++) {
        if (lane_view(notifier->lanes[i]) == view) {
            *out = notifier->lanes[i];
            return 0;
        }
    }
    if (notifier->count == notifier->capacity) {
        uint32_t capacity = notifier->capacity ? notifier->capacity * 2 : 16;
        struct lane **lanes = realloc(notifier->lanes, capacity * sizeof(struct lane *));
        if (!lanes)
            return error_set(ERR_NOMEM, "no memory for a view");
        notifier->lanes = lanes;
        notifier->capacity = capacity;
    }
    int error = lane_new(out, view, &notifier->hooks);
    if (!error)
        notifier->lanes[notifier->count++] = *out;
    return error;
}

int notifier_view_add(struct notifier *notifier, uint32_t view, int fuse_fd)
{
    struct lane *lane;
    int error = lane_find(notifier, &lane, view);
    if (error) {
        close(fuse_fd);
        return error;
    }
    return lane_descriptor(lane, fuse_fd);
}

void notifier_view_remove(struct notifier *notifier, uint32_t view)
{
    for (uint32_t i = 0; i < notifier->count; i++) {
        if (lane_view(notifier->lanes[i]) != view)
            continue;
        lane_end(notifier->lanes[i]);
        notifier->lanes[i] = notifier->lanes[--notifier->count];
        return;
    }
}

void notifier_mount(struct notifier *notifier, uint32_t view, int mount_fd)
{
    for (uint32_t i = 0; i < notifier->count; i++) {
        if (lane_view(notifier->lanes[i]) == view) {
            lane_mount(notifier->lanes[i], mount_fd);
            return;
        }
    }
    if (mount_fd >= 0)
        close(mount_fd); /* the view has ended meanwhile */
}

int notifier_socket(const struct notifier *notifier)
{
    return notifier->socket;
}

static int message_do(struct notifier *notifier, size_t size)
{
    struct message message;
    if (size < sizeof(message))
        return 0; /* not of ours; a server of another version would not be told apart otherwise */
    const struct message *packet = (const struct message *)(const void *)notifier->packet;
    message = *packet;
    if (message.size != size - sizeof(message))
        return 0;
    if (message.kind == MESSAGE_END) {
        notifier_view_remove(notifier, message.view);
        return 0;
    }
    struct lane *lane;
    int error = lane_find(notifier, &lane, message.view);
    if (error)
        return error;
    return lane_add(lane, &message, notifier->packet + sizeof(message), notifier->generation);
}

int notifier_work(struct notifier *notifier)
{
    for (;;) {
        ssize_t n = recv(notifier->socket, notifier->packet, sizeof(notifier->packet),
                         MSG_DONTWAIT | MSG_TRUNC);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return 0;
        if (n <= 0)
            return 1;
        if ((size_t)n > sizeof(notifier->packet))
            continue;
        int error = message_do(notifier, (size_t)n);
        if (error)
            return error;
    }
}

int notifier_server(struct notifier *notifier, int socket)
{
    if (notifier->socket >= 0)
        shutdown(notifier->socket, SHUT_RDWR);
    pthread_mutex_lock(&notifier->lock);
    if (notifier->socket >= 0)
        close(notifier->socket);
    notifier->socket = socket;
    notifier->generation++;
    pthread_mutex_unlock(&notifier->lock);
    for (uint32_t i = 0; i < notifier->count; i++)
        lane_clear(notifier->lanes[i]);
    return 0;
}
