/* What env.c and txn.c share and nobody else sees. */
#ifndef EMSA_STORE_DB_INTERNAL_H
#define EMSA_STORE_DB_INTERNAL_H

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>

#include "store/db/env.h"
#include "store/db/whole_internal.h"

struct env {
    MDB_env *mdb;
    MDB_dbi handles[DB_COUNT];
    bool missing[DB_COUNT]; /* not there, in a file that may be damaged */
    bool may_be_damaged;    /* opened to take out what is whole */
    size_t page;            /* bytes */
    size_t map_size;
    void (*alarm)(void *arg, const char *text);
    void *alarm_arg;
    _Atomic uint64_t alarms;
    atomic_int broken; /* see env_broken */
    /* Commits that have ended, whichever way; counted before the next may begin. */
    _Atomic uint64_t commits;
    /* The greatest transaction that this process has written, or may just be writing. */
    _Atomic uint64_t written;
    struct whole whole; /* guarded by writer, once readers are about */
    /* One writer at a time: held from txn_write_begin to its end. Ours and not LMDB's alone,
     * because a transaction that a fault has torn never gives LMDB's back. Outermost: no other lock
     * is held when it is taken. */
    pthread_mutex_t writer;
    pthread_mutex_t
        room;           /* env_make_room; guards allocated. Taken with no other lock but writer. */
    uint64_t allocated; /* bytes of data.mdb that have blocks of their own */
};

/* env_open, with the alarm of as, and as lenient. */
int env_open_as(struct env **out, const char *path, const struct env *as);

/* Opens each database that can be opened (damaged.c). ERR_CORRUPT: one of the truth can't. */
int env_find_databases(struct env *env, const char *path);

/* The one table: what LMDB returned (a code of its own, an errno, or GUARD_FAULT) as a code of
 * ours, with "doing: why" as text. A panic marks the environment (which may be NULL) as broken. */
int env_error(struct env *env, int lmdb, const char *doing);

/* A transaction of another process: the store has one owner, whose locks nobody but LMDB's own
 * tools gets past. ERR_CORRUPT, and an alarm; nothing is written any more. */
int env_foreign(struct env *env);

/* Counts an alarm and passes this thread's error text on. */
void env_alarm(struct env *env);

#endif
