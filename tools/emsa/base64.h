/* Base64 (RFC 4648, with padding), between locked buffers. */
#ifndef EMSA_TOOLS_EMSA_BASE64_H
#define EMSA_TOOLS_EMSA_BASE64_H

#include "store/secret.h"

/* Appends the text of size bytes. ERR_NOMEM. */
int base64_encode(struct secret *out, const unsigned char *data, size_t size);

/* Decodes the last size bytes of text in place: they become the bytes they stand for. ERR_INVALID.
 */
int base64_decode(struct secret *text, size_t size);

#endif
