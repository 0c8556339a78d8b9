/*
 * The filters of a template, on bytes that may be a secret: nothing is allocated, and what is
 * written goes nowhere but into the caller's buffer.
 *
 *     url      RFC 3986: letters, digits, '-', '.', '_' and '~' as they are, all else as %XX
 *     json     RFC 8259: a string with its quotes. What is not UTF-8 becomes U+FFFD, one for each
 *              piece that utf8_next tells apart
 *     base64   RFC 4648, with padding
 */
#ifndef EMSA_STORE_ENCODE_H
#define EMSA_STORE_ENCODE_H

#include <stdbool.h>
#include <stddef.h>

#include "store/template.h"

/* How many bytes encode will write. size: at most SIZE_MAX / 8. */
size_t encode_size(enum template_filter filter, const void *data, size_t size);

/* Writes exactly encode_size bytes to out, which does not overlap data. No NUL is added. */
void encode(enum template_filter filter, unsigned char *out, const void *data, size_t size);

/* Bytes of the UTF-8 character that begins at data (size > 0). Where none does, *good is false and
 * the bytes are those that could have begun one, at least one (Unicode's "maximal subpart").
 * Overlong forms, surrogates and what is past U+10FFFF are no characters. */
size_t utf8_next(const unsigned char *data, size_t size, bool *good);

#endif
