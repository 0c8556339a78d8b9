/* A thread beside the writer's, for what a commit needs and nobody else looks at. */
#ifndef EMSA_STORE_MODEL_WORKER_H
#define EMSA_STORE_MODEL_WORKER_H

#include <pthread.h>
#include <stdbool.h>

/* Starts it, with all signals blocked: those are for who waits for them. Whoever starts it joins
 * it. False: there is none to be had, and nothing was started. */
bool worker_start(pthread_t *thread, void *(*run)(void *), void *arg);

#endif
