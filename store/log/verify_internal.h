/* What the files of verification share. */
#ifndef EMSA_STORE_LOG_VERIFY_INTERNAL_H
#define EMSA_STORE_LOG_VERIFY_INTERNAL_H

#include <stdarg.h>
#include <stdio.h>

#include "store/db/keys.h"
#include "store/log/commit.h"
#include "store/log/expected.h"
#include "store/verify.h"

struct verify {
    const struct verify_options *options;
    struct verify_report *report;
    uint8_t store_id[STORE_ID_SIZE];
    struct txn *txn; /* owned */
    /* the log's walk */
    uint64_t rev; /* the commit in hand */
    int64_t time; /* its, or the last one's */
    uint8_t previous[HASH_SIZE];
    bool is_barred;    /* damage was met in this snapshot: LMDB may refuse to read on in it */
    bool is_renewed;   /* the snapshot is not the one that this step began with */
    bool has_previous; /* false after a commit whose header is lost */
    struct leaves leaves;
    struct expected expected;
    /* the entries' walk */
    uint32_t environment, service;
    char key[KEY_NAME_MAX + 1];
    bool has_entry;
    /* the walk of what expires */
    struct key last_expiry; /* empty at the beginning */
    /* the records' walk */
    enum database database;
    struct key last;     /* the last record's key; empty at the beginning of a database */
    uint64_t walked;     /* records of this database so far */
    uint64_t walked_rev; /* the newest revision when its walk began */
    /* progress */
    uint64_t done, total;
    bool is_stopped;
};

/* Beside 0 and TXN_NOT_FOUND: a record that could not be read, and was told of. */
#define VERIFY_DAMAGED 2

/* Reports a fault. 0. */
int verify_fault(struct verify *verify, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Passes a look-up's result on; damage becomes a fault and VERIFY_DAMAGED. */
int verify_read(struct verify *verify, int result, const char *what);

/* Begins a new snapshot where damage was met in this one, so that what is whole is still read. The
 * commits in it are the same, what is derived may be newer: so the end of the log is looked for
 * anew (see walk_commits). */
int verify_go_on(struct verify *verify);

/* Checks operation op of the commit in hand and what was derived from it; adds its leaf. Failures
 * only. */
int verify_operation(struct verify *verify, uint32_t op);

/* Reads the record after the last one, whatever is in it. Positive 1: that was all of the last
 * database. */
int verify_next_record(struct verify *verify);

/* Checks the current entry after the last one. Positive 1: there is none. */
int verify_next_entry(struct verify *verify);

/* That the index by moment has the entry, where it expires. Failures only. */
int verify_expiry_of(struct verify *verify, const struct entry *entry);

/* Checks the record after the last one in the index by moment. Positive 1: there is none. */
int verify_next_expiry(struct verify *verify);

#endif
