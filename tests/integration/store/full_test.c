/*
 * A disk that fills. The disk is a tmpfs in a mount namespace of this test's own. A commit that no
 * longer fits is ERR_FULL and changes nothing; removals, and reading, go on; what was acknowledged
 * is there after closing and opening; when there is room again, commits go on in the same process.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/error.h"
#include "store/expiry.h"
#include "store/grant.h"
#include "store/identity.h"
#include "tests/support/store/dice.h"
#include "tests/support/store/sample.h"
#include "tests/support/store/trial.h"

#define SECONDS 120u
#define DISK_BYTES "33554432"
#define COMMITS_MAX 20000u
#define BIG 9000u /* bytes of a value that fills */

struct disk {
    char mount[TRIAL_PATH_MAX];
    char store[TRIAL_PATH_MAX];
    char filler[TRIAL_PATH_MAX];
};

/* What the child that filled the disk tells the one that looks at it. */
static char notes[TRIAL_PATH_MAX];

static void note(unsigned filled, unsigned removed, uint64_t rev)
{
    FILE *file = fopen(notes, "w");
    MUST(file && fprintf(file, "%u %u %llu", filled, removed, (unsigned long long)rev) > 0,
         "no note");
    fclose(file);
}

static void read_note(unsigned *filled, unsigned *removed, unsigned long long *rev)
{
    FILE *file = fopen(notes, "r");
    MUST(file && fscanf(file, "%u %u %llu", filled, removed, rev) == 3, "no note");
    fclose(file);
}

/* The number of the i-th value that is large. */
static uint64_t big_number(unsigned i)
{
    uint64_t number = 1 + (uint64_t)i * 100000;
    while (value_size_of(number) < BIG)
        number++;
    return number;
}

static const char *big_path(char out[static 64], unsigned i)
{
    snprintf(out, 64, "prod/billing/BIG_%05u", i);
    return out;
}

static int set_big(struct store *store, unsigned i, uint64_t *rev)
{
    char path[64];
    struct change_result result = {0};
    int error =
        SAMPLE_COMMIT(store, &result, "fill", i + 1, {SET, big_path(path, i), big_number(i)});
    if (!error)
        *rev = result.rev;
    change_result_release(&result);
    return error;
}

static unsigned fill(struct store *store, unsigned from, uint64_t *rev)
{
    for (unsigned i = from; i < COMMITS_MAX; i++) {
        int error = set_big(store, i, rev);
        if (error == -ERR_FULL)
            return i;
        MUST(error == 0, "commit %u of a filling disk: '%s'", i, error_word(error));
        MUST(store_revision(store) == *rev, "the revision stays behind");
    }
    trial_failed(__FILE__, __LINE__, NULL, "the disk does not fill");
}

static void expect_values(struct store *store, unsigned from, unsigned to)
{
    struct snapshot *snapshot = NULL;
    char path[64];
    MUST_DO(snapshot_new(&snapshot, store));
    MUST_DO(snapshot_begin(snapshot));
    for (unsigned i = from; i < to; i++)
        MUST(sample_has(snapshot, big_path(path, i), big_number(i)), "'%s' is lost", path);
    snapshot_end(snapshot);
    snapshot_free(snapshot);
}

static void start(struct store **store, const struct disk *disk)
{
    struct change_result result = {0};
    sample_create(disk->store);
    *store = sample_open(disk->store, true);
    MUST_DO(SAMPLE_COMMIT(*store, &result, "a place", 0, {ADD, "prod", 0}));
    change_result_release(&result);
}

static int fill_and_remove(void *arg)
{
    const struct disk *disk = arg;
    struct store *store = NULL;
    uint64_t rev = 0;
    char path[64];
    start(&store, disk);
    unsigned filled = fill(store, 0, &rev), removed = 0;
    MUST(filled > 100, "full after %u commits", filled);
    MUST(strlen(error_text()) > 0, "a full disk without a word");
    expect_values(store, 0, filled);
    uint64_t none = 0;
    MUST(set_big(store, filled, &none) == -ERR_FULL, "full and not full");
    for (; removed < filled - 10; removed++) {
        struct change_result result = {0};
        MUST_DO(SAMPLE_COMMIT(store, &result, "make room", 0, {DROP, big_path(path, removed), 0}));
        MUST(result.rev == rev + 1, "revision %llu", (unsigned long long)result.rev);
        rev = result.rev;
        change_result_release(&result);
    }
    expect_values(store, removed, filled);
    store_close(store);
    note(filled, removed, rev);
    printf("full after %u commits of %u bytes and more; then %u removals\n", filled, BIG, removed);
    return 0;
}

