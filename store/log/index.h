/*
 * From the log to what is derived from it: applies operations, one after another, to the derived
 * databases. Nothing else writes them, so whatever they hold can be told from the log alone. All
 * ids stand in the operations; they are given here, in the order of the log, from counters that are
 * derived too.
 */
#ifndef EMSA_STORE_LOG_INDEX_H
#define EMSA_STORE_LOG_INDEX_H

#include "store/log/operation.h"
#include "store/log/seen.h"
#include "store/log/state.h"

struct index {       /* one revision being applied in a write transaction */
    struct txn *txn; /* borrowed */
    uint64_t rev;
    int64_t time;
    struct counters counters;
    uint64_t names_before;    /* the last name that was given before this revision */
    uint32_t services_before; /* and the last service */
    struct seen names, spots; /* of services that came by this revision */
    /* What was looked at last: operations come in runs of one service. Written through, never
     * behind. */
    struct environment_state environment;
    struct place_state place;
    bool has_environment;
    bool has_place;
    char name[KEY_NAME_MAX + 1]; /* of the operation in hand */
};

int index_begin(struct index *index, struct txn *txn, uint64_t rev, int64_t time);
/* Writes the counters. The sticky error of the transaction. */
int index_finish(struct index *index);
/* Frees what it holds; after index_begin, whatever came of it. One of zeros may be released too. */
void index_release(struct index *index);

/* Look-ups that see what was applied so far, also of what ended (alive is false). 0 and *out,
 * borrowed until the next call; NOT_THERE; or a failure. */
int index_environment(struct index *index, const struct environment_state **out, const char *name);
int index_place(struct index *index, const struct place_state **out, uint32_t environment,
                const char *service);

/* The id of a key's name, and the spot at a key's own place in a service that index_place gave
 * last, as far as this revision has come. NOT_THERE. */
int index_name_id(struct index *index, uint64_t *id, uint32_t service, const char *key);
int index_current(struct index *index, struct spot *out, uint32_t environment, uint32_t service,
                  const char *key);

/* The next unused ids; taken when the operation that has one is applied. ERR_REFUSED: there is none
 * left. */
int index_new_environment(const struct index *index, uint32_t *id);
int index_new_service(const struct index *index, uint32_t *id);
int index_new_name(const struct index *index, uint64_t *id);
uint64_t index_new_entry(const struct index *index);

/* Applies operation number op of the revision. ERR_CORRUPT if it does not fit what came before it.
 * Of keys it applies what was said at their own place; what that means in other places is settled
 * when the commit is whole (store/model/settle.h). */
int index_apply(struct index *index, const struct operation *operation, uint32_t op);

/* Inside (index_seen.c): the key of the operation in hand has a name, and a spot, from now on. */
int index_saw_name(struct index *index, uint32_t service);
int index_saw_spot(struct index *index, uint32_t environment, uint32_t service);

/* Inside (index_said.c): what a service shared, and what was granted at a place (service 0: the
 * environment itself), goes with it; and a grant of rights, or its taking back. Positive 1: what it
 * grants was granted, or what it takes back was not. */
int index_drop_shares(struct index *index, uint32_t environment, const char *service);
int index_drop_grants(struct index *index, uint32_t environment, uint32_t service);
int index_take_rights(struct index *index, const struct operation *operation, uint32_t op);
/* Inside (index_key.c): kinds 32 to 36. Positive 1: an identity that was known, or has no name. */
int index_take_key(struct index *index, const struct operation *operation, uint32_t op);

/* What readers see in the service that stands in the environment changed in this revision, listed:
 * its set of keys too. Service 0: in the environment, its set of services. */
int index_touch(struct index *index, uint32_t environment, uint32_t service, bool listed);

#endif
