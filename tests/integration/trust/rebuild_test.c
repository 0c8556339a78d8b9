/*
 * A store whose derived records are damaged, edited or gone, rebuilt from its log: then every
 * database is byte for byte what it was, and everything is read as before. Where the log itself was
 * touched, nothing is changed, and it is said.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/error.h"
#include "store/expiry.h"
#include "store/pin.h"
#include "store/rebuild.h"
#include "tests/integration/trust/mutate.h"
#include "tests/integration/trust/readings.h"
#include "tests/integration/trust/records.h"
#include "tests/support/store/sample.h"
#include "tests/support/store/story.h"
#include "tests/support/store/trial.h"

#define STORIES 3u
#define MUTATIONS 40u
#define STORY_COMMITS 60u
#define STORY_SEED 14218601781272417692u /* its `all` lets another environment be made */
#define SECONDS 120u

enum hurt { EMPTY, REMOVE_TABLE, DROP_ONE, SWAP_TWO, EDIT_ONE, DAMAGE_ONE, ADD_ONE, HURTS };
static const char *const hurts[HURTS] = {"emptied",     "removed",    "one record dropped",
                                         "two swapped", "one edited", "one damaged",
                                         "one too many"};

struct shared { /* with children */
    struct dump before, after;
    int result;
    char text[512];
    struct rebuild_report report;
    bool is_hurt;
    uint64_t newest;
};

static struct {
    char whole[TRIAL_PATH_MAX], old[TRIAL_PATH_MAX], hurt[TRIAL_PATH_MAX], pin[TRIAL_PATH_MAX],
        readings[TRIAL_PATH_MAX];
    struct shared *shared;
    struct readings truth;
    enum database database;
    enum hurt how;
    uint64_t seed;
    bool is_locked; /* no identity at hand */
} trial;

/* --- the whole store --- */

static void commit(struct store *store, const struct sample_step steps[], size_t count)
{
    struct change_result result = {0};
    static uint64_t number;
    MUST_DO(sample_commit(store, &result, "late", ++number, steps, count));
    change_result_release(&result);
}
#define COMMIT(...)                                                                                \
    commit(store, (const struct sample_step[]){__VA_ARGS__},                                       \
           sizeof((const struct sample_step[]){__VA_ARGS__}) / sizeof(struct sample_step))

/* What a story does not tell, so that every database has records. */
static void add_more(struct store *store)
{
    COMMIT({ADD, "late", 0}, {ADD, "late/front", 0}, {ADD, "late/rear", 0});
    COMMIT({SET, "late/front/PORT", 11}, {SECRET, "late/rear/TOKEN", 12},
           {SHARE_WITH, "late/rear/TOKEN", 0, "front", 0},
           {SHARE_WITH, "late/front/PORT", 0, "*", 0});
    COMMIT({SET_LINK, "late/front/LINK", 0, "rear/TOKEN", 0},
           {SET_TEMPLATE, "late/front/URL", 0, "http://${PORT}/${rear/TOKEN}", 0});
    COMMIT({GRANT_TO, "late", 5, "user:alice", 0}, {GRANT_TO, "late/front", 7, "group:ops", 0});
    COMMIT({SET, "late/front/SOON", 13, NULL, 3600}, {SET, "late/front/LATER", 14, NULL, 7200});
    COMMIT({LOCK_PLACE, "late/rear", 0}, {LOCK_PLACE, "late/front/PORT", 0});
    COMMIT({SECRET_TEXT, "late/front/PASSWORD", 0, "Kx9#a-password-of-its-own", 0});
    COMMIT({SECRET_TEXT, "late/front/OTHER", 0, "Zw4!another-one-of-its-own", 0});
    COMMIT({REVOKE_FROM, "late", 1, "user:alice", 0});
    COMMIT({ADD, "gone", 0}, {ADD, "gone/front", 0}, {SET, "gone/front/KEY", 15});
    COMMIT({DROP, "gone/front/KEY", 0}, {DROP, "gone/front", 0});
    COMMIT({ADD, "gone/front", 0}, {SET, "gone/front/KEY", 16});
}

static void tag(struct store *store)
{
    struct change *change = NULL;
    struct change_result result = {0};
    const struct change_terms terms = sample_terms("a tag", 0);
    MUST_DO(change_new(&change, store));
    MUST_DO(change_tag(change, "v1", 2));
    MUST_DO(change_tag(change, "v2", 3));
    MUST_DO(change_commit(change, &terms, &result));
    change_result_release(&result);
    change_free(change);
}

