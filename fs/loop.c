/*
 * From /dev/fuse to a handler and back.
 *
 * All views share one libfuse session (there can only be about a thousand in a process, and one
 * costs nothing): which connection an answer goes to is known by the thread that is answering.
 * Requests are read here and not by libfuse, whose own loop ends the whole session when one view is
 * unmounted.
 *
 * One epoll set holds every connection, EPOLLONESHOT: the thread that got a view's event is alone
 * with it, drains it, looks a little longer for more (waking a sleeping thread costs many times
 * what a request does), and arms it again when it goes. It invites the others earlier when requests
 * pile up or an answer will take long. So one busy reader occupies one thread, several have
 * several, and nobody is woken for nothing.
 *
 * A server may be killed at any moment. Requests are received into memory that outlives it, and
 * answers stand in memory just written: fs/replay.h says why.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "fs/kernel.h"
#include "fs/pin.h"
#include "fs/replay.h"
#include "fs/server.h"
#include "store/error.h"

_Static_assert(REQUEST_MAX >= FUSE_MIN_READ_BUFFER, "a receive buffer as the kernel wants it");
_Static_assert(REQUEST_MAX >= KERNEL_MAX_WRITE + 4096, "a receive buffer as libfuse wants it");

/* epoll's word for the descriptor that ends the threads; a view's is its slot. */
#define STOP UINT64_MAX

/* A view is lively if it asks again within so many times the time of looking. */
#define LIVELY 4

/* How often looking for more may be in vain before it stops. */
#define CREDIT 3

/* Requests of one view in a row before others get their turn, and found waiting before help is
 * called. */
#define TURN 128
#define BACKLOG 4

static __thread struct worker *current;

struct worker *loop_worker(void)
{
    return current;
}

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* libfuse's answers; it has one descriptor for all, and the thread knows better. */
static ssize_t answer_write(int fd, struct iovec *parts, int count, void *arg)
{
    (void)fd;
    (void)arg;
    ssize_t size = 0;
    for (int i = 0; i < count; i++)
        size += (ssize_t)parts[i].iov_len;
    if (!current || !current->view)
        return size; /* the answer to the INIT that the supervisor answered long ago */
    ssize_t n;
    /* syscall(), here and in receive(): read() and writev() are points where a thread can be
     * cancelled, and being ready for that costs a third of an empty read */
    do
        n = syscall(SYS_writev, current->view->fuse_fd, parts, count);
    while (n < 0 && errno == EINTR);
    /* ENOENT: who asked is gone; ENODEV: the view is, which reading will tell. Nobody waits any
     * more. */
    if (n < 0 && errno != ENOENT && errno != ENODEV)
        current->counters.errors++;
    return size;
}

static ssize_t request_read(int fd, void *buffer, size_t size, void *arg)
{
    (void)arg;
    return read(fd, buffer, size);
}

static int session_make(struct fs *fs)
{
    static const struct fuse_custom_io io = {.writev = answer_write, .read = request_read};
    char name[] = "emsa";
    char *argv[] = {name, NULL};
    struct fuse_args args = FUSE_ARGS_INIT(1, argv);
    fs->session = fuse_session_new(&args, &gate_table, sizeof(gate_table), fs);
    fuse_opt_free_args(&args);
    if (!fs->session)
        return error_set(ERR_NOMEM, "cannot make a FUSE session");
    int fd = eventfd(0, EFD_CLOEXEC); /* the session wants one of its own, to close */
    if (fd < 0)
        return error_system(errno, "cannot make an eventfd");
    if (fuse_session_custom_io(fs->session, &io, fd) < 0) {
        close(fd);
        return error_set(ERR_IO, "libfuse takes no input and output of our own");
    }
    return 0;
}

static int watch(struct fs *fs, int operation, uint64_t what, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u64 = what};
    if (epoll_ctl(fs->epoll_fd, operation, fd, &event) < 0)
        return error_system(errno, "cannot watch a FUSE connection");
    return 0;
}

int loop_init(struct fs *fs)
{
    fs->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    fs->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fs->epoll_fd < 0 || fs->stop_fd < 0)
        return error_system(errno, "cannot make an epoll set");
    int error = watch(fs, EPOLL_CTL_ADD, STOP, fs->stop_fd, EPOLLIN);
    if (!error)
        error = crew_init(fs);
    return error ? error : session_make(fs);
}

int loop_watch(struct fs *fs, uint32_t slot, int fuse_fd)
{
    return watch(fs, EPOLL_CTL_ADD, slot, fuse_fd, EPOLLIN | EPOLLONESHOT);
}

