/*
 * What is done about the seal of the whole (store/db/whole.h) when a store with a pin is opened:
 * before anything is served of it, every record is looked at once.
 *
 * 1. All records are what was written: the store opens.
 * 2. As many records, under the same keys, and all but some that fail their own hash are what was
 *    written: it opens, with an alarm. What is damaged hides nothing, and is ERR_CORRUPT when it is
 *    read; all else is right. Of a large store the hashes alone are looked at first, which is all
 *    that 1 takes: a body that was hit beside its hash is found by who reads it, by a server soon
 *    after it began to serve (store_read_on), and by verification.
 * 3. A tree is out of order (a record is not found by its key, a page can't be read, or has two
 *    uses): refused. A look-up may find nothing where something is, now or after the next commit.
 * 4. Anything else, no seal among it (a pin that was just made; commits that were made without this
 *    pin since; a seal that was left unsure, or is damaged): it is verified against its log, whole.
 *    a. That finds nothing, and no seal of this head was known: it opens and is sealed, with an
 *       alarm where a seal was to be expected.
 *    b. That finds nothing, and the pin knows that this very head was sealed: refused. Something
 *       that does not follow from the log is another: a fingerprint of the leak guard, the seal.
 *       Who meant that says so: emsa verify --accept-head.
 *    c. It finds only records that fail their own hash, none of them of the log: it opens, with an
 *       alarm, and is not sealed. Each other record is what the log says.
 *    d. It finds more: refused. A value or a right may be another than the log says.
 *
 * So one flipped bit of a record, its hash or the seal takes no host down; one in what a page says
 * of itself does, at the next start, because what it hides can't be known.
 *
 * A seal of another pin's key is left as it is until the next commit, so that two pins of one store
 * do not make each other verify it for ever.
 */
#ifndef EMSA_STORE_MODEL_WHOLE_H
#define EMSA_STORE_MODEL_WHOLE_H

#include "store/model/core.h"

/* Goes by the table, but where the store is continued (store_options) and sealed: that is trusted.
 * Nothing without a pin. Where the store is examined (store_options) all of it opens, and what
 * would have refused it is kept for verify_store and store_pinned. ERR_CORRUPT: with the first
 * findings and how to go on. */
int whole_open(struct store *store, bool is_examined, bool is_continued);

/* Seals the store that was verified, unless it is known to be what was sealed. With the store's
 * writer's lock held. ERR_CORRUPT: a record is damaged since; failures of a transaction. */
int whole_seal(struct store *store);

#endif