/* What ended was seen in a template with a secret, whose value of then was destroyed since. */
static void destroy(struct store *store)
{
    struct change *change = NULL;
    struct change_result result = {0};
    struct expiry_result expired = {0};
    struct timespec now;
    const struct change_terms terms = sample_terms("destroyed", 0);
    const struct path key = sample_path("late/front/PASSWORD");
    COMMIT({SET, "all/front/PASSING", 20});
    COMMIT({SET, "late/front/PASSING", 21, NULL, 60},
           {SET_TEMPLATE, "late/front/WITH", 0, "${PASSWORD}-${PASSING}", 0});
    clock_gettime(CLOCK_REALTIME, &now);
    MUST_DO(expiry_commit(store, &expired, ((int64_t)now.tv_sec + 120) * 1000000000));
    MUST(expired.rev, "nothing ended");
    COMMIT({SECRET_TEXT, "late/front/PASSWORD", 0, "Qq7!the-next-of-its-own", 0});
    MUST_DO(change_new(&change, store));
    MUST_DO(change_purge(change, &key, expired.rev));
    MUST_DO(change_commit(change, &terms, &result));
    change_result_release(&result);
    change_free(change);
}

static int make_store(void *arg)
{
    (void)arg;
    story_write(trial.whole, trial.seed, STORY_COMMITS);
    struct store *store = sample_open(trial.whole, true);
    store_close(store);
    trial_copy_folder(trial.old, trial.whole);
    store = sample_open(trial.whole, true);
    if (trial.seed == STORY_SEED) { /* another may not let any environment be made */
        add_more(store);
        tag(store);
        destroy(store);
    }
    MUST_DO(sample_verify(store, true));
    store_close(store);
    return 0;
}

static struct store *open_pinned(const char *path)
{
    struct store *store;
    struct identity *identity;
    MUST_DO(secret_setup(SAMPLE_SECRETS_MAX));
    const struct store_options options = {
        .path = path, .lock_fd = -1, .pin_fd = pin_open(trial.pin)};
    MUST_DO(store_open(&store, &options));
    MUST_DO(sample_identity(&identity, trial.whole));
    MUST_DO(store_unlock(store, identity));
    return store;
}

static int look_at_whole(void *arg)
{
    struct readings truth = {0};
    (void)arg;
    struct store *store = open_pinned(trial.whole);
    trial.shared->newest = store_revision(store);
    readings_take(&truth, store, trial.shared->newest);
    MUST(truth.count && !truth.failures, "%zu values, %zu failures", truth.count, truth.failures);
    readings_write(&truth, trial.readings);
    readings_release(&truth);
    store_close(store);
    return 0;
}

static int dump_before(void *arg)
{
    (void)arg;
    records_dump(&trial.shared->before, trial.whole, false);
    return 0;
}

static void begin(uint64_t seed)
{
    char identity[TRIAL_PATH_MAX];
    trial.seed = seed;
    trial_remove(trial.whole);
    snprintf(identity, sizeof identity, "%.480s.identity", trial.whole);
    trial_remove(identity);
    trial_remove(trial.pin);
    trial_child_well(make_store, NULL, SECONDS);
    trial_child_well(look_at_whole, NULL, SECONDS);
    trial_child_well(dump_before, NULL, SECONDS);
}

/* --- hurting --- */

static void take(MDB_val out[2], struct records *records, size_t index)
{
    MUST(records_at(records, &out[0], &out[1], trial.database, index), "no record %zu", index);
}

static bool is_alike(const MDB_val *one, const MDB_val *other)
{
    return one->mv_size == other->mv_size &&
           memcmp(one->mv_data, other->mv_data, one->mv_size - RECORD_HASH_SIZE) == 0;
}

/* The first, and the first of those that have another body; where all are alike, nothing. */
static void swap_two(struct records *records, size_t count)
{
    MDB_val one[2], other[2];
    size_t i = 1;
    take(one, records, 0);
    do
        take(other, records, i++);
    while (is_alike(&one[1], &other[1]) && i < count);
    trial.shared->is_hurt = !is_alike(&one[1], &other[1]);
    records_rehash(&one[1], trial.database, &other[0]);
    records_rehash(&other[1], trial.database, &one[0]);
    records_put(records, trial.database, &one[0], &other[1]);
    records_put(records, trial.database, &other[0], &one[1]);
}

static void edit_one(struct records *records, size_t count)
{
    MDB_val record[2];
    take(record, records, count / 2);
    unsigned char *bytes = record[1].mv_data;
    bytes[record[1].mv_size > RECORD_HASH_SIZE ? record[1].mv_size - RECORD_HASH_SIZE - 1 : 0] ^= 1;
    if (trial.how == EDIT_ONE)
        records_rehash(&record[1], trial.database, &record[0]);
    records_put(records, trial.database, &record[0], &record[1]);
}

