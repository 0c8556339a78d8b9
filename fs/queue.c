#include "fs/queue.h"

#include <stdlib.h>

void queue_init(struct queue *queue)
{
    *queue = (struct queue){.last = &queue->first};
}

void queue_put(struct queue *queue, struct item *item)
{
    item->next = NULL;
    *queue->last = item;
    queue->last = &item->next;
}

struct item *queue_pop(struct queue *queue)
{
    struct item *item = queue->first;
    if (!item)
        return NULL;
    queue->first = item->next;
    if (!queue->first)
        queue->last = &queue->first;
    return item;
}

bool queue_join(struct queue *queue, const struct message *message, uint32_t generation)
{
    struct item *item = message->kind == MESSAGE_SWEEP ? queue->first : NULL;
    while (item && (item->message.kind != MESSAGE_SWEEP || item->message.a != message->a))
        item = item->next;
    if (!item)
        return false;
    item->message = *message;
    item->generation = generation;
    return true;
}

void queue_free(struct item *first)
{
    while (first) {
        struct item *next = first->next;
        free(first);
        first = next;
    }
}
