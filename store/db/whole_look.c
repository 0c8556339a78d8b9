/*
 * One look at every record. It is a walk, by which each is met in the order of keys; and because a
 * damaged page on the way down can hide from a look-up what a walk shows, the first and the last
 * record of every page are looked up too, and must be the very ones that were walked over. Between
 * those two each comparison on the way down comes out the same for whatever lies between them, so
 * that all of the page is found; what a key that isn't there leads to follows from its neighbours.
 *
 * What no walk shows is that a page which is in use is free, too (pages.h).
 *
 * All of it is in guards, so that no damage brings the process down.
 */
#include "store/db/whole.h"

#include <stdio.h>
#include <string.h>

#include "store/db/guard.h"
#include "store/db/internal.h"
#include "store/db/pages.h"
#include "store/db/txn.h"
#include "store/error.h"

#define KEY_MAX 511u     /* of LMDB */
#define EXPLAINED_MAX 10 /* damaged records whose sums are tried in all ways: 2^10 */

struct looking {
    struct env *env;
    struct whole_finding *out;
    const struct whole_keys *keys; /* or NULL */
    MDB_txn *txn;
    MDB_cursor *walk;
    enum database database;
    MDB_val last, last_record; /* the one before, of this database */
    uintptr_t page;            /* that it is on */
    uint64_t walked;           /* of this database */
    struct whole_sums sums, claimed;
    /* of damaged records: what the sum lacks if it was the hash beside the body that was hit */
    struct whole_sum shifts[EXPLAINED_MAX];
};

static void unsound(struct looking *looking, const char *why)
{
    struct whole_finding *out = looking->out;
    if (out->is_sound)
        (void)snprintf(out->unsound, sizeof out->unsound, "database '%s': %s",
                       database_name(looking->database), why);
    out->is_sound = false;
}

static uintptr_t page_of(const struct looking *looking, MDB_val key)
{
    return (uintptr_t)key.mv_data / looking->env->page;
}

/* That who looks for the key, from the root, finds that very record. */
static int probe(struct looking *looking, MDB_val key, MDB_val record)
{
    MDB_val found = {0};
    const int failed =
        mdb_get(looking->txn, looking->env->handles[looking->database], &key, &found);
    if (failed && failed != MDB_NOTFOUND)
        return failed;
    if (failed || found.mv_data != record.mv_data)
        unsound(looking, "a record is not found by its key");
    return 0;
}

static bool is_after(MDB_val key, MDB_val before)
{
    const size_t least = key.mv_size < before.mv_size ? key.mv_size : before.mv_size;
    const int order = memcmp(key.mv_data, before.mv_data, least);
    return order > 0 || (order == 0 && key.mv_size > before.mv_size);
}

static const uint8_t *tail_of(MDB_val record)
{
    return (const uint8_t *)record.mv_data + record.mv_size - RECORD_HASH_SIZE;
}

static void note_damaged(struct looking *looking, MDB_val key, MDB_val record)
{
    struct whole_finding *out = looking->out;
    uint8_t hash[RECORD_HASH_SIZE];
    out->is_log_damaged |= looking->database == DB_META || looking->database == DB_COMMIT ||
                           looking->database == DB_LOG;
    if (looking->keys && record.mv_size >= RECORD_HASH_SIZE &&
        record.mv_size - RECORD_HASH_SIZE <= RECORD_MAX && out->damaged < EXPLAINED_MAX) {
        struct whole_sum *shift = &looking->shifts[out->damaged];
        hash_record(hash, database_name(looking->database), key.mv_data, key.mv_size,
                    record.mv_data, record.mv_size - RECORD_HASH_SIZE);
        *shift = whole_record(looking->keys, hash);
        whole_take(shift, whole_record(looking->keys, tail_of(record)));
    }
    out->damaged++;
}

static bool is_seal(const struct looking *looking, MDB_val key)
{
    const MDB_val seal = whole_seal_key();
    return looking->database == DB_META && key.mv_size == seal.mv_size &&
           memcmp(key.mv_data, seal.mv_data, key.mv_size) == 0;
}

