/*
 * A name that exists where a view may not look takes as long as one that exists nowhere: what is
 * asked of the database for either is counted, and is the same. Over a real store, with no mount.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fs/hidden.h"
#include "fs/scope.h"
#include "store/change.h"
#include "store/db/txn.h"
#include "store/identity.h"
#include "tests/support/store/trial.h"

static struct store *store;
static struct snapshot *snapshot;
static struct view_options options;
static struct scope scope;

static struct asked { /* of the database */
    unsigned gets, seeks, seeks_back;
} asked;

int __real_txn_get(struct txn *txn, struct slice *body, enum database database, struct slice key);
int __wrap_txn_get(struct txn *txn, struct slice *body, enum database database, struct slice key);
int __real_txn_seek(struct txn *txn, struct slice *found, struct slice *body,
                    enum database database, struct slice key, bool after);
int __wrap_txn_seek(struct txn *txn, struct slice *found, struct slice *body,
                    enum database database, struct slice key, bool after);
int __real_txn_seek_back(struct txn *txn, struct slice *found, struct slice *body,
                         enum database database, struct slice key);
int __wrap_txn_seek_back(struct txn *txn, struct slice *found, struct slice *body,
                         enum database database, struct slice key);

int __wrap_txn_get(struct txn *txn, struct slice *body, enum database database, struct slice key)
{
    asked.gets++;
    return __real_txn_get(txn, body, database, key);
}

int __wrap_txn_seek(struct txn *txn, struct slice *found, struct slice *body,
                    enum database database, struct slice key, bool after)
{
    asked.seeks++;
    return __real_txn_seek(txn, found, body, database, key, after);
}

int __wrap_txn_seek_back(struct txn *txn, struct slice *found, struct slice *body,
                         enum database database, struct slice key)
{
    asked.seeks_back++;
    return __real_txn_seek_back(txn, found, body, database, key);
}

static struct path path_of(const char *text)
{
    struct path path;
    assert_int_equal(path_parse(&path, text, strlen(text)), 0);
    return path;
}

static void set(struct change *change, const char *text)
{
    const struct path path = path_of(text);
    assert_int_equal(change_set_plain(change, &path, text, strlen(text)), 0);
}

static void commit(struct change *change)
{
    const struct change_terms terms = {.author = {.name = "uid 0 (root)"}, .allow_new = true};
    struct change_result result;
    assert_int_equal(change_commit(change, &terms, &result), 0);
    change_free(change);
    change_result_release(&result);
}

static int make(void **state)
{
    (void)state;
    const struct author author = {.name = "uid 0 (root)"};
    struct identity *identity;
    struct change *change;
    static char path[TRIAL_PATH_MAX];
    const struct store_options store_options = {.path = trial_path(path, trial_folder(), "store"),
                                                .lock_fd = -1};
    assert_int_equal(secret_setup(4u << 20), 0);
    assert_int_equal(identity_new(&identity), 0);
    assert_int_equal(store_create(path, identity, &author), 0);
    assert_int_equal(store_open(&store, &store_options), 0);
    assert_int_equal(store_unlock(store, identity), 0);
    assert_int_equal(change_new(&change, store), 0);
    assert_int_equal(change_environment_add(change, "dev", NULL), 0);
    assert_int_equal(change_environment_add(change, "prod", NULL), 0);
    assert_int_equal(change_environment_add(change, "test", NULL), 0);
    set(change, "prod/web/PORT");
    set(change, "prod/api/TOKEN");
    set(change, "dev/web/SEEN"); /* a name of the same service elsewhere, on both sides */
    set(change, "test/web/SEEN");
    set(change, "dev/off/KEY"); /* and of a service */
    set(change, "test/off/KEY");
    commit(change);
    assert_int_equal(change_new(&change, store), 0);
    set(change, "test/web/MORE");
    assert_int_equal(change_tag(change, "rel", 2), 0);
    commit(change);
    assert_int_equal(snapshot_new(&snapshot, store), 0);
    return snapshot_begin(snapshot);
}

static int end(void **state)
{
    (void)state;
    snapshot_end(snapshot);
    snapshot_free(snapshot);
    store_close(store);
    secret_teardown();
    return 0;
}

