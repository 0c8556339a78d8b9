/*
 * A store's file as somebody sees it who has LMDB and nothing of emsa's: its records, past all that
 * guards them. Not for a process that has a store open.
 */
#ifndef EMSA_TESTS_TRUST_RECORDS_H
#define EMSA_TESTS_TRUST_RECORDS_H

#include <lmdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/crypto/hash.h"
#include "store/db/env.h"

struct records { /* a file, with one transaction that writes */
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi handles[DB_COUNT];
};

void records_open(struct records *out, const char *folder);
/* What was changed is there afterwards. */
void records_close(struct records *records);

size_t records_count(struct records *, enum database database);

/* The index-th of a database in the order of keys; key and record are copies, the caller's. False:
 * there are fewer. */
bool records_at(struct records *, MDB_val *key, MDB_val *record, enum database database,
                size_t index);
/* The record of a key, a copy. */
bool records_get(struct records *, MDB_val *record, enum database database, const MDB_val *key);
void records_put(struct records *, enum database database, const MDB_val *key,
                 const MDB_val *record);
void records_drop(struct records *, enum database database, const MDB_val *key);
void records_empty(struct records *, enum database database);
/* All records of another file's database, added. */
void records_fill(struct records *, struct records *from, enum database database);

/* Makes the hash at a record's end right: what closes it is known to everybody. */
void records_rehash(MDB_val *record, enum database database, const MDB_val *key);

/* One hash for each database, over all keys and records in their order; the seal of the whole is of
 * a file, and the same records have another one in another. */
struct dump {
    uint8_t hashes[DB_COUNT][BLAKE_SIZE];
};
void records_dump(struct dump *out, const char *folder, bool with_seal);

#endif
