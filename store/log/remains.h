/*
 * What is left of a text that is destroyed (store/FORMAT.md, "What is forgotten"). What a commit
 * came to follows from which names the templates referred to, and is derived anew from the log: so
 * of a template its references stay, one behind the other, and nothing of what stood between them.
 * The operation that destroys has a sum of what is left by it, since no digest covers that.
 */
#ifndef EMSA_STORE_LOG_REMAINS_H
#define EMSA_STORE_LOG_REMAINS_H

#include "store/bytes.h"
#include "store/log/operation.h"

/* Appends what is left of the Value body of a set: of a template its references, else nothing. A
 * text that is none leaves what stands before the fault. Sticky error of out. */
void remains_make(struct bytes *out, struct slice body);

/* What is left in a body that value_purged knows, as it lies there. */
struct slice remains_in(struct slice body);

/* Whether a text consists of references only. */
bool remains_is_bare(struct slice remains);

/* Takes what is left of one template into the sum, which begins with zeros: in the order of the
 * sets. */
void remains_add(uint8_t sum[static HASH_SIZE], uint64_t set_rev, uint32_t set_op,
                 struct slice remains);

#endif
