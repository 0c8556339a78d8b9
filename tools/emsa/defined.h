/* What a store defines at some places, asked for in one call. */
#ifndef EMSA_TOOLS_EMSA_DEFINED_H
#define EMSA_TOOLS_EMSA_DEFINED_H

#include "store/snapshot.h"
#include "tools/emsa/session.h"

struct defined_key {
    const char *name;
    enum entry_kind kind;
    const unsigned char
        *data; /* of a link or a template its text; NULL: a secret that is not shown */
    size_t size;
    int64_t expires; /* nanoseconds since 1970; 0: never */
};

struct defined_service {
    const char *path;    /* "prod/billing" */
    size_t first, count; /* keys, in the order of their names as bytes */
    json_t *shares;      /* an object: keys with lists of services; NULL: none */
    json_t *schema;      /* that is said there; NULL: none */
};

struct defined {
    struct answer answer; /* what all else borrows from */
    uint64_t rev;
    json_t *environments;             /* an object: "base", "protected" and "expires" of each */
    json_t *changed;                  /* commits since what was asked; NULL: none was */
    struct defined_service *services; /* in the order of their paths */
    size_t service_count;
    struct defined_key *keys;
    size_t key_count;
};

/* Asks with the parameters of the verb Definitions (taken over). ERR_IO: no answer of a server of
 * ours; what the call fails with. defined_release in any case. */
int defined_ask(struct defined *defined, struct session *session, json_t *parameters);
void defined_release(struct defined *defined);

/* NULL: there is no such service among those that were asked for. */
const struct defined_service *defined_service(const struct defined *defined, const char *path);

/* What the service has at that name; NULL: nothing. */
const struct defined_key *defined_key(const struct defined *defined,
                                      const struct defined_service *service, const char *name);

#endif
