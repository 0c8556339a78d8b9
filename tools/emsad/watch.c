#include "tools/emsad/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "fs/view_slot.h"
#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/emsad/channel.h"

#define LOOKS 8         /* after the first, that find no progress: two seconds */
#define START_LOOKS 120 /* until a server is ready; a large store on a slow disk takes some */
#define EVENTS                                                                                     \
    (VIEW_SLOTS + 1u) /* all at once: one that is left out of a look is taken for served */
#define LISTENER 0    /* no view has this id */

int watch_begin(struct watch *watch, int listener)
{
    *watch = (struct watch){.set = epoll_create1(EPOLL_CLOEXEC), .next = -1};
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = LISTENER};
    if (watch->set < 0 || epoll_ctl(watch->set, EPOLL_CTL_ADD, listener, &event) < 0)
        return error_system(errno, "cannot watch the server");
    return 0;
}

void watch_end(struct watch *watch)
{
    descriptor_close(&watch->set);
}

int watch_add(struct watch *watch, const struct view *view)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = view->options.id};
    if (epoll_ctl(watch->set, EPOLL_CTL_ADD, view->mount.fuse_fd, &event) < 0)
        return error_system(errno, "cannot watch a mount");
    return 0;
}

void watch_remove(struct watch *watch, const struct view *view)
{
    /* A server holds the same: closing it here alone would leave it in the set. */
    (void)epoll_ctl(watch->set, EPOLL_CTL_DEL, view->mount.fuse_fd, NULL);
}

void watch_gone(struct watch *watch)
{
    /* one look is left out, so that no view's count goes on */
    *watch = (struct watch){.set = watch->set,
                            .tick = watch->tick + 1,
                            .next = watch->notifier.asked > 0 ? deadline_in(WATCH_PAUSE) : -1,
                            .notifier = watch->notifier};
}

void watch_started(struct watch *watch)
{
    watch_gone(watch);
    watch->starting = 1;
    watch->next = deadline_in(WATCH_PAUSE);
}

void watch_ready(struct watch *watch)
{
    uint32_t calls = watch->calls; /* the first may be quicker than the word that it is ready */
    watch_gone(watch);
    watch->is_ready = true;
    if (calls > 0)
        watch_called(watch);
}

void watch_called(struct watch *watch)
{
    if (watch->calls == 0)
        watch->calls = 1;
    if (watch->next < 0)
        watch->next = deadline_in(WATCH_PAUSE);
}

void watch_answered(struct watch *watch, uint32_t calls)
{
    watch->asked = 0;
    watch->calls = calls;
}

