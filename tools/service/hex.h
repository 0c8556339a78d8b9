/* Bytes as hex digits in lower case. */
#ifndef EMSA_TOOLS_SERVICE_HEX_H
#define EMSA_TOOLS_SERVICE_HEX_H

#include <stddef.h>
#include <stdint.h>

/* out has room for 2 * size digits and the NUL. */
void hex_text(char *out, const uint8_t *data, size_t size);

#endif
