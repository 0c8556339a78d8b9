/*
 * What was deleted stands in the file until its pages are used again, and longer. Three places have
 * it: pages that LMDB has taken back; the room between the pointers and the nodes of a page in use,
 * and behind the last byte of a large record; and the pages in memory that LMDB keeps for its next
 * transactions, which it fills with what they need and writes out whole, the rest as it was.
 *
 * So: the pages in memory are made zeros (a transaction takes them all and gives them back), two
 * commits age what was deleted by two transactions (LMDB uses no page again that the head before
 * the newest knows), and behind each of them every page that nobody sees, and all room in those
 * that somebody does, is written over. Nothing that anybody reads is touched: readers go on beside
 * it, the writer waits. What an older reader still sees stays, and is counted.
 */
#include "store/db/env.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "store/db/guard.h"
#include "store/db/internal.h"
#include "store/db/keys.h"
#include "store/db/txn.h"
#include "store/error.h"

/* Pages of LMDB 0.9 on a 64-bit machine. */
enum {
    PAGE_AT_FLAGS = 10,
    PAGE_AT_LOWER = 12, /* of a large record's first page: how many there are, in 4 bytes */
    PAGE_AT_UPPER = 14,
    PAGE_HEAD = 16, /* and the pointers follow */
    PAGE_BRANCH = 1,
    PAGE_LEAF = 2,
    PAGE_LARGE = 4,
    PAGE_KINDS = 15,
    NODE_AT_FLAGS = 4,
    NODE_AT_KEY_SIZE = 6,
    NODE_HEAD = 8,
    NODE_LARGE = 1,
};
#define FIRST_PAGE 2u /* two heads are before it */

#define FRESH_PAGES 64u /* so many of zeros, one after the other, and the rest is new too */
#define TAKEN_MAX 32768u

#define TRIES 25
#define PAUSE 20000000L /* nanoseconds: half a second in all for who reads now */

struct scrub {
    struct env *env;
    int fd;
    size_t page;
    uint64_t pages;      /* in the file */
    uint64_t used;       /* that LMDB knows of */
    uint64_t oldest;     /* the commit that the oldest reader sees */
    uint64_t newest;     /* the newest one */
    unsigned char *free; /* owned: by page: one of enum state */
    uint64_t left;
    unsigned char *buffer, *zeros; /* owned: a page each */
    bool is_written;
};

enum state { IN_USE, FREE, HELD };

static uint64_t number_at(const unsigned char *bytes, size_t size)
{
    uint64_t value = 0;
    memcpy(&value, bytes, size); /* LMDB writes in the machine's order */
    return value;
}

/* --- pages in memory --- */

