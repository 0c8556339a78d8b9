/*
 * Who a caller is, proven: the message that the holder of an identity signs for one connection to
 * one store (store/FORMAT.md, "Caller"). The server drew the challenge for this connection alone
 * and takes one answer to it; the message also names the store and the user that the server sees at
 * the other end. So the signature is worth nothing at another store, on another connection, or to
 * another user of the machine who stands in between.
 */
#ifndef EMSA_STORE_CALLER_H
#define EMSA_STORE_CALLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/change.h"
#include "store/identity.h"
#include "store/store.h"

#define CALLER_CHALLENGE_SIZE 32
#define CALLER_MESSAGE_SIZE 97 /* of what is signed */

struct caller_claim {
    uint8_t store_id[STORE_ID_SIZE];
    uint8_t challenge[CALLER_CHALLENGE_SIZE];
    uint32_t uid;                  /* as the server sees it */
    uint8_t key[SIGNING_KEY_SIZE]; /* of the identity, which signs */
};

/* What is signed. */
void caller_message(unsigned char out[static CALLER_MESSAGE_SIZE],
                    const struct caller_claim *claim);

/* Whether this is the signature of that message by the claim's own key. */
bool caller_is_proven(const struct caller_claim *claim,
                      const uint8_t signature[static SIGNATURE_SIZE]);

#endif
