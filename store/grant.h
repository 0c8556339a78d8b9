/*
 * Who was granted which rights at which places: what the log says, read in a snapshot. What a right
 * lets its holder do is not decided here (tools/service/rights.h).
 *
 * Who holds a right is a principal: "user:NAME" or "group:NAME", a name of the system's. A grant
 * stands at the root (everything), an environment or a service, and goes with that place. "id:"
 * stands for identities with keys, and is nobody's yet (principal_check in store/name.h).
 */
#ifndef EMSA_STORE_GRANT_H
#define EMSA_STORE_GRANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

#endif
