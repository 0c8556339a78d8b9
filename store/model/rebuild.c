#include "store/rebuild.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/db/keys.h"
#include "store/db/pages.h"
#include "store/db/whole.h"
#include "store/error.h"
#include "store/log/state.h"
#include "store/log/verify.h"
#include "store/model/core.h"
#include "store/model/leak_check.h"
#include "store/model/owner.h"
#include "store/model/pin.h"
#include "store/model/rebuild_compare.h"
#include "store/model/rebuild_files.h"
#include "store/model/replay.h"
#include "store/model/signed_check.h"
#include "store/verify.h"

#define BATCH ((size_t)1 << 20) /* bytes that one transaction adds, about */
#define TRUTHS 4u

struct rebuilding {
    const struct rebuild_options *options;
    struct rebuild_report *report;
    struct identity *identity; /* owned until the keyring has it */
    struct env *old;           /* owned, as are the next four */
    struct txn *from;          /* in it */
    struct store *store;       /* the new one, as far as it goes */
    struct txn *now;           /* a reader in it */
    char folder[PATH_MAX];     /* "": none was made */
    struct replay replay;
    uint64_t records[DB_COUNT]; /* of the truth, in the old file */
};

/* --- what is wrong with the truth --- */

static void tell(void *arg, const char *text)
{
    struct rebuilding *at = arg;
    at->report->faults++;
    if (at->options->fault)
        at->options->fault(at->options->arg, text);
}

