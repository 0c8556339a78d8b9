#include "fs/lane.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "fs/edit.h"
#include "fs/effect.h"
#include "fs/queue.h"
#include "fs/tell.h"
#include "store/error.h"

/* Enough for what is below; a thousand views are a thousand of them. */
#define STACK_SIZE (64u * 1024u)

/* How long a mount is waited for, how long one that cannot be had is not asked for again, and how
 * long one is kept that nobody needs: a burst of commits shares it. */
#define ASK_MS 1000
#define RETRY_MS 1000
#define KEEP_MS 100

/* An event that is refused (no descriptors, no memory) is tried again after this, then after twice
 * as long, up to the most; after so many times, a minute and a half, it is given up. */
#define AGAIN_MS 50
#define AGAIN_MOST_MS 5000
#define TRIES 24u

enum { URGENT, NAMES, EVENTS, AGAIN, QUEUES };

enum mount_state {
    MOUNT_NONE,
    MOUNT_ASKED,   /* until `until` */
    MOUNT_HERE,    /* idle: until `until` */
    MOUNT_REFUSED, /* until `until` */
    MOUNT_ALONE,   /* nobody to ask, until `until`: who follows them brings another notifier */
    MOUNT_NEVER,
};

struct lane {
    /* Held while one is told that something is done, and before lock by who ends the lane: so that
     * once it is ended nobody is told any more. */
    pthread_mutex_t telling;
    pthread_mutex_t lock; /* over all below but view, hooks and what is the thread's */
    pthread_cond_t wake;
    struct queue queues[QUEUES];
    int fuse_fd;  /* owned; -1 until it comes */
    int mount_fd; /* owned; -1 while there is none */
    enum mount_state state;
    struct timespec until;
    bool started, ending, joined;
    pthread_t thread;
    uint32_t view;
    const struct lane_hooks *hooks;
    struct roster_slot *entered; /* the thread's own */
};

static unsigned queue_of(const struct message *message)
{
    return message->kind == MESSAGE_NAMES    ? NAMES
           : message->kind == MESSAGE_EVENTS ? EVENTS
                                             : URGENT;
}

/* What the thread does */

/* Whoever would hear that it is done may be gone then. */
static bool is_ending(struct lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    bool ending = lane->ending;
    pthread_mutex_unlock(&lane->lock);
    return ending;
}

static void finish_item(struct lane *lane, struct item *item)
{
    pthread_mutex_lock(&lane->telling);
    if (!is_ending(lane))
        lane->hooks->done(lane->hooks->arg, &item->message, item->generation);
    pthread_mutex_unlock(&lane->telling);
    free(item);
}

static void tell(int fuse_fd, const struct item *item)
{
    struct effect effect;
    const char *name;
    size_t at = 0;
    if (item->message.kind == MESSAGE_SWEEP)
        tell_node(fuse_fd, item->message.a);
    while (effects_next(item->effects, item->size, &at, &effect, &name)) {
        if (effect.kind == EFFECT_NODE)
            tell_node(fuse_fd, effect.node);
        else if (effect.kind == EFFECT_WAIT)
            tell_wait(fuse_fd, effect.node);
        else if (effect.kind == EFFECT_NAME)
            tell_name(fuse_fd, effect.node, name, effect.name_size);
    }
}

/* Readers shall not wait for a new value behind a thousand events of older ones. */
static void tell_urgent(struct lane *lane, int fuse_fd)
{
    for (;;) {
        pthread_mutex_lock(&lane->lock);
        struct item *item = lane->ending ? NULL : queue_pop(&lane->queues[URGENT]);
        pthread_mutex_unlock(&lane->lock);
        if (!item)
            return;
        tell(fuse_fd, item);
        finish_item(lane, item);
    }
}

static void forget_name(int fuse_fd, const struct effect *effect, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    tell_name(fuse_fd, effect->parent, name, strlen(name));
}

/* Its slot may be another's by now: of a notifier that did not wait any longer for this one. */
static bool is_entered(const struct lane *lane)
{
    return lane->entered && atomic_load(&lane->entered->tid) == (uint32_t)gettid();
}

/* Has readers see a name, or its absence, though no watcher hears of it. */
static void reveal(struct lane *lane, int fuse_fd, const struct message *message,
                   const struct effect *effect, const char *path)
{
    struct roster_slot *slot = lane->entered;
    if (is_entered(lane)) {
        if (atomic_load(&slot->revision) != message->b) {
            atomic_store(&slot->revealed, 0);
            atomic_store(&slot->revision, message->b);
        }
        atomic_store(&slot->revealed, effect->position);
    }
    forget_name(fuse_fd, effect, path);
    tell_node(fuse_fd, effect->parent);
}

