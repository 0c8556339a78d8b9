#include "fs/notify.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fs/post.h"
#include "fs/target.h"
#include "fs/target_move.h"
#include "store/error.h"

/* Commits whose events are under way and are timed; beyond that some are not counted. */
#define TIMED 64u

/* How long a view that does not come back may keep others waiting before it is looked at again. */
#define LOOK_AGAIN_MS 100

/* How long a move waits for what was told before, and then for what it tells itself. */
#define MOVE_PATIENCE 2000000000ull

/* How long after the store could not be read, or memory was short. */
#define TRY_AGAIN_MS 1000

struct timed { /* a commit, from fs_publish on */
    uint64_t rev;
    uint64_t since;
};

struct notify {
    struct store *store;
    struct state *state;
    struct marks *marks;
    struct polls *polls;
    struct post post;

    /* Comes before the post's own. It is held while the log is read, so handlers never take it. */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a view confirmed, came or went */
    struct targets targets;
    struct timed timed[TIMED];
    uint32_t timed_first, timed_count;

    atomic_bool sweeps; /* marked nodes are to be sent again, all of them */
    bool is_sweeping;   /* they are being sent, and this is where; the herald's own */
    uint32_t sweep_at;
    atomic_bool ending;
    int wake_fd;
    pthread_t thread;
    bool started;
};

static void wake(struct notify *notify)
{
    uint64_t one = 1;
    ssize_t n = write(notify->wake_fd, &one, sizeof(one));
    (void)n; /* full means awake already */
}

/* Pages of secrets */

void notify_sweep(struct notify *notify, uint32_t view, uint64_t node, uint32_t turn)
{
    struct message message = {.kind = MESSAGE_SWEEP, .view = view, .a = node, .b = turn};
    if (post_send(&notify->post, &message, NULL))
        return;
    atomic_store(&notify->sweeps, true);
    wake(notify);
}

/* All nodes that are marked, as far as there is room. */
static void sweeps_send(struct notify *notify)
{
    uint32_t at = notify->is_sweeping ? notify->sweep_at : 0;
    struct mark_slot mark;
    for (notify->sweep_at = at; marks_next(notify->marks, &at, &mark); notify->sweep_at = at) {
        struct message message = {
            .kind = MESSAGE_SWEEP, .view = mark.view, .a = mark.node, .b = mark.turn};
        if (!post_send(&notify->post, &message, NULL)) {
            notify->is_sweeping = true;
            return;
        }
    }
    notify->is_sweeping = false;
}

/* What is confirmed */

/* Called with the lock. */
static void time_events(struct notify *notify)
{
    uint64_t heard = targets_heard(&notify->targets, true);
    uint64_t now = notify->timed_count ? target_now() : 0;
    while (notify->timed_count) {
        const struct timed *timed = &notify->timed[notify->timed_first];
        if (timed->rev > heard)
            return;
        histogram_add(&notify->state->times.event, now - timed->since);
        notify->timed_first = (notify->timed_first + 1) % TIMED;
        notify->timed_count--;
    }
}

static void time_begin(struct notify *notify, uint64_t rev, uint64_t since)
{
    if (notify->timed_count == TIMED)
        return;
    uint32_t at = (notify->timed_first + notify->timed_count++) % TIMED;
    notify->timed[at] = (struct timed){.rev = rev, .since = since};
}

/* Gives the lock back, after anything that could have completed something. Who waits is woken when
 * the lock is free: a publisher that is woken while it is held waits a second time, for the lock.
 */
static void settle_and_unlock(struct notify *notify)
{
    uint64_t told = targets_told(&notify->targets, false), goal = notify->targets.goal;
    if (told > goal)
        told = goal;
    if (told > atomic_load(&notify->state->published))
        atomic_store(&notify->state->published, told);
    time_events(notify);
    pthread_mutex_unlock(&notify->lock);
    pthread_cond_broadcast(&notify->changed);
}

