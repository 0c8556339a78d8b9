/* Transactions: what is put is what is got, in order; what is damaged is said to be. */
#include "tests/unit/store/db_support.h"

#include <pthread.h>
#include <sys/mman.h>

static struct env *open_new(struct fixture *fixture)
{
    struct env *env = NULL;
    assert_int_equal(env_create(fixture->path), 0);
    assert_int_equal(env_open(&env, fixture->path, NULL, NULL), 0);
    return env;
}

static void puts_are_got(void **state)
{
    struct env *env = open_new(*state);
    struct key room;
    struct txn *writer = NULL, *reader = NULL;
    struct slice body = {NULL, 0};
    assert_int_equal(txn_reader_new(&reader, env), 0);
    assert_int_equal(txn_write_begin(&writer, env), 0);
    txn_put(writer, DB_CURRENT, key_current(&room, 1, 2, "PORT"), slice_text("8080"));
    txn_put(writer, DB_CURRENT, key_current(&room, 1, 2, "EMPTY"), slice_text(""));
    assert_int_equal(txn_get(writer, &body, DB_CURRENT, key_current(&room, 1, 2, "PORT")), 0);
    assert_int_equal(body.size, 4);
    assert_int_equal(txn_renew(reader), 0);
    assert_int_equal(txn_get(reader, &body, DB_CURRENT, key_current(&room, 1, 2, "PORT")),
                     TXN_NOT_FOUND);
    assert_int_equal(txn_commit(writer), 0);
    assert_int_equal(txn_renew(reader), 0);
    assert_int_equal(txn_get(reader, &body, DB_CURRENT, key_current(&room, 1, 2, "PORT")), 0);
    assert_memory_equal(body.data, "8080", 4);
    assert_int_equal(txn_get(reader, &body, DB_CURRENT, key_current(&room, 1, 2, "EMPTY")), 0);
    assert_int_equal(body.size, 0);
    assert_int_equal(txn_get(reader, &body, DB_CURRENT, key_current(&room, 1, 3, "PORT")),
                     TXN_NOT_FOUND);
    uint64_t count = 0;
    assert_int_equal(txn_count(reader, &count, DB_CURRENT), 0);
    assert_int_equal(count, 2);
    txn_reset(reader);
    assert_int_equal(txn_get(reader, &body, DB_CURRENT, key_current(&room, 1, 2, "PORT")),
                     ERR(ERR_IO));
    txn_free(reader);
    env_close(env);
}

/* What comes in order goes to the end, and what comes between finds its place, whatever the order.
 */
static void put_in_and_out_of_order(void **state)
{
    enum { COUNT = 5000 };
    struct env *env = open_new(*state);
    struct key room;
    struct txn *txn = NULL;
    struct slice body, found;
    assert_int_equal(txn_write_begin(&txn, env), 0);
    for (unsigned i = 0; i < COUNT; i++) {
        char text[16];
        snprintf(text, sizeof(text), "v%u", i);
        txn_put(txn, DB_HISTORY, key_history(&room, 1, 2 * i, 1), slice_text(text));
        if (i % 7 == 3) /* before the end */
            txn_put(txn, DB_HISTORY, key_history(&room, 1, i + 1, 2), slice_text("between"));
        if (i % 11 == 5) /* again */
            txn_put(txn, DB_HISTORY, key_history(&room, 1, 2 * i, 1), slice_text(text));
        if (i % 1000 == 999) /* the last */
            txn_delete(txn, DB_HISTORY, key_history(&room, 1, 2 * i, 1));
    }
    assert_int_equal(txn_error(txn), 0);
    assert_int_equal(txn_commit(txn), 0);
    assert_int_equal(txn_reader_new(&txn, env), 0);
    assert_int_equal(txn_renew(txn), 0);
    for (unsigned i = 0; i < COUNT; i++) {
        char text[16];
        snprintf(text, sizeof(text), "v%u", i);
        const int got = txn_get(txn, &body, DB_HISTORY, key_history(&room, 1, 2 * i, 1));
        assert_int_equal(got, i % 1000 == 999 ? TXN_NOT_FOUND : 0);
        if (!got)
            assert_memory_equal(body.data, text, body.size);
    }
    uint64_t count = 0, walked = 0;
    struct key last = {.size = 0};
    assert_int_equal(txn_count(txn, &count, DB_HISTORY), 0);
    assert_int_equal(count, COUNT - COUNT / 1000 + (COUNT + 3) / 7);
    while (txn_seek(txn, &found, &body, DB_HISTORY, (struct slice){last.data, last.size}, true) ==
           0) {
        assert_true(!last.size || memcmp(last.data, found.data, found.size) < 0);
        memcpy(last.data, found.data, found.size);
        last.size = found.size;
        walked++;
    }
    assert_int_equal(walked, count);
    txn_free(txn);
    env_close(env);
}

