#include "tools/common/ready.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/exit_status.h"

void ready_tell(int *fd, int error, const char *text)
{
    if (*fd < 0)
        return;
    if (error == 0)
        (void)dprintf(*fd, "ready\n");
    else
        (void)dprintf(*fd, "error %d %s %s\n", (int)exit_status(error), error_word(error), text);
    descriptor_close(fd);
}

/* Everything up to the end of the pipe; what does not fit is read and left out. */
static int read_all(int fd, char *text, size_t capacity, int64_t deadline)
{
    size_t size = 0;
    for (;;) {
        int late = descriptor_wait(fd, POLLIN, deadline);
        if (late < 0)
            return late;
        if (late > 0)
            return error_set(ERR_IO, "the daemon did not become ready in time");
        char surplus[256];
        size_t room = capacity - 1 - size;
        ssize_t got = room > 0 ? read(fd, text + size, room) : read(fd, surplus, sizeof surplus);
        if (got < 0 && errno != EINTR && errno != EAGAIN)
            return error_system(errno, "cannot hear from the daemon");
        if (got == 0)
            break;
        if (got > 0 && room > 0)
            size += (size_t)got;
    }
    text[size] = '\0';
    return 0;
}

/* "error 6 corrupt the file ..." as a failure of ours. */
static int failure(char *text)
{
    int status;
    char kind[32];
    int at = 0;
    if (sscanf(text, "error %d %31s %n", &status, kind, &at) != 2 || at == 0)
        return error_set(ERR_IO, "the daemon ended before it was ready");
    size_t size = strlen(text);
    while (size > (size_t)at && text[size - 1] == '\n')
        text[--size] = '\0';
    enum error_code code = error_from_word(kind);
    return error_set(code != 0 ? code : ERR_IO, "%s", text + at);
}

int ready_wait(int fd, int deadline)
{
    char text[ERROR_TEXT_MAX + 64];
    int error = read_all(fd, text, sizeof text, deadline_in(deadline));
    if (error < 0)
        return error;
    return strcmp(text, "ready\n") == 0 ? 0 : failure(text);
}
