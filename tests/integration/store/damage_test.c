/*
 * LMDB has no checksums: of single flipped bits, 43 % gave silently wrong data and 12.6 % a crash.
 * Here every read of a damaged store is right or ERR_CORRUPT (ERR_FORMAT where the damaged byte
 * says so), nothing crashes or hangs, and verify_store finds what any read would miss.
 *
 * One thing no reader of the files alone can see: a newest meta page whose transaction number is
 * damaged into a lower one of the same parity. LMDB then stands at the commit before, whole and
 * consistent. Only a head pinned outside finds that; here it is counted, and the store must be
 * right for that revision.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/error.h"
#include "tests/support/store/dice.h"
#include "tests/support/store/sample.h"
#include "tests/support/store/trial.h"

#define ROUNDS 500u
#define SECONDS 60u

#define SERVICES 6u
#define KEYS_A_SERVICE 24u
#define PATHS (SERVICES * KEYS_A_SERVICE)
#define COMMITS 90u
#define STEPS 3u
#define REMOVED_EVERY 17u /* these keys are removed by the last commits but one */

static const char *const services[SERVICES] = {"dev/api",  "dev/db",  "dev/web",
                                               "prod/api", "prod/db", "prod/web"};

/* What was written, worked out without a store: commit c is revision c + 2. */
struct fact {
    uint64_t number; /* the value's; 0: not there */
    uint64_t rev;
};
static char paths[PATHS][64];
static struct fact after[COMMITS + 1][PATHS];
static struct sample_step plan[COMMITS + 1][PATHS];
static size_t plan_size[COMMITS + 1];

enum ending { SAW_NOTHING = 0, DID_NOT_OPEN = 2, SAW_DAMAGE = 3, ONE_BACK = 4, ENDINGS };

static void plan_set(unsigned commit, unsigned path)
{
    uint64_t number = commit * 100000u + (unsigned)plan_size[commit] * 100u + 1;
    while (value_size_of(number) < 8) /* no two values are the same */
        number++;
    plan[commit][plan_size[commit]++] =
        (struct sample_step){path % 3 == 1 ? SECRET : SET, paths[path], number};
    after[commit][path] = (struct fact){number, commit + 2};
}

static void plan_drop(unsigned commit, unsigned path)
{
    plan[commit][plan_size[commit]++] = (struct sample_step){DROP, paths[path], 0};
    after[commit][path] = (struct fact){0, commit + 2};
}

static void make_plan(struct dice *dice)
{
    for (unsigned path = 0; path < PATHS; path++)
        snprintf(paths[path], sizeof(paths[path]), "%s/KEY_%02u", services[path / KEYS_A_SERVICE],
                 path % KEYS_A_SERVICE);
    plan[0][plan_size[0]++] = (struct sample_step){ADD, "dev", 0};
    plan[0][plan_size[0]++] = (struct sample_step){ADD, "prod", 0};
    for (unsigned commit = 1; commit <= COMMITS; commit++) {
        memcpy(after[commit], after[commit - 1], sizeof(after[commit]));
        if (commit <= SERVICES)
            for (unsigned i = 0; i < KEYS_A_SERVICE; i++)
                plan_set(commit, (commit - 1) * KEYS_A_SERVICE + i);
        else if (commit == COMMITS - 1)
            for (unsigned path = 0; path < PATHS; path += REMOVED_EVERY)
                plan_drop(commit, path);
        else
            for (unsigned i = 0, path = (unsigned)dice_roll(dice, PATHS); i < STEPS; i++, path++)
                if (path % REMOVED_EVERY)
                    plan_set(commit, path % PATHS);
    }
}

static int make_store(void *arg)
{
    const char *path = arg;
    sample_create(path);
    struct store *store = sample_open(path, true);
    for (unsigned commit = 0; commit <= COMMITS; commit++) {
        struct change_result result = {0};
        char reason[32];
        snprintf(reason, sizeof(reason), "commit %u", commit);
        MUST_DO(sample_commit(store, &result, reason, commit + 1, plan[commit], plan_size[commit]));
        MUST(result.rev == commit + 2, "revision %llu", (unsigned long long)result.rev);
        change_result_release(&result);
    }
    struct store_status status;
    MUST_DO(store_status(store, &status));
    MUST_DO(sample_verify(store, true));
    store_close(store);
    char beside[TRIAL_PATH_MAX];
    snprintf(beside, sizeof(beside), "%s.used", path);
    FILE *used = fopen(beside, "w");
    MUST(used && fprintf(used, "%llu", (unsigned long long)status.used_bytes) > 0, "no note");
    fclose(used);
    return 0;
}