static int look_at_full(void *arg)
{
    const struct disk *disk = arg;
    unsigned filled, removed;
    unsigned long long rev;
    char path[64];
    read_note(&filled, &removed, &rev);
    struct store *store = sample_open(disk->store, true);
    MUST(store_revision(store) == rev, "revision %llu, not %llu",
         (unsigned long long)store_revision(store), rev);
    MUST_DO(sample_verify(store, true));
    expect_values(store, removed, filled);
    struct snapshot *snapshot = NULL;
    BYTES_CLEANUP struct bytes gone = BYTES_INIT(VALUE_MAX);
    MUST_DO(snapshot_new(&snapshot, store));
    MUST_DO(snapshot_begin(snapshot));
    MUST(sample_read(snapshot, NULL, &gone, big_path(path, 0)) == NOT_THERE, "'%s' came back",
         path);
    snapshot_end(snapshot);
    snapshot_free(snapshot);
    store_close(store);
    return 0;
}

static void write_filler(const struct disk *disk)
{
    static const char block[1 << 16];
    int file = open(disk->filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    MUST(file >= 0, "no filler");
    while (write(file, block, sizeof(block)) > 0)
        continue;
    MUST(errno == ENOSPC, "the filler: %s", strerror(errno));
    while (write(file, block, 1) == 1)
        continue;
    close(file);
}

/* A secret that will show again, to an identity that came meanwhile. */
static void hide_secret(struct store *store)
{
    struct identity *identity = NULL;
    char text[IDENTITY_TEXT_MAX] = "";
    struct change_result result = {0};
    struct change *change = NULL;
    const struct change_terms terms = sample_terms("a reader", 0);
    MUST_DO(identity_new(&identity));
    identity_public(identity, text);
    identity_free(identity);
    MUST_DO(SAMPLE_COMMIT(store, &result, "beneath", 0, {ADD, "stage"}, {ADD, "stage/db"},
                          {ADD, "preview", .text = "stage"}, {SECRET, "stage/db/KEY", 7},
                          {SECRET, "preview/db/KEY", 8, .ttl = 60}));
    change_result_release(&result);
    MUST_DO(change_new(&change, store));
    MUST_DO(change_identity(change, "reader", text));
    MUST_DO(change_commit(change, &terms, &result));
    change_free(change);
    change_result_release(&result);
    MUST_DO(SAMPLE_COMMIT(store, &result, "who reads", 0,
                          {GRANT_TO, "preview/db", GRANT_READ, "id:reader"}));
    change_result_release(&result);
}

/* So that nothing else fits either. */
static void fill_up(struct store *store)
{
    int error = 0;
    for (unsigned i = 0; i < COMMITS_MAX && !error; i++) {
        char path[64];
        struct change_result result = {0};
        snprintf(path, sizeof path, "prod/billing/SMALL_%05u", i);
        error = SAMPLE_COMMIT(store, &result, "fill up", 0, {SET_TEXT, path, .text = "x"});
        change_result_release(&result);
    }
    MUST(error == -ERR_FULL, "filling up: '%s'", error_word(error));
}

/* There is no room to wrap its key for that one, but what has ended ends. */
static uint64_t end_it(struct store *store)
{
    struct expiry_result result;
    struct commit_info commit;
    struct snapshot *snapshot = NULL;
    MUST_DO(expiry_commit(store, &result, ((int64_t)time(NULL) + 3600) * 1000000000));
    MUST(result.count == 1, "%zu ended", result.count);
    MUST_DO(snapshot_new(&snapshot, store));
    MUST_DO(snapshot_begin(snapshot));
    MUST_DO(history_commit(snapshot, &commit, result.rev));
    MUST(commit.operations == 1, "%u operations where nothing fits", commit.operations);
    MUST(sample_has(snapshot, "preview/db/KEY", 7), "it does not show");
    snapshot_end(snapshot);
    snapshot_free(snapshot);
    return result.rev;
}

/* Somebody else fills the disk; what is allocated ahead is used up, then commits are refused; the
 * disk is cleared, and they go on. */
static int filled_by_others(void *arg)
{
    const struct disk *disk = arg;
    struct store *store = NULL;
    struct change_result result = {0};
    uint64_t rev = 0;
    start(&store, disk);
    hide_secret(store);
    MUST_DO(set_big(store, 0, &rev));
    write_filler(disk);
    unsigned filled = fill(store, 1, &rev);
    expect_values(store, 0, filled);
    fill_up(store);
    rev = end_it(store);
    MUST_DO(SAMPLE_COMMIT(store, &result, "remove", 0, {DROP, "prod/billing/BIG_00000", 0}));
    rev = result.rev;
    change_result_release(&result);
    trial_remove(disk->filler);
    unsigned more = filled;
    for (; more < filled + 100; more++)
        MUST_DO(set_big(store, more, &rev));
    expect_values(store, 1, more);
    store_close(store);
    note(more, 1, rev);
    printf("%u commits fitted into what was allocated ahead\n", filled - 1);
    return 0;
}

/* On a full disk without lock.mdb (a copy that was put back): opened or refused, but no crash. */
static int open_on_full_disk(void *arg)
{
    const struct disk *disk = arg;
    struct store *store = NULL;
    char lock[TRIAL_PATH_MAX];
    trial_remove(trial_path(lock, disk->store, "lock.mdb"));
    write_filler(disk);
    int result = sample_try_open(&store, disk->store, true);
    MUST(result == 0 || result == -ERR_FULL, "opening on a full disk: '%s'", error_word(result));
    if (!result) {
        expect_values(store, 1, 2);
        store_close(store);
    }
    printf("without lock.mdb on a full disk: %s\n", result ? "refused" : "opened");
    trial_remove(disk->filler);
    return 0;
}

static int create_on_full_disk(void *arg)
{
    const struct disk *disk = arg;
    struct identity *identity = NULL;
    struct author author = {.name = "uid 0 (root)"};
    write_filler(disk);
    MUST_DO(secret_setup(SAMPLE_SECRETS_MAX));
    MUST_DO(identity_new(&identity));
    int result = store_create(disk->store, identity, &author);
    MUST(result == -ERR_FULL, "making a store on a full disk: '%s'", error_word(result));
    MUST(access(disk->store, F_OK) != 0, "something was left behind");
    /* The same for the identity's file. */
    char beside[TRIAL_PATH_MAX];
    trial_path(beside, disk->mount, "identity");
    result = identity_write(identity, beside);
    if (result) {
        MUST(result == -ERR_FULL, "an identity on a full disk: '%s'", error_word(result));
        MUST(access(beside, F_OK) != 0, "half an identity was left behind");
    }
    identity_free(identity);
    trial_remove(disk->filler);
    trial_remove(beside);
    sample_create(disk->store);
    return 0;
}

static struct disk disk;

static int mount_disk(void **state)
{
    (void)state;
    if (mount("emsa-full", disk.mount, "tmpfs", 0, "size=" DISK_BYTES) != 0)
        return -1;
    return 0;
}

static int unmount_disk(void **state)
{
    (void)state;
    return umount2(disk.mount, MNT_DETACH);
}

static void test_full_then_removals(void **state)
{
    (void)state;
    trial_child_well(fill_and_remove, &disk, SECONDS);
    trial_child_well(look_at_full, &disk, SECONDS);
}

static void test_filled_by_others(void **state)
{
    (void)state;
    trial_child_well(filled_by_others, &disk, SECONDS);
    trial_child_well(look_at_full, &disk, SECONDS);
    trial_child_well(open_on_full_disk, &disk, SECONDS);
    trial_child_well(look_at_full, &disk, SECONDS);
}

static void test_create_on_full(void **state)
{
    (void)state;
    trial_child_well(create_on_full_disk, &disk, SECONDS);
}

int main(void)
{
    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        printf("SKIP: a mount namespace of its own takes root\n");
        return 77;
    }
    const char *folder = trial_folder();
    trial_path(notes, folder, "notes");
    trial_path(disk.mount, folder, "disk");
    trial_path(disk.store, disk.mount, "store");
    trial_path(disk.filler, disk.mount, "filler");
    MUST(mkdir(disk.mount, 0700) == 0, "no folder");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_full_then_removals, mount_disk, unmount_disk),
        cmocka_unit_test_setup_teardown(test_filled_by_others, mount_disk, unmount_disk),
        cmocka_unit_test_setup_teardown(test_create_on_full, mount_disk, unmount_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