int watch_due_left(const struct watch *watch, const struct state *memory)
{
    struct timespec now;
    int64_t due = memory == NULL ? 0 : atomic_load(&memory->due);
    if (due == 0 || due == watch->due || !watch->is_ready)
        return -1;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t left = due / 1000000 - ((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
    left += WATCH_PAUSE; /* it may be about to */
    return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

void watch_due(struct watch *watch, const struct state *memory)
{
    watch->due = atomic_load(&memory->due); /* asked once: it may wait for a disk that is full */
    watch_called(watch);
}

void watch_notifier_started(struct watch *watch)
{
    memset(&watch->notifier, 0, sizeof watch->notifier);
}

void watch_notifier_answered(struct watch *watch)
{
    watch->notifier.asked = 0;
    watch->notifier.is_known = true;
}

int watch_descriptor(const struct watch *watch)
{
    return watch->is_ready && watch->next < 0 ? watch->set : -1;
}

/* What a file of /proc says of a thread; "" where there is none, or we may not know. */
static void tell(char text[static 512], pid_t pid, uint32_t tid, const char *file)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/task/%u/%s", (int)pid, tid, file);
    int fd DESCRIPTOR_CLEANUP = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, 511);
    text[size > 0 ? size : 0] = '\0';
}

/* The state of a thread, as ps shows it; '?' where there is none. */
static char state_of(pid_t pid, uint32_t tid)
{
    char text[512];
    tell(text, pid, tid, "stat");
    const char *mark = strrchr(text, ')'); /* a name may hold whatever it likes */
    return mark != NULL && mark[1] == ' ' && mark[2] != '\0' ? mark[2] : '?';
}

/* Whether one in state D waits for memory, which its control group (of version 1, told not to kill)
 * does not give: that is no disk, and may last for ever. */
static bool waits_for_memory(pid_t pid, uint32_t tid)
{
    char text[512];
    tell(text, pid, tid, "wchan");
    return strcmp(text, "mem_cgroup_oom_synchronize") == 0;
}

static bool is_stopped(char state)
{
    return state == 'T' || state == 't';
}

/* One view with a request waiting. Whether none was taken for too long. */
static bool is_left_alone(const struct watch *watch, struct view *view, struct state *memory)
{
    const struct view_slot *slot = view_slot_find(memory, view->options.id);
    uint64_t taken = slot == NULL ? 0 : atomic_load(&slot->taken);
    bool is_same = view->looks > 0 && view->seen + 1 == watch->tick && view->taken == taken;
    view->looks = is_same ? view->looks + 1 : 1;
    view->seen = watch->tick;
    view->taken = taken;
    return slot != NULL && view->looks > LOOKS;
}

/* What waits to be taken: 0 nothing, 1 something, 2 for too long. */
static int look_at_views(struct watch *watch, const struct watched *watched,
                         char why[static WATCH_WHY_MAX])
{
    static struct epoll_event events[EVENTS]; /* too large for a stack; there is one supervisor */
    int count = epoll_wait(watch->set, events, EVENTS, 0);
    int found = 0;
    for (int i = 0; i < count && found < 2; i++) {
        if (events[i].data.u32 == LISTENER) {
            if (watch->calls == 0)
                watch->calls = 1;
            continue;
        }
        struct view *view = views_of(watched->views, events[i].data.u32);
        if (view == NULL)
            continue;
        found = 1; /* also one that is gone, which stays ready until the server has said so */
        if ((events[i].events & EPOLLIN) == 0 || !is_left_alone(watch, view, watched->memory))
            continue;
        found = 2;
        (void)snprintf(why, WATCH_WHY_MAX, "the requests of a mount (view %u) are not taken",
                       view->options.id);
    }
    return found;
}

static int look_at_thread(struct watch *watch, const struct watched *watched, unsigned i,
                          char why[static WATCH_WHY_MAX])
{
    struct request_slot *slot = &watched->memory->requests[i];
    uint64_t taken = atomic_load(&slot->taken);
    bool is_same = watch->threads[i].still > 0 && watch->threads[i].taken == taken;
    watch->threads[i].taken = taken;
    if (atomic_load(&slot->busy) == 0) {
        watch->threads[i].still = 0;
        return 0;
    }
    watch->threads[i].still = is_same ? watch->threads[i].still + 1 : 1;
    if (watch->threads[i].still <= LOOKS)
        return 1;
    uint32_t tid = atomic_load(&slot->tid);
    char state = state_of(watched->pid, tid);
    bool starves = state == 'D' && waits_for_memory(watched->pid, tid);
    if (state == 'D' && !starves)
        return 1;
    if (!starves && !is_stopped(state)) /* then it is not for what it does */
        atomic_store(&slot->fatal, 1);
    (void)snprintf(why, WATCH_WHY_MAX, "its thread %u (in state %c) gets no further", tid, state);
    return 2;
}

static int look_at_threads(struct watch *watch, const struct watched *watched,
                           char why[static WATCH_WHY_MAX])
{
    int worst = 0;
    for (unsigned i = 0; i < REQUEST_SLOTS; i++) { /* each: every stuck one is to be marked */
        int found = look_at_thread(watch, watched, i, why);
        worst = found > worst ? found : worst;
    }
    return worst;
}

static int look_at_calls(struct watch *watch, const struct watched *watched,
                         char why[static WATCH_WHY_MAX])
{
    if (watch->asked > LOOKS) {
        (void)snprintf(why, WATCH_WHY_MAX, "it does not answer, and a caller waits");
        return 2;
    }
    if (watch->calls == 0)
        return 0;
    /* a full channel is no answer either */
    if (watch->asked == 0)
        (void)channel_send_plain(watched->channel, CHANNEL_ASK, 0, 0);
    watch->asked++;
    return 1;
}

static enum watch_verdict look_at_start(struct watch *watch, const struct watched *watched,
                                        char why[static WATCH_WHY_MAX])
{
    char state = state_of(watched->pid, (uint32_t)watched->pid);
    watch->stopped = is_stopped(state) ? watch->stopped + 1 : 0;
    watch->next = deadline_in(WATCH_PAUSE);
    if (watch->stopped <= LOOKS && (watch->starting++ < START_LOOKS || state == 'D'))
        return WATCH_WELL;
    (void)snprintf(why, WATCH_WHY_MAX, "it does not become ready (state %c)", state);
    return WATCH_STUCK;
}

enum watch_verdict watch_look(struct watch *watch, const struct watched *watched,
                              char why[static WATCH_WHY_MAX])
{
    if (!watch->is_ready)
        return look_at_start(watch, watched, why);
    watch->tick++;
    int views = look_at_views(watch, watched, why);
    int threads = look_at_threads(watch, watched, why);
    int calls = look_at_calls(watch, watched, why);
    watch->next = views + threads + calls > 0 ? deadline_in(WATCH_PAUSE) : -1;
    return views == 2 || threads == 2 || calls == 2 ? WATCH_STUCK : WATCH_WELL;
}

enum watch_verdict watch_look_at_notifier(struct watch *watch, const struct watched *watched,
                                          char why[static WATCH_WHY_MAX])
{
    bool is_awaited = watch->notifier.asked > 0 || watch->notifier.is_stuck;
    if (watched->notifier_channel < 0 || (watch->next < 0 && !is_awaited))
        return WATCH_WELL;
    if (watch->next < 0)
        watch->next = deadline_in(WATCH_PAUSE);
    if (is_awaited && state_of(watched->notifier, (uint32_t)watched->notifier) == 'Z') {
        (void)snprintf(why, WATCH_WHY_MAX, "a view keeps a thread of it in the kernel");
        return WATCH_HELD;
    }
    if (watch->notifier.is_stuck)
        return WATCH_WELL;
    if (watch->notifier.asked == 0)
        (void)channel_send_plain(watched->notifier_channel, CHANNEL_ASK, 0, 0);
    if (watch->asked <= 1) /* else it may be for the server that it waits */
        watch->notifier.asked++;
    if (watch->notifier.asked <= LOOKS)
        return WATCH_WELL;
    char state = state_of(watched->notifier, (uint32_t)watched->notifier);
    bool is_patient = !watch->notifier.is_known && !is_stopped(state);
    if (state == 'D' || (is_patient && watch->notifier.asked <= START_LOOKS))
        return WATCH_WELL;
    watch->notifier.is_stuck = true;
    watch->notifier.asked = 0;
    (void)snprintf(why, WATCH_WHY_MAX, "it does not answer (state %c)", state);
    return WATCH_STUCK;
}
