/*
 * if_rev of a change: where it asks whether anything changed since. By if_paths or if_path, where
 * the call names one of them (the root: in all of the store); else at the places that the change
 * itself touches, so that whoever may do it may ask. That something changed at a place is told by
 * the refusal, and so it takes to list that place.
 */
#ifndef EMSA_TOOLS_SERVICE_CONDITION_H
#define EMSA_TOOLS_SERVICE_CONDITION_H

#include "store/change.h"
#include "tools/service/verb.h"

/* Completes the terms, of which has_if_rev and if_path are read already. *places (owned; NULL:
 * there are none) is what terms->if_paths borrows then, and has to live as long. ERR_DENIED,
 * ERR_INVALID, ERR_NOMEM. */
int condition_read(struct request *request, struct change_terms *terms, struct path **places);

#endif
