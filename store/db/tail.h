/*
 * Writing at the end of a database. A load brings records in the order of their keys: then a cursor
 * that stays at the end takes each one without a look for its place, and pages are filled where
 * splits in the middle would leave each of them half empty. Whether records come so is found out by
 * trying, now and then; a change of a few tries nothing.
 *
 * LMDB moves the cursors of a writer when pages split, and not always right. This one is only ever
 * moved by its own writes: whoever writes or deletes by another way leaves it first. It ends with
 * its transaction, which frees it.
 */
#ifndef EMSA_STORE_DB_TAIL_H
#define EMSA_STORE_DB_TAIL_H

#include <lmdb.h>
#include <stdbool.h>

struct tail {           /* of one database in one write transaction; all zeros: the beginning */
    MDB_cursor *cursor; /* at the last record, or NULL */
    unsigned puts;      /* since the last that belonged elsewhere */
    unsigned misses;
};

/* True: it was tried, and *failed is what LMDB said; room is as of mdb_put with MDB_RESERVE. False:
 * it does not belong to the end, or it is not worth a try; nothing is done, and the cursor is left.
 * flags: MDB_APPEND where it must belong there. */
bool tail_put(struct tail *tail, MDB_txn *txn, MDB_dbi handle, MDB_val *key, MDB_val *room,
              unsigned flags, int *failed);

void tail_leave(struct tail *tail);

#endif
