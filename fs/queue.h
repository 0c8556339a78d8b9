/* What a lane is still to do, in order. No locks: the lane has one. */
#ifndef EMSA_FS_QUEUE_H
#define EMSA_FS_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "fs/message.h"

struct item { /* a message; from malloc */
    struct item *next;
    struct message message;
    uint32_t generation;
    unsigned tries;      /* of one that was refused: how often, and */
    struct timespec due; /* when next */
    size_t size;         /* of the effects that are still to be done */
    unsigned char effects[];
};

struct queue {
    struct item *first, **last;
};

/* Empty. */
void queue_init(struct queue *queue);

/* Takes the item over. */
void queue_put(struct queue *queue, struct item *item);

/* The caller's; NULL: there is none. */
struct item *queue_pop(struct queue *queue);

/* A sweep of a node that is to be swept already covers both: whoever opens and closes a mapped
 * secret asks for one each time, and the lane may be stuck. False: the message is another's. */
bool queue_join(struct queue *queue, const struct message *message, uint32_t generation);

/* Frees a list of items. */
void queue_free(struct item *first);

#endif
