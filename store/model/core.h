/* The inside of struct store, for store.c and this folder. */
#ifndef EMSA_STORE_MODEL_CORE_H
#define EMSA_STORE_MODEL_CORE_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/crypto/keyring.h"
#include "store/db/env.h"
#include "store/db/txn.h"
#include "store/model/lengths.h"
#include "store/pin.h"
#include "store/secret.h"
#include "store/snapshot.h"
#include "store/store.h"

#define PIN_DIFFERENCE_MAX 512

struct store {
    struct env *env;
    struct keyring *keyring;
    uint8_t id[STORE_ID_SIZE];
    char *path;
    int lock_fd;   /* owner.lock */
    bool own_lock; /* taken here, so given back here */
    void (*alarm)(void *arg, const char *text);
    void *alarm_arg;
    _Atomic uint64_t revision; /* the newest that readers see; stored after a commit is durable */
    _Atomic uint64_t alarms;   /* beside those that the environment counts */
    pthread_mutex_t
        writer; /* held by one change from judging to publishing; taken before LMDB's own */
    struct lengths lengths; /* exact sizes of secrets that were opened; lock-free */
    /* The head's pin (store/pin.h): written with the writer's lock held. */
    int pin_fd; /* owned; 0: there is none */
    bool accepts_head;
    bool is_sealed;                          /* there is a seal of this pin's key */
    bool had_pin;                            /* these two since the store was opened: */
    struct pin pin_was;                      /* what was pinned */
    char pin_difference[PIN_DIFFERENCE_MAX]; /* what it said against the store; "": nothing */
    struct secret pin_key;                   /* of the seal of the whole */
    atomic_bool pin_failed;                  /* the alarm was raised for it */
    atomic_bool scrub_left;                  /* something that was destroyed is in the file still */
    char whole_difference[PIN_DIFFERENCE_MAX]; /* what the seal says against it; "": nothing */
    uint64_t looked_at;                        /* records, when it was opened */
    int64_t looked_for;                        /* nanoseconds, with verification where: */
    bool was_verified;
    bool bodies_left;      /* whether they fit their hashes was not looked at (store_read_on) */
    bool whole_is_unsound; /* which no head that is accepted mends */
};

/* Makes the keyring of a store whose id is known, in its environment. */
int store_keyring(struct store *store);

/* Passes a failure on; tells the alarm if it is damage that the environment has not told of itself.
 */
int store_damage(struct store *store, uint64_t alarms_before, int error);

/* The inside of a snapshot, for what looks into it beside snapshot.c: its transaction, and the way
 * that every answer goes so that no damage is met in silence. */
struct txn *snapshot_txn(struct snapshot *snapshot);
int snapshot_answer(struct snapshot *snapshot, int result);

/* snapshot_next_entry of the newest revision, whatever the snapshot stands at. */
int snapshot_next_now(struct snapshot *snapshot, struct entry *out, uint32_t environment,
                      uint32_t service, const char *after);

#endif
