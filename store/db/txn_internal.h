/* What txn.c and txn_write.c share and nobody else sees. */
#ifndef EMSA_STORE_DB_TXN_INTERNAL_H
#define EMSA_STORE_DB_TXN_INTERNAL_H

#include "store/db/finger.h"
#include "store/db/internal.h"
#include "store/db/tail.h"
#include "store/db/txn.h"

struct txn {
    struct env *env;
    MDB_txn *mdb; /* NULL: none (a reader whose last try to begin failed) */
    bool is_writer;
    uint64_t newest; /* what the file's head said when it began */
    bool is_live;    /* reader: renewed and not reset */
    bool is_faulted; /* reader: made anew at the next renewal; writer: never given back to LMDB */
    bool met_damage; /* in the last call: see txn_met_damage */
    int error;       /* sticky; writers only */
    struct hand hands[DB_COUNT]; /* a reader's only */
    struct tail tails[DB_COUNT]; /* a writer's only */
    struct whole_hand whole;     /* a writer's only */
};

/* What one guarded piece of work gets and gives. */
struct call {
    struct txn *txn;
    enum database database;
    MDB_val key, data; /* given, then found */
    struct slice wanted;
    bool strictly;
    unsigned flags;
    bool is_damaged; /* found, and not what was written */
};

static inline MDB_val val(struct slice slice)
{
    /* LMDB's type has no const; it doesn't write through it. */
    union {
        const void *given;
        void *taken;
    } pointer = {.given = slice.data};
    return (MDB_val){.mv_size = slice.size, .mv_data = pointer.taken};
}

static inline MDB_dbi handle_of(const struct call *call)
{
    return call->txn->env->handles[call->database];
}

/* Keeps a writer's first failure. The failure. */
int txn_stick(struct txn *txn, int error);
/* What LMDB returned as a failure of ours, kept and told of. */
int txn_failed(struct txn *txn, int lmdb, const char *doing);
/* What keeps a call from being made at all. */
int txn_refuse(struct txn *txn);

#endif
