/* The inside of whole.h: for whole*.c and txn.c. */
#ifndef EMSA_STORE_DB_WHOLE_INTERNAL_H
#define EMSA_STORE_DB_WHOLE_INTERNAL_H

#include <lmdb.h>

#include "store/db/whole.h"
#include "store/secret.h"

struct whole {               /* an environment's; guarded by env->writer */
    struct secret memory;    /* of keys; empty: none */
    struct whole_keys *keys; /* in it, or NULL */
    enum whole_state state;  /* as of the last commit: */
    struct whole_sums sums;
};

struct whole_hand { /* a write transaction's */
    const struct whole_keys *keys;
    enum whole_state state;
    struct whole_sums sums;
    bool has_written;
};

/* format u8, kind u8, nonce, id, sums */
#define WHOLE_BODY_SIZE (2u + WHOLE_NONCE_SIZE + WHOLE_ID_SIZE + WHOLE_SUMS_SIZE)
#define WHOLE_FORMAT 1u
enum { WHOLE_KIND_SUMS = 1, WHOLE_KIND_UNSURE = 2 };

void whole_begin(struct whole_hand *hand, const struct whole *whole);

/* A record was put where there was none, put in place of another, taken away. Records are with
 * their hashes. */
void whole_came(struct whole_hand *hand, enum database database, MDB_val key,
                const uint8_t hash[static RECORD_HASH_SIZE]);
void whole_leaves(struct whole_hand *hand, enum database database, MDB_val key, MDB_val record);
void whole_replaces(struct whole_hand *hand, enum database database, MDB_val key, MDB_val record,
                    const uint8_t hash[static RECORD_HASH_SIZE]);

/* Whether a record bears the hash of its place and body. */
bool whole_is_right(enum database database, MDB_val key, MDB_val record);

/* The keys of the seal and of the head, in meta. */
MDB_val whole_seal_key(void);
MDB_val whole_head_key(void);

/* The hash that closes the record of the head; zeros where there is none. LMDB's result. */
int whole_read_head(uint8_t out[static RECORD_HASH_SIZE], MDB_txn *txn, MDB_dbi meta);

/* Writes the seal, or takes it away, where anything was written. LMDB's result; inside a guard. */
int whole_write(const struct whole_hand *hand, MDB_txn *txn, MDB_dbi meta);

/* The transaction is durable. */
void whole_end(struct whole *whole, const struct whole_hand *hand);

#endif
