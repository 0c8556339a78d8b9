/* The second half of grant_each_exposed (store/grant.h): secrets that were shared with a service,
 * or reached by it, and that an identity which holds that service's key may not read any more. Told
 * from the keys themselves: a secret is known to who holds a key that it was sealed for. */
#ifndef EMSA_STORE_MODEL_EXPOSED_H
#define EMSA_STORE_MODEL_EXPOSED_H

#include "store/grant.h"

/* Of everything that is set now. 0; positive: what take returned; failures. */
int exposed_shared(struct snapshot *, int (*take)(void *arg, const struct exposed *), void *arg);

#endif
