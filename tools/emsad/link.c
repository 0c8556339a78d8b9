#include "tools/emsad/link.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/emsad/figures.h"

#define MOUNT_SECONDS 10
#define SEND_MILLISECONDS 10000
#define LOST_SECONDS 2 /* for the main loop to see that the supervisor is gone */
#define NO_SUPERVISOR "the supervisor of this server is gone: start 'emsad', which takes over"

struct waiting { /* a thread in one of the questions; on its stack */
    struct waiting *next;
    uint32_t request;
    uint32_t view; /* 0: it was not made yet */
    bool is_done;
    int error;
    char text[ERROR_TEXT_MAX];
    int mount_fd;
};

struct link {
    int channel;
    atomic_bool is_followed; /* whoever is at its other end holds all that a supervisor holds */
    pthread_mutex_t mutex;   /* protects what is below, never held while sending */
    pthread_cond_t answered;
    struct waiting *waiting;
    uint32_t last_request;
    bool is_closed;
    bool is_lost; /* the supervisor is gone, and there is no other yet */
    bool is_over; /* and the server is to end */
    int heir;     /* the channel to the next; -1 */
};

int link_new(struct link **out, int channel)
{
    struct link *link = calloc(1, sizeof *link);
    if (link == NULL)
        return error_set(ERR_NOMEM, "cannot make the link to the supervisor: out of memory");
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&link->answered, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&link->mutex, NULL);
    link->channel = channel;
    atomic_store(&link->is_followed, true);
    link->heir = -1;
    *out = link;
    return 0;
}

void link_free(struct link *link)
{
    if (link == NULL)
        return;
    descriptor_close(&link->heir);
    (void)pthread_cond_destroy(&link->answered);
    (void)pthread_mutex_destroy(&link->mutex);
    free(link);
}

static bool ends_alone(struct link *link, enum channel_kind kind)
{
    pthread_mutex_lock(&link->mutex);
    bool ends = link->is_lost && kind == CHANNEL_END;
    if (ends)
        link->is_over = true;
    pthread_cond_broadcast(&link->answered);
    pthread_mutex_unlock(&link->mutex);
    return ends;
}

void link_tell(struct link *link, enum channel_kind kind, uint32_t view)
{
    if (ends_alone(link, kind))
        return;
    (void)channel_send_plain(link->channel, kind, view, SEND_MILLISECONDS);
}

void link_give(struct link *link, enum channel_kind kind, int fd)
{
    struct channel_message message = {.kind = kind};
    (void)channel_send(link->channel, &message, &fd, 1, SEND_MILLISECONDS);
}