struct look {
    struct store *store;
    struct snapshot *snapshot;
    const struct fact *facts; /* at the revision where the store stands */
    unsigned errors;          /* reads that said so: ERR_CORRUPT, ERR_FORMAT */
    unsigned missing;         /* what should be there and is not, what is listed and should not */
    unsigned locked;          /* secrets without a key: only where the way to the key is damaged */
};

/* Counts a result that is no success. What else than damage can be said of a damaged file is
 * nothing. */
static bool is_well(struct look *look, int result, const char *what)
{
    if (result == 0)
        return true;
    if (result == NOT_THERE)
        look->missing++;
    else if (result == -ERR_CORRUPT || result == -ERR_FORMAT)
        look->errors++;
    else if (result == -ERR_NO_KEY)
        look->locked++;
    else
        trial_failed(__FILE__, __LINE__, NULL, "%s: %s", what, error_word(result));
    return false;
}

/* The bytes are what path had in that revision: not another value, and not an older one either. */
static void expect_version(const struct entry *entry, const void *data, size_t size, unsigned path,
                           uint64_t rev)
{
    MUST(entry->rev == rev, "'%s' is of revision %llu, not %llu", paths[path],
         (unsigned long long)entry->rev, (unsigned long long)rev);
    MUST(value_is(data, size, after[rev - 2][path].number), "'%s' has a value it never had",
         paths[path]);
}

static void look_at_values(struct look *look)
{
    for (unsigned i = 0; i < PATHS; i++) {
        BYTES_CLEANUP struct bytes found = BYTES_INIT(VALUE_MAX);
        struct entry entry;
        const struct fact *fact = &look->facts[i];
        int result = sample_read(look->snapshot, &entry, &found, paths[i]);
        if (fact->number == 0) {
            MUST(result != 0, "'%s' was removed and is there", paths[i]);
            if (result != NOT_THERE)
                is_well(look, result, paths[i]);
            continue;
        }
        if (!is_well(look, result, paths[i]))
            continue;
        expect_version(&entry, found.data, found.size, i, fact->rev);
        size_t size = 0;
        if (is_well(look, snapshot_size(look->snapshot, &size, &entry), "size"))
            MUST(size == found.size, "'%s' has a wrong size", paths[i]);
    }
}

/* The past of one key through the operations of its commits. */
static void look_at_the_past(struct look *look, unsigned newest)
{
    for (unsigned commit = 1; commit <= newest; commit++) {
        struct commit_info info;
        char reason[32];
        snprintf(reason, sizeof(reason), "commit %u", commit);
        if (is_well(look, history_commit(look->snapshot, &info, commit + 2), reason))
            MUST(strcmp(info.reason, reason) == 0, "'%s' says '%s'", reason, info.reason);
        for (uint32_t op = 0;; op++) {
            struct operation_info done;
            char text[PATH_TEXT_MAX];
            int result = history_operation(look->snapshot, &done, commit + 2, op);
            if (result == NOT_THERE) {
                look->missing += op < plan_size[commit];
                break;
            }
            if (!is_well(look, result, reason)) {
                if (op >= plan_size[commit])
                    break;
                continue;
            }
            if (done.kind != OPERATION_SET_PLAIN && done.kind != OPERATION_SET_SECRET)
                continue;
            path_text(&done.path, text);
            unsigned path = 0;
            while (path < PATHS && strcmp(paths[path], text) != 0)
                path++;
            MUST(path < PATHS, "'%s' was never set", text);
            struct entry entry;
            const unsigned char *data = NULL;
            size_t size = 0;
            SECRET_CLEANUP struct secret scratch = {0};
            if (!is_well(look,
                         snapshot_entry_at(look->snapshot, &entry, done.environment, done.name_id,
                                           commit + 2),
                         text) ||
                !is_well(look, snapshot_value(look->snapshot, &data, &size, &entry, &scratch),
                         text))
                continue;
            /* A page's head that says that the page has fewer records than it had hides the last of
             * them, also from the check of what follows: an earlier version answers. It is right
             * bytes of another revision, and verify must find it. */
            if (entry.rev < commit + 2) {
                look->missing++;
                continue;
            }
            expect_version(&entry, data, size, path, commit + 2);
        }
    }
}

