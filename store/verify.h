/* Proof that a store is what was written: every commit's hash and parent, every operation, every
 * value against its salted hash, and everything derived against the log. In bounded steps, each in
 * its own snapshot, so that it may run beside readers and writers. */
#ifndef EMSA_STORE_VERIFY_H
#define EMSA_STORE_VERIFY_H

#include <stdbool.h>

#include "store/store.h"

struct verify_report {
    uint64_t commits, operations, values, derived; /* checked */
    uint64_t faults;                               /* found */
    uint64_t damaged; /* of those: records that fail their own hash, and say so to who reads them */
    bool is_endless;  /* the file cannot be walked: nothing else could be looked at */
};

struct verify_options {
    /* One line for each fault found, e.g. "commit 41: operation 3: value does not match its hash".
     */
    void (*fault)(void *arg, const char *text);
    /* How far: done of total; may be NULL. Returns nonzero to stop. */
    int (*progress)(void *arg, uint64_t done, uint64_t total);
    void *arg;
};

/* 0 when all is well; ERR_CORRUPT when faults were found (all were reported); ERR_IO, ERR_NOMEM. */
int verify_store(struct store *store, const struct verify_options *options,
                 struct verify_report *report);

#endif
