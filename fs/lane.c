#include "fs/lane.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fs/effect.h"
#include "fs/kernel.h"
#include "store/error.h"

/* Enough for the writes below; a thousand views are a thousand of them. */
#define STACK_SIZE (64u * 1024u)

/* No entry of the tree can have this name, so an invalidation of it does nothing but wait. */
#define NO_NAME "~"

struct item {
    struct item *next;
    struct message message;
    uint32_t generation;
    unsigned char effects[];
};

struct lane {
    /* Held while one is told that something is done, and before lock by who ends the lane: so that
     * once it is ended nobody is told any more. */
    pthread_mutex_t telling;
    pthread_mutex_t lock; /* over all below but view, done and arg */
    pthread_cond_t wake;
    struct item *first, **last; /* waiting, in order */
    int fuse_fd;                /* owned; -1 until it comes */
    bool started, ending, joined;
    pthread_t thread;
    uint32_t view;
    lane_done *done;
    void *arg;
};

/* The writes */

static void notify_write(int fuse_fd, int code, const void *body, size_t size, const char *name,
                         size_t name_size)
{
    struct fuse_out_header header = {.error = code};
    static const char nul = 0;
    struct iovec parts[4] = {{&header, sizeof(header)},
                             {(void *)(uintptr_t)body, size},
                             {(void *)(uintptr_t)name, name_size},
                             {(void *)(uintptr_t)&nul, name ? 1 : 0}};
    header.len = (uint32_t)(sizeof(header) + size + name_size + (name ? 1 : 0));
    ssize_t n;
    do
        n = writev(fuse_fd, parts, name ? 4 : 2);
    while (n < 0 && errno == EINTR);
}

static void node_write(int fuse_fd, uint64_t node)
{
    struct fuse_notify_inval_inode_out body = {.ino = node, .off = 0, .len = 0};
    notify_write(fuse_fd, FUSE_NOTIFY_INVAL_INODE, &body, sizeof(body), NULL, 0);
}

static void name_write(int fuse_fd, uint64_t directory, const char *name, size_t size)
{
    struct fuse_notify_inval_entry_out body = {.parent = directory, .namelen = (uint32_t)size};
    notify_write(fuse_fd, FUSE_NOTIFY_INVAL_ENTRY, &body, sizeof(body), name, size);
}

void lane_tell(int fuse_fd, const struct message *message, const void *effects)
{
    struct effect effect;
    const char *name;
    size_t at = 0;
    if (message->kind == MESSAGE_SWEEP)
        node_write(fuse_fd, message->a);
    while (effects_next(effects, message->size, &at, &effect, &name)) {
        if (effect.kind == EFFECT_NODE)
            node_write(fuse_fd, effect.node);
        else if (effect.kind == EFFECT_WAIT)
            name_write(fuse_fd, effect.node, NO_NAME, sizeof(NO_NAME) - 1);
        else
            name_write(fuse_fd, effect.node, name, effect.name_size);
    }
}

/* The thread */

static void lane_free(struct lane *lane)
{
    lane_clear(lane);
    if (lane->fuse_fd >= 0)
        close(lane->fuse_fd);
    pthread_cond_destroy(&lane->wake);
    pthread_mutex_destroy(&lane->lock);
    pthread_mutex_destroy(&lane->telling);
    free(lane);
}

static struct item *item_take(struct lane *lane, int *fuse_fd)
{
    pthread_mutex_lock(&lane->lock);
    while (!lane->first && !lane->ending)
        pthread_cond_wait(&lane->wake, &lane->lock);
    struct item *item = lane->ending ? NULL : lane->first;
    if (item) {
        lane->first = item->next;
        if (!lane->first)
            lane->last = &lane->first;
    }
    *fuse_fd = lane->fuse_fd;
    pthread_mutex_unlock(&lane->lock);
    return item;
}

/* Whoever would hear that it is done may be gone then. */
static bool is_ending(struct lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    bool ending = lane->ending;
    pthread_mutex_unlock(&lane->lock);
    return ending;
}

