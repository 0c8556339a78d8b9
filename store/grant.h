/*
 * Who was granted which rights at which places: what the log says, read in a snapshot. What a right
 * lets its holder do is not decided here (tools/service/rights.h).
 *
 * Who holds a right is a principal: "user:NAME" or "group:NAME", a name of the system's, or
 * "id:NAME", an identity whose public keys are in the log. A grant stands at the root (everything),
 * an environment or a service, and goes with that place. Where reading is granted to an identity,
 * the private key of that environment or service, or of every environment, was wrapped for it by
 * the same commit, and of each that comes later by the one that makes it: so what it may read is
 * enforced by what it can open, wherever there is a copy of the store.
 */
#ifndef EMSA_STORE_GRANT_H
#define EMSA_STORE_GRANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/identity.h"
#include "store/name.h"

struct snapshot;

enum grant_right { /* as the log has them */
                   GRANT_LIST = 1,
                   GRANT_READ = 2,
                   GRANT_SET = 4,
                   GRANT_SHARE = 8,
                   GRANT_AUDIT = 16,
                   GRANT_ADMIN = 32,
                   GRANT_ALL = 63,
};

struct grant {
    uint32_t environment; /* 0: everything */
    uint32_t service;     /* 0: all of the environment */
    char principal[PRINCIPAL_MAX + 1];
    unsigned rights; /* of enum grant_right; at least one */
    uint64_t rev;    /* the commit that said so last */
    uint32_t op;
};

/* What a principal was granted at exactly that place. NOT_THERE: nothing. */
int grant_at(struct snapshot *, struct grant *out, uint32_t environment, uint32_t service,
             const char *principal);

/* The next grant in the order of (environment, service, principal): fill *at with zeros to begin,
 * then give back what was found; to begin at a place, give its ids and the principal "". NOT_THERE
 * past the last. */
int grant_next(struct snapshot *, struct grant *at);

/* The identity that a store is made with, and the one that is kept elsewhere for the day on which
 * that is lost. Both were granted reading at the root, as others can be, and it can be taken back:
 * at least one identity reads everything. */
#define ADMINISTRATOR "administrator"
#define RECOVERY "recovery"

struct known_identity {
    char name[PRINCIPAL_NAME_MAX + 1];
    char text[IDENTITY_TEXT_MAX]; /* its public keys, as identity_public writes them */
    uint64_t rev;                 /* the commit that made it known */
};
/* The identity of that name. NOT_THERE. */
int grant_identity(struct snapshot *, struct known_identity *out, const char *name);
/* The identity that signs with that key (Ed25519), of which there is one at most. NOT_THERE. */
int grant_signer(struct snapshot *, struct known_identity *out, const unsigned char key[static 32]);

/* The identity of that public text. ERR_INVALID, NOT_THERE. */
int grant_identity_of(struct snapshot *, struct known_identity *out, const char *public_text);

struct held_key {
    struct path path;        /* whose newest key it is: the root's, an environment's, a service's */
    struct identity_key key; /* wrapped: of one that is held */
    bool is_held;
};
/* Calls take for the store's own key and for that of each environment, held or not, and, where an
 * environment's is not, for those of its services that are. Its failures end the walk and are
 * returned; what is positive ends it. */
int grant_each_key(struct snapshot *, const char *public_text,
                   int (*take)(void *arg, const struct held_key *), void *arg);

/* A secret whose value is still the one that somebody could read who may not any more. */
struct exposed {
    struct path path;
    uint64_t rev;                      /* the value's */
    char principal[PRINCIPAL_MAX + 1]; /* who could */
    uint64_t since;                    /* the commit that took it away; unknown: that set it */
};
/* Calls take for each, by place and commit of the taking away, and then for each that was shared
 * with a service, by its own place; its failures end the walk and are returned; what is positive
 * ends it. */
int grant_each_exposed(struct snapshot *, int (*take)(void *arg, const struct exposed *),
                       void *arg);

#endif
