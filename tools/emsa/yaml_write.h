/* Texts as YAML scalars, built in locked memory: what every YAML reader reads back byte for byte.
 */
#ifndef EMSA_TOOLS_EMSA_YAML_WRITE_H
#define EMSA_TOOLS_EMSA_YAML_WRITE_H

#include <stdbool.h>

#include "store/secret.h"

/* Whether a scalar can hold the bytes: UTF-8 without NUL and without what is no character. */
bool yaml_holds(const unsigned char *data, size_t size);

/* Appends a text that yaml_holds, behind "KEY: ": without quotes where nobody reads anything else
 * than a text or a plain number in it, as a block where it has several lines, else in quotes.
 * indent is how many blanks the lines of a block begin with; 0: no block, as within {}. A newline
 * is not added. ERR_NOMEM. */
int yaml_write(struct secret *out, const unsigned char *data, size_t size, unsigned indent);

#endif