static void announce(struct lane *lane, const struct effect *effect)
{
    struct roster_slot *slot = lane->entered;
    if (!is_entered(lane))
        return;
    atomic_store(&slot->node, 0);
    atomic_store(&slot->parent, effect->parent);
    atomic_store(&slot->position, effect->position);
    atomic_store(&slot->node, effect->kind == EFFECT_TOUCH ? 0 : effect->node);
}

/* False: watchers are to hear of it, and did not yet. */
static bool edit_one(struct lane *lane, int fuse_fd, int mount_fd, const struct message *message,
                     const struct effect *effect, const char *path)
{
    enum edit_outcome outcome = EDIT_REFUSED;
    if (mount_fd >= 0) {
        announce(lane, effect);
        outcome = edit(mount_fd, effect, path);
        if (outcome == EDIT_BUSY) { /* what is mounted on it goes with its name */
            forget_name(fuse_fd, effect, path);
            outcome = edit(mount_fd, effect, path);
        }
    }
    if (outcome == EDIT_DONE)
        return true;
    if (effect->kind == EFFECT_TOUCH)
        return false;
    reveal(lane, fuse_fd, message, effect, path);
    return true;
}

/* Leaves in the item what was refused. Returns errno of the last of it, 0: nothing was. */
static int edit_all(struct lane *lane, int fuse_fd, int mount_fd, struct item *item)
{
    struct effect effect;
    const char *name;
    char path[EDIT_PATH_MAX];
    size_t at = 0, from = 0, kept = 0;
    int refused = 0;
    for (; effects_next(item->effects, item->size, &at, &effect, &name); from = at) {
        if (effect.kind < EFFECT_REMOVE_FILE || effect.name_size >= sizeof(path))
            continue;
        memcpy(path, name, effect.name_size);
        path[effect.name_size] = 0;
        tell_urgent(lane, fuse_fd);
        if (edit_one(lane, fuse_fd, mount_fd, &item->message, &effect, path))
            continue;
        refused = errno ? errno : EIO;
        memmove(item->effects + kept, item->effects + from, at - from);
        kept += at - from;
    }
    item->size = kept;
    if (is_entered(lane))
        atomic_store(&lane->entered->node, 0);
    return refused;
}

static void set_after(struct timespec *out, int milliseconds)
{
    clock_gettime(CLOCK_MONOTONIC, out);
    out->tv_sec += milliseconds / 1000;
    out->tv_nsec += milliseconds % 1000 * 1000000l;
    if (out->tv_nsec >= 1000000000l) {
        out->tv_sec++;
        out->tv_nsec -= 1000000000l;
    }
}

static void complain(struct lane *lane, const struct item *item, int reason)
{
    struct effect effect;
    const char *name;
    char text[EDIT_PATH_MAX + 160];
    size_t at = 0;
    if (!effects_next(item->effects, item->size, &at, &effect, &name))
        return;
    (void)snprintf(text, sizeof(text),
                   "cannot tell watchers of view %u that '%.*s' changed: %s; %s", lane->view,
                   (int)effect.name_size, name, strerror(reason),
                   item->tries < TRIES ? "it is tried again" : "given up");
    pthread_mutex_lock(&lane->telling);
    if (!is_ending(lane) && lane->hooks->alarm)
        lane->hooks->alarm(lane->hooks->arg, text);
    pthread_mutex_unlock(&lane->telling);
}

/* Others' names, events and changes don't wait for what was refused; its confirmation does. False:
 * it is given up. */
static bool put_again(struct lane *lane, struct item *item, int reason)
{
    int wait = AGAIN_MS << (item->tries < 7 ? item->tries : 7);
    item->tries++;
    if (item->tries == 1 || item->tries == TRIES)
        complain(lane, item, reason);
    if (item->tries == TRIES)
        return false;
    set_after(&item->due, wait < AGAIN_MOST_MS ? wait : AGAIN_MOST_MS);
    pthread_mutex_lock(&lane->lock);
    queue_put(&lane->queues[AGAIN], item);
    pthread_mutex_unlock(&lane->lock);
    return true;
}

/* The mount; with the lock */

static void turn(struct lane *lane, enum mount_state state, int milliseconds)
{
    lane->state = state;
    set_after(&lane->until, milliseconds);
}

