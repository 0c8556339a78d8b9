/* store_create: a new store, whole or not at all. */
#include "store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/change.h"
#include "store/crypto/hash.h"
#include "store/crypto/keyring.h"
#include "store/db/env.h"
#include "store/error.h"
#include "store/grant.h"
#include "store/log/commit.h"
#include "store/log/index.h"
#include "store/model/owner.h"

/* A file system's root has one, and is as good as empty. */
#define LOST_AND_FOUND "lost+found"

static int check_empty(const char *path)
{
    char file[PATH_MAX];
    if (snprintf(file, sizeof file, "%s/data.mdb", path) < (int)sizeof file &&
        access(file, F_OK) == 0)
        return error_set(ERR_REFUSED, "there is a store in '%s' already", path);
    DIR *folder = opendir(path);
    if (!folder)
        return error_system(errno, "cannot open '%s'", path);
    int error = 0;
    for (struct dirent *item; !error && (item = readdir(folder));)
        if (strcmp(item->d_name, ".") != 0 && strcmp(item->d_name, "..") != 0 &&
            strcmp(item->d_name, LOST_AND_FOUND) != 0)
            error = error_set(ERR_REFUSED,
                              "'%s' is not empty: it has '%s'; a store needs a folder of its own",
                              path, item->d_name);
    closedir(folder);
    return error;
}

/* Positive 1: it was made here. */
static int make_folder(const char *path)
{
    if (mkdir(path, 0700) == 0)
        return 1;
    if (errno != EEXIST)
        return error_system(errno, "cannot make '%s'", path);
    return check_empty(path);
}

/* The folder's own name is durable only when the folder above is written out. */
static int sync_above(const char *path)
{
    char above[PATH_MAX];
    if (snprintf(above, sizeof above, "%s/..", path) >= (int)sizeof above)
        return error_set(ERR_INVALID, "path '%s' is too long", path);
    const int fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_system(errno, "cannot open '%s'", above);
    const int failed = fsync(fd) ? errno : 0;
    close(fd);
    return failed ? error_system(failed, "cannot write out '%s'", above) : 0;
}

#define FOUNDERS_MAX 2

struct founders { /* who reads everything from the start */
    struct founder {
        const char *name;
        uint8_t public_key[CRYPTO_KEY_SIZE], signing_key[CRYPTO_KEY_SIZE];
    } list[FOUNDERS_MAX];
    size_t count;
};

/* recovery: its public text; NULL: there is none. */
static int gather_founders(struct founders *out, const struct identity *identity,
                           const char *recovery)
{
    struct founder *other = &out->list[1];
    out->count = 1;
    out->list[0].name = ADMINISTRATOR;
    identity_keys(identity, out->list[0].public_key, out->list[0].signing_key);
    if (!recovery)
        return 0;
    out->count = 2;
    other->name = RECOVERY;
    const int error =
        identity_public_parse(other->public_key, other->signing_key, recovery, strlen(recovery));
    if (!error && memcmp(other->public_key, out->list[0].public_key, CRYPTO_KEY_SIZE) == 0)
        return error_set(ERR_REFUSED, "the recovery identity is the store's own: one that is lost "
                                      "with it recovers nothing");
    return error;
}

struct founding { /* revision 1 in the making */
    struct index index;
    struct draft *draft;
    uint32_t count; /* of operations */
};

static int add(struct founding *founding, struct operation *operation)
{
    if (!operation->name)
        operation->name = "";
    random_bytes(operation->digest, sizeof operation->digest);
    const int error = index_apply(&founding->index, operation, founding->count++);
    return error ? error : draft_add(founding->draft, operation, (struct slice){0});
}

/* An identity, and that it reads everything. */
static int add_founder(struct founding *founding, const struct founder *founder)
{
    char principal[PRINCIPAL_MAX + 1];
    struct operation identity = {.kind = OPERATION_IDENTITY,
                                 .first = true,
                                 .name = founder->name,
                                 .name_size = strlen(founder->name),
                                 .public_key = founder->public_key,
                                 .signing_key = founder->signing_key};
    struct operation grant = {
        .kind = OPERATION_RIGHTS_GRANT, .principal = principal, .rights = GRANT_READ};
    const int length =
        snprintf(principal, sizeof principal, "%s%s", PRINCIPAL_IDENTITY, founder->name);
    grant.principal_size = (size_t)length;
    const int error = add(founding, &identity);
    return error ? error : add(founding, &grant);
}

