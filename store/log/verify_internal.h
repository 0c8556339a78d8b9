/* What the walks of verification share: for verify*.c only. */
#ifndef EMSA_STORE_LOG_VERIFY_INTERNAL_H
#define EMSA_STORE_LOG_VERIFY_INTERNAL_H

#include "store/log/verify.h"

#include <stdarg.h>
#include <stdio.h>

#include "store/db/keys.h"
#include "store/log/commit.h"
#include "store/log/entitled.h"
#include "store/log/erasure.h"
#include "store/log/expected.h"
#include "store/log/follow.h"
#include "store/log/state_relation.h"
#include "store/verify.h"

/* A set or removal of the commit in hand. */
struct touch {
    uint32_t environment;
    uint64_t name_id;
    uint32_t op;
};

struct touches {
    struct touch *items; /* owned */
    size_t count, capacity;
};

/* How the spots of a store came to what they are, counted twice: as operations and outcomes tell
 * it, and as the history has it. */
struct tally {
    uint64_t own;     /* moments of definitions that stand at their spot */
    uint64_t ended;   /* moments after which the spot's own definition is no more */
    uint64_t made;    /* moments of something where there was nothing */
    uint64_t gone;    /* the other way round */
    uint64_t changed; /* moments that changed what was and stays */
};

struct compaction {
    struct erasure is;
    bool is_whole;          /* it was found before the walk came to what it takes */
    uint8_t sum[HASH_SIZE]; /* of what is left, as far as the walk came */
};

struct verify_erasures {      /* the compactions, as far as they were looked for */
    struct compaction *items; /* owned */
    size_t count;
    uint64_t upto;         /* the last commit that was looked at */
    struct relations tags; /* as it left them */
};

struct verify {
    const struct verify_options *options;
    struct verify_report *report;
    uint8_t store_id[STORE_ID_SIZE];
    struct txn *txn; /* owned */
    /* the log's walk */
    uint64_t rev; /* the commit in hand; after that walk: one more than the last */
    int64_t time; /* its, or the last one's */
    uint8_t previous[HASH_SIZE];
    bool is_barred;    /* damage was met in this snapshot: LMDB may refuse to read on in it */
    bool is_renewed;   /* the snapshot is not the one that this step began with */
    bool has_previous; /* false after a commit whose header is lost */
    struct leaves leaves;
    struct touches touches;
    struct expected expected;
    struct tally told; /* by operations and outcomes */
    uint64_t outcome_chunks;
    struct follow follow; /* what the author of the commit in hand signed */
    bool is_signed;       /* there is one, and it could be read */
    bool is_of_the_known; /* by an identity of the store: */
    struct entitled signer;
    bool is_done_in_all;  /* the commit in hand does something in `all` */
    uint32_t seen_signed; /* the environment of which that was told last; 0: of none */
    uint64_t signed_commits;
    struct verify_erasures erasures;
    bool is_compaction; /* the commit in hand has one */
    bool is_expiry;     /* it removed what had ended, so far */
    bool is_override;   /* the first operation of the commit in hand says so */
    uint64_t presences; /* records that the operations so far must have made */
    /* the history's walk */
    struct key last_moment; /* empty at the beginning */
    struct spot before;     /* the moment before, of whatever spot; since 0: none */
    struct tally written;
    /* the entries' walk */
    uint32_t environment, service;
    char key[KEY_NAME_MAX + 1];
    bool has_entry;
    /* the walks of what expires, of references and of fingerprints */
    struct key last_expiry, last_reference, last_leak; /* empty at the beginning */
    /* the records' walk */
    enum database database;
    struct key last;     /* the last record's key; empty at the beginning of a database */
    uint64_t walked;     /* records of this database so far */
    uint64_t walked_rev; /* the newest revision when its walk began */
    /* progress */
    uint64_t done, total;
    bool is_stopped;
};

/* Beside 0 and TXN_NOT_FOUND: a record that could not be read, and was told of. */
#define VERIFY_DAMAGED 2