void loop_arm(struct fs *fs, struct view *view, uint32_t slot)
{
    /* fails only for a view that is gone */
    (void)watch(fs, EPOLL_CTL_MOD, slot, view->fuse_fd, EPOLLIN | EPOLLONESHOT);
}

void loop_invite(struct worker *worker)
{
    if (worker->fs->thread_count > 1)
        loop_arm(worker->fs, worker->view, worker->slot);
}

static void forget(struct fs *fs, uint32_t view)
{
    marks_drop_view(&fs->marks, view);
    polls_drop_view(fs->polls, view);
    pin_drop_view(fs->state, view);
}

/* Of a view that has ended, another thread may have been in the middle of a handler when the first
 * one found it gone: what that took since goes with its last user. */
static void let_go(struct fs *fs, struct view *view)
{
    uint32_t id = view->options.id;
    if (views_put(&fs->views, view))
        forget(fs, id);
}

/* A view whose superblock is gone. The first thread that sees it says so. */
static void lost(struct worker *worker)
{
    struct fs *fs = worker->fs;
    uint32_t id = worker->view->options.id;
    if (!views_remove(&fs->views, worker->view))
        return;
    epoll_ctl(fs->epoll_fd, EPOLL_CTL_DEL, worker->view->fuse_fd, NULL);
    notify_view_remove(fs->notify, id);
    forget(fs, id);
    if (fs->gone)
        fs->gone(fs->arg, id);
}

/* Answers that libfuse 3.14 has no function for. */
static void refuse(struct worker *worker, const struct fuse_in_header *request, int errno_value)
{
    struct fuse_out_header answer = {
        .len = sizeof(answer), .error = -errno_value, .unique = request->unique};
    ssize_t n = write(worker->view->fuse_fd, &answer, sizeof(answer));
    (void)n; /* ENOENT: nobody waits for it any more */
}

static void handle(struct worker *worker)
{
    const struct fuse_in_header *request = (const void *)worker->request->data;
    worker->counters.requests++;
    switch (request->opcode) {
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
        return; /* nothing is counted, so there is nothing to forget */
    case FUSE_INTERRUPT:
        /* every answer comes at once, so the kernel need never ask again, as this tells it */
        refuse(worker, request, ENOSYS);
        return;
    case FUSE_TMPFILE:
        refuse(worker, request, EROFS);
        return;
    default:
        break;
    }
    struct fuse_buf buffer = {.mem = worker->request->data, .size = worker->size};
    worker->sweep_node = 0;
    worker->was_told = false;
    worker->again = worker->is_left || request->unique >> 63;
    fuse_session_process_buf(worker->fs->session, &buffer);
    if (worker->sweep_node)
        notify_sweep(worker->fs->notify, worker->view->options.id, worker->sweep_node,
                     worker->sweep_turn);
}

static const char *opcode_name(uint32_t opcode)
{
    static const struct {
        uint32_t opcode;
        const char *name;
    } names[] = {
        {FUSE_LOOKUP, "LOOKUP"},     {FUSE_GETATTR, "GETATTR"},
        {FUSE_OPEN, "OPEN"},         {FUSE_READ, "READ"},
        {FUSE_RELEASE, "RELEASE"},   {FUSE_OPENDIR, "OPENDIR"},
        {FUSE_READDIR, "READDIR"},   {FUSE_READDIRPLUS, "READDIRPLUS"},
        {FUSE_GETXATTR, "GETXATTR"}, {FUSE_LISTXATTR, "LISTXATTR"},
        {FUSE_STATFS, "STATFS"},     {FUSE_READLINK, "READLINK"},
        {FUSE_POLL, "POLL"},         {FUSE_RELEASEDIR, "RELEASEDIR"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].opcode == opcode)
            return names[i].name;
    return "a request of another kind";
}

/* Servers died of it, and nobody shall again. */
static void refuse_killer(struct worker *worker)
{
    const struct fuse_in_header *request = (const void *)worker->request->data;
    char text[160];
    (void)snprintf(
        text, sizeof(text),
        "%s for inode %llu of mount %u is answered with an error: two servers died of it",
        opcode_name(request->opcode), (unsigned long long)request->nodeid,
        worker->view->options.id);
    worker->counters.requests++;
    worker->counters.errors++;
    if (worker->fs->alarm) /* each of them: they are as rare as deaths */
        worker->fs->alarm(worker->fs->arg, text);
    refuse(worker, request, EIO);
}

/* It may be innocent: one at a time, so that a death tells. */
static void try(struct worker *worker)
{
    replay_try(worker->request);
    handle(worker);
    replay_cleared(worker->fs->state, worker->request);
}

void worker_stand(struct worker *worker)
{
    const uint64_t pin = atomic_load(&worker->view->shared->pin);
    snapshot_stand(worker->snapshot, pin);
    worker->recents->as_of = pin;
}