static void add_one(struct records *records, size_t count)
{
    MDB_val record[2];
    take(record, records, count / 2);
    ((unsigned char *)record[0].mv_data)[record[0].mv_size - 1] ^= 0x15;
    records_rehash(&record[1], trial.database, &record[0]);
    records_put(records, trial.database, &record[0], &record[1]);
}

static int hurt_it(void *arg)
{
    struct records records;
    MDB_val record[2];
    (void)arg;
    records_open(&records, trial.hurt);
    const size_t count = records_count(&records, trial.database);
    trial.shared->is_hurt =
        trial.how == REMOVE_TABLE || (count > 0 && trial.how != SWAP_TWO) || count > 1;
    switch (trial.shared->is_hurt ? trial.how : HURTS) {
    case EMPTY:
        records_empty(&records, trial.database);
        break;
    case REMOVE_TABLE:
        MUST(mdb_drop(records.txn, records.handles[trial.database], 1) == 0, "not dropped");
        break;
    case DROP_ONE:
        take(record, &records, count / 2);
        records_drop(&records, trial.database, &record[0]);
        break;
    case SWAP_TWO:
        swap_two(&records, count);
        break;
    case EDIT_ONE:
    case DAMAGE_ONE:
        edit_one(&records, count);
        break;
    case ADD_ONE:
        add_one(&records, count);
        break;
    default:
        break;
    }
    records_close(&records);
    return 0;
}

/* The root page of a database, all zeros. */
static int zero_root(void *arg)
{
    struct records records;
    MDB_dbi main;
    char name[32], file[TRIAL_PATH_MAX];
    static const char zeros[4096];
    uint64_t root;
    (void)arg;
    snprintf(name, sizeof name, "%s", database_name(trial.database));
    records_open(&records, trial.hurt);
    MDB_val key = {strlen(name), name}, data;
    MUST(mdb_dbi_open(records.txn, NULL, 0, &main) == 0, "no main database");
    MUST(mdb_get(records.txn, main, &key, &data) == 0 && data.mv_size == 48, "no such database");
    memcpy(&root, (char *)data.mv_data + 40, sizeof root);
    records_close(&records);
    const int fd = open(trial_path(file, trial.hurt, "data.mdb"), O_WRONLY);
    MUST(pwrite(fd, zeros, sizeof zeros, (off_t)(root * sizeof zeros)) == sizeof zeros, "write");
    close(fd);
    return 0;
}

/* --- rebuilding --- */

static void note_fault(void *arg, const char *text)
{
    struct shared *shared = arg;
    if (!shared->text[0])
        snprintf(shared->text, sizeof shared->text, "%s", text);
}

static int rebuild_it(void *arg)
{
    struct shared *shared = trial.shared;
    (void)arg;
    MUST_DO(secret_setup(SAMPLE_SECRETS_MAX));
    struct rebuild_options options = {
        .path = trial.hurt, .pin_fd = pin_open(trial.pin), .fault = note_fault, .arg = shared};
    if (!trial.is_locked)
        MUST_DO(sample_identity(&options.identity, trial.whole));
    shared->text[0] = '\0';
    shared->result = store_rebuild(&options, &shared->report);
    if (shared->result && !shared->text[0])
        snprintf(shared->text, sizeof shared->text, "%s", error_text());
    close(options.pin_fd);
    return 0;
}

static int dump_after(void *arg)
{
    (void)arg;
    records_dump(&trial.shared->after, trial.hurt, false);
    return 0;
}

static int read_it(void *arg)
{
    struct readings found = {0};
    (void)arg;
    struct store *store = open_pinned(trial.hurt);
    readings_take(&found, store, trial.shared->newest);
    MUST(found.count == trial.truth.count && !found.failures &&
             !readings_lies(&trial.truth, &found),
         "%zu values, %zu failures", found.count, found.failures);
    readings_release(&found);
    MUST_DO(sample_verify(store, true));
    store_close(store);
    return 0;
}

static bool has_leftover(void)
{
    char path[TRIAL_PATH_MAX];
    return access(trial_path(path, trial.hurt, "rebuild"), F_OK) == 0;
}