pid_t link_supervisor(const struct link *link)
{
    struct pollfd entry = {.fd = link->channel, .events = 0};
    struct ucred peer = {0};
    socklen_t size = sizeof peer;
    if (!atomic_load(&link->is_followed) || poll(&entry, 1, 0) > 0) /* hung up */
        return 0;
    if (getsockopt(link->channel, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return 0;
    return figures_living(peer.pid);
}

void link_answer(struct link *link, uint32_t calls)
{
    struct channel_message message = {.kind = CHANNEL_ANSWERED, .calls = calls};
    (void)channel_send(link->channel, &message, NULL, 0, SEND_MILLISECONDS);
}

void link_fail(struct link *link, int error, const char *text)
{
    struct channel_message message = {.kind = CHANNEL_FAILED, .error = error};
    (void)snprintf(message.text, sizeof message.text, "%s", text);
    (void)channel_send(link->channel, &message, NULL, 0, SEND_MILLISECONDS);
}

static int enlist(struct link *link, struct waiting *mine)
{
    pthread_mutex_lock(&link->mutex);
    bool is_closed = link->is_closed, is_lost = link->is_lost;
    if (!is_closed && !is_lost) {
        mine->request = ++link->last_request;
        mine->next = link->waiting;
        link->waiting = mine;
    }
    pthread_mutex_unlock(&link->mutex);
    if (is_lost)
        return error_set(ERR_BUSY, NO_SUPERVISOR);
    return is_closed ? error_set(ERR_BUSY, "the daemon is ending: try again") : 0;
}

static struct timespec in_seconds(int seconds)
{
    struct timespec end;
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += seconds;
    return end;
}

/* Waits until it is done, and takes it off the list. */
static void wait_for(struct link *link, struct waiting *mine)
{
    struct timespec end = in_seconds(MOUNT_SECONDS);
    pthread_mutex_lock(&link->mutex);
    int late = 0;
    while (!mine->is_done && !link->is_closed && !link->is_lost && late == 0)
        late = pthread_cond_timedwait(&link->answered, &link->mutex, &end);
    if (!mine->is_done) {
        mine->error = link->is_closed || link->is_lost ? -ERR_BUSY : -ERR_IO;
        (void)snprintf(mine->text, sizeof mine->text, "%s",
                       link->is_closed ? "the daemon is ending: try again"
                       : link->is_lost ? NO_SUPERVISOR
                                       : "the supervisor did not mount in time");
    }
    for (struct waiting **at = &link->waiting; *at != NULL; at = &(*at)->next)
        if (*at == mine) {
            *at = mine->next;
            break;
        }
    pthread_mutex_unlock(&link->mutex);
}

static void settle(struct waiting *waiting, int error, const char *text)
{
    waiting->is_done = true;
    waiting->error = error;
    (void)snprintf(waiting->text, sizeof waiting->text, "%s", text);
}

/* Nobody takes the question. */
static void give_up(struct link *link, struct waiting *mine)
{
    pthread_mutex_lock(&link->mutex);
    settle(mine, -ERR_BUSY, NO_SUPERVISOR);
    pthread_mutex_unlock(&link->mutex);
}

/* Sends a question, and waits for its answer. *mount_fd is -1 where that brought none. */
static int ask(struct link *link, struct channel_message *message, const char *text, uint32_t *view,
               int *mount_fd)
{
    struct waiting mine = {.mount_fd = -1};
    int error = enlist(link, &mine);
    if (error < 0)
        return error;
    message->request = mine.request;
    if (text != NULL)
        (void)snprintf(message->text, sizeof message->text, "%s", text);
    error = channel_send(link->channel, message, NULL, 0, SEND_MILLISECONDS);
    if (error < 0)
        give_up(link, &mine);
    wait_for(link, &mine);
    if (mine.error < 0) {
        descriptor_close(&mine.mount_fd);
        return error_set((enum error_code) - mine.error, "%s", mine.text);
    }
    *view = mine.view;
    *mount_fd = mine.mount_fd;
    return 0;
}

int link_mount(struct link *link, const struct view_options *options, const char *directory,
               uint32_t *view, int *mount_fd)
{
    struct channel_message message = {.kind = CHANNEL_MOUNT, .options = *options};
    return ask(link, &message, directory, view, mount_fd);
}

int link_volume(struct link *link, const struct view_options *options, const char *name)
{
    struct channel_message message = {
        .kind = CHANNEL_MOUNT, .flags = CHANNEL_IS_VOLUME, .options = *options};
    uint32_t view;
    int none DESCRIPTOR_CLEANUP = -1;
    return ask(link, &message, name, &view, &none);
}

int link_volume_end(struct link *link, const char *name)
{
    struct channel_message message = {.kind = CHANNEL_UNMOUNT};
    uint32_t view;
    int none DESCRIPTOR_CLEANUP = -1;
    return ask(link, &message, name, &view, &none);
}

int link_people(struct link *link, unsigned which, int *fd)
{
    struct channel_message message = {.kind = CHANNEL_PEOPLE, .view = which};
    uint32_t none;
    return ask(link, &message, NULL, &none, fd);
}

/* A failure means that the supervisor is gone, which the main loop sees. */
static void say(struct link *link, struct channel_message *message, const char *name)
{
    (void)snprintf(message->text, sizeof message->text, "%s", name);
    (void)channel_send(link->channel, message, NULL, 0, SEND_MILLISECONDS);
}

void link_volume_begin(struct link *link, const struct view_options *options, const char *name)
{
    struct channel_message message = {
        .kind = CHANNEL_MOUNT, .flags = CHANNEL_IS_VOLUME, .options = *options};
    say(link, &message, name);
}

void link_volume_drop(struct link *link, const char *name)
{
    struct channel_message message = {.kind = CHANNEL_UNMOUNT};
    say(link, &message, name);
}

void link_mounted(struct link *link, const struct channel_message *message, int *mount_fd)
{
    pthread_mutex_lock(&link->mutex);
    for (struct waiting *each = link->waiting; each != NULL; each = each->next) {
        if (each->request != message->request || each->is_done || each->view != 0)
            continue;
        each->view = message->view;
        each->mount_fd = *mount_fd;
        *mount_fd = -1;
        if (message->error < 0 || message->view == 0 || (message->flags & CHANNEL_STANDS) != 0)
            settle(each, message->error, message->text); /* no VIEW follows */
        break;
    }
    pthread_cond_broadcast(&link->answered);
    pthread_mutex_unlock(&link->mutex);
    descriptor_close(mount_fd); /* nobody waits any more: the superblock ends with it */
}

void link_adopted(struct link *link, uint32_t view, int error)
{
    pthread_mutex_lock(&link->mutex);
    for (struct waiting *each = link->waiting; each != NULL; each = each->next)
        if (each->view == view && !each->is_done)
            settle(each, error, error < 0 ? error_text() : "");
    pthread_cond_broadcast(&link->answered);
    pthread_mutex_unlock(&link->mutex);
}

static void set_lost(struct link *link, bool is_lost)
{
    pthread_mutex_lock(&link->mutex);
    link->is_lost = is_lost;
    pthread_cond_broadcast(&link->answered);
    pthread_mutex_unlock(&link->mutex);
}

void link_lost(struct link *link)
{
    atomic_store(&link->is_followed, false);
    set_lost(link, true);
}

void link_followed(struct link *link)
{
    atomic_store(&link->is_followed, true);
}

void link_found(struct link *link)
{
    set_lost(link, false);
    pthread_mutex_lock(&link->mutex);
    descriptor_close(&link->heir); /* of one that came later: it hears at once that it is late */
    pthread_mutex_unlock(&link->mutex);
}

int link_wait_heir(struct link *link)
{
    pthread_mutex_lock(&link->mutex);
    while (link->heir < 0 && !link->is_over)
        pthread_cond_wait(&link->answered, &link->mutex);
    int heir = link->heir;
    link->heir = -1;
    pthread_mutex_unlock(&link->mutex);
    return heir;
}

int link_take_over(struct link *link, int channel)
{
    struct timespec end = in_seconds(LOST_SECONDS);
    bool is_dead = link_supervisor(link) == 0;
    pthread_mutex_lock(&link->mutex);
    for (int late = 0; !link->is_lost && is_dead && late == 0;)
        late = pthread_cond_timedwait(&link->answered, &link->mutex, &end);
    bool is_free = link->is_lost && link->heir < 0 && !link->is_over;
    if (is_free)
        link->heir = channel;
    pthread_cond_broadcast(&link->answered);
    pthread_mutex_unlock(&link->mutex);
    return is_free ? 0 : error_set(ERR_BUSY, "this server has a supervisor that lives");
}

void link_close(struct link *link)
{
    pthread_mutex_lock(&link->mutex);
    link->is_closed = true;
    pthread_cond_broadcast(&link->answered);
    pthread_mutex_unlock(&link->mutex);
}
