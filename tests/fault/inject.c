#include "tests/fault/inject.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static struct {
    bool armed, onwards, failed;
    enum inject_family family;
    enum inject_how how;
    unsigned at, calls;
} plan;

void inject_arm(enum inject_family family, enum inject_how how, unsigned at, bool onwards)
{
    plan.family = family;
    plan.how = how;
    plan.at = at;
    plan.onwards = onwards;
    plan.calls = 0;
    plan.failed = false;
    plan.armed = true;
}

bool inject_disarm(unsigned *calls)
{
    plan.armed = false;
    if (calls)
        *calls = plan.calls;
    return plan.failed;
}

/* Whether this call is to fail. */
static bool is_struck(enum inject_family family)
{
    if (!plan.armed || plan.family != family)
        return false;
    plan.calls++;
    if (plan.calls != plan.at && !(plan.onwards && plan.calls > plan.at))
        return false;
    plan.failed = true;
    return true;
}

/* --- memory: what our objects call ----------------------------------- */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return is_struck(INJECT_MEMORY) ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    return is_struck(INJECT_MEMORY) ? NULL : __real_calloc(count, size);
}

void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size)
{
    return is_struck(INJECT_MEMORY) ? NULL : __real_realloc(memory, size);
}

char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
char *__wrap_strdup(const char *text)
{
    return is_struck(INJECT_MEMORY) ? NULL : __real_strdup(text);
}

/* --- LMDB: what our objects call ------------------------------------- */

/* Only what adds pages can find the map full. */
static bool is_database_struck(bool adds)
{
    if (plan.how == INJECT_FULL && !adds)
        return false;
    return is_struck(INJECT_DATABASE);
}

static int database_failure(void)
{
    return plan.how == INJECT_FULL ? MDB_MAP_FULL : ENOMEM;
}

/* A function of LMDB that returns a code and keeps nothing when it fails. */
#define DATABASE(name, adds, parameters, arguments)                                                \
    int __real_##name parameters;                                                                  \
    int __wrap_##name parameters;                                                                  \
    int __wrap_##name parameters                                                                   \
    {                                                                                              \
        return is_database_struck(adds) ? database_failure() : __real_##name arguments;            \
    }

DATABASE(mdb_env_create, false, (MDB_env * *env), (env))
DATABASE(mdb_env_open, false, (MDB_env * env, const char *path, unsigned flags, mdb_mode_t mode),
         (env, path, flags, mode))
DATABASE(mdb_env_set_mapsize, false, (MDB_env * env, size_t size), (env, size))
DATABASE(mdb_env_set_maxdbs, false, (MDB_env * env, MDB_dbi count), (env, count))
DATABASE(mdb_env_set_maxreaders, false, (MDB_env * env, unsigned count), (env, count))
DATABASE(mdb_env_set_assert, false, (MDB_env * env, MDB_assert_func *function), (env, function))
DATABASE(mdb_env_info, false, (MDB_env * env, MDB_envinfo *info), (env, info))
DATABASE(mdb_env_get_fd, false, (MDB_env * env, mdb_filehandle_t *fd), (env, fd))
DATABASE(mdb_reader_check, false, (MDB_env * env, int *dead), (env, dead))
DATABASE(mdb_txn_begin, false, (MDB_env * env, MDB_txn *parent, unsigned flags, MDB_txn **txn),
         (env, parent, flags, txn))
DATABASE(mdb_txn_renew, false, (MDB_txn * txn), (txn))
DATABASE(mdb_dbi_open, true, (MDB_txn * txn, const char *name, unsigned flags, MDB_dbi *handle),
         (txn, name, flags, handle))
DATABASE(mdb_stat, false, (MDB_txn * txn, MDB_dbi handle, MDB_stat *stat), (txn, handle, stat))
DATABASE(mdb_get, false, (MDB_txn * txn, MDB_dbi handle, MDB_val *key, MDB_val *data),
         (txn, handle, key, data))
DATABASE(mdb_put, true,
         (MDB_txn * txn, MDB_dbi handle, MDB_val *key, MDB_val *data, unsigned flags),
         (txn, handle, key, data, flags))
DATABASE(mdb_del, true, (MDB_txn * txn, MDB_dbi handle, MDB_val *key, MDB_val *data),
         (txn, handle, key, data))
DATABASE(mdb_cursor_open, false, (MDB_txn * txn, MDB_dbi handle, MDB_cursor **cursor),
         (txn, handle, cursor))
DATABASE(mdb_cursor_renew, false, (MDB_txn * txn, MDB_cursor *cursor), (txn, cursor))
DATABASE(mdb_cursor_get, false,
         (MDB_cursor * cursor, MDB_val *key, MDB_val *data, MDB_cursor_op op),
         (cursor, key, data, op))
DATABASE(mdb_cursor_put, true, (MDB_cursor * cursor, MDB_val *key, MDB_val *data, unsigned flags),
         (cursor, key, data, flags))
DATABASE(mdb_cursor_del, true, (MDB_cursor * cursor, unsigned flags), (cursor, flags))

/* One that fails ends its transaction all the same. */
int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn)
{
    if (!is_database_struck(true))
        return __real_mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return database_failure();
}

/* --- system calls: everybody's in this program ----------------------- */

/* What stands behind a name that is defined here. */
static void *behind(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    return found;
}

static void end_process(void)
{
    kill(getpid(), SIGKILL);
}

