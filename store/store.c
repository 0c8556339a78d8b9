#include "store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/error.h"
#include "store/log/state.h"
#include "store/log/verify.h"
#include "store/model/core.h"
#include "store/model/leak_check.h"
#include "store/model/lost.h"
#include "store/model/owner.h"
#include "store/model/pin.h"
#include "store/model/rebuild_files.h"
#include "store/model/signed_check.h"
#include "store/model/whole.h"
#include "store/verify.h"

static int source_public_key(void *context, struct recipient *owner)
{
    return state_pair(context, owner);
}

static int source_wrapped(void *context, struct wrapped_key *out)
{
    return state_wrapped_key(context, out);
}

static int source_next_wrap(void *context, struct value_wrap *at)
{
    return state_next_value_wrap(context, at);
}

int store_lock(const char *path)
{
    return owner_lock(path);
}

void store_sign(int lock_fd, pid_t pid)
{
    owner_sign(lock_fd, pid);
}

/* Reads something in a transaction of its own. */
static int in_reader(struct store *store, int (*read)(void *arg, struct txn *), void *arg)
{
    struct txn *txn;
    int result = txn_reader_new(&txn, store->env);
    if (result)
        return result;
    result = txn_renew(txn);
    if (!result) {
        result = read(arg, txn);
        txn_reset(txn);
    }
    txn_free(txn);
    return result;
}

struct opening {
    struct store *store;
    bool accepts_head;
};

static int read_start(void *arg, struct txn *txn)
{
    struct store *store = arg;
    struct head head;
    int error = state_store_id(txn, store->id);
    if (!error)
        error = state_head(txn, &head);
    if (!error)
        atomic_store(&store->revision, head.rev);
    return error;
}

static int compare_pin(void *arg, struct txn *txn)
{
    const struct opening *opening = arg;
    return pin_begin(opening->store, txn, opening->accepts_head);
}

int store_keyring(struct store *store)
{
    static const struct keyring_source source = {source_public_key, source_wrapped,
                                                 source_next_wrap};
    return keyring_new(&store->keyring, store->id, &source);
}

static int open_parts(struct store *store, const struct store_options *options)
{
    store->path = strdup(options->path);
    if (!store->path)
        return error_set(ERR_NOMEM, "no memory for a store");
    if (options->lock_fd < 0) {
        store->lock_fd = owner_lock(options->path);
        if (store->lock_fd < 0)
            return store->lock_fd;
        store->own_lock = true;
    }
    rebuild_clean(options->path);
    int error = env_open(&store->env, options->path, options->alarm, options->alarm_arg);
    if (!error)
        error = in_reader(store, read_start, store);
    if (!error)
        error = in_reader(store, compare_pin, &(struct opening){store, options->accepts_head});
    if (!error)
        error = store_keyring(store);
    if (!error)
        error =
            whole_open(store, options->is_examined || options->accepts_head, options->is_continued);
    return error;
}

int store_open(struct store **out, const struct store_options *options)
{
    struct store *store = calloc(1, sizeof *store);
    if (!store) {
        if (options->pin_fd > 0)
            close(options->pin_fd);
        return error_set(ERR_NOMEM, "no memory for a store");
    }
    store->lock_fd = -1;
    store->pin_fd = options->pin_fd;
    store->accepts_head = options->accepts_head;
    store->alarm = options->alarm;
    store->alarm_arg = options->alarm_arg;
    pthread_mutex_init(&store->writer, NULL);
    const int error = open_parts(store, options);
    if (error) {
        store_close(store);
        return error;
    }
    *out = store;
    return 0;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    const int saved = errno;
    keyring_free(store->keyring);
    env_close(store->env);
    secret_release(&store->pin_key);
    if (store->own_lock)
        owner_unlock(store->lock_fd);
    if (store->pin_fd > 0)
        close(store->pin_fd);
    pthread_mutex_destroy(&store->writer);
    free(store->path);
    free(store);
    errno = saved;
}

struct unlocking {
    uint8_t public_key[CRYPTO_KEY_SIZE];
    uint8_t signing_key[CRYPTO_KEY_SIZE];
};

