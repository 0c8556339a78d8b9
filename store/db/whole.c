#include "store/db/whole.h"

#include <string.h>

#include "store/db/internal.h"
#include "store/db/txn.h"
#include "store/error.h"

int env_whole_key(struct env *env, const uint8_t key[static WHOLE_KEY_SIZE])
{
    struct whole *whole = &env->whole;
    const int error = whole->keys ? 0 : secret_alloc(&whole->memory, sizeof(struct whole_keys));
    if (error)
        return error;
    whole->keys = (struct whole_keys *)(void *)whole->memory.data;
    whole->state = WHOLE_UNSURE;
    whole_keys_derive(whole->keys, key);
    return 0;
}

enum whole_state env_whole_state(struct env *env)
{
    pthread_mutex_lock(&env->writer);
    const enum whole_state state = env->whole.state;
    pthread_mutex_unlock(&env->writer);
    return state;
}

void env_whole_trust(struct env *env, const struct whole_finding *finding)
{
    env->whole.sums = finding->sums;
    env->whole.state = WHOLE_SEALED;
}

int env_whole_seal(struct env *env)
{
    struct whole_finding finding;
    struct txn *txn;
    int error = txn_write_begin(&txn, env); /* nobody writes while it is looked */
    if (error)
        return error;
    error = env_whole_look(env, &finding, true);
    if (!error && !finding.is_sound)
        error = error_set(ERR_CORRUPT, "%s", finding.unsound);
    if (!error && finding.damaged)
        error = error_set(ERR_CORRUPT, "a record does not match its hash");
    if (error) {
        txn_free(txn);
        return error;
    }
    txn_seal(txn, &finding.sums);
    return txn_commit(txn);
}

/* --- in a transaction --- */

void whole_begin(struct whole_hand *hand, const struct whole *whole)
{
    *hand = (struct whole_hand){.keys = whole->keys, .state = whole->state, .sums = whole->sums};
}

bool whole_is_right(enum database database, MDB_val key, MDB_val record)
{
    uint8_t hash[RECORD_HASH_SIZE];
    const unsigned char *data = record.mv_data;
    if (record.mv_size < RECORD_HASH_SIZE || record.mv_size - RECORD_HASH_SIZE > RECORD_MAX)
        return false;
    const size_t size = record.mv_size - RECORD_HASH_SIZE;
    hash_record(hash, database_name(database), key.mv_data, key.mv_size, data, size);
    return memcmp(hash, data + size, RECORD_HASH_SIZE) == 0;
}

/* What a record that was damaged had added is not known any more. */
static void take_record(struct whole_hand *hand, enum database database, MDB_val key,
                        MDB_val record)
{
    if (whole_is_right(database, key, record))
        whole_take(&hand->sums.records,
                   whole_record(hand->keys, (const unsigned char *)record.mv_data + record.mv_size -
                                                RECORD_HASH_SIZE));
    else
        hand->state = WHOLE_UNSURE;
}

void whole_came(struct whole_hand *hand, enum database database, MDB_val key,
                const uint8_t hash[static RECORD_HASH_SIZE])
{
    if (hand->state != WHOLE_SEALED)
        return;
    whole_add(&hand->sums.names,
              whole_name(hand->keys, database_name(database), key.mv_data, key.mv_size));
    whole_add(&hand->sums.records, whole_record(hand->keys, hash));
}

void whole_leaves(struct whole_hand *hand, enum database database, MDB_val key, MDB_val record)
{
    whole_take(&hand->sums.names,
               whole_name(hand->keys, database_name(database), key.mv_data, key.mv_size));
    take_record(hand, database, key, record);
}

void whole_replaces(struct whole_hand *hand, enum database database, MDB_val key, MDB_val record,
                    const uint8_t hash[static RECORD_HASH_SIZE])
{
    take_record(hand, database, key, record);
    whole_add(&hand->sums.records, whole_record(hand->keys, hash));
}

/* LMDB's type has no const; it doesn't write there. */
static char seal_name[] = "whole", head_name[] = "head";

MDB_val whole_seal_key(void)
{
    return (MDB_val){.mv_data = seal_name, .mv_size = strlen(seal_name)};
}

MDB_val whole_head_key(void)
{
    return (MDB_val){.mv_data = head_name, .mv_size = strlen(head_name)};
}

static int drop_seal(MDB_txn *txn, MDB_dbi meta)
{
    MDB_val key = whole_seal_key();
    const int failed = mdb_del(txn, meta, &key, NULL);
    return failed == MDB_NOTFOUND ? 0 : failed;
}

int whole_read_head(uint8_t out[static RECORD_HASH_SIZE], MDB_txn *txn, MDB_dbi meta)
{
    MDB_val record, key = whole_head_key();
    const int failed = mdb_get(txn, meta, &key, &record);
    memset(out, 0, RECORD_HASH_SIZE);
    if (!failed && record.mv_size >= RECORD_HASH_SIZE)
        memcpy(out, (const unsigned char *)record.mv_data + record.mv_size - RECORD_HASH_SIZE,
               RECORD_HASH_SIZE);
    return failed == MDB_NOTFOUND ? 0 : failed;
}

int whole_write(const struct whole_hand *hand, MDB_txn *txn, MDB_dbi meta)
{
    static const struct whole_sums none;
    uint8_t made[WHOLE_BODY_SIZE + RECORD_HASH_SIZE], head[RECORD_HASH_SIZE];
    uint8_t *nonce = made + 2, *id = nonce + WHOLE_NONCE_SIZE, *sums = id + WHOLE_ID_SIZE;
    if (!hand->has_written)
        return 0;
    if (hand->state == WHOLE_OFF)
        return drop_seal(txn, meta);
    const bool is_sealed = hand->state == WHOLE_SEALED;
    const int failed = whole_read_head(head, txn, meta);
    if (failed)
        return failed;
    made[0] = WHOLE_FORMAT;
    made[1] = is_sealed ? WHOLE_KIND_SUMS : WHOLE_KIND_UNSURE;
    random_bytes(nonce, WHOLE_NONCE_SIZE);
    memcpy(id, hand->keys->id, WHOLE_ID_SIZE);
    whole_hide(sums, hand->keys, is_sealed ? &hand->sums : &none, made[1], nonce, head);
    MDB_val key = whole_seal_key();
    hash_record(made + WHOLE_BODY_SIZE, database_name(DB_META), key.mv_data, key.mv_size, made,
                WHOLE_BODY_SIZE);
    MDB_val record = {.mv_data = made, .mv_size = sizeof made};
    return mdb_put(txn, meta, &key, &record, 0);
}

void whole_end(struct whole *whole, const struct whole_hand *hand)
{
    whole->state = hand->state;
    whole->sums = hand->sums;
}
