#include "tests/integration/trust/records.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/store/trial.h"

#define MAP_SIZE ((size_t)1 << 30)

#define MUST_LMDB(call)                                                                            \
    do {                                                                                           \
        int lmdb_result = (call);                                                                  \
        MUST(lmdb_result == 0, "%s", mdb_strerror(lmdb_result));                                   \
    } while (0)

static void open_with(struct records *out, const char *folder, unsigned flags)
{
    MUST_LMDB(mdb_env_create(&out->env));
    MUST_LMDB(mdb_env_set_maxdbs(out->env, DB_COUNT));
    MUST_LMDB(mdb_env_set_mapsize(out->env, MAP_SIZE));
    /* No disk is waited for: whoever edits a file has time, and a test has not. */
    MUST_LMDB(mdb_env_open(out->env, folder, MDB_NOLOCK | MDB_NOSYNC | flags, 0600));
    MUST_LMDB(mdb_txn_begin(out->env, NULL, flags & MDB_RDONLY, &out->txn));
    for (unsigned i = 0; i < DB_COUNT; i++)
        MUST_LMDB(mdb_dbi_open(out->txn, database_name((enum database)i), 0, &out->handles[i]));
}

void records_open(struct records *out, const char *folder)
{
    open_with(out, folder, 0);
}

void records_close(struct records *records)
{
    MUST_LMDB(mdb_txn_commit(records->txn));
    mdb_env_close(records->env);
}

size_t records_count(struct records *records, enum database database)
{
    MDB_stat stat;
    MUST_LMDB(mdb_stat(records->txn, records->handles[database], &stat));
    return stat.ms_entries;
}

static MDB_val copy(const MDB_val *from)
{
    MDB_val made = {.mv_size = from->mv_size, .mv_data = malloc(from->mv_size + 1)};
    MUST(made.mv_data, "no memory");
    memcpy(made.mv_data, from->mv_data, from->mv_size);
    return made;
}

bool records_at(struct records *records, MDB_val *key, MDB_val *record, enum database database,
                size_t index)
{
    MDB_cursor *cursor;
    MDB_val found, body;
    int result = 0;
    MUST_LMDB(mdb_cursor_open(records->txn, records->handles[database], &cursor));
    for (size_t i = 0; i <= index && !result; i++)
        result = mdb_cursor_get(cursor, &found, &body, MDB_NEXT);
    if (!result) {
        *key = copy(&found);
        *record = copy(&body);
    }
    mdb_cursor_close(cursor);
    return !result;
}

bool records_get(struct records *records, MDB_val *record, enum database database,
                 const MDB_val *key)
{
    MDB_val body, name = *key;
    if (mdb_get(records->txn, records->handles[database], &name, &body))
        return false;
    *record = copy(&body);
    return true;
}

void records_put(struct records *records, enum database database, const MDB_val *key,
                 const MDB_val *record)
{
    MDB_val name = *key, body = *record;
    MUST_LMDB(mdb_put(records->txn, records->handles[database], &name, &body, 0));
}

void records_drop(struct records *records, enum database database, const MDB_val *key)
{
    MDB_val name = *key;
    MUST_LMDB(mdb_del(records->txn, records->handles[database], &name, NULL));
}

void records_empty(struct records *records, enum database database)
{
    MUST_LMDB(mdb_drop(records->txn, records->handles[database], 0));
}

void records_fill(struct records *records, struct records *from, enum database database)
{
    MDB_cursor *cursor;
    MDB_val key, record;
    MUST_LMDB(mdb_cursor_open(from->txn, from->handles[database], &cursor));
    while (!mdb_cursor_get(cursor, &key, &record, MDB_NEXT))
        records_put(records, database, &key, &record);
    mdb_cursor_close(cursor);
}

void records_rehash(MDB_val *record, enum database database, const MDB_val *key)
{
    unsigned char *bytes = record->mv_data;
    if (record->mv_size < RECORD_HASH_SIZE)
        return;
    const size_t body = record->mv_size - RECORD_HASH_SIZE;
    hash_record(bytes + body, database_name(database), key->mv_data, key->mv_size, bytes, body);
}

static bool is_seal(enum database database, const MDB_val *key)
{
    return database == DB_META && key->mv_size == 5 && memcmp(key->mv_data, "whole", 5) == 0;
}

static void dump_one(struct records *records, uint8_t out[static BLAKE_SIZE],
                     enum database database, bool with_seal)
{
    MDB_cursor *cursor;
    MDB_val key, record;
    struct hasher hasher;
    int result;
    hasher_begin(&hasher, database_name(database));
    MUST_LMDB(mdb_cursor_open(records->txn, records->handles[database], &cursor));
    while (!(result = mdb_cursor_get(cursor, &key, &record, MDB_NEXT))) {
        if (!with_seal && is_seal(database, &key))
            continue;
        hasher_add(&hasher, key.mv_data, key.mv_size);
        hasher_add(&hasher, record.mv_data, record.mv_size);
    }
    MUST(result == MDB_NOTFOUND, "%s", mdb_strerror(result));
    mdb_cursor_close(cursor);
    hasher_end(&hasher, out);
}

void records_dump(struct dump *out, const char *folder, bool with_seal)
{
    struct records records;
    MUST_DO(crypto_setup());
    open_with(&records, folder, MDB_RDONLY);
    for (unsigned i = 0; i < DB_COUNT; i++)
        dump_one(&records, out->hashes[i], (enum database)i, with_seal);
    mdb_txn_abort(records.txn);
    mdb_env_close(records.env);
}
