/* What a writer puts and takes away, and the sums of the whole with it. */
#include <string.h>

#include "store/crypto/hash.h"
#include "store/db/guard.h"
#include "store/db/txn_internal.h"
#include "store/error.h"

/* One that is there already is met on the way down, so that its part is taken out of the sums. */
static int put_somewhere(struct call *call, MDB_val *room,
                         const uint8_t hash[static RECORD_HASH_SIZE])
{
    struct txn *txn = call->txn;
    const size_t size = room->mv_size;
    const unsigned flags = call->flags | MDB_RESERVE;
    if (txn->whole.state != WHOLE_SEALED)
        return mdb_put(txn->mdb, handle_of(call), &call->key, room, flags);
    int failed = mdb_put(txn->mdb, handle_of(call), &call->key, room, flags | MDB_NOOVERWRITE);
    if (!failed)
        whole_came(&txn->whole, call->database, call->key, hash);
    if (failed != MDB_KEYEXIST || (flags & MDB_APPEND))
        return failed;
    whole_replaces(&txn->whole, call->database, call->key, *room, hash);
    room->mv_size = size;
    return mdb_put(txn->mdb, handle_of(call), &call->key, room, flags);
}

static int do_put(void *arg)
{
    struct call *call = arg;
    struct slice body = call->wanted;
    MDB_val room = {.mv_size = body.size + RECORD_HASH_SIZE};
    uint8_t hash[RECORD_HASH_SIZE];
    hash_record(hash, database_name(call->database), call->key.mv_data, call->key.mv_size,
                body.data, body.size);
    struct txn *txn = call->txn;
    int failed;
    if (tail_put(&txn->tails[call->database], txn->mdb, handle_of(call), &call->key, &room,
                 call->flags, &failed)) {
        if (!failed)
            whole_came(&txn->whole, call->database, call->key, hash);
    } else {
        failed = put_somewhere(call, &room, hash);
    }
    if (failed)
        return failed;
    txn->whole.has_written = true;
    unsigned char *place = room.mv_data;
    if (body.size > 0)
        memcpy(place, body.data, body.size);
    memcpy(place + body.size, hash, sizeof(hash));
    return 0;
}

static void put(struct txn *txn, enum database database, struct slice key, struct slice body,
                unsigned flags)
{
    if (txn_refuse(txn))
        return;
    if (body.size > RECORD_MAX) {
        txn_stick(txn, error_set(ERR_INVALID, "a record of %zu bytes, at most %u are allowed",
                                 body.size, RECORD_MAX));
        return;
    }
    struct call call = {
        .txn = txn, .database = database, .key = val(key), .wanted = body, .flags = flags};
    int failed = guard_call(do_put, &call);
    if (failed)
        txn_failed(txn, failed, "cannot write");
}

void txn_put(struct txn *txn, enum database database, struct slice key, struct slice body)
{
    put(txn, database, key, body, 0);
}

void txn_append(struct txn *txn, enum database database, struct slice key, struct slice body)
{
    put(txn, database, key, body, MDB_APPEND);
}

static int do_delete(void *arg)
{
    struct call *call = arg;
    struct txn *txn = call->txn;
    int failed = 0;
    tail_leave(&txn->tails[call->database]);
    if (txn->whole.state == WHOLE_SEALED)
        failed = mdb_get(txn->mdb, handle_of(call), &call->key, &call->data);
    if (!failed && txn->whole.state == WHOLE_SEALED)
        whole_leaves(&txn->whole, call->database, call->key, call->data);
    txn->whole.has_written |= !failed;
    return failed ? failed : mdb_del(txn->mdb, handle_of(call), &call->key, NULL);
}

void txn_delete(struct txn *txn, enum database database, struct slice key)
{
    if (txn_refuse(txn))
        return;
    struct call call = {.txn = txn, .database = database, .key = val(key)};
    int failed = guard_call(do_delete, &call);
    if (failed && failed != MDB_NOTFOUND)
        txn_failed(txn, failed, "cannot delete");
}
