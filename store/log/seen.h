/*
 * Which keys a revision has met in services that came by it. Of such a service nothing was known
 * before, so what was not met is not there, and no look-up is needed to know that: a load of a
 * hundred thousand keys makes none. What is kept are hashes: a key may be taken for one that was
 * met, which costs a look-up; never the other way round.
 */
#ifndef EMSA_STORE_LOG_SEEN_H
#define EMSA_STORE_LOG_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seen {
    uint64_t *slots; /* owned; 0: free */
    size_t size;     /* a power of two, or 0 */
    size_t count;
};

/* environment 0: of all of them. ERR_NOMEM. */
int seen_add(struct seen *seen, uint32_t environment, uint32_t service, const char *key);
/* False: it was not added. */
bool seen_has(const struct seen *seen, uint32_t environment, uint32_t service, const char *key);
void seen_release(struct seen *seen);

#endif
