/* A derived record: its format byte, then fields. Made on the stack, read where it lies. */
#ifndef EMSA_STORE_LOG_RECORD_H
#define EMSA_STORE_LOG_RECORD_H

#include "store/bytes.h"
#include "store/codec.h"
#include "store/db/txn.h"

#define STATE_RECORD_MAX 512 /* none is larger, so none that is being made ever grows */

struct record {
    unsigned char room[STATE_RECORD_MAX];
    struct bytes bytes;
};

/* Begins a record with its format byte; the fields are put into what is returned. */
struct bytes *record_begin(struct record *record);
struct slice record_body(const struct record *record);

/* A decoder at the first field. ERR_FORMAT: of another format, which is refused, never guessed;
 * ERR_CORRUPT: empty. what is for the message. */
int record_open(struct decoder *in, struct slice body, const char *what);

/* txn_get and record_open in one. */
int record_get(struct txn *txn, struct decoder *in, enum database database, struct slice key,
               const char *what);

#endif
