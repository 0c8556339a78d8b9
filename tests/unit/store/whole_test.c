/* The seal of the whole, in the database: that it follows every write, and what it tells of records
 * that somebody else changed, dropped, or damaged. */
#include "tests/unit/store/db_support.h"

#include <lmdb.h>
#include <sys/wait.h>

#include "store/crypto/hash.h"
#include "store/crypto/whole_many.h"
#include "store/db/whole.h"
#include "store/secret.h"
#include "tests/support/store/dice.h"

static const uint8_t one_key[WHOLE_KEY_SIZE] = "the key of a pin, 32 bytes of it";
static const uint8_t other_key[WHOLE_KEY_SIZE] = "the key of another pin, 32 bytes";

static struct env *open_env(const struct fixture *fixture, const uint8_t *key)
{
    struct env *env;
    assert_int_equal(env_open(&env, fixture->path, NULL, NULL), 0);
    if (key)
        assert_int_equal(env_whole_key(env, key), 0);
    return env;
}

static struct whole_finding look(struct env *env)
{
    struct whole_finding found;
    assert_int_equal(env_whole_look(env, &found, true), 0);
    return found;
}

static void expect_whole(struct env *env)
{
    const struct whole_finding found = look(env);
    assert_string_equal(found.unsound, "");
    assert_true(found.is_sound);
    assert_int_equal(found.seal, SEAL_OWN);
    assert_true(found.names_agree && found.records_agree && !found.is_unsure);
    assert_int_equal(found.damaged, 0);
}

static void put(struct txn *txn, enum database database, unsigned number, size_t size)
{
    static unsigned char body[3 * 4096];
    unsigned char key[8] = {0, 0, 0, 0, 0, 0, (unsigned char)(number >> 8), (unsigned char)number};
    memset(body, (int)number, size);
    txn_put(txn, database, (struct slice){key, sizeof key}, (struct slice){body, size});
}

static void drop(struct txn *txn, enum database database, unsigned number)
{
    unsigned char key[8] = {0, 0, 0, 0, 0, 0, (unsigned char)(number >> 8), (unsigned char)number};
    txn_delete(txn, database, (struct slice){key, sizeof key});
}

static void begin(void **state, struct env **env)
{
    struct txn *txn;
    struct fixture *fixture = *state;
    assert_int_equal(env_create(fixture->path), 0);
    *env = open_env(fixture, one_key);
    assert_int_equal(env_whole_state(*env), WHOLE_UNSURE);
    assert_int_equal(env_whole_seal(*env), 0);
    assert_int_equal(env_whole_state(*env), WHOLE_SEALED);
    assert_int_equal(txn_write_begin(&txn, *env), 0);
    txn_put(txn, DB_META, slice_text("head"), slice_text("here"));
    for (unsigned i = 0; i < 400; i++) /* in order: some by way of the tail */
        put(txn, DB_LOG, 2 * i + 1, 40 + i % 100);
    put(txn, DB_VALUE, 2, 9000);
    assert_int_equal(txn_commit(txn), 0);
    expect_whole(*env);
}

static void test_it_follows(void **state)
{
    struct env *env;
    struct txn *txn;
    struct dice dice = dice_new(dice_seed());
    begin(state, &env);
    for (int round = 0; round < 60; round++) {
        assert_int_equal(txn_write_begin(&txn, env), 0);
        for (int i = 0; i < 30; i++) {
            const enum database database = dice_once_in(&dice, 3) ? DB_CURRENT : DB_LOG;
            const unsigned number = (unsigned)dice_roll(&dice, 900);
            if (dice_once_in(&dice, 3))
                drop(txn, database, number);
            else
                put(txn, database, number, dice_roll(&dice, dice_once_in(&dice, 9) ? 9000 : 200));
        }
        if (dice_once_in(&dice, 5))
            txn_free(txn);
        else
            assert_int_equal(txn_commit(txn), 0);
        expect_whole(env);
        if (round % 20 == 0) {
            env_close(env);
            env = open_env(*state, one_key);
            const struct whole_finding found = look(env);
            if (round % 40 == 0)
                assert_true(env_whole_resume(env));
            else
                env_whole_trust(env, &found);
            assert_int_equal(env_whole_state(env), WHOLE_SEALED);
        }
    }
    env_close(env);
}