/* Whether a struck call is still to be made. */
static bool is_done_first(void)
{
    if (plan.how == INJECT_KILL_BEFORE)
        end_process();
    return plan.how == INJECT_LATE || plan.how == INJECT_KILL_AFTER;
}

/* The errno of a struck call. */
static int system_failure(void)
{
    if (plan.how == INJECT_KILL_AFTER)
        end_process();
    return plan.how == INJECT_FULL ? ENOSPC : EIO;
}

/* A system call: value if it fails with errno. */
#define SYSTEM(type, name, parameters, arguments, value)                                           \
    type name parameters                                                                           \
    {                                                                                              \
        static type(*real) parameters;                                                             \
        if (!real)                                                                                 \
            *(void **)&real = behind(#name);                                                       \
        if (!is_struck(INJECT_SYSTEM))                                                             \
            return real arguments;                                                                 \
        if (is_done_first())                                                                       \
            (void)!real arguments;                                                                 \
        errno = system_failure();                                                                  \
        return value;                                                                              \
    }

SYSTEM(int, fsync, (int fd), (fd), -1)
SYSTEM(int, fdatasync, (int fd), (fd), -1)
SYSTEM(int, ftruncate, (int fd, off_t size), (fd, size), -1)
SYSTEM(int, msync, (void *address, size_t size, int flags), (address, size, flags), -1)
SYSTEM(int, mlock, (const void *address, size_t size), (address, size), -1)
SYSTEM(int, mkdir, (const char *path, mode_t mode), (path, mode), -1)
SYSTEM(int, chmod, (const char *path, mode_t mode), (path, mode), -1)
SYSTEM(int, fchmod, (int fd, mode_t mode), (fd, mode), -1)
SYSTEM(int, rename, (const char *from, const char *to), (from, to), -1)
SYSTEM(int, renameat, (int from_at, const char *from, int to_at, const char *to),
       (from_at, from, to_at, to), -1)
SYSTEM(int, unlinkat, (int at, const char *path, int flags), (at, path, flags), -1)
/* This one returns its error. */
SYSTEM(int, posix_fallocate, (int fd, off_t offset, off_t size), (fd, offset, size), errno)

/* Descriptors and mappings that a late failure would leave behind are not made: such a call fails
 * at once. */
#define SYSTEM_MAKER(type, name, parameters, arguments, value)                                     \
    type name parameters                                                                           \
    {                                                                                              \
        static type(*real) parameters;                                                             \
        if (!real)                                                                                 \
            *(void **)&real = behind(#name);                                                       \
        if (!is_struck(INJECT_SYSTEM))                                                             \
            return real arguments;                                                                 \
        if (plan.how == INJECT_KILL_BEFORE || plan.how == INJECT_KILL_AFTER)                       \
            end_process();                                                                         \
        errno = system_failure();                                                                  \
        return value;                                                                              \
    }

SYSTEM_MAKER(void *, mmap,
             (void *address, size_t size, int protection, int flags, int fd, off_t offset),
             (address, size, protection, flags, fd, offset), MAP_FAILED)

int open(const char *path, int flags, ...)
{
    static int (*real)(const char *, int, ...);
    if (!real)
        *(void **)&real = behind("open");
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    if (!is_struck(INJECT_SYSTEM))
        return real(path, flags, mode);
    if (plan.how == INJECT_KILL_BEFORE || plan.how == INJECT_KILL_AFTER)
        end_process();
    errno = system_failure();
    return -1;
}

/* --- writes, of which also half may be done -------------------------- */

static bool is_half(size_t size)
{
    return plan.how == INJECT_HALF && size > 1;
}

ssize_t write(int fd, const void *data, size_t size)
{
    static ssize_t (*real)(int, const void *, size_t);
    if (!real)
        *(void **)&real = behind("write");
    if (!is_struck(INJECT_SYSTEM))
        return real(fd, data, size);
    if (is_half(size))
        return real(fd, data, size / 2);
    if (is_done_first())
        (void)!real(fd, data, size);
    errno = system_failure();
    return -1;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (!real)
        *(void **)&real = behind("pwrite");
    if (!is_struck(INJECT_SYSTEM))
        return real(fd, data, size, offset);
    if (is_half(size))
        return real(fd, data, size / 2, offset);
    if (is_done_first())
        (void)!real(fd, data, size, offset);
    errno = system_failure();
    return -1;
}

ssize_t writev(int fd, const struct iovec parts[], int count)
{
    static ssize_t (*real)(int, const struct iovec *, int);
    if (!real)
        *(void **)&real = behind("writev");
    if (!is_struck(INJECT_SYSTEM))
        return real(fd, parts, count);
    if (is_half((size_t)count))
        return real(fd, parts, count / 2);
    if (is_done_first())
        (void)!real(fd, parts, count);
    errno = system_failure();
    return -1;
}

ssize_t pwritev(int fd, const struct iovec parts[], int count, off_t offset)
{
    static ssize_t (*real)(int, const struct iovec *, int, off_t);
    if (!real)
        *(void **)&real = behind("pwritev");
    if (!is_struck(INJECT_SYSTEM))
        return real(fd, parts, count, offset);
    if (is_half((size_t)count))
        return real(fd, parts, count / 2, offset);
    if (is_done_first())
        (void)!real(fd, parts, count, offset);
    errno = system_failure();
    return -1;
}
