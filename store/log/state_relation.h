/*
 * The derived records of what names have to do with each other, and of what commits came to:
 * references, shares, locks, outcomes, fingerprints. The layouts are in store/FORMAT.md, "Derived
 * records".
 *
 * Walks: the next after *at, in the order of all members; one that begins with a prefix has the
 * rest "" and 0. Look-ups return 0, NOT_THERE, or a failure.
 */
#ifndef EMSA_STORE_LOG_STATE_RELATION_H
#define EMSA_STORE_LOG_STATE_RELATION_H

#include "store/crypto/hash.h"
#include "store/db/txn.h"
#include "store/history.h"

struct state_reference { /* the definition of a name in a layer refers to service/key */
    uint32_t layer;
    char service[SERVICE_NAME_MAX + 1];
    char key[KEY_NAME_MAX + 1];
    uint64_t name_id; /* of who refers */
};
/* The next of any layer and name. */
int state_next_reference(struct txn *, struct state_reference *at);
bool state_has_reference(struct txn *, const struct state_reference *);
void state_put_reference(struct txn *, const struct state_reference *);
void state_delete_reference(struct txn *, const struct state_reference *);

struct state_share {
    uint32_t layer;
    char service[SERVICE_NAME_MAX + 1];
    char key[KEY_NAME_MAX + 1];
    char consumer[SERVICE_NAME_MAX + 1];
    uint64_t rev; /* the operation that said so */
    uint32_t op;
};
int state_share(struct txn *, struct state_share *);
int state_next_share(struct txn *, struct state_share *at);
void state_put_share(struct txn *, const struct state_share *);
void state_delete_share(struct txn *, const struct state_share *);

struct state_lock {
    uint32_t environment;
    char service[SERVICE_NAME_MAX + 1]; /* "": all of the environment */
    char key[KEY_NAME_MAX + 1];         /* "": all of the service */
    uint64_t rev;                       /* the operation that said so */
    uint32_t op;
};
int state_lock(struct txn *, struct state_lock *);
int state_next_lock(struct txn *, struct state_lock *at);
void state_put_lock(struct txn *, const struct state_lock *);
void state_delete_lock(struct txn *, const struct state_lock *);

struct state_tag {
    char name[TAG_NAME_MAX + 1];
    uint64_t rev;      /* that it names */
    uint64_t said_rev; /* the operation that said so */
    uint32_t said_op;
};
/* The tag of that name. */
int state_tag(struct txn *, struct state_tag *);
int state_next_tag(struct txn *, struct state_tag *at);
void state_put_tag(struct txn *, const struct state_tag *);
void state_delete_tag(struct txn *, const char *name);

struct state_grant {      /* what a principal was granted at a place */
    uint32_t environment; /* 0: everything */
    uint32_t service;     /* 0: all of the environment */
    char principal[PRINCIPAL_MAX + 1];
    unsigned rights; /* of enum grant_right, not none */
    uint64_t rev;    /* the operation that said so last */
    uint32_t op;
};
/* The one of that place and principal; where there is none rights is as it was. */
int state_grant(struct txn *, struct state_grant *);
int state_next_grant(struct txn *, struct state_grant *at);
/* Whether a principal was granted reading at exactly that place: 1, 0, or a failure. */
int state_grant_reads(struct txn *, uint32_t environment, uint32_t service, const char *principal);
void state_put_grant(struct txn *, const struct state_grant *);
void state_delete_grant(struct txn *, const struct state_grant *);

struct state_schema { /* a service's schema, as one layer has it */
    uint32_t layer, service;
    uint64_t rev; /* the operation that set it */
    uint32_t op;
};
int state_schema(struct txn *, struct state_schema *);
/* The next of any layer and service. */
int state_next_schema(struct txn *, struct state_schema *at);
void state_put_schema(struct txn *, const struct state_schema *);
void state_delete_schema(struct txn *, const struct state_schema *);

/* Outcomes stand in chunks of so many. */
#define OUTCOMES_A_CHUNK 64u
int state_outcomes(struct txn *, struct outcome out[static OUTCOMES_A_CHUNK], size_t *count,
                   uint64_t rev, uint32_t chunk);
void state_put_outcomes(struct txn *, const struct outcome *outcomes, size_t count, uint64_t rev,
                        uint32_t chunk);

/* A secret of that fingerprint is set there. Whoever has the store's key keeps these
 * (store/model/leak.h). */
struct state_leak {
    uint8_t fingerprint[FINGERPRINT_SIZE];
    uint32_t environment;
    uint64_t name_id;
};
/* The fingerprint of a place: environment and name id are given. */
int state_leak(struct txn *, struct state_leak *);
/* The next of the same fingerprint. */
int state_next_leak(struct txn *, struct state_leak *at);
/* One place has one fingerprint: what it had goes with state_delete_leak before. */
void state_put_leak(struct txn *, const struct state_leak *);
void state_delete_leak(struct txn *, const struct state_leak *);

#endif
