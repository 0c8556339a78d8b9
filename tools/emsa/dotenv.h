/* The dotenv dialect: compose's, as emsa-dotenv(5) writes it down. */
#ifndef EMSA_TOOLS_EMSA_DOTENV_H
#define EMSA_TOOLS_EMSA_DOTENV_H

#include "tools/emsa/assignments.h"

/* Reads a whole file's text. ERR_INVALID: "FILE, line N: ..." for the first thing that is no
 * dotenv; ERR_NOMEM. out has file and note set, and may be half filled on failure. */
int dotenv_parse(struct assignments *out, const char *text, size_t size);

#endif
