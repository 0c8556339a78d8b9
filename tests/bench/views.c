/*
 * What many views cost one server: makes N, as the supervisor does, has them adopted by a server in
 * a process of its own, reads a file through each, and then lets it do nothing for some seconds.
 * There is no command for many views, so this makes them with the constructors of fs/.
 *
 *   views FOLDER N SECONDS      FOLDER must not exist
 *
 * Prints one JSON object: the time to make one (mount and adoption, p50 and p99 in nanoseconds),
 * the server's own memory a view in bytes (before and after the reads), a read's p50, and the
 * server's processor time while it was idle. It decides nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fs/fs.h"
#include "fs/mount.h"
#include "fs/state.h"
#include "store/error.h"
#include "tests/support/store/sample.h"
#include "tests/support/store/trial.h"

#define FILE_NAME "e/s/plain"

struct views {
    unsigned count;
    struct mount *mounts;
    uint64_t *made; /* nanoseconds */
    int state_fd;
};

static uint64_t clock_of(clockid_t clock)
{
    struct timespec t;
    MUST(clock_gettime(clock, &t) == 0, "clock");
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void raise_limit(unsigned count)
{
    struct rlimit limit = {4u * count + 256, 4u * count + 256};
    MUST(setrlimit(RLIMIT_NOFILE, &limit) == 0, "%u descriptors", 4u * count + 256);
}

static void make_store(const char *path)
{
    struct change_result result = {0};
    sample_create(path);
    struct store *store = sample_open(path, true);
    MUST_DO(SAMPLE_COMMIT(store, &result, "fill", 0, {ADD, "e", 0}, {SET, FILE_NAME, 1}));
    change_result_release(&result);
    store_close(store);
}

/* The server's process: tells how long each adoption took, then that it is ready. */
static void serve(const struct views *views, const char *path, int out)
{
    struct fs_options options = {.state_fd = views->state_fd, .roster_fd = -1};
    struct fs *fs;
    char byte = 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    options.store = sample_open(path, true);
    MUST_DO(fs_new(&fs, &options));
    MUST_DO(fs_start(fs));
    MUST(write(out, &byte, 1) == 1, "write");
    MUST(read(out, &byte, 1) == 1, "read"); /* the parent has looked at the memory */
    for (unsigned i = 0; i < views->count; i++) {
        const struct mount *mount = &views->mounts[i];
        const struct view_options view = {.id = i + 1};
        uint64_t start = clock_of(CLOCK_MONOTONIC);
        close(mount->mount_fd);
        MUST_DO(fs_adopt(fs, &view, mount->fuse_fd, mount->init, mount->init_size));
        uint64_t took = clock_of(CLOCK_MONOTONIC) - start;
        MUST(write(out, &took, sizeof(took)) == (ssize_t)sizeof(took), "write");
    }
    for (;;)
        pause();
}

/* Pages of its own that the process has in memory, in KiB. */
static long anonymous(pid_t pid)
{
    char path[64], line[256];
    long found = 0, kib;
    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
    FILE *file = fopen(path, "re");
    MUST(file != NULL, "%s", path);
    while (fgets(line, sizeof(line), file))
        if (sscanf(line, "Private_Dirty: %ld", &kib) == 1)
            found = kib;
    fclose(file);
    return found;
}

static uint64_t read_one(const struct mount *mount)
{
    char value[4096];
    uint64_t start = clock_of(CLOCK_MONOTONIC);
    int fd = openat(mount->mount_fd, FILE_NAME, O_RDONLY | O_CLOEXEC);
    MUST(fd >= 0, "cannot open %s: %s", FILE_NAME, strerror(errno));
    MUST(read(fd, value, sizeof(value)) > 0, "cannot read: %s", strerror(errno));
    close(fd);
    return clock_of(CLOCK_MONOTONIC) - start;
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t rank(uint64_t *times, unsigned count, unsigned percent)
{
    qsort(times, count, sizeof(*times), by_size);
    return times[(size_t)count * percent / 100];
}

static uint64_t idle(pid_t server, unsigned seconds)
{
    clockid_t clock;
    MUST(clock_getcpuclockid(server, &clock) == 0, "the server's clock");
    poll(NULL, 0, 1500); /* what looks after threads goes to sleep after a second without work */
    uint64_t before = clock_of(clock);
    poll(NULL, 0, (int)seconds * 1000);
    return clock_of(clock) - before;
}

static void measure(struct views *views, pid_t server, int channel, unsigned seconds)
{
    char byte = 0;
    uint64_t took, *reads = calloc(views->count, sizeof(*reads));
    MUST(reads != NULL, "memory");
    MUST(read(channel, &byte, 1) == 1, "the server did not start");
    long empty = anonymous(server);
    MUST(write(channel, &byte, 1) == 1, "write");
    for (unsigned i = 0; i < views->count; i++) {
        MUST(read(channel, &took, sizeof(took)) == (ssize_t)sizeof(took), "the server ended");
        views->made[i] += took;
    }
    long adopted = anonymous(server);
    for (unsigned i = 0; i < views->count; i++)
        reads[i] = read_one(&views->mounts[i]);
    long used = anonymous(server);
    uint64_t cpu = idle(server, seconds);
    printf(
        "{\"views\":%u,\"make\":{\"p50\":%llu,\"p99\":%llu},\"first_read\":{\"p50\":%llu,\"p99\":"
        "%llu},\"bytes\":%ld,\"bytes_read\":%ld,\"idle_ns\":%llu,\"seconds\":%u}\n",
        views->count, (unsigned long long)rank(views->made, views->count, 50),
        (unsigned long long)rank(views->made, views->count, 99),
        (unsigned long long)rank(reads, views->count, 50),
        (unsigned long long)rank(reads, views->count, 99),
        (adopted - empty) * 1024 / (long)views->count, (used - empty) * 1024 / (long)views->count,
        (unsigned long long)cpu, seconds);
    free(reads);
}

/* A store may not be open when a process is made. */
static void in_child(void (*work)(const char *), const char *path)
{
    int status;
    pid_t pid = fork();
    MUST(pid >= 0, "fork");
    if (pid == 0) {
        work(path);
        exit(0);
    }
    MUST(waitpid(pid, &status, 0) == pid && status == 0, "the store could not be made");
}

static void make_views(struct views *views)
{
    const struct view_options view = {0};
    MUST_DO(state_create(&views->state_fd));
    for (unsigned i = 0; i < views->count; i++) {
        uint64_t start = clock_of(CLOCK_MONOTONIC);
        MUST_DO(mount_make(&views->mounts[i], &view));
        views->made[i] = clock_of(CLOCK_MONOTONIC) - start;
    }
}

int main(int count, char **words)
{
    struct views views = {.count = count == 4 ? (unsigned)strtoul(words[2], NULL, 10) : 0};
    int channel[2];
    if (views.count == 0) {
        fprintf(stderr, "usage: views FOLDER N SECONDS\n");
        return 2;
    }
    raise_limit(views.count);
    views.mounts = calloc(views.count, sizeof(*views.mounts));
    views.made = calloc(views.count, sizeof(*views.made));
    MUST(views.mounts && views.made, "memory");
    in_child(make_store, words[1]);
    make_views(&views);
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) == 0, "socketpair");
    pid_t server = fork();
    MUST(server >= 0, "fork");
    if (server == 0) {
        close(channel[0]);
        serve(&views, words[1], channel[1]);
        return 1;
    }
    close(channel[1]);
    measure(&views, server, channel[0], (unsigned)strtoul(words[3], NULL, 10));
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    free(views.mounts);
    free(views.made);
    return 0;
}
