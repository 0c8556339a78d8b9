/*
 * Where a reader is in a database: two cursors that are kept. What goes on where one of them stands
 * goes on with that one; anything else takes the one that was used longer ago. So two places that
 * are walked or looked up side by side don't take the cursor from each other, and whoever asks in
 * the order of keys finds most of them on the page that a cursor is at already, without a descent
 * from the root.
 *
 * All of it is called inside of a guard. Results are LMDB's.
 */
#ifndef EMSA_STORE_DB_FINGER_H
#define EMSA_STORE_DB_FINGER_H

#include <lmdb.h>
#include <stdbool.h>

#include "store/db/txn.h"

#define FINGERS 2

struct finger {
    MDB_cursor *cursor; /* NULL: not opened yet */
    bool is_bound;      /* to the transaction as it was renewed last */
};

struct hand { /* of one database in one reader; all zeros: the beginning */
    struct finger fingers[FINGERS];
    unsigned latest; /* the one that was used last */
};

/* The cursor that was used longest ago, wherever it stands; the hand keeps it. */
int hand_take(struct hand *hand, MDB_cursor **out, MDB_txn *txn, MDB_dbi handle);

/* The cursor that stands at that key, from where the next record is one step away; NULL: none. */
MDB_cursor *hand_at(struct hand *hand, struct slice key);

/* The transaction is renewed, or was torn: the cursors are bound anew before they are used. */
void hand_unbind(struct hand *hand);

/* Closes the cursors. */
void hand_release(struct hand *hand);

#endif
