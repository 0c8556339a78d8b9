/*
 * An identity's file is made, and changed from one key file to another, and every call on the way
 * fails, or is the last: one of the two opens it afterwards, the new one where it was said to be
 * done, and the next change does it.
 */
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
#include "store/identity_file.h"
#include "store/secret.h"
#include "tests/fault/inject.h"
#include "tests/support/store/trial.h"

#define SECONDS 20
#define CALLS_MAX 200
#define ARENA (4u << 20)
enum { PASSED, STRUCK };

struct fault {
    enum inject_family family;
    enum inject_how how;
    unsigned at;
    bool onwards;
    const char *path, *beside, *done; /* done: there once the change was said to be made */
};

static struct secret key_of(unsigned char letter)
{
    struct secret key = {0};
    unsigned char bytes[IDENTITY_KEY_MIN];
    memset(bytes, letter, sizeof(bytes));
    MUST_DO(secret_copy(&key, bytes, sizeof(bytes)));
    return key;
}

static int add_key(struct identity_file *file, const struct identity *identity,
                   unsigned char letter)
{
    SECRET_CLEANUP struct secret key = key_of(letter);
    return identity_file_add(file, identity, IDENTITY_KEY_FILE, &key, (struct identity_cost){0});
}

static int make_new(const char *path)
{
    struct identity *identity = NULL;
    struct identity_file *file = NULL;
    int error = identity_new(&identity);
    if (!error)
        error = identity_file_new(&file, identity);
    if (!error)
        error = add_key(file, identity, 'A');
    if (!error)
        error = identity_file_create(file, identity, path);
    identity_file_free(file);
    identity_free(identity);
    return error;
}

static bool opens(const char *path, unsigned char letter)
{
    SECRET_CLEANUP struct secret key = key_of(letter);
    struct identity_opener opener = {.key = &key};
    struct identity_file *file = NULL;
    struct identity *identity = NULL;
    MUST_DO(identity_file_load(&file, path));
    const int error = identity_file_open(&identity, file, &opener);
    MUST(error == 0 || error == -ERR_NO_KEY, "it does not say that it is locked");
    identity_file_free(file);
    identity_free(identity);
    return error == 0;
}

/* From whichever letter opens it to the other. */
static int change(const char *path, unsigned char from, unsigned char to)
{
    SECRET_CLEANUP struct secret key = key_of(from);
    struct identity_opener opener = {.key = &key};
    struct identity_file *file = NULL;
    struct identity *identity = NULL;
    int error = identity_file_edit(&file, path);
    if (!error)
        error = identity_file_open(&identity, file, &opener);
    if (!error)
        error = add_key(file, identity, to);
    if (!error)
        error = identity_file_remove(file, 0);
    if (!error)
        error = identity_file_replace(file, identity);
    identity_file_free(file);
    identity_free(identity);
    return error;
}

static void touch(const char *path)
{
    FILE *file = fopen(path, "we");
    MUST(file && fclose(file) == 0, "cannot make '%s'", path);
}

static int change_struck(void *arg)
{
    const struct fault *fault = arg;
    MUST_DO(secret_setup(ARENA));
    inject_arm(fault->family, fault->how, fault->at, fault->onwards);
    const int error = change(fault->path, 'A', 'B');
    const bool struck = inject_disarm(NULL);
    MUST(!error || struck, "failed by itself");
    MUST(error != -ERR_CORRUPT && error != -ERR_NO_KEY, "'%s'", error_word(error));
    if (!error)
        touch(fault->done);
    return struck ? STRUCK : PASSED;
}

static int look_after(void *arg)
{
    const struct fault *fault = arg;
    MUST_DO(secret_setup(ARENA));
    const bool old = opens(fault->path, 'A'), new = opens(fault->path, 'B');
    MUST(old != new, "opened by both, or by neither");
    MUST(new || access(fault->done, F_OK) != 0, "said to be done, and it is not");
    if (old)
        MUST_DO(change(fault->path, 'A', 'B'));
    MUST(opens(fault->path, 'B'), "the next change did not do it");
    MUST(access(fault->beside, F_OK) != 0 || new, "left beside");
    return 0;
}

static int create_struck(void *arg)
{
    const struct fault *fault = arg;
    MUST_DO(secret_setup(ARENA));
    inject_arm(fault->family, fault->how, fault->at, fault->onwards);
    const int error = make_new(fault->path);
    const bool struck = inject_disarm(NULL);
    if (error) {
        MUST(struck, "failed by itself");
        MUST(access(fault->path, F_OK) != 0, "something was left behind");
        MUST_DO(make_new(fault->path));
    }
    MUST(opens(fault->path, 'A'), "not what was written");
    secret_teardown();
    return struck ? STRUCK : PASSED;
}

static int make_base(void *arg)
{
    const struct fault *fault = arg;
    MUST_DO(secret_setup(ARENA));
    MUST_DO(make_new(fault->path));
    return 0;
}

static void strike_all(int (*body)(void *), bool is_change)
{
    static const struct {
        enum inject_family family;
        enum inject_how how;
        bool onwards, kills;
    } ways[] = {{INJECT_MEMORY, INJECT_REFUSE, false, false},
                {INJECT_MEMORY, INJECT_REFUSE, true, false},
                {INJECT_SYSTEM, INJECT_REFUSE, false, false},
                {INJECT_SYSTEM, INJECT_REFUSE, true, false},
                {INJECT_SYSTEM, INJECT_FULL, true, false},
                {INJECT_SYSTEM, INJECT_HALF, false, false},
                {INJECT_SYSTEM, INJECT_KILL_BEFORE, false, true},
                {INJECT_SYSTEM, INJECT_KILL_AFTER, false, true}};
    const char *folder = trial_folder();
    char path[TRIAL_PATH_MAX], beside[TRIAL_PATH_MAX], done[TRIAL_PATH_MAX];
    trial_path(path, folder, "identity");
    trial_path(beside, folder, "identity.new");
    trial_path(done, folder, "done");
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct fault fault = {.family = ways[i].family,
                              .how = ways[i].how,
                              .onwards = ways[i].onwards,
                              .path = path,
                              .beside = beside,
                              .done = done};
        bool passed = false;
        if (ways[i].kills && !is_change)
            continue; /* whoever is killed leaves what there is */
        for (fault.at = 1; !passed; fault.at++) {
            MUST(fault.at < CALLS_MAX, "no end");
            trial_remove(path);
            trial_remove(beside);
            trial_remove(done);
            if (is_change)
                trial_child_well(make_base, &fault, SECONDS);
            const int status = trial_child(body, &fault, SECONDS);
            passed = WIFEXITED(status) && WEXITSTATUS(status) == PASSED;
            const bool struck = WIFEXITED(status) && WEXITSTATUS(status) == STRUCK;
            const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
            MUST(passed || struck || (killed && ways[i].kills), "way %zu, call %u: %s", i, fault.at,
                 trial_end(status));
            if (is_change)
                trial_child_well(look_after, &fault, SECONDS);
        }
        printf("way %zu: %u calls\n", i, fault.at - 2);
    }
}

static void test_create(void **state)
{
    (void)state;
    strike_all(create_struck, false);
}

static void test_change(void **state)
{
    (void)state;
    strike_all(change_struck, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
