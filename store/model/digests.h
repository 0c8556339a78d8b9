/*
 * The salts and digests of the values that a change brings. They depend on nothing that is in the
 * store, so a thread of their own makes them while the change is judged. A few values are not worth
 * a thread. Those of a change that is refused were made for nothing, which is no loss of secrets:
 * only what is open is looked at; secrets are sealed when nothing was refused.
 */
#ifndef EMSA_STORE_MODEL_DIGESTS_H
#define EMSA_STORE_MODEL_DIGESTS_H

#include <pthread.h>
#include <stdbool.h>

#include "store/log/operation.h"
#include "store/model/gather.h"

struct digest {
    const unsigned char *value; /* borrowed from the gather; NULL: there is none, or it was taken */
    size_t size;
    enum operation_kind kind;
    uint8_t salt[SALT_SIZE];
    uint8_t hash[HASH_SIZE];
};

struct digests { /* one of zeros has none, and may be released */
    const struct gather *gather;
    struct digest *list; /* owned; of each wish that the gather had when it began */
    size_t count;
    pthread_t thread;
    bool is_running;
};

/* Begins to make those of all values of the gather, which keeps them until digests_release. Where
 * there is no thread or no memory to be had there are none, and no failure. */
void digests_begin(struct digests *digests, const struct gather *gather);
/* Waits until all are made, and gives that of the wish, where it is of that kind: once, because a
 * salt is used once. Borrowed. NULL: there is none. */
const struct digest *digests_take(struct digests *digests, const struct wish *wish,
                                  enum operation_kind kind);
/* Waits, and frees them. */
void digests_release(struct digests *digests);

#endif
