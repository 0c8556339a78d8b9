#include "fs/post.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

void post_init(struct post *post)
{
    post->socket = post->incoming = -1;
    pthread_mutex_init(&post->lock, NULL);
}

void post_release(struct post *post)
{
    if (post->socket >= 0)
        close(post->socket);
    if (post->incoming >= 0)
        close(post->incoming);
    pthread_mutex_destroy(&post->lock);
}

bool post_send(struct post *post, const struct message *message, const void *effects)
{
    struct iovec parts[2] = {{.iov_base = (void *)(uintptr_t)message, .iov_len = sizeof(*message)},
                             {.iov_base = (void *)(uintptr_t)effects, .iov_len = message->size}};
    struct msghdr packet = {.msg_iov = parts, .msg_iovlen = message->size ? 2 : 1};
    ssize_t n = -1;
    int error = EPIPE;
    pthread_mutex_lock(&post->lock);
    if (post->socket >= 0) {
        do
            n = sendmsg(post->socket, &packet, MSG_DONTWAIT | MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        error = errno;
    }
    pthread_mutex_unlock(&post->lock);
    if (n < 0 && (error == EAGAIN || error == ENOBUFS))
        atomic_store(&post->clogged, true);
    return n >= 0;
}

void post_connect(struct post *post, int socket)
{
    pthread_mutex_lock(&post->lock);
    if (post->incoming >= 0)
        close(post->incoming);
    post->incoming = socket;
    pthread_mutex_unlock(&post->lock);
}

int post_socket(struct post *post, bool *fresh)
{
    pthread_mutex_lock(&post->lock);
    *fresh = post->incoming >= 0;
    if (*fresh) {
        if (post->socket >= 0)
            close(post->socket);
        post->socket = post->incoming;
        post->incoming = -1;
    }
    int socket = post->socket;
    pthread_mutex_unlock(&post->lock);
    return socket;
}

void post_end(struct post *post, int socket)
{
    pthread_mutex_lock(&post->lock);
    if (post->socket == socket) {
        close(post->socket);
        post->socket = -1;
    }
    pthread_mutex_unlock(&post->lock);
}
