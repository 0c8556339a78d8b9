/*
 * LMDB's environment. This folder alone includes <lmdb.h>.
 *
 * Default sync, a wide map (address space only), data.mdb allocated ahead in chunks by
 * posix_fallocate and lock.mdb written out, so that a full disk is a clean refusal (a sparse
 * lock.mdb is SIGBUS there, and a sparse data.mdb refuses even to delete). Network file systems are
 * refused. On open: the meta pages and the size against the last page, an empty write transaction
 * (a commit whose writer was killed can stay invisible until then), reader check.
 *
 * One environment of a file a process; never fork after env_open.
 */
#ifndef EMSA_STORE_DB_ENV_H
#define EMSA_STORE_DB_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct env;

/* The databases; one row each in env.c, with names as in FORMAT.md. */
enum database {
    DB_META,        /* name -> format, store id, head, counters */
    DB_COMMIT,      /* rev -> commit header */
    DB_LOG,         /* rev, op -> operation */
    DB_VALUE,       /* rev, op -> salt and bytes, or envelope: what purge may destroy */
    DB_REQUEST,     /* request id -> rev */
    DB_SIGNED,      /* rev -> the request that its author signed */
    DB_ENVIRONMENT, /* derived: name -> environment */
    DB_PLACE,       /* derived: environment id, service name -> service in an environment */
    DB_CURRENT,     /* derived: environment id, service id, key -> current entry */
    DB_HISTORY,     /* derived: environment id, name id, rev -> op, kind, ... */
    DB_NAME,        /* derived: ids and names both ways (first key byte says which) */
    DB_KEY,       /* derived: public and wrapped private keys by (environment, service, generation);
                     grants; identities */
    DB_EXPIRY,    /* derived: moment, environment id, name id -> the entry that ends then */
    DB_OUTCOME,   /* derived: rev, chunk -> what readers see otherwise since that commit */
    DB_REFERENCE, /* derived: layer, service, key, name id -> that definition refers to the key */
    DB_SHARE,     /* derived: layer, service, key, consumer -> where that was said */
    DB_LOCK,      /* derived: environment id, service, key -> where that was said */
    DB_SCHEMA,    /* derived: layer, service id -> where that was said */
    DB_PRESENCE,  /* derived: environment id, service id, rev, op -> it came or went then */
    DB_TAG,       /* derived: name -> the revision that it names, and where that was said */
    DB_GRANT,     /* derived: environment id, service id, principal -> rights, where last said */
    DB_LEAK,      /* derived, with the store's key only: who has a secret of which fingerprint */
    DB_COUNT
};

/* The name of a database, as in FORMAT.md and in every record's hash. */
const char *database_name(enum database database);

/* Makes the files in an existing, empty directory (its mode becomes 0700), durably. ERR_REFUSED: a
 * network file system, or files that are there already; ERR_FULL, ERR_DENIED, ERR_IO. Files made
 * are removed again on failure. */
int env_create(const char *path);

/* Opens the files in the directory. alarm (may be NULL) is called for each damaged record met, with
 * a line for people, from any thread; it must not block. ERR_NOT_FOUND: no data.mdb; ERR_CORRUPT:
 * truncated, no meta page, a database missing; ERR_FORMAT: written by another LMDB; ERR_REFUSED: a
 * network file system; ERR_FULL: no lock.mdb and no room for one; ERR_NOMEM, ERR_DENIED, ERR_IO. */
int env_open(struct env **out, const char *path, void (*alarm)(void *, const char *),
             void *alarm_arg);

/* The databases that hold the truth: what all others are derived from. */
static inline bool database_is_truth(enum database database)
{
    return database == DB_COMMIT || database == DB_LOG || database == DB_VALUE ||
           database == DB_SIGNED;
}

/* For who takes out what is whole in a damaged file, and only reads: as env_open, but what is
 * derived may be missing, and the file's end. env_has says whether a database is there; one that is
 * not must not be read. ERR_CORRUPT: one of the truth is not there. */
int env_open_damaged(struct env **out, const char *path);
bool env_has(const struct env *env, enum database database);

/* Every transaction must have been freed. NULL is allowed. */
void env_close(struct env *env);

/* Makes room for a transaction that adds bytes (the sum of keys and bodies) before it begins, and
 * keeps a reserve. Deleting transactions pass 0: they may use the reserve and are not refused here.
 * ERR_FULL. */
int env_make_room(struct env *env, size_t bytes);

/* Writes zeros over all of data.mdb that no record is in, so that what was deleted or replaced is
 * nowhere in it, nor in what later commits write. Takes as long as reading the file does; the
 * writer waits, readers don't. *left: pages that who reads now may see still (with waits, half a
 * second later still): the next call scrubs them. ERR_CORRUPT: a page is none that LMDB makes,
 * nothing of it was touched; ERR_IO, ERR_NOMEM. */
int env_scrub(struct env *env, bool waits, uint64_t *left);

/* The size of data.mdb, and how much of it LMDB has used so far. */
void env_usage(struct env *env, uint64_t *file_bytes, uint64_t *used_bytes);

/* Names the state that the newest commit left, whoever reads it when: as long as it stays the same,
 * so does every record. 0 where it can't be told. */
uint64_t env_stamp(struct env *env);

/* Damaged records met since env_open. */
uint64_t env_alarms(const struct env *env);

/* 0, or why this environment can write no more until it is opened anew: ERR_IO after LMDB could not
 * write its meta page (reading ends too), ERR_CORRUPT after a fault inside a write transaction
 * (reading goes on). A server does best to end and be started again. */
int env_broken(const struct env *env);

#endif
