/*
 * LMDB's environment. This folder alone includes <lmdb.h>.
 *
 * Default sync, a wide map (address space only), data.mdb allocated ahead in chunks by posix_fallocate and
 * lock.mdb written out, so that a full disk is a clean refusal (store.md has the measurements). Network file
 * systems are refused. On open: size against the last page, an empty write transaction, reader check.
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
    DB_ENVIRONMENT, /* derived: name -> environment */
    DB_PLACE,       /* derived: environment id, service name -> service in an environment */
    DB_CURRENT,     /* derived: environment id, service id, key -> current entry */
    DB_HISTORY,     /* derived: environment id, name id, rev -> op, kind, ... */
    DB_NAME,        /* derived: ids and names both ways (first key byte says which) */
    DB_KEY,         /* derived: public and wrapped private keys by (environment, service, generation); grants; identities */
    DB_COUNT
};

/* Makes the files in an existing, empty directory. */
int env_create(const char *path);
int env_open(struct env **out, const char *path, void (*alarm)(void *, const char *), void *alarm_arg);
void env_close(struct env *env);

/* Makes room for bytes more before a transaction that adds them; deleting transactions pass 0 and may use
 * the reserve. ERR_FULL. */
int env_make_room(struct env *env, size_t bytes);

void env_usage(struct env *env, uint64_t *file_bytes, uint64_t *used_bytes);
uint64_t env_alarms(const struct env *env);

#endif
