/* Which places of an environment were seen to change between two revisions: what commits told of
 * themselves, so that what did not change costs nothing. */
#ifndef EMSA_TOOLS_SERVICE_CHANGED_H
#define EMSA_TOOLS_SERVICE_CHANGED_H

#include "store/limits.h"
#include "store/snapshot.h"

struct changed_name {
    uint32_t service_id;
    uint64_t name_id; /* 0: the service itself was placed or removed */
    char service[SERVICE_NAME_MAX + 1];
    char key[KEY_NAME_MAX + 1];
};

struct changed {                /* in the order of their names, each once */
    struct changed_name *names; /* owned: changed_release */
    size_t count, capacity;
};

/* Of the service of that name only, where it is not "". The revisions may be in any order. Positive
 * 1: there is more than is worth gathering, and *out is empty. ERR_NOMEM and those of the store. */
#define CHANGED_MANY 1
int changed_between(struct snapshot *, struct changed *out, uint32_t environment,
                    const char *service, uint64_t a, uint64_t b);

void changed_release(struct changed *changed);
#define CHANGED_CLEANUP __attribute__((cleanup(changed_release)))

#endif
