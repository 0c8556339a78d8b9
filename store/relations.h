/*
 * Who refers to whom, what is shared with whom, what is locked: the relations between names, read
 * in a snapshot. All are by layer: what was said in an environment, in its base, or in `all`; what
 * is in effect in an environment is what its layers say together (decisions in
 * store/model/resolve.h).
 *
 * Walks: fill *at with zeros to begin, then give back what was found; NOT_THERE past the last.
 */
#ifndef EMSA_STORE_RELATIONS_H
#define EMSA_STORE_RELATIONS_H

#include "store/snapshot.h"

/* The layers of an environment in the order in which they are looked through: itself, its base,
 * `all`. Returns how many there are; 0 or negative: NOT_THERE is 0 layers, or a failure. */
#define LAYERS_MAX 3
int relation_layers(struct snapshot *, uint32_t layers[static LAYERS_MAX], uint32_t environment);

struct referrer { /* a definition of a layer that refers to a name */
    uint64_t name_id;
    uint32_t service;
    char key[KEY_NAME_MAX + 1];
};
/* The next definition in the layer whose text refers to service/key. */
int relation_next_referrer(struct snapshot *, struct referrer *at, uint32_t layer,
                           const char *service, const char *key);

struct share { /* one consumer of a name, as one layer has it */
    char service[SERVICE_NAME_MAX + 1];
    char key[KEY_NAME_MAX + 1];
    char consumer[SERVICE_NAME_MAX + 1]; /* "*": every service */
    uint64_t rev;                        /* the operation that said so */
    uint32_t op;
};
/* The next consumer of service/key in the layer. */
int relation_next_share(struct snapshot *, struct share *at, uint32_t layer, const char *service,
                        const char *key);
/* The next share of any name in the layer, in the order of names and consumers. */
int relation_next_share_of(struct snapshot *, struct share *at, uint32_t layer);
/* The next consumer of any key of the service in the layer, key by key, shorter names first. */
int relation_next_share_in(struct snapshot *, struct share *at, uint32_t layer,
                           const char *service);
/* Whether service/key may be referred to by consumer in the environment: the lists of its layers
 * together, and what is shared from birth. 1, 0, or a failure. rev is the commit that shared it, 0:
 * from birth. layer is where that was said. */
int relation_is_shared(struct snapshot *, uint32_t environment, const char *service,
                       const char *key, const char *consumer, uint64_t *rev, uint32_t *layer);

struct lock {
    char service[SERVICE_NAME_MAX + 1]; /* "": the environment */
    char key[KEY_NAME_MAX + 1];         /* "": the service */
    uint64_t rev;                       /* the commit that locked it; its reason is why */
};
/* The lock that covers a place: its own, its service's or its environment's. */
int relation_lock(struct snapshot *, struct lock *out, uint32_t environment, const char *service,
                  const char *key);
/* The next lock said in an environment. */
int relation_next_lock(struct snapshot *, struct lock *at, uint32_t environment);

#endif
