/* A store in a folder, with the identity beside it, and the shortest way to write and read it. */
#ifndef EMSA_TESTS_SAMPLE_H
#define EMSA_TESTS_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/bytes.h"
#include "store/change.h"
#include "store/history.h"
#include "store/snapshot.h"
#include "store/store.h"
#include "store/verify.h"

/* Most that secrets may take in these tests. */
#define SAMPLE_SECRETS_MAX (8u << 20)

/* Makes a store in path and its identity in path.identity. Sets up the arena. */
void sample_create(const char *path);

/* Opens it; with its identity where unlocked is true. Fails the test if it can't be done. */
struct store *sample_open(const char *path, bool unlocked);

/* The same without a verdict: 0 or the failure. */
int sample_try_open(struct store **out, const char *path, bool unlocked);

/* Reads the identity of the store in path. */
int sample_identity(struct identity **out, const char *path);

struct path sample_path(const char *text);

enum sample_verb {
    ADD,
    DROP,
    SET,
    SECRET,
    SET_LINK,
    SET_TEMPLATE,
    SHARE_WITH,
    UNSHARE_WITH,
    LOCK_PLACE,
    UNLOCK_PLACE,
    COPY_FROM,
    MOVE_FROM,
    SET_TEXT,
    SECRET_TEXT,
    SET_SCHEMA,
    UNSET_SCHEMA,
    GRANT_TO, /* the value: the rights; the text: to whom; the path "" for everything */
    REVOKE_FROM,
};

/* One operation; ADD and DROP by the depth of the path. The value is that of a number (dice.h), or
 * the text: of a link or a template, the consumer of a share, where a copy or a move begins, the
 * base of an environment, a plain value or a secret as it stands, a schema (declare.h). What is set
 * with a ttl ends so many seconds after the commit. */
struct sample_step {
    enum sample_verb verb;
    const char *path;
    uint64_t value;
    const char *text;
    uint64_t ttl;
};

/* Adds the steps to a change; the first failure ends it and is returned. */
int sample_gather(struct change *change, const struct sample_step steps[], size_t count);

/* The terms of a commit: an author, the reason, and a request id made of number (0: none). New
 * names are meant, and equal values too where there is a reason. */
struct change_terms sample_terms(const char *reason, uint64_t number);

/* A whole change: what change_commit returns, or the first failure before it. */
int sample_commit(struct store *store, struct change_result *out, const char *reason,
                  uint64_t number, const struct sample_step steps[], size_t count);
#define SAMPLE_COMMIT(store_, out_, reason_, number_, ...)                                         \
    sample_commit(store_, out_, reason_, number_, (const struct sample_step[]){__VA_ARGS__},       \
                  sizeof((const struct sample_step[]){__VA_ARGS__}) / sizeof(struct sample_step))

/* The entry and the bytes at a path, copied to out (reset first). 0, NOT_THERE, or a failure. */
int sample_read(struct snapshot *snapshot, struct entry *entry, struct bytes *out,
                const char *path);

/* Whether the path has the value of number (and is there at all). */
bool sample_has(struct snapshot *snapshot, const char *path, uint64_t number);

/* Verifies; faults are printed where loud. What verify_store returns. */
int sample_verify(struct store *store, bool loud);

#endif
