/*
 * Expiry, inside a change: the keys whose moment has come, removed in the order in which they were
 * due. What is due is found in the index by moment, so it costs by what is due and not by what is
 * there. Whether a moment has come is asked of the clock here, by the one writer, and nowhere else.
 */
#ifndef EMSA_STORE_MODEL_DUE_H
#define EMSA_STORE_MODEL_DUE_H

#include "store/change.h"
#include "store/model/plan.h"
#include "store/model/rules.h"

/* Makes of an empty change one that removes what is due, as many as one commit takes; it stands
 * alone in its change. The commit's author and reason are the store's own. In asked.c, which knows
 * a change's inside. */
int change_remove_due(struct change *);

/* Plans the removals. */
int judge_due(struct judge *judge);

/* What the commit of a plan of such removals says of itself: "emsa (expiry of rev 41)", and a
 * reason that names the keys. */
void due_author(struct author *out, const struct plan *plan);
#define DUE_REASON_MAX 1024
void due_reason(char out[static DUE_REASON_MAX], const struct plan *plan);

#endif
