#include "fs/notify.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fs/effect.h"
#include "fs/message.h"
#include "store/error.h"

/* How long a commit's answer waits for a view that does not come back. A view that was late once is
 * not waited for again until it has caught up, so that it costs one commit and not every commit. */
#define PATIENCE_MS 2000

struct target { /* one view */
    uint32_t view;
    bool late;            /* did not come back in time; not waited for */
    uint32_t in_flight;   /* messages sent and not confirmed */
    uint64_t told;        /* confirmed: all up to here */
    struct cursor cursor; /* what is sent next */
};

struct notify {
    struct store *store;
    struct state *state;
    struct marks *marks;
    struct polls *polls;

    /* lock comes before socket_lock. It is held while the log is read, so handlers never take it.
     */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a view confirmed, came or went */
    struct snapshot *snapshot;
    struct target *targets; /* owned */
    uint32_t count, capacity;
    uint64_t goal;     /* what every view is to be told up to */
    uint64_t sequence; /* of messages; for people who look at them */

    pthread_mutex_t socket_lock; /* over the descriptors; held for one send that does not wait */
    int socket;                  /* -1: none; closed by the thread only */
    int incoming;                /* one to take instead, or -1 */

    atomic_bool clogged; /* the socket was full: go on when it has room */
    atomic_bool sweeps;  /* marked nodes are to be sent again */
    atomic_bool ending;
    int wake_fd;
    pthread_t thread;
    bool started;
    struct effects effects; /* under lock */
};

/* Sending */

static void wake(struct notify *notify)
{
    uint64_t one = 1;
    ssize_t n = write(notify->wake_fd, &one, sizeof(one));
    (void)n; /* full means awake already */
}

/* One packet, without waiting. 0, or 1 when there is no room or no notifier. */
static int packet_send(struct notify *notify, const struct message *message, const void *data)
{
    struct iovec parts[2] = {{.iov_base = (void *)(uintptr_t)message, .iov_len = sizeof(*message)},
                             {.iov_base = (void *)(uintptr_t)data, .iov_len = message->size}};
    struct msghdr packet = {.msg_iov = parts, .msg_iovlen = message->size ? 2 : 1};
    ssize_t n = -1;
    int error = EPIPE;
    pthread_mutex_lock(&notify->socket_lock);
    if (notify->socket >= 0) {
        do
            n = sendmsg(notify->socket, &packet, MSG_DONTWAIT | MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        error = errno;
    }
    pthread_mutex_unlock(&notify->socket_lock);
    if (n >= 0)
        return 0;
    if (error == EAGAIN || error == ENOBUFS)
        atomic_store(&notify->clogged, true);
    return 1;
}

void notify_sweep(struct notify *notify, uint32_t view, uint64_t node, uint32_t turn)
{
    struct message message = {.kind = MESSAGE_SWEEP, .view = view, .a = node, .b = turn};
    if (packet_send(notify, &message, NULL) == 0)
        return;
    atomic_store(&notify->sweeps, true);
    wake(notify);
}

/* All nodes that are marked, as far as there is room. */
static void sweeps_send(struct notify *notify)
{
    uint32_t at = 0;
    struct mark_slot mark;
    while (marks_next(notify->marks, &at, &mark)) {
        struct message message = {
            .kind = MESSAGE_SWEEP, .view = mark.view, .a = mark.node, .b = mark.turn};
        if (packet_send(notify, &message, NULL)) {
            atomic_store(&notify->sweeps, true);
            return;
        }
    }
}

static bool wants_more(const struct notify *notify, const struct target *target)
{
    return target->cursor.rev <= notify->goal && target->in_flight < MESSAGES_IN_FLIGHT;
}

static bool same_place(const struct cursor *a, const struct cursor *b)
{
    return a->rev == b->rev && a->op == b->op;
}

/* Sends what stands at one cursor to every view that is there. False: the socket is full. */
static bool batch_send(struct notify *notify, const struct cursor *from, const struct cursor *to)
{
    struct message message = {
        .kind = MESSAGE_CHANGE, .b = to->rev - 1, .size = (uint32_t)notify->effects.size};
    for (uint32_t i = 0; i < notify->count; i++) {
        struct target *target = &notify->targets[i];
        if (!wants_more(notify, target) || !same_place(&target->cursor, from))
            continue;
        message.view = target->view;
        message.a = ++notify->sequence;
        if (packet_send(notify, &message, notify->effects.data))
            return false;
        target->cursor = *to;
        target->in_flight++;
    }
    return true;
}

/* The view that is furthest behind and may be sent more, or NULL. */
static struct target *hindmost(struct notify *notify)
{
    struct target *found = NULL;
    for (uint32_t i = 0; i < notify->count; i++) {
        struct target *target = &notify->targets[i];
        if (wants_more(notify, target) &&
            (!found || target->cursor.rev < found->cursor.rev ||
             (target->cursor.rev == found->cursor.rev && target->cursor.op < found->cursor.op)))
            found = target;
    }
    return found;
}

/* Sends all that may be sent. Called with the lock. */
static int pump(struct notify *notify)
{
    struct target *target = hindmost(notify);
    if (!target)
        return 0;
    int error = snapshot_begin(notify->snapshot);
    if (error)
        return error;
    uint64_t seen = snapshot_revision(notify->snapshot);
    uint64_t upto = notify->goal < seen ? notify->goal : seen;
    bool room = true;
    while (!error && room && target && target->cursor.rev <= upto) {
        struct cursor from = target->cursor, to = from;
        error = effects_gather(notify->snapshot, &notify->effects, &to, upto);
        if (!error)
            room = batch_send(notify, &from, &to);
        target = hindmost(notify);
    }
    snapshot_end(notify->snapshot);
    return error;
}

/* What is confirmed */

static bool all_told(const struct notify *notify, uint64_t rev, bool late_too)
{
    for (uint32_t i = 0; i < notify->count; i++) {
        const struct target *target = &notify->targets[i];
        if (target->told < rev && (late_too || !target->late))
            return false;
    }
    return true;
}

/* Called with the lock, after anything that could have completed the goal. */
static void settle(struct notify *notify)
{
    if (atomic_load(&notify->state->published) < notify->goal &&
        all_told(notify, notify->goal, true))
        atomic_store(&notify->state->published, notify->goal);
    pthread_cond_broadcast(&notify->changed);
}

static struct target *target_find(struct notify *notify, uint32_t view)
{
    for (uint32_t i = 0; i < notify->count; i++) {
        if (notify->targets[i].view == view)
            return &notify->targets[i];
    }
    return NULL;
}

static void confirmed(struct notify *notify, const struct message *message)
{
    if (message->kind == MESSAGE_SWEEP) {
        marks_swept(notify->marks, message->view, message->a, (uint32_t)message->b);
        return;
    }
    if (message->kind != MESSAGE_CHANGE)
        return;
    pthread_mutex_lock(&notify->lock);
    struct target *target = target_find(notify, message->view);
    if (target && target->in_flight > 0) {
        target->in_flight--;
        if (message->b > target->told)
            target->told = message->b;
        if (target->told >= notify->goal) {
            target->late = false;
            settle(notify);
        }
    }
    pthread_mutex_unlock(&notify->lock);
    polls_judge(notify->polls, message->view, message->b);
}

/* The thread that hears the notifier */

static void hear(struct notify *notify, int socket)
{
    struct message message;
    for (;;) {
        ssize_t n = recv(socket, &message, sizeof(message), MSG_DONTWAIT);
        if (n == (ssize_t)sizeof(message)) {
            confirmed(notify, &message);
            continue;
        }
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0 || (n < 0 && errno != EAGAIN)) {
            pthread_mutex_lock(&notify->socket_lock);
            if (notify->socket == socket) {
                close(notify->socket);
                notify->socket = -1;
            }
            pthread_mutex_unlock(&notify->socket_lock);
        }
        return;
    }
}

