#include "tests/unit/store/model_support.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/db/keys.h"
#include "store/db/txn.h"
#include "store/model/owner.h"

static const struct author author = {.name = "uid 0 (root)"};

static int try_open(const char *path)
{
    struct store *store;
    const struct store_options options = {.path = path, .lock_fd = -1};
    const int error = store_open(&store, &options);
    if (!error)
        store_close(store);
    return error;
}

static int try_create(const char *path)
{
    struct identity *identity;
    assert_int_equal(identity_new(&identity), 0);
    const int error = store_create(path, identity, &author);
    identity_free(identity);
    return error;
}

static void test_a_new_store(void **state)
{
    struct model *model = *state;
    struct store_status status;
    struct stat info;
    assert_int_equal(store_revision(model->store), 1);
    assert_string_equal(store_path(model->store), model->path);
    assert_true(store_unlocked(model->store));
    assert_int_equal(store_status(model->store, &status), 0);
    assert_int_equal(status.revision, 1);
    assert_int_equal(status.environments + status.services + status.entries, 0);
    assert_true(status.file_bytes >= status.used_bytes);
    assert_int_equal(stat(model->path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
    COMMIT(model, {ADD, "prod", 0}, {SET, "prod/web/A", 1}, {ADD, "prod/api", 0});
    assert_int_equal(store_status(model->store, &status), 0);
    assert_int_equal(status.environments, 1);
    assert_int_equal(status.services, 2);
    assert_int_equal(status.entries, 1);
}

static void test_create_never_harms(void **state)
{
    struct model *model = *state;
    char path[TRIAL_PATH_MAX], file[TRIAL_PATH_MAX];
    COMMIT(model, {ADD, "prod", 0});
    assert_int_equal(try_create(model->path), ERR(ERR_REFUSED));
    assert_non_null(strstr(error_text(), "there is a store"));
    model_reopen(model, true);
    assert_int_equal(store_revision(model->store), 2);
    trial_path(path, model->folder, "full");
    assert_int_equal(mkdir(path, 0755), 0);
    close(open(trial_path(file, path, "letters"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    assert_int_equal(try_create(path), ERR(ERR_REFUSED));
    assert_non_null(strstr(error_text(), "'letters'"));
    assert_int_equal(access(file, F_OK), 0);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(try_create(path), 0);
    assert_int_equal(try_create(trial_path(path, model->folder, "no/such")), ERR(ERR_NOT_FOUND));
}

static void test_nothing_there(void **state)
{
    struct model *model = *state;
    char path[TRIAL_PATH_MAX];
    trial_path(path, model->folder, "nothing");
    assert_int_equal(try_open(path), ERR(ERR_NOT_FOUND));
    assert_non_null(strstr(error_text(), "init"));
    assert_int_equal(store_lock(path), ERR(ERR_NOT_FOUND));
    assert_int_equal(try_open(model->folder), ERR(ERR_NOT_FOUND));
}

static void test_one_owner(void **state)
{
    struct model *model = *state;
    char pid[32];
    assert_int_equal(store_lock(model->path), ERR(ERR_BUSY));
    snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    assert_non_null(strstr(error_text(), pid));
    assert_int_equal(try_open(model->path), ERR(ERR_BUSY));
    model_close(model);
    const int fd = store_lock(model->path);
    assert_true(fd >= 0);
    assert_int_equal(try_open(model->path), ERR(ERR_BUSY));
    /* With the lock in hand, as the supervisor's server has it. */
    const struct store_options options = {.path = model->path, .lock_fd = fd};
    assert_int_equal(store_open(&model->store, &options), 0);
    store_close(model->store);
    model->store = NULL;
    assert_int_equal(store_lock(model->path), ERR(ERR_BUSY));
    close(fd);
    assert_int_equal(try_open(model->path), 0);
}

/* The lock ends with its holder, however that ended; a stale pid does not hold it. */
static int hold_and_end(void *arg)
{
    return owner_lock(arg) >= 0 ? 0 : 1;
}

static void test_a_dead_owner_owns_nothing(void **state)
{
    struct model *model = *state;
    model_close(model);
    trial_child_well(hold_and_end, model->path, 10);
    assert_int_equal(try_open(model->path), 0);
}

static void test_another_identity(void **state)
{
    struct model *model = *state;
    struct identity *identity;
    model_reopen(model, false);
    assert_int_equal(identity_new(&identity), 0);
    assert_int_equal(store_unlock(model->store, identity), ERR(ERR_NO_KEY));
    assert_false(store_unlocked(model->store));
}

/* Changes a meta record behind the store's back. */
static void put_meta(struct model *model, const char *name, const void *body, size_t size)
{
    struct env *env;
    struct txn *txn;
    struct key key;
    model_close(model);
    assert_int_equal(env_open(&env, model->path, NULL, NULL), 0);
    assert_int_equal(txn_write_begin(&txn, env), 0);
    txn_put(txn, DB_META, key_meta(&key, name), (struct slice){body, size});
    assert_int_equal(txn_commit(txn), 0);
    env_close(env);
}

static void test_an_unknown_format(void **state)
{
    struct model *model = *state;
    unsigned char body[1 + 4 + STORE_ID_SIZE] = {1, 99, 0, 0, 0};
    put_meta(model, "store", body, sizeof body);
    assert_int_equal(try_open(model->path), ERR(ERR_FORMAT));
    assert_non_null(strstr(error_text(), "format 99"));
    body[1] = 1; /* an older one */
    put_meta(model, "store", body, sizeof body);
    assert_int_equal(try_open(model->path), ERR(ERR_FORMAT));
    assert_non_null(strstr(error_text(), "format 1"));
    body[0] = 9;
    put_meta(model, "store", body, sizeof body);
    assert_int_equal(try_open(model->path), ERR(ERR_FORMAT));
    put_meta(model, "store", body, 0);
    assert_int_equal(try_open(model->path), ERR(ERR_CORRUPT));
}

static void test_a_lost_head(void **state)
{
    struct model *model = *state;
    put_meta(model, "head", "\1", 1);
    assert_int_equal(try_open(model->path), ERR(ERR_CORRUPT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MODEL_TEST(test_a_new_store),
        MODEL_TEST(test_create_never_harms),
        MODEL_TEST(test_nothing_there),
        MODEL_TEST(test_one_owner),
        MODEL_TEST(test_a_dead_owner_owns_nothing),
        MODEL_TEST(test_another_identity),
        MODEL_TEST(test_an_unknown_format),
        MODEL_TEST(test_a_lost_head),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
