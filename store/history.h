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
    OPERATION_SET_TEMPLATE = 3, /* numbers kept for what FORMAT.md foresees */
    OPERATION_SET_LINK = 4,
    OPERATION_REMOVE = 5,
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
};

/* NOT_THERE: no such revision. */
int history_commit(struct snapshot *, struct commit_info *out, uint64_t rev);

/* The op-th operation of a revision. NOT_THERE past the last. */
int history_operation(struct snapshot *, struct operation_info *out, uint64_t rev, uint32_t op);

/* The newest revision at or before rev that touched path (any depth). NOT_THERE when none did.
 * Bounded work a call: it may return 2 (LOOK_ON) with *found as where to go on. */
#define LOOK_ON 2
int history_touched(struct snapshot *, uint64_t *found, const struct path *path, uint64_t rev);

#endif