static void freed_writer_changes_nothing(void **state)
{
    struct env *env = open_new(*state);
    struct key room;
    struct txn *txn = NULL;
    struct slice body;
    assert_int_equal(txn_write_begin(&txn, env), 0);
    txn_put(txn, DB_META, key_meta(&room, "head"), slice_text("x"));
    txn_free(txn);
    assert_int_equal(txn_write_begin(&txn, env), 0);
    assert_int_equal(txn_get(txn, &body, DB_META, key_meta(&room, "head")), TXN_NOT_FOUND);
    txn_free(txn);
    env_close(env);
}

static void errors_of_writers_stick(void **state)
{
    struct env *env = open_new(*state);
    struct key room;
    struct txn *txn = NULL;
    struct slice body;
    assert_int_equal(txn_write_begin(&txn, env), 0);
    txn_append(txn, DB_COMMIT, key_commit(&room, 5), slice_text("five"));
    txn_append(txn, DB_COMMIT, key_commit(&room, 4), slice_text("four"));
    assert_int_equal(txn_error(txn), ERR(ERR_CORRUPT));
    assert_int_equal(txn_get(txn, &body, DB_COMMIT, key_commit(&room, 5)), ERR(ERR_CORRUPT));
    assert_int_equal(txn_commit(txn), ERR(ERR_CORRUPT));
    assert_int_equal(txn_write_begin(&txn, env), 0);
    uint64_t count = 1;
    assert_int_equal(txn_count(txn, &count, DB_COMMIT), 0);
    assert_int_equal(count, 0);
    txn_put(txn, DB_META, (struct slice){(const unsigned char *)"", 0}, slice_text("x"));
    assert_int_equal(txn_commit(txn), ERR(ERR_INVALID));
    env_close(env);
}

static void deletes_are_gone_and_absent_is_fine(void **state)
{
    struct env *env = open_new(*state);
    struct key room;
    struct txn *txn = NULL;
    struct slice body;
    write_one(env, DB_META, key_meta(&room, "a"), slice_text("1"));
    assert_int_equal(txn_write_begin(&txn, env), 0);
    txn_delete(txn, DB_META, key_meta(&room, "a"));
    txn_delete(txn, DB_META, key_meta(&room, "never"));
    assert_int_equal(txn_get(txn, &body, DB_META, key_meta(&room, "a")), TXN_NOT_FOUND);
    assert_int_equal(txn_commit(txn), 0);
    env_close(env);
}

enum { WALK = 2000 };

static void fill_walk(struct env *env)
{
    struct txn *txn = NULL;
    assert_int_equal(txn_write_begin(&txn, env), 0);
    for (uint64_t rev = 1; rev <= WALK; rev++) {
        struct key room;
        uint64_t body = rev * 7;
        txn_append(txn, DB_COMMIT, key_commit(&room, rev * 2),
                   (struct slice){(const unsigned char *)&body, sizeof(body)});
    }
    assert_int_equal(txn_commit(txn), 0);
}

