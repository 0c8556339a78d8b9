#include "tools/common/descriptor.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "store/error.h"

void descriptor_close(int *fd)
{
    if (*fd < 0)
        return;
    int saved = errno;
    (void)close(*fd);
    errno = saved;
    *fd = -1;
}

static int64_t now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

int64_t deadline_in(int milliseconds)
{
    return milliseconds < 0 ? -1 : now() + milliseconds;
}

int deadline_left(int64_t deadline)
{
    if (deadline < 0)
        return -1;
    int64_t left = deadline - now();
    if (left <= 0)
        return 0;
    return left > INT32_MAX ? INT32_MAX : (int)left;
}

int descriptor_wait(int fd, short events, int64_t deadline)
{
    for (;;) {
        struct pollfd entry = {.fd = fd, .events = events};
        int ready = poll(&entry, 1, deadline_left(deadline));
        if (ready > 0)
            return 0;
        if (ready == 0)
            return 1;
        if (errno != EINTR && errno != EAGAIN)
            return error_system(errno, "cannot wait for a descriptor");
    }
}

ssize_t descriptor_send(int socket, const void *data, size_t size, const int fds[], size_t fd_count)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int) * DESCRIPTORS_MAX)];
    } control;
    struct iovec part = {.iov_len = size};
    /* sendmsg does not write to it, but iovec has no const form */
    memcpy(&part.iov_base, &data, sizeof data);
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd_count > DESCRIPTORS_MAX) {
        errno = EINVAL;
        return -1;
    }
    if (fd_count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
        memcpy(CMSG_DATA(header), fds, sizeof(int) * fd_count);
    }
    ssize_t sent;
    do
        sent = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent;
}

/* All of one control message: it has room for no more than are wanted. */
static void take_descriptors(struct cmsghdr *header, int fds[], size_t *count)
{
    size_t size = header->cmsg_len - CMSG_LEN(0);
    memcpy(fds + *count, CMSG_DATA(header), size);
    *count += size / sizeof fds[0];
}

/* There is room for the descriptors that are wanted and for no other: the kernel drops the rest
 * without their ever being this process's. To close one here would be to tell its file system, and
 * to wait for one of the sender's own making, in a way that not even SIGKILL ends. */
ssize_t descriptor_receive(int socket, void *data, size_t size, int fds[], size_t fd_maximum,
                           size_t *fd_count, int *is_cut)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int) * DESCRIPTORS_MAX)];
    } control;
    struct iovec part = {.iov_base = data, .iov_len = size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    *fd_count = 0;
    *is_cut = 0;
    if (fd_maximum > DESCRIPTORS_MAX) {
        errno = EINVAL;
        return -1;
    }
    if (fd_maximum > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_LEN(sizeof(int) * fd_maximum);
    }
    ssize_t received;
    do
        received = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (received < 0 && errno == EINTR);
    if (received < 0)
        return -1;
    if ((message.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) != 0)
        *is_cut = 1;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL;
         header = CMSG_NXTHDR(&message, header))
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
            take_descriptors(header, fds, fd_count);
    return received;
}