/* The keys of one service, in order, against the facts. */
static void look_at_service(struct look *look, unsigned service)
{
    struct path path = sample_path(services[service]);
    struct environment environment;
    struct service found;
    if (!is_well(look, snapshot_environment(look->snapshot, &environment, path.environment),
                 "place") ||
        !is_well(look, snapshot_service(look->snapshot, &found, environment.id, path.service),
                 "place"))
        return;
    unsigned expected = service * KEYS_A_SERVICE, end = expected + KEYS_A_SERVICE;
    struct entry entry = {.key = ""};
    for (;;) {
        char before[KEY_NAME_MAX + 1];
        memcpy(before, entry.key, sizeof(before));
        int result = snapshot_next_entry(look->snapshot, &entry, environment.id, found.id, before);
        if (result == NOT_THERE)
            break;
        if (!is_well(look, result, "listing"))
            return;
        MUST(strcmp(entry.key, before) > 0, "a listing that goes back never ends");
        const char *key;
        while (expected < end && ((key = strrchr(paths[expected], '/') + 1),
                                  look->facts[expected].number == 0 || strcmp(key, entry.key) < 0))
            look->missing += look->facts[expected++].number != 0;
        MUST(expected < end && strcmp(strrchr(paths[expected], '/') + 1, entry.key) == 0,
             "'%s' is listed in '%s'", entry.key, services[service]);
        expected++;
    }
    while (expected < end)
        look->missing += look->facts[expected++].number != 0;
}

static void look_at_places(struct look *look)
{
    unsigned seen = 0;
    struct environment environment = {.name = ""};
    for (;;) {
        struct environment next;
        int result = snapshot_next_environment(look->snapshot, &next, environment.name);
        if (result == NOT_THERE)
            break;
        if (!is_well(look, result, "environments"))
            return;
        MUST(strcmp(next.name, environment.name) > 0, "a listing that goes back never ends");
        environment = next;
        struct service service = {.name = ""};
        for (;;) {
            struct service one;
            char text[PATH_TEXT_MAX];
            result = snapshot_next_service(look->snapshot, &one, environment.id, service.name);
            if (result == NOT_THERE)
                break;
            if (!is_well(look, result, "services"))
                return;
            MUST(strcmp(one.name, service.name) > 0, "a listing that goes back never ends");
            service = one;
            snprintf(text, sizeof(text), "%s/%s", environment.name, service.name);
            unsigned i = 0;
            while (i < SERVICES && strcmp(services[i], text) != 0)
                i++;
            MUST(i < SERVICES, "'%s' is listed", text);
            seen++;
        }
    }
    look->missing += seen != SERVICES;
}

static enum ending judge(struct look *look, unsigned newest)
{
    struct store_status status = {0};
    int verdict = sample_verify(look->store, false);
    if (look->errors > 0) {
        /* The head itself may be what is damaged. */
        int result = store_status(look->store, &status);
        MUST(result != 0 || status.alarms > 0, "damage was met and no alarm counted");
    }
    if (verdict != 0)
        MUST(verdict == -ERR_CORRUPT || verdict == -ERR_FORMAT, "verify says '%s'",
             error_word(verdict));
    MUST(verdict != 0 || look->errors + look->missing + look->locked == 0,
         "%u damaged, %u missing, %u locked, and verify finds nothing", look->errors, look->missing,
         look->locked);
    if (verdict == 0 && newest < COMMITS)
        return ONE_BACK;
    return verdict ? SAW_DAMAGE : SAW_NOTHING;
}

static int look_at_damaged(void *arg)
{
    const char *path = arg;
    struct look look = {0};
    int result = sample_try_open(&look.store, path, true);
    if (result) {
        /* Without the key to its secrets it must still open, or say what is wrong. */
        MUST(result == -ERR_CORRUPT || result == -ERR_FORMAT || result == -ERR_NO_KEY,
             "open says '%s'", error_word(result));
        look.locked++;
        result = sample_try_open(&look.store, path, false);
        if (result) {
            MUST(result == -ERR_CORRUPT || result == -ERR_FORMAT, "open says '%s'",
                 error_word(result));
            return DID_NOT_OPEN;
        }
    }
    unsigned newest = COMMITS;
    MUST_DO(snapshot_new(&look.snapshot, look.store));
    if (is_well(&look, snapshot_begin(look.snapshot), "begin")) {
        uint64_t revision = snapshot_revision(look.snapshot);
        /* A flipped bit in a meta page can name the tree of an earlier commit, whose pages are
         * still there: all of the store as it was then. Only a head kept outside would tell. */
        MUST(revision >= 2 && revision <= COMMITS + 2, "revision %llu",
             (unsigned long long)revision);
        newest = (unsigned)revision - 2;
        look.facts = after[newest];
        look_at_values(&look);
        look_at_places(&look);
        for (unsigned service = 0; service < SERVICES; service++)
            look_at_service(&look, service);
        look_at_the_past(&look, newest);
        snapshot_end(look.snapshot);
    }
    enum ending ending = judge(&look, newest);
    snapshot_free(look.snapshot);
    store_close(look.store);
    return (int)ending;
}

