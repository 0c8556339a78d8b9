/* Base64 (RFC 4648, with padding) read in locked memory; store/encode.h writes it. */
#ifndef EMSA_TOOLS_EMSA_BASE64_H
#define EMSA_TOOLS_EMSA_BASE64_H

#include "store/secret.h"

/* Decodes the last size bytes of text in place: they become the bytes they stand for. ERR_INVALID.
 */
int base64_decode(struct secret *text, size_t size);

#endif
