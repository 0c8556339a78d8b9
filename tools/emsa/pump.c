#include "tools/emsa/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"

#define PARTS_MAX 512u            /* of one writev */
#define PIPE_ROOM (1024u * 1024u) /* so that many values go over at once; where that is allowed */

int pump_begin(struct pump *pump, const struct piece *pieces, size_t count)
{
    int ends[2];
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    *pump = (struct pump){.read_end = -1, .write_end = -1, .pieces = pieces, .count = count};
    sigaction(SIGPIPE, &ignore, &pump->pipe_action);
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_system(errno, "cannot make a pipe");
    if (count > 1)
        (void)fcntl(ends[1], F_SETPIPE_SZ, PIPE_ROOM);
    pump->read_end = ends[0];
    pump->write_end = ends[1];
    return 0;
}

/* The next pieces, as many as one call takes; those of no bytes are left out. How many there are.
 */
static size_t gather(struct pump *pump, size_t *next, struct iovec parts[static PARTS_MAX])
{
    size_t count = 0;
    for (; *next < pump->count && count < PARTS_MAX; (*next)++) {
        const struct piece *piece = &pump->pieces[*next];
        union {
            const void *given;
            void *taken;
        } data = {.given = piece->data}; /* struct iovec has no const */
        if (piece->size > 0)
            parts[count++] = (struct iovec){data.taken, piece->size};
    }
    return count;
}

static int write_parts(int fd, struct iovec *parts, size_t count)
{
    while (count > 0) {
        ssize_t size = writev(fd, parts, (int)count);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0) /* the reader has its reasons, and tells them in the reply */
            return -1;
        size_t written = (size_t)size;
        for (; count > 0 && written >= parts->iov_len; parts++, count--)
            written -= parts->iov_len;
        if (count > 0) {
            parts->iov_base = (char *)parts->iov_base + written;
            parts->iov_len -= written;
        }
    }
    return 0;
}

void pump_run(struct pump *pump)
{
    struct iovec parts[PARTS_MAX];
    size_t next = 0, count;
    while ((count = gather(pump, &next, parts)) > 0)
        if (write_parts(pump->write_end, parts, count) < 0)
            break;
    descriptor_close(&pump->write_end);
}

static void *run(void *arg)
{
    pump_run(arg);
    return NULL;
}

int pump_start(struct pump *pump)
{
    int failed = pthread_create(&pump->thread, NULL, run, pump);
    if (failed != 0)
        return error_system(failed, "cannot start a thread");
    pump->started = true;
    return 0;
}

void pump_end(struct pump *pump)
{
    descriptor_close(&pump->read_end);
    if (pump->started)
        pthread_join(pump->thread, NULL);
    descriptor_close(&pump->write_end);
    sigaction(SIGPIPE, &pump->pipe_action, NULL);
}