static uint64_t used_of(const char *path)
{
    char beside[TRIAL_PATH_MAX + 8];
    unsigned long long used = 0;
    snprintf(beside, sizeof(beside), "%s.used", path);
    FILE *note = fopen(beside, "r");
    MUST(note && fscanf(note, "%llu", &used) == 1, "no note");
    fclose(note);
    return used;
}

static void change_bytes(int file, uint64_t at, size_t size, struct dice *dice, bool one_bit)
{
    unsigned char bytes[4096];
    MUST(pread(file, bytes, size, (off_t)at) == (ssize_t)size, "cannot read %zu at %llu", size,
         (unsigned long long)at);
    for (size_t i = 0; i < size; i++)
        bytes[i] = one_bit ? bytes[i] ^ (unsigned char)(1u << dice_roll(dice, 8))
                           : (unsigned char)dice_next(dice);
    MUST(pwrite(file, bytes, size, (off_t)at) == (ssize_t)size, "cannot write");
}

/* Does one random damage to a data.mdb of which used bytes are in use, and says what it was. */
static void damage(char what[static 128], const char *path, uint64_t used, struct dice *dice)
{
    char data[TRIAL_PATH_MAX];
    int file = open(trial_path(data, path, "data.mdb"), O_RDWR | O_CLOEXEC);
    MUST(file >= 0, "cannot open '%s': %s", data, strerror(errno));
    uint64_t at = dice_roll(dice, used);
    uint64_t kind = dice_roll(dice, 20);
    if (kind < 10) {
        snprintf(what, 128, "a bit of byte %llu", (unsigned long long)at);
        change_bytes(file, at, 1, dice, true);
    } else if (kind < 13) {
        at = dice_roll(dice, 8192);
        snprintf(what, 128, "a bit of byte %llu, a meta page", (unsigned long long)at % 4096);
        at = at % 4096 < 2048 ? at / 4096 * 4096 + at % 200 : at;
        change_bytes(file, at, 1, dice, true);
    } else if (kind < 16) { /* the head of a page: its number, kind and bounds */
        at = at / 4096 * 4096 + dice_roll(dice, 32);
        snprintf(what, 128, "a byte at %llu, a page's head", (unsigned long long)at);
        change_bytes(file, at, 1, dice, false);
    } else if (kind < 18) {
        size_t size = 1 + dice_roll(dice, 4096);
        size = at + size > used ? (size_t)(used - at) : size;
        snprintf(what, 128, "%zu bytes at %llu", size, (unsigned long long)at);
        change_bytes(file, at, size, dice, false);
    } else {
        snprintf(what, 128, "cut at %llu", (unsigned long long)at);
        MUST(ftruncate(file, (off_t)at) == 0, "cannot cut");
    }
    close(file);
}

static void test_damaged_anywhere(void **state)
{
    (void)state;
    struct dice dice = dice_new(dice_seed());
    char whole[TRIAL_PATH_MAX], hurt[TRIAL_PATH_MAX], identity[TRIAL_PATH_MAX],
        beside[TRIAL_PATH_MAX];
    const char *folder = trial_folder();
    unsigned endings[ENDINGS] = {0}, rounds = trial_scaled(ROUNDS);
    make_plan(&dice);
    trial_path(whole, folder, "whole");
    trial_child_well(make_store, whole, SECONDS);
    uint64_t used = used_of(whole);
    trial_path(hurt, folder, "hurt");
    MUST(link(trial_path(identity, folder, "whole.identity"),
              trial_path(beside, folder, "hurt.identity")) == 0,
         "no identity");
    for (unsigned round = 0; round <= rounds; round++) {
        char what[128] = "nothing at all";
        trial_copy_folder(hurt, whole);
        if (round > 0)
            damage(what, hurt, used, &dice);
        int status = trial_child(look_at_damaged, hurt, SECONDS);
        MUST(WIFEXITED(status) && WEXITSTATUS(status) != 1 && WEXITSTATUS(status) < ENDINGS,
             "round %u, %s: %s", round, what, trial_end(status));
        MUST(round > 0 || WEXITSTATUS(status) == SAW_NOTHING, "the whole store is not whole");
        endings[WEXITSTATUS(status)]++;
    }
    printf("%u rounds over %llu bytes: %u not opened, %u found damaged, %u harmless, %u "
           "a revision back\n",
           rounds, (unsigned long long)used, endings[DID_NOT_OPEN], endings[SAW_DAMAGE],
           endings[SAW_NOTHING] - 1, endings[ONE_BACK]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_damaged_anywhere)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
