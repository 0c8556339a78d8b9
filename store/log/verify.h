/* The proof of store/verify.h, over an environment. */
#ifndef EMSA_STORE_LOG_VERIFY_H
#define EMSA_STORE_LOG_VERIFY_H

#include "store/db/env.h"
#include "store/verify.h"

int verify_log(struct env *env, const uint8_t store_id[static STORE_ID_SIZE],
               const struct verify_options *options, struct verify_report *report);

#endif