/* It was rebuilt, and is what it was. */
static void expect_rebuilt(const char *what)
{
    const struct shared *shared = trial.shared;
    trial_child_well(rebuild_it, NULL, SECONDS);
    MUST(!shared->result, "%s: %s", what, shared->text);
    MUST(!has_leftover(), "%s: a folder is left", what);
    trial_child_well(dump_after, NULL, SECONDS);
    for (unsigned i = 0; i < DB_COUNT; i++)
        MUST(memcmp(shared->before.hashes[i], shared->after.hashes[i], BLAKE_SIZE) == 0 ||
                 (trial.is_locked && i == DB_LEAK),
             "%s: database '%s' is not what it was", what, database_name((enum database)i));
}

static void load_file(unsigned char **bytes, size_t *size)
{
    char path[TRIAL_PATH_MAX];
    struct stat info;
    const int fd = open(trial_path(path, trial.hurt, "data.mdb"), O_RDONLY);
    MUST(fd >= 0 && fstat(fd, &info) == 0, "no file");
    *size = (size_t)info.st_size;
    *bytes = malloc(*size);
    MUST(*bytes && read(fd, *bytes, *size) == (ssize_t)*size, "cannot read");
    close(fd);
}

/* It is refused, with a word of it, and nothing was changed. */
static void expect_refused(const char *what, const char *word)
{
    unsigned char *before, *after;
    size_t before_size, after_size;
    load_file(&before, &before_size);
    trial_child_well(rebuild_it, NULL, SECONDS);
    MUST(trial.shared->result == -ERR_CORRUPT, "%s: '%s'", what, error_word(trial.shared->result));
    MUST(strstr(trial.shared->text, word), "%s: %s", what, trial.shared->text);
    load_file(&after, &after_size);
    MUST(before_size == after_size && memcmp(before, after, after_size) == 0,
         "%s: the file was changed", what);
    MUST(!has_leftover(), "%s: a folder is left", what);
    free(before);
    free(after);
}

/* --- the tests --- */

static const struct rebuild_table *table_of(enum database database)
{
    const struct rebuild_report *report = &trial.shared->report;
    for (unsigned i = 0; i < report->table_count; i++)
        if (strcmp(report->tables[i].name, database_name(database)) == 0)
            return &report->tables[i];
    trial_failed(__FILE__, __LINE__, "a table", "%s is not reported", database_name(database));
}

static void hurt_and_rebuild(void)
{
    char what[128];
    snprintf(what, sizeof what, "'%s', %s", database_name(trial.database), hurts[trial.how]);
    trial_copy_folder(trial.hurt, trial.whole);
    trial_child_well(hurt_it, NULL, SECONDS);
    if (!trial.shared->is_hurt)
        return;
    expect_rebuilt(what);
    const struct rebuild_table *table = table_of(trial.database);
    MUST(trial.how == REMOVE_TABLE ? table->is_unreadable
                                   : table->missing + table->changed + table->extra > 0,
         "%s: it does not say so", what);
    MUST(trial.shared->report.wrong == table->missing + table->changed + table->extra,
         "%s: and says more", what);
}

static void test_derived(void **state)
{
    (void)state;
    unsigned tables = 0;
    for (unsigned i = 0; i < DB_COUNT; i++) {
        trial.database = (enum database)i;
        if (database_is_truth(trial.database))
            continue;
        for (unsigned how = 0; how < HURTS; how++) {
            trial.how = (enum hurt)how;
            hurt_and_rebuild();
            tables += how == EMPTY && trial.shared->is_hurt;
        }
    }
    assert_int_equal(tables, DB_COUNT - 4); /* none was without a record */
    trial_child_well(read_it, NULL, SECONDS);
}

static void test_page(void **state)
{
    (void)state;
    static const enum database derived[] = {DB_CURRENT, DB_HISTORY, DB_META, DB_KEY};
    for (size_t i = 0; i < sizeof derived / sizeof derived[0]; i++) {
        trial.database = derived[i];
        trial_copy_folder(trial.hurt, trial.whole);
        trial_child_well(zero_root, NULL, SECONDS);
        expect_rebuilt("a root page of zeros");
        MUST(table_of(derived[i])->missing > 0, "it does not say so");
    }
    trial_child_well(read_it, NULL, SECONDS);
    trial.database = DB_LOG;
    trial_copy_folder(trial.hurt, trial.whole);
    trial_child_well(zero_root, NULL, SECONDS);
    expect_refused("a root page of the log", "log");
}

