/* A store directory of its own for each test of store/db, removed at its end. */
#ifndef EMSA_TESTS_UNIT_STORE_DB_SUPPORT_H
#define EMSA_TESTS_UNIT_STORE_DB_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/db/env.h"
#include "store/db/keys.h"
#include "store/db/txn.h"
#include "store/error.h"

#define ERR(code) (-(int)(code))

struct fixture {
    char path[64];
    char data[80]; /* path of data.mdb */
};

static inline int remove_one(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
    (void)info;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline int make_directory(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    snprintf(fixture->path, sizeof(fixture->path), "/tmp/emsa-test-XXXXXX");
    if (!mkdtemp(fixture->path))
        return -1;
    snprintf(fixture->data, sizeof(fixture->data), "%s/data.mdb", fixture->path);
    *state = fixture;
    return 0;
}

static inline int remove_directory(void **state)
{
    struct fixture *fixture = *state;
    nftw(fixture->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(fixture);
    return 0;
}

static inline struct slice slice_text(const char *text)
{
    return (struct slice){(const unsigned char *)text, strlen(text)};
}

/* One record, committed. */
static inline void write_one(struct env *env, enum database database, struct slice key,
                             struct slice body)
{
    struct txn *txn = NULL;
    assert_int_equal(txn_write_begin(&txn, env), 0);
    txn_put(txn, database, key, body);
    assert_int_equal(txn_commit(txn), 0);
}

#endif
