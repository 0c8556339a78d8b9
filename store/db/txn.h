/*
 * Transactions. The error of a writer sticks: a sequence of puts reads straight and is checked
 * once, by txn_commit or txn_error. Every record carries a hash of its database, key and body,
 * added here on put and checked here on get: a wrong one is ERR_CORRUPT and the environment's alarm
 * (LMDB has no checksums; 43 % of flipped bits were silently wrong data). MDB_* becomes our codes
 * in one table, in env.c.
 *
 * A transaction belongs to one thread. A fault (SIGBUS, SIGSEGV in the map, LMDB's own assertion)
 * in a read is caught and becomes ERR_CORRUPT and an alarm; the reader may go on, and is made anew
 * when it is renewed. A fault in a writer ends all writing in this environment (env_broken): what
 * LMDB had half done is not undone. So does a transaction that this process has not written: none
 * that sees one reads on.
 */
#ifndef EMSA_STORE_DB_TXN_H
#define EMSA_STORE_DB_TXN_H

#include "store/crypto/whole.h"
#include "store/db/env.h"

struct txn;

struct slice { /* borrowed: a body valid until the transaction's next put or delete, or its end */
    const unsigned char *data;
    size_t size;
};

#define TXN_NOT_FOUND 1

/* No record is larger. A damaged size (up to 4 GiB) is refused before anything is read by it. */
#define RECORD_MAX (32u * 1024u * 1024u)

/* A reader, made once for its thread, then renewed and reset. It stands at no revision until
 * renewed. Renewing one that is renewed moves it to the newest. */
int txn_reader_new(struct txn **out, struct env *env);
int txn_renew(struct txn *txn);
void txn_reset(struct txn *txn);

/* What env_stamp named when this reader was renewed, or a little later. */
uint64_t txn_stamp(const struct txn *txn);

/* The one writer. Waits for another thread's write transaction; used by changes only. */
int txn_write_begin(struct txn **out, struct env *env);
/* Durable when it returns 0. Frees the transaction in any case. ERR_FULL, ERR_IO, the sticky error.
 */
int txn_commit(struct txn *txn);
/* Commits a writer's seal with these sums (whole.h), if nothing else is written. */
void txn_seal(struct txn *txn, const struct whole_sums *sums);
/* Ends a writer without effect, or frees a reader. NULL is allowed. */
void txn_free(struct txn *txn);

/* The sticky error of a writer; 0 for a reader, whose failures are each call's own. */
int txn_error(const struct txn *txn);

/* Whether the last call found a record that fails its own hash: of what ERR_CORRUPT stands for, the
 * damage that hides nothing else. */
bool txn_met_damage(const struct txn *txn);

/* 0, TXN_NOT_FOUND, or a failure (also the sticky one). */
int txn_get(struct txn *, struct slice *body, enum database, struct slice key);

/* Key and body must not be borrowed from the same transaction: copy them first. */
void txn_put(struct txn *, enum database, struct slice key, struct slice body);
void txn_append(struct txn *, enum database, struct slice key,
                struct slice body);                             /* key is the greatest */
void txn_delete(struct txn *, enum database, struct slice key); /* absent is no error */

/* The first record whose key is >= (or, strictly, >) key; an empty key is before all. *found is
 * borrowed like a body. A reader keeps cursors (finger.h), so that a walk costs no new descent.
 * TXN_NOT_FOUND past the last. Where only the record is damaged (ERR_CORRUPT), *found is set, *body
 * is empty: a walk can go on. */
int txn_seek(struct txn *, struct slice *found, struct slice *body, enum database, struct slice key,
             bool strictly);
/* The last record whose key is <= key. */
int txn_seek_back(struct txn *, struct slice *found, struct slice *body, enum database,
                  struct slice key);

/* How many records the database has. A failure leaves *count. */
int txn_count(struct txn *, uint64_t *count, enum database);

#endif
