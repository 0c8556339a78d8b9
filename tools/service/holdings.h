/*
 * What one caller holds, as of the beginning of its call: the grants of the log to any of the
 * principals that it is. A right at a place is held to all beneath; --admin is all of them, and
 * every right holds --list: who may do something at a place may know what is there.
 */
#ifndef EMSA_TOOLS_SERVICE_HOLDINGS_H
#define EMSA_TOOLS_SERVICE_HOLDINGS_H

#include <stdbool.h>

#include "store/grant.h"
#include "store/name.h"
#include "tools/service/people.h"

struct holding {
    struct path place; /* the root, an environment or a service */
    unsigned rights;   /* with what they hold */
};

struct holdings {
    struct people people;
    bool everything; /* root, or the store's owner */
    bool is_proven;  /* it holds an identity, of which name is one of the people's, or "" */
    char identity[PRINCIPAL_NAME_MAX + 1];
    struct holding *list; /* owned */
    size_t count;
};

/* ERR_NOMEM, and what reading a store may fail with. */
int holdings_load(struct holdings **out, struct store *store, const struct caller *caller);
void holdings_free(struct holdings *holdings);

/* Whether all of the rights (of enum grant_right) are held to what is at the place. */
bool holdings_cover(const struct holdings *holdings, unsigned rights, const struct path *place);

/* Whether it is listed, or any right is held to something beneath it. */
bool holdings_see(const struct holdings *holdings, const struct path *place);

/* Whether any right is held anywhere. */
bool holdings_any(const struct holdings *holdings);

/* Whether the caller is root, or owns the folder of the store. */
bool holdings_own(struct store *store, const struct caller *caller);

#endif
