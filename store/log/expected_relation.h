/* What is shared, what is locked, which schemas there are and what revisions are called, as far as
 * the log was read: held in memory while it is verified, a hundred bytes for each that was ever
 * said. */
#ifndef EMSA_STORE_LOG_EXPECTED_RELATION_H
#define EMSA_STORE_LOG_EXPECTED_RELATION_H

#include "store/log/operation.h"

struct relation {
    bool is_used;                        /* else the slot is free */
    bool is_lock, is_schema, is_tag;     /* none of them: a share */
    uint32_t environment, service;       /* service 0: a lock of the environment */
    uint64_t name_id;                    /* 0: a lock of the service or environment, a schema */
    char consumer[SERVICE_NAME_MAX + 1]; /* of a tag: its name */
    uint64_t tagged;                     /* the revision that a tag names */
    uint64_t rev;                        /* the operation that said so last; 0: it was taken back */
    uint32_t op;
};

struct relations {
    struct relation *slots;                /* owned; an open hash table */
    size_t capacity, count;                /* count: used */
    uint64_t shares, locks, schemas, tags; /* that hold */
};

/* Takes an operation that says something of a name or a revision. 0; positive 1: it takes back what
 * was not said; ERR_NOMEM. */
int relations_apply(struct relations *relations, const struct operation *operation, uint64_t rev,
                    uint32_t op);

/* Whether that service has a schema in exactly that environment. */
bool relations_has_schema(const struct relations *relations, uint32_t environment,
                          uint32_t service);

/* What a service of an environment shared goes with it. */
void relations_drop_shares(struct relations *relations, uint32_t environment, uint32_t service);

void relations_release(struct relations *relations);

#endif