/* Takes a new connection: what the one before had not confirmed is sent again. Returns the socket.
 */
static int socket_now(struct notify *notify)
{
    bool fresh = false;
    pthread_mutex_lock(&notify->lock);
    pthread_mutex_lock(&notify->socket_lock);
    if (notify->incoming >= 0) {
        if (notify->socket >= 0)
            close(notify->socket);
        notify->socket = notify->incoming;
        notify->incoming = -1;
        fresh = true;
    }
    int socket = notify->socket;
    pthread_mutex_unlock(&notify->socket_lock);
    for (uint32_t i = 0; fresh && i < notify->count; i++) {
        notify->targets[i].in_flight = 0;
        notify->targets[i].cursor = (struct cursor){.rev = notify->targets[i].told + 1};
    }
    if (fresh)
        pump(notify);
    pthread_mutex_unlock(&notify->lock);
    if (fresh)
        sweeps_send(notify);
    return socket;
}

static void *herald(void *arg)
{
    struct notify *notify = arg;
    polls_judge_all(notify->polls);
    while (!atomic_load(&notify->ending)) {
        int socket = socket_now(notify);
        bool full = atomic_exchange(&notify->clogged, false);
        struct pollfd fds[2] = {{.fd = notify->wake_fd, .events = POLLIN},
                                {.fd = socket, .events = (short)(POLLIN | (full ? POLLOUT : 0))}};
        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[0].revents) {
            uint64_t count;
            ssize_t n = read(notify->wake_fd, &count, sizeof(count));
            (void)n;
        }
        if (fds[1].revents & (POLLIN | POLLHUP | POLLERR))
            hear(notify, socket);
        if (atomic_exchange(&notify->sweeps, false))
            sweeps_send(notify);
        pthread_mutex_lock(&notify->lock);
        pump(notify);
        pthread_mutex_unlock(&notify->lock);
    }
    return NULL;
}

