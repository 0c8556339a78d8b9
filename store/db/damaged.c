/* A file that may be damaged, for who takes out what is whole: each database is opened by itself.
 */
#include <limits.h>
#include <stdio.h>

#include "store/db/guard.h"
#include "store/db/internal.h"

struct handle {
    struct env *env;
    enum database database;
};

/* In a transaction of its own: a page that is none bars whoever met it. */
static int open_handle(void *arg)
{
    const struct handle *handle = arg;
    MDB_txn *txn;
    int failed = mdb_txn_begin(handle->env->mdb, NULL, MDB_RDONLY, &txn);
    if (failed)
        return failed;
    failed = mdb_dbi_open(txn, database_name(handle->database), 0,
                          &handle->env->handles[handle->database]);
    if (!failed)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return failed;
}

/* Each database that can be opened. */
int env_find_databases(struct env *env, const char *path)
{
    for (int i = 0; i < DB_COUNT; i++) {
        const enum database database = (enum database)i;
        const int failed = guard_call(open_handle, &(struct handle){env, database});
        env->missing[i] = failed != 0;
        if (failed && database_is_truth(database)) {
            char doing[PATH_MAX + 64];
            snprintf(doing, sizeof(doing), "cannot open the database '%s' of the store in '%s'",
                     database_name(database), path);
            return env_error(env, failed, doing);
        }
    }
    return 0;
}

int env_open_damaged(struct env **out, const char *path)
{
    return env_open_as(out, path, &(struct env){.may_be_damaged = true});
}

bool env_has(const struct env *env, enum database database)
{
    return !env->missing[database];
}