static void read_seal(struct looking *looking, MDB_val key, MDB_val record)
{
    struct whole_finding *out = looking->out;
    const uint8_t *body = record.mv_data, *nonce = body + 2, *id = nonce + WHOLE_NONCE_SIZE;
    uint8_t head[RECORD_HASH_SIZE];
    static const struct whole_sums none;
    if (!whole_is_right(looking->database, key, record)) {
        out->seal = SEAL_DAMAGED;
        return;
    }
    out->seal = SEAL_OTHERS;
    if (!looking->keys || record.mv_size != WHOLE_BODY_SIZE + RECORD_HASH_SIZE ||
        body[0] != WHOLE_FORMAT || memcmp(id, looking->keys->id, WHOLE_ID_SIZE) != 0)
        return;
    out->seal = SEAL_OWN;
    if (whole_read_head(head, looking->txn, looking->env->handles[DB_META]))
        return;
    whole_show(&looking->claimed, looking->keys, id + WHOLE_ID_SIZE, body[1], nonce, head);
    out->is_unsure = body[1] == WHOLE_KIND_UNSURE &&
                     whole_equal(looking->claimed.names, none.names) &&
                     whole_equal(looking->claimed.records, none.records);
    if (body[1] != WHOLE_KIND_SUMS)
        looking->claimed = (struct whole_sums){{1, 0}, {1, 0}}; /* agrees with nothing */
}

static void look_at(struct looking *looking, MDB_val key, MDB_val record)
{
    looking->out->records++;
    if (is_seal(looking, key)) {
        read_seal(looking, key, record);
        return;
    }
    if (!whole_is_right(looking->database, key, record))
        note_damaged(looking, key, record);
    if (!looking->keys)
        return;
    whole_add(&looking->sums.names, whole_name(looking->keys, database_name(looking->database),
                                               key.mv_data, key.mv_size));
    if (record.mv_size >= RECORD_HASH_SIZE)
        whole_add(&looking->sums.records, whole_record(looking->keys, tail_of(record)));
}

/* From one page to the next. */
static int turn(struct looking *looking, MDB_val key, MDB_val record)
{
    const int failed = looking->walked ? probe(looking, looking->last, looking->last_record) : 0;
    looking->page = page_of(looking, key);
    return failed ? failed : probe(looking, key, record);
}

static int walk(struct looking *looking)
{
    MDB_val key, record;
    int failed;
    while ((failed = mdb_cursor_get(looking->walk, &key, &record, MDB_NEXT)) == 0) {
        if (!key.mv_size || key.mv_size > KEY_MAX || record.mv_size > RECORD_MAX + RECORD_HASH_SIZE)
            return MDB_CORRUPTED;
        if (looking->walked && !is_after(key, looking->last)) {
            unsound(looking, "its records are out of order"); /* and may have no end */
            return 0;
        }
        if (!looking->walked || page_of(looking, key) != looking->page)
            failed = turn(looking, key, record);
        if (failed)
            return failed;
        look_at(looking, key, record);
        looking->last = key;
        looking->last_record = record;
        looking->walked++;
    }
    if (failed == MDB_NOTFOUND && looking->walked)
        return probe(looking, looking->last, looking->last_record);
    return failed == MDB_NOTFOUND ? 0 : failed;
}

static int look_at_database(void *arg)
{
    struct looking *looking = arg;
    const MDB_dbi handle = looking->env->handles[looking->database];
    MDB_stat stat;
    unsigned flags = 0;
    int failed = mdb_stat(looking->txn, handle, &stat);
    if (!failed)
        failed = mdb_dbi_flags(looking->txn, handle, &flags);
    if (!failed)
        failed = mdb_cursor_open(looking->txn, handle, &looking->walk);
    if (!failed)
        failed = walk(looking);
    if (!failed && (flags || stat.ms_entries != looking->walked))
        unsound(looking, "it does not have as many records as it says");
    return failed;
}

static int begin(void *arg)
{
    struct looking *looking = arg;
    return mdb_txn_begin(looking->env->mdb, NULL, MDB_RDONLY, &looking->txn);
}

