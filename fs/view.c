#include "fs/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "store/error.h"

int view_options_of(struct view_options *options, const struct path *path)
{
    static const uint8_t extents[] = {VIEW_ALL, VIEW_ENVIRONMENT, VIEW_SERVICE};
    const enum path_depth depth = path_depth(path);
    struct timespec now;
    if (depth == PATH_KEY)
        return error_set(ERR_INVALID, "a mount shows everything, one environment, or one service, "
                                      "and no single key");
    if (getrandom(options->key, sizeof(options->key), 0) != (ssize_t)sizeof(options->key))
        return error_system(errno, "cannot get random numbers");
    clock_gettime(CLOCK_REALTIME, &now);
    options->made_time = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    options->extent = extents[depth];
    memcpy(options->environment, path->environment, sizeof(options->environment));
    memcpy(options->service, path->service, sizeof(options->service));
    return 0;
}

bool view_options_alike(const struct view_options *one, const struct view_options *other)
{
    return one->extent == other->extent && one->layout == other->layout &&
           strcmp(one->environment, other->environment) == 0 &&
           strcmp(one->service, other->service) == 0 && one->uid == other->uid &&
           one->gid == other->gid && one->directory_mode == other->directory_mode &&
           one->file_mode == other->file_mode && one->cache == other->cache &&
           one->masked == other->masked && one->history == other->history &&
           one->idmap == other->idmap && one->pin == other->pin;
}

int views_init(struct views *views)
{
    *views = (struct views){0};
    pthread_mutex_init(&views->lock, NULL);
    return 0;
}

static void view_free(struct view *view)
{
    close(view->fuse_fd);
    free(view);
}

void views_release(struct views *views)
{
    for (uint32_t i = 0; i < views->capacity; i++) {
        if (views->slots[i])
            view_free(views->slots[i]);
    }
    free(views->slots);
    pthread_mutex_destroy(&views->lock);
}

/* A free slot, or the number of slots after making more. Negative: no memory. */
static int64_t slot_find(struct views *views)
{
    for (uint32_t i = 0; i < views->capacity; i++) {
        if (!views->slots[i])
            return i;
    }
    uint32_t capacity = views->capacity ? views->capacity * 2 : 16;
    struct view **slots = realloc(views->slots, capacity * sizeof(struct view *));
    if (!slots)
        return -1;
    for (uint32_t i = views->capacity; i < capacity; i++)
        slots[i] = NULL;
    uint32_t first = views->capacity;
    views->slots = slots;
    views->capacity = capacity;
    return first;
}

static struct view *with_id(const struct views *views, uint32_t *slot, uint32_t id)
{
    for (uint32_t i = 0; i < views->capacity; i++) {
        if (!views->slots[i] || views->slots[i]->options.id != id)
            continue;
        *slot = i;
        return views->slots[i];
    }
    return NULL;
}

int views_add(struct views *views, uint32_t *slot, const struct view_options *options,
              struct view_slot *shared, int fuse_fd)
{
    struct view *view = malloc(sizeof(*view));
    if (!view) {
        close(fuse_fd);
        return error_set(ERR_NOMEM, "no memory for a view");
    }
    *view = (struct view){.options = *options, .shared = shared, .fuse_fd = fuse_fd, .users = 1};
    scope_init(&view->scope, &view->options, shared);
    int error = 0;
    pthread_mutex_lock(&views->lock);
    int64_t index = -1;
    uint32_t other;
    if (with_id(views, &other, options->id))
        error = error_set(ERR_REFUSED, "view %u is served already", options->id);
    else if ((index = slot_find(views)) < 0)
        error = error_set(ERR_NOMEM, "no memory for a view");
    if (!error) {
        views->slots[index] = view;
        views->count++;
        *slot = (uint32_t)index;
    }
    pthread_mutex_unlock(&views->lock);
    if (error)
        view_free(view);
    return error;
}

struct view *views_get(struct views *views, uint32_t slot)
{
    pthread_mutex_lock(&views->lock);
    struct view *view = slot < views->capacity ? views->slots[slot] : NULL;
    if (view)
        view->users++;
    pthread_mutex_unlock(&views->lock);
    return view;
}

struct view *views_find(struct views *views, uint32_t *slot, uint32_t id)
{
    pthread_mutex_lock(&views->lock);
    struct view *view = with_id(views, slot, id);
    if (view)
        view->users++;
    pthread_mutex_unlock(&views->lock);
    return view;
}

bool views_put(struct views *views, struct view *view)
{
    pthread_mutex_lock(&views->lock);
    bool last = --view->users == 0;
    pthread_mutex_unlock(&views->lock);
    if (last) {
        view_slot_drop(view->shared);
        view_free(view);
    }
    return last;
}

bool views_remove(struct views *views, struct view *view)
{
    pthread_mutex_lock(&views->lock);
    bool first = !view->gone;
    view->gone = true;
    for (uint32_t i = 0; first && i < views->capacity; i++) {
        if (views->slots[i] == view) {
            views->slots[i] = NULL;
            views->count--;
        }
    }
    pthread_mutex_unlock(&views->lock);
    if (first)
        views_put(views, view); /* the table's hold */
    return first;
}

uint32_t views_count(struct views *views)
{
    pthread_mutex_lock(&views->lock);
    uint32_t count = views->count;
    pthread_mutex_unlock(&views->lock);
    return count;
}
