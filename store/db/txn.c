#include "store/db/txn.h"

#include <stdlib.h>
#include <string.h>

#include "store/crypto/hash.h"
#include "store/db/guard.h"
#include "store/db/internal.h"
#include "store/db/txn_internal.h"
#include "store/error.h"

static struct slice slice_of(MDB_val val)
{
    return (struct slice){val.mv_data, val.mv_size};
}

int txn_stick(struct txn *txn, int error)
{
    if (txn->is_writer && !txn->error)
        txn->error = error;
    return error;
}

static void unbind(struct txn *txn)
{
    for (int i = 0; i < DB_COUNT; i++)
        hand_unbind(&txn->hands[i]);
}

/* A fault was caught: nothing that LMDB had in its hands is used again. */
static int faulted(struct txn *txn, const char *doing)
{
    txn->is_faulted = true;
    unbind(txn);
    if (txn->is_writer)
        atomic_store(&txn->env->broken, -ERR_CORRUPT);
    int error = txn_stick(txn, env_error(txn->env, GUARD_FAULT, doing));
    env_alarm(txn->env);
    return error;
}

int txn_failed(struct txn *txn, int lmdb, const char *doing)
{
    if (lmdb == GUARD_FAULT)
        return faulted(txn, doing);
    /* LMDB bars whoever met a page out of bounds from going on (MDB_BAD_TXN), and may tell nothing
     * else: damage still, unless a writer failed of something that was told. */
    if (lmdb == MDB_BAD_TXN && !txn->error)
        return txn_stick(
            txn, error_set(ERR_CORRUPT, "%s: damage was met before in this transaction", doing));
    int error = txn_stick(txn, env_error(txn->env, lmdb, doing));
    if (error == -ERR_CORRUPT)
        env_alarm(txn->env);
    return error;
}

#define SHOWN_KEY 24

static int damaged(const struct call *call)
{
    static const char digits[] = "0123456789abcdef";
    char key[2 * SHOWN_KEY + 1];
    const unsigned char *bytes = call->key.mv_data;
    size_t shown = 0;
    for (; shown < SHOWN_KEY && shown < call->key.mv_size; shown++) {
        key[2 * shown] = digits[bytes[shown] >> 4];
        key[2 * shown + 1] = digits[bytes[shown] & 15];
    }
    key[2 * shown] = '\0';
    call->txn->met_damage = true;
    int error = txn_stick(call->txn, error_set(ERR_CORRUPT,
                                               "database '%s': record '%s' does not match its hash",
                                               database_name(call->database), key));
    env_alarm(call->txn->env);
    return error;
}

/* Inside the guard: reads every byte of the record, so that its pages are in memory afterwards. */
static void check_record(struct call *call)
{
    call->is_damaged = !whole_is_right(call->database, call->key, call->data);
    if (!call->is_damaged)
        call->data.mv_size -= RECORD_HASH_SIZE;
}

/* LMDB takes the number of the newest transaction from its table in memory, which nobody else
 * writes; another process has left its own in the file's head. */
static int note_newest(struct txn *txn, int failed)
{
    MDB_envinfo info;
    if (!failed)
        failed = mdb_env_info(txn->env->mdb, &info);
    if (!failed)
        txn->newest = info.me_last_txnid;
    return failed;
}

static bool is_foreign(const struct txn *txn)
{
    return txn->newest > atomic_load(&txn->env->written);
}

static int reader_begin(void *arg)
{
    struct txn *txn = arg;
    return note_newest(txn, mdb_txn_begin(txn->env->mdb, NULL, MDB_RDONLY, &txn->mdb));
}

static int reader_renew(void *arg)
{
    struct txn *txn = arg;
    if (txn->is_live)
        mdb_txn_reset(txn->mdb);
    return note_newest(txn, mdb_txn_renew(txn->mdb));
}

static int drop(void *arg)
{
    struct txn *txn = arg;
    for (int i = 0; i < DB_COUNT; i++)
        hand_release(&txn->hands[i]);
    if (txn->mdb)
        mdb_txn_abort(txn->mdb);
    txn->mdb = NULL;
    memset(txn->tails, 0, sizeof(txn->tails));
    return 0;
}

