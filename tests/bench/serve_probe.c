/*
 * What answering costs the server's own process: requests as FUSE would send them go through a
 * socket into an fs, and its answers come back. There is nothing in it that a profiler could
 * mistake for waiting:
 *
 *   perf record -e cpu-clock:u serve_probe FOLDER plain|secret N      FOLDER must not exist
 *
 * Each of the N turns is OPEN, READ and RELEASE of one file. It decides nothing.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fs/fs.h"
#include "fs/kernel.h"
#include "fs/node.h"
#include "fs/state.h"
#include "tests/support/store/sample.h"
#include "tests/support/store/trial.h"

struct probe {
    int fd;
    uint64_t unique, node;
    unsigned char answer[8192];
};

/* One request and its answer; the answer's body. */
static const void *ask(struct probe *probe, uint32_t opcode, const void *body, size_t size)
{
    struct {
        struct fuse_in_header header;
        unsigned char body[64];
    } request = {.header = {.len = (uint32_t)(sizeof(request.header) + size),
                            .opcode = opcode,
                            .unique = probe->unique += 2,
                            .nodeid = probe->node,
                            .pid = (uint32_t)getpid()}};
    memcpy(request.body, body, size);
    const struct fuse_out_header *header = (const void *)probe->answer;
    MUST(send(probe->fd, &request, request.header.len, 0) == (ssize_t)request.header.len, "send");
    MUST(recv(probe->fd, probe->answer, sizeof(probe->answer), 0) > 0, "recv");
    MUST(header->error == 0, "request %u: %d", opcode, header->error);
    return header + 1;
}

static void open_read_release(struct probe *probe)
{
    const struct fuse_open_in open = {.flags = O_RDONLY};
    const struct fuse_open_out *opened = ask(probe, FUSE_OPEN, &open, sizeof(open));
    const uint64_t handle = opened->fh;
    const struct fuse_read_in read = {
        .fh = handle, .size = 4096, .read_flags = FUSE_READ_LOCKOWNER, .lock_owner = 1};
    const struct fuse_release_in release = {.fh = handle};
    ask(probe, FUSE_READ, &read, sizeof(read));
    ask(probe, FUSE_RELEASE, &release, sizeof(release));
}

static struct fs *start(struct store *store, int fuse_fd)
{
    const struct {
        struct fuse_in_header header;
        struct fuse_init_in init;
    } init = {.header = {.len = sizeof(init), .opcode = FUSE_INIT, .unique = 1},
              .init = {.major = FUSE_KERNEL_VERSION, .minor = KERNEL_MINOR}};
    const struct view_options view = {.id = 1};
    struct fs_options options = {.store = store, .threads = 1, .spin = -1, .roster_fd = -1};
    struct fs *fs;
    MUST_DO(state_create(&options.state_fd));
    MUST_DO(fs_new(&fs, &options));
    MUST_DO(fs_adopt(fs, &view, fuse_fd, &init, sizeof(init)));
    MUST_DO(fs_start(fs));
    return fs;
}

static uint64_t find(struct store *store, const char *key)
{
    struct snapshot *snapshot;
    struct environment environment;
    struct service service;
    struct entry entry;
    MUST_DO(snapshot_new(&snapshot, store));
    MUST_DO(snapshot_begin(snapshot));
    MUST_DO(snapshot_environment(snapshot, &environment, "e"));
    MUST_DO(snapshot_service(snapshot, &service, environment.id, "s"));
    MUST_DO(snapshot_entry(snapshot, &entry, environment.id, service.id, key));
    snapshot_end(snapshot);
    snapshot_free(snapshot);
    return node_key(entry.environment, entry.name_id);
}

int main(int count, char *words[])
{
    if (count != 4) {
        fprintf(stderr, "usage: serve_probe FOLDER plain|secret N\n");
        return 2;
    }
    int ends[2];
    struct change_result result = {0};
    sample_create(words[1]);
    struct store *store = sample_open(words[1], true);
    MUST_DO(SAMPLE_COMMIT(store, &result, "fill", 0, {ADD, "e", 0}, {SET, "e/s/plain", 1},
                          {SECRET, "e/s/secret", 2}));
    change_result_release(&result);
    MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
    MUST(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0, "fcntl");
    struct fs *fs = start(store, ends[1]);
    struct probe probe = {.fd = ends[0], .node = find(store, words[2])};
    struct timespec from, to;
    unsigned long turns = strtoul(words[3], NULL, 10);
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (unsigned long i = 0; i < turns; i++)
        open_read_release(&probe);
    clock_gettime(CLOCK_MONOTONIC, &to);
    printf("%.2f us a turn\n",
           ((double)(to.tv_sec - from.tv_sec) * 1e6 + (double)(to.tv_nsec - from.tv_nsec) / 1e3) /
               (double)(turns ? turns : 1));
    fs_free(fs);
    close(ends[0]);
    store_close(store);
    return 0;
}