static void check_walk(struct txn *txn)
{
    struct key from = {.size = 0};
    struct slice key = {from.data, 0}, body;
    uint64_t rev = 0, expected = 0;
    int result;
    while ((result = txn_seek(txn, &key, &body, DB_COMMIT, key, true)) == 0) {
        expected += 2;
        assert_int_equal(key_commit_parse(key, &rev), 0);
        assert_int_equal(rev, expected);
        assert_int_equal(body.size, 8);
        memcpy(from.data, key.data, key.size);
        key = (struct slice){from.data, key.size};
    }
    assert_int_equal(result, TXN_NOT_FOUND);
    assert_int_equal(expected, 2 * WALK);
}

static void walks_meet_all_in_order(void **state)
{
    struct env *env = open_new(*state);
    struct txn *txn = NULL;
    fill_walk(env);
    assert_int_equal(txn_reader_new(&txn, env), 0);
    for (int i = 0; i < 3; i++) { /* cursors are bound anew by each renewal */
        assert_int_equal(txn_renew(txn), 0);
        check_walk(txn);
    }
    /* and see what was committed in between: the cursor follows the renewal, and only it */
    struct txn *writer = NULL;
    struct key room;
    struct slice found, body;
    assert_int_equal(txn_write_begin(&writer, env), 0);
    for (uint64_t rev = 1; rev <= WALK; rev++)
        txn_delete(writer, DB_COMMIT, key_commit(&room, rev * 2));
    txn_put(writer, DB_COMMIT, key_commit(&room, 9), slice_text("new"));
    assert_int_equal(txn_commit(writer), 0);
    check_walk(txn);
    assert_int_equal(txn_renew(txn), 0);
    assert_int_equal(txn_seek(txn, &found, &body, DB_COMMIT, key_commit(&room, 1), false), 0);
    assert_memory_equal(body.data, "new", 3);
    assert_int_equal(txn_seek(txn, &found, &body, DB_COMMIT, key_commit(&room, 9), true),
                     TXN_NOT_FOUND);
    txn_free(txn);
    env_close(env);
}

/* A cursor that stands on a page of the old revision takes no step on it in the new one. */
static void walks_go_on_in_the_new_revision(void **state)
{
    struct env *env = open_new(*state);
    struct txn *txn = NULL;
    struct key room;
    struct slice found, body;
    fill_walk(env);
    assert_int_equal(txn_reader_new(&txn, env), 0);
    for (uint64_t i = 0; i < 20; i++) {
        assert_int_equal(txn_renew(txn), 0);
        assert_int_equal(txn_seek(txn, &found, &body, DB_COMMIT, key_commit(&room, 10), false), 0);
        write_one(env, DB_COMMIT, key_commit(&room, 12),
                  (struct slice){(const unsigned char *)&i, sizeof(i)});
        txn_reset(txn);
        assert_int_equal(txn_renew(txn), 0);
        assert_int_equal(txn_seek(txn, &found, &body, DB_COMMIT, key_commit(&room, 10), true), 0);
        assert_int_equal(body.size, sizeof(i));
        assert_memory_equal(body.data, &i, sizeof(i));
    }
    txn_free(txn);
    env_close(env);
}

static void writers_walk_what_they_change(void **state)
{
    struct env *env = open_new(*state);
    struct txn *txn = NULL;
    fill_walk(env);
    assert_int_equal(txn_write_begin(&txn, env), 0);
    check_walk(txn);
    struct key from = {.size = 0};
    struct slice key = {from.data, 0}, body;
    size_t left = 0;
    while (txn_seek(txn, &key, &body, DB_COMMIT, key, true) == 0) {
        memcpy(from.data, key.data, key.size);
        key = (struct slice){from.data, key.size};
        txn_delete(txn, DB_COMMIT, key);
        left++;
    }
    assert_int_equal(left, WALK);
    uint64_t count = 1;
    assert_int_equal(txn_count(txn, &count, DB_COMMIT), 0);
    assert_int_equal(count, 0);
    assert_int_equal(txn_commit(txn), 0);
    env_close(env);
}

static uint64_t seek_rev(struct txn *txn, uint64_t from, bool back, bool strictly)
{
    struct key room;
    struct slice found, body;
    uint64_t rev = 0;
    struct slice key = key_commit(&room, from);
    int result = back ? txn_seek_back(txn, &found, &body, DB_COMMIT, key)
                      : txn_seek(txn, &found, &body, DB_COMMIT, key, strictly);
    if (result == TXN_NOT_FOUND)
        return 0;
    assert_int_equal(result, 0);
    assert_int_equal(key_commit_parse(found, &rev), 0);
    return rev;
}

