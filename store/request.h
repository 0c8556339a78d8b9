/*
 * What the author of a change signs: the request, in its own client, before any server sees it. The
 * text is one canonical encoding of the call (store/FORMAT.md, "Request"), in which a salted digest
 * stands for each value. Client and server make it of the same call by the same code, so that what
 * was signed and what is done cannot differ; the commit keeps it, so that anybody can check later
 * that what was done follows from it.
 */
#ifndef EMSA_STORE_REQUEST_H
#define EMSA_STORE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/bytes.h"
#include "store/change.h"
#include "store/history.h"
#include "store/identity.h"

/* The longest text of a request: names of as many keys as a commit may set, and their digests. */
#define REQUEST_TEXT_MAX ((size_t)128 * 1024 * 1024)

/* Whether a call of that method is a change that can be signed. What is not in this table is not
 * signed by a client, and a signature for it proves nothing. */
bool request_is_signable(const char *method);

/* Appends the head; the parameters, an object, follow. Errors stick to out. */
void request_begin(struct bytes *out, const uint8_t store_id[static STORE_ID_SIZE],
                   const uint8_t request_id[static REQUEST_ID_SIZE], const char *method);
/* Trees. A list or an object is followed by so many trees, of an object each with its name before
 * it, in the order of bytes. */
void request_put_bool(struct bytes *out, bool value);
void request_put_number(struct bytes *out, int64_t value);
void request_put_text(struct bytes *out, const char *text, size_t size);
void request_put_list(struct bytes *out, size_t count);
void request_put_object(struct bytes *out, size_t count);
void request_put_name(struct bytes *out, const char *name);
void request_put_digest(struct bytes *out, const uint8_t digest[static HASH_SIZE]);

/* The digest of the number-th value of a request with that seed, and the salt that it is made with:
 * of a plain value, the text of a link or a template, a schema's bytes. */
void request_digest(uint8_t out[static HASH_SIZE], uint8_t salt[static 16],
                    const uint8_t seed[static REQUEST_SEED_SIZE], uint32_t number,
                    enum operation_kind kind, const void *value, size_t size);
/* The same of a secret. */
void request_digest_secret(uint8_t out[static HASH_SIZE],
                           const uint8_t seed[static REQUEST_SEED_SIZE], uint32_t number,
                           const void *value, size_t size);

/* What is signed of a text, for whoever holds the key, and the hash that stands for the text. */
#define REQUEST_MESSAGE_SIZE 48
void request_message(unsigned char out[static REQUEST_MESSAGE_SIZE],
                     uint8_t text_hash[static HASH_SIZE], const void *text, size_t size);
/* Signs a message with an identity; its public key. Only what begins with a domain of ours is ever
 * signed (store/FORMAT.md, "Signing"). */
void identity_sign(const struct identity *identity, uint8_t out[static SIGNATURE_SIZE],
                   const void *message, size_t size);
void identity_signing_key(const struct identity *identity, uint8_t out[static SIGNING_KEY_SIZE]);

/* Both, of a text. */
void request_sign(struct signature *out, const struct identity *identity, const void *text,
                  size_t size);
/* Whether it is the signature of this text. */
bool request_is_signed(const struct signature *signature, const void *text, size_t size);

#endif
