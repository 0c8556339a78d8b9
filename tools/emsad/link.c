#include "tools/emsad/link.h"

#include <pthread.h>
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

struct waiting { /* a thread in link_mount; on its stack */
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
    pthread_mutex_t mutex; /* protects what is below, never held while sending */
    pthread_cond_t answered;
    struct waiting *waiting;
    uint32_t last_request;
    bool is_closed;
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
    *out = link;
    return 0;
}

void link_free(struct link *link)
{
    if (link == NULL)
        return;
    (void)pthread_cond_destroy(&link->answered);
    (void)pthread_mutex_destroy(&link->mutex);
    free(link);
}

void link_tell(struct link *link, enum channel_kind kind, uint32_t view)
{
    (void)channel_send_plain(link->channel, kind, view, SEND_MILLISECONDS);
}

pid_t link_supervisor(const struct link *link)
{
    struct ucred peer = {0};
    socklen_t size = sizeof peer;
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
    bool is_closed = link->is_closed;
    if (!is_closed) {
        mine->request = ++link->last_request;
        mine->next = link->waiting;
        link->waiting = mine;
    }
    pthread_mutex_unlock(&link->mutex);
    return is_closed ? error_set(ERR_BUSY, "the daemon is ending: try again") : 0;
}

/* Waits until it is done, and takes it off the list. */
static void wait_for(struct link *link, struct waiting *mine)
{
    struct timespec end;
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += MOUNT_SECONDS;
    pthread_mutex_lock(&link->mutex);
    int late = 0;
    while (!mine->is_done && !link->is_closed && late == 0)
        late = pthread_cond_timedwait(&link->answered, &link->mutex, &end);
    if (!mine->is_done) {
        mine->error = link->is_closed ? -ERR_BUSY : -ERR_IO;
        (void)snprintf(mine->text, sizeof mine->text, "%s",
                       link->is_closed ? "the daemon is ending: try again"
                                       : "the supervisor did not mount in time");
    }
    for (struct waiting **at = &link->waiting; *at != NULL; at = &(*at)->next)
        if (*at == mine) {
            *at = mine->next;
            break;
        }
    pthread_mutex_unlock(&link->mutex);
}

int link_mount(struct link *link, const struct view_options *options, int *mount_fd)
{
    struct waiting mine = {.mount_fd = -1};
    int error = enlist(link, &mine);
    if (error < 0)
        return error;
    struct channel_message message = {
        .kind = CHANNEL_MOUNT, .request = mine.request, .options = *options};
    error = channel_send(link->channel, &message, NULL, 0, SEND_MILLISECONDS);
    if (error < 0)
        link_close(link); /* the supervisor is gone, and so is this daemon */
    wait_for(link, &mine);
    if (mine.error < 0) {
        descriptor_close(&mine.mount_fd);
        return error_set((enum error_code) - mine.error, "%s", mine.text);
    }
    *mount_fd = mine.mount_fd;
    return 0;
}

static void settle(struct waiting *waiting, int error, const char *text)
{
    waiting->is_done = true;
    waiting->error = error;
    (void)snprintf(waiting->text, sizeof waiting->text, "%s", text);
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
        if (message->error < 0)
            settle(each, message->error, message->text);
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

void link_close(struct link *link)
{
    pthread_mutex_lock(&link->mutex);
    link->is_closed = true;
    pthread_cond_broadcast(&link->answered);
    pthread_mutex_unlock(&link->mutex);
}
