/*
 * The text of a call that its author signs (store/request.h), made from the call's JSON: by the
 * client before it sends the call, and by the server from what it received, which is what it does.
 */
#ifndef EMSA_TOOLS_SERVICE_SIGNING_H
#define EMSA_TOOLS_SERVICE_SIGNING_H

#include <jansson.h>

#include "store/request.h"

/* What stands for a sealed text where kinds of operations do: it sets a secret, and brings its
 * digest with it. */
#define SIGNING_SEALED ((enum operation_kind)255)

/* A value's digest: the number-th of the request, from 1. given: the text that stands in the call,
 * or a schema; NULL: the next size bytes of the stream. Negative ends it, and is what it returns.
 */
typedef int (*signing_digest)(void *arg, uint8_t out[static HASH_SIZE], uint32_t number,
                              enum operation_kind kind, json_t *given, size_t size);

/* method: without the interface. ERR_INVALID: something in the parameters that no call of ours has;
 * ERR_NOMEM; failures of digest. */
int signing_text(struct bytes *out, const uint8_t store_id[static STORE_ID_SIZE],
                 const char *method, json_t *parameters, signing_digest digest, void *arg);

/* Whether the call brings values, so that it needs a seed. */
bool signing_has_values(const char *method, json_t *parameters);

/* "signature" of the parameters; false where there is none. is_seeded: the stream begins with the
 * seed. ERR_INVALID. */
int signing_parameter(json_t *parameters, struct signature *out, bool *given, bool *is_seeded);

/* The same, added to the parameters. ERR_NOMEM. */
int signing_add(json_t *parameters, const struct signature *signature, bool is_seeded);

#endif