/* Life */

int notify_new(struct notify **out, struct store *store, struct state *state, struct marks *marks,
               struct polls *polls)
{
    struct notify *notify = calloc(1, sizeof(*notify));
    if (!notify)
        return error_set(ERR_NOMEM, "no memory to tell kernels of changes");
    notify->store = store;
    notify->state = state;
    notify->marks = marks;
    notify->polls = polls;
    notify->socket = notify->incoming = -1;
    pthread_mutex_init(&notify->lock, NULL);
    pthread_mutex_init(&notify->socket_lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&notify->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    /* the first server of this memory: no kernel has seen anything yet */
    if (atomic_load(&state->published) == 0)
        atomic_store(&state->published, store_revision(store));
    notify->goal = atomic_load(&state->published);
    int error = 0;
    notify->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (notify->wake_fd < 0)
        error = error_system(errno, "cannot make an eventfd");
    if (!error)
        error = snapshot_new(&notify->snapshot, store);
    if (error) {
        notify_free(notify);
        return error;
    }
    *out = notify;
    return 0;
}

void notify_free(struct notify *notify)
{
    if (!notify)
        return;
    if (notify->started) {
        atomic_store(&notify->ending, true);
        wake(notify);
        pthread_join(notify->thread, NULL);
    }
    snapshot_free(notify->snapshot);
    if (notify->socket >= 0)
        close(notify->socket);
    if (notify->incoming >= 0)
        close(notify->incoming);
    if (notify->wake_fd >= 0)
        close(notify->wake_fd);
    pthread_cond_destroy(&notify->changed);
    pthread_mutex_destroy(&notify->socket_lock);
    pthread_mutex_destroy(&notify->lock);
    free(notify->targets);
    free(notify);
}

int notify_start(struct notify *notify)
{
    pthread_mutex_lock(&notify->lock);
    uint64_t now = store_revision(notify->store);
    if (now > notify->goal)
        notify->goal = now;
    settle(notify);
    pthread_mutex_unlock(&notify->lock);
    int error = pthread_create(&notify->thread, NULL, herald, notify);
    if (error)
        return error_system(error, "cannot start a thread");
    notify->started = true;
    atomic_store(&notify->sweeps, true); /* what a server before had marked */
    wake(notify);
    return 0;
}

int notify_connect(struct notify *notify, int socket)
{
    pthread_mutex_lock(&notify->socket_lock);
    if (notify->incoming >= 0)
        close(notify->incoming);
    notify->incoming = socket;
    pthread_mutex_unlock(&notify->socket_lock);
    wake(notify);
    return 0;
}

int notify_view_add(struct notify *notify, uint32_t view)
{
    int error = 0;
    pthread_mutex_lock(&notify->lock);
    if (notify->count == notify->capacity) {
        uint32_t capacity = notify->capacity ? notify->capacity * 2 : 16;
        struct target *targets = realloc(notify->targets, capacity * sizeof(*targets));
        if (targets) {
            notify->targets = targets;
            notify->capacity = capacity;
        } else {
            error = error_set(ERR_NOMEM, "no memory for a view");
        }
    }
    if (!error) {
        uint64_t told = atomic_load(&notify->state->published);
        notify->targets[notify->count++] =
            (struct target){.view = view, .told = told, .cursor = {.rev = told + 1}};
    }
    pthread_mutex_unlock(&notify->lock);
    wake(notify);
    return error;
}

void notify_view_remove(struct notify *notify, uint32_t view)
{
    pthread_mutex_lock(&notify->lock);
    struct target *target = target_find(notify, view);
    if (target)
        *target = notify->targets[--notify->count];
    settle(notify);
    pthread_mutex_unlock(&notify->lock);
    struct message message = {.kind = MESSAGE_END, .view = view};
    packet_send(notify, &message, NULL);
}

/* Waits until the views are told, but not for those that were late before. 1: some are behind. */
static int wait_told(struct notify *notify, uint64_t rev)
{
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += PATIENCE_MS / 1000;
    while (!all_told(notify, rev, false)) {
        if (pthread_cond_timedwait(&notify->changed, &notify->lock, &deadline) != ETIMEDOUT)
            continue;
        for (uint32_t i = 0; i < notify->count; i++)
            notify->targets[i].late |= notify->targets[i].told < rev;
    }
    return all_told(notify, rev, true) ? 0 : 1;
}

int notify_publish(struct notify *notify, uint64_t rev)
{
    int result = 0;
    pthread_mutex_lock(&notify->lock);
    if (rev > notify->goal)
        notify->goal = rev;
    if (notify->count == 0) {
        settle(notify);
    } else {
        result = pump(notify);
        if (result == 0)
            result = wait_told(notify, rev);
    }
    pthread_mutex_unlock(&notify->lock);
    return result;
}

uint64_t notify_published(const struct notify *notify)
{
    return atomic_load(&notify->state->published);
}
