#include "tools/emsad/views.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/state.h"
#include "store/error.h"

static int grow(struct views *views)
{
    if (views->count < views->capacity)
        return 0;
    size_t capacity = views->capacity == 0 ? 8 : 2 * views->capacity;
    struct view *items = reallocarray(views->items, capacity, sizeof *items);
    if (items == NULL)
        return error_set(ERR_NOMEM, "cannot make a view: out of memory");
    views->items = items;
    views->capacity = capacity;
    return 0;
}

int views_make(struct views *views, struct view **out, const struct view_options *options)
{
    struct view view = {.options = *options};
    int error = grow(views);
    if (error < 0)
        return error;
    view.options.id = views->last_id + 1;
    error = mount_make(&view.mount, &view.options);
    if (error < 0)
        return error;
    if (!view.mount.has_resend)
        view.options.replay = 1;
    views->last_id = view.options.id;
    views->items[views->count] = view;
    *out = &views->items[views->count++];
    return 0;
}

int view_place(struct view *view, const char *directory, bool is_ours)
{
    char *copy = strdup(directory);
    if (copy == NULL)
        return error_set(ERR_NOMEM, "cannot keep where a view is mounted: out of memory");
    free(view->directory);
    view->directory = copy;
    view->is_ours = is_ours;
    return 0;
}

void view_unplace(struct view *view)
{
    free(view->directory);
    view->directory = NULL;
    view->is_ours = view->is_volume = false;
}

void views_forget_ours(struct views *views)
{
    for (size_t i = 0; i < views->count; i++)
        if (views->items[i].is_ours)
            view_unplace(&views->items[i]);
}

static bool is_named(const struct view_options *options)
{
    return memchr(options->environment, '\0', sizeof options->environment) != NULL &&
           memchr(options->service, '\0', sizeof options->service) != NULL;
}

int views_adopt(struct views *views, const struct channel_message *message, int *fuse_fd)
{
    struct view view = {.options = message->options,
                        .mount = {.fuse_fd = *fuse_fd, .mount_fd = -1}};
    if (*fuse_fd < 0 || !mount_is_connection(*fuse_fd) || view.options.id == 0 ||
        view.options.id != message->view || views_of(views, view.options.id) != NULL ||
        !is_named(&view.options) || views->count >= VIEW_SLOTS)
        return error_set(ERR_IO, "the server handed over what is no view");
    int error = grow(views);
    if (error == 0 && message->text[0] != '\0')
        error = view_place(&view, message->text, (message->flags & CHANNEL_OURS) != 0);
    if (error < 0)
        return error;
    view.is_volume = view.is_ours && (message->flags & CHANNEL_IS_VOLUME) != 0;
    memcpy(view.mount.init, message->init, sizeof view.mount.init);
    view.mount.init_size = message->init_size;
    view.mount.has_resend = !view.options.replay;
    if (mount_number(&view.mount.number, *fuse_fd) < 0)
        view.mount.number = 0; /* it has ended, or is about to: then nothing is left of it */
    *fuse_fd = -1;
    views->items[views->count++] = view;
    if (views->last_id < view.options.id)
        views->last_id = view.options.id;
    return 0;
}

struct view *views_of(struct views *views, uint32_t id)
{
    for (size_t i = 0; i < views->count; i++)
        if (views->items[i].options.id == id)
            return &views->items[i];
    return NULL;
}

void views_end(struct views *views, uint32_t id)
{
    struct view *view = views_of(views, id);
    if (view == NULL)
        return;
    mount_release(&view->mount);
    free(view->directory);
    *view = views->items[--views->count];
}

void views_end_all(struct views *views)
{
    while (views->count > 0)
        views_end(views, views->items[0].options.id);
    free(views->items);
    *views = (struct views){.last_id = views->last_id};
}

int view_send(const struct view *view, int channel, int deadline)
{
    struct channel_message message = {.kind = CHANNEL_VIEW,
                                      .view = view->options.id,
                                      .options = view->options,
                                      .number = view->mount.number,
                                      .init_size = (uint32_t)view->mount.init_size};
    memcpy(message.init, view->mount.init, sizeof message.init);
    if (view->directory != NULL)
        (void)snprintf(message.text, sizeof message.text, "%s", view->directory);
    if (view->is_ours)
        message.flags |= CHANNEL_OURS;
    if (view->is_volume)
        message.flags |= CHANNEL_IS_VOLUME;
    return channel_send(channel, &message, &view->mount.fuse_fd, 1, deadline);
}
