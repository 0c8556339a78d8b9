#include "tests/integration/fs/pages.h"

#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/integration/fs/server.h"

#define CACHESTAT 451

struct cachestat_range {
    uint64_t offset, length;
};
struct cachestat {
    uint64_t cached, dirty, writeback, evicted, recently_evicted;
};

uint64_t pages_cached(int fd)
{
    struct cachestat_range range = {0, 0};
    struct cachestat result;
    if (syscall(CACHESTAT, fd, &range, &result, 0) < 0)
        give_up("cachestat");
    return result.cached;
}

/* A commit is answered after all that was asked of the notifier before it, so one waits for the
 * sweeps; only what the kernel does behind a call's back (readahead) may take more. None of them
 * touches the file. */
uint64_t pages_swept(struct world *world, const char *path, int fd)
{
    static unsigned turn;
    uint64_t left = 1;
    for (int i = 0; i < 100 && left > 0; i++) {
        char value[16];
        int n = snprintf(value, sizeof(value), "%u", ++turn);
        world_set(world, path, value, (size_t)n);
        world_commit(world);
        left = pages_cached(fd);
    }
    return left;
}
