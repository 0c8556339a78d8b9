/*
 * The seal of the whole: a record of `meta`, written by each transaction that writes anything, with
 * keyed sums of all records (store/crypto/whole.h; store/FORMAT.md, "Meta"). The key lies outside
 * of the store, with the head's pin. So whoever has the key can tell by one look at all records, at
 * the cost of their hashes, that each of them is what its own transactions wrote, that none is
 * missing and none is beside them, and that each is found where it is looked for.
 *
 * An environment without a key keeps no seal: its first transaction takes away the one that is
 * there. One with a key begins unsure, and is told what it may trust after a look (env_whole_trust,
 * env_whole_seal). A transaction that replaces a record which was damaged can't know what that one
 * was: from there on the seal says that it is unsure, until it is made anew.
 */
#ifndef EMSA_STORE_DB_WHOLE_H
#define EMSA_STORE_DB_WHOLE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/crypto/whole.h"
#include "store/db/env.h"

enum whole_state {
    WHOLE_OFF,    /* there is no key */
    WHOLE_UNSURE, /* its sums are not known; the seal says so, which only the key can say */
    WHOLE_SEALED,
};

enum whole_seal { /* the record as it was found */
                  SEAL_NONE,
                  SEAL_DAMAGED, /* it fails its own hash */
                  SEAL_OTHERS,  /* of another key */
                  SEAL_OWN,
};

struct whole_finding {
    uint64_t records;
    bool has_bodies;     /* they were looked at: */
    uint64_t damaged;    /* that fail their own hash: each is ERR_CORRUPT when it is read */
    bool is_log_damaged; /* one of those is of meta, commit or log */
    bool is_sound;       /* the trees are in order: every record is found by its key, each once, and
                              no page has two uses */
    char unsound[160];   /* else the first thing that is not, for people */
    enum whole_seal seal;   /* of the key: */
    bool is_unsure;         /* it says so, of this head */
    bool names_agree;       /* every record is there which was written, and no other */
    bool records_agree;     /* and all but the damaged ones are what was written */
    struct whole_sums sums; /* where both agree: what was written; else what is there */
};

/* Takes a copy of the key into locked memory; the state is unsure. With no other thread in the
 * environment. ERR_NOMEM. */
int env_whole_key(struct env *env, const uint8_t key[static WHOLE_KEY_SIZE]);

enum whole_state env_whole_state(struct env *env);

/* Looks at every record, while nobody writes. Without a key nothing is said of the seal. Damage is
 * a finding, no failure, and no alarm. Without bodies, which takes a third of the time, it is not
 * looked whether each fits its hash: where the sums agree then, all hashes are those that were
 * written, and a body that does not fit is ERR_CORRUPT when it is read; where they don't, it can't
 * be told what damage explains. ERR_NOMEM, ERR_IO. */
int env_whole_look(struct env *env, struct whole_finding *out, bool bodies);

/* What was found is what was written. Before the first transaction. */
void env_whole_trust(struct env *env, const struct whole_finding *finding);

/* Takes the seal that is there at its word: for whoever has had the store since it was looked at,
 * in another process. False: there is none to go by. Before the first transaction. */
bool env_whole_resume(struct env *env);

/* Seals what is there, after verification: looks, and writes the record durably. ERR_CORRUPT: a
 * record is damaged, or a tree; failures of a transaction. */
int env_whole_seal(struct env *env);

#endif