/* The request in hand. */
static void answer(struct worker *worker)
{
    struct state *state = worker->fs->state;
    worker_stand(worker);
    enum replay_verdict verdict = replay_judge(state, worker->request);
    replay_taken(worker->request);
    atomic_fetch_add_explicit(&worker->view->shared->taken, 1, memory_order_relaxed);
    if (verdict == REPLAY_REFUSED)
        refuse_killer(worker);
    else if (verdict == REPLAY_SUSPECT)
        try(worker);
    else
        handle(worker);
    replay_done(worker->request);
    pace_request(&worker->pace);
}

enum received { NOTHING, REQUEST, GONE };

/* Takes a request, which is then to be answered. */
static enum received receive(struct worker *worker)
{
    for (;;) {
        ssize_t n =
            syscall(SYS_read, worker->view->fuse_fd, worker->request->data, (size_t)REQUEST_MAX);
        if (n >= (ssize_t)sizeof(struct fuse_in_header)) {
            worker->size = (size_t)n;
            return REQUEST;
        }
        if (n < 0 && errno == EAGAIN)
            return NOTHING;
        replay_done(worker->request); /* half of one may have been copied */
        /* ENOENT: who asked went away while it was copied */
        if (n >= 0 || errno == EINTR || errno == ENOENT)
            continue;
        return GONE;
    }
}

/* Looks for one more for a short time. One thread at a time: with few cores, the readers need them.
 */
static enum received look_on(struct worker *worker)
{
    struct fs *fs = worker->fs;
    enum received got = NOTHING;
    if (!fs->spin || !worker->credit || worker->was_told || !pace_looks(&worker->pace))
        return NOTHING;
    if (atomic_fetch_add(&fs->spinning, 1) > 0) {
        atomic_fetch_sub(&fs->spinning, 1);
        return NOTHING;
    }
    uint64_t end = now() + fs->spin;
    atomic_fetch_add(&worker->view->looking, 1);
    do {
        sched_yield(); /* whoever is to ask may be waiting for this very core */
        got = receive(worker);
    } while (got == NOTHING && now() < end && !atomic_load(&fs->stopping));
    atomic_fetch_sub(&worker->view->looking, 1);
    atomic_fetch_sub(&fs->spinning, 1);
    if (got == NOTHING)
        worker->credit--;
    else
        worker->credit = CREDIT;
    return got;
}

/* Answers a view's requests until there are none, or others shall have their turn. False: the view
 * is gone. */
static bool serve(struct worker *worker)
{
    struct fs *fs = worker->fs;
    unsigned turn = 0, backlog = 0;
    while (turn++ < TURN && !atomic_load(&fs->stopping)) {
        enum received got = receive(worker);
        backlog = got == REQUEST ? backlog + 1 : 0;
        if (got == NOTHING) {
            got = look_on(worker);
            if (fs->thread_count > 1)
                turn = 0; /* nobody waits for this thread alone */
        }
        if (got == GONE)
            return false;
        if (got == NOTHING)
            return true;
        if (atomic_load_explicit(&worker->view->given_up, memory_order_relaxed))
            loop_arm(fs, worker->view, worker->slot); /* this one may hang too: fs/crew.h */
        answer(worker);
        if (backlog == BACKLOG) {
            backlog = 0;
            loop_invite(worker);
        }
    }
    return true;
}

static void view_event(struct worker *worker, uint32_t slot)
{
    struct fs *fs = worker->fs;
    struct view *view = views_get(&fs->views, slot);
    if (!view)
        return;
    /* If so little time went by since the last answer, of which waking the reader and then us took
     * most, looking a little longer will find the next request. */
    if (now() - atomic_load(&fs->last_answer) < LIVELY * fs->spin)
        worker->credit = CREDIT;
    else
        pace_forget(&worker->pace);
    worker->view = view;
    replay_view(worker->request, view->options.id);
    crew_enter(worker, view, slot);
    /* one that looks for more will have what comes, and knows the reader's value already */
    bool there = atomic_load(&view->looking) > 0 || serve(worker);
    file_forget(worker);
    atomic_store(&fs->last_answer, now());
    /* A helper that finds nothing more to do leaves it to the one it helped; were it armed, that
     * one's next request would wake the helper for nothing, and the next. */
    bool last = crew_leave(worker, view);
    if (!there)
        lost(worker);
    else if (last)
        loop_arm(fs, view, slot);
    worker->view = NULL;
    let_go(fs, view);
}

/* What a dead server had in its hands in this thread's slot. Where the kernel sends it again, it
 * comes like any other. */
