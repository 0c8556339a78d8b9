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
    uint64_t ttl;                 /* seconds; 0: it does not end */
    struct slice base;            /* of an environment that is made; of size 0: nothing */
    bool is_protected, is_signed; /* of an environment that is made */
    bool copies;                  /* what is set there is a copy, */
    bool sets_ends;               /* or ends, and is set anew */
    bool is_whole;                /* all that is in path, too */
    bool reencrypts;              /* what is set there is the same, encrypted anew */
};

/* Whether the order of what it asks for means something; whether what is copied may be the base's.
 */
bool follow_is_ordered(const struct method *method);
bool follow_takes_base(const struct method *method);
/* Whether what it makes stands on what the environment that it copies stands on. */
bool follow_copies_base(const struct method *method);

/* Of an operation that copies: follow->source, whence. 0 or a failure. */
/* Whether the environment that is copied stands on the one with this id, or did once: positive 1,
 * 0, or a failure. */
int follow_from_stands_on(const struct follow *follow, struct txn *txn, uint32_t base);

int follow_find_source(struct follow *follow, struct txn *txn, const struct operation *operation);

/* Whether that is a place that this asked for, for what stands at follow->names. */
bool follow_is_source(const struct follow *follow, const struct asked *asked,
                      const struct operation *operation);

#endif
