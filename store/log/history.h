/* What happened, as store/history.h gives it, over any transaction. */
#ifndef EMSA_STORE_LOG_HISTORY_H
#define EMSA_STORE_LOG_HISTORY_H

#include "store/db/txn.h"
#include "store/history.h"

int past_commit(struct txn *txn, struct commit_info *out, uint64_t rev);
int past_operation(struct txn *txn, struct operation_info *out, uint64_t rev, uint32_t op);
int past_touched(struct txn *txn, uint64_t *found, const struct path *path, uint64_t rev);

#endif
