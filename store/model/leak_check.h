/* Fingerprints of secrets against the secrets: the part of verification that takes the store's key.
 */
#ifndef EMSA_STORE_MODEL_LEAK_CHECK_H
#define EMSA_STORE_MODEL_LEAK_CHECK_H

#include "store/model/core.h"
#include "store/verify.h"

/* Opens each secret that has a fingerprint and makes that anew, in bounded steps. Faults are told
 * of and counted in the report; a secret that does not open is one. Nothing where the store is not
 * unlocked. Failures of the store. */
int leak_check(struct store *store, const struct verify_options *options,
               struct verify_report *report);

/* Makes the fingerprints of all secrets that are set, in a store that has none. *without, where
 * secrets go without one because no identity at hand opens them, or the store's key: how many.
 * Failures of the store. */
int leak_make(struct store *store, uint64_t *without);

#endif
