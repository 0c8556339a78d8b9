#include "fs/crew.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fs/server.h"
#include "store/error.h"

/* A thread that has taken nothing between two looks is stuck. */
#define LOOK_MS 50

/* Looks without anybody at work, before looking ends. */
#define QUIET 20

int crew_init(struct fs *fs)
{
    fs->crew.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return fs->crew.wake_fd < 0 ? error_system(errno, "cannot make an eventfd") : 0;
}

static void wake(struct fs *fs)
{
    uint64_t one = 1;
    if (!atomic_exchange(&fs->crew.asleep, false))
        return;
    ssize_t n = write(fs->crew.wake_fd, &one, sizeof(one));
    (void)n;
}

void crew_enter(struct worker *worker, struct view *view, uint32_t slot)
{
    struct watched *watched = &worker->watched;
    uint64_t turn = atomic_load_explicit(&watched->turn, memory_order_relaxed) + 1;
    atomic_store_explicit(&worker->slot, slot, memory_order_relaxed);
    atomic_store_explicit(&watched->turn, turn, memory_order_relaxed);
    atomic_fetch_add(&view->serving, 1);
    atomic_store(&watched->counted, turn); /* last: from now on the slot is this turn's */
    atomic_store(&worker->request->busy, 1);
    if (atomic_load(&worker->fs->crew.asleep))
        wake(worker->fs);
}

bool crew_leave(struct worker *worker, struct view *view)
{
    /* One that was given up counts no more: the view was armed then, and who took it since arms it
     * again. */
    bool counted = atomic_exchange(&worker->watched.counted, 0) != 0;
    if (!counted)
        atomic_fetch_sub(&view->given_up, 1);
    bool last = counted && atomic_fetch_sub(&view->serving, 1) == 1;
    atomic_store(&worker->request->busy, 0);
    return last;
}

/* The view of a stuck thread, for others to serve. */
static void give_up(struct fs *fs, struct worker *worker, uint64_t turn)
{
    uint32_t slot = atomic_load_explicit(&worker->slot, memory_order_relaxed);
    uint32_t id = atomic_load(&worker->request->view);
    struct view *view = turn ? views_get(&fs->views, slot) : NULL;
    if (!view)
        return;
    /* While it counts with that turn, the slot is what it serves; unless that view has ended, and
     * another stands there. */
    if (view->options.id == id &&
        atomic_compare_exchange_strong(&worker->watched.counted, &turn, 0)) {
        atomic_fetch_add(&view->given_up, 1);
        atomic_fetch_sub(&view->serving, 1);
        loop_arm(fs, view, slot);
    }
    views_put(&fs->views, view);
}

static bool has_moved(struct worker *worker)
{
    struct watched *watched = &worker->watched;
    uint64_t turn = atomic_load(&watched->turn), taken = atomic_load(&worker->request->taken);
    bool moved = turn != watched->seen_turn || taken != watched->seen_taken;
    watched->seen_turn = turn;
    watched->seen_taken = taken;
    return moved;
}

bool crew_is_surplus(struct worker *worker)
{
    struct fs *fs = worker->fs;
    if (worker < &fs->workers[fs->thread_count])
        return false;
    bool surplus = atomic_fetch_sub(&fs->crew.able, 1) > fs->thread_count;
    if (surplus)
        atomic_store(&worker->watched.has_left, true);
    else
        atomic_fetch_add(&fs->crew.able, 1);
    return surplus;
}

static void join_who_left(struct worker *worker)
{
    if (!worker->started || !atomic_exchange(&worker->watched.has_left, false))
        return;
    pthread_join(worker->thread, NULL);
    worker->started = false;
}

/* As many threads that can answer as there are to be. */
static void reinforce(struct fs *fs, unsigned able)
{
    for (unsigned i = 0; i < THREADS_MAX && able < fs->thread_count; i++) {
        if (fs->workers[i].started)
            continue;
        if (loop_worker_start(fs, i) < 0)
            break; /* tried again at the next look */
        able++;
    }
    atomic_store(&fs->crew.able, able);
}

/* False: nobody is or was at work. */
static bool look(struct fs *fs)
{
    bool at_work = false;
    unsigned able = 0;
    for (unsigned i = 0; i < THREADS_MAX; i++) {
        struct worker *worker = &fs->workers[i];
        join_who_left(worker);
        if (!worker->started)
            continue;
        bool busy = atomic_load(&worker->request->busy), moved = has_moved(worker);
        worker->watched.is_stuck = busy && !moved;
        at_work = at_work || busy || moved;
        able += !worker->watched.is_stuck;
        if (worker->watched.is_stuck)
            give_up(fs, worker, worker->watched.seen_turn);
    }
    reinforce(fs, able);
    return at_work;
}

static bool is_anybody_busy(struct fs *fs)
{
    for (unsigned i = 0; i < THREADS_MAX; i++)
        if (fs->workers[i].started && atomic_load(&fs->workers[i].request->busy))
            return true;
    return false;
}

static void *watch(void *arg)
{
    struct fs *fs = arg;
    unsigned quiet = 0;
    while (!atomic_load(&fs->stopping)) {
        uint64_t count;
        int patience = LOOK_MS;
        quiet = look(fs) ? 0 : quiet + 1;
        if (quiet >= QUIET) {
            atomic_store(&fs->crew.asleep, true);
            /* who began before that did not know; who begins after it wakes us */
            if (!is_anybody_busy(fs) && !atomic_load(&fs->stopping))
                patience = -1;
            quiet = 0;
        }
        struct pollfd entry = {.fd = fs->crew.wake_fd, .events = POLLIN};
        (void)poll(&entry, 1, patience);
        atomic_store(&fs->crew.asleep, false);
        ssize_t n = read(fs->crew.wake_fd, &count, sizeof(count));
        (void)n;
    }
    return NULL;
}

int crew_start(struct fs *fs)
{
    int error = pthread_create(&fs->crew.thread, NULL, watch, fs);
    fs->crew.started = error == 0;
    return error ? error_system(error, "cannot start a thread") : 0;
}

void crew_stop(struct fs *fs)
{
    atomic_store(&fs->crew.asleep, true);
    wake(fs);
    if (fs->crew.started)
        pthread_join(fs->crew.thread, NULL);
    fs->crew.started = false;
}

void crew_release(struct fs *fs)
{
    if (fs->crew.wake_fd >= 0)
        close(fs->crew.wake_fd);
}
