/* What was asked for, for the two that know it: follow_read.c reads it, follow.c compares. */
#ifndef EMSA_STORE_LOG_FOLLOW_INTERNAL_H
#define EMSA_STORE_LOG_FOLLOW_INTERNAL_H

#include "store/log/follow.h"

struct asked {
    uint64_t kinds;      /* bits: of the operations that it may come to, at path */
    uint64_t kinds_from; /* the same at from */
    struct slice path;   /* texts are borrowed from the request; beside service: a key's name */
    struct slice from;
    struct slice with;          /* the consumer, or the principal */
    struct slice key;           /* of a grant: the public text of an identity that becomes known */
    const struct path *service; /* of one of many keys; borrowed; NULL: path is whole */
    const uint8_t *digest;      /* NULL: it brings no value */
    unsigned rights;
    bool has_ttl;
    bool is_protected, is_signed; /* of an environment that is made */
    bool copies;                  /* what is set there is a copy, */
    bool sets_ends;               /* or ends, and is set anew */
    bool is_whole;                /* all that is in path, too */
};

/* Whether the order of what it asks for means something. */
bool follow_is_ordered(const struct method *method);

#endif
