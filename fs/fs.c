#include "fs/fs.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/fatal.h"
#include "fs/kernel.h"
#include "fs/pin.h"
#include "fs/replay.h"
#include "fs/server.h"
#include "store/error.h"

#define SPIN_DEFAULT_US 50

static unsigned cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) < 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count > 1 ? (unsigned)count : 1;
}

static unsigned thread_count(unsigned asked)
{
    unsigned count = asked ? asked : cores();
    if (!asked)
        count = count < 2 ? 2 : count > 8 ? 8 : count;
    return count < THREADS_MAX ? count : THREADS_MAX;
}

/* On one core whoever is to ask next can't run while we look. */
static uint64_t spin_time(int asked)
{
    if (asked < 0 || cores() < 2)
        return 0;
    return (uint64_t)(asked ? asked : SPIN_DEFAULT_US) * 1000;
}

static int parts_init(struct fs *fs, const struct fs_options *options)
{
    int error = state_map(&fs->state, options->state_fd);
    if (error)
        return error;
    if (options->roster_fd >= 0)
        error = roster_map(&fs->roster, options->roster_fd, false);
    if (error)
        return error;
    replay_begin(fs->state);
    fatal_state(fs->state);
    marks_init(&fs->marks, fs->state);
    view_slots_begin(fs->state);
    pins_begin(fs->state);
    error = polls_new(&fs->polls, fs->state, options->store, &fs->views);
    if (error)
        return error;
    error = notify_new(&fs->notify, options->store, fs->state, &fs->marks, fs->polls);
    return error ? error : loop_init(fs);
}

int fs_catch(void)
{
    return fatal_catch();
}

int fs_new(struct fs **out, const struct fs_options *options)
{
    struct fs *fs = calloc(1, sizeof(*fs));
    if (!fs) {
        close(options->state_fd);
        return error_set(ERR_NOMEM, "no memory to serve the tree");
    }
    fs->store = options->store;
    fs->audit = options->audit;
    fs->alarm = options->alarm;
    fs->gone = options->gone;
    fs->arg = options->arg;
    fs->state_fd = options->state_fd;
    fs->epoll_fd = fs->stop_fd = fs->crew.wake_fd = -1;
    fs->thread_count = thread_count(options->threads);
    fs->spin = spin_time(options->spin);
    pthread_mutex_init(&fs->session_lock, NULL);
    views_init(&fs->views);
    int error = parts_init(fs, options);
    if (error) {
        fs_free(fs);
        return error;
    }
    *out = fs;
    return 0;
}

void fs_free(struct fs *fs)
{
    if (!fs)
        return;
    loop_stop(fs);
    notify_free(fs->notify);
    polls_free(fs->polls);
    loop_release(fs);
    views_release(&fs->views);
    fatal_state(NULL);
    if (fs->state)
        marks_release(&fs->marks);
    state_unmap(fs->state);
    roster_unmap(fs->roster);
    close(fs->state_fd);
    pthread_mutex_destroy(&fs->session_lock);
    free(fs);
}

/* libfuse wants to have seen an INIT before anything else. One is enough for all views: the same
 * supervisor answered all of them, with the same flags. */
static int session_ready(struct fs *fs, const void *init, size_t size)
{
    unsigned char copy[sizeof(struct fuse_in_header) + sizeof(struct fuse_init_in)];
    if (size < sizeof(copy))
        return error_set(ERR_INVALID, "the saved INIT request has %zu bytes", size);
    pthread_mutex_lock(&fs->session_lock);
    if (!fs->ready) {
        struct fuse_in_header *header = (void *)copy;
        memcpy(copy, init, sizeof(copy));
        header->len = sizeof(copy);
        struct fuse_buf buffer = {.mem = copy, .size = sizeof(copy)};
        fuse_session_process_buf(fs->session, &buffer);
        fs->ready = true;
    }
    pthread_mutex_unlock(&fs->session_lock);
    if (fuse_session_exited(fs->session))
        return error_set(ERR_IO, "libfuse refuses the saved INIT request");
    return 0;
}

int fs_adopt(struct fs *fs, const struct view_options *view, int fuse_fd, const void *init,
             size_t init_size)
{
    struct view *added;
    uint32_t slot;
    int error = scope_check(view);
    if (!error)
        error = session_ready(fs, init, init_size);
    if (error) {
        close(fuse_fd);
        return error;
    }
    struct view_slot *shared = view_slot_take(fs->state, view->id);
    if (!shared) {
        close(fuse_fd);
        return error_set(ERR_REFUSED, "there are %u mounts, and no room for more", VIEW_SLOTS);
    }
    /* one that no server served before; from then on it is where it was moved to */
    if (atomic_load(&shared->told) == 0)
        atomic_store(&shared->pin, view->pin);
    error = views_add(&fs->views, &slot, view, shared, fuse_fd);
    if (error)
        return error;
    /* before the first answer, so that nothing it shows can change untold */
    added = views_get(&fs->views, slot);
    error = notify_view_add(fs->notify, view->id, &added->scope);
    if (!error)
        error = loop_watch(fs, slot, fuse_fd);
    if (error) {
        notify_view_remove(fs->notify, view->id);
        views_remove(&fs->views, added);
    }
    views_put(&fs->views, added);
    return error;
}

int fs_start(struct fs *fs)
{
    view_slots_sweep(fs->state);
    int error = notify_start(fs->notify);
    return error ? error : loop_start(fs);
}

int fs_notifier(struct fs *fs, int socket)
{
    return notify_connect(fs->notify, socket);
}

int fs_publish(struct fs *fs, uint64_t rev)
{
    return notify_publish(fs->notify, rev);
}

int fs_move(struct fs *fs, uint32_t view, uint64_t rev)
{
    return notify_move(fs->notify, view, rev);
}

void fs_status(struct fs *fs, struct fs_status *out)
{
    struct fs_status status = {.views = views_count(&fs->views),
                               .published = notify_published(fs->notify)};
    for (unsigned i = 0; i < THREADS_MAX; i++) {
        struct counters *counters = &fs->workers[i].counters;
        status.requests += atomic_load(&counters->requests);
        status.reads += atomic_load(&counters->reads);
        status.decryptions += atomic_load(&counters->decryptions);
        status.errors += atomic_load(&counters->errors);
    }
    status.open_files = pin_count(fs->state, &status.readers);
    *out = status;
}

int fs_view(struct fs *fs, struct fs_view *out, uint32_t view)
{
    const struct view_slot *slot = view_slot_find(fs->state, view);
    if (!slot)
        return 1;
    uint64_t reader = atomic_load(&slot->reader);
    *out = (struct fs_view){.told = atomic_load(&slot->told),
                            .pin = atomic_load(&slot->pin),
                            .read_time = atomic_load(&slot->read_time),
                            .read_rev = atomic_load(&slot->read_rev),
                            .uid = (uint32_t)(reader >> 32),
                            .pid = (uint32_t)reader};
    return 0;
}

const struct state_figures *fs_figures(const struct fs *fs)
{
    return &fs->state->figures;
}

_Atomic int64_t *fs_due(struct fs *fs)
{
    return &fs->state->due;
}

const struct state_times *fs_times(const struct fs *fs)
{
    return &fs->state->times;
}
