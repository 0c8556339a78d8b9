/*
 * A sealed text (store/FORMAT.md): a secret sealed for one key of one service, with nothing but the
 * service's public key at hand. It may lie in git; whoever may set sets it without reading it, and
 * the server that can open the service's key opens it. It is bound to its store, environment,
 * service and key, and is set nowhere else.
 *
 * It carries the digest that a signed request has of a secret, and within itself the key that the
 * digest was made with, which becomes the data key of what is set: so that an author who knows no
 * value signs what is done (store/request.h).
 */
#ifndef EMSA_STORE_SEALED_H
#define EMSA_STORE_SEALED_H

#include <stddef.h>
#include <stdint.h>

#include "store/bytes.h"
#include "store/change.h"
#include "store/name.h"
#include "store/secret.h"

#define SEALED_KEY_SIZE 32

/* The longest text: that of a value of VALUE_MAX, with room for how it is folded. */
#define SEALED_TEXT_MAX ((size_t)2 * VALUE_MAX)

/* Whom it is for: the newest pair of a service, as the server tells. */
struct sealed_for {
    uint8_t store_id[STORE_ID_SIZE];
    uint32_t environment, service, generation;
    uint8_t public_key[SEALED_KEY_SIZE];
};

/* Fills it in for a service, by ids. NOT_THERE: it was never placed there, and has no pair;
 * failures of reading. */
int sealed_for(struct snapshot *, struct sealed_for *out, uint32_t environment, uint32_t service);

/* Appends the text, without a NUL. ERR_INVALID: over VALUE_MAX, no path of a key, a public key that
 * is none; ERR_NOMEM, ERR_IO. */
int sealed_make(struct bytes *out, const struct sealed_for *owner, const struct path *key,
                const struct secret *value);

/* A text that was read. What it says of itself is no proof before it is opened. */
struct sealed {
    struct bytes body; /* owned: sealed_release */
    uint8_t store_id[STORE_ID_SIZE];
    uint32_t environment, service, generation; /* whom it is for */
    struct path path;
    uint8_t digest[HASH_SIZE];
    size_t head;              /* of body: what is authenticated beside the commitment */
    size_t sealed_at, padded; /* of body: the sealed part, and the size of the value in it */
};

/* ERR_INVALID: it is no sealed text at all; ERR_FORMAT: of a version that is not known;
 * ERR_CORRUPT: damaged; ERR_NOMEM. *out is zeros then. */
int sealed_read(struct sealed *out, const void *text, size_t size);
void sealed_release(struct sealed *sealed);

#endif