static int read_grant(void *arg, struct txn *txn)
{
    struct unlocking *unlocking = arg;
    struct identity_state identity;
    int found = state_identity(txn, &identity, unlocking->public_key);
    if (found > 0) {
        const int lost = lost_founder(txn, unlocking->public_key);
        if (lost)
            return lost < 0 ? lost
                            : error_set(ERR_CORRUPT, "the record of this store's own identity is "
                                                     "gone: 'emsa verify' tells more");
    }
    return found > 0
               ? error_set(ERR_NO_KEY, "this identity has no grant in this store: it was made "
                                       "for another one")
               : found;
}

int store_unlock(struct store *store, struct identity *identity)
{
    struct unlocking unlocking;
    const uint64_t alarms = env_alarms(store->env);
    identity_keys(identity, unlocking.public_key, unlocking.signing_key);
    const int error = in_reader(store, read_grant, &unlocking);
    if (error) {
        identity_free(identity);
        return store_damage(store, alarms, error);
    }
    keyring_add(store->keyring, identity);
    return 0;
}

bool store_unlocked(const struct store *store)
{
    return keyring_has_identity(store->keyring);
}

uint64_t store_revision(const struct store *store)
{
    return atomic_load_explicit(&store->revision, memory_order_acquire);
}

const uint8_t *store_id(const struct store *store)
{
    return store->id;
}

const char *store_path(const struct store *store)
{
    return store->path;
}

int store_broken(const struct store *store)
{
    return env_broken(store->env);
}

static int read_status(void *arg, struct txn *txn)
{
    struct store_status *out = arg;
    struct head head;
    struct counters counters;
    struct expiry first = {0};
    uint64_t expiring = 0;
    int error = state_head(txn, &head);
    if (!error)
        error = state_counters(txn, &counters);
    if (!error)
        error = txn_count(txn, &expiring, DB_EXPIRY);
    if (!error)
        error = state_next_expiry(txn, &first, NULL);
    if (error < 0)
        return error;
    out->expiring = expiring;
    out->next_expiry = first.moment;
    out->revision = head.rev;
    memcpy(out->head, head.hash, HASH_SIZE);
    out->environments = counters.environments;
    out->services = counters.services;
    out->entries = counters.entries;
    return 0;
}

int store_status(struct store *store, struct store_status *out)
{
    struct store_status status = {0};
    const uint64_t alarms = env_alarms(store->env);
    const int error = in_reader(store, read_status, &status);
    if (error)
        return store_damage(store, alarms, error);
    env_usage(store->env, &status.file_bytes, &status.used_bytes);
    status.alarms = env_alarms(store->env) + atomic_load(&store->alarms);
    *out = status;
    return 0;
}

int store_damage(struct store *store, uint64_t alarms_before, int error)
{
    if (error != -ERR_CORRUPT || env_alarms(store->env) != alarms_before)
        return error;
    atomic_fetch_add(&store->alarms, 1);
    if (store->alarm)
        store->alarm(store->alarm_arg, error_text());
    return error;
}

int verify_store(struct store *store, const struct verify_options *options,
                 struct verify_report *report)
{
    const int verdict = verify_log(store->env, store->id, options, report);
    if (verdict && verdict != -ERR_CORRUPT)
        return verdict;
    if (report->is_endless)
        return verdict;
    int error = leak_check(store, options, report);
    if (!error)
        error = signed_check(store, options, report);
    /* What speaks against the store where it was opened all the same, to be looked at. A head that
     * is accepted is accepted with its seal, not with a tree that hides what is in it. */
    if (!error && store->whole_difference[0] && (store->whole_is_unsound || !store->accepts_head)) {
        report->faults++;
        if (options->fault)
            options->fault(options->arg, store->whole_difference);
    }
    if (error || !report->faults)
        return error;
    return error_set(ERR_CORRUPT, "%llu faults in the store", (unsigned long long)report->faults);
}

int store_scrub(struct store *store, uint64_t *left)
{
    const uint64_t alarms = env_alarms(store->env);
    const int error = env_scrub(store->env, true, left);
    atomic_store(&store->scrub_left, error || *left);
    return store_damage(store, alarms, error);
}
