/*
 * The derived records: what the log comes to. Their layouts are in store/FORMAT.md, "Derived
 * records". Look-ups work in any transaction, so that readers, the one writer and verification ask
 * the same questions; only index.c writes them.
 *
 * Look-ups return 0, positive NOT_THERE, or a failure; *out is set on 0 only.
 */
#ifndef EMSA_STORE_LOG_STATE_H
#define EMSA_STORE_LOG_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/crypto/keyring.h"
#include "store/db/txn.h"
#include "store/snapshot.h"

#define STORE_FORMAT 6

struct head { /* the newest commit */
    uint64_t rev;
    uint8_t hash[HASH_SIZE];
    int64_t time;
};

struct counters { /* the last of each id that was given, and how many live now */
    uint32_t environment_id;
    uint32_t service_id;
    uint64_t name_id;
    uint64_t entry_id;
    uint64_t environments, services, entries;
};

/* An environment's record stays when it is removed, for --if-rev and to find the history of its
 * name. */
struct environment_state {
    struct environment is;
    bool alive;
    uint32_t before; /* id of the environment that had this name before this one; 0: none */
};

/* So does a placement's, for its incarnation. */
struct place_state {
    struct service is;
    bool alive;
};

/*
 * What is in effect at a place: its own definition, or a word that says which layer beneath has the
 * one that is (store/FORMAT.md). In `current` as it is now, in `history` as each revision wrote it.
 * What it means to a reader is worked out when it is read (store/model/resolve.h).
 */
enum spot_kind {                /* of an own definition: enum entry_kind */
                 SPOT_NONE = 0, /* in `history` only */
                 SPOT_IN_BASE = 5,
                 SPOT_IN_ALL = 6,
                 SPOT_IN_SCHEMA = 7, /* a default: of the schema of the environment, */
                 SPOT_IN_BASE_SCHEMA = 8,
                 SPOT_IN_ALL_SCHEMA = 9,
};
#define SPOT_KIND_LAST SPOT_IN_ALL_SCHEMA

struct spot {
    uint32_t environment;
    uint32_t service; /* not filled in by state_moment */
    uint64_t name_id;
    char key[KEY_NAME_MAX + 1]; /* neither is this */
    unsigned kind;
    uint64_t since;     /* the revision that wrote this record */
    uint64_t rev;       /* of the last change of the effective value, as far as this record says */
    int64_t time;       /* of that */
    uint64_t first_rev; /* since when something is in effect here */
    int64_t first_time;
    /* Of an own definition; its value lies at (since, op). */
    uint64_t entry_id;
    uint32_t op;
    uint32_t stored_size;
    int64_t expires; /* 0: never */
};

static inline bool spot_is_own(const struct spot *spot)
{
    return spot->kind >= ENTRY_PLAIN && spot->kind <= ENTRY_TEMPLATE;
}

static inline bool spot_is_default(unsigned kind)
{
    return kind >= SPOT_IN_SCHEMA && kind <= SPOT_IN_ALL_SCHEMA;
}

struct expiry { /* what ends at a moment */
    int64_t moment;
    uint32_t environment;
    uint64_t name_id; /* 0: the environment itself */
    uint64_t rev;     /* the operation that said so */
    uint32_t op;
};

struct identity_state {
    char name[PRINCIPAL_NAME_MAX + 1];
    uint8_t public_key[CRYPTO_KEY_SIZE];
    uint8_t signing_key[CRYPTO_KEY_SIZE];
    uint64_t rev;
};

/* meta; these must be there, so absence is ERR_CORRUPT */
int state_store_id(struct txn *, uint8_t out[static STORE_ID_SIZE]);
int state_head(struct txn *, struct head *out);
int state_counters(struct txn *, struct counters *out);
void state_put_store_id(struct txn *, const uint8_t id[static STORE_ID_SIZE]);
void state_put_head(struct txn *, const struct head *);
void state_put_counters(struct txn *, const struct counters *);

/* Also those that ended (alive is false then). */
int state_environment(struct txn *, struct environment_state *out, const char *name);
int state_next_environment(struct txn *, struct environment_state *out, const char *after);
void state_put_environment(struct txn *, const struct environment_state *);
/* The name of an id, for ever, and the id before it of that name. */
int state_environment_name(struct txn *, char name[static ENVIRONMENT_NAME_MAX + 1],
                           uint32_t *before, uint32_t id);
/* What an environment stands on, for ever, also one that ended. 0: nothing. */
int state_environment_base(struct txn *, uint32_t *base, uint32_t id);
void state_put_environment_name(struct txn *, const struct environment_state *);

/* Also those that ended. */
int state_place(struct txn *, struct place_state *out, uint32_t environment, const char *service);
int state_next_place(struct txn *, struct place_state *out, uint32_t environment,
                     const char *after);
void state_put_place(struct txn *, const struct place_state *);

int state_service_name(struct txn *, char name[static SERVICE_NAME_MAX + 1], uint32_t id);
int state_service_id(struct txn *, uint32_t *id, const char *name);
void state_put_service_name(struct txn *, uint32_t id, const char *name);

