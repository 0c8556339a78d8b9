/* What happened: commits and their operations, read in a snapshot. */
#ifndef EMSA_STORE_HISTORY_H
#define EMSA_STORE_HISTORY_H

#include "store/change.h"
#include "store/snapshot.h"

struct commit_info {
    uint64_t rev;
    int64_t time;
    uint8_t hash[HASH_SIZE];
    uint8_t parent[HASH_SIZE];
    uint32_t operations;
    struct author author;
    char reason[REASON_MAX + 1];
};

enum operation_kind {
    OPERATION_SET_PLAIN = 1,
    OPERATION_SET_SECRET = 2,
    OPERATION_SET_LINK = 3, /* as enum entry_kind counts */
    OPERATION_SET_TEMPLATE = 4,
    OPERATION_REMOVE = 5,
    OPERATION_LOCK = 6,
    OPERATION_UNLOCK = 7,
    OPERATION_SHARE = 8,
    OPERATION_UNSHARE = 9,
    OPERATION_ENVIRONMENT_ADD = 16,
    OPERATION_ENVIRONMENT_REMOVE = 17,
    OPERATION_SERVICE_ADD = 18,
    OPERATION_SERVICE_REMOVE = 19,
    OPERATION_IDENTITY = 32,
    OPERATION_ENVIRONMENT_KEY = 33,
    OPERATION_SERVICE_KEY = 34,
    OPERATION_GRANT = 35,
};

struct operation_info { /* one operation, as effects and logs need it */
    uint64_t rev;
    uint32_t op;
    enum operation_kind kind;
    struct path path;     /* as deep as the operation is; the root for identities */
    uint32_t environment; /* ids; 0 where there is none */
    uint32_t service;
    uint16_t incarnation;
    uint64_t name_id;
    bool first;           /* a set that made the key; a service or environment that was made */
    uint32_t stored_size; /* of a set's value */
    int64_t expires;      /* of a set: when it ends, 0: never; of a removal: that moment, where it
                             was made because it had come */
    char with[SERVICE_NAME_MAX + 1]; /* of a share: the consumer, "*": every service */
    bool is_same;                    /* what is in effect at its place stayed as it was */
    bool is_allowed_equal; /* its value was let be equal to a secret of another environment */
};

/* What readers see otherwise since a commit: a name that is new or gone, a value that is another.
 * Worked out by the commit itself (store/model/settle.h), so that whoever tells of it need not know
 * what an operation in one place means in others. */
enum outcome_kind { OUTCOME_KEY = 1, OUTCOME_SERVICE, OUTCOME_ENVIRONMENT };

struct outcome {
    uint64_t rev;
    uint32_t index; /* among those of its revision */
    enum outcome_kind kind;
    char mark;      /* '+' there now, and was not; '~' another value; '-' gone */
    bool is_secret; /* of a key: its value is one, or was where it is gone */
    uint32_t environment;
    uint32_t service; /* 0 for an environment */
    uint16_t incarnation;
    uint64_t name_id; /* of a key */
};

/* NOT_THERE: no such revision. */
int history_commit(struct snapshot *, struct commit_info *out, uint64_t rev);

/* The op-th operation of a revision. NOT_THERE past the last. */
int history_operation(struct snapshot *, struct operation_info *out, uint64_t rev, uint32_t op);

/* The index-th outcome of a revision, in the order of (environment, service, name id), a place
 * before what is in it. NOT_THERE past the last. */
int history_outcome(struct snapshot *, struct outcome *out, uint64_t rev, uint32_t index);

/* The path of what it is about. Names are for ever, so it is there for all outcomes. */
int history_outcome_path(struct snapshot *, struct path *out, const struct outcome *outcome);

/* The newest revision at or before rev that touched path (any depth). NOT_THERE when none did.
 * Bounded work a call: it may return 2 (LOOK_ON) with *found as where to go on. */
#define LOOK_ON 2
int history_touched(struct snapshot *, uint64_t *found, const struct path *path, uint64_t rev);

#endif
