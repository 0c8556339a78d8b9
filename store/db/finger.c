#include "store/db/finger.h"

#include <string.h>

static int bind_to(struct finger *finger, MDB_txn *txn, MDB_dbi handle)
{
    MDB_stat stat;
    if (finger->is_bound)
        return 0;
    /* Reads the database's own record first, which may fault: a fault inside mdb_cursor_open would
     * lose the memory that it got. */
    int failed = mdb_stat(txn, handle, &stat);
    if (!failed)
        failed = finger->cursor ? mdb_cursor_renew(txn, finger->cursor)
                                : mdb_cursor_open(txn, handle, &finger->cursor);
    finger->is_bound = failed == 0;
    return failed;
}

int hand_take(struct hand *hand, MDB_cursor **out, MDB_txn *txn, MDB_dbi handle)
{
    const unsigned at = (hand->latest + 1) % FINGERS;
    struct finger *finger = &hand->fingers[at];
    const int failed = bind_to(finger, txn, handle);
    if (failed)
        return failed;
    hand->latest = at;
    *out = finger->cursor;
    return 0;
}

static bool stands_at(const struct finger *finger, struct slice wanted)
{
    MDB_val key, data;
    return finger->is_bound && mdb_cursor_get(finger->cursor, &key, &data, MDB_GET_CURRENT) == 0 &&
           key.mv_size == wanted.size && memcmp(key.mv_data, wanted.data, wanted.size) == 0;
}

MDB_cursor *hand_at(struct hand *hand, struct slice key)
{
    for (unsigned i = 0; i < FINGERS; i++) {
        const unsigned at = (hand->latest + i) % FINGERS;
        if (!stands_at(&hand->fingers[at], key))
            continue;
        hand->latest = at;
        return hand->fingers[at].cursor;
    }
    return NULL;
}

void hand_unbind(struct hand *hand)
{
    for (unsigned i = 0; i < FINGERS; i++)
        hand->fingers[i].is_bound = false;
}

void hand_release(struct hand *hand)
{
    for (unsigned i = 0; i < FINGERS; i++)
        if (hand->fingers[i].cursor)
            mdb_cursor_close(hand->fingers[i].cursor);
    *hand = (struct hand){.latest = 0};
}
