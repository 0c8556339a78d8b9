/*
 * Expiry: keys that were set with a time to live (change_ttl) go by a commit of the store's own,
 * made by the one writer when their moment has come. Nothing else asks the clock: until that commit
 * is made every reader sees the key, after it none does. Who runs the store waits for the next
 * moment and calls expiry_commit then, and once before it serves anything.
 *
 * A secret that shows again by it may have come to somebody meanwhile (it was set anew beneath, or
 * a service was granted). Its key is wrapped for them in the same commit, where the store was
 * opened with an identity that opens it and there is room; where not, it ends all the same, and
 * they open it when it is set, shared or rotated next.
 *
 * A moment is a time of the clock, told when the key was set. A clock that is set back lets a key
 * live longer; one that is set forward ends it at once; neither ends it twice.
 */
#ifndef EMSA_STORE_EXPIRY_H
#define EMSA_STORE_EXPIRY_H

#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

struct expiry_result {
    uint64_t rev; /* of the commit; 0: nothing was due, and none was made */
    size_t count; /* keys that went */
    int64_t next; /* the next moment at which something ends, 0: none; it may have come already,
                     where more was due than one commit takes */
};

/* Removes everything that is due at now (nanoseconds since 1970), in one commit; where nothing is,
 * it only looks. Durable when it returns 0; nothing has happened when it fails, and it may be tried
 * again. ERR_FULL, ERR_CORRUPT, ERR_IO, ERR_NOMEM as change_commit. */
int expiry_commit(struct store *store, struct expiry_result *out, int64_t now);

#endif