int txn_reader_new(struct txn **out, struct env *env)
{
    struct txn *txn = calloc(1, sizeof(*txn));
    if (!txn)
        return error_set(ERR_NOMEM, "cannot get memory for a reader");
    txn->env = env;
    int failed = guard_call(reader_begin, txn);
    if (failed) {
        int error = txn_failed(txn, failed, "cannot begin reading");
        guard_call(drop, txn); /* it began, and then its number could not be had */
        free(txn);
        return error;
    }
    mdb_txn_reset(txn->mdb);
    *out = txn;
    return 0;
}

static int renew_once(struct txn *txn)
{
    int failed;
    if (txn->is_faulted || !txn->mdb) {
        guard_call(drop, txn);
        txn->is_faulted = false;
        failed = guard_call(reader_begin, txn);
    } else {
        failed = guard_call(reader_renew, txn);
    }
    txn->is_live = failed == 0;
    return failed;
}

/*
 * LMDB has two meta pages, which commits write in turn. A reader that begins takes the number of
 * the newest commit first and copies the meta page of that number's parity after it, and nothing
 * keeps the second next commit from overwriting that very page in between: the reader then has a
 * commit that isn't announced yet, so the next may show an older one, or half of one meta page and
 * half of the other, and finds damage where there is none. (Measured on a busy machine: one run in
 * thirty of store_concurrency_test.) A commit that overwrites the page begins only when the one
 * between has ended, so a reader that saw no commit end has copied a page at rest.
 */
int txn_renew(struct txn *txn)
{
    unbind(txn);
    uint64_t commits;
    int failed;
    do {
        commits = atomic_load(&txn->env->commits);
        failed = renew_once(txn);
        atomic_thread_fence(memory_order_acquire);
    } while (!failed && commits != atomic_load(&txn->env->commits));
    if (!failed && !is_foreign(txn))
        return 0;
    int error = failed ? txn_failed(txn, failed, "cannot begin reading") : env_foreign(txn->env);
    guard_call(drop, txn);
    txn->is_live = false;
    return error;
}

void txn_reset(struct txn *txn)
{
    if (txn->is_live && txn->mdb)
        mdb_txn_reset(txn->mdb);
    txn->is_live = false;
}

uint64_t txn_stamp(const struct txn *txn)
{
    return txn->is_live && !txn->is_faulted ? mdb_txn_id(txn->mdb) : 0;
}

static int writer_begin(void *arg)
{
    struct txn *txn = arg;
    return note_newest(txn, mdb_txn_begin(txn->env->mdb, NULL, 0, &txn->mdb));
}

static int refuse_broken(const struct env *env)
{
    int broken = env_broken(env);
    if (!broken)
        return 0;
    return error_set((enum error_code) - broken,
                     "the store can't be written since an earlier failure: "
                     "open it anew (restart the server)");
}

int txn_write_begin(struct txn **out, struct env *env)
{
    int error = refuse_broken(env);
    if (error)
        return error;
    struct txn *txn = calloc(1, sizeof(*txn));
    if (!txn)
        return error_set(ERR_NOMEM, "cannot get memory for a change");
    txn->env = env;
    txn->is_writer = true;
    pthread_mutex_lock(&env->writer);
    error = refuse_broken(env); /* the writer that was waited for may have broken it */
    if (!error) {
        int failed = guard_call(writer_begin, txn);
        if (failed)
            error = txn_failed(txn, failed, "cannot begin a change");
        else if (is_foreign(txn))
            error = env_foreign(env);
        whole_begin(&txn->whole, &env->whole);
    }
    if (error) {
        guard_call(drop, txn);
        pthread_mutex_unlock(&env->writer);
        free(txn);
        return error;
    }
    *out = txn;
    return 0;
}

void txn_seal(struct txn *txn, const struct whole_sums *sums)
{
    if (txn->whole.state == WHOLE_OFF)
        return;
    txn->whole.state = WHOLE_SEALED;
    txn->whole.sums = *sums;
    txn->whole.has_written = true;
}

static int writer_seal(void *arg)
{
    struct txn *txn = arg;
    return whole_write(&txn->whole, txn->mdb, txn->env->handles[DB_META]);
}

static int writer_commit(void *arg)
{
    struct txn *txn = arg;
    return mdb_txn_commit(txn->mdb);
}