static void test_other_keys(void **state)
{
    struct env *env;
    begin(state, &env);
    env_close(env);
    env = open_env(*state, other_key);
    assert_false(env_whole_resume(env));
    assert_int_equal(env_whole_state(env), WHOLE_UNSURE);
    assert_int_equal(look(env).seal, SEAL_OTHERS);
    env_close(env);
    /* Without a key: what is there stays until something is written, and goes then. */
    env = open_env(*state, NULL);
    assert_int_equal(env_whole_state(env), WHOLE_OFF);
    assert_int_equal(look(env).seal, SEAL_OTHERS);
    write_one(env, DB_TAG, slice_text("a"), slice_text("b"));
    assert_int_equal(look(env).seal, SEAL_NONE);
    env_close(env);
}

/* --- in other hands --- */

#define EDIT_DROP 1
#define EDIT_FORGE 2

/* Through LMDB alone, the hash made right. */
static void edit(const char *path, unsigned what)
{
    MDB_env *mdb;
    MDB_txn *txn;
    MDB_dbi handle;
    unsigned char bytes[8] = {0, 0, 0, 0, 0, 0, 0, 31}, body[2 + RECORD_HASH_SIZE] = "no";
    MDB_val key = {.mv_size = 8, .mv_data = bytes}, record = {sizeof body, body};
    hash_record(body + 2, "log", bytes, 8, body, 2);
    assert_int_equal(mdb_env_create(&mdb), 0);
    assert_int_equal(mdb_env_set_maxdbs(mdb, DB_COUNT), 0);
    assert_int_equal(mdb_env_open(mdb, path, MDB_NOLOCK, 0600), 0);
    assert_int_equal(mdb_txn_begin(mdb, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "log", 0, &handle), 0);
    assert_int_equal(what == EDIT_DROP ? mdb_del(txn, handle, &key, NULL)
                                       : mdb_put(txn, handle, &key, &record, 0),
                     0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(mdb);
}

static void test_edits(void **state)
{
    struct fixture *fixture = *state;
    struct env *env;
    begin(state, &env);
    env_close(env);
    edit(fixture->path, EDIT_FORGE);
    env = open_env(fixture, one_key);
    struct whole_finding found = look(env);
    assert_true(found.is_sound && !found.damaged && found.names_agree && !found.records_agree);
    env_close(env);
    edit(fixture->path, EDIT_DROP);
    env = open_env(fixture, one_key);
    found = look(env);
    assert_true(found.is_sound && !found.damaged && !found.names_agree && !found.records_agree);
    env_close(env);
}

/* While it is open: nobody reads what is there then, and nobody writes. */
static void test_a_foreign_writer(void **state)
{
    struct fixture *fixture = *state;
    struct env *env;
    struct txn *reader, *txn;
    int ready[2];
    char byte = 0;
    assert_int_equal(pipe(ready), 0);
    const pid_t child = fork(); /* before the environment is opened */
    if (child == 0) {
        close(ready[1]);
        if (read(ready[0], &byte, 1) == 1)
            edit(fixture->path, EDIT_FORGE);
        _exit(0);
    }
    assert_true(child > 0);
    begin(state, &env);
    assert_int_equal(txn_reader_new(&reader, env), 0);
    assert_int_equal(txn_renew(reader), 0);
    assert_int_equal(write(ready[1], &byte, 1), 1);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(txn_renew(reader), ERR(ERR_CORRUPT));
    assert_non_null(strstr(error_text(), "somebody else"));
    assert_true(env_alarms(env) > 0);
    assert_int_equal(txn_write_begin(&txn, env), ERR(ERR_CORRUPT));
    assert_int_equal(env_broken(env), ERR(ERR_CORRUPT));
    txn_free(reader);
    env_close(env);
    close(ready[0]);
    close(ready[1]);
}

/* Flips a bit of the record (2, of 9000 bytes) or one beside its body, that many bytes from the
 * beginning of the body. */
static void spoil(const struct fixture *fixture, long at)
{
    static unsigned char data[1 << 22];
    const int fd = open(fixture->data, O_RDWR | O_CLOEXEC);
    const ssize_t size = pread(fd, data, sizeof data, 0);
    unsigned char run[64];
    memset(run, 2, sizeof run);
    const unsigned char *found = memmem(data, (size_t)size, run, sizeof run);
    assert_non_null(found);
    const off_t place = found - data + at;
    const unsigned char byte = data[place] ^ 4;
    assert_int_equal(pwrite(fd, &byte, 1, place), 1);
    close(fd);
}

static void test_damage(void **state)
{
    struct fixture *fixture = *state;
    struct env *env;
    struct txn *txn;
    begin(state, &env);
    env_close(env);
    /* In the body, and then in the hash of another time: it is known which of both was hit. */
    for (int i = 0; i < 2; i++) {
        spoil(fixture, i ? 9000 + 3 : 500);
        env = open_env(fixture, one_key);
        const struct whole_finding found = look(env);
        assert_true(found.is_sound && found.names_agree && found.records_agree);
        assert_int_equal(found.damaged, 1);
        assert_false(found.is_log_damaged);
        if (i == 0) {
            env_close(env);
            spoil(fixture, 500);
            continue;
        }
        /* Whoever replaces it doesn't know what it was, and says so. */
        env_whole_trust(env, &found);
        assert_int_equal(txn_write_begin(&txn, env), 0);
        put(txn, DB_VALUE, 2, 100);
        assert_int_equal(txn_commit(txn), 0);
        assert_int_equal(env_whole_state(env), WHOLE_UNSURE);
        write_one(env, DB_TAG, slice_text("a"), slice_text("b"));
        env_close(env);
        env = open_env(fixture, one_key);
        const struct whole_finding later = look(env);
        assert_true(later.is_sound && later.is_unsure && !later.names_agree && !later.damaged);
        assert_int_equal(env_whole_seal(env), 0);
        expect_whole(env);
        env_close(env);
    }
}

/* A page that says it is shorter than its own head: LMDB looks through it for ever. */
static void test_an_endless_page(void **state)
{
    static const uint8_t lower[2] = {3, 0};
    const struct fixture *fixture = *state;
    unsigned char page[4096];
    struct env *env;
    begin(state, &env);
    env_close(env);
    const int fd = open(fixture->data, O_RDWR | O_CLOEXEC);
    for (off_t at = 2 * 4096; pread(fd, page, sizeof page, at) == sizeof page; at += 4096)
        if (page[10] == 2 && !memmem(page, sizeof page, "reference", 9)) /* a leaf, not the list */
            assert_int_equal(pwrite(fd, lower, sizeof lower, at + 12), sizeof lower);
    env = open_env(fixture, one_key);
    const struct whole_finding found = look(env);
    assert_false(found.is_sound);
    env_close(env);
    for (off_t at = 2 * 4096; pread(fd, page, sizeof page, at) == sizeof page; at += 4096)
        if (page[10] == 2)
            assert_int_equal(pwrite(fd, lower, sizeof lower, at + 12), sizeof lower);
    close(fd);
    assert_int_equal(env_open(&env, fixture->path, NULL, NULL), -ERR_CORRUPT);
}

/* Each head says that the list of free pages may have a key twice: that reads well, and no more. */
static void test_another_head(void **state)
{
    static const uint8_t twice[2] = {8 | 4, 0}, once[2] = {8, 0};
    const struct fixture *fixture = *state;
    struct env *env;
    begin(state, &env);
    env_close(env);
    const int fd = open(fixture->data, O_RDWR | O_CLOEXEC);
    for (off_t at = 0; at < 2 * 4096; at += 4096)
        assert_int_equal(pwrite(fd, twice, sizeof twice, at + 44), sizeof twice);
    env = open_env(fixture, one_key);
    assert_false(look(env).is_sound);
    env_close(env);
    for (off_t at = 0; at < 2 * 4096; at += 4096)
        assert_int_equal(pwrite(fd, once, sizeof once, at + 44), sizeof once);
    close(fd);
    env = open_env(fixture, one_key);
    assert_true(look(env).is_sound);
    env_close(env);
}

static void test_damaged_keys(void **state)
{
    struct fixture *fixture = *state;
    struct env *env;
    begin(state, &env);
    struct txn *txn;
    assert_int_equal(txn_write_begin(&txn, env), 0);
    txn_put(txn, DB_TAG, slice_text("a key of a tag"), slice_text("a body of a tag"));
    assert_int_equal(txn_commit(txn), 0);
    env_close(env);
    static unsigned char data[1 << 22];
    const int fd = open(fixture->data, O_RDWR | O_CLOEXEC);
    const ssize_t size = pread(fd, data, sizeof data, 0);
    const unsigned char *found = memmem(data, (size_t)size, "a key of a tag", 14);
    assert_non_null(found);
    assert_int_equal(pwrite(fd, "A", 1, found - data + 6), 1);
    close(fd);
    env = open_env(fixture, one_key);
    const struct whole_finding finding = look(env);
    assert_true(finding.is_sound && finding.damaged == 1 && !finding.names_agree);
    env_close(env);
}

/* What separates two pages is another: a walk still meets every record, a look-up misses some. */
static void test_a_lost_page(void **state)
{
    const struct fixture *fixture = *state;
    unsigned char page[4096];
    struct env *env;
    unsigned spoilt = 0;
    begin(state, &env);
    env_close(env);
    const int fd = open(fixture->data, O_RDWR | O_CLOEXEC);
    for (off_t at = 2 * 4096; pread(fd, page, sizeof page, at) == sizeof page; at += 4096) {
        if (page[10] != 1)
            continue;
        const off_t node = page[18] | page[19] << 8; /* the second */
        const unsigned char last = page[node + 8 + 7] + 2;
        assert_int_equal(pwrite(fd, &last, 1, at + node + 8 + 7), 1);
        spoilt++;
    }
    close(fd);
    assert_true(spoilt > 0);
    env = open_env(fixture, one_key);
    const struct whole_finding found = look(env);
    assert_false(found.is_sound);
    assert_non_null(strstr(found.unsound, "order"));
    env_close(env);
}

/* By the hashes alone: what is other than it was written is told from what is damaged. */
static void test_hashes_alone(void **state)
{
    struct fixture *fixture = *state;
    struct env *env;
    struct whole_finding found;
    begin(state, &env);
    env_close(env);
    spoil(fixture, 500); /* a body, which its reader finds */
    env = open_env(fixture, one_key);
    assert_int_equal(env_whole_look(env, &found, false), 0);
    assert_true(found.names_agree && found.records_agree && !found.damaged && !found.has_bodies);
    assert_int_equal(look(env).damaged, 1);
    env_close(env);
    spoil(fixture, 9000 + 3); /* a hash */
    env = open_env(fixture, one_key);
    assert_int_equal(env_whole_look(env, &found, false), 0);
    assert_true(found.is_sound && found.names_agree && !found.records_agree);
    env_close(env);
    spoil(fixture, 9000 + 3);
    for (unsigned what = EDIT_FORGE; what >= EDIT_DROP; what--) {
        edit(fixture->path, what);
        env = open_env(fixture, one_key);
        assert_int_equal(env_whole_look(env, &found, false), 0);
        assert_true(found.is_sound && found.names_agree == (what == EDIT_FORGE) &&
                    !found.records_agree);
        env_close(env);
    }
}

/* Enough for trees of several steps, and more than one thread. */
static void test_a_large_one(void **state)
{
    struct env *env;
    struct txn *txn;
    struct dice dice = dice_new(dice_seed());
    begin(state, &env);
    for (int round = 0; round < 4; round++) {
        assert_int_equal(txn_write_begin(&txn, env), 0);
        for (int i = 0; i < 8000; i++) {
            const unsigned number = (unsigned)dice_roll(&dice, 20000);
            if (dice_once_in(&dice, 3))
                drop(txn, DB_CURRENT, number);
            else
                put(txn, DB_CURRENT, number,
                    dice_roll(&dice, dice_once_in(&dice, 20) ? 9000 : 700));
        }
        assert_int_equal(txn_commit(txn), 0);
        expect_whole(env);
    }
    assert_true(look(env).records > 5000);
    env_close(env);
}

/* Many at a time are the same sums as one by one, whatever sizes stand beside each other. */
static void test_many(void **state)
{
    static struct whole_many many;
    struct whole_keys keys;
    struct whole_sums sums = {{0, 0}, {0, 0}};
    struct dice dice = dice_new(dice_seed());
    uint8_t key[511], hash[RECORD_HASH_SIZE];
    (void)state;
    whole_keys_derive(&keys, one_key);
    whole_many_begin(&many, &keys);
    for (unsigned i = 0; i < 3000; i++) {
        const size_t size = dice_once_in(&dice, 4) ? dice_roll(&dice, sizeof key + 1) : 24;
        for (size_t at = 0; at < sizeof key; at++)
            key[at] = (uint8_t)dice_roll(&dice, 256);
        memcpy(hash, key, sizeof hash);
        whole_many_name(&many, "log", key, size);
        whole_add(&sums.names, whole_name(&keys, "log", key, size));
        if (i % 7 == 0)
            continue;
        whole_many_record(&many, hash);
        whole_add(&sums.records, whole_record(&keys, hash));
    }
    whole_many_end(&many);
    assert_true(whole_equal(many.sums.names, sums.names));
    assert_true(whole_equal(many.sums.records, sums.records));
}

static int setup_secrets(void **state)
{
    (void)state;
    return secret_setup(1u << 20);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_directory, remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_it_follows),       TEST(test_other_keys),  TEST(test_edits),
        TEST(test_a_foreign_writer), TEST(test_damage),      TEST(test_damaged_keys),
        TEST(test_an_endless_page),  TEST(test_many),        TEST(test_a_lost_page),
        TEST(test_hashes_alone),     TEST(test_a_large_one), TEST(test_another_head),
    };
    return cmocka_run_group_tests(tests, setup_secrets, NULL);
}
