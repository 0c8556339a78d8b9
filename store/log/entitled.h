/*
 * Rights as the log proves them. Most commits are made because the server says that its author may:
 * of a user of the system the log knows a name at most. In an environment that takes signed changes
 * only more is asked: that the identity whose key signed was granted there, by an earlier commit,
 * what it did (store/FORMAT.md, "Signed environments"). Such a grant was signed there itself, so
 * that this leads back to those whom revision 1 made known, who may do everything as long as they
 * read everything. Asked when a commit is made, and again of every commit by who verifies.
 */
#ifndef EMSA_STORE_LOG_ENTITLED_H
#define EMSA_STORE_LOG_ENTITLED_H

#include "store/log/operation.h"
#include "store/name.h"

struct txn;

struct entitlement {
    uint32_t environment, service; /* service 0: all of the environment */
    unsigned rights;               /* of enum grant_right */
};

struct entitled {          /* one identity, as of a revision; of zeros: nobody */
    bool is_founder;       /* revision 1 made it known */
    bool is_administrator; /* and it reads everything still */
    char principal[PRINCIPAL_MAX + 1];
    struct entitlement *items; /* owned */
    size_t count, capacity;
};

/* Begins with an identity's name and the commit that made it known, and no grants. */
void entitled_begin(struct entitled *entitled, const char *name, uint64_t known_rev);
/* Of everything (environment 0) no grant counts, for nobody need have signed it, but that of
 * reading to a founder: of who lost it. ERR_NOMEM. */
int entitled_add(struct entitled *entitled, uint32_t environment, uint32_t service,
                 unsigned rights);
/* All that was granted to it, as the transaction has it. */
int entitled_load(struct entitled *entitled, struct txn *txn);
void entitled_release(struct entitled *entitled);

/* Whether the rights are held there; service 0: to all of the environment. */
bool entitled_holds(const struct entitled *entitled, uint32_t environment, uint32_t service,
                    unsigned rights);

/* The rights that an operation takes where it is done; comes: its service came by the same commit.
 * 0: none, what has ended goes by itself. */
unsigned entitled_takes(const struct operation *operation, bool comes);

/* How one says rights: "--set and --read". */
const char *entitled_words(unsigned rights);

#endif
