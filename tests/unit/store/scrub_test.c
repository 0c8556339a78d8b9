/* Of what was deleted or replaced nothing is in the file, nor comes back with what is written
 * later; what is there is all there. */
#include "tests/unit/store/db_support.h"

#include "tests/support/store/dice.h"
#include "tests/support/store/trial.h"

#define RECORDS 400u
#define SIZE_MAX_HERE 12000u

struct book { /* what each record holds now: a number that is used once; 0: it is not there */
    uint32_t now[RECORDS];
    size_t sizes[RECORDS];
    uint32_t last;
    struct dice dice;
};

#define MARK_SIZE 16u

/* A record says its number again and again. */
static size_t fill(unsigned char *out, size_t size, uint32_t number)
{
    for (size_t at = 0; at < size; at += MARK_SIZE) {
        char mark[MARK_SIZE + 1];
        snprintf(mark, sizeof mark, "<mark%010u>", number);
        memcpy(out + at, mark, size - at < MARK_SIZE ? size - at : MARK_SIZE);
    }
    return size;
}

static void change(struct book *book, struct env *env, unsigned count)
{
    static unsigned char body[SIZE_MAX_HERE];
    struct txn *txn;
    struct key key;
    assert_int_equal(env_make_room(env, (size_t)count * SIZE_MAX_HERE), 0);
    assert_int_equal(txn_write_begin(&txn, env), 0);
    for (unsigned i = 0; i < count; i++) {
        const uint32_t at = (uint32_t)dice_roll(&book->dice, RECORDS);
        const unsigned kind = (unsigned)dice_roll(&book->dice, 5);
        if (kind == 0) {
            txn_delete(txn, DB_VALUE, key_operation(&key, at + 1, 0));
            book->now[at] = 0;
            continue;
        }
        book->sizes[at] = kind < 3 ? 16 + dice_roll(&book->dice, 200)
                                   : 16 + dice_roll(&book->dice, SIZE_MAX_HERE - 16);
        book->now[at] = ++book->last;
        txn_put(txn, DB_VALUE, key_operation(&key, at + 1, 0),
                (struct slice){body, fill(body, book->sizes[at], book->now[at])});
    }
    assert_int_equal(txn_commit(txn), 0);
}

static void all_there(const struct book *book, struct env *env)
{
    static unsigned char wanted[SIZE_MAX_HERE];
    struct txn *txn;
    struct key key;
    assert_int_equal(txn_reader_new(&txn, env), 0);
    assert_int_equal(txn_renew(txn), 0);
    for (uint32_t at = 0; at < RECORDS; at++) {
        struct slice body;
        const int found = txn_get(txn, &body, DB_VALUE, key_operation(&key, at + 1, 0));
        assert_int_equal(found, book->now[at] ? 0 : TXN_NOT_FOUND);
        if (found)
            continue;
        assert_int_equal(body.size, fill(wanted, book->sizes[at], book->now[at]));
        assert_memory_equal(body.data, wanted, body.size);
    }
    txn_free(txn);
}

static bool is_there(const struct book *book, uint32_t number)
{
    for (uint32_t at = 0; at < RECORDS; at++)
        if (book->now[at] == number)
            return true;
    return false;
}

/* How many whole marks of numbers up to last the file has that the book does not. */
static unsigned count_stale(const struct book *book, const char *file, uint32_t last)
{
    unsigned stale = 0;
    struct stat info;
    const int fd = open(file, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &info), 0);
    const size_t size = (size_t)info.st_size;
    char *bytes = malloc(size);
    assert_int_equal(read(fd, bytes, size), size);
    close(fd);
    const char *end = bytes + size;
    /* By single bytes: ThreadSanitizer looks at all that memmem may, for each that it finds. */
    for (const char *at = bytes; (at = memchr(at, '<', (size_t)(end - at))); at++) {
        char digits[11] = "";
        const bool is_whole = (size_t)(end - at) >= MARK_SIZE && memcmp(at, "<mark", 5) == 0 &&
                              at[MARK_SIZE - 1] == '>';
        memcpy(digits, at + 5, is_whole ? 10 : 0);
        const uint32_t number = (uint32_t)strtoul(digits, NULL, 10);
        if (strspn(digits, "0123456789") == 10 && number <= last && !is_there(book, number))
            stale++;
    }
    free(bytes);
    return stale;
}

