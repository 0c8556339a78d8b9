#include "store/db/env.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "store/crypto/hash.h"
#include "store/db/guard.h"
#include "store/db/internal.h"
#include "store/db/pages.h"
#include "store/db/readers.h"
#include "store/error.h"

#define MAP_SIZE (64ull << 30) /* address space only */
#define FIRST_SIZE (8u << 20)  /* of a new data.mdb */
#define RESERVE (4u << 20)     /* what only deletions may use: thousands of them */
#define CHUNK (4u << 20)       /* allocated ahead at a time, more for a large file */
#define CHUNK_MAX (64u << 20)
#define TREE_OVERHEAD (1u << 20) /* pages on the way down that a transaction copies */
#define LOCK_SIZE (64u << 10)    /* room for about a thousand reader slots */
#define READERS 254              /* the least; what fits into LOCK_SIZE is what LMDB takes */

static const char *const names[DB_COUNT] = {
    [DB_META] = "meta",
    [DB_COMMIT] = "commit",
    [DB_LOG] = "log",
    [DB_VALUE] = "value",
    [DB_REQUEST] = "request",
    [DB_SIGNED] = "signed",
    [DB_ENVIRONMENT] = "environment",
    [DB_PLACE] = "place",
    [DB_CURRENT] = "current",
    [DB_HISTORY] = "history",
    [DB_NAME] = "name",
    [DB_KEY] = "key",
    [DB_EXPIRY] = "expiry",
    [DB_OUTCOME] = "outcome",
    [DB_REFERENCE] = "reference",
    [DB_SHARE] = "share",
    [DB_LOCK] = "lock",
    [DB_SCHEMA] = "schema",
    [DB_PRESENCE] = "presence",
    [DB_TAG] = "tag",
    [DB_GRANT] = "grant",
    [DB_LEAK] = "leak",
};

const char *database_name(enum database database)
{
    return names[database];
}

static const struct {
    int lmdb;
    enum error_code code;
    const char *why;
} codes[] = {
    {GUARD_FAULT, ERR_CORRUPT, "a page of the file is damaged or can't be read"},
    {MDB_PAGE_NOTFOUND, ERR_CORRUPT, "a page that is pointed to is not there"},
    {MDB_CORRUPTED, ERR_CORRUPT, "a page is of the wrong kind"},
    {MDB_CURSOR_FULL, ERR_CORRUPT, "the tree is deeper than any can be"},
    {MDB_PAGE_FULL, ERR_CORRUPT, "a page has no room where it must have some"},
    {MDB_INCOMPATIBLE, ERR_CORRUPT, "a database is of another kind"},
    {MDB_NOTFOUND, ERR_CORRUPT, "something that must be there is not"},
    {MDB_KEYEXIST, ERR_CORRUPT, "a key is there already, or out of order"},
    {MDB_INVALID, ERR_CORRUPT, "the file is no database"},
    {MDB_VERSION_MISMATCH, ERR_FORMAT, "the file was made by another version of LMDB"},
    {MDB_PANIC, ERR_IO,
     "an earlier write of the file's head failed; the store must be opened anew"},
    {MDB_MAP_FULL, ERR_FULL, "the map is full"},
    {MDB_TXN_FULL, ERR_INVALID, "too much for one transaction"},
    {MDB_READERS_FULL, ERR_NOMEM, "too many readers"},
    {MDB_BAD_VALSIZE, ERR_INVALID, "a key or value of a wrong size"},
    {MDB_BAD_TXN, ERR_IO, "the transaction has failed before"},
    {MDB_MAP_RESIZED, ERR_CORRUPT, "its head tells of pages that no store has room for"},
};

int env_error(struct env *env, int lmdb, const char *doing)
{
    if (env && lmdb == MDB_PANIC)
        atomic_store(&env->broken, -ERR_IO);
    if (lmdb > 0)
        return error_system(lmdb, "%s", doing);
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (codes[i].lmdb == lmdb)
            return error_set(codes[i].code, "%s: %s", doing, codes[i].why);
    return error_set(ERR_IO, "%s: LMDB error %d", doing, lmdb);
}

int env_foreign(struct env *env)
{
    atomic_store(&env->broken, -ERR_CORRUPT);
    const int error = error_set(ERR_CORRUPT, "somebody else has written to the store while this "
                                             "process owned it: open it anew (restart the server)");
    env_alarm(env);
    return error;
}

