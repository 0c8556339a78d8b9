#include "tools/emsad/network.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/common/descriptor.h"

static int empty = -1; /* the namespace */

/* A thread is moved alone, and its namespace lives on in the descriptor. */
static void *make(void *arg)
{
    int *out = arg;
    if (unshare(CLONE_NEWNET) == 0)
        *out = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    return NULL;
}

void network_begin(void)
{
    pthread_t thread;
    descriptor_close(&empty);
    if (pthread_create(&thread, NULL, make, &empty) == 0)
        (void)pthread_join(thread, NULL);
}

void network_leave(void)
{
    if (empty >= 0)
        (void)setns(empty, CLONE_NEWNET); /* or it keeps the one that it cannot speak in */
}