static void seeks_find_neighbours(void **state)
{
    struct env *env = open_new(*state);
    struct txn *txn = NULL;
    fill_walk(env);
    assert_int_equal(txn_reader_new(&txn, env), 0);
    assert_int_equal(txn_renew(txn), 0);
    assert_int_equal(seek_rev(txn, 10, false, false), 10);
    assert_int_equal(seek_rev(txn, 10, false, true), 12);
    assert_int_equal(seek_rev(txn, 11, false, false), 12);
    assert_int_equal(seek_rev(txn, 2 * WALK, false, true), 0);
    assert_int_equal(seek_rev(txn, 10, true, false), 10);
    assert_int_equal(seek_rev(txn, 11, true, false), 10);
    assert_int_equal(seek_rev(txn, UINT64_MAX, true, false), 2 * WALK);
    assert_int_equal(seek_rev(txn, 1, true, false), 0);
    txn_free(txn);
    env_close(env);
}

/* Two walks and look-ups anywhere in one database, in turn: none of them disturbs another. Records
 * stand at the even revisions up to 2 * WALK. */
static void walks_go_on_side_by_side(void **state)
{
    struct env *env = open_new(*state);
    struct txn *txn = NULL;
    uint64_t low = 0, high = WALK, other = 1;
    fill_walk(env);
    assert_int_equal(txn_reader_new(&txn, env), 0);
    assert_int_equal(txn_renew(txn), 0);
    while (high < 2 * WALK) {
        struct key room;
        struct slice body;
        assert_int_equal(seek_rev(txn, low, false, true), low + 2);
        assert_int_equal(seek_rev(txn, high, false, true), high + 2);
        low += 2;
        high += 2;
        other = (other * 7919 + 13) % (2 * WALK) + 1;
        const int found = txn_get(txn, &body, DB_COMMIT, key_commit(&room, other));
        assert_int_equal(found, other % 2 == 0 ? 0 : TXN_NOT_FOUND);
        if (found == 0)
            assert_memory_equal(body.data, &(uint64_t){other / 2 * 7}, sizeof(uint64_t));
        assert_int_equal(seek_rev(txn, other, true, false), other / 2 * 2);
    }
    assert_int_equal(seek_rev(txn, high, false, true), 0);
    assert_int_equal(seek_rev(txn, low, false, true), low + 2);
    txn_free(txn);
    env_close(env);
}

/* The offset of text in the file, so that a test can damage just that. */
static off_t find_in_file(const char *path, const char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    assert_int_equal(fstat(fd, &info), 0);
    unsigned char *map = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    assert_ptr_not_equal(map, MAP_FAILED);
    unsigned char *at = memmem(map, (size_t)info.st_size, text, size);
    assert_non_null(at);
    off_t offset = at - map;
    munmap(map, (size_t)info.st_size);
    close(fd);
    return offset;
}

static void flip(const char *path, off_t offset, unsigned char bit)
{
    unsigned char byte;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(pread(fd, &byte, 1, offset), 1);
    byte ^= (unsigned char)(1u << bit);
    assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
    close(fd);
}

static void count_alarm(void *arg, const char *text)
{
    assert_non_null(strstr(text, "does not match its hash"));
    ++*(int *)arg;
}

