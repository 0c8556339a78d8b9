/* A thread beside the one that waits for it: what a commit needs and nobody else looks at, and a
 * part of a look at all records. */
#ifndef EMSA_STORE_WORKER_H
#define EMSA_STORE_WORKER_H

#include <pthread.h>
#include <stdbool.h>

/* Starts it, with all signals blocked but those of faults (store/db/guard.h), which kill where they
 * are blocked: the others are for who waits for them. Whoever starts it joins it. False: there is
 * none to be had, and nothing was started. */
bool worker_start(pthread_t *thread, void *(*run)(void *), void *arg);

#endif
