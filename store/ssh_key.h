/*
 * An Ed25519 key of ssh as an identity: its public half is the one that signs, and the one that
 * secrets are sealed for follows from it (store/FORMAT.md, "Identity"). Its private half stays
 * where it is, in an agent that signs and does not open: so it says who wrote and who asks, and
 * opens nothing by itself.
 */
#ifndef EMSA_STORE_SSH_KEY_H
#define EMSA_STORE_SSH_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/identity.h"

struct decoder; /* store/codec.h */

#define SSH_KEY_SIZE 32
#define SSH_SIGNATURE_SIZE 64
#define SSH_KEY_TYPE "ssh-ed25519"
#define SSH_FINGERPRINT_MAX 56 /* "SHA256:", 43 characters and the NUL */

/* A string of ssh's wire format: a length (u32, big-endian) and that many borrowed bytes. NULL once
 * failed. */
const unsigned char *ssh_string(struct decoder *in, size_t *size);

/* The key of a public key's bytes, as an agent or a .pub file has them. ERR_INVALID: it is of
 * another type, which is named, or none. */
int ssh_key_read(uint8_t key[static SSH_KEY_SIZE], const void *data, size_t size);

/* The same of the 64 bytes of a signature. ERR_INVALID. */
int ssh_signature_read(uint8_t out[static SSH_SIGNATURE_SIZE], const void *data, size_t size);

/* The other way round: the bytes of a public key. */
#define SSH_KEY_DATA_SIZE 51
void ssh_key_write(unsigned char out[static SSH_KEY_DATA_SIZE],
                   const uint8_t key[static SSH_KEY_SIZE]);

/* As ssh-keygen -l prints it. */
void ssh_key_fingerprint(char out[static SSH_FINGERPRINT_MAX],
                         const uint8_t key[static SSH_KEY_SIZE]);

/* The public text of the identity that this key is. ERR_INVALID: it is no point that a key can be.
 */
int ssh_key_public(char text[static IDENTITY_TEXT_MAX], const uint8_t key[static SSH_KEY_SIZE]);

/* Whether that key signed a message. */
bool ssh_key_signed(const uint8_t key[static SSH_KEY_SIZE],
                    const uint8_t signature[static SSH_SIGNATURE_SIZE], const void *message,
                    size_t size);

#endif
