/* What the tests of store/log and store/model share: a store of their own, opened in this process.
 */
#ifndef EMSA_TESTS_UNIT_STORE_MODEL_SUPPORT_H
#define EMSA_TESTS_UNIT_STORE_MODEL_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/db/env.h"
#include "store/db/txn.h"
#include "store/error.h"
#include "tests/support/store/sample.h"
#include "tests/support/store/trial.h"

#define ERR(code) (-(int)(code))

struct model {
    const char *folder;
    char path[TRIAL_PATH_MAX];
    struct store *store;
    struct snapshot *snapshot;
};

static inline int model_setup(void **state)
{
    struct model *model = calloc(1, sizeof *model);
    model->folder = trial_folder();
    trial_path(model->path, model->folder, "store");
    sample_create(model->path);
    model->store = sample_open(model->path, true);
    if (snapshot_new(&model->snapshot, model->store))
        return -1;
    *state = model;
    return 0;
}

static inline void model_close(struct model *model)
{
    snapshot_free(model->snapshot);
    store_close(model->store);
    model->snapshot = NULL;
    model->store = NULL;
}

static inline void model_reopen(struct model *model, bool unlocked)
{
    model_close(model);
    model->store = sample_open(model->path, unlocked);
    assert_int_equal(snapshot_new(&model->snapshot, model->store), 0);
}

/* Edits the database as an attacker would, past all that guards it. The store is closed before, and
 * not opened again. */
static inline void model_edit(struct model *model, void (*edit)(struct txn *))
{
    struct env *env;
    struct txn *txn;
    model_close(model);
    assert_int_equal(env_open(&env, model->path, NULL, NULL), 0);
    assert_int_equal(txn_write_begin(&txn, env), 0);
    edit(txn);
    assert_int_equal(txn_commit(txn), 0);
    env_close(env);
}

static inline int model_teardown(void **state)
{
    struct model *model = *state;
    model_close(model);
    trial_remove(model->folder);
    free(model);
    return 0;
}

/* Commits what must succeed; the revision. */
static inline uint64_t model_commit(struct model *model, const struct sample_step steps[],
                                    size_t count)
{
    struct change_result result;
    const int error = sample_commit(model->store, &result, "test", 0, steps, count);
    if (error)
        fail_msg("refused (%d): %s", error, error_text());
    const uint64_t rev = result.rev;
    change_result_release(&result);
    return rev;
}
#define COMMIT(model_, ...)                                                                        \
    model_commit(model_, (const struct sample_step[]){__VA_ARGS__},                                \
                 sizeof((const struct sample_step[]){__VA_ARGS__}) / sizeof(struct sample_step))

#define MODEL_TEST(name) cmocka_unit_test_setup_teardown(name, model_setup, model_teardown)

#endif