void env_alarm(struct env *env)
{
    atomic_fetch_add(&env->alarms, 1);
    if (env->alarm)
        env->alarm(env->alarm_arg, error_text());
}

/* File systems whose locks, maps or caches are not those of one kernel, by statfs(2)'s f_type. */
static const struct {
    unsigned long type;
    const char *name;
} network_kinds[] = {
    {0x6969, "nfs"},      {0x517b, "smb"},        {0xff534d42, "cifs"}, {0xfe534d42, "smb2"},
    {0x00c36400, "ceph"}, {0x5346414f, "afs"},    {0x6b414653, "afs"},  {0x73757245, "coda"},
    {0x01021997, "9p"},   {0x0bd00bd0, "lustre"}, {0x01161970, "gfs2"}, {0x7461636f, "ocfs2"},
    {0x65735546, "fuse"}, {0x19830326, "fhgfs"},  {0x61756673, "aufs"},
};

static int refuse_network(const char *path)
{
    struct statfs info;
    if (statfs(path, &info))
        return error_system(errno, "cannot look at '%s'", path);
    unsigned long type = (unsigned long)info.f_type & 0xffffffffu;
    for (size_t i = 0; i < sizeof(network_kinds) / sizeof(network_kinds[0]); i++)
        if (network_kinds[i].type == type)
            return error_set(ERR_REFUSED,
                             "'%s' lies on a %s file system: a store needs a local one, because "
                             "it is mapped into memory",
                             path, network_kinds[i].name);
    return 0;
}

static int join(char out[static PATH_MAX], const char *path, const char *name)
{
    if (snprintf(out, PATH_MAX, "%s/%s", path, name) >= PATH_MAX)
        return error_set(ERR_INVALID, "path '%s' is too long", path);
    return 0;
}

static int allocate(int fd, uint64_t size)
{
    int failed;
    do
        failed = posix_fallocate(fd, 0, (off_t)size);
    while (failed == EINTR);
    return failed == EFBIG ? ENOSPC : failed;
}

/* lock.mdb with blocks of its own. Done before LMDB opens it: closing it afterwards would give back
 * locks. */
static int prepare_lock(const char *path, int flags)
{
    char file[PATH_MAX];
    int error = join(file, path, "lock.mdb");
    if (error)
        return error;
    int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    if (fd < 0 && errno == EEXIST)
        return error_set(ERR_REFUSED, "'%s' is there already", file);
    if (fd < 0)
        return error_system(errno, "cannot open '%s'", file);
    int failed = allocate(fd, LOCK_SIZE);
    close(fd);
    return failed ? error_system(failed, "cannot allocate '%s'", file) : 0;
}

static void on_assert(MDB_env *mdb, const char *text)
{
    (void)mdb;
    (void)text;
    guard_escape();
}

static int open_files(MDB_env **out, const char *path, size_t map_size)
{
    MDB_env *mdb;
    int failed = mdb_env_create(&mdb);
    if (failed)
        return failed;
    failed = mdb_env_set_mapsize(mdb, map_size);
    if (!failed)
        failed = mdb_env_set_maxdbs(mdb, DB_COUNT);
    if (!failed)
        failed = mdb_env_set_maxreaders(mdb, READERS);
    if (!failed)
        failed = mdb_env_set_assert(mdb, on_assert);
    /* Read-ahead stays: a store is mostly smaller than memory, and starts sooner with it. */
    if (!failed)
        failed = mdb_env_open(mdb, path, MDB_NOTLS, 0600);
    if (failed)
        mdb_env_close(mdb);
    else
        *out = mdb;
    return failed;
}

static int make_databases(MDB_env *mdb)
{
    MDB_txn *txn;
    int failed = mdb_txn_begin(mdb, NULL, 0, &txn);
    if (failed)
        return failed;
    for (int i = 0; i < DB_COUNT && !failed; i++) {
        MDB_dbi handle;
        failed = mdb_dbi_open(txn, names[i], MDB_CREATE, &handle);
    }
    if (failed)
        mdb_txn_abort(txn);
    else
        failed = mdb_txn_commit(txn);
    return failed;
}

