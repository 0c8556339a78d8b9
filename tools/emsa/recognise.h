/*
 * What looks like a secret. A guess, never a decision: import asks about it, set warns of it.
 */
#ifndef EMSA_TOOLS_EMSA_RECOGNISE_H
#define EMSA_TOOLS_EMSA_RECOGNISE_H

#include <stddef.h>

/* Why a key or its value looks like a secret ("its name has PASSWORD"), static; NULL where it does
 * not. */
const char *recognise_name(const char *key);
const char *recognise_value(const unsigned char *value, size_t size);

#endif
