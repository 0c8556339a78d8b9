/* Signatures of requests, and what a request's seed gives: salts of values that are open, and the
 * keys of those that are not (store/FORMAT.md, "Request"). */
#ifndef EMSA_STORE_CRYPTO_SIGNATURE_H
#define EMSA_STORE_CRYPTO_SIGNATURE_H

#include "store/crypto/envelope.h"
#include "store/request.h"

/* R, what stands for a request's text. */
void signature_text_hash(uint8_t out[static HASH_SIZE], const void *text, size_t size);

/* Whether the secret in this envelope is the one that a request's digest stands for: 0; positive 1:
 * it is another. scratch: room for it, reused. Fails as envelope_open does. */
int request_check_secret(struct keyring *, void *context, struct secret *scratch,
                         const struct place *place, const void *envelope, size_t size,
                         const uint8_t digest[static HASH_SIZE]);

/* Whether the key signed R. */
bool signature_holds(const struct signature *signature);

void request_salt(uint8_t out[static SALT_SIZE], const uint8_t seed[static REQUEST_SEED_SIZE],
                  uint32_t number);

/* What a request has of a secret whose data key that is. */
void secret_digest(uint8_t out[static HASH_SIZE], const uint8_t key[static CRYPTO_KEY_SIZE],
                   const void *value, size_t size);

/* envelope_seal of the number-th value of a request, whose data key is the request's, so that who
 * opens it can see that it is what was signed. */
int request_seal(struct sealer *, struct bytes *out, const struct place *place,
                 const struct secret *value, const struct recipient recipients[], size_t count,
                 const uint8_t seed[static REQUEST_SEED_SIZE], uint32_t number);

#endif
