/*
 * Everything that is derived from a store's log, made anew (`emsa verify --rebuild`). The truth are
 * commits, operations, values and what was signed; the rest of the file follows from it, and may be
 * damaged, edited or missing.
 *
 * The log is replayed, commit by commit, into a new file beside the old one, by the code that wrote
 * what is derived when the commits were made. What came of it is verified, and held against the
 * pin; then it takes the old one's place in one step. So whatever happens meanwhile, there is the
 * old file or the new one, whole; what a rebuild that was cut off leaves behind is removed when the
 * store is next opened. A log that is damaged, cut, or not one chain is never made to look whole:
 * nothing is changed then.
 */
#ifndef EMSA_STORE_REBUILD_H
#define EMSA_STORE_REBUILD_H

#include "store/store.h"

struct rebuild_options {
    const char *path; /* the store, which no process owns: its lock is taken here */
    int pin_fd; /* what pin_open gave (store/pin.h), the caller's; 0: the head is not pinned */
    /* Opens secrets, for the leak guard's fingerprints, and to tell that they are those that were
     * signed or copied; taken over, also on failure. NULL: that is left out. */
    struct identity *identity;
    /* One line for each fault of the truth. */
    void (*fault)(void *arg, const char *text);
    void *arg;
};

struct rebuild_table {  /* what is derived: one database */
    const char *name;   /* static */
    uint64_t records;   /* there are now */
    uint64_t missing;   /* that were not there, */
    uint64_t changed;   /* were there and were others, or could not be read, */
    uint64_t extra;     /* and that were there and should not have been */
    bool is_unreadable; /* not all of it could be walked */
};

#define REBUILD_TABLES_MAX 32u

struct rebuild_report {
    uint64_t commits, operations, values; /* replayed */
    struct rebuild_table tables[REBUILD_TABLES_MAX];
    unsigned table_count;
    uint64_t wrong;   /* derived records that were, of all tables */
    uint64_t without; /* secrets of which the leak guard has no fingerprint now: nobody at hand
                         opens them, or the store's key */
    uint64_t faults;  /* of the truth */
    uint64_t revision;
    uint8_t head[HASH_SIZE];
    uint64_t used_bytes; /* of the new file */
};

/* 0: the new file is in place, durably. ERR_CORRUPT: faults were found in the truth (all were told
 * of), or the pin speaks against it; ERR_FORMAT: another version's store. ERR_BUSY: somebody owns
 * the store; ERR_FULL: there must be room for a second file; ERR_NOT_FOUND, ERR_DENIED, ERR_IO,
 * ERR_NOMEM. Nothing was changed then. */
int store_rebuild(const struct rebuild_options *options, struct rebuild_report *report);

#endif
