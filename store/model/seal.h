/* The last step before a commit: what a plan needs that costs something or cannot be taken back.
 * Values get their salts and envelopes, key pairs are made, and each operation goes into the draft.
 */
#ifndef EMSA_STORE_MODEL_SEAL_H
#define EMSA_STORE_MODEL_SEAL_H

#include "store/log/commit.h"
#include "store/log/index.h"
#include "store/model/core.h"
#include "store/model/digests.h"
#include "store/model/plan.h"

/* Fills in the operations of the plan and adds them to the draft; key pairs are applied to the
 * index. digests: of the change that the plan came of. */
int seal_plan(struct store *store, struct index *index, struct draft *draft, struct plan *plan,
              struct digests *digests);

#endif