int state_name(struct txn *, uint32_t *service, char key[static KEY_NAME_MAX + 1], uint64_t id);
int state_name_id(struct txn *, uint64_t *id, uint32_t service, const char *key);
/* The next key of the service by name, after key, which becomes that; whether or not there is
 * anything of that name. */
int state_next_name(struct txn *, uint64_t *id, char key[static KEY_NAME_MAX + 1],
                    uint32_t service);
void state_put_name(struct txn *, uint64_t id, uint32_t service, const char *key);

int state_current(struct txn *, struct spot *out, uint32_t environment, uint32_t service,
                  const char *key);
int state_next_current(struct txn *, struct spot *out, uint32_t environment, uint32_t service,
                       const char *after);
void state_put_current(struct txn *, const struct spot *);
void state_delete_current(struct txn *, uint32_t environment, uint32_t service, const char *key);

/* What the newest revision at or before rev wrote (out->since says which); its kind may be
 * SPOT_NONE. */
int state_moment(struct txn *, struct spot *out, uint32_t environment, uint64_t name_id,
                 uint64_t rev);
/* The revision of the next one, which took its place; NOT_THERE: none did. */
int state_moment_after(struct txn *, uint64_t *next, uint32_t environment, uint64_t name_id,
                       uint64_t rev);
void state_put_moment(struct txn *, const struct spot *);
/* That an environment (service 0) or a service in one came (is_there) or went, by that operation.
 */
struct presence {
    uint32_t environment;
    uint32_t service;
    uint64_t rev;
    uint32_t op;
    bool is_there;
    uint16_t incarnation; /* of a service */
};
/* The last word at or before revision rev. NOT_THERE: it never was until then. */
int state_presence(struct txn *, struct presence *out, uint32_t environment, uint32_t service,
                   uint64_t rev);
/* What exactly that operation said; environment, service, rev and op are given in *out. */
int state_presence_of(struct txn *, struct presence *out);
void state_put_presence(struct txn *, const struct presence *);
/* The first to end of those that stand after the given one in the order of (moment, environment,
 * name id); NULL: of all. */
int state_next_expiry(struct txn *, struct expiry *out, const struct expiry *after);
/* The record of what ends at out->moment: out's moment, environment and name id are given. */
int state_expiry(struct txn *, struct expiry *out);
void state_put_expiry(struct txn *, const struct expiry *);
void state_delete_expiry(struct txn *, const struct expiry *);

/* The newest generation's public key of an environment (service 0) or a service in it. */
int state_public_key(struct txn *, struct recipient *out, uint32_t environment, uint32_t service);
void state_put_public_key(struct txn *, const struct recipient *, uint64_t rev, uint32_t op);
/* As struct keyring_source asks: the public key of one generation (environment, service and
 * generation are given in *owner); a private key wrapped (owner and for_public_key are given in
 * *out, data is filled in). */
int state_pair(struct txn *, struct recipient *owner);
int state_wrapped_key(struct txn *, struct wrapped_key *out);
void state_put_wrapped_key(struct txn *, const struct wrapped_key *);
/* The identity of a public key; the first one whose key is greater than after (NULL: the first). */
int state_identity(struct txn *, struct identity_state *out,
                   const uint8_t public_key[static CRYPTO_KEY_SIZE]);
int state_next_identity(struct txn *, struct identity_state *out, const uint8_t *after);
/* The identity that signs with that key, known before revision rev. TXN_NOT_FOUND. */
int state_signer(struct txn *, struct identity_state *out,
                 const uint8_t signing_key[static CRYPTO_KEY_SIZE], uint64_t rev);
void state_put_identity(struct txn *, const struct identity_state *);

/* The identity of a name. */
int state_identity_named(struct txn *, struct identity_state *out, const char *name);

/* Whose pairs there are: the newest generation of the next (environment, service) after *at, in
 * that order; zeros to begin, or the place before. */
int state_next_pair(struct txn *, struct recipient *at);
/* The next holder of a wrapped key of exactly that pair and generation, after at->for_public_key;
 * data is filled in too. */
int state_next_wrapped_key(struct txn *, struct wrapped_key *at);

/* The key of a secret as it was wrapped for a pair besides those of its envelope: the next after
 * at->owner of at's rev and op; and the one of exactly at's owner. */
int state_next_value_wrap(struct txn *, struct value_wrap *at);
int state_value_wrap(struct txn *, struct value_wrap *at);
void state_put_value_wrap(struct txn *, const struct value_wrap *);

/* That reading was taken from an identity, by that operation: what it could read there is to be
 * changed. */
struct exposure {
    uint32_t environment, service; /* service 0: all of the environment */
    uint64_t rev;
    uint32_t op;
    char principal[PRINCIPAL_MAX + 1];
};
int state_exposure(struct txn *, struct exposure *at);
/* The next after at's environment, service, rev and op. */
int state_next_exposure(struct txn *, struct exposure *at);
void state_put_exposure(struct txn *, const struct exposure *);

int state_request(struct txn *, uint64_t *rev, const uint8_t id[static 16]);
void state_put_request(struct txn *, const uint8_t id[static 16], uint64_t rev);

#endif
