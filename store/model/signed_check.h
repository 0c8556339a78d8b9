/* The part of a proof that takes a key: that the secrets which signed requests set are those that
 * their authors signed, and those which they copied are what they were copied from. */
#ifndef EMSA_STORE_MODEL_SIGNED_CHECK_H
#define EMSA_STORE_MODEL_SIGNED_CHECK_H

#include "store/model/core.h"
#include "store/verify.h"

/* Reports a fault for each that is another; what cannot be opened here is passed over, and so is
 * whatever the rest of the proof tells of. ERR_IO, ERR_NOMEM. */
int signed_check(struct store *store, const struct verify_options *options,
                 struct verify_report *report);

#endif
