/* A store with two identities beside the one that it was made with: who opens what, with nothing
 * but itself and the store's files. */
#ifndef EMSA_TESTS_UNIT_STORE_WORLD_SUPPORT_H
#define EMSA_TESTS_UNIT_STORE_WORLD_SUPPORT_H

#include "tests/unit/store/model_support.h"

#include <unistd.h>

#include "store/crypto/keyring.h"
#include "store/db/keys.h"
#include "store/grant.h"

#define NO_KEY ERR(ERR_NO_KEY)

struct world {
    struct model model;
    struct identity *host; /* what "host" is, and another one */
    struct identity *other;
};

static inline int setup(void **state)
{
    void *model = NULL;
    struct world *world = calloc(1, sizeof *world);
    assert_int_equal(model_setup(&model), 0);
    world->model = *(struct model *)model;
    free(model);
    assert_int_equal(identity_new(&world->host), 0);
    assert_int_equal(identity_new(&world->other), 0);
    *state = world;
    return 0;
}

static inline int teardown(void **state)
{
    struct world *world = *state;
    model_close(&world->model);
    trial_remove(world->model.folder);
    identity_free(world->host);
    identity_free(world->other);
    free(world);
    return 0;
}

static inline struct change *begin(struct world *world)
{
    struct change *change;
    assert_int_equal(change_new(&change, world->model.store), 0);
    return change;
}

/* 0 or the failure; what comes of it is verified. */
static inline int commit(struct world *world, struct change *change)
{
    struct change_result result;
    const struct change_terms terms = sample_terms("keys", 0);
    const int error = change_commit(change, &terms, &result);
    change_free(change);
    if (error)
        return error;
    change_result_release(&result);
    assert_int_equal(sample_verify(world->model.store, true), 0);
    return 0;
}

static inline int know_text(struct world *world, const char *name, const char *text)
{
    struct change *change = begin(world);
    assert_int_equal(change_identity(change, name, text), 0);
    return commit(world, change);
}

static inline int know(struct world *world, const char *name, const struct identity *identity)
{
    char text[IDENTITY_TEXT_MAX] = "";
    identity_public(identity, text);
    return know_text(world, name, text);
}

static inline int give(struct world *world, const char *place, const char *who, unsigned rights)
{
    const struct path path = sample_path(place);
    struct change *change = begin(world);
    assert_int_equal(change_grant(change, &path, who, rights), 0);
    return commit(world, change);
}

static inline int take_back(struct world *world, const char *place, const char *who,
                            unsigned rights)
{
    const struct path path = sample_path(place);
    struct change *change = begin(world);
    assert_int_equal(change_revoke(change, &path, who, rights), 0);
    return commit(world, change);
}

static inline int rotate(struct world *world, const char *place)
{
    const struct path path = sample_path(place);
    struct change *change = begin(world);
    assert_int_equal(change_rotate(change, &path, false), 0);
    return commit(world, change);
}

static inline void set(struct world *world, const char *key, const char *value)
{
    const struct path path = sample_path(key);
    struct secret secret = {0};
    struct change *change = begin(world);
    assert_int_equal(secret_copy(&secret, value, strlen(value)), 0);
    assert_int_equal(change_set_secret(change, &path, &secret), 0);
    assert_int_equal(commit(world, change), 0);
}

/* Reads it in a store that has this identity alone: 0 and the value, or the failure. */
static inline int open_with(struct world *world, char value[64], const struct identity *identity,
                            const char *key)
{
    char file[TRIAL_PATH_MAX + 8];
    struct identity *loaded;
    struct entry entry;
    struct bytes out = BYTES_INIT(64);
    snprintf(file, sizeof file, "%s.id", world->model.path);
    unlink(file);
    assert_int_equal(identity_write(identity, file), 0);
    assert_int_equal(identity_load(&loaded, file), 0);
    model_reopen(&world->model, false);
    assert_int_equal(store_unlock(world->model.store, loaded), 0);
    assert_int_equal(snapshot_begin(world->model.snapshot), 0);
    const int error = sample_read(world->model.snapshot, &entry, &out, key);
    if (!error) {
        memcpy(value, out.data, out.size);
        value[out.size] = '\0';
    }
    snapshot_end(world->model.snapshot);
    bytes_release(&out);
    model_reopen(&world->model, true);
    return error;
}

static inline void check_opens(struct world *world, const struct identity *identity,
                               const char *key, const char *expected)
{
    char value[64] = "";
    assert_int_equal(open_with(world, value, identity, key), expected ? 0 : NO_KEY);
    if (expected)
        assert_string_equal(value, expected);
}

struct listed {
    char text[512];
};

static inline int list(void *arg, const struct exposed *exposed)
{
    struct listed *listed = arg;
    char path[PATH_TEXT_MAX];
    const size_t used = strlen(listed->text);
    snprintf(listed->text + used, sizeof listed->text - used, "%s %s\n",
             path_text(&exposed->path, path), exposed->principal);
    return 0;
}

static inline void check_exposed(struct world *world, const char *expected)
{
    struct listed listed = {""};
    assert_int_equal(snapshot_begin(world->model.snapshot), 0);
    assert_int_equal(grant_each_exposed(world->model.snapshot, list, &listed), 0);
    snapshot_end(world->model.snapshot);
    assert_string_equal(listed.text, expected);
}

/* That this line is among so many: those of one secret are in the order of keys, which are random.
 */
static inline void check_listed(struct world *world, const char *line, size_t count)
{
    struct listed listed = {""};
    assert_int_equal(snapshot_begin(world->model.snapshot), 0);
    assert_int_equal(grant_each_exposed(world->model.snapshot, list, &listed), 0);
    snapshot_end(world->model.snapshot);
    assert_non_null(strstr(listed.text, line));
    for (const char *at = listed.text; (at = strchr(at, '\n')); at++)
        count--;
    assert_int_equal(count, 0);
}

static inline void fill(struct world *world)
{
    COMMIT(&world->model, {ADD, "prod"}, {ADD, "prod/billing"}, {ADD, "prod/web"}, {ADD, "dev"});
    set(world, "prod/billing/KEY", "one");
    set(world, "prod/billing/TOKEN", "two");
    set(world, "prod/web/KEY", "three");
    set(world, "dev/web/KEY", "four");
    assert_int_equal(know(world, "host", world->host), 0);
    assert_int_equal(know(world, "other", world->other), 0);
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
