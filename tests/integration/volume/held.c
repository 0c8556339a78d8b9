/*
 * What makes the servers of this folder's own emsad stop in the midst of a commit, with the store's
 * lock for writing: where the store's folder has the pipes "held" and "released", who commits
 * first says so by the one (opening it waits for who reads there) and waits at the other until it
 * is opened for writing.
 */
#include <fcntl.h>
#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);

static void pass(const char *store, const char *name, int flags)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%s", store, name);
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)unlink(path); /* once */
    (void)close(fd);
}

int __wrap_mdb_txn_commit(MDB_txn *txn)
{
    const char *store = getenv("EMSA_STORE");
    if (store != NULL) {
        pass(store, "held", O_WRONLY);
        pass(store, "released", O_RDONLY);
    }
    return __real_mdb_txn_commit(txn);
}