static void confirmed(struct notify *notify, const struct message *message)
{
    if (message->kind == MESSAGE_SWEEP) {
        marks_swept(notify->marks, message->view, message->a, (uint32_t)message->b);
        return;
    }
    pthread_mutex_lock(&notify->lock);
    bool is_sound = targets_confirmed(&notify->targets, message);
    pthread_mutex_unlock(&notify->lock);
    if (is_sound && message->kind == MESSAGE_CHANGE)
        polls_judge(notify->polls, message->view, message->b);
}

/* The thread that hears the notifier */

/* Hears all that there is. */
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
        if (n == 0 || (n < 0 && errno != EAGAIN))
            post_end(&notify->post, socket);
        return;
    }
}

/* Takes a new connection: what the one before had not confirmed is sent again. Returns the socket.
 */
static int socket_now(struct notify *notify)
{
    bool fresh;
    pthread_mutex_lock(&notify->lock);
    int socket = post_socket(&notify->post, &fresh);
    if (fresh)
        targets_restart(&notify->targets);
    pthread_mutex_unlock(&notify->lock);
    if (fresh) {
        notify->is_sweeping = false;
        sweeps_send(notify);
    }
    return socket;
}

/* Sends what may be sent, and tells who waits. Returns after how many milliseconds to look again
 * without being woken; -1: never. */
static int go_on(struct notify *notify)
{
    pthread_mutex_lock(&notify->lock);
    int error = targets_pump(&notify->targets); /* the store's alarm has told of it */
    bool blocked = notify->targets.blocked;
    settle_and_unlock(notify);
    return error ? TRY_AGAIN_MS : blocked ? LOOK_AGAIN_MS : -1;
}

