/*
 * What a commit comes to, when all of its operations are applied: which spots are written, what
 * readers see otherwise, and whether all that they see can be shown.
 *
 * Operations say what is defined at their own place. A definition in a base or in `all` is in
 * effect in other environments, and any definition may be linked to. So from the places that were
 * touched one goes on to all that depend on them: places beneath which the definition lies, then
 * who refers to those, and so on (the records of references, backwards). What is met on the way is
 * resolved as its reader will (resolve.h): a fault is a reason to refuse, named by the place that
 * would have it; a value that changed is an outcome. What was not met can't have changed.
 *
 * In the files: settle.c goes through it step by step, settle_reach.c knows who depends on what,
 * settle_spot.c writes records, settle_judge.c words what is refused, settle_signed.c asks who
 * signed, settle_verdict.c asks schemas, settle_outcome.c writes what is told.
 */
#ifndef EMSA_STORE_MODEL_SETTLE_H
#define EMSA_STORE_MODEL_SETTLE_H

#include "store/model/rules.h"

/* Settles the judge's plan, which was applied to its index: reasons to refuse are added to the
 * judge's. Failures of the store, ERR_NOMEM. */
int settle(struct judge *judge);

#endif
