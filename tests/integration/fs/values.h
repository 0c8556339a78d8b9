/* Values that carry their own length and checksum. */
#ifndef EMSA_TESTS_FS_VALUES_H
#define EMSA_TESTS_FS_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VALUE_LEAST 3u
#define VALUE_MOST 65535u

/* Fills size bytes (VALUE_LEAST to VALUE_MOST): length, filling told by seed, checksum. */
void value_make(unsigned char *out, size_t size, uint64_t seed);

/* Whether these bytes are one whole value. */
bool value_whole(const unsigned char *data, size_t size);

/* The next number of a small generator. */
uint64_t number_next(uint64_t *state);

#endif
