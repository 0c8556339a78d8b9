#include "store/model/pairs.h"

#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/worker.h"

#define MANY 16u /* from so many on a thread is worth its start */

/* The next one that nobody makes; NULL: there is none left. Called with the lock held. */
static struct pair *claim(struct pairs *pairs)
{
    return pairs->begun < pairs->count ? &pairs->list[pairs->begun++] : NULL;
}

/* Called with the lock held, which is given away meanwhile. */
static void make(struct pairs *pairs, struct pair *pair)
{
    struct recipient owner = pair->key.owner;
    pthread_mutex_unlock(&pairs->lock);
    const int error = keyring_make(pairs->store_id, &owner, &pair->key, pairs->for_public_key);
    pthread_mutex_lock(&pairs->lock);
    pair->is_made = true;
    pairs->has_failed |= error != 0;
    pthread_cond_signal(&pairs->made);
}

static void *run(void *arg)
{
    struct pairs *pairs = arg;
    struct pair *pair;
    pthread_mutex_lock(&pairs->lock);
    while (!pairs->has_failed && (pair = claim(pairs)))
        make(pairs, pair);
    pthread_mutex_unlock(&pairs->lock);
    return NULL;
}

/* The run of the plan's pairs from a step on, as far as they are of its environment. How many. */
static size_t list_owners(struct pair *list, const struct plan *plan, size_t from)
{
    const uint32_t environment = plan->steps[from].operation.environment;
    size_t count = 0;
    for (size_t i = from; i < plan->count; i++) {
        const struct operation *operation = &plan->steps[i].operation;
        if (operation->kind != OPERATION_SERVICE_KEY || !operation->turn)
            continue; /* a later generation is made with its grants (seal.c) */
        if (operation->environment != environment)
            break;
        if (list)
            list[count].key.owner = (struct recipient){.environment = environment,
                                                       .service = operation->service,
                                                       .generation = operation->turn};
        count++;
    }
    return count;
}

int pairs_begin(struct pairs *pairs, const struct plan *plan, size_t from,
                const uint8_t store_id[static 16],
                const uint8_t for_public_key[static CRYPTO_KEY_SIZE])
{
    const size_t count = list_owners(NULL, plan, from);
    pairs_release(pairs);
    pairs->list = calloc(count ? count : 1, sizeof *pairs->list);
    if (!pairs->list)
        return error_set(ERR_NOMEM, "no memory for %zu key pairs", count);
    pairs->count = list_owners(pairs->list, plan, from);
    pairs->store_id = store_id;
    memcpy(pairs->for_public_key, for_public_key, CRYPTO_KEY_SIZE);
    pthread_mutex_init(&pairs->lock, NULL);
    pthread_cond_init(&pairs->made, NULL);
    pairs->is_running = count >= MANY && worker_start(&pairs->thread, run, pairs);
    return 0;
}

bool pairs_left(const struct pairs *pairs)
{
    return pairs->next < pairs->count;
}

int pairs_next(struct pairs *pairs, struct wrapped_key *out)
{
    struct pair *wanted = &pairs->list[pairs->next++], *pair;
    pthread_mutex_lock(&pairs->lock);
    while (!wanted->is_made) {
        pair = claim(pairs);
        if (pair)
            make(pairs, pair);
        else
            pthread_cond_wait(&pairs->made, &pairs->lock);
    }
    const bool has_failed = pairs->has_failed;
    pthread_mutex_unlock(&pairs->lock);
    if (has_failed) /* its text may be the thread's */
        return error_set(ERR_INVALID, "a key pair of a service can't be made");
    *out = wanted->key;
    return 0;
}

void pairs_release(struct pairs *pairs)
{
    if (pairs->list) {
        pthread_mutex_lock(&pairs->lock);
        pairs->begun = pairs->count;
        pthread_mutex_unlock(&pairs->lock);
        if (pairs->is_running)
            pthread_join(pairs->thread, NULL);
        pthread_cond_destroy(&pairs->made);
        pthread_mutex_destroy(&pairs->lock);
    }
    free(pairs->list);
    *pairs = (struct pairs){0};
}