static void *herald(void *arg)
{
    struct notify *notify = arg;
    polls_judge_all(notify->polls);
    while (!atomic_load(&notify->ending)) {
        int socket = socket_now(notify);
        int patience = go_on(notify);
        bool full = atomic_exchange(&notify->post.clogged, false);
        struct pollfd fds[2] = {{.fd = notify->wake_fd, .events = POLLIN},
                                {.fd = socket, .events = (short)(POLLIN | (full ? POLLOUT : 0))}};
        if (poll(fds, 2, patience) < 0)
            continue;
        if (fds[0].revents) {
            uint64_t count;
            ssize_t n = read(notify->wake_fd, &count, sizeof(count));
            (void)n;
        }
        if (fds[1].revents & (POLLIN | POLLHUP | POLLERR))
            hear(notify, socket);
        while (notify->is_sweeping || atomic_exchange(&notify->sweeps, false)) {
            sweeps_send(notify);
            if (notify->is_sweeping)
                break;
        }
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
    post_init(&notify->post);
    notify->targets.post = &notify->post;
    notify->wake_fd = -1;
    pthread_mutex_init(&notify->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&notify->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    /* the first server of this memory: no kernel has seen anything yet */
    if (atomic_load(&state->published) == 0)
        atomic_store(&state->published, store_revision(store));
    notify->targets.goal = atomic_load(&state->published);
    int error = 0;
    notify->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (notify->wake_fd < 0)
        error = error_system(errno, "cannot make an eventfd");
    if (!error)
        error = snapshot_new(&notify->targets.snapshot, store);
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
    snapshot_free(notify->targets.snapshot);
    post_release(&notify->post);
    if (notify->wake_fd >= 0)
        close(notify->wake_fd);
    pthread_cond_destroy(&notify->changed);
    pthread_mutex_destroy(&notify->lock);
    targets_release(&notify->targets);
    free(notify);
}

int notify_start(struct notify *notify)
{
    pthread_mutex_lock(&notify->lock);
    uint64_t now = store_revision(notify->store);
    if (now > notify->targets.goal)
        notify->targets.goal = now;
    settle_and_unlock(notify);
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
    post_connect(&notify->post, socket);
    wake(notify);
    return 0;
}

int notify_view_add(struct notify *notify, uint32_t view, struct scope *scope)
{
    /* One that no server served before has seen nothing, so all that is there was there before. */
    uint64_t now = store_revision(notify->store);
    struct view_slot *slot = view_slot_take(notify->state, view);
    if (!slot)
        return error_set(ERR_REFUSED, "there is no room for another view");
    pthread_mutex_lock(&notify->lock);
    int error = targets_add(&notify->targets, view, scope, slot, now);
    pthread_mutex_unlock(&notify->lock);
    wake(notify);
    return error;
}

void notify_view_remove(struct notify *notify, uint32_t view)
{
    pthread_mutex_lock(&notify->lock);
    targets_remove(&notify->targets, view);
    settle_and_unlock(notify);
    struct message message = {.kind = MESSAGE_END, .view = view};
    (void)post_send(&notify->post, &message, NULL);
    wake(notify); /* others may have waited for it */
}

/* Waits until the views are told, but not for those that are late. 1: some are behind. */
static int wait_told(struct notify *notify, uint64_t rev, uint64_t since)
{
    uint64_t until;
    while ((until = targets_judge(&notify->targets, rev, since, target_now()))) {
        struct timespec deadline = {.tv_sec = (time_t)(until / 1000000000u),
                                    .tv_nsec = (long)(until % 1000000000u)};
        pthread_cond_timedwait(&notify->changed, &notify->lock, &deadline);
    }
    return targets_told(&notify->targets, false) >= rev ? 0 : 1;
}

int notify_publish(struct notify *notify, uint64_t rev)
{
    int result = 0;
    uint64_t since = target_now();
    pthread_mutex_lock(&notify->lock);
    if (rev > notify->targets.goal)
        notify->targets.goal = rev;
    if (notify->targets.count == 0) {
        settle_and_unlock(notify);
        return 0;
    }
    time_begin(notify, rev, since);
    result = targets_pump(&notify->targets);
    if (result < 0)
        wake(notify); /* which tries again */
    else
        result = wait_told(notify, rev, since);
    if (result == 0)
        histogram_add(&notify->state->times.visible, target_now() - since);
    settle_and_unlock(notify); /* nobody may have been sent anything, and so nobody confirms */
    return result;
}

/* Until something was confirmed. False: the time is up. */
static bool wait_until(struct notify *notify, uint64_t until)
{
    struct timespec deadline = {.tv_sec = (time_t)(until / 1000000000u),
                                .tv_nsec = (long)(until % 1000000000u)};
    if (target_now() >= until)
        return false;
    pthread_cond_timedwait(&notify->changed, &notify->lock, &deadline);
    return true;
}

/* With the lock. */
static int begin_move(struct notify *notify, uint32_t view, uint64_t pin)
{
    const uint64_t until = target_now() + MOVE_PATIENCE;
    int answer;
    targets_want_move(&notify->targets, view, 1);
    wake(notify); /* what is under way may go on now, as nothing new begins */
    while ((answer = targets_move(&notify->targets, view, pin)) == MOVE_NOT_YET)
        if (!wait_until(notify, until))
            break;
    targets_want_move(&notify->targets, view, -1);
    if (answer == MOVE_NOT_YET)
        return error_set(ERR_REFUSED,
                         "view %u does not come back with what it was told before: "
                         "somebody holds it up, try again",
                         view);
    return answer;
}

int notify_move(struct notify *notify, uint32_t view, uint64_t pin)
{
    pthread_mutex_lock(&notify->lock);
    int result = begin_move(notify, view, pin);
    if (result == MOVE_BEGUN) {
        const uint64_t until = target_now() + MOVE_PATIENCE;
        if (targets_pump(&notify->targets) < 0)
            wake(notify); /* which tries again */
        while (!targets_moved(&notify->targets, view) && wait_until(notify, until))
            ;
        result = targets_moved(&notify->targets, view) ? 0 : 1;
    } else if (result == MOVE_NEEDLESS) {
        result = 0;
    }
    settle_and_unlock(notify);
    wake(notify); /* what was held back goes on */
    return result;
}

uint64_t notify_published(const struct notify *notify)
{
    return atomic_load(&notify->state->published);
}