static void see(const char *text, enum view_layout layout, bool history)
{
    const struct path path = path_of(text);
    options = (struct view_options){.layout = (uint8_t)layout, .history = history};
    assert_int_equal(view_options_of(&options, &path), 0);
    scope_init(&scope, &options, NULL);
}

/* The id of a directory of the view by the names that lead to it from the root. */
static uint64_t enter(const char *path)
{
    char text[128], *rest;
    struct place place;
    uint64_t id = NODE_ROOT;
    (void)snprintf(text, sizeof(text), "%s", path);
    for (char *name = strtok_r(text, "/", &rest); name; name = strtok_r(NULL, "/", &rest)) {
        assert_int_equal(scope_lookup(&scope, snapshot, &place, id, name), 0);
        id = place.id;
    }
    return id;
}

static struct asked cost(uint64_t directory, const char *name)
{
    struct place place;
    asked = (struct asked){0};
    assert_int_equal(scope_lookup(&scope, snapshot, &place, directory, name), NOT_THERE);
    return asked;
}

static void assert_alike(const char *directory, const char *elsewhere, const char *nowhere)
{
    const uint64_t id = enter(directory);
    const struct asked one = cost(id, elsewhere), two = cost(id, nowhere);
    if (memcmp(&one, &two, sizeof(one)) != 0)
        fail_msg("'%s' in '%s' asks %u, %u and %u times, and '%s' %u, %u and %u", elsewhere,
                 directory, one.gets, one.seeks, one.seeks_back, nowhere, two.gets, two.seeks,
                 two.seeks_back);
    assert_true(scope_stays_away(&scope, id, elsewhere) == scope_stays_away(&scope, id, nowhere));
}

static void keys_of_other_places(void **state)
{
    (void)state;
    see("prod/web", LAYOUT_TREE, true);
    assert_alike("", "dev", "nil");
    assert_alike("prod", "api", "nil");
    assert_alike("prod", "off", "nil");
    assert_alike("prod/web", "SEEN", "NONE");
    assert_alike("prod/web", "TOKEN", "NOKEN");
    assert_alike("prod/web/.emsa/at/2", "SEEN", "NONE");
    assert_alike("prod/web/.emsa/at/2", "MORE", "NONE");
    assert_alike("prod/web/.emsa/at/2", "TOKEN", "NOKEN");
    see("prod/web", LAYOUT_FLAT, true);
    assert_alike("", "SEEN", "NONE");
    assert_alike(".emsa/at/2", "SEEN", "NONE");
}

static void services_of_other_environments(void **state)
{
    (void)state;
    see("prod", LAYOUT_TREE, true);
    assert_alike("", "dev", "nil");
    assert_alike("prod", "off", "nil");
    assert_alike("prod/web", "SEEN", "NONE");
    assert_alike("prod/.emsa/at/2", "off", "nil");
    assert_alike("prod/.emsa/at/2/web", "SEEN", "NONE");
    see("prod", LAYOUT_FLAT, true);
    assert_alike("", "off", "nil");
    assert_alike(".emsa/at/2", "off", "nil");
}

/* A tag, and a revision that is only others', are what there is none of. */
static void revisions_of_others(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        see(i / 2 ? "prod" : "prod/web", LAYOUT_FLAT, i % 2);
        assert_alike(".emsa/at", "3", "4");
        assert_alike(".emsa/at", "3", "400000");
        assert_alike(".emsa/at", "rel", "nil");
        assert_alike(".emsa", "rel", "nil");
    }
}

/* Where it is only whose names they are, nothing is asked at all; and the counts count. */
static void it_is_counted(void **state)
{
    (void)state;
    struct place place;
    see("prod/web", LAYOUT_TREE, false);
    const struct asked none = cost(1, "dev"), some = cost(enter("prod/web"), "SEEN");
    assert_int_equal(none.gets + none.seeks + none.seeks_back, 0);
    assert_true(some.gets > 0);
    asked = (struct asked){0};
    assert_int_equal(scope_lookup(&scope, snapshot, &place, enter("prod/web"), "PORT"), 0);
    assert_true(asked.gets > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_other_places),
        cmocka_unit_test(services_of_other_environments),
        cmocka_unit_test(revisions_of_others),
        cmocka_unit_test(it_is_counted),
    };
    return cmocka_run_group_tests(tests, make, end);
}
