#include "tools/emsad/views.h"

#include <stdlib.h>
#include <string.h>

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
                                      .init_size = (uint32_t)view->mount.init_size};
    memcpy(message.init, view->mount.init, sizeof message.init);
    return channel_send(channel, &message, &view->mount.fuse_fd, 1, deadline);
}