static int make_data(const char *path)
{
    MDB_env *mdb;
    int failed = open_files(&mdb, path, MAP_SIZE);
    if (failed)
        return failed;
    mdb_filehandle_t fd = -1;
    failed = make_databases(mdb);
    if (!failed)
        failed = mdb_env_get_fd(mdb, &fd);
    if (!failed)
        failed = allocate(fd, FIRST_SIZE);
    if (!failed && fsync(fd))
        failed = errno;
    mdb_env_close(mdb);
    return failed;
}

static int sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_system(errno, "cannot open '%s'", path);
    int failed = fsync(fd) ? errno : 0;
    close(fd);
    return failed ? error_system(failed, "cannot write '%s' out", path) : 0;
}

static void remove_files(const char *path)
{
    static const char *const files[] = {"data.mdb", "lock.mdb"};
    char file[PATH_MAX];
    for (size_t i = 0; i < 2; i++)
        if (join(file, path, files[i]) == 0)
            unlink(file);
}

static int refuse_existing(const char *path)
{
    char file[PATH_MAX];
    int error = join(file, path, "data.mdb");
    if (!error && access(file, F_OK) == 0)
        error = error_set(ERR_REFUSED, "there is a store in '%s' already", path);
    return error;
}

int env_create(const char *path)
{
    int error = refuse_network(path);
    if (!error)
        error = refuse_existing(path);
    if (error)
        return error;
    if (chmod(path, 0700))
        return error_system(errno, "cannot set the mode of '%s'", path);
    error = prepare_lock(path, O_EXCL);
    if (error)
        return error;
    int failed = make_data(path);
    error =
        failed ? env_error(NULL, failed, "cannot make the store's files") : sync_directory(path);
    if (error)
        remove_files(path);
    return error;
}

/* Where things stand in a meta page of LMDB 0.9 on a 64-bit machine. */
#define META_MAGIC 0xbeefc0deu
#define META_VERSION 1u
enum {
    META_AT_MAGIC = 16,
    META_AT_VERSION = 20,
    META_AT_PAGE_SIZE = 40,
    META_AT_LAST_PAGE = 136,
    META_END = 152
};

static uint64_t number_at(const unsigned char *page, size_t at, size_t size)
{
    uint64_t value = 0;
    memcpy(&value, page + at, size); /* LMDB writes in the machine's order */
    return value;
}

/* LMDB divides by the page size and maps up to the last page, as the meta page has them, without a
 * look. */
static int check_meta(const char *file, int fd, uint64_t file_size, uint64_t offset,
                      uint64_t *page_size, bool may_be_cut)
{
    unsigned char meta[META_END];
    if (pread(fd, meta, sizeof(meta), (off_t)offset) != (ssize_t)sizeof(meta))
        return error_set(ERR_CORRUPT, "'%s' is truncated: it ends inside its head", file);
    if (number_at(meta, META_AT_MAGIC, 4) != META_MAGIC)
        return error_set(ERR_CORRUPT, "'%s' is no database", file);
    if (number_at(meta, META_AT_VERSION, 4) != META_VERSION)
        return error_set(ERR_FORMAT, "'%s' was made by another version of LMDB", file);
    uint64_t size = number_at(meta, META_AT_PAGE_SIZE, 4);
    if (size < 512 || size > 65536 || (size & (size - 1)) || (*page_size && size != *page_size))
        return error_set(ERR_CORRUPT, "'%s' has a head that can't be right (page size)", file);
    uint64_t last = number_at(meta, META_AT_LAST_PAGE, 8);
    if (last >= UINT64_MAX / size || (!may_be_cut && (last + 1) * size > file_size))
        return error_set(ERR_CORRUPT, "'%s' is truncated: it has %llu bytes and should have %llu",
                         file, (unsigned long long)file_size,
                         (unsigned long long)((last + 1) * size));
    *page_size = size;
    return 0;
}

