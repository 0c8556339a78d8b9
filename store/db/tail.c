#include "store/db/tail.h"

#include <stddef.h>

#define FEW 16u /* puts before the first try */
#define MISSES_MAX 16u

/* After each record that belonged elsewhere twice as many go by before the next try. */
static bool is_worth_a_try(const struct tail *tail)
{
    return tail->puts > FEW << tail->misses;
}

bool tail_put(struct tail *tail, MDB_txn *txn, MDB_dbi handle, MDB_val *key, MDB_val *room,
              unsigned flags, int *failed)
{
    tail->puts++;
    if (!is_worth_a_try(tail))
        return false;
    *failed = tail->cursor ? 0 : mdb_cursor_open(txn, handle, &tail->cursor);
    if (*failed)
        return true;
    *failed = mdb_cursor_put(tail->cursor, key, room, MDB_APPEND | MDB_RESERVE);
    if (*failed != MDB_KEYEXIST || (flags & MDB_APPEND))
        return true;
    tail_leave(tail);
    tail->puts = 0;
    if (tail->misses < MISSES_MAX)
        tail->misses++;
    return false;
}

void tail_leave(struct tail *tail)
{
    if (tail->cursor)
        mdb_cursor_close(tail->cursor);
    tail->cursor = NULL;
}
