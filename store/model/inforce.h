/*
 * Which schema is in force for a service, and what it says. A schema belongs to a layer (an
 * environment or `all`) and a service; of the layers of an environment the first one that has a
 * schema has the one in force, alone. Works in any transaction, for readers and for the writer.
 */
#ifndef EMSA_STORE_MODEL_INFORCE_H
#define EMSA_STORE_MODEL_INFORCE_H

#include "store/log/state.h"
#include "store/log/state_relation.h"
#include "store/model/plan.h"
#include "store/schema.h"

/* The one in force in the resolver's environment: NOT_THERE, or a failure. */
struct resolver;
int inforce_find(struct resolver *, struct state_schema *out, uint32_t service);

/* The default that the schema in force there has of a key: *kind is the spot_kind that says so, and
 * *out the definition. NOT_THERE. */
int inforce_default(struct resolver *, unsigned *kind, struct spot *out, uint32_t service,
                    const char *key);

/* The bytes of a schema that an operation set, as they were encoded; borrowed from the transaction
 * or, where plan is not NULL and the operation is of its revision, from the plan. */
int inforce_bytes(struct txn *, const unsigned char **data, size_t *size,
                  const struct state_schema *, const struct plan *plan, uint64_t plan_rev);

/* The same, read. Owned by the caller. */
int inforce_load(struct txn *, struct schema *out, const struct state_schema *,
                 const struct plan *plan, uint64_t plan_rev);

#endif