static void fault(struct rebuilding *at, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void fault(struct rebuilding *at, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    tell(at, text);
}

static int verdict(const struct rebuilding *at)
{
    if (!at->report->faults)
        return 0;
    return error_set(ERR_CORRUPT,
                     "the log is not whole (%" PRIu64 " faults), and what is derived from it can't "
                     "be made anew: nothing was changed",
                     at->report->faults);
}

/* Damage that ended a step is one fault more. */
static int as_fault(struct rebuilding *at, int error)
{
    if (error != -ERR_CORRUPT)
        return error;
    fault(at, "%s", error_text());
    return verdict(at);
}

/* --- the old file --- */

static int walk_truth(struct rebuilding *at)
{
    int error = 0;
    for (int i = 0; i < DB_COUNT && !error; i++)
        if (database_is_truth((enum database)i))
            error = rebuild_walk(at->from, &at->records[i], (enum database)i, tell, at);
    return error ? error : verdict(at);
}

static int open_old(struct rebuilding *at)
{
    const char *why;
    bool is_endless = false;
    int error = env_open_damaged(&at->old, at->options->path);
    if (!error)
        error = pages_check(at->old, &why, &is_endless);
    if (!error && is_endless) {
        fault(at, "the file: %s: its records cannot be walked", why);
        return verdict(at);
    }
    if (!error)
        error = txn_reader_new(&at->from, at->old);
    return error ? error : txn_renew(at->from);
}

/* The store's id: every commit says it, so that of the first does. What the store says of itself is
 * derived; only that it is of another format counts. */
static int find_id(struct rebuilding *at, uint8_t id[static STORE_ID_SIZE])
{
    struct header header;
    struct slice body;
    struct key key;
    int found = env_has(at->old, DB_META) ? state_store_id(at->from, id) : 0;
    if (found == -ERR_FORMAT)
        return found;
    if (found < 0) /* LMDB bars whoever met a page that is none */
        found = txn_renew(at->from);
    if (!found)
        found = txn_get(at->from, &body, DB_COMMIT, key_commit(&key, 1));
    if (found > 0) {
        fault(at, "commit 1: it is not there");
        return verdict(at);
    }
    if (!found)
        found = header_decode(&header, body);
    if (!found)
        memcpy(id, header.store_id, STORE_ID_SIZE);
    return found;
}

/* --- the new one --- */

static int new_store(struct rebuilding *at, const uint8_t id[static STORE_ID_SIZE])
{
    struct store *store = calloc(1, sizeof *store);
    if (!store)
        return error_set(ERR_NOMEM, "no memory for a store");
    at->store = store;
    store->lock_fd = -1;
    memcpy(store->id, id, STORE_ID_SIZE);
    pthread_mutex_init(&store->writer, NULL);
    store->path = strdup(at->options->path);
    if (!store->path)
        return error_set(ERR_NOMEM, "no memory for a store");
    int error = env_create(at->folder);
    if (!error)
        error = env_open(&store->env, at->folder, NULL, NULL);
    if (!error)
        error = store_keyring(store);
    if (!error && at->identity) {
        keyring_add(store->keyring, at->identity);
        at->identity = NULL;
    }
    return error;
}

/* What a store has before its first commit. */
static void put_beginning(struct txn *txn, const uint8_t id[static STORE_ID_SIZE])
{
    state_put_store_id(txn, id);
    state_put_head(txn, &(struct head){0});
    state_put_counters(txn, &(struct counters){0});
}

/* The next commits in one transaction, as many as it takes well. NOT_THERE: that was all. */
static int replay_batch(struct rebuilding *at)
{
    struct replay *replay = &at->replay;
    size_t size = 0, bytes = 0;
    int result = replay_size(replay, &size);
    if (result)
        return result;
    int error = env_make_room(at->store->env, size > BATCH ? size : BATCH);
    if (!error)
        error = txn_write_begin(&replay->to, at->store->env);
    if (error)
        return error;
    if (!replay->head.rev)
        put_beginning(replay->to, at->store->id);
    while (!error && !result && (!bytes || bytes + size <= BATCH)) {
        error = replay_commit(replay);
        bytes += size;
        if (!error)
            result = replay_size(replay, &size);
    }
    if (!error && result >= 0)
        error = txn_commit(replay->to);
    else
        txn_free(replay->to);
    replay->to = NULL;
    return error ? error : result;
}

static int replay_all(struct rebuilding *at)
{
    int result = 0;
    at->replay = (struct replay){.store = at->store, .from = at->from};
    while (!result)
        result = replay_batch(at);
    at->report->commits = at->report->revision = at->replay.head.rev;
    at->report->operations = at->replay.operations;
    at->report->values = at->replay.values;
    memcpy(at->report->head, at->replay.head.hash, HASH_SIZE);
    return result < 0 ? result : 0;
}

/* --- whether that was all, and is one chain --- */

static void check_count(struct rebuilding *at, enum database database, uint64_t count)
{
    if (at->records[database] != count)
        fault(at,
              "database '%s' has %" PRIu64 " records, and the commits that follow one another have "
              "%" PRIu64 " there",
              database_name(database), at->records[database], count);
}

static int check_whole(struct rebuilding *at)
{
    uint64_t signed_commits = 0;
    int error = txn_count(at->now, &signed_commits, DB_SIGNED);
    if (error)
        return error;
    if (at->records[DB_COMMIT] > at->report->commits)
        fault(at, "commit %" PRIu64 ": it is not there, and others are that came after it",
              at->report->commits + 1);
    check_count(at, DB_LOG, at->report->operations);
    check_count(at, DB_VALUE, at->report->values);
    check_count(at, DB_SIGNED, signed_commits);
    return verdict(at);
}

static int verify_new(struct rebuilding *at)
{
    const struct verify_options options = {.fault = tell, .arg = at};
    struct verify_report report;
    const uint64_t before = at->report->faults;
    int error = verify_log(at->store->env, at->store->id, &options, &report);
    atomic_store(&at->store->revision, at->report->commits);
    if (!error) /* secrets that were signed, or copied by who signed: as far as they can be opened
                 */
        error = signed_check(at->store, &options, &report);
    return at->report->faults > before ? verdict(at) : error;
}

static int compare_pin(struct rebuilding *at)
{
    at->store->pin_fd = at->options->pin_fd;
    const int error = pin_begin(at->store, at->now, false);
    at->store->pin_fd = 0; /* the caller's */
    return error;
}

/* Whoever has the pin may open it at once: it was verified. */
static int seal_new(struct rebuilding *at)
{
    if (at->options->pin_fd <= 0)
        return 0;
    const int error = env_whole_key(at->store->env, at->store->pin_key.data);
    return error ? error : env_whole_seal(at->store->env);
}

/* A head that can be read and is newer tells of commits that are gone; where the pin knows the
 * newest one, it is as wrong as others of what is derived. */
static int check_old_head(struct rebuilding *at)
{
    struct head head;
    if (at->store->had_pin && at->store->pin_was.rev == at->report->revision)
        return 0;
    int found = env_has(at->old, DB_META) ? state_head(at->from, &head) : NOT_THERE;
    if (!found && head.rev > at->report->revision)
        fault(at,
              "the log ends with commit %" PRIu64 ", and the store stood at revision %" PRIu64
              ": the newest commits are not there",
              at->report->revision, head.rev);
    if (found < 0)
        found = found == -ERR_CORRUPT || found == -ERR_FORMAT ? txn_renew(at->from) : found;
    return found < 0 ? found : verdict(at);
}

static int open_new_reader(struct rebuilding *at)
{
    const int error = at->now ? 0 : txn_reader_new(&at->now, at->store->env);
    return error ? error : txn_renew(at->now);
}

/* --- what was wrong --- */

static int compare_tables(struct rebuilding *at)
{
    struct rebuild_report *report = at->report;
    int error = open_new_reader(at);
    for (int i = 0; i < DB_COUNT && !error; i++) {
        const enum database database = (enum database)i;
        struct rebuild_table *table = &report->tables[report->table_count];
        if (database_is_truth(database))
            continue;
        error = rebuild_compare(table, at->from, at->now, database, env_has(at->old, database));
        report->table_count++;
        /* What the guard could not look at is told of by itself. */
        if (database != DB_LEAK || !report->without)
            report->wrong += table->missing + table->changed + table->extra;
    }
    return error;
}

/* --- all of it --- */

static int fill(struct rebuilding *at)
{
    uint8_t id[STORE_ID_SIZE];
    int error = find_id(at, id);
    if (!error)
        error = rebuild_begin(at->folder, at->options->path);
    if (error) {
        at->folder[0] = '\0';
        return error;
    }
    error = new_store(at, id);
    if (!error)
        error = as_fault(at, replay_all(at));
    if (!error)
        error = open_new_reader(at);
    if (!error)
        error = check_whole(at);
    if (!error)
        error = verify_new(at);
    if (!error)
        error = compare_pin(at);
    if (!error)
        error = check_old_head(at);
    if (!error)
        error = leak_make(at->store, &at->report->without);
    if (!error)
        error = seal_new(at);
    return error ? error : compare_tables(at);
}

static void close_all(struct rebuilding *at)
{
    uint64_t file_bytes;
    if (at->store && at->store->env)
        env_usage(at->store->env, &file_bytes, &at->report->used_bytes);
    txn_free(at->from);
    txn_free(at->now);
    env_close(at->old);
    store_close(at->store);
    identity_free(at->identity);
}

static int rebuild(struct rebuilding *at)
{
    int error = open_old(at);
    if (!error)
        error = walk_truth(at);
    if (!error)
        error = fill(at);
    close_all(at);
    if (!at->folder[0])
        return error;
    if (!error)
        return rebuild_finish(at->options->path);
    rebuild_clean(at->options->path);
    return error;
}

int store_rebuild(const struct rebuild_options *options, struct rebuild_report *report)
{
    struct rebuilding at = {.options = options, .report = report, .identity = options->identity};
    *report = (struct rebuild_report){0};
    const int lock = owner_lock(options->path);
    if (lock < 0) {
        identity_free(options->identity);
        return lock;
    }
    const int error = rebuild(&at);
    owner_unlock(lock);
    return error;
}
