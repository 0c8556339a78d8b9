/* A store's file that may be damaged, database by database: whether all records of the truth can be
 * read, and how what is derived differs from what it should be. */
#ifndef EMSA_STORE_MODEL_REBUILD_COMPARE_H
#define EMSA_STORE_MODEL_REBUILD_COMPARE_H

#include "store/db/txn.h"
#include "store/rebuild.h"

/* Walks a database of the truth; each record that can't be read is passed to fault, in words. How
 * many records it has. Failures but damage. */
int rebuild_walk(struct txn *txn, uint64_t *records, enum database database,
                 void (*fault)(void *arg, const char *text), void *arg);

/* What was in a database against what is in it now. Failures but damage of the old one. */
int rebuild_compare(struct rebuild_table *out, struct txn *old, struct txn *now,
                    enum database database, bool had);

#endif