/* LMDB says why a commit failed, but not that nothing works from now on: its next call does. */
static void ask_for_panic(struct env *env)
{
    MDB_txn *probe;
    int failed = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &probe);
    if (failed == MDB_PANIC)
        atomic_store(&env->broken, -ERR_IO);
    if (!failed)
        mdb_txn_abort(probe);
}

int txn_commit(struct txn *txn)
{
    struct env *env = txn->env;
    int failed = txn->error ? 0 : guard_call(writer_seal, txn);
    if (failed)
        txn_failed(txn, failed, "cannot write the seal of the store");
    if (txn->error) {
        int error = txn->error;
        txn_free(txn);
        return error;
    }
    memset(txn->tails, 0, sizeof(txn->tails)); /* LMDB frees them */
    const uint64_t before = atomic_load(&env->written);
    atomic_store(&env->written, mdb_txn_id(txn->mdb)); /* before any reader can see it */
    failed = guard_call(writer_commit, txn);
    atomic_fetch_add(&env->commits, 1);
    if (failed != GUARD_FAULT)
        txn->mdb = NULL; /* LMDB has freed it, whatever it says */
    int error = failed ? txn_failed(txn, failed, "cannot commit") : 0;
    if (failed && failed != GUARD_FAULT)
        ask_for_panic(env);
    if (!failed)
        whole_end(&env->whole, &txn->whole);
    else if (!env_broken(env))
        atomic_store(&env->written, before);
    txn_free(txn);
    return error;
}

void txn_free(struct txn *txn)
{
    if (!txn)
        return;
    /* A torn writer stays as it is: its parts may be in no state to be freed. */
    if (!txn->is_writer || !txn->is_faulted)
        guard_call(drop, txn);
    if (txn->is_writer)
        pthread_mutex_unlock(&txn->env->writer);
    free(txn);
}

int txn_error(const struct txn *txn)
{
    return txn->error;
}

bool txn_met_damage(const struct txn *txn)
{
    return txn->met_damage;
}

int txn_refuse(struct txn *txn)
{
    txn->met_damage = false;
    if (txn->error)
        return txn->error;
    if (!txn->is_writer && !txn->is_live)
        return error_set(ERR_IO, "a reader was used that was not renewed");
    return 0;
}

static int take_finger(struct call *call, MDB_cursor **out)
{
    return hand_take(&call->txn->hands[call->database], out, call->txn->mdb, handle_of(call));
}

static int get_as_writer(struct call *call)
{
    return mdb_get(call->txn->mdb, handle_of(call), &call->key, &call->data);
}

static int get_as_reader(struct call *call)
{
    MDB_cursor *cursor;
    const int failed = take_finger(call, &cursor);
    return failed ? failed : mdb_cursor_get(cursor, &call->key, &call->data, MDB_SET);
}

static int do_get(void *arg)
{
    struct call *call = arg;
    const int failed = call->txn->is_writer ? get_as_writer(call) : get_as_reader(call);
    if (!failed)
        check_record(call);
    return failed;
}

int txn_get(struct txn *txn, struct slice *body, enum database database, struct slice key)
{
    int error = txn_refuse(txn);
    if (error)
        return error;
    struct call call = {.txn = txn, .database = database, .key = val(key)};
    int failed = guard_call(do_get, &call);
    if (failed == MDB_NOTFOUND)
        return TXN_NOT_FOUND;
    if (failed)
        return txn_failed(txn, failed, "cannot read");
    if (call.is_damaged)
        return damaged(&call);
    *body = slice_of(call.data);
    return 0;
}

/* A cursor for the call: a reader's own. A writer's is made for each call: LMDB moves the cursors
 * of a writer when pages split, and not always right. */
static int take_cursor(struct call *call, MDB_cursor **out)
{
    MDB_stat stat;
    if (!call->txn->is_writer)
        return take_finger(call, out);
    const int failed = mdb_stat(call->txn->mdb, handle_of(call), &stat); /* as finger.c's */
    return failed ? failed : mdb_cursor_open(call->txn->mdb, handle_of(call), out);
}

static void give_cursor(struct call *call, MDB_cursor *cursor)
{
    if (call->txn->is_writer)
        mdb_cursor_close(cursor);
}

