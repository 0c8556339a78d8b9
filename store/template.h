/*
 * The grammar of link and template texts.
 *
 *     link       service/KEY
 *     template   any bytes, in which
 *                ${KEY}, ${service/KEY}      stand for the value of a key, of the own service or
 * another
 *                ${REF|url} |json |base64    for that value, filtered (encode.h)
 *                $$                          for a dollar
 *
 * Nothing else may follow a '$'. A reference has no part for an environment, and none can be
 * written: this is the wall between environments. Who resolves a reference takes the environment
 * from where he stands, never from a text.
 */
#ifndef EMSA_STORE_TEMPLATE_H
#define EMSA_STORE_TEMPLATE_H

#include <stddef.h>

#include "store/limits.h"

enum template_filter { TEMPLATE_AS_IS = 0, TEMPLATE_URL, TEMPLATE_JSON, TEMPLATE_BASE64 };

enum template_piece_kind { TEMPLATE_TEXT = 1, TEMPLATE_REFERENCE };

struct reference {
    char service[SERVICE_NAME_MAX + 1]; /* "": the service that owns the text */
    char key[KEY_NAME_MAX + 1];
};

struct template_piece {
    enum template_piece_kind kind;
    const char *text; /* of a TEXT: borrowed from the template */
    size_t size;
    struct reference reference;
    enum template_filter filter;
};

/* A walk over size bytes at text, which must outlive it. at starts at 0. */
struct template
{
    const char *text;
    size_t size;
    size_t at;
};

#define TEMPLATE_END 1

/* The next piece. A "$$" is a TEXT of its own, of one byte. Returns 0, TEMPLATE_END after the last,
 * or ERR_INVALID: the text begins with the place ("column 12: ", "line 3, column 1: "; columns are
 * characters) and says what to write; the walk stays where it was. *out is touched only on 0. */
int template_next(struct template *template, struct template_piece *out);

/* Walks it all: 0 or the first ERR_INVALID. */
int template_check(const char *text, size_t size);

/* Parses the text of a link. ERR_INVALID with what to write, *out untouched. */
int link_parse(struct reference *out, const char *text, size_t size);

/* service/KEY and the closing NUL */
#define REFERENCE_TEXT_MAX (SERVICE_NAME_MAX + 1 + KEY_NAME_MAX + 1)

/* Writes "service/KEY", owner (a service's name) where the reference has no service; returns out.
 */
const char *reference_text(char out[static REFERENCE_TEXT_MAX], const struct reference *reference,
                           const char *owner);

#endif