/* Reports a fault. 0. */
int verify_fault(struct verify *verify, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Passes a look-up's result on; damage becomes a fault and VERIFY_DAMAGED. */
int verify_read(struct verify *verify, int result, const char *what);

/* Begins a new snapshot where damage was met in this one, so that what is whole is still read. The
 * commits in it are the same, what is derived may be newer: so the end of the log is looked for
 * anew (see walk_commits). */
int verify_go_on(struct verify *verify);

/* Steps to the record of the database whose key is after *last, which becomes its key. 0;
 * VERIFY_DAMAGED: it was told of, and can be passed over; TXN_NOT_FOUND: that was all, or there is
 * no way on; or a failure. */
int verify_step(struct verify *verify, struct key *last, enum database database);

/* Checks operation op of the commit in hand and what was derived from it alone; adds its leaf, and
 * its touch. Failures only. */
int verify_operation(struct verify *verify, uint32_t op);

/* Values that were destroyed (verify_erasure.c). Looks for compactions up to that commit; that what
 * destroyed the value of the set in hand meant it; that nothing did, of a value that is there; that
 * the compaction, or the purge, in hand did what it says. Failures only. */
int verify_collect_erasures(struct verify *verify, uint64_t head);
void verify_erasures_release(struct verify_erasures *erasures);
int verify_erased(struct verify *verify, const struct operation *operation, uint32_t op,
                  struct slice body, const char *what);
int verify_not_erased(struct verify *verify, const struct operation *operation, uint32_t op,
                      const char *what);
int verify_compaction_of(struct verify *verify, const struct operation *operation, uint32_t op,
                         const char *what);
int verify_purge_of(struct verify *verify, const struct operation *operation, uint32_t op,
                    const char *what);

/* That a set which says whence it was copied is that (verify_copy.c). Failures only. */
int verify_copy_of(struct verify *verify, const struct operation *operation, uint32_t op,
                   const char *what);

/* The same of what the request of the commit in hand asked to have from elsewhere, and which does
 * not say so itself: a schema, a share, what ends. */
int verify_brought(struct verify *verify, const struct operation *operation, uint32_t op,
                   const char *what);

/* Checks the signature of the commit in hand, and reads what was signed; then that one operation of
 * it follows from that (verify_signature.c). Failures only. */
int verify_signature(struct verify *verify, const struct header *header);
/* That what is seen in an environment which takes signed changes only, and may come from `all`, was
 * signed by who may set there. 0. */
int verify_signed_outcome(struct verify *verify, const struct outcome *outcome);
int verify_follows(struct verify *verify, const struct operation *operation, const char *what);

/* Checks what the commit in hand came to, once its operations were: the moments of the spots where
 * something was set or removed; its outcomes. Failures only. */
int verify_touches(struct verify *verify);
int verify_outcomes(struct verify *verify, const struct counters *before);

/* Whether a moment is one of something that is in effect. */
static inline bool verify_stands(int found, const struct spot *moment)
{
    return !found && moment->kind != SPOT_NONE;
}

/* The moment of a spot as of a revision; in revision 0 there is none. */
int verify_moment(struct verify *verify, struct spot *out, uint32_t environment, uint64_t name_id,
                  uint64_t rev);

/* Each checks the record after the last one. Positive 1: there is none. */
int verify_next_moment(struct verify *verify);
int verify_next_entry(struct verify *verify);
int verify_next_expiry(struct verify *verify);
int verify_next_reference(struct verify *verify);
int verify_next_leak(struct verify *verify);
/* The same for every record of every database, whatever is in it; that was all of the last. */
int verify_next_record(struct verify *verify);

/* That the history was walked through and comes to what was told. 0. */
int verify_tallies(struct verify *verify);

/* That the index by moment has what ends: an entry, or an environment (name_id 0). Nothing where
 * expected->moment is 0; an op of VERIFY_ANY_OP is not compared. Failures only. */
#define VERIFY_ANY_OP UINT32_MAX
int verify_expiry_of(struct verify *verify, const struct expiry *expected);

/* That the index of references has what the definition's text names. Failures only. */
int verify_references_of(struct verify *verify, const struct spot *definition);

/* That what is shared and locked is what the log said last. Failures only. */
int verify_relations(struct verify *verify);

/* That the records are there which follow from an operation about an identity, a key, or rights
 * that were taken back. Failures only. */
int verify_key_of(struct verify *verify, const struct operation *operation, uint32_t op,
                  const char *what);

/* That an identity which may read at a place has the newest key of it. Failures only. */
int verify_holder(struct verify *verify, const struct relation *relation);

/* That a secret which is set can be opened with the newest key of its service. Failures only. */
int verify_recipient_of(struct verify *verify, const struct spot *spot);

/* That a schema which is there can be read, and that its defaults are what is defined in its layer
 * of defaults. Failures only. */
int verify_schema_of(struct verify *verify, const struct state_schema *is);

/* The first of the layers (0: none) that has a schema of the service; 0: none has. */
int verify_in_force(struct verify *verify, uint32_t *layer, const uint32_t layers[static 3],
                    uint32_t service);

/* That a pointer leads to a definition, and that what stands on the environment of a definition
 * shows it. Failures only. */
int verify_layers_of(struct verify *verify, const struct spot *spot);

#endif
