/* The inside of store/pin.h: what opens a store, and what commits, does with its pin. */
#ifndef EMSA_STORE_MODEL_PIN_H
#define EMSA_STORE_MODEL_PIN_H

#include "store/log/state.h"
#include "store/model/core.h"
#include "store/pin.h"

/* Compares a store that is being opened with its pin, and moves the pin on to a newer head, or
 * makes the first. ERR_CORRUPT: an older head, a second head, another store, a damaged pin; where
 * accepts is true that is kept for store_pinned instead. Nothing without a pin. */
int pin_begin(struct store *store, struct txn *txn, bool accepts);

/* After a commit, with the writer's lock held: pins it. Whatever comes of it, the commit is made;
 * the first failure raises the alarm. */
void pin_head(struct store *store, const struct head *head);

#endif
