/* Descriptors: closing them, sending them over a unix socket, and waiting for them with a deadline.
 */
#ifndef EMSA_TOOLS_COMMON_DESCRIPTOR_H
#define EMSA_TOOLS_COMMON_DESCRIPTOR_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DESCRIPTORS_MAX 8 /* in one message */

/* Closes *fd unless it is negative, and makes it -1; errno stays as it was. */
void descriptor_close(int *fd);

#define DESCRIPTOR_CLEANUP __attribute__((cleanup(descriptor_close)))

/* A moment on the monotonic clock: milliseconds from now on; -1 is never. */
int64_t deadline_in(int milliseconds);

/* Milliseconds left until then, 0 when it has passed, -1 when it never comes: as poll takes it. */
int deadline_left(int64_t deadline);

/* Waits until fd has one of events (poll's). 0: it has, or is broken (the next call on it tells);
 * 1: the deadline passed. ERR_IO. */
int descriptor_wait(int fd, short events, int64_t deadline);

/* Sends as much of data as the socket takes now, the descriptors with its first byte; never waits
 * and never raises SIGPIPE. Returns the number of bytes, or -1 with errno (EAGAIN: nothing was
 * sent). */
ssize_t descriptor_send(int socket, const void *data, size_t size, const int fds[],
                        size_t fd_count);

/*
 * Receives what is there, never waits. At most fd_maximum descriptors (up to DESCRIPTORS_MAX; 0:
 * for a peer whose descriptors must not even be closed) go to fds (CLOEXEC, the caller's); the
 * kernel drops surplus ones and *is_cut is set, as it is when a datagram did not fit. Returns the
 * number of bytes, 0 when the peer closed, or -1 with errno.
 */
ssize_t descriptor_receive(int socket, void *data, size_t size, int fds[], size_t fd_maximum,
                           size_t *fd_count, int *is_cut);

#endif
