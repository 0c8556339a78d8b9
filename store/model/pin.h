/* The inside of store/pin.h: what opens a store, and what commits, does with its pin. */
#ifndef EMSA_STORE_MODEL_PIN_H
#define EMSA_STORE_MODEL_PIN_H

#include "store/log/state.h"
#include "store/model/core.h"
#include "store/pin.h"

/* Compares a store that is being opened with its pin, and moves the pin on to a newer head, or
 * makes the first; its key is in store->pin_key then. ERR_CORRUPT: an older head, a second head,
 * another store, a damaged pin; where accepts is true that is kept for store_pinned instead.
 * Nothing without a pin. */
int pin_begin(struct store *store, struct txn *txn, bool accepts);

/* Once a store is open: pins its head if that is newer than the pin, or what is to be known of its
 * seal has changed; not where the pin speaks against the store. */
void pin_sealed(struct store *store, const struct head *head);

/* After a commit, with the writer's lock held: pins it. Whatever comes of it, the commit is made;
 * the first failure raises the alarm. */
void pin_head(struct store *store, const struct head *head);

#endif
