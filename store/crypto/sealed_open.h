/* The inside of a sealed text (store/sealed.h), for who has the key that it is sealed for. */
#ifndef EMSA_STORE_CRYPTO_SEALED_OPEN_H
#define EMSA_STORE_CRYPTO_SEALED_OPEN_H

#include "store/crypto/keyring.h"
#include "store/sealed.h"

/* Opens it: the value, and the data key that it is to be sealed with (32 bytes), both grown as
 * needed. That it is for this store and this key is the caller's to have seen. context: of the
 * keyring's callbacks. ERR_NO_KEY; ERR_CORRUPT: it is not what was sealed, or its digest is not
 * that of its value; ERR_NOMEM, failures of a callback. Both are empty then. */
int sealed_open(struct keyring *, void *context, struct secret *value, struct secret *key,
                const struct sealed *sealed);

#endif
