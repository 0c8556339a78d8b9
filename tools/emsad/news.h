/* The newest revision that there is news of: committed, and known to every view. Whoever waits for
 * the next one sleeps until it is told, or its connection ends. */
#ifndef EMSA_TOOLS_EMSAD_NEWS_H
#define EMSA_TOOLS_EMSAD_NEWS_H

#include <pthread.h>
#include <stdint.h>

struct news {
    pthread_mutex_t mutex; /* protects what is below */
    uint64_t told;
    struct news_waiter *waiters; /* each on the stack of its thread */
};

void news_init(struct news *news, uint64_t told);
void news_release(struct news *news); /* nobody waits any more */

/* Any thread; never waits. An older revision than the one told last is nothing. */
void news_tell(struct news *news, uint64_t rev);
uint64_t news_told(struct news *news);

/* Waits until revision rev was told and the socket takes something. 1: its peer has gone, has
 * something to say, or nothing is received of it any more (shutdown). ERR_IO. */
int news_wait(struct news *news, uint64_t rev, int socket);

#endif