static int compare(MDB_val found, struct slice wanted)
{
    size_t least = found.mv_size < wanted.size ? found.mv_size : wanted.size;
    int order = least ? memcmp(found.mv_data, wanted.data, least) : 0;
    if (order)
        return order;
    return found.mv_size < wanted.size ? -1 : found.mv_size > wanted.size;
}

static int move_forward(MDB_cursor *cursor, struct call *call)
{
    if (call->wanted.size == 0)
        return mdb_cursor_get(cursor, &call->key, &call->data, MDB_FIRST);
    call->key = val(call->wanted);
    int failed = mdb_cursor_get(cursor, &call->key, &call->data, MDB_SET_RANGE);
    if (!failed && call->strictly && compare(call->key, call->wanted) == 0)
        failed = mdb_cursor_get(cursor, &call->key, &call->data, MDB_NEXT);
    return failed;
}

static int step_forward(struct call *call)
{
    MDB_cursor *cursor = call->strictly && !call->txn->is_writer
                             ? hand_at(&call->txn->hands[call->database], call->wanted)
                             : NULL;
    if (cursor)
        return mdb_cursor_get(cursor, &call->key, &call->data, MDB_NEXT);
    int failed = take_cursor(call, &cursor);
    if (failed)
        return failed;
    failed = move_forward(cursor, call);
    give_cursor(call, cursor);
    return failed;
}

static int do_seek(void *arg)
{
    struct call *call = arg;
    const int failed = step_forward(call);
    if (failed)
        return failed;
    /* A walk over a damaged tree must come to an end: it only ever goes forward. */
    int order = compare(call->key, call->wanted);
    if (order < 0 || (order == 0 && call->strictly && call->wanted.size > 0))
        return MDB_CORRUPTED;
    check_record(call);
    return 0;
}

static int do_seek_back(void *arg)
{
    struct call *call = arg;
    MDB_cursor *cursor;
    int failed = take_cursor(call, &cursor);
    if (failed)
        return failed;
    call->key = val(call->wanted);
    failed = mdb_cursor_get(cursor, &call->key, &call->data, MDB_SET_RANGE);
    if (failed == MDB_NOTFOUND)
        failed = mdb_cursor_get(cursor, &call->key, &call->data, MDB_LAST);
    else if (!failed && compare(call->key, call->wanted) > 0)
        failed = mdb_cursor_get(cursor, &call->key, &call->data, MDB_PREV);
    give_cursor(call, cursor);
    if (failed)
        return failed;
    if (compare(call->key, call->wanted) > 0)
        return MDB_CORRUPTED;
    check_record(call);
    return 0;
}

static int seek(struct call *call, int (*work)(void *), struct slice *found, struct slice *body)
{
    int error = txn_refuse(call->txn);
    if (error)
        return error;
    int failed = guard_call(work, call);
    if (failed == MDB_NOTFOUND)
        return TXN_NOT_FOUND;
    if (failed)
        return txn_failed(call->txn, failed, "cannot read on");
    *found = slice_of(call->key);
    *body = call->is_damaged ? (struct slice){NULL, 0} : slice_of(call->data);
    return call->is_damaged ? damaged(call) : 0;
}

int txn_seek(struct txn *txn, struct slice *found, struct slice *body, enum database database,
             struct slice key, bool strictly)
{
    struct call call = {.txn = txn, .database = database, .wanted = key, .strictly = strictly};
    return seek(&call, do_seek, found, body);
}

int txn_seek_back(struct txn *txn, struct slice *found, struct slice *body, enum database database,
                  struct slice key)
{
    struct call call = {.txn = txn, .database = database, .wanted = key};
    if (key.size == 0)
        return TXN_NOT_FOUND;
    return seek(&call, do_seek_back, found, body);
}

static int do_count(void *arg)
{
    struct call *call = arg;
    MDB_stat stat;
    int failed = mdb_stat(call->txn->mdb, call->txn->env->handles[call->database], &stat);
    call->data.mv_size = stat.ms_entries;
    return failed;
}

int txn_count(struct txn *txn, uint64_t *count, enum database database)
{
    struct call call = {.txn = txn, .database = database};
    int error = txn_refuse(txn);
    if (error)
        return error;
    int failed = guard_call(do_count, &call);
    if (failed)
        return txn_failed(txn, failed, "cannot count");
    *count = call.data.mv_size;
    return 0;
}
