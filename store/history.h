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
    OPERATION_SCHEMA_SET = 20,
    OPERATION_SCHEMA_REMOVE = 21,
    OPERATION_DEFAULT_SET = 22,    /* a key of the schema that has one, */
    OPERATION_DEFAULT_REMOVE = 23, /* or has none any more */

    OPERATION_TAG = 24,
    OPERATION_UNTAG = 25,
    OPERATION_RIGHTS_GRANT = 26, /* who may do what at a place */
    OPERATION_RIGHTS_REVOKE = 27,
    OPERATION_IDENTITY = 32,
    OPERATION_ENVIRONMENT_KEY = 33,
    OPERATION_SERVICE_KEY = 34,
    OPERATION_GRANT = 35,     /* of a key, to an identity */
    OPERATION_VALUE_KEY = 36, /* the key of one secret, for one more pair */
    OPERATION_PURGE = 48,     /* the value of one earlier set is destroyed, */
    OPERATION_COMPACT = 49,   /* or those of all that were replaced by a revision */
};

/* A definition as of a revision, which another one was copied from. */
struct copied_from {
    uint32_t environment; /* 0: nowhere */
    uint64_t name_id;
    uint64_t rev;
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
    /* Of a share: the consumer, "*": every service; of a grant and its taking back: to whom. */
    char with[PRINCIPAL_MAX + 1];
    unsigned rights;            /* of those: which (store/grant.h) */
    bool is_same;               /* what is in effect at its place stayed as it was */
    bool is_allowed_equal;      /* its value was let be equal to a secret of another environment */
    bool is_override;           /* its commit passes where a rule was overridden */
    struct copied_from from;    /* of a set that copies */
    char tag[TAG_NAME_MAX + 1]; /* of a tag and its removal; else "" */
    uint64_t tagged;            /* of a tag: the revision that it names */
    uint64_t purged_rev;        /* of a purge: the set whose value it destroyed */
    uint32_t purged_op;
    uint64_t until; /* of a compaction: what was replaced by then has no values any more */
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
/* The same of a key by its ids. */
int history_path(struct snapshot *, struct path *out, uint32_t environment, uint64_t name_id);

/* The newest revision at or before rev that touched path (any depth). NOT_THERE when none did.
 * Bounded work a call: it may return 2 (LOOK_ON) with *found as where to go on. */
#define LOOK_ON 2
int history_touched(struct snapshot *, uint64_t *found, const struct path *path, uint64_t rev);

/* The newest revision at or before rev that changed what readers see in an environment (service 0)
 * or in a service of one: that has an outcome there. Otherwise as history_touched. */
int history_shown(struct snapshot *, uint64_t *found, uint32_t environment, uint32_t service,
                  uint64_t rev);

/*
 * What stood there as of a revision (which may be the newest). Ids are for ever; an environment of
 * a name that was removed and added again is another one. NOT_THERE where there was none. One
 * look-up or two each, but that a walk passes over all that ever was in its directory, and a name
 * of environments over all that had it since. (Of one key as of a revision: snapshot_entry_at.)
 */
int history_environment(struct snapshot *, uint32_t *id, const char *name, uint64_t rev);
int history_service(struct snapshot *, uint32_t *service, uint32_t environment, const char *name,
                    uint64_t rev);
/* Whether an environment (service 0) or a service in one was there: 0 or NOT_THERE. */
int history_stands(struct snapshot *, uint32_t environment, uint32_t service, uint64_t rev);
/* The next by name after the given one ("" before the first), which becomes its name. */
int history_next_environment(struct snapshot *, uint32_t *id,
                             char name[static ENVIRONMENT_NAME_MAX + 1], uint64_t rev);
int history_next_service(struct snapshot *, uint32_t *service,
                         char name[static SERVICE_NAME_MAX + 1], uint32_t environment,
                         uint64_t rev);
/* The next key that a service ever had, in any environment, after the given one ("" before the
 * first), which becomes that. What is there as of a revision is among them
 * (snapshot_entry_at). */
int history_next_name(struct snapshot *, uint64_t *name_id, char key[static KEY_NAME_MAX + 1],
                      uint32_t service);
/* The ids of names, for ever. NOT_THERE: nobody ever had it. */
int history_service_id(struct snapshot *, uint32_t *service, const char *name);
int history_name(struct snapshot *, uint64_t *name_id, const char *service, const char *key);
/* What was defined at exactly this place, and when it was to end (0: never). NOT_THERE: nothing,
 * whatever was in effect. */
int history_definition(struct snapshot *, struct definition *out, int64_t *expires,
                       uint32_t environment, uint64_t name_id, uint64_t rev);

/* What became of a set. The operation that destroyed its value (NOT_THERE: it is there); the
 * revision in which something else, or nothing, took its place (NOT_THERE: it stands); and, told
 * one after the other until tell returns nonzero, which is returned, the sets that copied its
 * value, or a copy of that: the log is walked from it on. */
int history_purged(struct snapshot *, uint64_t *rev, uint32_t *op, uint64_t set_rev,
                   uint32_t set_op);
int history_replaced(struct snapshot *, uint64_t *rev, const struct definition *definition);
int history_copies(struct snapshot *, const struct definition *definition,
                   int (*tell)(void *arg, const struct operation_info *), void *arg);

/* A name that somebody gave to a revision. */
struct tag {
    char name[TAG_NAME_MAX + 1];
    uint64_t rev;      /* what it names */
    uint64_t said_rev; /* the commit that says so */
    uint32_t said_op;
};
/* NOT_THERE: no revision has that name. */
int history_tag(struct snapshot *, struct tag *out, const char *name);
/* The next tag by name: fill *at with zeros to begin, then give back what was found. NOT_THERE past
 * the last. */
int history_next_tag(struct snapshot *, struct tag *at);

/* A key as of a revision, by its name, and the next one by name after the given one. */
int history_entry(struct snapshot *, struct entry *out, uint32_t environment, uint32_t service,
                  const char *key, uint64_t rev);
int history_next_entry(struct snapshot *, struct entry *out, uint32_t environment, uint32_t service,
                       const char *after, uint64_t rev);

/* The outcome by which a key came to a value: rev is the revision of an entry of it. Its place
 * (rev, index) names that version of that key for ever. NOT_THERE: the key has none of that
 * revision. */
int history_outcome_of(struct snapshot *, uint32_t *index, uint32_t environment, uint32_t service,
                       uint64_t name_id, uint64_t rev);

#endif
