/*
 * A log applied anew to a store that has nothing yet: what is derived from each commit is written
 * by the code that wrote it when the commit was made (index, settle), so there is one code that
 * derives. What then needed a key (whether a value came to the same) stands in the operations.
 */
#ifndef EMSA_STORE_MODEL_REPLAY_H
#define EMSA_STORE_MODEL_REPLAY_H

#include "store/log/commit.h"
#include "store/model/core.h"

struct replay {
    struct store *store; /* that is filled; borrowed */
    struct txn *from;    /* a reader of the log; borrowed */
    struct txn *to;      /* the write transaction; the caller's */
    /* What came of it so far. */
    struct head head; /* of the commit that was replayed last */
    uint64_t operations, values;
};

/* How much the next commit adds, about: bytes for env_make_room. NOT_THERE: there is no next one;
 * ERR_CORRUPT: its header is none. */
int replay_size(struct replay *, size_t *bytes);

/* Copies the next commit (its header, operations, values and what was signed) as it is, and writes
 * what is derived from it. That the records are what was written is asked here, that they are one
 * chain is not: that is for who verifies what came of it. NOT_THERE as above; ERR_CORRUPT, with the
 * commit named: a record is damaged or missing, or does not fit what came before. The sticky error
 * of the transaction. */
int replay_commit(struct replay *);

#endif
