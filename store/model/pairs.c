#include "store/model/pairs.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "store/error.h"

#define MANY 16u /* from so many on a thread is worth its start */

struct share { /* of the work */
    struct wrapped_key *keys;
    size_t count;
    const uint8_t *store_id, *for_public_key;
    int error;
};

static void make_share(struct share *share)
{
    for (size_t i = 0; i < share->count && !share->error; i++) {
        struct recipient owner = share->keys[i].owner;
        share->error =
            keyring_make(share->store_id, &owner, &share->keys[i], share->for_public_key);
    }
}

static void *run(void *arg)
{
    make_share(arg);
    return NULL;
}

/* Signals are for those who wait for them. */
static bool start(pthread_t *thread, struct share *share)
{
    sigset_t all, before;
    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before))
        return false;
    const int failed = pthread_create(thread, NULL, run, share);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return !failed;
}

/* The last half is another thread's, where there can be one. */
static int make_all(struct share *all)
{
    struct share second = *all;
    pthread_t thread;
    second.keys += all->count / 2;
    second.count -= all->count / 2;
    const bool is_shared = all->count >= MANY && start(&thread, &second);
    if (is_shared)
        all->count /= 2;
    make_share(all);
    if (!is_shared)
        return all->error;
    pthread_join(thread, NULL);
    if (!all->error && second.error) /* its text was the thread's */
        return error_set(ERR_INVALID, "a key pair of a service can't be made");
    return all->error;
}

/* The run of the plan's pairs from a step on, as far as they are of its environment. How many. */
static size_t list_owners(struct wrapped_key *keys, const struct plan *plan, size_t from)
{
    const uint32_t environment = plan->steps[from].operation.environment;
    size_t count = 0;
    for (size_t i = from; i < plan->count; i++) {
        const struct operation *operation = &plan->steps[i].operation;
        if (operation->kind != OPERATION_SERVICE_KEY)
            continue;
        if (operation->environment != environment)
            break;
        if (keys)
            keys[count].owner = (struct recipient){.environment = environment,
                                                   .service = operation->service,
                                                   .generation = operation->turn};
        count++;
    }
    return count;
}

int pairs_make(struct pairs *pairs, const struct plan *plan, size_t from,
               const uint8_t store_id[static 16],
               const uint8_t for_public_key[static CRYPTO_KEY_SIZE])
{
    const size_t count = list_owners(NULL, plan, from);
    pairs_release(pairs);
    pairs->keys = calloc(count ? count : 1, sizeof *pairs->keys);
    if (!pairs->keys)
        return error_set(ERR_NOMEM, "no memory for %zu key pairs", count);
    pairs->count = list_owners(pairs->keys, plan, from);
    struct share all = {.keys = pairs->keys,
                        .count = pairs->count,
                        .store_id = store_id,
                        .for_public_key = for_public_key};
    return make_all(&all);
}

void pairs_release(struct pairs *pairs)
{
    free(pairs->keys);
    *pairs = (struct pairs){0};
}
