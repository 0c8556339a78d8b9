/* What is shared and what is locked, as far as the log was read: held in memory while it is
 * verified, a hundred bytes for each that was ever said. */
#ifndef EMSA_STORE_LOG_EXPECTED_RELATION_H
#define EMSA_STORE_LOG_EXPECTED_RELATION_H

#include "store/log/operation.h"

struct relation {
    bool is_used; /* else the slot is free */
    bool is_lock;
    uint32_t environment, service; /* service 0: a lock of the environment */
    uint64_t name_id;              /* 0: a lock of the service or environment */
    char consumer[SERVICE_NAME_MAX + 1];
    uint64_t rev; /* the operation that said so last; 0: it was taken back */
    uint32_t op;
};

struct relations {
    struct relation *slots; /* owned; an open hash table */
    size_t capacity, count; /* count: used */
    uint64_t shares, locks; /* that hold */
};

/* Takes an operation that says something of a name. 0; positive 1: it takes back what was not
 * said; ERR_NOMEM. */
int relations_apply(struct relations *relations, const struct operation *operation, uint64_t rev,
                    uint32_t op);

/* What a service of an environment shared goes with it. */
void relations_drop_shares(struct relations *relations, uint32_t environment, uint32_t service);

void relations_release(struct relations *relations);

#endif