static struct env *begin(const struct fixture *fixture, struct book *book, uint64_t seed)
{
    struct env *env;
    struct txn *txn;
    struct key key;
    *book = (struct book){.last = 0};
    book->dice = dice_new(seed);
    assert_int_equal(env_create(fixture->path), 0);
    assert_int_equal(env_open(&env, fixture->path, NULL, NULL), 0);
    assert_int_equal(txn_write_begin(&txn, env), 0);
    txn_put(txn, DB_META, key_meta(&key, "store"), slice_text("itself"));
    assert_int_equal(txn_commit(txn), 0);
    return env;
}

static void nothing_is_left(void **state)
{
    struct fixture *fixture = *state;
    struct book book;
    uint64_t left;
    struct env *env = begin(fixture, &book, 1);
    for (unsigned round = 0; round < 6; round++) {
        for (unsigned i = 0; i < 10 + trial_scaled(20); i++)
            change(&book, env, 1 + (unsigned)dice_roll(&book.dice, 20));
        assert_true(count_stale(&book, fixture->data, UINT32_MAX) > 0);
        assert_int_equal(env_scrub(env, true, &left), 0);
        assert_int_equal(left, 0);
        assert_int_equal(count_stale(&book, fixture->data, UINT32_MAX), 0);
        all_there(&book, env);
        assert_int_equal(env_alarms(env), 0);
    }
    env_close(env);
    assert_int_equal(env_open(&env, fixture->path, NULL, NULL), 0);
    all_there(&book, env);
    env_close(env);
}

/* Pages that LMDB kept in memory are written again, with what was in them. */
static void nothing_comes_back(void **state)
{
    struct fixture *fixture = *state;
    struct book book, before;
    uint64_t left;
    struct env *env = begin(fixture, &book, 2);
    change(&book, env, 300); /* many pages of it stay in memory while little is written */
    for (unsigned i = 0; i < 50 + trial_scaled(550); i++)
        change(&book, env, 1);
    assert_int_equal(env_scrub(env, true, &left), 0);
    before = book;
    change(&book, env, 300);
    /* What was there when it was scrubbed, or came after, may be anywhere. */
    assert_int_equal(count_stale(&before, fixture->data, before.last), 0);
    all_there(&book, env);
    env_close(env);
}

static void readers_keep_what_they_see(void **state)
{
    struct fixture *fixture = *state;
    struct book book, then;
    struct txn *reader;
    struct slice body;
    struct key key;
    uint64_t left;
    struct env *env = begin(fixture, &book, 3);
    for (unsigned i = 0; i < 20; i++)
        change(&book, env, 20);
    then = book;
    assert_int_equal(txn_reader_new(&reader, env), 0);
    assert_int_equal(txn_renew(reader), 0);
    for (unsigned i = 0; i < 20; i++)
        change(&book, env, 20);
    assert_int_equal(env_scrub(env, false, &left), 0);
    assert_true(left > 0);
    for (uint32_t at = 0; at < RECORDS; at++) {
        static unsigned char wanted[SIZE_MAX_HERE];
        const int found = txn_get(reader, &body, DB_VALUE, key_operation(&key, at + 1, 0));
        assert_int_equal(found, then.now[at] ? 0 : TXN_NOT_FOUND);
        if (!found)
            assert_int_equal(body.size, fill(wanted, then.sizes[at], then.now[at]));
        if (!found)
            assert_memory_equal(body.data, wanted, body.size);
    }
    txn_reset(reader);
    assert_int_equal(env_scrub(env, true, &left), 0);
    assert_int_equal(left, 0);
    assert_int_equal(count_stale(&book, fixture->data, UINT32_MAX), 0);
    all_there(&book, env);
    txn_free(reader);
    env_close(env);
}

/* A page that is none: nothing is written over that might be somebody's. */
static void damage_stops_it(void **state)
{
    struct fixture *fixture = *state;
    struct book book;
    uint64_t left = 7, file, used;
    struct env *env = begin(fixture, &book, 4);
    change(&book, env, 50);
    env_usage(env, &file, &used);
    const int fd = open(fixture->data, O_RDWR | O_CLOEXEC);
    for (off_t at = 2 * 4096; at < (off_t)used; at += 4096)
        assert_int_equal(pwrite(fd, "\xff\xff\xff", 3, at), 3);
    close(fd);
    assert_int_equal(env_scrub(env, true, &left), ERR(ERR_CORRUPT));
    assert_int_equal(left, 7);
    env_close(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_left, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(nothing_comes_back, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(readers_keep_what_they_see, make_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(damage_stops_it, make_directory, remove_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