static void test_truth(void **state)
{
    (void)state;
    static const struct {
        enum database database;
        enum hurt how;
        const char *word;
    } rows[] = {
        {DB_LOG, DAMAGE_ONE, "does not match its hash"},
        {DB_LOG, DROP_ONE, "is not there"},
        {DB_LOG, EDIT_ONE, "commit"},
        {DB_LOG, ADD_ONE, "database 'log' has"},
        {DB_COMMIT, DAMAGE_ONE, "does not match its hash"},
        {DB_COMMIT, DROP_ONE, "it is not there"},
        {DB_COMMIT, EMPTY, "commit 1: it is not there"},
        {DB_COMMIT, REMOVE_TABLE, "cannot open the database 'commit'"},
        {DB_VALUE, DAMAGE_ONE, "does not match its hash"},
        {DB_VALUE, EDIT_ONE, "value does not match its hash"},
        {DB_VALUE, DROP_ONE, "the value of operation"},
        {DB_VALUE, ADD_ONE, "database 'value' has"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char what[128];
        trial.database = rows[i].database;
        trial.how = rows[i].how;
        snprintf(what, sizeof what, "'%s', %s", database_name(trial.database), hurts[trial.how]);
        trial_copy_folder(trial.hurt, trial.whole);
        trial_child_well(hurt_it, NULL, SECONDS);
        expect_refused(what, rows[i].word);
    }
}

/* Without an identity all but the fingerprints is there; with one they come back. */
static void test_locked(void **state)
{
    (void)state;
    trial_copy_folder(trial.hurt, trial.whole);
    trial.is_locked = true;
    expect_rebuilt("without an identity");
    trial.is_locked = false;
    MUST(trial.shared->report.without > 0 && !trial.shared->report.wrong, "%llu without",
         (unsigned long long)trial.shared->report.without);
    expect_rebuilt("with one");
    MUST(!trial.shared->report.without && table_of(DB_LEAK)->missing > 0, "none came back");
}

/* EMSA_TEST_ROUNDS says how many, of the longer form. */
static unsigned rounds(unsigned usual)
{
    const char *given = getenv("EMSA_TEST_ROUNDS");
    return given ? usual * (unsigned)strtoul(given, NULL, 10) : trial_scaled(usual);
}

static int mutate_it(void *arg)
{
    struct dice dice = dice_new(*(const uint64_t *)arg);
    mutate(trial.shared->text, &dice, trial.hurt, trial.old);
    return 0;
}

/* What happens to a file by chance (mutate.h): it is rebuilt to what it was, or refused. */
static void test_chance(void **state)
{
    (void)state;
    struct dice dice = dice_new(dice_seed());
    unsigned rebuilt = 0, refused = 0;
    for (unsigned round = 0, count = rounds(MUTATIONS); round < count; round++) {
        char what[MUTATION_TEXT_MAX];
        uint64_t seed = dice_next(&dice);
        trial_copy_folder(trial.hurt, trial.whole);
        trial_child_well(mutate_it, &seed, SECONDS);
        snprintf(what, sizeof what, "round %u, %.120s", round, trial.shared->text);
        trial_child_well(rebuild_it, NULL, SECONDS);
        if (trial.shared->result) {
            MUST(trial.shared->result == -ERR_CORRUPT || trial.shared->result == -ERR_FORMAT,
                 "%s: %s", what, trial.shared->text);
            refused++;
            continue;
        }
        expect_rebuilt(what); /* once more, which changes nothing */
        MUST(!trial.shared->report.wrong, "%s: still %llu wrong", what,
             (unsigned long long)trial.shared->report.wrong);
        rebuilt++;
    }
    printf("%u rebuilt, %u refused\n", rebuilt, refused);
    assert_true(rebuilt > 0);
}

static void test_stories(void **state)
{
    (void)state;
    struct dice dice = dice_new(dice_seed());
    for (unsigned i = 0, count = rounds(STORIES); i < count; i++) {
        begin(dice_next(&dice));
        trial_copy_folder(trial.hurt, trial.whole);
        expect_rebuilt("a story");
        MUST(!trial.shared->report.wrong, "%llu wrong",
             (unsigned long long)trial.shared->report.wrong);
    }
}

static int setup(void **state)
{
    (void)state;
    if (!getenv("TMPDIR") && access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1); /* no disk is waited for */
    const char *folder = trial_folder();
    trial.shared =
        mmap(NULL, sizeof *trial.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (trial.shared == MAP_FAILED)
        return -1;
    trial_path(trial.whole, folder, "whole");
    trial_path(trial.old, folder, "old");
    trial_path(trial.hurt, folder, "hurt");
    trial_path(trial.pin, folder, "pin");
    trial_path(trial.readings, folder, "readings");
    begin(STORY_SEED);
    readings_load(&trial.truth, trial.readings);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_derived), cmocka_unit_test(test_page),
        cmocka_unit_test(test_truth),   cmocka_unit_test(test_locked),
        cmocka_unit_test(test_chance),  cmocka_unit_test(test_stories),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
