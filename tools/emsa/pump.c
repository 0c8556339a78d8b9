#include "tools/emsa/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"

int pump_begin(struct pump *pump, const struct piece *pieces, size_t count)
{
    int ends[2];
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    *pump = (struct pump){.read_end = -1, .write_end = -1, .pieces = pieces, .count = count};
    sigaction(SIGPIPE, &ignore, &pump->pipe_action);
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_system(errno, "cannot make a pipe");
    pump->read_end = ends[0];
    pump->write_end = ends[1];
    return 0;
}

static int write_piece(int fd, const unsigned char *data, size_t size)
{
    while (size > 0) {
        ssize_t count = write(fd, data, size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0) /* the reader has its reasons, and tells them in the reply */
            return -1;
        data += count;
        size -= (size_t)count;
    }
    return 0;
}

void pump_run(struct pump *pump)
{
    for (size_t i = 0; i < pump->count; i++)
        if (write_piece(pump->write_end, pump->pieces[i].data, pump->pieces[i].size) < 0)
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