static void answer_left(struct worker *worker)
{
    struct fs *fs = worker->fs;
    struct request_slot *request = worker->request;
    worker->size = replay_size(request);
    struct view *view = NULL;
    uint32_t slot = 0;
    if (worker->size)
        view = views_find(&fs->views, &slot, atomic_load(&request->view));
    if (view && view->options.replay) {
        worker->view = view;
        atomic_store(&worker->slot, slot);
        atomic_store(&request->busy, 1);
        worker->is_left = true;
        answer(worker);
        worker->is_left = false;
        file_forget(worker);
        atomic_store(&request->busy, 0);
        worker->view = NULL;
    }
    replay_done(request);
    if (view)
        views_put(&fs->views, view);
}

static void *run(void *arg)
{
    struct worker *worker = arg;
    current = worker;
    /* One that is started because others hang: whoever starts it must not hang as they do. */
    if (!worker->snapshot && snapshot_new(&worker->snapshot, worker->fs->store) < 0) {
        ops_alarm(worker, error_text());
        atomic_store(&worker->watched.has_left, true); /* it may be started again */
        return NULL;
    }
    replay_attach(worker->request);
    answer_left(worker);
    for (;;) {
        struct epoll_event event;
        int n = epoll_wait(worker->fs->epoll_fd, &event, 1, -1);
        if (n <= 0)
            continue;
        if (event.data.u64 == STOP)
            return NULL;
        view_event(worker, (uint32_t)event.data.u64);
        if (crew_is_surplus(worker))
            return NULL;
    }
}

static void *pages(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static int worker_init(struct worker *worker, struct fs *fs)
{
    worker->fs = fs;
    worker->request = &fs->state->requests[worker - fs->workers];
    worker->reply = pages(VIEW_MAX_READ_LIMIT);
    worker->copy = pages(VALUE_MAX);
    worker->recents = pages(sizeof(*worker->recents));
    /* apart from each other, so that each has its own piece of the table */
    worker->pin_hint = (uint32_t)(worker - fs->workers) * (PIN_SLOTS / THREADS_MAX);
    if (!worker->reply || !worker->copy || !worker->recents)
        return error_set(ERR_NOMEM, "no memory for a thread's buffers");
    return 0;
}

static void worker_release(struct worker *worker)
{
    snapshot_free(worker->snapshot);
    secret_release(&worker->scratch);
    secret_release(&worker->window);
    if (worker->reply)
        munmap(worker->reply, VIEW_MAX_READ_LIMIT);
    if (worker->copy)
        munmap(worker->copy, VALUE_MAX);
    if (worker->recents)
        munmap(worker->recents, sizeof(*worker->recents));
    worker->snapshot = NULL;
    worker->recents = NULL;
    worker->reply = worker->copy = NULL;
}

int loop_worker_start(struct fs *fs, unsigned index)
{
    struct worker *worker = &fs->workers[index];
    int error = worker->reply ? 0 : worker_init(worker, fs);
    if (error) {
        worker_release(worker);
        return error;
    }
    error = pthread_create(&worker->thread, NULL, run, worker);
    if (error)
        return error_system(error, "cannot start a thread");
    worker->started = true;
    return 0;
}

/* What can't begin is better known now than at the first request. */
static int first_start(struct fs *fs, unsigned index)
{
    int error = snapshot_new(&fs->workers[index].snapshot, fs->store);
    return error ? error : loop_worker_start(fs, index);
}

/* As many threads as there are to be, and one for each request that a server with more left. */
int loop_start(struct fs *fs)
{
    /* where the limit does not allow it, they stay because they are in use */
    (void)mlock(fs->state->requests, sizeof(fs->state->requests));
    int error = 0;
    for (unsigned i = 0; i < THREADS_MAX && !error; i++)
        if (i < fs->thread_count || replay_size(&fs->state->requests[i]) > 0)
            error = first_start(fs, i);
    return error ? error : crew_start(fs);
}

void loop_stop(struct fs *fs)
{
    uint64_t one = 1;
    atomic_store(&fs->stopping, true);
    if (fs->stop_fd >= 0) {
        ssize_t n = write(fs->stop_fd, &one, sizeof(one));
        (void)n;
    }
    crew_stop(fs);
    for (unsigned i = 0; i < THREADS_MAX; i++) {
        if (fs->workers[i].started)
            pthread_join(fs->workers[i].thread, NULL);
        fs->workers[i].started = false;
    }
}

void loop_release(struct fs *fs)
{
    for (unsigned i = 0; i < THREADS_MAX; i++)
        worker_release(&fs->workers[i]);
    crew_release(fs);
    if (fs->session)
        fuse_session_destroy(fs->session);
    if (fs->epoll_fd >= 0)
        close(fs->epoll_fd);
    if (fs->stop_fd >= 0)
        close(fs->stop_fd);
}
