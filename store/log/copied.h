/* Which set an operation says that it copied (store/FORMAT.md, field 21). */
#ifndef EMSA_STORE_LOG_COPIED_H
#define EMSA_STORE_LOG_COPIED_H

#include "store/db/txn.h"
#include "store/log/operation.h"

/* Of operation op of the commit rev, which says whence it is: *source is the operation of the
 * commit copy->from.rev. TXN_NOT_FOUND: that commit set nothing there, or something else took its
 * place at once; or a failure. */
int copied_source(struct txn *, uint32_t *source, const struct operation *copy, uint64_t rev,
                  uint32_t op);

/* Whether it is what was defined there as of a revision: 0, TXN_NOT_FOUND, or a failure. */
int copied_stood(struct txn *, const struct operation *copy, uint64_t as_of);

#endif
