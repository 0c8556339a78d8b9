/* The server's end of the socket to the notifier. Sending never waits, and is for any thread. */
#ifndef EMSA_FS_POST_H
#define EMSA_FS_POST_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "fs/message.h"

struct post {
    pthread_mutex_t lock; /* over the descriptors; held for one send that does not wait */
    int socket;           /* -1: none; closed by the thread that hears only */
    int incoming;         /* one to take instead, or -1 */
    atomic_bool clogged;  /* the socket was full: go on when it has room */
};

void post_init(struct post *post);
void post_release(struct post *post);

/* Sends a message and its effects. False: there is no room, or no notifier. */
bool post_send(struct post *post, const struct message *message, const void *effects);

/* A new connection (taken over); it is used from the next post_socket on. */
void post_connect(struct post *post, int socket);

/* For the thread that hears: the socket to listen to, or -1. *fresh: it is another than before, and
 * what was sent to that one is void. */
int post_socket(struct post *post, bool *fresh);

/* The same: that socket has ended. */
void post_end(struct post *post, int socket);

#endif