/* Before LMDB sees the file: that it is there, has a sound head and all of its pages. */
static int check_file(struct env *env, const char *path)
{
    char file[PATH_MAX];
    int error = join(file, path, "data.mdb");
    if (error)
        return error;
    int fd = open(file, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return error_system(errno, "cannot open '%s'", file);
    struct stat info;
    uint64_t page = 0;
    if (fstat(fd, &info))
        error = error_system(errno, "cannot look at '%s'", file);
    else
        error = check_meta(file, fd, (uint64_t)info.st_size, 0, &page, env->may_be_damaged);
    if (!error)
        error = check_meta(file, fd, (uint64_t)info.st_size, page, &page, env->may_be_damaged);
    if (!error) {
        env->page = page;
        env->map_size = MAP_SIZE;
        while (env->map_size / 2 < (uint64_t)info.st_size)
            env->map_size *= 2;
        /* A copy may have left holes; without room for them only writing suffers, later and
         * cleanly. */
        bool is_whole = (uint64_t)info.st_blocks * 512 >= (uint64_t)info.st_size ||
                        allocate(fd, (uint64_t)info.st_size) == 0;
        env->allocated = is_whole ? (uint64_t)info.st_size : (uint64_t)info.st_blocks * 512;
    }
    close(fd);
    return error;
}

/* The first transactions, in a guard: from here on LMDB reads through the map. */
static int start(void *arg)
{
    struct env *env = arg;
    MDB_txn *txn;
    int failed = mdb_txn_begin(env->mdb, NULL, 0, &txn);
    if (failed)
        return failed;
    mdb_txn_abort(txn);
    int dead;
    failed = mdb_reader_check(env->mdb, &dead);
    MDB_envinfo info;
    if (!failed && !(failed = mdb_env_info(env->mdb, &info)))
        atomic_store(&env->written, info.me_last_txnid);
    if (failed || env->may_be_damaged)
        return failed;
    failed = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn);
    if (failed)
        return failed;
    for (int i = 0; i < DB_COUNT && !failed; i++)
        failed = mdb_dbi_open(txn, names[i], 0, &env->handles[i]);
    if (failed)
        mdb_txn_abort(txn);
    else
        failed = mdb_txn_commit(txn); /* which keeps the handles */
    return failed;
}

static int close_files(void *arg)
{
    mdb_env_close(arg);
    return 0;
}

static int open_env(struct env *env, const char *path)
{
    int error = refuse_network(path);
    if (!error)
        error = crypto_setup();
    if (!error)
        error = guard_install();
    if (!error)
        error = check_file(env, path);
    if (!error)
        error = prepare_lock(path, 0);
    if (error)
        return error;
    int failed = open_files(&env->mdb, path, env->map_size);
    if (!failed)
        error = readers_to_memory(path);
    if (!failed && !error)
        error = pages_check_main(env);
    if (!failed && !error)
        failed = guard_call(start, env);
    if (!failed && !error && env->may_be_damaged)
        error = env_find_databases(env, path);
    if (!failed && !error)
        return 0;
    if (env->mdb)
        guard_call(close_files, env->mdb);
    if (error)
        return error;
    char doing[PATH_MAX + 32];
    snprintf(doing, sizeof(doing), "cannot open the store in '%s'", path);
    return env_error(env, failed, doing);
}

int env_open_as(struct env **out, const char *path, const struct env *as)
{
    struct env *env = calloc(1, sizeof(*env));
    if (!env)
        return error_set(ERR_NOMEM, "cannot get memory to open '%s'", path);
    env->alarm = as->alarm;
    env->alarm_arg = as->alarm_arg;
    env->may_be_damaged = as->may_be_damaged;
    pthread_mutex_init(&env->writer, NULL);
    pthread_mutex_init(&env->room, NULL);
    int error = open_env(env, path);
    if (error) {
        pthread_mutex_destroy(&env->writer);
        pthread_mutex_destroy(&env->room);
        free(env);
        return error;
    }
    *out = env;
    return 0;
}

int env_open(struct env **out, const char *path, void (*alarm)(void *, const char *),
             void *alarm_arg)
{
    return env_open_as(out, path, &(struct env){.alarm = alarm, .alarm_arg = alarm_arg});
}

void env_close(struct env *env)
{
    if (!env)
        return;
    guard_call(close_files, env->mdb);
    secret_release(&env->whole.memory);
    pthread_mutex_destroy(&env->writer);
    pthread_mutex_destroy(&env->room);
    free(env);
}

struct usage {
    struct env *env;
    uint64_t used, free;
};

static int read_used(void *arg)
{
    struct usage *usage = arg;
    MDB_envinfo info;
    int failed = mdb_env_info(usage->env->mdb, &info);
    if (!failed)
        usage->used = ((uint64_t)info.me_last_pgno + 1) * usage->env->page;
    return failed;
}