static bool is_zeros(const unsigned char *bytes, size_t size)
{
    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

static int take_pages(MDB_txn *mdb, MDB_dbi handle, size_t page)
{
    unsigned fresh = 0;
    for (uint32_t number = 0; number < TAKEN_MAX && fresh < FRESH_PAGES; number++) {
        MDB_val key = {.mv_size = sizeof number, .mv_data = &number};
        MDB_val data = {.mv_size = page - PAGE_HEAD};
        const int failed = mdb_put(mdb, handle, &key, &data, MDB_RESERVE);
        if (failed)
            return failed;
        fresh = is_zeros(data.mv_data, data.mv_size) ? fresh + 1 : 0;
        memset(data.mv_data, 0, data.mv_size);
    }
    return 0;
}

/* Called with the writer locked. */
static int clear_memory(void *arg)
{
    struct scrub *scrub = arg;
    MDB_txn *mdb;
    int failed = mdb_txn_begin(scrub->env->mdb, NULL, 0, &mdb);
    if (failed)
        return failed;
    failed = take_pages(mdb, scrub->env->handles[DB_META], scrub->page);
    mdb_txn_abort(mdb);
    return failed;
}

/* --- pages in the file --- */

static int write_zeros(struct scrub *scrub, uint64_t page, size_t at, size_t size)
{
    const ssize_t written = pwrite(scrub->fd, scrub->zeros, size, (off_t)(page * scrub->page + at));
    scrub->is_written = true;
    return written == (ssize_t)size ? 0 : written < 0 ? errno : EIO;
}

static int read_page(struct scrub *scrub, uint64_t page)
{
    const ssize_t size = pread(scrub->fd, scrub->buffer, scrub->page, (off_t)(page * scrub->page));
    return size == (ssize_t)scrub->page ? 0 : size < 0 ? errno : EIO;
}

static int scrub_range(struct scrub *scrub, uint64_t page, size_t from, size_t to)
{
    if (from >= to || is_zeros(scrub->buffer + from, to - from))
        return 0;
    return write_zeros(scrub, page, from, to - from);
}

/* Behind the last byte of a large record of that many bytes: it may have had more pages, when it
 * was set twice in one transaction. */
static int scrub_tail(struct scrub *scrub, uint64_t first, uint64_t size)
{
    const uint64_t end = PAGE_HEAD + size;
    const uint64_t last = first + (end - 1) / scrub->page;
    size_t from = (size_t)((end - 1) % scrub->page) + 1;
    if (first < FIRST_PAGE || first >= scrub->used)
        return MDB_CORRUPTED;
    int failed = read_page(scrub, first);
    const uint64_t count = number_at(scrub->buffer + PAGE_AT_LOWER, 4);
    if (!failed && (count > scrub->used - first || last >= first + count))
        failed = MDB_CORRUPTED;
    for (uint64_t page = last; page < first + count && !failed; page++, from = 0) {
        failed = read_page(scrub, page);
        if (!failed)
            failed = scrub_range(scrub, page, from, scrub->page);
    }
    return failed;
}

struct large { /* records that a leaf points to, and the sizes of */
    uint64_t first, size;
};

/* The nodes of a leaf; the buffer is used again after this. */
static int find_large(const struct scrub *scrub, struct large *out, size_t *count, size_t lower)
{
    const unsigned char *page = scrub->buffer;
    *count = 0;
    for (size_t at = PAGE_HEAD; at + 2 <= lower; at += 2) {
        const size_t node = (size_t)number_at(page + at, 2);
        if (node < PAGE_HEAD || node + NODE_HEAD > scrub->page)
            return MDB_CORRUPTED;
        if (!(number_at(page + node + NODE_AT_FLAGS, 2) & NODE_LARGE))
            continue;
        const size_t key = (size_t)number_at(page + node + NODE_AT_KEY_SIZE, 2);
        if (node + NODE_HEAD + key + 8 > scrub->page)
            return MDB_CORRUPTED;
        out[*count] =
            (struct large){number_at(page + node + NODE_HEAD + key, 8), number_at(page + node, 4)};
        ++*count;
    }
    return 0;
}

static int scrub_tree_page(struct scrub *scrub, uint64_t page, unsigned flags)
{
    const size_t lower = (size_t)number_at(scrub->buffer + PAGE_AT_LOWER, 2);
    const size_t upper = (size_t)number_at(scrub->buffer + PAGE_AT_UPPER, 2);
    struct large *large = NULL;
    size_t count = 0;
    if (lower < PAGE_HEAD || upper < lower || upper > scrub->page)
        return MDB_CORRUPTED;
    int failed = scrub_range(scrub, page, lower, upper);
    if (!failed && flags & PAGE_LEAF) {
        large = calloc(scrub->page / 2, sizeof *large);
        failed = large ? find_large(scrub, large, &count, lower) : ENOMEM;
    }
    for (size_t i = 0; i < count && !failed; i++)
        failed = scrub_tail(scrub, large[i].first, large[i].size);
    free(large);
    return failed;
}

/* A page that the newest commit sees; *page becomes the last one of it. */
static int scrub_used(struct scrub *scrub, uint64_t *page)
{
    const unsigned flags = (unsigned)number_at(scrub->buffer + PAGE_AT_FLAGS, 2) & PAGE_KINDS;
    if (number_at(scrub->buffer, 8) != *page)
        return MDB_CORRUPTED;
    if (flags == PAGE_BRANCH || flags == PAGE_LEAF)
        return scrub_tree_page(scrub, *page, flags);
    const uint64_t count = number_at(scrub->buffer + PAGE_AT_LOWER, 4);
    if (flags != PAGE_LARGE || count == 0 || count > scrub->used - *page)
        return MDB_CORRUPTED;
    *page += count - 1;
    return 0;
}

static int scrub_pages(struct scrub *scrub)
{
    int failed = 0;
    scrub->left = 0;
    for (uint64_t page = FIRST_PAGE; page < scrub->pages && !failed; page++) {
        const enum state state = page < scrub->used ? (enum state)scrub->free[page] : FREE;
        scrub->left += state == HELD;
        if (state == HELD)
            continue;
        failed = read_page(scrub, page);
        if (!failed)
            failed =
                state == FREE ? scrub_range(scrub, page, 0, scrub->page) : scrub_used(scrub, &page);
    }
    if (!failed && scrub->is_written && fdatasync(scrub->fd))
        failed = errno;
    return failed;
}

/* --- who sees what --- */

/* "  pid thread txnid", one a reader, behind a line of headings; "-": it reads nothing now. */
static int take_reader(const char *line, void *arg)
{
    struct scrub *scrub = arg;
    unsigned long long transaction;
    if (sscanf(line, "%*d %*x %llu", &transaction) == 1 && transaction < scrub->oldest)
        scrub->oldest = transaction;
    return 0;
}

/* Pages that were taken back by a commit before the one that the oldest reader sees, and before the
 * newest, are seen by nobody; those that the newest took back are what the head before it sees. */
static void mark(struct scrub *scrub, uint64_t transaction, const unsigned char *data, size_t size)
{
    const uint64_t count = size >= 8 ? number_at(data, 8) : 0;
    const enum state state = transaction < scrub->oldest ? FREE : HELD;
    for (uint64_t i = 1; i <= count && (i + 1) * 8 <= size; i++) {
        const uint64_t page = number_at(data + 8 * i, 8);
        if (page >= FIRST_PAGE && page < scrub->used)
            scrub->free[page] = (unsigned char)state;
    }
}

static int mark_free(struct scrub *scrub, MDB_txn *mdb, uint64_t *spared)
{
    MDB_cursor *cursor;
    MDB_val key, data;
    *spared = 0;
    int failed = mdb_cursor_open(mdb, 0, &cursor);
    if (failed)
        return failed;
    while (!(failed = mdb_cursor_get(cursor, &key, &data, MDB_NEXT))) {
        const uint64_t transaction = key.mv_size == 8 ? number_at(key.mv_data, 8) : UINT64_MAX;
        mark(scrub, transaction, data.mv_data, data.mv_size);
        if (transaction >= scrub->newest && data.mv_size >= 8)
            *spared += number_at(data.mv_data, 8);
    }
    mdb_cursor_close(cursor);
    return failed == MDB_NOTFOUND ? 0 : failed;
}

/* Called with the writer locked, so that nothing is taken or given while it works. */
static int scrub_file(void *arg)
{
    struct scrub *scrub = arg;
    MDB_envinfo info;
    MDB_txn *mdb;
    uint64_t spared = 0;
    int failed = mdb_env_info(scrub->env->mdb, &info);
    if (!failed)
        failed = mdb_txn_begin(scrub->env->mdb, NULL, MDB_RDONLY, &mdb);
    if (failed)
        return failed;
    scrub->used = (uint64_t)info.me_last_pgno + 1;
    scrub->newest = scrub->oldest = mdb_txn_id(mdb);
    free(scrub->free);
    scrub->free = calloc(scrub->used, 1);
    failed = scrub->free ? mdb_reader_list(scrub->env->mdb, take_reader, scrub) : ENOMEM;
    if (failed >= 0 && scrub->free)
        failed = mark_free(scrub, mdb, &spared);
    if (!failed)
        failed = scrub_pages(scrub);
    if (!failed)
        scrub->left -= spared < scrub->left ? spared : scrub->left;
    mdb_txn_abort(mdb);
    return failed;
}

/* --- the whole --- */

static int prepare(struct scrub *scrub)
{
    const off_t size = lseek(scrub->fd, 0, SEEK_END);
    if (size < 0)
        return error_system(errno, "cannot see how large the store is");
    scrub->pages = (uint64_t)size / scrub->page;
    scrub->buffer = calloc(2, scrub->page);
    if (!scrub->buffer)
        return error_set(ERR_NOMEM, "no memory to scrub the store");
    scrub->zeros = scrub->buffer + scrub->page;
    return 0;
}

static int with_writer(struct scrub *scrub, int (*work)(void *))
{
    struct env *env = scrub->env;
    pthread_mutex_lock(&env->writer);
    const int failed = env_broken(env) ? 0 : guard_call(work, scrub);
    const bool is_fault = failed == GUARD_FAULT;
    if (is_fault)
        atomic_store(&env->broken, -ERR_CORRUPT);
    pthread_mutex_unlock(&env->writer);
    return failed ? env_error(env, failed, "cannot scrub the store's free pages") : env_broken(env);
}

/* A commit that changes nothing. */
static int age(struct env *env)
{
    struct txn *txn;
    struct slice body;
    struct key key;
    unsigned char copy[64];
    int error = txn_write_begin(&txn, env);
    if (error)
        return error;
    error = txn_get(txn, &body, DB_META, key_meta(&key, "store"));
    if (!error && body.size > sizeof copy)
        error = error_set(ERR_CORRUPT, "the store's own record is larger than any");
    if (error) {
        txn_free(txn);
        return error > 0 ? error_set(ERR_CORRUPT, "the store has no record of itself") : error;
    }
    memcpy(copy, body.data, body.size);
    txn_put(txn, DB_META, key_meta(&key, "store"), (struct slice){copy, body.size});
    return txn_commit(txn);
}

static int scrub_twice(struct scrub *scrub, bool waits)
{
    int error = with_writer(scrub, clear_memory);
    for (int round = 0; round < 2 && !error; round++) {
        error = age(scrub->env);
        if (!error)
            error = with_writer(scrub, scrub_file);
    }
    for (int i = 0; i < TRIES && waits && !error && scrub->left > 0; i++) {
        const struct timespec pause = {.tv_nsec = PAUSE};
        nanosleep(&pause, NULL);
        error = with_writer(scrub, scrub_file);
    }
    return error;
}

int env_scrub(struct env *env, bool waits, uint64_t *left)
{
    struct scrub scrub = {.env = env, .page = env->page};
    int error = env_broken(env);
    if (error)
        return error_set((enum error_code) - error, "the store can't be written since an earlier "
                                                    "failure: open it anew (restart the server)");
    const int failed = mdb_env_get_fd(env->mdb, &scrub.fd);
    error =
        failed ? env_error(env, failed, "cannot scrub the store's free pages") : prepare(&scrub);
    if (!error)
        error = scrub_twice(&scrub, waits);
    free(scrub.free);
    free(scrub.buffer);
    if (!error)
        *left = scrub.left;
    return error;
}