static void flipped_body_is_corrupt(void **state)
{
    struct fixture *fixture = *state;
    struct env *env = NULL;
    struct key room;
    struct txn *txn = NULL;
    struct slice body = {NULL, 0}, found;
    int alarms = 0;
    assert_int_equal(env_create(fixture->path), 0);
    assert_int_equal(env_open(&env, fixture->path, count_alarm, &alarms), 0);
    write_one(env, DB_VALUE, key_operation(&room, 1, 1), slice_text("another"));
    write_one(env, DB_VALUE, key_operation(&room, 1, 0), slice_text("the value to be damaged"));
    off_t offset = find_in_file(fixture->data, "to be damaged", 13);
    flip(fixture->data, offset, 3);
    assert_int_equal(txn_reader_new(&txn, env), 0);
    assert_int_equal(txn_renew(txn), 0);
    assert_int_equal(txn_get(txn, &body, DB_VALUE, key_operation(&room, 1, 0)), ERR(ERR_CORRUPT));
    assert_null(body.data);
    assert_int_equal(alarms, 1);
    assert_int_equal(env_alarms(env), 1);
    /* the rest can be read, and a walk goes on behind the damage */
    assert_int_equal(txn_get(txn, &body, DB_VALUE, key_operation(&room, 1, 1)), 0);
    assert_int_equal(txn_seek(txn, &found, &body, DB_VALUE, key_operation(&room, 1, 0), false),
                     ERR(ERR_CORRUPT));
    assert_int_equal(txn_seek(txn, &found, &body, DB_VALUE, found, true), 0);
    assert_memory_equal(body.data, "another", 7);
    flip(fixture->data, offset, 3);
    assert_int_equal(txn_get(txn, &body, DB_VALUE, key_operation(&room, 1, 0)), 0);
    txn_free(txn);
    env_close(env);
}

static void record_moved_to_another_key_is_corrupt(void **state)
{
    struct fixture *fixture = *state;
    struct env *env = open_new(fixture);
    struct key room;
    struct txn *txn = NULL;
    struct slice body;
    write_one(env, DB_META, key_meta(&room, "first-name-here"), slice_text("x"));
    flip(fixture->data, find_in_file(fixture->data, "first-name-here", 15) + 14, 0);
    assert_int_equal(txn_reader_new(&txn, env), 0);
    assert_int_equal(txn_renew(txn), 0);
    assert_int_equal(txn_get(txn, &body, DB_META, key_meta(&room, "first-name-herd")),
                     ERR(ERR_CORRUPT));
    txn_free(txn);
    env_close(env);
}

static void truncation_while_open_is_caught(void **state)
{
    struct fixture *fixture = *state;
    struct env *env = open_new(fixture);
    struct key room;
    struct txn *txn = NULL;
    struct slice body;
    struct stat info;
    fill_walk(env);
    assert_int_equal(txn_reader_new(&txn, env), 0);
    assert_int_equal(stat(fixture->data, &info), 0);
    assert_int_equal(truncate(fixture->data, 8192), 0);
    assert_int_equal(txn_renew(txn), 0);
    assert_int_equal(txn_get(txn, &body, DB_COMMIT, key_commit(&room, 10)), ERR(ERR_CORRUPT));
    assert_int_equal(txn_renew(txn), 0);
    assert_int_equal(txn_seek(txn, &body, &body, DB_COMMIT, key_commit(&room, 10), false),
                     ERR(ERR_CORRUPT));
    assert_true(env_alarms(env) >= 2);
    txn_free(txn);
    /* a writer that meets it ends all writing, with a reason, and hangs nobody */
    assert_int_equal(txn_write_begin(&txn, env), 0);
    txn_put(txn, DB_COMMIT, key_commit(&room, 1), slice_text("x"));
    assert_int_equal(txn_commit(txn), ERR(ERR_CORRUPT));
    assert_int_equal(txn_write_begin(&txn, env), ERR(ERR_CORRUPT));
    assert_int_equal(env_broken(env), ERR(ERR_CORRUPT));
    env_close(env);
}

/* One bit of the file flipped, everything read: what comes is right, absent, or an error. */
static void read_all_of(const char *path, size_t *right, size_t *failed)
{
    struct env *env = NULL;
    struct txn *txn = NULL;
    if (env_open(&env, path, NULL, NULL)) {
        ++*failed;
        return;
    }
    assert_int_equal(txn_reader_new(&txn, env), 0);
    if (txn_renew(txn)) {
        ++*failed;
    } else {
        for (uint64_t rev = 2; rev <= 2 * WALK; rev += 2) {
            struct key room;
            struct slice body;
            int result = txn_get(txn, &body, DB_COMMIT, key_commit(&room, rev));
            if (result == 0) {
                uint64_t value = rev / 2 * 7;
                assert_int_equal(body.size, sizeof(value));
                assert_memory_equal(body.data, &value, sizeof(value));
                ++*right;
            } else {
                if (result != TXN_NOT_FOUND && result != ERR(ERR_CORRUPT))
                    fail_msg("%d: %s", result, error_text());
                ++*failed;
            }
        }
    }
    txn_free(txn);
    env_close(env);
}

