/* Bytes as hex digits in lower case. */
#ifndef EMSA_TOOLS_SERVICE_HEX_H
#define EMSA_TOOLS_SERVICE_HEX_H

#include <stddef.h>
#include <stdint.h>

/* out has room for 2 * size digits and the NUL. */
void hex_text(char *out, const uint8_t *data, size_t size);

/* The other way round: size bytes of twice as many digits in lower case, and no more. -1: the text
 * (or NULL) is not that. */
int hex_bytes(uint8_t *out, size_t size, const char *text);

#endif