static void ask(struct lane *lane)
{
    int answer = LANE_NOBODY;
    bool has_asked = lane->entered && lane->hooks->ask;
    turn(lane, MOUNT_ASKED, ASK_MS);
    if (has_asked) {
        pthread_mutex_unlock(&lane->lock);
        pthread_mutex_lock(&lane->telling);
        if (!is_ending(lane))
            answer = lane->hooks->ask(lane->hooks->arg, lane->view);
        pthread_mutex_unlock(&lane->telling);
        pthread_mutex_lock(&lane->lock);
    }
    if (answer >= 0) {
        lane->mount_fd = answer;
        turn(lane, MOUNT_HERE, KEEP_MS);
    } else if (answer == LANE_NOBODY && has_asked) {
        turn(lane, MOUNT_ALONE, ASK_MS);
    } else if (answer == LANE_NOBODY) {
        lane->state = MOUNT_NEVER;
    }
}

/* The time of a state is up. */
static void expire(struct lane *lane)
{
    int fd = lane->mount_fd;
    switch (lane->state) {
    case MOUNT_ASKED:
        turn(lane, MOUNT_REFUSED, RETRY_MS);
        break;
    case MOUNT_ALONE:
        lane->state = MOUNT_NEVER;
        break;
    case MOUNT_HERE:
        lane->mount_fd = -1;
        lane->state = MOUNT_NONE;
        /* the last of a superblock may go with it, which may take its time */
        pthread_mutex_unlock(&lane->lock);
        close(fd);
        pthread_mutex_lock(&lane->lock);
        break;
    default:
        lane->state = MOUNT_NONE;
    }
}