/* The store's own pair, from which the key of fingerprints is derived: an environment's key of no
 * environment, and its grant to each founder. */
static int add_pair(struct founding *founding, const uint8_t store_id[static STORE_ID_SIZE],
                    const struct founders *founders)
{
    struct recipient owner = FINGERPRINT_OWNER;
    struct wrapped_key wrapped[FOUNDERS_MAX];
    struct operation pair = {.kind = OPERATION_ENVIRONMENT_KEY,
                             .first = true,
                             .turn = owner.generation,
                             .public_key = owner.public_key};
    for (size_t i = 0; i < founders->count; i++)
        memcpy(wrapped[i].for_public_key, founders->list[i].public_key, CRYPTO_KEY_SIZE);
    int error = keyring_make_for(store_id, &owner, wrapped, founders->count);
    if (!error)
        error = add(founding, &pair);
    for (size_t i = 0; i < founders->count && !error; i++) {
        struct operation grant = {.kind = OPERATION_GRANT,
                                  .turn = owner.generation,
                                  .for_key = wrapped[i].for_public_key,
                                  .wrapped = wrapped[i].data};
        error = add(founding, &grant);
    }
    return error;
}

static int begin_log(struct txn *txn, struct draft *draft,
                     const uint8_t store_id[static STORE_ID_SIZE], const struct founders *founders)
{
    struct founding founding = {.draft = draft};
    int error = index_begin(&founding.index, txn, draft->head.rev, draft->head.time);
    for (size_t i = 0; i < founders->count && !error; i++)
        error = add_founder(&founding, &founders->list[i]);
    if (!error)
        error = add_pair(&founding, store_id, founders);
    if (!error)
        error = index_finish(&founding.index);
    index_release(&founding.index);
    return error;
}

static int first_commit(struct txn *txn, const struct founders *founders,
                        const struct author *author)
{
    static const uint8_t no_request[REQUEST_ID_SIZE];
    uint8_t id[STORE_ID_SIZE];
    struct draft draft;
    random_bytes(id, sizeof id);
    state_put_store_id(txn, id);
    state_put_head(txn, &(struct head){0});
    state_put_counters(txn, &(struct counters){0});
    int error = draft_begin(&draft, txn, time_now());
    if (!error)
        error = begin_log(txn, &draft, id, founders);
    if (!error)
        error = draft_finish(&draft, author, "a new store", no_request);
    draft_release(&draft);
    return error;
}

static int fill(const char *path, const struct founders *founders, const struct author *author)
{
    struct env *env;
    struct txn *txn;
    int error = env_open(&env, path, NULL, NULL);
    if (error)
        return error;
    error = txn_write_begin(&txn, env);
    if (!error) {
        error = first_commit(txn, founders, author);
        if (error)
            txn_free(txn);
        else
            error = txn_commit(txn);
    }
    env_close(env);
    return error;
}

static void remove_files(const char *path)
{
    static const char *const files[] = {"data.mdb", "lock.mdb", "owner.lock"};
    char file[PATH_MAX];
    for (size_t i = 0; i < 3; i++)
        if (snprintf(file, sizeof file, "%s/%s", path, files[i]) < (int)sizeof file)
            unlink(file);
}

int store_create(const char *path, const struct identity *identity, const struct author *author)
{
    return store_create_recoverable(path, identity, NULL, author);
}

int store_create_recoverable(const char *path, const struct identity *identity,
                             const char *recovery, const struct author *author)
{
    struct founders founders;
    const int unfit = gather_founders(&founders, identity, recovery);
    const int made = unfit ? unfit : make_folder(path);
    if (made < 0)
        return made;
    const int lock = owner_create(path);
    int error = lock < 0 ? lock : env_create(path);
    if (!error)
        error = fill(path, &founders, author);
    if (!error)
        error = sync_above(path);
    if (lock >= 0) {
        if (error)
            remove_files(path);
        owner_unlock(lock);
    }
    if (error && made)
        rmdir(path);
    return error;
}