static void no_flipped_bit_gives_wrong_data(void **state)
{
    struct fixture *fixture = *state;
    struct env *env = open_new(fixture);
    uint64_t file = 0, used = 0;
    fill_walk(env);
    env_usage(env, &file, &used);
    env_close(env);
    unsigned seed = (unsigned)getpid();
    const char *given = getenv("EMSA_TEST_SEED");
    if (given)
        seed = (unsigned)strtoul(given, NULL, 10);
    print_message("seed %u (EMSA_TEST_SEED)\n", seed);
    unsigned short numbers[3] = {(unsigned short)seed, (unsigned short)(seed >> 16), 1};
    size_t right = 0, failed = 0;
    for (int i = 0; i < 150; i++) {
        off_t offset = (off_t)((uint64_t)nrand48(numbers) % used);
        unsigned char bit = (unsigned char)(nrand48(numbers) % 8);
        flip(fixture->data, offset, bit);
        read_all_of(fixture->path, &right, &failed);
        flip(fixture->data, offset, bit);
    }
    print_message("%zu right, %zu refused or absent\n", right, failed);
    assert_true(right > 0);
    assert_true(failed > 0);
}

enum { READS = 20000, THREADS = 3 };

static void *read_on(void *arg)
{
    struct txn *txn = NULL;
    uint64_t bad = 0;
    if (txn_reader_new(&txn, arg))
        return (void *)1;
    for (int i = 0; i < READS; i++) {
        struct key room;
        struct slice a, b;
        /* both records change together: a snapshot shows them equal */
        if (txn_renew(txn) || txn_get(txn, &a, DB_META, key_meta(&room, "a")) ||
            txn_get(txn, &b, DB_META, key_meta(&room, "b")) || a.size != 8 || b.size != 8 ||
            memcmp(a.data, b.data, 8) != 0)
            bad++;
        txn_reset(txn);
    }
    txn_free(txn);
    return bad ? (void *)1 : NULL;
}

static void write_pair(struct env *env, uint64_t number)
{
    struct key room;
    struct txn *txn = NULL;
    struct slice body = {(const unsigned char *)&number, sizeof(number)};
    assert_int_equal(txn_write_begin(&txn, env), 0);
    txn_put(txn, DB_META, key_meta(&room, "a"), body);
    txn_put(txn, DB_META, key_meta(&room, "b"), body);
    assert_int_equal(txn_commit(txn), 0);
}

static void readers_beside_a_writer_see_whole_commits(void **state)
{
    struct env *env = open_new(*state);
    pthread_t threads[THREADS];
    write_pair(env, 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, env), 0);
    for (uint64_t number = 1; number <= 200; number++)
        write_pair(env, number);
    for (int i = 0; i < THREADS; i++) {
        void *bad = NULL;
        pthread_join(threads[i], &bad);
        assert_null(bad);
    }
    env_close(env);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(puts_are_got),
        WITH(put_in_and_out_of_order),
        WITH(freed_writer_changes_nothing),
        WITH(errors_of_writers_stick),
        WITH(deletes_are_gone_and_absent_is_fine),
        WITH(walks_meet_all_in_order),
        WITH(walks_go_on_in_the_new_revision),
        WITH(writers_walk_what_they_change),
        WITH(seeks_find_neighbours),
        WITH(walks_go_on_side_by_side),
        WITH(flipped_body_is_corrupt),
        WITH(record_moved_to_another_key_is_corrupt),
        WITH(truncation_while_open_is_caught),
        WITH(no_flipped_bit_gives_wrong_data),
        WITH(readers_beside_a_writer_see_whole_commits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
