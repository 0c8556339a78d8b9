/* Building a text in locked memory. */
#ifndef EMSA_TOOLS_EMSA_HIDDEN_H
#define EMSA_TOOLS_EMSA_HIDDEN_H

#include "store/secret.h"

/* Appends, growing by halves. ERR_NOMEM. */
int hidden_append(struct secret *out, const void *data, size_t size);
int hidden_append_text(struct secret *out, const char *text);

#endif