/* Pages that LMDB has taken back: each record of its database 0 is a count and that many page
 * numbers. */
static int read_free(void *arg)
{
    struct usage *usage = arg;
    MDB_txn *txn;
    MDB_cursor *cursor;
    MDB_val key, data;
    int failed = mdb_txn_begin(usage->env->mdb, NULL, MDB_RDONLY, &txn);
    if (failed)
        return failed;
    failed = mdb_cursor_open(txn, 0, &cursor);
    if (failed) {
        mdb_txn_abort(txn);
        return failed;
    }
    uint64_t pages = 0;
    while (!failed && (failed = mdb_cursor_get(cursor, &key, &data, MDB_NEXT)) == 0)
        if (data.mv_size >= sizeof(size_t))
            pages += number_at(data.mv_data, 0, sizeof(size_t));
    usage->free = pages * usage->env->page;
    mdb_cursor_close(cursor); /* a reader's cursors outlive it */
    mdb_txn_abort(txn);
    return failed == MDB_NOTFOUND ? 0 : failed;
}

/* Called with room locked. */
static int extend(struct env *env, uint64_t used, uint64_t needed)
{
    mdb_filehandle_t fd;
    int failed = mdb_env_get_fd(env->mdb, &fd);
    if (failed)
        return failed;
    uint64_t chunk = used / 8 < CHUNK ? CHUNK : used / 8 > CHUNK_MAX ? CHUNK_MAX : used / 8;
    uint64_t sizes[] = {needed + chunk, needed};
    for (size_t i = 0; i < 2; i++) {
        uint64_t size = (sizes[i] + env->page - 1) / env->page * env->page;
        failed = size > env->map_size ? ENOSPC : allocate(fd, size);
        if (!failed) {
            env->allocated = size;
            return 0;
        }
    }
    return failed;
}

static int make_room(struct env *env, size_t bytes)
{
    struct usage usage = {.env = env};
    int failed = guard_call(read_used, &usage);
    if (failed)
        return env_error(env, failed, "cannot see how full the store is");
    if (usage.used > env->map_size)
        return env_error(env, MDB_MAP_RESIZED, "cannot see how full the store is");
    /* Twice: a value of just over half a page takes a whole one. */
    uint64_t wanted = RESERVE + (bytes ? 2 * (uint64_t)bytes + TREE_OVERHEAD : 0);
    if (usage.used + wanted <= env->allocated)
        return 0;
    failed = extend(env, usage.used, usage.used + wanted);
    if (!failed || bytes == 0)
        return 0;
    if (failed != ENOSPC && failed != EDQUOT)
        return error_system(failed, "cannot make the store's file larger");
    /* The disk is full; what was deleted may be room enough. */
    if (guard_call(read_free, &usage) == 0 && usage.used + wanted <= env->allocated + usage.free)
        return 0;
    return error_set(ERR_FULL,
                     "no room for %zu bytes: the disk is full (what is left is kept for deleting)",
                     bytes);
}

int env_make_room(struct env *env, size_t bytes)
{
    pthread_mutex_lock(&env->room);
    int error = make_room(env, bytes);
    pthread_mutex_unlock(&env->room);
    return error;
}

void env_usage(struct env *env, uint64_t *file_bytes, uint64_t *used_bytes)
{
    struct usage usage = {.env = env};
    guard_call(read_used, &usage);
    pthread_mutex_lock(&env->room);
    *file_bytes = env->allocated;
    pthread_mutex_unlock(&env->room);
    *used_bytes = usage.used;
}

struct newest {
    struct env *env;
    uint64_t transaction;
};

static int read_newest(void *arg)
{
    struct newest *newest = arg;
    MDB_envinfo info;
    int failed = mdb_env_info(newest->env->mdb, &info);
    if (!failed)
        newest->transaction = info.me_last_txnid;
    return failed;
}

uint64_t env_stamp(struct env *env)
{
    struct newest newest = {.env = env};
    return env_broken(env) || guard_call(read_newest, &newest) ? 0 : newest.transaction;
}

uint64_t env_alarms(const struct env *env)
{
    return atomic_load(&env->alarms);
}

int env_broken(const struct env *env)
{
    return atomic_load(&env->broken);
}
