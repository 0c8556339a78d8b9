/* What a YAML scalar without quotes stands for: a text, or a number, true, false, null. Two readers
 * disagree about it: compose's (YAML 1.2 with 1.1's octals) and kubernetes' (YAML 1.1, where "yes"
 * and "off" are true and false). */
#ifndef EMSA_TOOLS_EMSA_SCALAR_H
#define EMSA_TOOLS_EMSA_SCALAR_H

#include <stdbool.h>
#include <stddef.h>

enum scalar_rules { SCALAR_COMPOSE, SCALAR_KUBERNETES };

enum scalar_type {
    SCALAR_TEXT,
    SCALAR_NULL,
    SCALAR_BOOL,
    SCALAR_INT,
    SCALAR_FLOAT,
    SCALAR_DATE,   /* compose's only */
    SCALAR_ENDLESS /* .inf and .nan */
};

/* text is a plain scalar's. */
enum scalar_type scalar_type(enum scalar_rules rules, const char *text, size_t size);

#define SCALAR_PRINTED_MAX 64
/* A bool, an int or a float as compose prints it into an environment ("0x1F" is "31", "1.50" is
 * "1.5", "True" is "true"); the length. text is of such a type. */
size_t scalar_print(char out[static SCALAR_PRINTED_MAX], const char *text, size_t size);

#endif