static bool is_before(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

/* What was refused and may be tried again now. */
static bool is_due(const struct lane *lane)
{
    struct timespec now;
    if (!lane->queues[AGAIN].first)
        return false;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return !is_before(&now, &lane->queues[AGAIN].first->due);
}

static void doze(struct lane *lane)
{
    const struct item *again = lane->queues[AGAIN].first;
    bool rests = lane->state == MOUNT_NONE || lane->state == MOUNT_NEVER ||
                 (lane->state == MOUNT_REFUSED && !lane->queues[EVENTS].first && !again);
    bool has_moment = again && (lane->state == MOUNT_NONE || lane->state == MOUNT_HERE);
    if (has_moment && (rests || is_before(&again->due, &lane->until)))
        pthread_cond_timedwait(&lane->wake, &lane->lock, &again->due);
    else if (rests)
        pthread_cond_wait(&lane->wake, &lane->lock);
    else if (pthread_cond_timedwait(&lane->wake, &lane->lock, &lane->until) == ETIMEDOUT)
        expire(lane);
}

/* What the mount, or its absence, allows. */
static struct item *pop_edits(struct lane *lane)
{
    bool without = lane->state == MOUNT_REFUSED || lane->state == MOUNT_NEVER;
    struct item *item = NULL;
    if (lane->state == MOUNT_HERE || without)
        item = queue_pop(&lane->queues[NAMES]);
    if (!item && lane->state == MOUNT_HERE)
        item = queue_pop(&lane->queues[EVENTS]);
    if (!item && lane->state == MOUNT_HERE && is_due(lane))
        item = queue_pop(&lane->queues[AGAIN]);
    return item;
}

/* What is to be done next, once it can be; NULL: the lane ends. */
static struct item *item_take(struct lane *lane, int *fuse_fd, int *mount_fd)
{
    struct item *item = NULL;
    pthread_mutex_lock(&lane->lock);
    if (lane->state == MOUNT_HERE)
        set_after(&lane->until, KEEP_MS);
    while (!lane->ending && !(item = queue_pop(&lane->queues[URGENT])) &&
           !(item = pop_edits(lane))) {
        bool wanted = lane->queues[NAMES].first || lane->queues[EVENTS].first || is_due(lane);
        if (wanted && lane->state == MOUNT_NONE)
            ask(lane);
        else
            doze(lane);
    }
    *fuse_fd = lane->fuse_fd;
    *mount_fd = lane->mount_fd;
    pthread_mutex_unlock(&lane->lock);
    return item;
}

/* The thread */

static void lane_free(struct lane *lane)
{
    lane_clear(lane);
    if (lane->mount_fd >= 0)
        close(lane->mount_fd);
    if (lane->fuse_fd >= 0)
        close(lane->fuse_fd);
    pthread_cond_destroy(&lane->wake);
    pthread_mutex_destroy(&lane->lock);
    pthread_mutex_destroy(&lane->telling);
    free(lane);
}

static void *lane_run(void *arg)
{
    struct lane *lane = arg;
    struct item *item;
    int fuse_fd, mount_fd;
    if (lane->hooks->roster)
        lane->entered = roster_enter(lane->hooks->roster, lane->view, (uint32_t)gettid());
    while ((item = item_take(lane, &fuse_fd, &mount_fd))) {
        int refused = 0;
        if (queue_of(&item->message) == URGENT)
            tell(fuse_fd, item);
        else
            refused = edit_all(lane, fuse_fd, mount_fd, item);
        if (!refused || !put_again(lane, item, refused))
            finish_item(lane, item);
    }
    roster_leave(lane->entered, (uint32_t)gettid());
    pthread_mutex_lock(&lane->telling); /* until who ended it has let go of it */
    pthread_mutex_unlock(&lane->telling);
    if (!lane->joined)
        lane_free(lane);
    return NULL;
}

/* Called with the lock: starts the thread once there is work and a descriptor. */
static int lane_start(struct lane *lane)
{
    bool work =
        lane->queues[URGENT].first || lane->queues[NAMES].first || lane->queues[EVENTS].first;
    if (lane->started || lane->fuse_fd < 0 || !work)
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

/* Life */

int lane_new(struct lane **out, uint32_t view, const struct lane_hooks *hooks)
{
    struct lane *lane = calloc(1, sizeof(*lane));
    pthread_condattr_t monotonic;
    if (!lane)
        return error_set(ERR_NOMEM, "no memory for a view");
    lane->view = view;
    lane->hooks = hooks;
    lane->fuse_fd = lane->mount_fd = -1;
    for (unsigned i = 0; i < QUEUES; i++)
        queue_init(&lane->queues[i]);
    pthread_mutex_init(&lane->telling, NULL);
    pthread_mutex_init(&lane->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&lane->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
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

/* The thread may be about to use the number: it finds there what swallows all, and nobody else's
 * descriptor. */
void lane_let_go(struct lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    if (lane->fuse_fd >= 0) {
        const int nowhere = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (nowhere < 0 || dup3(nowhere, lane->fuse_fd, O_CLOEXEC) < 0) {
            close(lane->fuse_fd);
            lane->fuse_fd = -1;
        }
        if (nowhere >= 0)
            close(nowhere);
    }
    pthread_mutex_unlock(&lane->lock);
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

void lane_mount(struct lane *lane, int mount_fd)
{
    int left = -1;
    pthread_mutex_lock(&lane->lock);
    if (mount_fd < 0) {
        if (lane->state == MOUNT_ASKED)
            turn(lane, MOUNT_REFUSED, RETRY_MS);
    } else if (lane->mount_fd >= 0 || !lane->started) {
        left = mount_fd;
    } else {
        lane->mount_fd = mount_fd;
        turn(lane, MOUNT_HERE, KEEP_MS);
    }
    pthread_cond_signal(&lane->wake);
    pthread_mutex_unlock(&lane->lock);
    if (left >= 0)
        close(left);
}

int lane_add(struct lane *lane, const struct message *message, const void *effects,
             uint32_t generation)
{
    pthread_mutex_lock(&lane->lock);
    bool joined = queue_join(&lane->queues[URGENT], message, generation);
    pthread_mutex_unlock(&lane->lock);
    if (joined)
        return 0;
    struct item *item = malloc(sizeof(*item) + message->size);
    if (!item)
        return error_set(ERR_NOMEM, "no memory for a message");
    item->message = *message;
    item->generation = generation;
    item->size = message->size;
    item->tries = 0;
    if (message->size)
        memcpy(item->effects, effects, message->size);
    pthread_mutex_lock(&lane->lock);
    queue_put(&lane->queues[queue_of(message)], item);
    int error = lane_start(lane);
    pthread_mutex_unlock(&lane->lock);
    pthread_cond_signal(&lane->wake); /* once the lock is free, so that it is not waited for */
    return error;
}

void lane_clear(struct lane *lane)
{
    struct item *all[QUEUES];
    pthread_mutex_lock(&lane->lock);
    for (unsigned i = 0; i < QUEUES; i++) {
        all[i] = lane->queues[i].first;
        queue_init(&lane->queues[i]);
    }
    pthread_mutex_unlock(&lane->lock);
    for (unsigned i = 0; i < QUEUES; i++)
        queue_free(all[i]);
}

uint32_t lane_view(const struct lane *lane)
{
    return lane->view;
}
