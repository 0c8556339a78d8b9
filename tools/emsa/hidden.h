/* Building a text in locked memory. */
#ifndef EMSA_TOOLS_EMSA_HIDDEN_H
#define EMSA_TOOLS_EMSA_HIDDEN_H

#include "store/encode.h"
#include "store/secret.h"

/* Appends, growing by halves. ERR_NOMEM. */
int hidden_append(struct secret *out, const void *data, size_t size);
int hidden_append_text(struct secret *out, const char *text);

/* The same, of what a filter makes of size bytes at data. */
int hidden_append_encoded(struct secret *out, enum template_filter filter, const void *data,
                          size_t size);

#endif
