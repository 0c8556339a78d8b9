/*
 * JSON as far as a flat list of keys and values needs it, read straight into locked memory (a
 * parser's own copies could not be wiped): one object of texts, numbers, true and false, and
 * {"base64": text} for bytes that are no text.
 */
#ifndef EMSA_TOOLS_EMSA_FLAT_H
#define EMSA_TOOLS_EMSA_FLAT_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/emsa/assignments.h"

struct flat { /* where in a text we are */
    const char *text;
    size_t size;
    size_t at;
    unsigned line;
};

enum flat_kind {
    FLAT_TEXT,
    FLAT_NUMBER,
    FLAT_TRUE,
    FLAT_FALSE,
    FLAT_NULL,
    FLAT_OBJECT,
    FLAT_ARRAY
};

/* Each fails with ERR_INVALID and a text without a place ("a ',' is missing"); the caller adds the
 * place. */

/* Over a '{'. */
int flat_begin(struct flat *flat);

/* The next member's name, up to its value: appended to out (without a NUL). 1: the object has
 * ended. first is true for the first member. */
int flat_member(struct flat *flat, bool first, struct secret *out);

/* What the value here is, without reading it. */
int flat_peek(struct flat *flat, enum flat_kind *kind);

/* Reads a text (decoded), a number (as written), true or false (as words), or {"base64": ...}
 * (decoded), and appends its bytes. ERR_INVALID for null, lists and other objects. */
int flat_value(struct flat *flat, struct secret *out);

/* Nothing but blanks is left. */
int flat_end(struct flat *flat);

/* A whole file: one object of keys and values. ERR_INVALID: "FILE, line N: ...". */
int flat_parse(struct assignments *out, const char *text, size_t size);

#endif
