/* How every change ends: committed on its terms, told to the views, answered with what it did. */
#ifndef EMSA_TOOLS_SERVICE_WRITE_H
#define EMSA_TOOLS_SERVICE_WRITE_H

#include "tools/service/verb.h"

/* An empty change for the call. */
int write_begin(struct request *request, struct change **out);

/* Commits the change (used up in any case) and makes the reply. The request's snapshot must not
 * have been begun, or is ended here: what it showed may be gone. */
int write_commit(struct request *request, struct change *change);

/* The same, of a change that was made from what stood at the path in revision rev: ERR_CONFLICT
 * where that changed since. What the caller said itself (if_rev) comes first. */
int write_commit_of(struct request *request, struct change *change, uint64_t rev,
                    const struct path *path);

/* For a handler whose change is made from what stands in the store, which an earlier try of the
 * same request may have changed: 1, with the reply made, where that had done it; 0 where it is to
 * be done; or a failure. */
int write_repeated(struct request *request);

/* What is done to the change for one place; negative ends it. */
typedef int (*write_step)(struct request *request, struct change *change, const struct path *path);

/* A whole change: the step for each place that the list of this name in the parameters names, then
 * the commit. */
int write_each(struct request *request, const char *parameter, write_step step);

static inline void write_drop(struct change **change)
{
    change_free(*change);
    *change = NULL;
}
#define CHANGE_CLEANUP __attribute__((cleanup(write_drop)))

#endif