static void *lane_run(void *arg)
{
    struct lane *lane = arg;
    struct item *item;
    int fuse_fd;
    while ((item = item_take(lane, &fuse_fd))) {
        lane_tell(fuse_fd, &item->message, item->effects);
        pthread_mutex_lock(&lane->telling);
        if (!is_ending(lane))
            lane->done(lane->arg, &item->message, item->generation);
        pthread_mutex_unlock(&lane->telling);
        free(item);
    }
    pthread_mutex_lock(&lane->telling); /* until who ended it has let go of it */
    pthread_mutex_unlock(&lane->telling);
    if (!lane->joined)
        lane_free(lane);
    return NULL;
}

/* Called with the lock: starts the thread once there is work and a descriptor. */
static int lane_start(struct lane *lane)
{
    if (lane->started || lane->fuse_fd < 0 || !lane->first)
        return 0;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    int error = pthread_create(&lane->thread, &attributes, lane_run, lane);
    pthread_attr_destroy(&attributes);
    if (error)
        return error_system(error, "cannot start a thread");
    lane->started = true;
    return 0;
}

int lane_new(struct lane **out, uint32_t view, lane_done *done, void *arg)
{
    struct lane *lane = calloc(1, sizeof(*lane));
    if (!lane)
        return error_set(ERR_NOMEM, "no memory for a view");
    lane->view = view;
    lane->done = done;
    lane->arg = arg;
    lane->fuse_fd = -1;
    lane->last = &lane->first;
    pthread_mutex_init(&lane->telling, NULL);
    pthread_mutex_init(&lane->lock, NULL);
    pthread_cond_init(&lane->wake, NULL);
    *out = lane;
    return 0;
}

static void finish(struct lane *lane, bool join)
{
    pthread_mutex_lock(&lane->telling);
    pthread_mutex_lock(&lane->lock);
    bool started = lane->started;
    pthread_t thread = lane->thread;
    lane->ending = true;
    lane->joined = join;
    if (started && !join)
        pthread_detach(thread);
    pthread_cond_broadcast(&lane->wake);
    pthread_mutex_unlock(&lane->lock);
    pthread_mutex_unlock(&lane->telling);
    if (started && !join)
        return; /* the thread frees it */
    if (started)
        pthread_join(thread, NULL);
    lane_free(lane);
}

void lane_end(struct lane *lane)
{
    finish(lane, false);
}

void lane_join(struct lane *lane)
{
    finish(lane, true);
}

int lane_descriptor(struct lane *lane, int fuse_fd)
{
    pthread_mutex_lock(&lane->lock);
    int error = 0;
    if (lane->fuse_fd >= 0) {
        close(fuse_fd); /* the same connection, named again */
    } else {
        lane->fuse_fd = fuse_fd;
        error = lane_start(lane);
    }
    pthread_mutex_unlock(&lane->lock);
    return error;
}

int lane_add(struct lane *lane, const struct message *message, const void *effects,
             uint32_t generation)
{
    struct item *item = malloc(sizeof(*item) + message->size);
    if (!item)
        return error_set(ERR_NOMEM, "no memory for a message");
    item->next = NULL;
    item->message = *message;
    item->generation = generation;
    if (message->size)
        memcpy(item->effects, effects, message->size);
    pthread_mutex_lock(&lane->lock);
    *lane->last = item;
    lane->last = &item->next;
    int error = lane_start(lane);
    pthread_cond_signal(&lane->wake);
    pthread_mutex_unlock(&lane->lock);
    return error;
}

void lane_clear(struct lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    struct item *item = lane->first;
    lane->first = NULL;
    lane->last = &lane->first;
    pthread_mutex_unlock(&lane->lock);
    while (item) {
        struct item *next = item->next;
        free(item);
        item = next;
    }
}

uint32_t lane_view(const struct lane *lane)
{
    return lane->view;
}
