/*
 * What is in effect, worked out when it is asked for: from the record of a spot to what its reader
 * gets. Now and as of any revision, for readers and for the one writer, by this one code.
 *
 * A spot's record says where the definition stands: here, in the base, in `all`, or, as a default,
 * in the schema that is in force. A value is the
 * definition's. A link is looked for again, in the *reader's* environment, a template's references
 * too: so a value can't come from another environment, because no step leaves the one that was
 * asked for. In `all` nothing is resolved, its entries are texts.
 *
 * The revision that is shown is the last one that changed what the reader gets: the record's, or,
 * where something that was reached changed after the record was written, that one's. So a change of
 * a value that a thousand services share writes one record, and all of them show it.
 *
 * What can't be resolved is a fault, not a failure: a change that would leave one is refused by it
 * (store/model/settle.h), and a reader never meets one, but where something ended by itself.
 */
#ifndef EMSA_STORE_MODEL_RESOLVE_H
#define EMSA_STORE_MODEL_RESOLVE_H

#include "store/log/state.h"
#include "store/model/core.h"
#include "store/model/plan.h"
#include "store/template.h"

/* How many references may lie one behind the other, and how many look-ups one value may cost: a
 * template of templates grows without bound in eight steps. */
#define RESOLVE_DEPTH_MAX 8u
#define RESOLVE_LOOKUPS_MAX 8192u

enum fault {
    FAULT_NONE = 0,
    FAULT_DANGLING,   /* what is referred to is not there */
    FAULT_NOT_SHARED, /* or not shared with who refers */
    FAULT_CIRCLE,
    FAULT_DEPTH,
    FAULT_LOOKUPS,
    FAULT_ENDS,  /* it ends by itself, and what lies beneath can't stand for it */
    FAULT_LARGE, /* it comes to more than a value holds */
};

/* What a definition of a service reaches for. */
struct hop {
    uint32_t service;
    char name[SERVICE_NAME_MAX + 1];
    char key[KEY_NAME_MAX + 1];
};

/*
 * One environment at one revision. Made with resolver_begin, costs nothing to drop, and may be used
 * for any number of spots. What is borrowed must outlive it.
 */
struct resolver {
    struct txn *txn;     /* borrowed */
    struct store *store; /* borrowed; opens secrets where bytes are asked for */
    uint64_t as_of;      /* UINT64_MAX: as it is now */
    uint32_t environment;
    uint32_t base, all; /* ids; 0: none. Looked up when they are asked for: resolver_layers */
    bool has_layers;
    bool is_all; /* the environment is `all` */
    bool judges; /* also asks whether what is reached is shared, */
    bool lasts;  /* and whether it stays: a commit of what ends itself can't ask for that */
    /* The values of a commit that is being made, which are not stored yet; NULL: there is none. */
    const struct plan *plan;
    uint64_t plan_rev;
    /* of the resolution in hand */
    unsigned lookups;
    unsigned depth;
    struct hop path[RESOLVE_DEPTH_MAX + 2]; /* from the spot on, for messages */
    enum fault fault;
    struct hop target; /* of the fault: what could not be reached, by the last of the path */
    /* Whether the reference from the last hop but one to this spot, which ends, is as it was before
     * the commit that is being judged: 1, 0, or a failure. NULL: none is. */
    int (*is_old)(struct resolver *, const struct spot *to);
    void *judging; /* for is_old */
    /* Told of each fault of the spot's own references, so that one does not hide the next; NULL:
     * the first ends it. A failure ends it too. */
    int (*met)(struct resolver *);
    void *arg;
};

/* Stands in an environment, also one that ended. */
void resolver_begin(struct resolver *, struct store *store, struct txn *txn, uint32_t environment,
                    uint64_t as_of);
/* Fills in base, all and is_all. NOT_THERE: the environment never was; failures of the store. */
int resolver_layers(struct resolver *);

/* What a spot comes to. 0: *out is set but for its sizes; positive 1: a fault, which
 * resolver->fault tells; or a failure. */
#define RESOLVE_FAULT 1
int resolve(struct resolver *, struct entry *out, const struct spot *spot);

/* The spot of a place: what is in effect there as of the resolver's revision. NOT_THERE. */
int resolve_find(struct resolver *, struct spot *out, uint32_t service, const char *key);
/* The same by name id; service and key are filled in. */
int resolve_find_name(struct resolver *, struct spot *out, uint64_t name_id);

/* The layer in which the definition of a spot stands; 0: there is no such one. Needs
 * resolver_layers where the record is no own one. */
uint32_t resolve_defined(const struct resolver *, const struct spot *spot);

/* The record of a name as of a revision, as state_moment; where its value was destroyed, and was
 * set once more to what it was before that changed, the value is the later one. */
int resolve_moment(struct txn *, struct spot *out, uint32_t environment, uint64_t name_id,
                   uint64_t as_of);

/* What an own record says is defined there. */
struct definition spot_definition(const struct spot *spot);

/* The definition that a layer has of a name. NOT_THERE: it has none of its own. */
int resolve_layer(struct resolver *, struct spot *out, uint32_t layer, uint32_t service,
                  const char *key);

/* The bytes of a definition as they were set. As snapshot_text. */
int resolve_text(struct resolver *, const unsigned char **data, size_t *size,
                 const struct definition *definition, struct secret *scratch);

/* The names that a link's or template's text refers to: the text, or what is left of one that was
 * destroyed, which cannot be put together any more but still tells what followed from what. */
int resolve_references(struct resolver *, const unsigned char **data, size_t *size,
                       const struct definition *definition);

/* The exact length of a definition's bytes. ERR_NO_KEY. */
int resolve_length(struct resolver *, size_t *size, const struct definition *definition);

/* The bytes of an entry that resolve gave, or how many there are. Composed ones lie in scratch, as
 * secrets do. ERR_NO_KEY; RESOLVE_FAULT: FAULT_LARGE, and those of resolve. */
int resolve_bytes(struct resolver *, const unsigned char **data, size_t *size,
                  const struct entry *entry, struct secret *scratch);
int resolve_size(struct resolver *, size_t *size, const struct entry *entry);

/* Whether the lists of the environment's layers let consumer refer to a name whose value is a
 * secret or not: 1, 0 or a failure. *share, where it is not NULL, is what said so; its rev 0: from
 * birth. */
struct state_share;
int resolve_is_shared(struct resolver *, struct state_share *share, const char *service,
                      const char *key, const char *consumer, bool is_secret);

/* Walks the references of a definition's text: as template_next, for a link its one target. owner
 * is the name of the service whose definition it is: "" in a reference becomes that. */
struct reference_walk {
    struct template template;
    bool is_link, is_over;
};
void reference_walk_begin(struct reference_walk *, enum entry_kind kind, const void *text,
                          size_t size);
/* 0, TEMPLATE_END, or ERR_INVALID. */
int reference_walk_next(struct reference_walk *, struct reference *out);

#endif
