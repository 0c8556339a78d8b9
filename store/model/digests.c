#include "store/model/digests.h"

#include <stdlib.h>
#include <string.h>

#include "store/crypto/hash.h"
#include "store/limits.h"
#include "store/worker.h"

#define MANY 64u  /* from so many on a thread is worth its start */
#define SALTS 64u /* drawn at a time: each draw is a call of the kernel's */

static void make(struct digest *digest, struct bytes *body)
{
    bytes_reset(body);
    value_head_encode(body, digest->kind, digest->salt);
    bytes_append(body, digest->value, digest->size);
    if (body->error)
        digest->value = NULL;
    else
        value_digest(digest->hash, (struct slice){body->data, body->size});
}

static void *run(void *arg)
{
    struct digests *digests = arg;
    struct bytes body = BYTES_INIT(VALUE_HEAD_SIZE + (size_t)VALUE_MAX);
    uint8_t salts[SALTS][SALT_SIZE];
    for (size_t i = 0; i < digests->count; i++) {
        struct digest *digest = &digests->list[i];
        if (i % SALTS == 0)
            random_bytes(salts, sizeof salts);
        memcpy(digest->salt, salts[i % SALTS], SALT_SIZE);
        if (digest->value)
            make(digest, &body);
    }
    bytes_release(&body);
    return NULL;
}

void digests_begin(struct digests *digests, const struct gather *gather)
{
    *digests = (struct digests){.gather = gather};
    if (gather->count < MANY || gather->seed.data) /* they are there already */
        return;
    digests->list = calloc(gather->count, sizeof *digests->list);
    if (!digests->list)
        return;
    for (size_t i = 0; i < gather->count; i++) {
        const struct wish *wish = &gather->wishes[i];
        digests->list[i] = (struct digest){.value = wish->value, .size = wish->size};
        if (wish->value)
            digests->list[i].kind = operation_value_kind(wish->kind);
    }
    digests->count = gather->count;
    digests->is_running = worker_start(&digests->thread, run, digests);
    if (!digests->is_running)
        digests->count = 0;
}

static void wait_for_all(struct digests *digests)
{
    if (digests->is_running)
        pthread_join(digests->thread, NULL);
    digests->is_running = false;
}

const struct digest *digests_take(struct digests *digests, const struct wish *wish,
                                  enum operation_kind kind)
{
    /* A wish that came out of another stands elsewhere, and has none. */
    const uintptr_t first = (uintptr_t)digests->gather->wishes, at = (uintptr_t)wish;
    const size_t index = (at - first) / sizeof *wish;
    wait_for_all(digests);
    if (at < first || index >= digests->count)
        return NULL;
    struct digest *digest = &digests->list[index];
    if (!digest->value || digest->kind != kind)
        return NULL;
    digest->value = NULL;
    return digest;
}

void digests_release(struct digests *digests)
{
    wait_for_all(digests);
    free(digests->list);
    *digests = (struct digests){0};
}
