/*
 * A schema as JSON, which is the shape that its YAML has too (tools/man/emsa-schema.5): here it is
 * read, with everything that is wrong told at once, and written.
 *
 *     {"service": "billing", "strict": true, "description": "...",
 *      "keys": {"PORT": {"type": "port", "default": "8080"}, ...}}
 */
#ifndef EMSA_TOOLS_SERVICE_SCHEMA_JSON_H
#define EMSA_TOOLS_SERVICE_SCHEMA_JSON_H

#include <jansson.h>
#include <stdbool.h>

#include "store/schema.h"

/* What may stand at a member; a reader of YAML makes of a scalar what its shape wants. */
enum schema_shape {
    SHAPE_NONE, /* there is no such member */
    SHAPE_TEXT,
    SHAPE_TRUTH,  /* true, false */
    SHAPE_NUMBER, /* a whole number */
    SHAPE_BOUND,  /* a whole number, or a text with a unit */
    SHAPE_WORDS,  /* a list of texts */
    SHAPE_PLACES, /* true, false, or a list of environments */
    SHAPE_KEYS,   /* the keys, by their names */
};
/* Of the schema itself, or of one of its keys. */
enum schema_shape schema_shape(bool of_key, const char *member);

struct schema_at {      /* what a fault is about */
    const char *key;    /* "": the schema itself */
    const char *member; /* "": the whole key, or the whole schema */
    int item;           /* of a list, from 0 on; -1: not one of its items */
};
#define SCHEMA_SUBJECT_MAX 400
/* "min of 'PORT'", "item 2 of values of 'LEVEL'", "service": what a fault's text goes on after. */
const char *schema_subject_text(char out[static SCHEMA_SUBJECT_MAX], const struct schema_at *at);

/* Negative ends the reading, and is what it returns. */
typedef int (*schema_fault)(void *arg, const struct schema_at *at, const char *text);

/*
 * Reads and judges (schema_check) what is in object. fault is called for everything that is wrong;
 * the text says what was expected, in words that follow what it is about ("must be a text"). Then
 * it returns 1, or a failure (fault's own, ERR_NOMEM), and *out is untouched; else 0, and *out is
 * the caller's (schema_release).
 */
int schema_from_json(struct schema *out, json_t *object, schema_fault fault, void *arg);

/* The same with all faults in this thread's text, a line each, as ERR_INVALID; what comes first in
 * each ("the schema of 'billing'"). */
int schema_parse(struct schema *out, json_t *object, const char *what);

/* Owned; members in the order in which the manual has them. NULL: no memory. */
json_t *schema_to_json(const struct schema *);

#endif