static int close_cursor(void *arg)
{
    struct looking *looking = arg;
    if (looking->walk)
        mdb_cursor_close(looking->walk);
    looking->walk = NULL;
    return 0;
}

static int end(void *arg)
{
    struct looking *looking = arg;
    if (looking->txn)
        mdb_txn_abort(looking->txn);
    return 0;
}

static int look(struct looking *looking)
{
    int failed = 0;
    for (int i = 0; i < DB_COUNT && looking->out->is_sound; i++) {
        looking->database = (enum database)i;
        looking->walked = 0;
        looking->page = 0;
        failed = guard_call(look_at_database, looking);
        guard_call(close_cursor, looking);
        if (!failed)
            continue;
        const int error = env_error(looking->env, failed, "its tree is damaged");
        if (error != -ERR_CORRUPT && failed != MDB_BAD_TXN)
            return error;
        unsound(looking, error_text());
    }
    return 0;
}

/* Of each damaged record either the hash that it bears is the one that was written, or the one that
 * its body has; where they are few, all ways are tried. */
static bool is_explained(const struct looking *looking)
{
    const uint64_t damaged = looking->out->damaged;
    if (damaged > EXPLAINED_MAX)
        return false;
    for (unsigned way = 0; way < 1u << damaged; way++) {
        struct whole_sum sum = looking->sums.records;
        for (unsigned i = 0; i < damaged; i++)
            if (way & 1u << i)
                whole_add(&sum, looking->shifts[i]);
        if (whole_equal(sum, looking->claimed.records))
            return true;
    }
    return false;
}

static void judge(struct looking *looking)
{
    struct whole_finding *out = looking->out;
    out->sums = looking->sums;
    if (!out->is_sound || out->seal != SEAL_OWN || out->is_unsure)
        return;
    out->names_agree = whole_equal(looking->sums.names, looking->claimed.names);
    out->records_agree = is_explained(looking);
    if (out->names_agree && out->records_agree)
        out->sums = looking->claimed;
}

/* What a walk doesn't show, and the next transaction would go by; and what no walk comes out of. */
static int look_at_pages(struct looking *looking)
{
    const char *why;
    bool is_endless;
    const int error = pages_check(looking->env, &why, &is_endless);
    if (!error && why) {
        (void)snprintf(looking->out->unsound, sizeof looking->out->unsound, "the file: %s", why);
        looking->out->is_sound = false;
    }
    return error;
}

int env_whole_look(struct env *env, struct whole_finding *out)
{
    struct looking looking = {.env = env, .out = out, .keys = env->whole.keys};
    *out = (struct whole_finding){.is_sound = true};
    int error = look_at_pages(&looking);
    if (error || !out->is_sound)
        return error;
    int failed = guard_call(begin, &looking);
    if (failed) {
        error = env_error(env, failed, "cannot begin reading");
        if (error != -ERR_CORRUPT)
            return error;
        unsound(&looking, error_text());
        return 0;
    }
    error = look(&looking);
    guard_call(end, &looking);
    if (!error)
        judge(&looking);
    return error;
}

/* The seal alone. */
static int find_seal(void *arg)
{
    struct looking *looking = arg;
    MDB_val key = whole_seal_key(), record;
    looking->database = DB_META;
    const int failed = mdb_get(looking->txn, looking->env->handles[DB_META], &key, &record);
    if (!failed)
        read_seal(looking, key, record);
    return failed == MDB_NOTFOUND ? 0 : failed;
}

bool env_whole_resume(struct env *env)
{
    struct whole_finding finding = {.is_sound = true};
    struct looking looking = {
        .env = env, .out = &finding, .keys = env->whole.keys, .claimed = {{1, 0}, {1, 0}}};
    int failed = guard_call(begin, &looking);
    if (!failed) {
        failed = guard_call(find_seal, &looking);
        guard_call(end, &looking);
    }
    if (failed || finding.seal != SEAL_OWN || finding.is_unsure)
        return false;
    finding.sums = looking.claimed;
    env_whole_trust(env, &finding);
    return true;
}
