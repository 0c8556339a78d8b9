#include "tools/emsad/estate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "tools/common/descriptor.h"

#define SEND_MILLISECONDS 5000

static int copy(int fd)
{
    return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

int estate_init(struct estate *estate, const struct channel_message *setup,
                const struct channel_descriptors *given)
{
    *estate = (struct estate){.setup = *setup};
    (void)pthread_mutex_init(&estate->mutex, NULL);
    int error = 0;
    for (int i = 0; i < SETUP_DESCRIPTORS; i++) {
        estate->fds[i] = copy(given->fd[i]);
        if (given->fd[i] >= 0 && estate->fds[i] < 0)
            error = error_system(errno, "cannot keep what the supervisor gave");
    }
    return error;
}

static void drop(struct estate_view *view)
{
    free(view->message);
    descriptor_close(&view->fuse_fd);
}

void estate_release(struct estate *estate)
{
    for (size_t i = 0; i < estate->count; i++)
        drop(&estate->views[i]);
    free(estate->views);
    for (int i = 0; i < SETUP_DESCRIPTORS; i++)
        descriptor_close(&estate->fds[i]);
    *estate = (struct estate){.fds = {-1, -1, -1, -1, -1, -1, -1}};
}

static int grow(struct estate *estate)
{
    if (estate->count < estate->capacity)
        return 0;
    size_t capacity = estate->capacity == 0 ? 8 : 2 * estate->capacity;
    struct estate_view *views = reallocarray(estate->views, capacity, sizeof *views);
    if (views == NULL)
        return error_set(ERR_NOMEM, "cannot keep a view: out of memory");
    estate->views = views;
    estate->capacity = capacity;
    return 0;
}

static bool is_volume_at(const struct channel_message *view, const char *path)
{
    return (view->flags & CHANNEL_IS_VOLUME) != 0 && strcmp(view->text, path) == 0;
}

/* The message stays as long as it was made: what is behind the end of its text is nobody's. */
static void unplace(struct estate *estate, const char *path)
{
    for (size_t i = 0; i < estate->count; i++) {
        struct channel_message *view = estate->views[i].message;
        if (!is_volume_at(view, path))
            continue;
        view->flags &= ~(CHANNEL_IS_VOLUME | CHANNEL_OURS);
        view->text[0] = '\0';
    }
}

void estate_unplace(struct estate *estate, const char *path)
{
    pthread_mutex_lock(&estate->mutex);
    unplace(estate, path);
    pthread_mutex_unlock(&estate->mutex);
}

bool estate_has_volume(struct estate *estate, const char *path, const struct view_options *options,
                       unsigned *number)
{
    const struct channel_message *found = NULL;
    pthread_mutex_lock(&estate->mutex);
    for (size_t i = 0; i < estate->count && found == NULL; i++) {
        const struct channel_message *view = estate->views[i].message;
        if (is_volume_at(view, path) &&
            (options == NULL || view_options_alike(&view->options, options)))
            found = view;
    }
    if (found != NULL && number != NULL)
        *number = found->number;
    pthread_mutex_unlock(&estate->mutex);
    return found != NULL;
}

int estate_each(struct estate *estate, int (*each)(void *arg, const struct channel_message *view),
                void *arg)
{
    int outcome = 0;
    pthread_mutex_lock(&estate->mutex);
    for (size_t i = 0; i < estate->count && outcome == 0; i++)
        outcome = each(arg, estate->views[i].message);
    pthread_mutex_unlock(&estate->mutex);
    return outcome;
}

int estate_add(struct estate *estate, const struct channel_message *view, int fuse_fd)
{
    struct estate_view kept = {.message = channel_copy(view), .fuse_fd = copy(fuse_fd)};
    int error = kept.message == NULL ? error_set(ERR_NOMEM, "cannot keep a view: out of memory")
                : kept.fuse_fd < 0   ? error_system(errno, "cannot keep a view's connection")
                                     : 0;
    pthread_mutex_lock(&estate->mutex);
    if (error == 0)
        error = grow(estate);
    if (error == 0 && (view->flags & CHANNEL_IS_VOLUME) != 0)
        unplace(estate, view->text); /* this one stands there now */
    if (error == 0 && view->view > estate->setup.view)
        estate->setup.view = view->view; /* so that no id is given twice */
    if (error == 0)
        estate->views[estate->count++] = kept;
    pthread_mutex_unlock(&estate->mutex);
    if (error < 0)
        drop(&kept);
    return error;
}

void estate_remove(struct estate *estate, uint32_t view)
{
    pthread_mutex_lock(&estate->mutex);
    for (size_t i = 0; i < estate->count; i++)
        if (estate->views[i].message->view == view) {
            drop(&estate->views[i]);
            estate->views[i] = estate->views[--estate->count];
            break;
        }
    pthread_mutex_unlock(&estate->mutex);
}

int estate_identity(struct estate *estate)
{
    pthread_mutex_lock(&estate->mutex);
    int fd = copy(estate->fds[SETUP_IDENTITY]);
    pthread_mutex_unlock(&estate->mutex);
    return fd;
}

void estate_keep_identity(struct estate *estate, int *fd)
{
    pthread_mutex_lock(&estate->mutex);
    descriptor_close(&estate->fds[SETUP_IDENTITY]);
    estate->fds[SETUP_IDENTITY] = *fd;
    *fd = -1;
    pthread_mutex_unlock(&estate->mutex);
}

static int hand_over(const struct estate *estate, int channel)
{
    struct channel_message held = estate->setup;
    held.kind = CHANNEL_HELD;
    int error = channel_send(channel, &held, estate->fds, channel_setup_count(estate->fds),
                             SEND_MILLISECONDS);
    for (size_t i = 0; i < estate->count && error == 0; i++)
        error = channel_send(channel, estate->views[i].message, &estate->views[i].fuse_fd, 1,
                             SEND_MILLISECONDS);
    return error == 0 ? channel_send_plain(channel, CHANNEL_HANDED, 0, SEND_MILLISECONDS) : error;
}

int estate_hand_over(struct estate *estate, int channel)
{
    pthread_mutex_lock(&estate->mutex);
    int error = hand_over(estate, channel);
    pthread_mutex_unlock(&estate->mutex);
    return error;
}
